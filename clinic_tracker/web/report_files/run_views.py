"""Files of reports: the list, one of them with how far it is, asking for one, and taking it out."""

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import UUID

from flask import (
    Response,
    abort,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    send_file,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import generate_csrf

from clinic_tracker.domain.errors import NotFound, RuleViolation
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.reporting.formats import MEDIA_TYPES, ReportFormat
from clinic_tracker.exports.reports.files import file_name
from clinic_tracker.exports.stored_reports import make_held
from clinic_tracker.queries.patients import patient_key
from clinic_tracker.queries.report_runs import PAGE_WORKER, deliveries_of, nobody_works, run_row, run_rows
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.report_claims import claim
from clinic_tracker.services.report_files import FileState, compare, stored_file
from clinic_tracker.services.report_runs import allowed_source, ask, ask_again, cancel, is_small, note_taken
from clinic_tracker.web.access import current_scope, requires, shown_patients
from clinic_tracker.web.forms import status_of
from clinic_tracker.web.report_files.blueprint import blueprint
from clinic_tracker.web.report_files.forms import ask_form
from clinic_tracker.web.report_files.presenters import parameter_words, parameters_of, shown_run

SIZE = 50
PAGE_SECONDS = 15.0  # a page waits no longer for a file: then the worker makes it
ASKING = frozenset({"report", "format", "page", "as"})
STATE_WORDS = {
    FileState.UNCHANGED: ("The file is here and unchanged: its SHA-256 is the one noted when it was made.", "success"),
    FileState.CHANGED: ("The file was changed after it was made, and cannot be taken out. Make it again.", "error"),
    FileState.MISSING: ("The file is missing from the disk. Make it again.", "error"),
    FileState.REMOVED: ("The file is no longer kept. Make it again.", "info"),
    FileState.NOT_MADE: ("The file was not made.", "info"),
}


@blueprint.get("/files")
@requires(Permission.VIEW_REPORTS, Permission.EXPORT_DATA)
def index() -> ResponseReturnValue:
    """The files of the clinic, the newest first."""
    return render_template("report_files/index.html", **_listed(current_scope()))


@blueprint.get("/files/list")
@requires(Permission.VIEW_REPORTS, Permission.EXPORT_DATA)
def listed() -> ResponseReturnValue:
    """The list alone, for a page that keeps itself current."""
    return _part(render_template("report_files/_list.html", **_listed(current_scope())))


@blueprint.route("/files/new", methods=["GET", "POST"])
@requires(Permission.VIEW_REPORTS, Permission.EXPORT_DATA)
def new() -> ResponseReturnValue:
    """Ask for a file of a report with the parameters of the address."""
    scope = current_scope()
    name = request.args.get("report", "")
    definition = allowed_source(scope, name).definition
    values = {key: text for key, text in request.args.items() if key not in ASKING and text.strip()}
    form = ask_form(definition, request.args.get("format"))
    if form.validate_on_submit():
        try:
            run = ask(scope, name, values, ReportFormat(form.format.data), form.token.data)
        except RuleViolation as violation:
            form.refuse(violation)
        else:
            _make_if_small(scope, run)
            return redirect(url_for("report_files.run", run=run), 303)
    _log_patient(scope, values)
    words = parameter_words(scope, name, values, named=True)
    page = render_template("report_files/new.html", form=form, definition=definition, words=words)
    return page, status_of(form)


@blueprint.get("/files/<uuid:run>")
@requires(Permission.VIEW_REPORTS, Permission.EXPORT_DATA)
def run(run: UUID) -> ResponseReturnValue:
    """One file: what it is, how far it is, to whom it was announced, and how it compares with the first one."""
    scope = current_scope()
    shown = _one(scope, run, named=True)
    _log_patient(scope, shown["shown"].run.parameters)
    return render_template("report_files/run.html", **shown)


@blueprint.get("/files/<uuid:run>/progress")
@requires(Permission.VIEW_REPORTS, Permission.EXPORT_DATA)
def progress(run: UUID) -> ResponseReturnValue:
    """How far it is, for a page that keeps itself current."""
    return _part(render_template("report_files/_progress.html", **_one(current_scope(), run)))


@blueprint.get("/files/<uuid:run>/file")
@requires(Permission.VIEW_REPORTS, Permission.EXPORT_DATA)
def take(run: UUID) -> ResponseReturnValue:
    """Take the file out; it is noted who did, and whose data are in it."""
    scope = current_scope()
    row = run_row(scope, run)
    state, path = stored_file(scope, run, _folder())
    if state is not FileState.UNCHANGED:
        flash(*STATE_WORDS[state])
        return redirect(url_for("report_files.run", run=run), 303)
    if row.run.expires_at is None or row.run.expires_at <= scope.now:
        abort(404)
    note_taken(scope, run)
    form = ReportFormat(row.run.format)
    name = file_name(scope, row.run.name, parameters_of(scope, row), form, row.run.checksum or "")
    answer = send_file(path, mimetype=MEDIA_TYPES[form], as_attachment=True, download_name=name, max_age=0)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.post("/files/<uuid:run>/cancel")
@requires(Permission.VIEW_REPORTS, Permission.EXPORT_DATA)
def cancel_run(run: UUID) -> ResponseReturnValue:
    """End the making of a file."""
    try:
        cancel(current_scope(), run)
        flash("Cancelled. Nothing of the file is kept.", "success")
    except RuleViolation as violation:
        flash(violation.message, "error")
    return redirect(url_for("report_files.run", run=run), 303)


@blueprint.post("/files/<uuid:run>/check")
@requires(Permission.VIEW_REPORTS, Permission.EXPORT_DATA)
def check(run: UUID) -> ResponseReturnValue:
    """Compare the stored file with what was noted of it."""
    state, _path = stored_file(current_scope(), run, _folder())
    flash(*STATE_WORDS[state])
    return redirect(url_for("report_files.run", run=run), 303)


@blueprint.post("/files/<uuid:run>/again")
@requires(Permission.VIEW_REPORTS, Permission.EXPORT_DATA)
def again(run: UUID) -> ResponseReturnValue:
    """Make a file once more and compare it with the first one."""
    scope = current_scope()
    try:
        repeated = ask_again(scope, run, request.form.get("token"))
    except RuleViolation as violation:
        flash(violation.message, "error")
        return redirect(url_for("report_files.run", run=run), 303)
    _make_if_small(scope, repeated)
    return redirect(url_for("report_files.run", run=repeated), 303)


def _make_if_small(scope: Scope, run: UUID) -> None:
    """Make a file now where it is soon made; the worker finishes what takes longer than a page should wait."""
    if not is_small(scope, run):
        return
    held = claim(scope, f"{PAGE_WORKER}{scope.request_id}", run)
    if held is None:
        return
    end = monotonic() + PAGE_SECONDS
    config = current_app.config
    clock = current_app.extensions["clock"]
    make_held(scope, held, _folder(), keep=config["REPORTS_KEPT"], clock=clock, stopping=lambda: monotonic() > end)


def _listed(scope: Scope) -> dict[str, Any]:
    begin = max(request.args.get("begin", 0, type=int), 0)
    rows, total = run_rows(scope, begin, SIZE)
    return {
        "rows": [shown_run(scope, row) for row in rows],
        "begin": begin,
        "size": SIZE,
        "total": total,
        "nobody": nobody_works(scope, [row.run for row in rows]),
    }


def _log_patient(scope: Scope, values: Mapping[str, str]) -> None:
    """Tell the access log whose name the page shows, if the file is about one patient."""
    with suppress(NotFound, ValueError):
        if "patient" in values:
            shown_patients([patient_key(scope, UUID(values["patient"]))])


def _one(scope: Scope, run: UUID, *, named: bool = False) -> dict[str, Any]:
    row = run_row(scope, run)
    return {
        "shown": shown_run(scope, row, named=named),
        "deliveries": deliveries_of(scope, row.run),
        "comparison": compare(scope, run, row.repeats, _folder()) if row.repeats is not None else None,
        "nobody": nobody_works(scope, [row.run]),
        "kept_days": current_app.config["REPORTS_KEPT"].days,
        "mail": bool(current_app.config["MAIL_URL"]),
    }


def _part(page: str) -> Response:
    """A part of a page; next to nothing where the asker has it already."""
    answer = make_response(page)
    said = page.replace(generate_csrf(), "")  # the token of the forms is another one every second
    answer.set_etag(hashlib.sha256(said.encode()).hexdigest()[:32])
    answer.make_conditional(request)
    return answer


def _folder() -> Path:
    folder: Path = current_app.config["REPORTS_FOLDER"]
    return folder

"""Whether a file that somebody holds is one that this clinic made, unchanged."""

import hashlib

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.queries.report_runs import runs_of_digest
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.report_files import read_digest
from clinic_tracker.web.access import current_scope, requires
from clinic_tracker.web.forms import status_of
from clinic_tracker.web.report_files.blueprint import blueprint
from clinic_tracker.web.report_files.forms import VerifyForm
from clinic_tracker.web.report_files.presenters import shown_run


@blueprint.route("/verify", methods=["GET", "POST"])
@requires(Permission.VIEW_REPORTS, Permission.EXPORT_DATA)
def verify() -> ResponseReturnValue:
    """Compare a file with those that were made; what came of it is at an address with its SHA-256."""
    scope = current_scope()
    form = VerifyForm()
    if form.validate_on_submit() and (digest := _digest(scope, form)):
        return redirect(url_for("report_files.verify", sha256=digest), 303)
    asked = request.args.get("sha256")
    rows = None
    if asked is not None and request.method == "GET":
        try:
            rows = [shown_run(scope, row) for row in runs_of_digest(scope, read_digest(scope, asked))]
        except RuleViolation as violation:
            form.refuse(violation)
    return render_template("report_files/verify.html", form=form, rows=rows, asked=asked), status_of(form)


def _digest(scope: Scope, form: VerifyForm) -> str | None:
    """The SHA-256 of the file, or the one that was typed; None, with the reason on the form, without either."""
    if form.file.data is not None:
        return hashlib.file_digest(form.file.data.stream, "sha256").hexdigest()
    if not form.digest.data:
        form.file.errors = [*form.file.errors, "Choose the file, or enter its SHA-256."]
        return None
    try:
        return read_digest(scope, form.digest.data)
    except RuleViolation as violation:
        form.refuse(violation)
        return None

"""The reports: what there is, one of them with its parameters beside it, and its files."""

from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.reporting.formats import FORMAT_WORDS
from clinic_tracker.queries.reports.registry import REPORTS
from clinic_tracker.services.report_runs import is_for_file, is_soon_made
from clinic_tracker.services.reporting import check_format, report_source, reports_for
from clinic_tracker.web.access import current_scope, requires, shown_patients
from clinic_tracker.web.navigation import link_to
from clinic_tracker.web.reports.asking import IDENTITY_OPTIONS, Asked, read_asked
from clinic_tracker.web.reports.files import read_format, report_answer
from clinic_tracker.web.reports.groups import grouped
from clinic_tracker.web.reports.showing import Shown, column_heads, show_report

blueprint = Blueprint("reports", __name__, url_prefix="/reports")
NAME = f"<any({', '.join(repr(name) for name in sorted(REPORTS))}):name>"


@blueprint.get("/")
@requires(Permission.VIEW_REPORTS)
def index() -> ResponseReturnValue:
    """The reports there are, by what they are about."""
    return render_template("reports/index.html", groups=grouped(reports_for(current_scope())))


@blueprint.get(f"/{NAME}")
@requires(Permission.VIEW_REPORTS)
def report(name: str) -> ResponseReturnValue:
    """One report: its parameters, the answer, what each figure means, and its files."""
    scope = current_scope()
    definition = report_source(scope, name).definition
    asked = read_asked(scope, definition, request.args)
    is_long = asked.parameters is not None and is_for_file(scope, name, asked.parameters)
    answer = None if is_long else _answer(asked)
    shown_patients(answer.patients if answer is not None else [], f"{blueprint.name}.{name}")
    page = render_template(
        "reports/report.html",
        definition=definition,
        asked=asked,
        form=asked.form,
        answer=answer,
        is_long=is_long,
        heads=column_heads(answer.columns) if answer is not None else [],
        identities=IDENTITY_OPTIONS,
        formats=FORMAT_WORDS,
        may_export=scope.may(Permission.EXPORT_DATA),
        links={**_links(name, asked, answer), "kept": _kept(name, asked)},
    )
    return page, 200 if answer is not None or is_long else 400


@blueprint.get(f"/{NAME}/file")
@requires(Permission.VIEW_REPORTS, Permission.EXPORT_DATA)
def report_file(name: str) -> ResponseReturnValue:
    """The report of the same parameters as a file."""
    scope = current_scope()
    definition = report_source(scope, name).definition
    asked = read_asked(scope, definition, request.args)
    if asked.parameters is None:
        abort(400, " ".join(error.message for error in asked.form.error_links))
    form = read_format(request.args.get("format", definition.formats[0].value))
    check_format(scope, name, form)
    beside = _kept(name, asked)
    if beside is not None and not is_soon_made(scope, name, asked.parameters):
        return redirect(beside, 303)
    return report_answer(scope, name, asked.parameters, form)


def _kept(name: str, asked: Asked) -> str | None:
    """Where the same report is asked for as a file that is kept, and made beside the server where it is long."""
    values: dict[str, Any] = {**asked.values, "report": name, "format": request.args.get("format")}
    return link_to("report_files.new", **values)


def _answer(asked: Asked) -> Shown | None:
    """The answer; None, with the problem at its field, where the parameters are wrong."""
    if asked.parameters is None:
        return None
    number = request.args.get("page", 1, type=int)
    try:
        answer = show_report(current_scope(), asked.definition, asked.parameters, max(number, 1))
    except RuleViolation as violation:
        asked.refuse(violation)
        return None
    if answer.count and not answer.rows:
        abort(404)
    return answer


def _links(name: str, asked: Asked, answer: Shown | None) -> dict[str, str | None]:
    """The pages before and after."""

    def link(number: int) -> str | None:
        if answer is None or not 1 <= number <= answer.pages:
            return None
        values: dict[str, Any] = {**asked.values, "page": number}
        return url_for("reports.report", name=name, **values)

    here = answer.page if answer is not None else 1
    return {"before": link(here - 1), "after": link(here + 1)}

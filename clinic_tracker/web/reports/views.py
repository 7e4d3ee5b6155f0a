"""Reports: compliance by requirement and month, departures from the protocol."""

from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from flask import Blueprint, Response, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.local_time import add_months, parse_date
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.exports.tables import csv_lines
from clinic_tracker.queries.compliance import GRACE_SETTING, ComplianceRow, compliance, totals
from clinic_tracker.queries.deviations import by_requirement, deviations_between
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.settings import protocol_in_force, setting
from clinic_tracker.services.exporting import note_export
from clinic_tracker.web.access import current_scope, requires, shown_patients
from clinic_tracker.web.reports.presenters import COLUMNS, cells, percent

blueprint = Blueprint("reports", __name__, url_prefix="/reports")
MONTHS = 12


@dataclass(frozen=True, slots=True)
class Period:
    """What the report is about; ``problem`` says what is wrong with the dates of the address."""

    from_on: date
    to_on: date
    requirement: str | None
    problem: str | None = None


@blueprint.get("/")
@requires(Permission.VIEW_REPORTS)
def index() -> ResponseReturnValue:
    """The reports there are."""
    return render_template("reports/index.html")


@blueprint.get("/compliance")
@requires(Permission.VIEW_REPORTS)
def compliance_report() -> ResponseReturnValue:
    """On time, late, missed, waived and still owed, by requirement and month of the due date."""
    scope = current_scope()
    period = _period(scope)
    rows = _rows(scope, period)
    protocol = protocol_in_force(scope)
    titles = {requirement.code: requirement.title for requirement in protocol.requirements}
    return render_template(
        "reports/compliance_report.html",
        rows=rows,
        totals=totals(scope, rows),
        titles=titles,
        percent=percent,
        period=period,
        grace=setting(scope, GRACE_SETTING),
        csv_url=url_for("reports.compliance_csv", **cast("Any", request.args.to_dict())),
    ), 400 if period.problem else 200


@blueprint.get("/compliance.csv")
@requires(Permission.VIEW_REPORTS, Permission.EXPORT_DATA)
def compliance_csv() -> ResponseReturnValue:
    """The same rows as CSV."""
    scope = current_scope()
    period = _period(scope)
    if period.problem is not None:
        abort(400, period.problem)
    note_export(scope, "compliance", {"from": period.from_on.isoformat(), "to": period.to_on.isoformat()})
    lines = csv_lines(COLUMNS, (cells(row) for row in _rows(scope, period)))
    name = f"compliance-{scope.clinic_slug}-{period.from_on}-{period.to_on}.csv"
    return Response(
        "".join(lines), mimetype="text/csv", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


@blueprint.get("/deviations")
@requires(Permission.VIEW_REPORTS)
def deviations_report() -> ResponseReturnValue:
    """Departures from the protocol in a period, with the reason of each."""
    scope = current_scope()
    period = _period(scope)
    lines = [] if period.problem else deviations_between(scope, period.from_on, period.to_on)
    shown_patients([line.patient_id for line in lines])
    counts = by_requirement(scope, lines)
    page = render_template("reports/deviations_report.html", lines=lines, counts=counts, period=period)
    return page, 400 if period.problem else 200


def _rows(scope: Scope, period: Period) -> list[ComplianceRow]:
    return [] if period.problem else compliance(scope, period.from_on, period.to_on, period.requirement)


def _period(scope: Scope) -> Period:
    """The last twelve months, unless the address says otherwise."""
    args = request.args
    start = add_months(scope.today.replace(day=1), 1 - MONTHS)
    requirement = args.get("requirement") or None
    known = {one.code for one in protocol_in_force(scope).requirements}
    if requirement is not None and requirement not in known:
        return Period(start, scope.today, None, "There is no such requirement.")
    try:
        from_on = _day(scope, args, "from") or start
        to_on = _day(scope, args, "to") or scope.today
    except RuleViolation as violation:
        return Period(start, scope.today, requirement, violation.message)
    if to_on < from_on:
        return Period(from_on, to_on, requirement, "The period must not end before it begins.")
    return Period(from_on, to_on, requirement)


def _day(scope: Scope, args: Any, name: str) -> date | None:
    text = args.get(name, "").strip()
    return parse_date(text, scope.today, name) if text else None

"""From a figure of the dashboard to what it counts: a report or a worklist, if the person may see it."""

from datetime import date

from flask import url_for

from clinic_tracker.domain.permissions import Permission
from clinic_tracker.queries.reports.registry import REPORTS
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.worklist_filter import Band, Grouping, WorklistFilter
from clinic_tracker.web.worklists.address import address_of


def report_url(name: str, **values: str | date | None) -> str | None:
    """The address of a report with its parameters; None where there is no such report."""
    if name not in REPORTS:
        return None
    given = {key.removesuffix("_"): str(value) for key, value in values.items() if value is not None}
    return url_for("reports.report", name=name, **given)  # type: ignore[arg-type]


def obligations_url(first: date, last: date, requirement: str | None, outcome: str) -> str | None:
    """The obligations that fell due from one day to another and came to something."""
    return report_url("obligations", from_=first, to=last, requirement=requirement, outcome=outcome)


def worklist_url(scope: Scope, requirement: str, band: Band | None) -> str | None:
    """The overdue items of a requirement and an age."""
    if not scope.may(Permission.VIEW_PATIENTS):
        return None
    chosen = WorklistFilter(grouping=Grouping.ITEM, requirement=requirement, band=band)
    return url_for("worklists.index", **address_of(chosen))


def patients_url(scope: Scope, show: str) -> str | None:
    """The patients of a group."""
    return url_for("patients.index", show=show) if scope.may(Permission.VIEW_PATIENTS) else None

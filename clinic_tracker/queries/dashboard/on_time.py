"""What fell due came to, by requirement and month: the same figures as the report ``compliance``, for many months."""

from collections import defaultdict
from datetime import date

from sqlalchemy import func, or_, select

from clinic_tracker.domain.compliance import Tally
from clinic_tracker.models.base import db
from clinic_tracker.models.schedule import Obligation, PatientSchedule
from clinic_tracker.queries.reports.projected import month_of, outcome_of
from clinic_tracker.queries.scope import Scope

Tallies = dict[tuple[str, date], Tally]


def tallies_by_month(scope: Scope, from_on: date) -> Tallies:
    """The obligations due from a day to today by requirement and month of the due date (its first day).

    One statement. What was due after the prescriber's sign-off counts only if it was done. Read from one index alone,
    which holds every column that is needed; only of patients signed off is the schedule looked at.
    """
    table, schedule = Obligation, PatientSchedule
    signed_off = select(schedule.patient_id).where(
        schedule.clinic_id == scope.clinic_id, schedule.monitoring_closed_on.is_not(None)
    )
    closed_on = (
        select(schedule.monitoring_closed_on)
        .where(schedule.patient_id == table.patient_id)
        .correlate(table)
        .scalar_subquery()
    )
    inner = (
        select(table.requirement, month_of().label("month"), outcome_of(scope).label("outcome"))
        .where(
            table.clinic_id == scope.clinic_id,
            table.due_on >= from_on,
            table.due_on <= scope.today,
            or_(table.done_on.is_not(None), table.patient_id.not_in(signed_off), table.due_on <= closed_on),
        )
        .subquery()
    )
    counted: defaultdict[tuple[str, date], dict[str, int]] = defaultdict(dict)
    columns = (inner.c.requirement, inner.c.month, inner.c.outcome)
    for requirement, month, outcome, number in db.session.execute(select(*columns, func.count()).group_by(*columns)):
        counted[requirement, date.fromisoformat(f"{month}-01")][outcome] = number
    return {key: Tally.of(numbers) for key, numbers in sorted(counted.items())}


def by_month(_scope: Scope, tallies: Tallies, requirement: str | None = None) -> dict[date, Tally]:
    """The same by month alone: of one requirement, or of all together."""
    found: dict[date, Tally] = {}
    for (code, month), tally in tallies.items():
        if requirement in {None, code}:
            found[month] = found.get(month, Tally()) + tally
    return found


def by_requirement(_scope: Scope, tallies: Tallies) -> dict[str, Tally]:
    """The same by requirement alone, in the order of codes."""
    found: dict[str, Tally] = {}
    for (code, _month), tally in tallies.items():
        found[code] = found.get(code, Tally()) + tally
    return found

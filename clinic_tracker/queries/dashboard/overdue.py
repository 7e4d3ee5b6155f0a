"""How much was overdue on past days, and how long what is overdue today has been.

An item (a patient and a requirement) was overdue on a day D if, by what had happened by then, something of that
requirement was owed whose due date lay before D. An obligation is owed until it is done; a missed one until the first
valid evidence of its requirement on or after its due date; a waived one never; none from the prescriber's sign-off on.
Stored schedules say it of nearly every patient. They cannot where a later fact moved a due date or ended a sign-off:
on those days the engine is asked (``replayed``).
"""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Text, and_, case, cast, func, null, or_, select

from clinic_tracker.domain.facts import VALID_STATUSES
from clinic_tracker.domain.reporting.span import last_of
from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import LabReport
from clinic_tracker.models.schedule import Obligation, PatientSchedule, Standing
from clinic_tracker.queries.dashboard.replayed import overdue_then, to_replay
from clinic_tracker.queries.reports.projected import month_of
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.worklist_filter import BAND_DAYS, VIEW_BANDS, Band, View

BANDS = VIEW_BANDS[View.OVERDUE]


class CurvePoint(NamedTuple):
    """What was overdue on a day: how many patients with anything, and how many items of theirs."""

    on: date
    patients: int
    items: int


def overdue_curve(scope: Scope, days: Sequence[date]) -> tuple[CurvePoint, ...]:
    """What was overdue on each of these days, which rise and are not after today."""
    replayed = to_replay(scope, days)
    items: defaultdict[tuple[int, str], int] = defaultdict(int)
    patients: defaultdict[int, int] = defaultdict(int)
    for patient, requirement, bits in _covered(scope, days, replayed):
        items[patient, requirement] |= bits
        patients[patient] |= bits
    for patient, requirement, place in overdue_then(scope, replayed, days):
        items[patient, requirement] |= 1 << place
        patients[patient] |= 1 << place
    of_items, of_patients = _per_day(items.values(), len(days)), _per_day(patients.values(), len(days))
    return tuple(CurvePoint(*point) for point in zip(days, of_patients, of_items, strict=True))


def _covered(scope: Scope, days: Sequence[date], but: Mapping[int, Sequence[int]]) -> Iterable[tuple[int, str, int]]:
    """For each obligation that was ever late, the days on which it was overdue, as bits from the first day on.

    Days on which the engine is asked instead are left out.
    """
    if not days:
        return
    texts = [day.isoformat() for day in days]
    closed = _sign_offs(scope)
    left_out = {patient: sum(1 << place for place in places) for patient, places in but.items()}
    begins: dict[str, int] = {}
    ends: dict[str, int] = {}
    for patient, requirement, due, until in _late(scope, days):
        begin = begins[due] if due in begins else begins.setdefault(due, bisect_right(texts, due))
        until = min(until or "9999", closed.get(patient, "9999"))  # noqa: PLW2901 - what it was, cut short
        end = ends[until] if until in ends else ends.setdefault(until, bisect_left(texts, until))
        if begin < end:
            yield patient, requirement, ((1 << end) - (1 << begin)) & ~left_out.get(patient, 0)


def _late(scope: Scope, days: Sequence[date]) -> Iterable[Any]:
    """Patient, requirement, due date and the day from which it was no longer owed, of what was late.

    The days are text, which compares like the days and costs nothing to read. Where the schedule itself says that
    there was no evidence since the due date, the results are not looked at.
    """
    table = Obligation
    evidence = (
        select(func.min(LabReport.collected_on))
        .where(
            LabReport.patient_id == table.patient_id,
            LabReport.panel == table.requirement,
            LabReport.collected_on >= table.due_on,
            LabReport.state == FactState.RECORDED.value,
            LabReport.is_complete,
            LabReport.result_status.in_(sorted(status.value for status in VALID_STATUSES)),
        )
        .correlate(table)
        .scalar_subquery()
    )
    until = case(
        (table.done_on.is_not(None), table.done_on),
        (table.closes_on.is_(None) | (table.closes_on >= scope.today), null()),
        (Standing.last_done_on.is_(None) | (Standing.last_done_on < table.due_on), null()),
        else_=evidence,
    )
    statement = (
        select(table.patient_id, table.requirement, cast(table.due_on, Text), cast(until, Text))
        .join(Standing, and_(Standing.patient_id == table.patient_id, Standing.requirement == table.requirement))
        .where(
            table.clinic_id == scope.clinic_id,
            table.due_on < days[-1],
            ~table.waived,
            or_(table.done_on.is_(None), and_(table.done_on > days[0], _too_late(scope, days))),
        )
    )
    return db.session.execute(statement)


def _too_late(scope: Scope, days: Sequence[date]) -> ColumnElement[bool]:
    """Done late and, where the days are the ends of months and today, not in the month in which it was due.

    What was is on none of these days overdue, and most of what is late is late by some days only.
    """
    table = Obligation
    if days[-1] >= scope.today and all(day == last_of(day) for day in days[:-1]):
        return func.substr(cast(table.done_on, Text), 1, 7) > month_of()
    return table.done_on > table.due_on


def _sign_offs(scope: Scope) -> dict[int, str]:
    """The day of the sign-off of each patient who was signed off, as text."""
    closed_on = PatientSchedule.monitoring_closed_on
    rows = db.session.execute(
        select(PatientSchedule.patient_id, cast(closed_on, Text)).where(
            PatientSchedule.clinic_id == scope.clinic_id, closed_on.is_not(None)
        )
    )
    return {patient: on for patient, on in rows}  # noqa: C416 - rows are not pairs to mypy


def _per_day(bits: Iterable[int], days: int) -> list[int]:
    counted = Counter(bits)
    return [sum(number for mask, number in counted.items() if mask >> place & 1) for place in range(days)]


class Aging(NamedTuple):
    """Items of one requirement that are overdue today, by days late."""

    requirement: str
    bands: tuple[int, ...]

    @property
    def items(self) -> int:
        """All of them."""
        return sum(self.bands)


def aging(scope: Scope) -> tuple[Aging, ...]:
    """What is overdue today by requirement and by how long, as on the worklist; requirements with nothing left out."""
    today, due = scope.today.toordinal(), Standing.next_due_on
    sums = []
    for band in BANDS:
        fewest, most = BAND_DAYS[band]
        within = due <= date.fromordinal(today - (fewest or 0))
        if most is not None:
            within = and_(within, due >= date.fromordinal(today - most))
        sums.append(func.sum(case((within, 1), else_=0)))
    rows = db.session.execute(
        select(Standing.requirement, *sums)
        .where(Standing.clinic_id == scope.clinic_id, due < scope.today)
        .group_by(Standing.requirement)
        .order_by(Standing.requirement)
    )
    return tuple(Aging(code, tuple(int(count) for count in counts)) for code, *counts in rows)


def overdue_patients(scope: Scope) -> int:
    """How many patients have anything overdue today."""
    count = db.session.scalar(
        select(func.count()).where(
            PatientSchedule.clinic_id == scope.clinic_id, PatientSchedule.earliest_due_on < scope.today
        )
    )
    return int(count or 0)


__all__ = ["BANDS", "Aging", "Band", "CurvePoint", "aging", "overdue_curve", "overdue_patients"]

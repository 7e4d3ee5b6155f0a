"""When a stored schedule does not tell what was owed by a patient on a past day; for those days the engine does.

A later day of the same course moves what is counted from its last infusion: until that day, something else was owed.
Where the days of a course lie no further apart than the shortest time in which anything falls due, nothing can have
been overdue in between. A sign-off that does not stand today, because treatment went on or there was another, did
stand for a while.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import case, func, or_, select

from clinic_tracker.domain.history import History
from clinic_tracker.domain.schedule import forecast
from clinic_tracker.domain.status import standing_state
from clinic_tracker.domain.vocabulary import FactState, MonitoringDecisionKind, StandingState
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import MonitoringDecision
from clinic_tracker.models.schedule import PatientSchedule
from clinic_tracker.models.treatment import Infusion
from clinic_tracker.queries.history import load_history
from clinic_tracker.queries.protocols import packaged_protocols
from clinic_tracker.queries.reports.projected import later
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.settings import protocols_in_force

CHECKLIST = "checklist_business_days"
SHORTEST_MONTH = 28


Times = dict[int, list[tuple[date, date]]]  # by patient, from a day to the day before another


def to_replay(scope: Scope, days: Sequence[date]) -> dict[int, tuple[int, ...]]:
    """By patient, the places of those of the days on which the engine must be asked; in one statement."""
    if not days:
        return {}
    found = {}
    for patient, times in _times(scope, days[0], days[-1]).items():
        places = tuple(place for place, day in enumerate(days) if any(first <= day < until for first, until in times))
        if places:
            found[patient] = places
    return found


def _times(scope: Scope, first: date, last: date) -> Times:
    table, decision, schedule = Infusion, MonitoringDecision, PatientSchedule
    begun, ended = func.min(table.infused_on), func.max(table.infused_on)
    apart = (
        select(table.patient_id, begun, ended)
        .where(table.clinic_id == scope.clinic_id, table.state == FactState.RECORDED.value)
        .group_by(table.course_id, table.patient_id)
        .having(ended > later(begun, _soonest(scope)), ended > first, begun <= last)
    )
    infused_on, closed_on = schedule.last_infusion_on, schedule.monitoring_closed_on
    settled = case((closed_on > infused_on, closed_on), else_=infused_on)
    overtaken = (
        select(decision.patient_id, decision.decided_on, settled)
        .join(schedule, schedule.patient_id == decision.patient_id)
        .where(
            *_sign_offs(scope),
            or_(closed_on.is_(None), closed_on != decision.decided_on),
            settled > first,
            decision.decided_on <= last,
        )
    )
    found: Times = {}
    statement: Any = apart.union_all(overtaken)
    for patient, since, until in db.session.execute(statement):
        found.setdefault(patient, []).append((since, until))
    return found


def overdue_then(
    scope: Scope, asked: Mapping[int, Sequence[int]], days: Sequence[date]
) -> Iterator[tuple[int, str, int]]:
    """Patient, requirement and place among the days, of what the engine finds overdue on the days asked about."""
    if not asked:
        return
    protocols = protocols_in_force(scope, packaged_protocols())
    decided = _decided(scope, asked.keys())
    for patient, history in load_history(scope, asked.keys()).items():
        for place in asked[patient]:
            known = _known(history, decided.get(patient, []), days[place])
            told = forecast(known, protocols[history.protocol])
            for standing in told.standings:
                if standing_state(standing, days[place].toordinal(), told.closed_on) is StandingState.OVERDUE:
                    yield patient, standing.requirement, place


def _soonest(scope: Scope) -> int:
    """How far apart two days may lie without anything having been overdue between them."""
    protocols = protocols_in_force(scope, packaged_protocols()).values()
    found = [protocol.value(CHECKLIST) for protocol in protocols if CHECKLIST in protocol.settings]
    return min([*found, SHORTEST_MONTH - 1]) + 1


def _known(history: History, decided: Sequence[date], day: date) -> History:
    """What was known on a day: the sign-off is the latest by then."""
    signed = max((on.toordinal() for on in decided if on <= day), default=None)
    return replace(history, monitoring_closed_on=signed).known_on(day.toordinal())


def _sign_offs(scope: Scope) -> tuple[Any, ...]:
    table = MonitoringDecision
    return (
        table.clinic_id == scope.clinic_id,
        table.state == FactState.RECORDED.value,
        table.kind == MonitoringDecisionKind.CLOSED.value,
    )


def _decided(scope: Scope, keys: Collection[int]) -> dict[int, list[date]]:
    table = MonitoringDecision
    rows = db.session.execute(select(table.patient_id, table.decided_on).where(*_sign_offs(scope)))
    found: dict[int, list[date]] = {}
    for patient, on in rows:
        if patient in keys:
            found.setdefault(patient, []).append(on)
    return found

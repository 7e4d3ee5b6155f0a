"""The patients of whom a stored schedule does not tell what was owed on a past day; for them the engine does.

A later day of the same course moves what is counted from its last infusion. Where the days of a course lie no further
apart than the shortest time in which anything falls due, nothing can have been overdue in between. A sign-off that
does not stand today, because treatment went on or there was another, did stand for a while.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import func, or_, select

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


def to_replay(scope: Scope) -> frozenset[int]:
    """The keys of these patients, in one statement."""
    table, decision, schedule = Infusion, MonitoringDecision, PatientSchedule
    apart = (
        select(table.patient_id)
        .where(table.clinic_id == scope.clinic_id, table.state == FactState.RECORDED.value)
        .group_by(table.course_id, table.patient_id)
        .having(func.max(table.infused_on) > later(func.min(table.infused_on), _soonest(scope)))
    )
    overtaken = (
        select(decision.patient_id)
        .outerjoin(schedule, schedule.patient_id == decision.patient_id)
        .where(
            *_sign_offs(scope),
            or_(schedule.monitoring_closed_on.is_(None), schedule.monitoring_closed_on != decision.decided_on),
        )
    )
    return frozenset(db.session.scalars(apart.union(overtaken)))


def overdue_then(scope: Scope, keys: Collection[int], days: Sequence[date]) -> Iterator[tuple[int, str, int]]:
    """Patient, requirement and place among the days, of what the engine finds overdue on each."""
    if not keys or not days:
        return
    protocols = protocols_in_force(scope, packaged_protocols())
    decided = _decided(scope, keys)
    for patient, history in load_history(scope, keys).items():
        protocol = protocols[history.protocol]
        for place, day in enumerate(days):
            known = _known(history, decided.get(patient, []), day)
            if not known.given:
                continue
            told = forecast(known, protocol)
            for standing in told.standings:
                if standing_state(standing, day.toordinal(), told.closed_on) is StandingState.OVERDUE:
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

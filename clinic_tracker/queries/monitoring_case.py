"""One patient's history with the protocol in force and what the engine makes of them."""

from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import select

from clinic_tracker.domain.history import History
from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.protocol import Protocol
from clinic_tracker.domain.schedule import Forecast, forecast
from clinic_tracker.domain.status import standing_state
from clinic_tracker.domain.vocabulary import StandingState
from clinic_tracker.models.access import Prescriber
from clinic_tracker.models.base import db
from clinic_tracker.queries.history import load_history
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.settings import protocol_in_force

_OPEN = frozenset({StandingState.OVERDUE, StandingState.DUE})


@dataclass(frozen=True, slots=True)
class MonitoringCase:
    """The facts of a patient, the rules for them, and the schedule that follows."""

    history: History
    protocol: Protocol
    forecast: Forecast


def load_case(scope: Scope, patient_id: int) -> MonitoringCase:
    """The case of one patient of this clinic, from the facts themselves. KeyError for any other patient."""
    history = load_history(scope, [patient_id])[patient_id]
    protocol = protocol_in_force(scope, history.protocol)
    return MonitoringCase(history, protocol, forecast(history, protocol))


def under_protocol(scope: Scope, case: MonitoringCase, protocol_id: str) -> MonitoringCase:
    """The same facts under another protocol, with the clinic's own settings: what a change would make of them."""
    protocol = protocol_in_force(scope, protocol_id)
    history = replace(case.history, protocol=protocol_id)
    return MonitoringCase(history, protocol, forecast(history, protocol))


def sign_off_warnings(scope: Scope, case: MonitoringCase) -> list[str]:
    """What speaks against signing off today, in sentences: the end not reached, and what is still owed."""
    warnings = []
    today, answer = scope.today.toordinal(), case.forecast
    if answer.monitoring_ends is not None and today <= answer.monitoring_ends:
        ends = show_date(date.fromordinal(answer.monitoring_ends))
        warnings.append(f"Monitoring does not end before {ends}.")
    owed = [
        f"{case.protocol.requirement(standing.requirement).title} (due {_shown(standing.next_due)})"
        for standing in answer.standings
        if standing.next_due is not None and standing_state(standing, today, answer.closed_on) in _OPEN
    ]
    if owed:
        warnings.append(f"Still owed: {', '.join(owed)}.")
    return warnings


def own_prescriber(scope: Scope) -> int | None:
    """The key of the prescriber that the person at the keyboard is, or None."""
    return db.session.execute(
        select(Prescriber.id)
        .where(Prescriber.clinic_id == scope.clinic_id, Prescriber.user_id == scope.user_id)
        .order_by(Prescriber.is_active.desc(), Prescriber.id)
        .limit(1)
    ).scalar_one_or_none()


def _shown(day: int) -> str:
    return show_date(date.fromordinal(day))

"""Where patients stand with each requirement on a day, by the engine: for any past day and any instant."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from clinic_tracker.domain.history import History
from clinic_tracker.domain.protocol import Protocol
from clinic_tracker.domain.schedule import forecast
from clinic_tracker.domain.status import missed_in_a_row, standing_state
from clinic_tracker.domain.vocabulary import StandingState
from clinic_tracker.queries.history import histories_on
from clinic_tracker.queries.knowledge import Knowledge, Person
from clinic_tracker.queries.settings import protocol_in_force


class StandingOn(NamedTuple):
    """One requirement of one patient on a day."""

    requirement: str
    state: StandingState
    next_due_on: date | None
    days_overdue: int
    missed_in_a_row: int
    last_done_on: date | None


def standings_on(known: Knowledge, people: Sequence[Person], as_of: date) -> Iterator[tuple[Person, list[StandingOn]]]:
    """Each patient, in the order given, with the requirements of the schedule from the facts dated by a day."""
    protocols: dict[str, Protocol] = {}
    for person, history in histories_on(known, people, as_of):
        protocol = protocols.get(history.protocol)
        if protocol is None:
            protocol = protocol_in_force(known.scope, history.protocol, as_of, known.at)
            protocols[history.protocol] = protocol
        yield person, _standings(history, protocol, as_of)


def _standings(history: History, protocol: Protocol, as_of: date) -> list[StandingOn]:
    day = as_of.toordinal()
    answer = forecast(history, protocol)
    found = []
    for standing in answer.standings:
        state = standing_state(standing, day, answer.closed_on)
        due = date.fromordinal(standing.next_due) if standing.next_due is not None else None
        done = date.fromordinal(standing.last_done) if standing.last_done is not None else None
        late = (as_of - due).days if due and state is StandingState.OVERDUE else 0
        missed = missed_in_a_row(standing, answer.obligations, day)
        found.append(StandingOn(standing.requirement, state, due, late, missed, done))
    return found

"""The answer to "what is owed as of a date?", with ISO dates and the names of the file format."""

from itertools import groupby
from operator import attrgetter

from clinic_tracker.domain.calendar import iso
from clinic_tracker.domain.history import History
from clinic_tracker.domain.obligation import Forecast, Obligation, Standing
from clinic_tracker.domain.protocol import Protocol
from clinic_tracker.domain.schedule import forecast
from clinic_tracker.domain.status import (
    days_late,
    missed_in_a_row,
    monitoring_complete,
    obligation_status,
    standing_state,
)
from clinic_tracker.domain.vocabulary import StandingState

Answer = dict[str, object]


def answer(history: History, protocol: Protocol, as_of: int) -> Answer:
    """The schedule as known on a date: facts dated later are left out before anything is computed."""
    known = forecast(history.known_on(as_of), protocol)
    by_requirement = {
        code: list(obligations) for code, obligations in groupby(known.obligations, key=attrgetter("requirement"))
    }
    return {
        "as_of": iso(as_of),
        "last_infusion_on": _optional(known.last_infusion),
        "monitoring_ends_on": _optional(known.monitoring_ends),
        "monitoring_complete": monitoring_complete(known, protocol, as_of),
        "next_course_earliest_on": _optional(known.next_course_earliest),
        "prophylaxis": _prophylaxis(known, as_of),
        "standings": [
            _standing(standing, by_requirement[standing.requirement], known.closed_on, as_of)
            for standing in known.standings
        ],
        "obligations": [_obligation(obligation, as_of) for obligation in known.obligations],
    }


def _prophylaxis(known: Forecast, as_of: int) -> Answer | None:
    if known.prophylaxis is None:
        return None
    minimum_until, earliest_stop = known.prophylaxis
    return {
        "minimum_until": iso(minimum_until),
        "earliest_stop_on": _optional(earliest_stop),
        "may_stop": earliest_stop is not None and as_of >= earliest_stop,
    }


def _standing(standing: Standing, obligations: list[Obligation], closed_on: int | None, as_of: int) -> Answer:
    state = standing_state(standing, as_of, closed_on)
    closed = state is StandingState.CLOSED
    return {
        "requirement": standing.requirement,
        "state": state,
        "opens_on": _optional(standing.opens),
        "next_due_on": _optional(standing.next_due),
        "missed_in_a_row": 0 if closed else missed_in_a_row(standing, obligations, as_of),
        "last_done_on": _optional(standing.last_done),
    }


def _obligation(obligation: Obligation, as_of: int) -> Answer:
    return {
        "requirement": obligation.requirement,
        "slot": obligation.slot,
        "opens_on": iso(obligation.opens),
        "due_on": iso(obligation.due),
        "closes_on": _optional(obligation.closes),
        "status": obligation_status(obligation, as_of),
        "done_on": _optional(obligation.done),
        "days_late": days_late(obligation, as_of),
    }


def _optional(day: int | None) -> str | None:
    return None if day is None else iso(day)

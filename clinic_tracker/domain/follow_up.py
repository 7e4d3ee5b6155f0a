"""The call after a course, about stroke and late reactions: when it is owed, and whether it was made (R-50, R-51).

The hours are elapsed hours after the end of the last infusion given, whatever the clocks on the wall did. A course
that was completed or discontinued owes the call from 24 to 72 hours after it. A course with further days pending owes
none while the next day may still come; once 72 hours have passed without one the call is owed, and late: the patient
has been through the time in which nearly all strokes happen, and nobody has asked. What is owed stays owed until it is
done, or until the prescriber signs the monitoring off.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from clinic_tracker.domain.local_time import to_utc

#: A course whose every infusion was entered more than so many days later is history: nobody could have been asked.
HISTORY_DAYS = 30


class Symptom(NamedTuple):
    """A symptom to ask for; ``emergency`` ones send the patient to emergency care at once."""

    code: str
    words: str
    emergency: bool = False


SYMPTOMS: tuple[Symptom, ...] = (
    Symptom("face", "One side of the face droops", emergency=True),
    Symptom("weakness", "Weakness or numbness on one side", emergency=True),
    Symptom("speech", "Trouble speaking or understanding", emergency=True),
    Symptom("vision", "Sudden trouble seeing", emergency=True),
    Symptom("balance", "Sudden trouble walking, dizziness, loss of balance", emergency=True),
    Symptom("headache", "Sudden severe headache", emergency=True),
    Symptom("neck_pain", "Sudden neck pain", emergency=True),
    Symptom("chest_pain", "Chest pain", emergency=True),
    Symptom("breath", "Short of breath, or swelling of mouth or throat", emergency=True),
    Symptom("coughing_blood", "Coughing blood", emergency=True),
    Symptom("heartbeat", "Fast, slow or irregular heartbeat"),
    Symptom("fever", "Fever, chills or another sign of infection"),
    Symptom("rash", "Rash or hives"),
    Symptom("bleeding", "Bruises or bleeding"),
    Symptom("belly_pain", "Strong belly pain"),
    Symptom("other", "Something else"),
)
_BY_CODE = {symptom.code: symptom for symptom in SYMPTOMS}
SYMPTOM_CODES = frozenset(_BY_CODE)


class FollowUpState(StrEnum):
    """Where the call after a course stands."""

    NOT_YET = "not_yet"
    DUE = "due"
    LATE = "late"
    DONE = "done"
    CLOSED = "closed"
    HISTORY = "history"


class FollowUpHours(NamedTuple):
    """From and until how many hours after the last infusion the call is made (settings, local convention)."""

    opens: int
    closes: int


class Call(NamedTuple):
    """One contact after a course that stands."""

    at: datetime
    reached: bool


@dataclass(frozen=True, slots=True)
class FollowUpFacts:
    """A course with infusions. ``over``: completed or discontinued; ``first_told_at``: when any of it was entered;
    ``closed``: the prescriber signed the monitoring off after it, for one who died or moved away.
    """

    last_ended_at: datetime
    over: bool
    first_told_at: datetime
    calls: Sequence[Call] = ()
    closed: bool = False


@dataclass(frozen=True, slots=True)
class FollowUp:
    """The judgement. ``tries`` are contacts that did not reach the patient; ``done_late`` a call after the window."""

    state: FollowUpState
    opens_at: datetime
    closes_at: datetime
    tries: int
    done_at: datetime | None
    done_late: bool

    @property
    def is_owed(self) -> bool:
        """Whether somebody has to call now."""
        return self.state in (FollowUpState.DUE, FollowUpState.LATE)


def follow_up(facts: FollowUpFacts, hours: FollowUpHours, now: datetime) -> FollowUp:
    """Where the call stands at an instant.

    Only a contact that reached the patient does it, and only from the opening of the window on: an earlier one is too
    early to tell. Contacts from before the end of the last infusion belong to something else and count for nothing.
    """
    ended, at = to_utc(facts.last_ended_at), to_utc(now)
    opens, closes = ended + timedelta(hours=hours.opens), ended + timedelta(hours=hours.closes)
    since = [call for call in facts.calls if to_utc(call.at) >= ended]
    reached = [to_utc(call.at) for call in since if call.reached and to_utc(call.at) >= opens]
    done_at = min(reached, default=None)
    return FollowUp(
        state=_state(facts, done_at, at, opens, closes),
        opens_at=opens,
        closes_at=closes,
        tries=sum(not call.reached for call in since),
        done_at=done_at,
        done_late=done_at is not None and done_at > closes,
    )


def symptom_words(codes: Sequence[str]) -> tuple[str, ...]:
    """The words of stored symptoms; an unknown one as it is."""
    return tuple(_BY_CODE[code].words if code in _BY_CODE else code for code in codes)


def is_emergency(codes: Sequence[str]) -> bool:
    """Whether one of the symptoms sends the patient to emergency care."""
    return any(_BY_CODE[code].emergency for code in codes if code in _BY_CODE)


def _state(
    facts: FollowUpFacts, done_at: datetime | None, now: datetime, opens: datetime, closes: datetime
) -> FollowUpState:
    if done_at is not None:
        return FollowUpState.DONE
    if facts.closed:
        return FollowUpState.CLOSED
    if to_utc(facts.first_told_at) - to_utc(facts.last_ended_at) > timedelta(days=HISTORY_DAYS):
        return FollowUpState.HISTORY
    if now > closes:
        return FollowUpState.LATE
    return FollowUpState.DUE if facts.over and now >= opens else FollowUpState.NOT_YET

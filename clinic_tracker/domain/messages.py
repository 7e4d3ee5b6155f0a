"""Results as a laboratory sends them, whatever the format: one message for one patient, nothing understood yet.

Parsers make these; what code, unit and text mean is decided afterwards, and who the patient is too.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from clinic_tracker.domain.vocabulary import Sex

LOINC = "http://loinc.org"


class ReportState(StrEnum):
    """How far an ordered test is, as the laboratory says."""

    ORDERED = "ordered"
    COLLECTED = "collected"
    PENDING = "pending"
    REJECTED = "rejected"
    PRELIMINARY = "preliminary"
    FINAL = "final"
    CORRECTED = "corrected"
    CANCELLED = "cancelled"


class Reason(StrEnum):
    """Why something was not taken: the sender's answer says it in the words of its format."""

    MISSING = "missing"
    INVALID = "invalid"
    UNSUPPORTED = "unsupported"
    TOO_LARGE = "too_large"
    NOT_STORED = "not_stored"


class Problem(NamedTuple):
    """What is wrong and where: segment and field, path, or line and column. ``message`` quotes nothing of a patient."""

    where: str
    message: str
    reason: Reason = Reason.INVALID


class Identifier(NamedTuple):
    """A number that somebody gave the patient: who gave it, and of which kind ("MR")."""

    value: str
    system: str = ""
    kind: str = ""


class Coded(NamedTuple):
    """A code with its system (``LOINC``, or the laboratory's own name for its codes; "" if not said) and its text."""

    code: str
    system: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """What the message says about the patient; what it does not say is empty or ``None``."""

    identifiers: tuple[Identifier, ...] = ()
    family_name: str = ""
    given_name: str = ""
    birth_date: date | None = None
    sex: Sex = Sex.UNKNOWN


class Observed(NamedTuple):
    """One line of a result as sent: codes (the same thing in several systems), the value as printed, its unit.

    ``text`` keeps comparators and titers ("<0.1", "1:64"); ``state`` is of this line alone. ``unit_text`` is the unit
    once more where the laboratory also sent it in other words; ``range_text`` the whole range as printed, of which
    ``low`` and ``high`` are what could be read. ``value_codes`` are the codes of a value that is a concept. ``key`` is
    the laboratory's number of this line; most have none.
    """

    codes: tuple[Coded, ...]
    text: str
    unit: str = ""
    low: str = ""
    high: str = ""
    flag: str = ""
    state: ReportState = ReportState.FINAL
    notes: tuple[str, ...] = ()
    unit_text: str = ""
    range_text: str = ""
    value_codes: tuple[Coded, ...] = ()
    key: str = ""


@dataclass(frozen=True, slots=True)
class SentReport:
    """One ordered test of one specimen.

    ``key`` is the laboratory's number of it, the same in a correction; "" if the message has none. ``collected_at`` is
    ``None`` where only the date was sent. ``issued_at`` orders a report and its corrections, in whatever order they
    arrive. Two reports of one ``specimen`` (the laboratory's number of it; "" if not said) were drawn together.
    ``problems`` are fields that could not be read and were left empty.
    """

    key: str
    codes: tuple[Coded, ...]
    state: ReportState
    collected_on: date | None
    collected_at: datetime | None = None
    issued_at: datetime | None = None
    order_key: str = ""
    values: tuple[Observed, ...] = ()
    notes: tuple[str, ...] = ()
    specimen: str = ""
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class ResultMessage:
    """All that one message says about one patient.

    ``position`` counts what was read of a file from 0 and is unique in it, over unreadable parts too. ``entries`` are
    the messages of the file, or the entries of the bundle, that it was read from, counted from 0: a message about two
    patients becomes two of these with the same entry. ``problems`` are fields that were left empty.
    """

    position: int
    control_id: str
    identity: Identity
    reports: tuple[SentReport, ...]
    laboratory: str = ""
    sent_at: datetime | None = None
    notes: tuple[str, ...] = ()
    entries: tuple[int, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A message, entry or row that cannot be read: where (segment and field, path, line and column) and why."""

    position: int
    control_id: str
    where: str
    message: str
    reason: Reason = Reason.INVALID
    entries: tuple[int, ...] = ()


Parsed = ResultMessage | Unreadable


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one ``Parsed``, for the answer to its sender: taken (recorded, or waiting in a queue) or not.

    ``problems`` of what was taken are remarks: a code or patient that waits for a person, a field left empty.
    """

    position: int
    taken: bool
    problems: tuple[Problem, ...] = ()
    entries: tuple[int, ...] = ()


def not_read(part: Unreadable) -> Outcome:
    """The outcome of what could not be read."""
    return Outcome(
        part.position, taken=False, problems=(Problem(part.where, part.message, part.reason),), entries=part.entries
    )

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


@dataclass(frozen=True, slots=True)
class Observed:
    """One line of a result as sent: codes (the same thing in several systems), the value as printed, its unit.

    ``text`` keeps comparators and titers ("<0.1", "1:64"); ``state`` is of this line alone.
    """

    codes: tuple[Coded, ...]
    text: str
    unit: str = ""
    low: str = ""
    high: str = ""
    flag: str = ""
    state: ReportState = ReportState.FINAL
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SentReport:
    """One ordered test of one specimen.

    ``key`` is the laboratory's number of it, the same in a correction; "" if the message has none. ``collected_at`` is
    ``None`` where only the date was sent. ``issued_at`` orders a report and its corrections, in whatever order they
    arrive.
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


@dataclass(frozen=True, slots=True)
class ResultMessage:
    """All that one message says about one patient. ``position`` counts the messages of a file from 0."""

    position: int
    control_id: str
    identity: Identity
    reports: tuple[SentReport, ...]
    laboratory: str = ""
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A message, entry or row that cannot be read: where (segment and field, path, line and column) and why."""

    position: int
    control_id: str
    where: str
    message: str


Parsed = ResultMessage | Unreadable

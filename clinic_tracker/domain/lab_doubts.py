"""What of a report nobody here understands, as it is told to the person who looks at it."""

from enum import StrEnum
from typing import NamedTuple

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.messages import Coded, Observed

LONGEST_TEXT = 200


class DoubtKind(StrEnum):
    """Why a line or a report is not understood."""

    UNKNOWN_CODE = "unknown_code"
    UNKNOWN_UNIT = "unknown_unit"
    MISSING_UNIT = "missing_unit"
    UNREADABLE_VALUE = "unreadable_value"
    UNLIKELY_UNIT = "unlikely_unit"
    PRELIMINARY = "preliminary"


class Doubt(NamedTuple):
    """Something that a person must look at: the code and its text, the value and unit as sent, and why."""

    kind: DoubtKind
    system: str
    code: str
    title: str
    value: str
    unit: str
    message: str


def kind_of(violation: RuleViolation) -> DoubtKind:
    """Why a value that a rule refuses is not understood."""
    try:
        return DoubtKind(violation.code)
    except ValueError:
        return DoubtKind.UNREADABLE_VALUE


def doubt(kind: DoubtKind, codes: tuple[Coded, ...], sent: Observed, message: str) -> Doubt:
    """The doubt about a line, with its value as it was sent."""
    coded = codes[0] if codes else Coded("")
    title = coded.text or next((one.text for one in codes if one.text), "")
    value = sent.text or " ".join(one.text or one.code for one in sent.value_codes)
    return Doubt(kind, coded.system, coded.code, title, value[:LONGEST_TEXT], sent.unit or sent.unit_text, message)

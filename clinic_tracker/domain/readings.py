"""Laboratory results as they are printed: 145, <0.1, 0-2, none seen; and whether they lie in a reference range."""

import math
import re
from enum import StrEnum
from typing import NamedTuple

from clinic_tracker.domain.errors import RuleViolation

_NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+"
_SINGLE = re.compile(rf"(<=|>=|<|>|≤|≥)?\s*({_NUMBER})")
_SPAN = re.compile(rf"({_NUMBER})\s*(?:-|–|to)\s*({_NUMBER})")  # noqa: RUF001  (the dash that laboratories print)
_COMPARATORS = {"≤": "<=", "≥": ">="}
_NONE_SEEN = frozenset({"none", "none seen", "not seen", "negative", "neg", "nil", "absent"})
_TOO_MANY = frozenset({"tntc", "too numerous to count", "packed", "innumerable"})
_TOO_MANY_MEANS = 100.0


class Reading(NamedTuple):
    """A result as a number. A span (0-2) and "too numerous to count" stand for the worst count they allow."""

    number: float
    comparator: str
    text: str


class Flag(StrEnum):
    """Where a value lies with respect to its reference range."""

    LOW = "L"
    HIGH = "H"
    NORMAL = "N"


def parse_reading(text: str, field: str = "value", *, by_eye: bool = True) -> Reading:
    """Read a printed result. Raises ``RuleViolation`` missing_value or unreadable_value.

    Only cells that are counted ``by_eye`` can be none, too many or a span: "negative" platelets are no count of zero.
    """
    words = " ".join(text.split())
    if not words:
        raise RuleViolation("missing_value", field, "Enter the value.")
    if match := _SINGLE.fullmatch(words):
        comparator = match[1] or ""
        return Reading(_number(match[2]), _COMPARATORS.get(comparator, comparator), words)
    if by_eye and (seen := _seen(words)):
        return seen
    examples = "; for cells in urine also 0-2 or none seen" if by_eye else ""
    message = f"“{words}” is not a value. Write a number such as 1.2, <0.1 or >200{examples}."
    raise RuleViolation("unreadable_value", field, message)


def _seen(words: str) -> Reading | None:
    """What was seen under the microscope."""
    lower = words.lower()
    if lower in _NONE_SEEN:
        return Reading(0.0, "", words)
    if lower in _TOO_MANY:
        return Reading(_TOO_MANY_MEANS, ">", words)
    if (match := _SPAN.fullmatch(lower)) and _number(match[1]) < _number(match[2]):
        return Reading(_number(match[2]), "", words)
    return None


def flag(value: Reading | float | None, low: float | None, high: float | None) -> Flag | None:
    """Low, high or normal for that range; ``None`` where the value or the range does not tell.

    A limit itself is normal. "<5" is low only if the range starts at 5 or above.
    """
    if value is None or (low is None and high is None):
        return None
    number, comparator = (value.number, value.comparator) if isinstance(value, Reading) else (value, "")
    least = -math.inf if comparator in ("<", "<=") else number
    most = math.inf if comparator in (">", ">=") else number
    if low is not None and (most < low or (most == low and comparator == "<")):
        return Flag.LOW
    if high is not None and (least > high or (least == high and comparator == ">")):
        return Flag.HIGH
    inside = (low is None or least >= low) and (high is None or most <= high)
    return Flag.NORMAL if inside else None


def _number(text: str) -> float:
    return float(text.replace(",", ""))

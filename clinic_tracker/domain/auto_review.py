"""Which results may close by themselves, and which of them somebody looks at all the same."""

import uuid
from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

from clinic_tracker.domain.readings import Flag, Reading, flag

_PERCENT = 100


class Printed(NamedTuple):
    """A value with the range that the laboratory printed beside it."""

    number: float | None
    comparator: str
    low: float | None
    high: float | None
    flag: str | None


def all_within_range(values: Iterable[Printed]) -> bool:
    """Whether there are values, each is a number, and each lies certainly inside the range printed with it.

    A value in words, without a printed range, flagged, or of which only a limit is known ("<5" of a range to 4) is not.
    """
    found = list(values)
    return bool(found) and all(_is_within(value) for value in found)


def is_in_sample(report: uuid.UUID, percent: int) -> bool:
    """Whether a result is kept for a look: always the same answer for the same result, and not to be foreseen."""
    return int(sha256(report.bytes).hexdigest()[:12], 16) % _PERCENT < percent


def _is_within(value: Printed) -> bool:
    if value.number is None or value.flag not in (None, "", Flag.NORMAL.value):
        return False
    return flag(Reading(value.number, value.comparator, ""), value.low, value.high) is Flag.NORMAL

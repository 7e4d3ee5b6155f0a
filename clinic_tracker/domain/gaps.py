"""Stretches of time without evidence that are longer than they should be."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple


class Ended(StrEnum):
    """What ended a gap."""

    EVIDENCE = "evidence"
    MONITORING = "monitoring"  # its end or the prescriber's sign-off came first
    OPEN = "open"


class Gap(NamedTuple):
    """Time without evidence: since the day ``after``, which had some, until ``until``. All are days."""

    after: int
    until: int
    ended: Ended

    @property
    def days(self) -> int:
        """From the evidence before to the evidence after or, where there is none, to the end or the day asked about."""
        return self.until - self.after


def gaps(evidence: Sequence[int], start: int, as_of: int, stop: int | None, allowed: int) -> list[Gap]:
    """The gaps of more than ``allowed`` days from ``start``, itself like evidence, up to a day.

    ``evidence`` are the days with valid evidence, in order. ``stop`` is the end of monitoring, or None for none: time
    after it is nobody's gap, and so the last gap ends with it.
    """
    found = []
    after = start
    limit = as_of if stop is None else min(stop, as_of)
    for day in evidence:
        if day <= after or day > as_of:
            continue
        if after >= limit:
            break
        found.append(Gap(after, min(day, limit), Ended.EVIDENCE if day <= limit else Ended.MONITORING))
        after = day
    if after < limit:
        found.append(Gap(after, limit, Ended.OPEN if stop is None or as_of <= stop else Ended.MONITORING))
    return [gap for gap in found if gap.days > allowed]

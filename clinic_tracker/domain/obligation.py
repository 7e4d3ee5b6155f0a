"""What a forecast consists of: obligations, standings and the heads of a schedule, as immutable tuples of days."""

from collections.abc import Callable, Iterable
from datetime import date
from itertools import repeat
from typing import NamedTuple, Self, cast


class Obligation(NamedTuple):
    """A requirement for one patient at one occurrence. (requirement, anchor, occurrence) is its natural key."""

    requirement: str
    anchor: int  # course number; 0 for what is counted over all courses
    occurrence: int
    slot: str
    opens: int
    due: int
    closes: int | None  # None: stays owed
    done: int | None
    waived: bool
    ref: int | None  # id of the fact that did it

    @classmethod
    def from_dates(
        cls,
        requirement: str,
        anchor: int,
        occurrence: int,
        slot: str,
        opens_on: date,
        due_on: date,
        closes_on: date | None,
        done_on: date | None,
        waived: bool,  # noqa: FBT001 - in the order of the columns
        ref: int | None = None,
    ) -> Self:
        """One that is stored with dates, from its columns in their order."""
        closes = closes_on.toordinal() if closes_on else None
        done = done_on.toordinal() if done_on else None
        days = opens_on.toordinal(), due_on.toordinal(), closes, done
        return cls(requirement, anchor, occurrence, slot, *days, waived, ref)

    @property
    def is_left(self) -> bool:
        """Whether it is neither done nor waived."""
        return self.done is None and not self.waived


class Standing(NamedTuple):
    """What is owed first of one requirement, and the latest evidence for it. Without ``next_due`` nothing is owed."""

    requirement: str
    opens: int | None
    next_due: int | None
    last_done: int | None


class Prophylaxis(NamedTuple):
    """When the antiviral of the latest course may stop (R-61); ``earliest_stop`` is None while a CD4 is missing."""

    minimum_until: int
    earliest_stop: int | None


class Forecast(NamedTuple):
    """Obligations by requirement, due date and slot; standings by requirement. Empty before any infusion."""

    obligations: tuple[Obligation, ...] = ()
    standings: tuple[Standing, ...] = ()
    first_infusion: int | None = None
    last_infusion: int | None = None
    monitoring_ends: int | None = None
    closed_on: int | None = None
    next_course_earliest: int | None = None
    prophylaxis: Prophylaxis | None = None


def obligations_of(*columns: Iterable[object]) -> list[Obligation]:
    """Obligations from their columns, in the order of the fields; constant columns may be endless.

    ``Obligation(...)`` would cost a Python call for each row; ``tuple.__new__`` under ``map`` does not, and rows are
    what most of the time of a forecast goes into.
    """
    return list(map(_new, repeat(Obligation), zip(*columns, strict=False)))


_new = cast("Callable[[type[Obligation], tuple[object, ...]], Obligation]", tuple.__new__)

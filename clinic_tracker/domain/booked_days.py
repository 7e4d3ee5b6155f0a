"""The booked days of a course: which day each one is, and what no longer goes together with the course."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from clinic_tracker.domain.local_time import FIRST_YEAR, LAST_YEAR, show_date

WEEKEND = frozenset({5, 6})
_WEEK = re.compile(r"(\d{4})-?W(\d{1,2})", re.IGNORECASE)


class Week(NamedTuple):
    """A week from Monday to Sunday."""

    monday: date

    @property
    def days(self) -> tuple[date, ...]:
        """All seven days."""
        return tuple(self.monday + timedelta(days=day) for day in range(7))

    @property
    def label(self) -> str:
        """As in addresses: 2026-W04."""
        year, number, _day = self.monday.isocalendar()
        return f"{year}-W{number:02}"

    @property
    def number(self) -> int:
        """Its number in the year."""
        return self.monday.isocalendar().week

    def shifted(self, weeks: int) -> "Week":
        """The week so many weeks later."""
        return Week(self.monday + timedelta(weeks=weeks))

    def shown(self, booked: Collection[date]) -> tuple[date, ...]:
        """The working days, and those of the weekend on which somebody is booked."""
        return tuple(day for day in self.days if day.weekday() not in WEEKEND or day in booked)


def week_of(day: date) -> Week:
    """The week of a date."""
    return Week(day - timedelta(days=day.weekday()))


def parse_week(text: str) -> Week | None:
    """A week as addresses name it (2026-W04); None for anything else."""
    match = _WEEK.fullmatch(text.strip())
    if match is None or not FIRST_YEAR < int(match[1]) < LAST_YEAR:
        return None
    try:
        return Week(date.fromisocalendar(int(match[1]), int(match[2]), 1))
    except ValueError:
        return None


class Conflict(StrEnum):
    """What does not go together; the worst first."""

    OVERLAP = "overlap"
    COURSE_ENDED = "course_ended"
    SURPLUS = "surplus"
    CHAIR_RETIRED = "chair_retired"
    TWICE = "twice"
    NOT_GIVEN = "not_given"
    START_DIFFERS = "start_differs"
    GAP = "gap"
    OUTSIDE_HOURS = "outside_hours"


class Told(NamedTuple):
    """A conflict in words."""

    conflict: Conflict
    message: str


@dataclass(frozen=True, slots=True)
class CourseDays:
    """A course with what was given and what is booked of it. ``given`` has the day number by date."""

    number: int
    planned_days: int
    planned_start_on: date | None
    discontinued_on: date | None
    given: Mapping[date, int]
    booked: tuple[date, ...]

    @property
    def is_open(self) -> bool:
        """Whether days are still to be given."""
        return self.discontinued_on is None and len(self.given) < self.planned_days

    def ahead(self, as_of: date) -> tuple[date, ...]:
        """The booked days from a date on that were not given yet."""
        return tuple(sorted(day for day in self.booked if day >= as_of and day not in self.given))

    def missing(self, as_of: date) -> int:
        """How many days are neither given nor booked, seen from a date."""
        return max(self.planned_days - len(self.given) - len(self.ahead(as_of)), 0) if self.is_open else 0

    def unbooked(self, as_of: date) -> tuple[date, ...]:
        """The dates on which the missing days would be, one after the other and not before ``as_of``.

        Empty when none is missing, or while nothing is known of the start.
        """
        count = self.missing(as_of)
        last = max((*self.given, *self.ahead(as_of)), default=None)
        start = last + timedelta(days=1) if last is not None else self.planned_start_on
        if not count or start is None:
            return ()
        return tuple(max(start, as_of) + timedelta(days=day) for day in range(count))

    def next_on(self, as_of: date) -> date | None:
        """The next day: the first one booked, else the one after the last given, else the planned start, if known."""
        if not self.is_open:
            return None
        ahead = self.ahead(as_of)
        if ahead:
            return ahead[0]
        return max(self.given) + timedelta(days=1) if self.given else self.planned_start_on

    def day_number(self, day: date, as_of: date) -> int | None:
        """Which day of the course a booked day is; None for one that has passed without an infusion."""
        if day in self.given:
            return self.given[day]
        if day < as_of:
            return None
        ahead = self.ahead(as_of)
        return max((number for on, number in self.given.items() if on < day), default=0) + ahead.index(day) + 1

    def conflicts(self, day: date, as_of: date) -> Iterator[Told]:
        """What a booked day no longer has to do with its course. A day that was given has none."""
        if day in self.given:
            return
        if self.discontinued_on is not None:
            yield Told(Conflict.COURSE_ENDED, f"Course {self.number} ended on {show_date(self.discontinued_on)}.")
        elif day < as_of:
            yield Told(Conflict.NOT_GIVEN, "No infusion was recorded on this day.")
        elif (self.day_number(day, as_of) or 0) > self.planned_days:
            yield Told(Conflict.SURPLUS, f"Course {self.number} has {self.planned_days} days; this is one too many.")
        else:
            yield from self._order(day, as_of)

    def _order(self, day: date, as_of: date) -> Iterator[Told]:
        """The first day is the planned one, and each further day follows the one before (R-40 to R-42)."""
        before = max((on for on in (*self.given, *self.ahead(as_of)) if on < day), default=None)
        if before is not None:
            if day - before > timedelta(days=1):
                yield Told(Conflict.GAP, f"Not the day after {show_date(before)}.")
        elif self.planned_start_on is None:
            yield Told(Conflict.START_DIFFERS, "The course has no planned start.")
        elif self.planned_start_on != day:
            yield Told(Conflict.START_DIFFERS, f"The course is planned to start on {show_date(self.planned_start_on)}.")

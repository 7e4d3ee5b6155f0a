"""When a report that comes by itself is due, and which period it is about then. Pure functions of dates."""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from clinic_tracker.domain.local_time import Choice, add_months, resolve_local

DUE_AT = time(5)  # on the clinic's clock: after the night's results, before the day; in no country's missing hour
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
LONGEST_MONTH = 31


class RelativePeriod(StrEnum):
    """A period that is told by the day on which a report is due. It ends before that day."""

    LAST_WEEK = "last_week"
    LAST_MONTH = "last_month"
    LAST_QUARTER = "last_3_months"
    LAST_YEAR = "last_12_months"


PERIOD_WORDS: dict[RelativePeriod, str] = {
    RelativePeriod.LAST_WEEK: "the seven days before",
    RelativePeriod.LAST_MONTH: "the calendar month before",
    RelativePeriod.LAST_QUARTER: "the three calendar months before",
    RelativePeriod.LAST_YEAR: "the twelve calendar months before",
}
_MONTHS = {RelativePeriod.LAST_MONTH: 1, RelativePeriod.LAST_QUARTER: 3, RelativePeriod.LAST_YEAR: 12}


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Every week on a weekday (1 is Monday), or every month on a day; exactly one of them is given.

    A month that is too short has its last day instead: the 31st is the 30th of April and the 28th or 29th of February.
    """

    weekday: int | None = None
    month_day: int | None = None

    def __post_init__(self) -> None:
        if (self.weekday is None) == (self.month_day is None):
            raise ValueError("a rhythm has a weekday or a day of the month")

    def on_or_after(self, day: date) -> date:
        """The first due date that is not before a day."""
        if self.weekday is not None:
            return day + timedelta(days=(self.weekday - day.isoweekday()) % len(WEEKDAYS))
        here = self._in_month_of(day)
        return here if here >= day else self._in_month_of(add_months(day.replace(day=1), 1))

    def dates(self, first: date, last: date) -> Iterator[date]:
        """Every due date from ``first`` to ``last``, both included."""
        due = self.on_or_after(first)
        while due <= last:
            yield due
            due = self.on_or_after(due + timedelta(days=1))

    def in_words(self) -> str:
        """How often, as one says it."""
        if self.weekday is not None:
            return f"every {WEEKDAYS[self.weekday - 1]}"
        if self.month_day == LONGEST_MONTH:
            return "on the last day of every month"
        short = " (in shorter months on the last day)" if self.month_day and self.month_day > 28 else ""  # noqa: PLR2004
        return f"on day {self.month_day} of every month{short}"

    def _in_month_of(self, day: date) -> date:
        assert self.month_day is not None
        return day.replace(day=min(self.month_day, monthrange(day.year, day.month)[1]))


def due_instant(day: date, time_zone: str) -> datetime:
    """When a report that is due on a day is due, in UTC."""
    return resolve_local(day, DUE_AT, time_zone, Choice.EARLIER, "due_on")


def last_due_day(today: date, now: datetime, time_zone: str) -> date:
    """The latest day whose hour has come."""
    return today if now >= due_instant(today, time_zone) else today - timedelta(days=1)


def period_before(period: RelativePeriod, due_on: date) -> tuple[date, date]:
    """The first and the last day of a period, told from the day on which the report is due."""
    if period is RelativePeriod.LAST_WEEK:
        return due_on - timedelta(days=7), due_on - timedelta(days=1)
    first_of_month = due_on.replace(day=1)
    return add_months(first_of_month, -_MONTHS[period]), first_of_month - timedelta(days=1)

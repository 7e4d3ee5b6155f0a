"""Dates as the schedule needs them: day numbers, months added from an anchor, business days, local dates of instants.

A *day* is a proleptic Gregorian ordinal (``date.toordinal()``). Adding, comparing and sorting days is integer
arithmetic, which is what lets a whole schedule be computed in less time than it takes to read it from a table.
"""

import re
from collections.abc import Container
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

# Month tables. Entry i belongs to the month i months after January of FIRST_YEAR. The years reach far beyond the dates
# a history may hold (1900-2199), so that a due date computed from the last of them is still inside.
FIRST_YEAR = 1800
_LAST_YEAR = 2400
_MONTH_STARTS = [date(year, month, 1).toordinal() for year in range(FIRST_YEAR, _LAST_YEAR) for month in range(1, 13)]
_MONTH_ENDS = [start - 1 for start in [*_MONTH_STARTS[1:], date(_LAST_YEAR, 1, 1).toordinal()]]

_MONTHS_IN_YEAR = 12
_SHORTEST_MONTH = 28
_DAYS_IN_WEEK = 7
_SATURDAY = 5  # Monday is 0

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def add_months(day: int, months: int) -> int:
    """AM(day, months): the same day of the month that many months later, clamped to the end of that month.

    Always add from the original anchor in one step: 31 January plus 1 is 28 February, plus 2 is 31 March. Adding month
    by month would stay on the 28th. ValueError outside the years 1800 to 2399.
    """
    anchor = date.fromordinal(day)
    index = _month_index(anchor) + months
    if not 0 <= index < len(_MONTH_STARTS):
        raise ValueError(f"{months} months after {anchor} is outside the years {FIRST_YEAR} to {_LAST_YEAR - 1}")
    return min(_MONTH_STARTS[index] + anchor.day - 1, _MONTH_ENDS[index])


def months_after(day: int, step: int, count: int) -> list[int]:
    """``add_months(day, step * k)`` for k = 1 ... count, in two slices of the month tables."""
    anchor = date.fromordinal(day)
    first = _month_index(anchor) + step
    months = slice(first, first + step * count, step)
    offset = anchor.day - 1
    if anchor.day <= _SHORTEST_MONTH:  # every month has this day: nothing to clamp
        return [start + offset for start in _MONTH_STARTS[months]]
    return [min(start + offset, end) for start, end in zip(_MONTH_STARTS[months], _MONTH_ENDS[months], strict=True)]


def whole_months_between(day: int, limit: int) -> int:
    """The greatest k for which ``add_months(day, k)`` is not after ``limit`` (negative if limit is before day)."""
    months = _month_index(date.fromordinal(limit)) - _month_index(date.fromordinal(day))
    return months if add_months(day, months) <= limit else months - 1


def add_business_days(day: int, count: int, holidays: Container[int]) -> int:
    """The count-th business day after ``day`` (day 0): Monday to Friday and not in ``holidays``."""
    while count > 0:
        day += 1
        if weekday(day) < _SATURDAY and day not in holidays:
            count -= 1
    return day


def weekday(day: int) -> int:
    """0 for Monday ... 6 for Sunday. Day number 1 was a Monday."""
    return (day - 1) % _DAYS_IN_WEEK


def local_day(instant: datetime, zone: ZoneInfo) -> int:
    """The local calendar date of an aware instant, as a day."""
    return instant.astimezone(zone).toordinal()


@lru_cache(maxsize=65536)
def iso(day: int) -> str:
    """A day as YYYY-MM-DD. Cached: the same few thousand dates recur in every schedule."""
    return date.fromordinal(day).isoformat()


@lru_cache(maxsize=65536)
def day_of(text: str) -> int:
    """The day of a YYYY-MM-DD text and of no other spelling; ValueError otherwise."""
    if not _DATE.fullmatch(text):  # date.fromisoformat would also take 20251103 and 2025-W45-1
        raise ValueError("not a date written YYYY-MM-DD")
    return date.fromisoformat(text).toordinal()


def to_date(day: int) -> date:
    """A day as a date, for people."""
    return date.fromordinal(day)


def _month_index(day: date) -> int:
    return (day.year - FIRST_YEAR) * _MONTHS_IN_YEAR + day.month - 1

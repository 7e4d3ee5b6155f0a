"""Dates as the schedule needs them: day numbers, months added from an anchor, business days, local dates of instants.

A *day* is a proleptic Gregorian ordinal (``date.toordinal()``). Adding, comparing and sorting days is integer
arithmetic, which is what lets a whole schedule be computed in less time than it takes to read it from a table.
"""

import re
from collections.abc import Container
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

# Month tables. A month is counted from January of FIRST_YEAR; a day from the first of that January. The years reach
# beyond the dates a history may hold (1900-2199), so that a due date computed from the last of them is still inside.
FIRST_YEAR = 1880
_LAST_YEAR = 2239
_FIRST_DAY = date(FIRST_YEAR, 1, 1).toordinal()
_END = date(_LAST_YEAR + 1, 1, 1).toordinal()
_YEARS = range(FIRST_YEAR, _LAST_YEAR + 1)
_MONTH_STARTS = [date(year, month, 1).toordinal() for year in _YEARS for month in range(1, 13)]
_MONTH_ENDS = [start - 1 for start in [*_MONTH_STARTS[1:], _END]]
# The month of every day: one look-up where date.fromordinal and its three attributes would take four.
_MONTH_OF = [
    month
    for month, (start, end) in enumerate(zip(_MONTH_STARTS, _MONTH_ENDS, strict=True))
    for _ in range(start, end + 1)
]

_SHORTEST_MONTH = 28
_DAYS_IN_WEEK = 7
_SATURDAY = 5  # Monday is 0

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def add_months(day: int, months: int) -> int:
    """AM(day, months): the same day of the month that many months later, clamped to the end of that month.

    Always add from the original anchor in one step: 31 January plus 1 is 28 February, plus 2 is 31 March. Adding month
    by month would stay on the 28th. ValueError outside the years 1880 to 2239.
    """
    month = _month_of(day)
    target = month + months
    if not 0 <= target < len(_MONTH_STARTS):
        raise ValueError(f"{months} months from {to_date(day)} is outside {FIRST_YEAR} to {_LAST_YEAR}")
    return min(_MONTH_STARTS[target] + day - _MONTH_STARTS[month], _MONTH_ENDS[target])


def months_after(day: int, step: int, count: int) -> list[int]:
    """``add_months(day, step * k)`` for k = 1 ... count, in slices of the month tables."""
    month = _month_of(day)
    offset = day - _MONTH_STARTS[month]
    months = slice(month + step, month + step * count + 1, step)
    if offset < _SHORTEST_MONTH:  # every month has this day: nothing to clamp
        return [start + offset for start in _MONTH_STARTS[months]]
    return [min(start + offset, end) for start, end in zip(_MONTH_STARTS[months], _MONTH_ENDS[months], strict=True)]


def whole_months_between(day: int, limit: int) -> int:
    """The greatest k for which ``add_months(day, k)`` is not after ``limit`` (negative if limit is before day)."""
    months = _month_of(limit) - _month_of(day)
    return months if add_months(day, months) <= limit else months - 1


@lru_cache(maxsize=4096)
def add_business_days(day: int, count: int, holidays: frozenset[int]) -> int:
    """The count-th business day after ``day``, which itself is day 0 (decision 26)."""
    while count > 0:
        day += 1
        if is_business_day(day, holidays):
            count -= 1
    return day


def is_business_day(day: int, holidays: Container[int]) -> bool:
    """Monday to Friday and not in ``holidays``. Day number 1 was a Monday."""
    return (day - 1) % _DAYS_IN_WEEK < _SATURDAY and day not in holidays


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


def _month_of(day: int) -> int:
    if not _FIRST_DAY <= day < _END:
        raise ValueError(f"{to_date(day)} is outside {FIRST_YEAR} to {_LAST_YEAR}")
    return _MONTH_OF[day - _FIRST_DAY]

"""Cells of a table read strictly: dates in the order that somebody chose, never guessed; sexes, states, ranges."""

import re
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from clinic_tracker.domain.messages import ReportState
from clinic_tracker.domain.vocabulary import Sex

FIRST_YEAR, LAST_YEAR = 1900, 2199
LONGEST_CELL = 500


class DateOrder(StrEnum):
    """In which order a table writes day, month and year."""

    MONTH_FIRST = "mdy"
    DAY_FIRST = "dmy"
    YEAR_FIRST = "ymd"


class Row(NamedTuple):
    """A row of a table: its line in the file, counted from 1, and its cells as text."""

    line: int
    cells: tuple[str, ...]


class Table(NamedTuple):
    """A sheet: the titles of its columns, each once, and its rows."""

    name: str
    header: tuple[str, ...]
    rows: tuple[Row, ...]


class CellError(ValueError):
    """A cell that cannot be read; the message says what is expected and quotes nothing."""


class Day(NamedTuple):
    """A date, and the instant where a time of day stands beside it."""

    on: date
    at: datetime | None = None


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]+(.+))?")
_NUMBERS = re.compile(r"(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})(?:,? +(.+))?")
_DAY_NAMED = re.compile(r"(\d{1,2})[ -]([A-Za-z]{3,9})\.?[ -](\d{4}|\d{2})(?: +(.+))?")
_MONTH_NAMED = re.compile(r"([A-Za-z]{3,9})\.? (\d{1,2}),? (\d{4}|\d{2})(?: +(.+))?")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?(?: *([AaPp])\.?[Mm]\.?)?")
_SHAPES = {DateOrder.MONTH_FIRST: "month/day/year", DateOrder.DAY_FIRST: "day/month/year", DateOrder.YEAR_FIRST: ""}
_CENTURY = "has a year of two digits, and nobody guesses the century: write all four digits of it"
_TWO, _FOUR, _NOON = 2, 4, 12

_SEXES = {"f": Sex.FEMALE, "female": Sex.FEMALE, "w": Sex.FEMALE, "woman": Sex.FEMALE, "m": Sex.MALE}
_SEXES |= {"male": Sex.MALE, "man": Sex.MALE, "u": Sex.UNKNOWN, "unknown": Sex.UNKNOWN, "": Sex.UNKNOWN}
_SEXES |= {"o": Sex.UNKNOWN, "other": Sex.UNKNOWN}

_STATES = {state.value: state for state in ReportState} | {
    "": ReportState.FINAL,
    "f": ReportState.FINAL,
    "complete": ReportState.FINAL,
    "completed": ReportState.FINAL,
    "resulted": ReportState.FINAL,
    "c": ReportState.CORRECTED,
    "amended": ReportState.CORRECTED,
    "revised": ReportState.CORRECTED,
    "p": ReportState.PRELIMINARY,
    "partial": ReportState.PRELIMINARY,
    "x": ReportState.CANCELLED,
    "canceled": ReportState.CANCELLED,
    "in process": ReportState.PENDING,
    "in progress": ReportState.PENDING,
}
_NUMBER = r"[-+]?\d+(?:\.\d+)?"
_SPAN = re.compile(rf"\(?({_NUMBER})\s*(?:-|\u2013|to)\s*({_NUMBER})\)?")
_LIMIT = re.compile(rf"(<=|>=|<|>|≤|≥)\s*({_NUMBER})")


@lru_cache(maxsize=4096)
def read_day(text: str, order: DateOrder, zone: ZoneInfo) -> Day:
    """The date of a cell, and its instant if a time of day follows; CellError says which form is expected.

    A year that comes first and a month in letters are clear by themselves; anything else is read in the order chosen.
    A year has four digits: of which century two digits are is a guess.
    """
    words = " ".join(text.split())
    year, month, day, rest = _parts(words, order)
    try:
        on = date(year, month, day)
    except ValueError as error:
        raise CellError(_expected(order)) from error
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise CellError(f"has a year outside {FIRST_YEAR} to {LAST_YEAR}")
    return Day(on, _instant(on, rest, zone) if rest else None)


def read_sex(text: str) -> Sex:
    """The sex of a cell, M, F or the words; unknown where the cell is empty or says so."""
    found = _SEXES.get(text.strip().lower())
    if found is None:
        raise CellError("is none of M, F, male, female, unknown")
    return found


def read_state(text: str) -> ReportState:
    """How far a result is; final where nothing is said."""
    found = _STATES.get(text.strip().lower())
    if found is None:
        raise CellError("is no known status: use final, corrected, preliminary, cancelled, pending or rejected")
    return found


@lru_cache(maxsize=4096)
def read_range(text: str) -> tuple[str, str]:
    """The limits of a printed range, each "" where it has none or cannot be read."""
    words = text.strip()
    if found := _SPAN.fullmatch(words):
        low, high = found.groups()
        return (low, high) if float(low) <= float(high) else ("", "")
    if found := _LIMIT.fullmatch(words):
        sign, limit = found.groups()
        return (limit, "") if sign in (">", ">=", "≥") else ("", limit)
    return "", ""


def _parts(words: str, order: DateOrder) -> tuple[int, int, int, str | None]:
    """Year, month and day as written, and what follows."""
    if found := _ISO.fullmatch(words):
        return int(found[1]), int(found[2]), int(found[3]), found[4]
    if found := _DAY_NAMED.fullmatch(words):
        return _year(found[3]), _month(found[2], order), int(found[1]), found[4]
    if found := _MONTH_NAMED.fullmatch(words):
        return _year(found[3]), _month(found[1], order), int(found[2]), found[4]
    found = _NUMBERS.fullmatch(words)
    if found is None:
        raise CellError(_expected(order))
    first, second, third = found[1], found[3], found[4]
    year, other = (first, third) if order is DateOrder.YEAR_FIRST else (third, first)
    if len(other) > _TWO or len(year) not in (_TWO, _FOUR):
        raise CellError(f"{_expected(order)}, the year with four digits")
    day, month = (other, second) if order is not DateOrder.MONTH_FIRST else (second, other)
    return _year(year), int(month), int(day), found[5]


def _year(digits: str) -> int:
    if len(digits) == _TWO:
        raise CellError(_CENTURY)
    return int(digits)


def _month(name: str, order: DateOrder) -> int:
    try:
        return _MONTHS.index(name[:3].lower()) + 1
    except ValueError as error:
        raise CellError(_expected(order)) from error


def _instant(on: date, text: str, zone: ZoneInfo) -> datetime:
    found = _CLOCK.fullmatch(text)
    if found is None:
        raise CellError("has something after the date that is no time of day")
    hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
    half = (found[4] or "").lower()
    if half:
        if not 1 <= hour <= _NOON:
            raise CellError("has a time of day that is impossible")
        hour = hour % _NOON + (_NOON if half == "p" else 0)
    try:
        return datetime(on.year, on.month, on.day, hour, minute, second, tzinfo=zone)
    except ValueError as error:
        raise CellError("has a time of day that is impossible") from error


def _expected(order: DateOrder) -> str:
    shape = _SHAPES[order]
    return f"is not a date: write it as {shape or 'year-month-day'}" + (" or year-month-day" if shape else "")

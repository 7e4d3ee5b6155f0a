"""Values of a JSON file, read strictly: a complaint names the field by its path, ``[3].labs[0].collected_on``."""

import json
import math
import re
import sys
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from clinic_tracker.domain import local_time
from clinic_tracker.domain.calendar import day_of, iso
from clinic_tracker.domain.errors import RuleViolation

EARLIEST, LATEST = day_of("1900-01-01"), day_of("2199-12-31")

_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?([Zz]|[+-][0-9]{2}:?[0-9]{2})"
)

Object = dict[str, object]
Fact = TypeVar("Fact")


class InvalidHistory(Exception):
    """A history that cannot be accepted. As a text, one line: the path of the field and what is wrong with it."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem

    def inside(self, outer: str) -> "InvalidHistory":
        """The same complaint, seen from the object that holds this one."""
        joint = "." if outer and self.path and not self.path.startswith("[") else ""
        return InvalidHistory(outer + joint + self.path, self.problem)


class _Repeating(dict[str, object]):
    """A JSON object that names a key twice: which value is meant, nobody can know."""

    key: str


def read_json(text: str) -> object:
    """Parse JSON; InvalidHistory if it is none. Keys named twice are refused when the object is read."""
    try:
        value: object = json.loads(text, object_pairs_hook=_object_of_pairs, parse_int=_whole_number)
    except json.JSONDecodeError as error:
        raise InvalidHistory("history", f"not JSON: {error.msg} at line {error.lineno}") from error
    except RecursionError as error:  # thousands of brackets
        raise InvalidHistory("history", "not JSON that can be read") from error
    return value


def read_day(value: object) -> int:
    """A date written YYYY-MM-DD, from 1900 to 2199; InvalidHistory without a path otherwise."""
    if not isinstance(value, str):
        raise InvalidHistory("", "must be a date written YYYY-MM-DD")
    try:
        day = day_of(value)
    except ValueError as error:
        raise InvalidHistory("", "must be a date written YYYY-MM-DD") from error
    if not EARLIEST <= day <= LATEST:
        raise InvalidHistory("", f"must lie between {iso(EARLIEST)} and {iso(LATEST)}")
    return day


def instant(value: object) -> datetime:
    """An aware instant such as 2025-11-03T09:05-05:00, seconds optional; InvalidHistory without a path otherwise."""
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        raise InvalidHistory("", "must be a date and time with an offset, such as 2025-11-03T09:05-05:00")
    try:
        return datetime.fromisoformat(value.upper())
    except ValueError as error:
        raise InvalidHistory("", "is not a possible date and time") from error


def at(name: str, read: Callable[[object], Fact], value: object) -> Fact:
    """Read a value; a complaint about it names the field."""
    try:
        return read(value)
    except InvalidHistory as error:
        raise error.inside(name) from error


def each(name: str, values: object, read: Callable[[object], Fact]) -> tuple[Fact, ...]:
    """Read the items of a list; a complaint about one names its place."""
    if not isinstance(values, list):
        raise InvalidHistory(name, "must be a list")
    found = []
    for place, value in enumerate(values):
        try:
            found.append(read(value))
        except InvalidHistory as error:
            raise error.inside(f"{name}[{place}]") from error
    return tuple(found)


def optional_list(fields: Object, name: str, read: Callable[[object], Fact]) -> tuple[Fact, ...]:
    """The items of a list that may be left out or null."""
    values = fields.get(name)
    return () if values is None else each(name, values, read)


def fields_of(value: object, required: Iterable[str], known: frozenset[str]) -> Object:
    if not isinstance(value, dict):
        raise InvalidHistory("", "must be an object")
    if isinstance(value, _Repeating):
        raise InvalidHistory(printable(value.key), "is given twice")
    if not value.keys() <= known:
        raise InvalidHistory(printable(min(value.keys() - known)), "is not known")
    for name in required:
        if name not in value:
            raise InvalidHistory(name, "is required")
    return value


def _object_of_pairs(pairs: list[tuple[str, object]]) -> Object:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    names = [name for name, _ in pairs]
    repeating = _Repeating(found)
    repeating.key = next(name for name in names if names.count(name) > 1)
    return repeating


def _whole_number(digits: str) -> int | float:
    try:
        return int(digits)
    except ValueError:  # thousands of digits: no field takes infinity, and each refuses it by its name
        return math.inf


def printable(text: str) -> str:
    """Somebody else's text, fit for one line."""
    return "".join(sign if sign.isprintable() else "?" for sign in text[:80]) or '""'


def storable(value: object) -> str:
    """A text that every database can keep: without NUL and half surrogate pairs."""
    if not isinstance(value, str) or any(sign == "\0" or "\ud800" <= sign <= "\udfff" for sign in value):
        raise InvalidHistory("", "must be a text without NUL and half surrogate pairs")
    return value


def one_of(options: frozenset[str]) -> Callable[[object], str]:
    def read(value: object) -> str:
        if not isinstance(value, str) or value not in options:
            raise InvalidHistory("", f"must be one of {', '.join(sorted(options))}")
        return value

    return read


def positive(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidHistory("", "must be a whole number, 1 or more")
    return value


def number(value: object) -> float:
    # abs() and not isfinite(): a whole number may be too large to become a float.
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= sys.float_info.max:
        raise InvalidHistory("", "must be a number or null")
    return float(value)


def optional_day(value: object) -> int | None:
    return None if value is None else read_day(value)


def zone(value: object) -> ZoneInfo:
    if not isinstance(value, str):
        raise InvalidHistory("", "must be the name of a time zone, such as America/New_York")
    try:
        return local_time.zone(value)
    except RuleViolation as error:
        raise InvalidHistory("", f"{printable(value)} is not a known time zone") from error

"""Dates and times as people type them, and what they mean in the clinic's time zone."""

import re
from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from clinic_tracker.domain import calendar
from clinic_tracker.domain.errors import RuleViolation

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH_NAMES = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
FIRST_YEAR, LAST_YEAR = 1900, 2199

# Entries of the time zone database where nobody lives: what this machine is set to, and copies that count leap seconds.
_NO_PLACES = frozenset({"localtime", "posixrules", "Factory"})
_NO_PLACES_UNDER = ("posix/", "right/")

_ISO = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})")
_NUMERIC = re.compile(r"(\d{1,2})[-/ ](\d{1,2})[-/ ](\d+)")
_MONTH_FIRST = re.compile(r"([a-z]+)[-/,. ]*(\d{1,2})(?:st|nd|rd|th)?(?:[-/,. ]+|(?<=[a-z]))(\d+)")
_DAY_FIRST = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?[-/,. ]*([a-z]+)[-/,. ]*(\d+)")
_CLOCK = re.compile(r"(\d{1,2})(?::?(\d{2}))?(?::(\d{2}))?(?:([ap])m?)?")
_MONTHS_IN_YEAR = 12
_YEAR_DIGITS = 4
_NOON = 12


def add_months(day: date, months: int) -> date:
    """``months`` calendar months after ``day``, on the same day of the month or the last one of a shorter month.

    Always count from the original date: two steps of one month from 31 January would end on 28 March.
    """
    return date.fromordinal(calendar.add_months(day.toordinal(), months))


def show_date(day: date) -> str:
    """A date that cannot be misread: 22-Nov-2026."""
    return f"{day.day:02}-{MONTHS[day.month - 1]}-{day.year}"


def parse_date(text: str, today: date, field: str = "date") -> date:
    """Read a typed date; all-numeric dates are month first unless they start with the year.

    Raises ``RuleViolation`` with the code missing_date, two_digit_year, no_such_date, year_out_of_range or
    unreadable_date.
    """
    words = " ".join(text.split()).lower()
    if not words:
        raise RuleViolation("missing_date", field, "Enter a date, for example 11/22/2026.")
    if words in ("today", "yesterday"):
        return today - timedelta(days=words == "yesterday")
    if match := _ISO.fullmatch(words):
        return _real_date(match[1], int(match[2]), match[3], words, field)
    if match := _NUMERIC.fullmatch(words):
        return _real_date(match[3], int(match[1]), match[2], words, field)
    if match := _MONTH_FIRST.fullmatch(words):
        return _real_date(match[3], _month_number(match[1], field), match[2], words, field)
    if match := _DAY_FIRST.fullmatch(words):
        return _real_date(match[3], _month_number(match[2], field), match[1], words, field)
    raise RuleViolation(
        "unreadable_date", field, f"“{text.strip()}” is not a date. Write 11/22/2026, Nov 22 2026 or 2026-11-22."
    )


def _month_number(name: str, field: str) -> int:
    """The month that a full or shortened English name means ("Nov", "Sept", "march")."""
    if len(name) >= len("jan"):
        for number, full in enumerate(_MONTH_NAMES, start=1):
            if full.startswith(name):
                return number
    raise RuleViolation(
        "unreadable_date", field, f"“{name}” is not the name of a month. Write for example Nov 22 2026."
    )


def _real_date(year_text: str, month: int, day_text: str, words: str, field: str) -> date:
    if len(year_text) != _YEAR_DIGITS:
        message = f"Write the year of {words} with four digits, for example 11/22/2026."
        raise RuleViolation("two_digit_year", field, message)
    year, day = int(year_text), int(day_text)
    if not FIRST_YEAR <= year <= LAST_YEAR:
        message = f"The year {year} is not between {FIRST_YEAR} and {LAST_YEAR}."
        raise RuleViolation("year_out_of_range", field, message)
    if not 1 <= month <= _MONTHS_IN_YEAR:
        day_first = 1 <= day <= _MONTHS_IN_YEAR and 1 <= month <= _max_day(year, day)
        hint = f" Did you mean {day}/{month}/{year}?" if day_first else ""
        message = f"There is no month {month}: the month comes first, then the day.{hint}"
        raise RuleViolation("no_such_date", field, message)
    if not 1 <= day <= _max_day(year, month):
        message = f"{MONTHS[month - 1]} {year} has {_max_day(year, month)} days; there is no day {day}."
        raise RuleViolation("no_such_date", field, message)
    return date(year, month, day)


def _max_day(year: int, month: int) -> int:
    return monthrange(year, month)[1]


def parse_time(text: str, field: str = "time") -> time:
    """Read a typed time of day on the 24-hour or the 12-hour clock: 14:05, 2:05 pm, 1405, noon.

    Raises ``RuleViolation`` with the code missing_time or unreadable_time.
    """
    words = re.sub(r"[\s.]", "", text.lower())
    if not words:
        raise RuleViolation("missing_time", field, "Enter a time, for example 14:05 or 2:05 pm.")
    words = {"noon": "12:00pm", "midnight": "0:00"}.get(words, words)
    match = _CLOCK.fullmatch(words)
    if match is None or not (match[2] or match[4]):
        message = f"“{text.strip()}” is not a time. Write hours and minutes, for example 14:05 or 2:05 pm."
        raise RuleViolation("unreadable_time", field, message)
    hours, minutes, seconds, half = match.groups()
    return _real_time(int(hours), int(minutes or 0), int(seconds or 0), half, text.strip(), field)


def _real_time(hour: int, minute: int, second: int, half: str | None, text: str, field: str) -> time:
    if half and not 1 <= hour <= _NOON:
        raise RuleViolation("unreadable_time", field, f"“{text}”: with am or pm the hour goes from 1 to 12.")
    if half:
        hour = hour % _NOON + (_NOON if half == "p" else 0)
    try:
        return time(hour, minute, second)
    except ValueError:
        message = f"“{text}” is not a time: hours go from 0 to 23 and minutes from 0 to 59. Midnight is 0:00."
        raise RuleViolation("unreadable_time", field, message) from None


class Choice(StrEnum):
    """Which of the two is meant when the clocks go back and an hour happens twice."""

    EARLIER = "earlier"
    LATER = "later"


class LocalOption(NamedTuple):
    """One of the two instants that a repeated wall-clock time can mean."""

    choice: Choice
    instant: datetime
    label: str


def zone(zone_name: str) -> ZoneInfo:
    """The IANA time zone of that name; ``RuleViolation`` unknown_zone if there is none, or nobody could live in it."""
    try:
        if zone_name not in _NO_PLACES and not zone_name.startswith(_NO_PLACES_UNDER):
            return ZoneInfo(zone_name)
    except (KeyError, ValueError, OSError):  # unknown, malformed, a folder
        pass
    raise RuleViolation("unknown_zone", "time_zone", f"“{zone_name}” is not a known time zone.")


def is_repeated(day: date, clock: time, zone_name: str) -> bool:
    """Whether this wall-clock time happens twice on that night."""
    first, second = _both(day, clock, zone_name)
    return first != second and _exists(first, day, clock, zone_name)


def repeated_options(day: date, clock: time, zone_name: str) -> tuple[LocalOption, ...]:
    """The two meanings of a repeated time, the earlier first; empty for every other time."""
    if not is_repeated(day, clock, zone_name):
        return ()
    options = zip(Choice, _both(day, clock, zone_name), strict=True)
    return tuple(
        LocalOption(
            choice, instant, f"{show_time(instant, zone_name)}, the {choice} (UTC{_offset(instant, zone_name)})"
        )
        for choice, instant in options
    )


def resolve_local(
    day: date, clock: time, zone_name: str, choice: Choice | None = None, field: str = "time"
) -> datetime:
    """The UTC instant of a wall-clock time in a zone.

    A time that happens twice needs a ``choice`` (RuleViolation ambiguous_time); one that the clocks jumped over does
    not exist (RuleViolation skipped_time). ``choice`` is ignored for every other time.
    """
    first, second = _both(day, clock, zone_name)
    if first == second:
        return first
    if not _exists(first, day, clock, zone_name):
        # With fold=0 the gap is read with the offset before the jump: the same moment on the clock after it.
        message = (
            f"{clock:%H:%M} on {show_date(day)} did not exist: the clocks went forward. "
            f"That moment was {show_time(first, zone_name)}."
        )
        raise RuleViolation("skipped_time", field, message)
    if choice is None:
        labels = " or ".join(option.label for option in repeated_options(day, clock, zone_name))
        message = f"{clock:%H:%M} happened twice on {show_date(day)}. Choose {labels}."
        raise RuleViolation("ambiguous_time", field, message)
    return first if choice is Choice.EARLIER else second


def to_local(instant: datetime, zone_name: str) -> datetime:
    """An instant on the clock of a zone."""
    return require_aware(instant).astimezone(zone(zone_name))


def local_date(instant: datetime, zone_name: str) -> date:
    """The calendar date of an instant in a zone. An infusion's date is the local date of its start (decision 27)."""
    return to_local(instant, zone_name).date()


def today_in(zone_name: str, now: datetime) -> date:
    """The calendar date in a zone at ``now``."""
    return local_date(now, zone_name)


def show_time(instant: datetime, zone_name: str) -> str:
    """An instant as a clock time with its zone: 2:05 pm EST."""
    local = to_local(instant, zone_name)
    hour = local.hour % _NOON or _NOON
    abbreviation = local.tzname() or ""
    named = abbreviation if abbreviation.isalpha() else f"UTC{_offset(instant, zone_name)}"
    return f"{hour}:{local:%M} {'am' if local.hour < _NOON else 'pm'} {named}"


def elapsed_minutes(start: datetime, end: datetime) -> int:
    """Whole minutes that really passed, whatever the clocks on the wall did (decision 28); negative if end is first."""
    return (to_utc(end) - to_utc(start)) // timedelta(minutes=1)


def to_utc(instant: datetime) -> datetime:
    """The instant in UTC. Two datetimes of one zone subtract by wall clock, so always subtract in UTC."""
    return require_aware(instant).astimezone(UTC)


def require_aware(instant: datetime) -> datetime:
    """The instant itself; ``ValueError`` if it has no offset, because then it is not an instant."""
    if instant.utcoffset() is None:
        message = f"{instant!r} has no UTC offset"
        raise ValueError(message)
    return instant


def _both(day: date, clock: time, zone_name: str) -> tuple[datetime, datetime]:
    """Both readings of a wall-clock time; they differ on the nights when clocks change."""
    naive = datetime.combine(day, clock.replace(tzinfo=None))
    local = naive.replace(tzinfo=zone(zone_name), fold=0)
    return local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)


def _exists(instant: datetime, day: date, clock: time, zone_name: str) -> bool:
    """Whether that instant shows this time on the wall; not so inside the hour that clocks jump over."""
    return to_local(instant, zone_name).replace(tzinfo=None, fold=0) == datetime.combine(day, clock, tzinfo=None)


def _offset(instant: datetime, zone_name: str) -> str:
    return f"{to_local(instant, zone_name):%z}"[:3] + ":" + f"{to_local(instant, zone_name):%z}"[3:5]

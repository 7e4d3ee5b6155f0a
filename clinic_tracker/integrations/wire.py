"""What the formats of results have in common: safe text, printed ranges, names of code systems, local times."""

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.local_time import Choice, local_date, resolve_local, zone
from clinic_tracker.domain.messages import LOINC, ReportState

LARGEST_FILE = 64 * 1024 * 1024
FIRST_YEAR, LAST_YEAR = 1900, 2199

SNOMED = "http://snomed.info/sct"
UCUM = "http://unitsofmeasure.org"
_SYSTEMS = {
    "LN": LOINC,
    "LOINC": LOINC,
    "LNC": LOINC,
    "HTTPS://LOINC.ORG": LOINC,
    "HTTP://LOINC.ORG/": LOINC,
    "2.16.840.1.113883.6.1": LOINC,
    "URN:OID:2.16.840.1.113883.6.1": LOINC,
    "SCT": SNOMED,
    "SNM": SNOMED,
    "SNOMED-CT": SNOMED,
    "2.16.840.1.113883.6.96": SNOMED,
    "URN:OID:2.16.840.1.113883.6.96": SNOMED,
    "UCUM": UCUM,
}

# A character that no database and no page can carry becomes this one and is not dropped: "1<NUL>5" must not become 15.
SUBSTITUTE = "\N{REPLACEMENT CHARACTER}"
_UNSAFE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")

_NUMBER = r"[-+]?(?:\d+(?:\.\d+)?|\.\d+)"
_SPAN = re.compile(rf"({_NUMBER})\s*(?:-|–|to)\s*({_NUMBER})\s*(.*)", re.DOTALL)  # noqa: RUF001 - a dash that is printed
_LIMIT = re.compile(rf"(<=|>=|<|>|≤|≥|up to)\s*({_NUMBER})\s*(.*)", re.DOTALL)


def safe(text: str) -> str:
    """The text without what cannot be stored: control characters and halves of characters become a substitute."""
    if text.isprintable():  # nearly always
        return text
    return _UNSAFE.sub(SUBSTITUTE, text.replace("\r\n", "\n").replace("\r", "\n"))


def code_system(name: str) -> str:
    """The one name of a code system that is known under several; any other name as it was sent."""
    return _SYSTEMS.get(name.upper(), name)


@lru_cache(maxsize=4096)
def printed_range(text: str, unit: str) -> tuple[str, str]:
    """The limits of a printed range, each "" where it has none: 150-450, <5, >=60, 4.5 - 11.0 K/uL.

    Words after the numbers are allowed only if they are the unit of the value; any other text has no limits.
    """
    words = text.strip().strip("()[]").strip().lower()
    if match := _SPAN.fullmatch(words):
        low, high, rest = match.groups()
        return (low, high) if _is_unit(rest, unit) and float(low) <= float(high) else ("", "")
    if match := _LIMIT.fullmatch(words):
        sign, limit, rest = match.groups()
        if _is_unit(rest, unit):
            return (limit, "") if sign in (">", ">=", "≥") else ("", limit)
    return "", ""


def _is_unit(rest: str, unit: str) -> bool:
    return not rest or rest.strip() == unit.lower()


class Moment(NamedTuple):
    """A date, and the instant where a time of day was sent too. A date of birth is never moved between zones."""

    on: date
    at: datetime | None = None


_TIMESTAMP = re.compile(
    r"(\d{4})(?:-?(\d\d)(?:-?(\d\d)(?:[T ]?(\d\d)(?::?(\d\d)(?::?(\d\d)(?:\.(\d+))?)?)?)?)?)?"
    r"(?: ?(Z|[+-]\d\d:?\d\d))?",
    re.ASCII,
)


@lru_cache(maxsize=8192)
def read_moment(text: str, zone_name: str, default_offset: str = "") -> Moment:
    """A timestamp of HL7 (202611220915-0500) or FHIR (2026-11-22T09:15:00-05:00) as local date and instant.

    Without an offset of its own it has the ``default_offset``, and without that it is on the clock of the zone: of an
    hour that happens twice the first is meant, and one that the clocks jumped over is read with the offset before the
    jump. Raises ``ValueError``, with words for the sender, if it is not a timestamp or tells no day.
    """
    match = _TIMESTAMP.fullmatch(text.strip())
    if match is None:
        raise ValueError("This is not a date or time.")
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    if day is None:
        raise ValueError("This tells no day.")
    if not FIRST_YEAR <= int(year) <= LAST_YEAR:
        raise ValueError(f"The year is not between {FIRST_YEAR} and {LAST_YEAR}.")
    try:
        on = date(int(year), int(month), int(day))
        if hour is None:
            return Moment(on)
        clock = time(int(hour), int(minute or 0), int(second or 0), int((fraction or "0")[:6].ljust(6, "0")))
        offset = offset or default_offset
        at = _with_offset(on, clock, offset) if offset else _on_the_wall(on, clock, zone_name)
    except (ValueError, OverflowError):
        raise ValueError("There is no such date or time.") from None
    return Moment(local_date(at, zone_name), at)


def _with_offset(on: date, clock: time, offset: str) -> datetime:
    written = "+00:00" if offset == "Z" else f"{offset[:3]}:{offset[-2:]}"
    return datetime.fromisoformat(f"{on.isoformat()}T{clock.isoformat()}{written}").astimezone(UTC)


def _on_the_wall(on: date, clock: time, zone_name: str) -> datetime:
    try:
        return resolve_local(on, clock, zone_name, Choice.EARLIER)
    except RuleViolation:  # skipped by the clocks
        return datetime.combine(on, clock, zone(zone_name)).astimezone(UTC)


def wall_offset(at: datetime, zone_name: str) -> timedelta | None:
    """The offset of the zone at an instant."""
    return at.astimezone(zone(zone_name)).utcoffset()


def check_zone(zone_name: str) -> None:
    """Raise ``RuleViolation`` for a zone that does not exist: a mistake of ours, not of a file."""
    zone(zone_name)


def state_of_lines(states: list[ReportState]) -> ReportState:
    """The state of a report that does not say it, from those of its lines."""
    if not states:
        return ReportState.PENDING
    if len(set(states)) == 1:
        return states[0]
    waiting = {ReportState.ORDERED, ReportState.PENDING, ReportState.COLLECTED, ReportState.PRELIMINARY}
    if waiting.intersection(states):
        return ReportState.PRELIMINARY
    return ReportState.CORRECTED if ReportState.CORRECTED in states else ReportState.FINAL

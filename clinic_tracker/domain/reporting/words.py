"""A report in words: its head, and its values as people read them. The same on the page and in every document."""

from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any

from clinic_tracker.domain.local_time import MONTHS, show_date, show_time, to_local
from clinic_tracker.domain.reporting.columns import Column, Kind
from clinic_tracker.domain.reporting.definition import Head

NUMERIC = frozenset({Kind.COUNT, Kind.NUMBER, Kind.SHARE})
EMPTY = ""
KIND_WORDS = {
    Kind.TEXT: "text",
    Kind.CODE: "a word of a fixed list",
    Kind.COUNT: "whole number",
    Kind.NUMBER: "number",
    Kind.SHARE: "share of 1, shown as a percentage",
    Kind.DATE: "date",
    Kind.MONTH: "month",
    Kind.INSTANT: "date and time in the clinic's time zone",
    Kind.YES_NO: "yes or no",
}


def instant_words(instant: datetime, time_zone: str) -> str:
    """An instant that cannot be misread: 22-Nov-2026, 2:05 pm EST."""
    return f"{show_date(to_local(instant, time_zone).date())}, {show_time(instant, time_zone)}"


def as_of_words(head: Head) -> str:
    """Which day is asked about."""
    return f"{show_date(head.as_of)}, the end of that day in {head.time_zone}"


def known_at_words(head: Head) -> str:
    """Whose knowledge answers."""
    if head.known_at is None:
        return "Everything on record, whenever it was recorded"
    return f"What was on record at {head.known_at}: what was recorded or corrected later is left out"


def head_rows(head: Head) -> Iterator[tuple[str, str]]:
    """The facts above a report in their order, each with its name."""
    yield "Clinic", head.clinic
    yield "As of", as_of_words(head)
    yield "Known", known_at_words(head)
    yield from head.parameters
    yield "Time zone", head.time_zone
    yield "Rules", head.protocol
    if head.deidentified:
        yield "De-identified", head.deidentified


def month_words(month: date) -> str:
    """Nov-2026."""
    return f"{MONTHS[month.month - 1]}-{month.year}"


_SHOWN: dict[Kind, Callable[[Any], str]] = {
    Kind.CODE: lambda value: str(value).replace("_", " "),
    Kind.COUNT: lambda value: f"{value:,}",
    Kind.NUMBER: lambda value: f"{value:.6g}" if isinstance(value, float) else str(value),
    Kind.SHARE: lambda value: f"{value:.1%}",
    Kind.DATE: show_date,
    Kind.MONTH: month_words,
    Kind.YES_NO: lambda value: "yes" if value else "no",
}


def shown(value: Any, column: Column, time_zone: str) -> str:
    """One value as it is read; nothing for a value that is not there."""
    if value is None:
        return EMPTY
    if column.kind is Kind.INSTANT:
        return instant_words(value, time_zone)
    return _SHOWN.get(column.kind, str)(value)

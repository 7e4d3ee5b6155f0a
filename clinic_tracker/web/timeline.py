"""Lays the occurrences of a patient's requirements out over calendar months, for components/timeline.html."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from clinic_tracker.domain.local_time import MONTHS, show_date
from clinic_tracker.web.filters import status_words

STATUSES = ("done", "late", "missed", "overdue", "due", "upcoming", "waived")
MONTHS_IN_YEAR = 12


@dataclass(frozen=True)
class Occurrence:
    """One occurrence of a requirement, as the presenter knows it. ``days`` is days late, or days until due."""

    lane: str
    due_on: date
    status: str
    days: int | None = None
    number: str = ""
    done_on: date | None = None
    href: str | None = None


@dataclass(frozen=True)
class Event:
    """Something that happened on a date: an infusion course (``C2``), the end of monitoring."""

    on: date
    short: str
    text: str


@dataclass(frozen=True)
class Mark:
    """One shape in a cell, with its words."""

    status: str
    text: str
    href: str | None


@dataclass(frozen=True)
class Month:
    """One column."""

    title: str
    letter: str
    is_january: bool
    is_current: bool
    events: tuple[Event, ...]


@dataclass(frozen=True)
class Year:
    """A heading over its months."""

    number: int
    months: int


@dataclass(frozen=True)
class Lane:
    """One row: a requirement, a cell a month."""

    title: str
    cells: tuple[tuple[Mark, ...], ...]


@dataclass(frozen=True)
class Timeline:
    """What the table shows."""

    caption: str
    years: tuple[Year, ...]
    months: tuple[Month, ...]
    lanes: tuple[Lane, ...]
    statuses: tuple[str, ...]

    @property
    def has_events(self) -> bool:
        """Whether the row of treatment is shown."""
        return any(month.events for month in self.months)


def build_timeline(
    occurrences: Sequence[Occurrence],
    *,
    lanes: Sequence[str],
    today: date,
    events: Iterable[Event] = (),
    caption: str = "Monitoring by month",
) -> Timeline:
    """A column for every month from the earliest to the latest date given; a lane for each title, in that order."""
    events = sorted(events, key=lambda event: event.on)
    dates = [item.due_on for item in occurrences] + [event.on for event in events] or [today]
    first, last = _index(min(dates)), _index(max(dates))
    marks: dict[tuple[str, int], list[Occurrence]] = {}
    for item in sorted(occurrences, key=lambda item: item.due_on):
        marks.setdefault((item.lane, _index(item.due_on)), []).append(item)
    columns = range(first, last + 1)
    used = {item.status for item in occurrences}
    return Timeline(
        caption=caption,
        years=tuple(Year(year, len(list(same))) for year, same in groupby(column // 12 for column in columns)),
        months=tuple(_month(column, today, events) for column in columns),
        lanes=tuple(
            Lane(lane, tuple(tuple(_mark(item) for item in marks.get((lane, column), ())) for column in columns))
            for lane in lanes
        ),
        statuses=tuple(status for status in STATUSES if status in used),
    )


def _index(day: date) -> int:
    return day.year * MONTHS_IN_YEAR + day.month - 1


def _month(column: int, today: date, events: Sequence[Event]) -> Month:
    name = MONTHS[column % MONTHS_IN_YEAR]
    return Month(
        title=f"{name} {column // MONTHS_IN_YEAR}",
        letter=name[0],
        is_january=column % MONTHS_IN_YEAR == 0,
        is_current=column == _index(today),
        events=tuple(event for event in events if _index(event.on) == column),
    )


def _mark(item: Occurrence) -> Mark:
    """The words of a cell: "CBC with differential, month 8, due 10-Jan-2026, 12 days overdue"."""
    parts = [item.lane, item.number, f"due {show_date(item.due_on)}"]
    if item.done_on is not None:
        parts.append(f"{'done late' if item.status == 'late' else 'done'} {show_date(item.done_on)}")
    else:
        parts.append(status_words(item.status, item.days))
    return Mark(item.status, ", ".join(part for part in parts if part), item.href)

"""What became of obligations, as plainly as it can be written: one row for each, to be counted by hand."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta

from tests.oracle.plain_history import PlainHistory, known_on
from tests.oracle.plain_schedule import PlainObligation, plain_forecast


@dataclass(frozen=True)
class PlainRow:
    requirement: str
    slot: str
    due_on: date
    done_on: date | None
    outcome: str
    year: str

    @property
    def month(self) -> str:
        return f"{self.due_on:%Y-%m}"


def plain_rows(history: PlainHistory, first: date, last: date, as_of: date, grace: int = 7) -> list[PlainRow]:
    """What fell due from ``first`` to ``last`` and not after ``as_of``, as it stood on that day."""
    known = known_on(history, as_of)
    forecast = plain_forecast(known)
    rows = []
    for item in forecast.obligations:
        if item.due_on < first or item.due_on > last or item.due_on > as_of:
            continue
        if forecast.closed and item.due_on > known.closed_on and item.done_on is None:
            continue
        rows.append(
            PlainRow(
                item.requirement,
                item.slot,
                item.due_on,
                item.done_on,
                _outcome(item, as_of, grace),
                _year(known, item.due_on),
            )
        )
    return rows


def _outcome(item: PlainObligation, as_of: date, grace: int) -> str:
    if item.done_on is not None:
        return "late" if (item.done_on - item.due_on).days > grace else "on_time"
    if item.waived:
        return "waived"
    if item.closes_on is not None and as_of >= item.closes_on + timedelta(days=1):
        return "missed"
    return "owed"


def _year(history: PlainHistory, due: date) -> str:
    last = max(day for course in history.courses for day in course.infusions if day <= due)
    if due <= last + relativedelta(years=1):
        return "1"
    if due <= last + relativedelta(years=2):
        return "2"
    return "3" if due <= last + relativedelta(years=3) else "4+"


def plain_counts(rows: list[Any], *names: str) -> dict[tuple[Any, ...], Counter[str]]:
    """By the values of some attributes, how many rows there are of each outcome."""
    found: dict[tuple[Any, ...], Counter[str]] = {}
    for row in rows:
        group = tuple(getattr(row, name) for name in names)
        found.setdefault(group, Counter())[row.outcome] += 1
    return found

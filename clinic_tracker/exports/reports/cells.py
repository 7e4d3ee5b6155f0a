"""The values of a report as a table for programs holds them."""

import csv
import io
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from clinic_tracker.domain.local_time import to_local
from clinic_tracker.domain.reporting.columns import Column, Kind
from clinic_tracker.domain.reporting.definition import Line
from clinic_tracker.exports.tables import ACTIVE

SHARE_DIGITS = 6
TEXTS = frozenset({Kind.TEXT, Kind.CODE})
_ACTIVE = frozenset(ACTIVE)

Row = Sequence[Any]


class Cells:
    """Turns lines into plain rows, and plain rows into lines of CSV.

    Plain are text, numbers, dates (ISO 8601), None; a share is rounded, a month is 2026-11, an instant has the clinic's
    offset, yes and no are words.
    """

    def __init__(self, columns: tuple[Column, ...], time_zone: str) -> None:
        self._texts = [place for place, column in enumerate(columns) if column.kind in TEXTS]
        changes: dict[Kind, Callable[[Any], Any]] = {
            Kind.SHARE: lambda value: round(float(value), SHARE_DIGITS),
            Kind.MONTH: lambda value: f"{value:%Y-%m}",
            Kind.INSTANT: lambda value: _local(value, time_zone),
            Kind.YES_NO: lambda value: "yes" if value else "no",
        }
        self._changes = [
            (place, changes[column.kind]) for place, column in enumerate(columns) if column.kind in changes
        ]
        self._buffer = io.StringIO()
        self._writer = csv.writer(self._buffer)

    def rows(self, lines: Sequence[Line]) -> list[Row]:
        """The lines with plain values."""
        if not self._changes:
            return [line.cells for line in lines]
        rows: list[Row] = []
        for line in lines:
            row = list(line.cells)
            for place, change in self._changes:
                if row[place] is not None:
                    row[place] = change(row[place])
            rows.append(row)
        return rows

    def table(self, rows: Sequence[Row]) -> str:
        """The rows as CSV; text that a spreadsheet would run gets a leading apostrophe."""
        self._writer.writerows(self._safe(rows))
        text = self._buffer.getvalue()
        self._buffer.seek(0)
        self._buffer.truncate()
        return text

    def _safe(self, rows: Sequence[Row]) -> Sequence[Row]:
        safe: list[Row] | None = None
        for place in self._texts:
            for number, row in enumerate(rows):
                value = row[place]
                if value and str(value)[0] in _ACTIVE:
                    safe = list(rows) if safe is None else safe
                    changed = list(safe[number])
                    changed[place] = f"'{value}"
                    safe[number] = changed
        return rows if safe is None else safe


def _local(value: datetime, time_zone: str) -> str:
    return to_local(value, time_zone).isoformat(timespec="seconds")

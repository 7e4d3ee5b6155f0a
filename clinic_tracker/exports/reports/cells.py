"""The values of a report as a table for programs holds them."""

import csv
import io
from collections.abc import Callable, Sequence
from typing import Any

from clinic_tracker.domain.local_time import zone
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
    offset, yes and no are words. Columns are turned one after the other, which is faster than row by row.
    """

    def __init__(self, columns: tuple[Column, ...], time_zone: str) -> None:
        self._texts = [place for place, column in enumerate(columns) if column.kind in TEXTS]
        local = zone(time_zone)
        changes: dict[Kind, Callable[[Any], Any]] = {
            Kind.SHARE: lambda value: round(value, SHARE_DIGITS),
            Kind.MONTH: lambda value: value.isoformat()[:7],
            Kind.INSTANT: lambda value: value.astimezone(local).isoformat("T", "seconds"),
            Kind.YES_NO: lambda value: "yes" if value else "no",
        }
        self._changes = [
            (place, changes[column.kind]) for place, column in enumerate(columns) if column.kind in changes
        ]
        self._buffer = io.StringIO()
        self._writer = csv.writer(self._buffer)

    def rows(self, lines: Sequence[Line]) -> list[Row]:
        """The lines with plain values."""
        rows = [line.cells for line in lines]
        if not self._changes:
            return list[Row](rows)
        columns: list[Row] = list(zip(*rows, strict=True))
        for place, change in self._changes:
            columns[place] = [None if value is None else change(value) for value in columns[place]]
        return list(zip(*columns, strict=True))

    def table(self, rows: Sequence[Row]) -> str:
        """The rows as CSV; text that a spreadsheet would run gets a leading apostrophe."""
        self._writer.writerows(self._safe(rows))
        text = self._buffer.getvalue()
        self._buffer.seek(0)
        self._buffer.truncate()
        return text

    def _safe(self, rows: Sequence[Row]) -> Sequence[Row]:
        active = [place for place in self._texts if not _ACTIVE.isdisjoint(str(row[place])[:1] for row in rows)]
        if not active:
            return rows
        safe = [list(row) for row in rows]
        for place in active:
            for row in safe:
                if str(row[place])[:1] in _ACTIVE:
                    row[place] = f"'{row[place]}"
        return safe

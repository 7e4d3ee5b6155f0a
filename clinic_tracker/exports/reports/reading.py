"""Reading a report once, part by part, with its checksum: what every writer of a file builds on."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any, NamedTuple

from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.reporting.columns import Column
from clinic_tracker.domain.reporting.definition import Head, Line, Report
from clinic_tracker.domain.reporting.words import head_rows, shown
from clinic_tracker.exports.reports.cells import Cells, Row

AT_ONCE = 200

Watch = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class Made:
    """Who made a file, and on which day (the clinic's)."""

    by: str
    on: date

    @property
    def words(self) -> str:
        """Made by Rosa Ramirez on 22-Nov-2026."""
        return f"Made by {self.by} on {show_date(self.on)}"


class Part(NamedTuple):
    """Some lines that follow one another: as they came, as plain rows, and as lines of CSV."""

    lines: list[Line]
    rows: list[Row]
    table: bytes


class Reading:
    """Reads the lines of a report once; ``count``, ``patients``, ``totals`` and ``checksum`` grow with ``parts``.

    The checksum is the SHA-256 of what was asked (canonical JSON: UTF-8, keys in order, no spaces), a line feed, and
    the table as CSV. It is the same for every kind of file.
    """

    def __init__(self, report: Report, watch: Watch | None = None) -> None:
        self.report, self._watch = report, watch
        self.count = 0
        self.patients: set[int] = set()
        self.totals = {place: 0 for place, column in enumerate(report.columns) if column.totaled}
        self._cells = Cells(report.columns, report.head.time_zone)
        self.header = self._cells.table([[column.name for column in report.columns]])
        self._sum = hashlib.sha256(asked(report.head, report.columns) + b"\n" + self.header.encode())

    @property
    def checksum(self) -> str:
        """Of what was read so far."""
        return self._sum.hexdigest()

    def parts(self) -> Iterator[Part]:
        """The lines in parts of some hundred. What ``watch`` raises ends the reading."""
        lines = iter(self.report.lines)
        while some := list(islice(lines, AT_ONCE)):
            rows = self._cells.rows(some)
            table = self._cells.table(rows).encode("utf-8", "replace")
            self._sum.update(table)
            self.count += len(some)
            self.patients.update(line.patient_id for line in some if line.patient_id is not None)
            for place in self.totals:
                self.totals[place] += sum(row[place] or 0 for row in rows)
            if self._watch is not None:
                self._watch(self.count, self.report.expected)
            yield Part(some, rows, table)

    def facts(self) -> Iterator[tuple[str, str]]:
        """Everything that stands above the lines, in words; complete when all were read."""
        yield from head_rows(self.report.head)
        yield "Lines", f"{self.count:,}"
        if self.patients:
            yield "Patients", f"{len(self.patients):,}"
        for place, total in self.totals.items():
            column = self.report.columns[place]
            yield f"Total: {column.title}", shown(total, column, self.report.head.time_zone)
        yield "Checksum (SHA-256)", self.checksum


def asked(head: Head, columns: tuple[Column, ...]) -> bytes:
    """What a report answers, as canonical JSON: no prose, which may be written better one day."""
    told = {
        "report": head.name,
        "clinic": head.clinic,
        "time_zone": head.time_zone,
        "as_of": head.as_of.isoformat(),
        "known_at": head.known_at,
        "parameters": [list(pair) for pair in head.parameters],
        "protocol": head.protocol,
        "deidentified": head.deidentified is not None,
        "columns": [column.name for column in columns],
    }
    return canonical(told).encode()


def canonical(value: Any) -> str:
    """JSON in its one form."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

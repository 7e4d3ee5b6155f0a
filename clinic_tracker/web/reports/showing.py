"""A report as its page shows it: one page of lines, totals, the words above them, the chart."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import url_for

from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.reporting.columns import Column, Kind, Privacy
from clinic_tracker.domain.reporting.definition import Definition, Head, Line
from clinic_tracker.domain.reporting.links import behind
from clinic_tracker.domain.reporting.parameters import Identity, Parameters
from clinic_tracker.domain.reporting.words import NUMERIC, head_rows, shown
from clinic_tracker.exports.reports.reading import Reading
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.reporting import make_report
from clinic_tracker.web.charts.figure import Figure
from clinic_tracker.web.filters import words
from clinic_tracker.web.reports.report_charts import chart_of
from clinic_tracker.web.requirement_words import short_title

LONG = 30  # characters from which a text gets room
PAGE = 100
MOST_READ = 20_000  # lines that a page reads; a file has no limit
SHORT = 22  # up to here a text stands on one line
UNBROKEN = frozenset({Kind.DATE, Kind.MONTH, Kind.INSTANT, Kind.YES_NO})


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the table."""

    text: str
    href: str | None
    shape: str  # its class in the style sheet
    is_head: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page shows. ``whole`` is false where there were more lines than a page reads."""

    head: Head
    facts: list[tuple[str, str]]
    columns: tuple[Column, ...]
    rows: list[list[Cell]]
    totals: list[str]
    count: int
    page: int
    pages: int
    whole: bool
    checksum: str
    patients: list[int]
    chart: Figure | None

    @property
    def first(self) -> int:
        """The number of the first line on this page."""
        return (self.page - 1) * PAGE + 1

    @property
    def last(self) -> int:
        """The number of the last line on this page."""
        return self.first + len(self.rows) - 1


def show_report(scope: Scope, definition: Definition, parameters: Parameters, page: int) -> Shown:
    """Make the report and keep the lines of one page, counted from 1. Raises what ``make_report`` raises."""
    start = (page - 1) * PAGE
    kept: list[Line] = []
    drawn: list[Line] = []
    whole = True
    with make_report(scope, definition.name, parameters) as report:
        reading = Reading(report)
        for part in reading.parts():
            first = reading.count - len(part.lines)
            kept += part.lines[max(start - first, 0) : max(start + PAGE - first, 0)]
            drawn += part.lines
            if reading.count >= MOST_READ:
                whole = False
                break
    cells = _Cells(scope, definition, report.columns, parameters)
    return Shown(
        head=report.head,
        facts=list(head_rows(report.head)),
        columns=cells.columns,
        rows=[cells.row(line) for line in kept],
        totals=cells.totals(reading) if whole and reading.totals and reading.count > 1 else [],
        count=reading.count,
        page=page,
        pages=max(-(-reading.count // PAGE), 1),
        whole=whole,
        checksum=reading.checksum,
        patients=sorted({line.patient_id for line in kept if line.patient_id is not None}),
        chart=chart_of(definition.name, report.columns, drawn) if whole else None,
    )


class _Cells:
    """Turns lines into cells, with links to charts and to the list behind a figure."""

    def __init__(
        self, scope: Scope, definition: Definition, columns: tuple[Column, ...], parameters: Parameters
    ) -> None:
        self._definition, self._all, self._parameters = definition, columns, parameters
        self._time_zone = scope.time_zone
        named = parameters.identity is Identity.FULL
        self._may_link = named and scope.may(Permission.VIEW_PATIENTS)
        names = [column.name for column in columns if column.privacy is Privacy.PATIENT]
        self._who = next((name for name in ("patient", *names) if name in names), None)
        self._head = self._who or columns[0].name

    def row(self, line: Line) -> list[Cell]:
        """The cells of a line."""
        return [
            self._cell(column, value, line)
            for column, value in zip(self._all, line.cells, strict=True)
            if not column.in_files_only
        ]

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the page."""
        return tuple(column for column in self._all if not column.in_files_only)

    def totals(self, reading: Reading) -> list[str]:
        """The last line of the table: a total under each column that has one."""
        return [
            shown(reading.totals[place], column, self._time_zone) if place in reading.totals else ""
            for place, column in enumerate(self._all)
            if not column.in_files_only
        ]

    def _cell(self, column: Column, value: Any, line: Line) -> Cell:
        text = self._text(column, value)
        return Cell(
            text,
            self._link(column, value, line),
            _shape(column, text),
            column.name == self._head,
        )

    def _text(self, column: Column, value: Any) -> str:
        if column.kind is Kind.CODE and value is not None:
            return short_title(value) if column.name == "requirement" else words(value)
        return shown(value, column, self._time_zone)

    def _link(self, column: Column, value: Any, line: Line) -> str | None:
        if column.name == self._who and line.patient is not None and self._may_link:
            return url_for("patients.chart", patient=line.patient)
        asked = behind(self._definition, column, line, self._parameters) if value else None
        if asked is None:
            return None
        values: dict[str, Any] = {**asked, "name": self._definition.behind}
        return url_for("reports.report", **values)


def _shape(column: Column, text: str) -> str:
    """How the cell is set."""
    if column.kind in NUMERIC:
        return "num"
    if column.kind in UNBROKEN or len(text) <= SHORT:
        return "nowrap"
    return "report__words" if len(text) >= LONG else ""


def column_heads(columns: Sequence[Column]) -> list[dict[str, Any]]:
    """The head of the table."""
    return [{"text": column.title, "numeric": column.kind in NUMERIC} for column in columns]

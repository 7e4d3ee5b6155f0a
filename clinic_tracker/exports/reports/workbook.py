"""Reports as XLSX: a sheet of lines with typed cells, one about the report, one that explains each column."""

from collections.abc import Callable
from datetime import datetime, time
from typing import Any, BinaryIO

from clinic_tracker.domain.local_time import to_local
from clinic_tracker.domain.reporting.columns import Column, Kind
from clinic_tracker.domain.reporting.words import KIND_WORDS
from clinic_tracker.exports.reports.reading import Made, Reading

LINES, ABOUT, COLUMNS = "Lines", "About", "Columns"
MOST_ROWS = 1_048_576
MOST_TEXT = 32_767
FIRST_YEAR = 1900  # of the calendar of spreadsheets
OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "use_zip64": True,
}
FORMATS = {
    Kind.COUNT: "#,##0",
    Kind.NUMBER: "General",
    Kind.SHARE: "0.0%",
    Kind.DATE: "dd-mmm-yyyy",
    Kind.MONTH: "mmm-yyyy",
    Kind.INSTANT: "dd-mmm-yyyy hh:mm",
}
WIDTHS = {Kind.TEXT: 28, Kind.CODE: 20, Kind.INSTANT: 19, Kind.DATE: 13}
OTHER_WIDTH = 11

Write = Callable[[Any, int, int, Any], None]


def write_xlsx(reading: Reading, stream: BinaryIO, made: Made) -> None:
    """The workbook. ``stream`` must be seekable; nothing of the present moment is in it."""
    import xlsxwriter  # noqa: PLC0415 - loaded when it is needed

    with xlsxwriter.Workbook(stream, OPTIONS) as book:
        head = reading.report.head
        book.set_properties({"title": head.title, "author": made.by, "created": datetime.combine(made.on, time())})
        bold = book.add_format({"bold": True})
        wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        sheets = _Lines(book, reading, bold)
        for part in reading.parts():
            for line in part.lines:
                sheets.add(line.cells)
        sheets.finish()
        _about(book.add_worksheet(ABOUT), reading, made, bold, wrapped)
        _columns(book.add_worksheet(COLUMNS), reading.report.columns, bold, wrapped)


class _Lines:
    """The sheets of lines: one, or more where one cannot hold them all."""

    def __init__(self, book: Any, reading: Reading, bold: Any) -> None:
        self._book, self._bold = book, bold
        self._head, self._columns = reading.report.head, reading.report.columns
        self._formats = [
            book.add_format({"num_format": FORMATS[column.kind]}) if column.kind in FORMATS else None
            for column in self._columns
        ]
        self._writes = [
            _write_of(column.kind, shape, self._head.time_zone)
            for column, shape in zip(self._columns, self._formats, strict=True)
        ]
        self._sheets = 0
        self._begin()

    def add(self, cells: tuple[Any, ...]) -> None:
        """One more line."""
        if self._row == MOST_ROWS - 1:
            self.finish()
            self._begin()
        self._row += 1
        sheet, row = self._sheet, self._row
        for place, (write, value) in enumerate(zip(self._writes, cells, strict=True)):
            if value is not None:
                write(sheet, row, place, value)

    def finish(self) -> None:
        """Filters over what the sheet holds."""
        self._sheet.autofilter(0, 0, self._row, len(self._columns) - 1)

    def _begin(self) -> None:
        self._sheets += 1
        self._row = 0
        self._sheet = sheet = self._book.add_worksheet(LINES if self._sheets == 1 else f"{LINES} {self._sheets}")
        sheet.freeze_panes(1, 0)
        sheet.set_landscape()
        sheet.repeat_rows(0)
        sheet.fit_to_pages(1, 0)
        sheet.set_footer(f"&L{_amp(self._head.title)}, {_amp(self._head.clinic)}&RPage &P of &N")
        for place, (column, shape) in enumerate(zip(self._columns, self._formats, strict=True)):
            width = max(WIDTHS.get(column.kind, OTHER_WIDTH), len(column.title) + 3)
            sheet.set_column(place, place, width, shape)
        for place, column in enumerate(self._columns):
            sheet.write_string(0, place, column.title, self._bold)


def _write_of(kind: Kind, shape: Any, time_zone: str) -> Write:
    """What writes a value of a kind as a cell of its own type."""
    if kind in (Kind.COUNT, Kind.NUMBER, Kind.SHARE):
        return lambda sheet, row, place, value: sheet.write_number(row, place, value, shape)
    if kind in (Kind.DATE, Kind.MONTH):
        return lambda sheet, row, place, value: _write_day(sheet, row, place, value, shape)
    if kind is Kind.INSTANT:
        return lambda sheet, row, place, value: _write_day(
            sheet, row, place, to_local(value, time_zone).replace(tzinfo=None), shape
        )
    if kind is Kind.YES_NO:
        return lambda sheet, row, place, value: sheet.write_string(row, place, "yes" if value else "no")
    return lambda sheet, row, place, value: sheet.write_string(row, place, _text(value))


def _write_day(sheet: Any, row: int, place: int, value: Any, shape: Any) -> None:
    if value.year < FIRST_YEAR:
        sheet.write_string(row, place, value.isoformat())
    else:
        sheet.write_datetime(row, place, value, shape)


def _text(value: Any) -> str:
    """Text as a cell can hold it."""
    text = str(value)
    if len(text) > MOST_TEXT:
        text = f"{text[: MOST_TEXT - 1]}…"
    # The library takes text between these marks for markup of its own.
    return f"{text} " if text.startswith("<r>") and text.endswith("</r>") else text


def _amp(text: str) -> str:
    return text.replace("&", "&&")


def _about(sheet: Any, reading: Reading, made: Made, bold: Any, wrapped: Any) -> None:
    head = reading.report.head
    sheet.set_column(0, 0, 24, bold)
    sheet.set_column(1, 1, 100, wrapped)
    notes = [("Note", note) for note in head.notes]
    rows = [("Report", head.title), ("Question", head.question), *reading.facts(), *notes, ("Made", f"{made.words}.")]
    for row, (name, words) in enumerate(rows):
        sheet.write_string(row, 0, name, bold)
        sheet.write_string(row, 1, _text(words), wrapped)


def _columns(sheet: Any, columns: tuple[Column, ...], bold: Any, wrapped: Any) -> None:
    titles = (("Column", 24), ("Name in CSV and JSON", 24), ("Holds", 30), ("Definition", 100))
    for place, (title, width) in enumerate(titles):
        sheet.set_column(place, place, width, wrapped)
        sheet.write_string(0, place, title, bold)
    sheet.freeze_panes(1, 0)
    for row, column in enumerate(columns, start=1):
        for place, words in enumerate((column.title, column.name, KIND_WORDS[column.kind], column.definition)):
            sheet.write_string(row, place, words, wrapped)

"""CSV and XLSX: a table of a file as text with line numbers, within limits; and its rows as messages.

Nothing in a file is run or trusted: an archive is unpacked within limits, whatever sizes it declares, and the place of
its last cell is looked at before it is read.
"""

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, cast
from zoneinfo import ZoneInfo

from clinic_tracker.domain.messages import Parsed, Reason, Unreadable
from clinic_tracker.domain.table_cells import Row, Table
from clinic_tracker.domain.table_mapping import TableMapping, from_json
from clinic_tracker.domain.table_rows import apply, changed
from clinic_tracker.integrations.cell_texts import CellTexts, cell_text
from clinic_tracker.integrations.sheet_extent import UnsoundSheetError, cells_within, longest_text
from clinic_tracker.integrations.wire import LARGEST_FILE, safe

MOST_ROWS = 200_000
MOST_COLUMNS = 256
MOST_CELLS = 5_000_000
MOST_SHEETS = 4  # as large as that
MOST_CHARACTERS = 1_000_000_000  # if each cell had the longest text
LARGEST_UNPACKED = 50 * 1024 * 1024
MOST_PARTS = 1000
LONGEST_TITLE = 100
DAMAGED = "The workbook is damaged: open it, save it again as XLSX, and upload that."
TOO_LARGE = "The workbook is too large when it is unpacked: split it, or save it as CSV."

_ZIP, _OLD_EXCEL = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_OTHER_KINDS = frozenset({"xl/workbook.bin", "content.xml"})  # the reader would try these, too
_SHEET = re.compile(rb"<(?:[^\s<>/:]+:)?sheet[\s/>]")
_SHARED = re.compile(rb"<(?:[^\s<>/:]+:)?sst[\s/>]")
_NAMES_TEXT = re.compile(rb"""\st\s*=\s*["']s["']""")
_DELIMITERS = ",;\t|"


class TableError(ValueError):
    """A file that is no table that can be read; the message is one sentence for people."""


class SeveralSheets(TableError):
    """A workbook with several sheets that have rows: a person says which one is meant. ``sheets`` are their tables."""

    def __init__(self, sheets: Sequence[Table]) -> None:
        super().__init__("The workbook has several sheets with rows: upload it on the page and choose the sheet.")
        self.sheets = sheets


def parse(raw: bytes, zone_name: str, mapping: Mapping[str, Any], file_name: str | None = None) -> list[Parsed]:
    """The rows of a file as messages, by the mapping of its source with the cells that a person changed in it."""
    del file_name  # what a file is shows in its bytes
    columns = from_json(mapping)
    if columns is None:
        words = "What the columns of this source mean has not been chosen: upload one of its files on the page first."
        return [Unreadable(0, "", "columns", words, Reason.UNSUPPORTED)]
    try:
        table = read_table(raw, mapping.get("sheet"))
    except TableError as error:
        return [Unreadable(0, "", "file", str(error))]
    return parse_table(table, zone_name, mapping, columns)


def parse_table(table: Table, zone_name: str, mapping: Mapping[str, Any], columns: TableMapping) -> list[Parsed]:
    """The rows of a sheet as messages, without the lines that a person dropped and with the cells that they changed."""
    rows = changed(table, mapping.get("changes") or {}, mapping.get("dropped") or ())
    return apply(columns, table.header, rows, ZoneInfo(zone_name))


def read_table(raw: bytes, sheet: str | None = None) -> Table:
    """The sheet of that name, or the only one that has a header and a row.

    SeveralSheets where nobody has said which of them is meant; TableError says why there is none.
    """
    tables = [table for table in read_tables(raw) if table.rows]
    if not tables:
        raise TableError("There is no table in it: a row of titles and at least one row below it are needed.")
    named = [table for table in tables if sheet is not None and table.name == sheet] or tables
    if len(named) > 1:
        raise SeveralSheets(tables)
    return named[0]


def read_tables(raw: bytes) -> Iterator[Table]:
    """Every sheet of the file that has a header; a CSV file is one sheet."""
    if len(raw) > LARGEST_FILE:
        raise TableError("The file is too large.")
    if raw.startswith(_OLD_EXCEL):
        raise TableError("This is an old or protected Excel file: save it as an XLSX workbook without a password.")
    sheets = _sheets(raw) if raw.startswith(_ZIP) else [("", _csv_rows(_decoded(raw)))]
    for name, rows in sheets:
        table = _table(name, rows)
        if table is not None:
            yield table


def _table(name: str, rows: Iterable[Row]) -> Table | None:
    """A sheet from the first row with two titles on; rows of empty cells are left out."""
    filled = (row for row in rows if any(row.cells))
    header = next((row for row in filled if sum(map(bool, row.cells)) > 1), None)
    if header is None:
        return None
    body = tuple(islice(filled, MOST_ROWS + 1))
    if len(body) > MOST_ROWS:
        raise TableError(f"It has more than {MOST_ROWS} rows: split it.")
    width = max(_width(row.cells) for row in (header, *body))
    if width > MOST_COLUMNS:
        raise TableError(f"It has more than {MOST_COLUMNS} columns.")
    padded = (*header.cells, *[""] * (width - len(header.cells)))[:width]
    return Table(
        name,
        _titles(padded),
        tuple(row if len(row.cells) <= width else Row(row.line, row.cells[:width]) for row in body),
    )


def _width(cells: Sequence[str]) -> int:
    """How many cells there are up to the last one that is not empty."""
    return next((place for place in range(len(cells), 0, -1) if cells[place - 1]), 0)


def _titles(cells: Sequence[str]) -> tuple[str, ...]:
    """Each title once: one that comes again gets a number, one that is empty the letter of its column."""
    found: list[str] = []
    for place, cell in enumerate(cells):
        title = cell[:LONGEST_TITLE] or f"Column {column_letters(place)}"
        number, unique = 1, title
        while unique in found:
            number += 1
            unique = f"{title} ({number})"
        found.append(unique)
    return tuple(found)


def column_letters(place: int) -> str:
    """The letters of a column counted from 0, as spreadsheets name it."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


# ------------------------------------------------------------------------------------------------ CSV


def _decoded(raw: bytes) -> str:
    """The text: by its byte order mark, else UTF-8, else UTF-16 where every other byte is zero, else Windows-1252."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _by("utf-16", raw)
    begin = raw[:2000]
    if b"\x00" in begin:
        odd, even = begin[1::2].count(0), begin[::2].count(0)
        if max(odd, even) * 4 < len(begin):
            raise TableError("This is no text: upload CSV or an XLSX workbook.")
        return _by("utf-16-le" if odd > even else "utf-16-be", raw)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def _by(encoding: str, raw: bytes) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise TableError("Its text cannot be read: save it as UTF-8.") from error


def _csv_rows(text: str) -> Iterator[Row]:
    skipped = 0
    first = text.split("\n", 1)[0].strip().lower()
    delimiter = first[4] if len(first) == len("sep=,") and first.startswith("sep=") else ""
    if delimiter:
        text, skipped = text.split("\n", 1)[1] if "\n" in text else "", 1
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter or _delimiter(text), strict=True)
    line, texts = 0, CellTexts()
    try:
        for cells in reader:
            yield Row(line + 1 + skipped, tuple(map(texts.__getitem__, cells[: MOST_COLUMNS + 1])))
            line = reader.line_num
    except csv.Error as error:
        words = "quotes do not match or a cell is too long"
        raise TableError(f"Line {line + 1 + skipped} cannot be read: {words}.") from error


def _delimiter(text: str) -> str:
    """What parts the cells: what makes the most columns out of the first lines, the same number in each if possible."""
    sample = "\n".join(text[:100_000].splitlines()[:20])
    best, chosen = (0, 0), ","
    for delimiter in _DELIMITERS:
        try:
            widths = [len(cells) for cells in csv.reader(sample.splitlines(), delimiter=delimiter) if cells]
        except csv.Error:
            continue
        usual = max(set(widths), key=widths.count, default=1)
        score = (widths.count(usual) if usual > 1 else 0, usual)
        if score > best:
            best, chosen = score, delimiter
    return chosen


# ------------------------------------------------------------------------------------------------ XLSX


def _sheets(raw: bytes) -> Iterator[tuple[str, Iterator[Row]]]:
    unpacked = _unpacked(raw)
    workbook = _careful(lambda: _workbook(unpacked))
    for name in workbook.sheet_names:
        rows = _careful(lambda: _values(workbook, name))  # noqa: B023 - called at once
        yield safe(name), (Row(line, tuple(map(cell_text, cells))) for line, cells in enumerate(rows, start=1))


def _workbook(raw: bytes) -> Any:
    from python_calamine import CalamineWorkbook  # noqa: PLC0415 - loaded when it is needed

    return CalamineWorkbook.from_filelike(io.BytesIO(raw))


def _values(workbook: Any, name: str) -> list[list[Any]]:
    return cast("list[list[Any]]", workbook.get_sheet_by_name(name).to_python(skip_empty_area=False))


def _careful(read: Any) -> Any:
    """What the reader of workbooks gives; whatever it stumbles over becomes a complaint, even its own panics."""
    try:
        return read()
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:
        raise TableError(DAMAGED) from error


def _unpacked(raw: bytes) -> bytes:
    """The workbook as an archive of the same parts that is not compressed, so that it is as large as it looks.

    The reader of workbooks unpacks by itself whatever comes out; here it is counted, and refused at the limit.
    """
    try:
        parts = _parts(raw)
    except TableError:
        raise
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, NotImplementedError, ValueError) as error:
        raise TableError("The workbook is damaged or protected: save it again as XLSX without a password.") from error
    if "xl/workbook.xml" not in parts or not _OTHER_KINDS.isdisjoint(parts):
        raise TableError("This is no XLSX workbook: save it as XLSX or CSV.")
    _check_extent(parts)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return made.getvalue()


def _parts(raw: bytes) -> dict[str, bytes]:
    """The parts of an archive by their names, unpacked within the limits."""
    found: dict[str, bytes] = {}
    left = LARGEST_UNPACKED
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        parts = archive.infolist()
        if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > LARGEST_UNPACKED:
            raise TableError(TOO_LARGE)
        for part in parts:
            with archive.open(part) as stream:
                found[part.filename] = stream.read(left + 1)
            left -= len(found[part.filename])
            if left < 0:
                raise TableError(TOO_LARGE)
    return found


def _check_extent(parts: Mapping[str, bytes]) -> None:
    """Refuse what would take far more room than the file: cells far away, sheets over and over, long texts in many."""
    sheets = [content for content in parts.values() if b"sheetData" in content]  # a sheet may be in any part
    times = len(_SHEET.findall(parts["xl/workbook.xml"]))
    try:
        cells = [cells_within(content) for content in sheets]
        longest = max((longest_text(content) for content in parts.values() if _SHARED.search(content)), default=0)
    except UnsoundSheetError as error:
        raise TableError(DAMAGED) from error
    if max(cells, default=0) > MOST_CELLS or times * max(cells, default=0) > MOST_SHEETS * MOST_CELLS:
        raise TableError("A cell far to the right or far below makes the sheet too large: delete what is there.")
    named = max((len(_NAMES_TEXT.findall(content)) for content in sheets), default=0)
    if named * longest > MOST_CHARACTERS:
        raise TableError("A very long text makes the sheet too large: shorten it, or save the sheet as CSV.")

"""CSV and XLSX files: read into rows with line numbers, or refused with a reason."""

import io
import zipfile
from datetime import date, datetime

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from clinic_tracker.domain.messages import ResultMessage, Unreadable
from clinic_tracker.domain.table_cells import DateOrder, Row
from clinic_tracker.domain.table_mapping import Column, Layout, TableMapping, to_json
from clinic_tracker.integrations import tables
from clinic_tracker.integrations.tables import LARGEST_UNPACKED, TableError, parse, read_table, read_tables
from tests.integrations.table_corpus import SHEET_CORPUS, with_sheet

TEXT = 'MRN,Name,Value\r\n7,"Ab""el, Åsa",5\r\n'


def workbook(*sheets):
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for cells in sheets:
            sheet = book.add_worksheet()
            for (row, column), value in cells.items():
                if isinstance(value, date):
                    sheet.write_datetime(row, column, value, day)
                else:
                    sheet.write(row, column, value)
    return buffer.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encodings_and_delimiters(encoding, delimiter):
    text = TEXT.replace('Ab""el, Å', "ÅÅ").replace(",", delimiter)
    table = read_table(text.encode(encoding))
    assert table.header == ("MRN", "Name", "Value")
    assert table.rows == (Row(2, ("7", "ÅÅsa", "5")),)


def test_quotes_titles_and_lines():
    table = read_table(b'report of May\n\nA,A,,D\n1,"x\n""y"", z",3\n\n,,,\n4,5,6,7,8\n')
    assert table.header == ("A", "A (2)", "Column C", "D", "Column E")
    assert [row.line for row in table.rows] == [4, 8]
    assert table.rows[0].cells[1] == 'x "y", z'


def test_a_file_that_says_its_delimiter():
    assert read_table(b"sep=|\na|b,c\n1|2\n").rows == (Row(3, ("1", "2")),)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"only one line, here",
        b"\xd0\xcf\x11\xe0old excel",
        b"PK\x03\x04 no archive",
        bytes(range(256)) * 20,
        b'a,b\n1,"open',
        b"a,b\n" + b"x" * 200_000,
        ("a," * 300 + "b\n" + "1," * 300 + "2\n").encode(),
        b"\xff\xfea",
    ],
)
def test_what_is_no_table_is_refused_in_a_sentence(raw):
    with pytest.raises(TableError, match=r"\.$"):
        read_table(raw)


def test_a_workbook_with_typed_cells():
    raw = workbook(
        {},
        {
            (0, 0): "Title",
            (2, 0): "MRN",
            (2, 1): "Drawn",
            (2, 2): "Value",
            (3, 0): 100,
            (3, 1): datetime(2026, 1, 12),  # noqa: DTZ001 - a cell has no zone
            (3, 2): 0.1,
            (5, 0): "00200",
            (5, 1): datetime(2026, 1, 12, 8, 30),  # noqa: DTZ001 - a cell has no zone
            (5, 2): "<0.1",
        },
    )
    table = read_table(raw)
    assert (table.name, table.header) == ("Sheet2", ("MRN", "Drawn", "Value"))
    assert table.rows == (Row(4, ("100", "2026-01-12", "0.1")), Row(6, ("00200", "2026-01-12 08:30:00", "<0.1")))


def test_every_sheet_can_be_read():
    one = {(0, 0): "A", (0, 1): "B", (1, 0): 1}
    assert [table.name for table in read_tables(workbook(one, one))] == ["Sheet1", "Sheet2"]


def test_an_archive_that_unpacks_to_too_much_is_refused_before_it_is_unpacked():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b" " * (LARGEST_UNPACKED + 1))
    with pytest.raises(TableError, match="too large when it is unpacked"):
        read_table(buffer.getvalue())


def lying(raw: bytes, name: bytes, size: int) -> bytes:
    """An archive in which a part declares another size than it has, at its beginning and in the list at the end."""
    made = bytearray(raw)
    for signature, size_at, name_at in ((b"PK\x03\x04", 22, 30), (b"PK\x01\x02", 24, 46)):
        at = made.find(signature)
        while at >= 0:
            if made[at + name_at :].startswith(name):
                made[at + size_at : at + size_at + 4] = size.to_bytes(4, "little")
            at = made.find(signature, at + 4)
    return bytes(made)


@pytest.mark.parametrize("declared", [0, 10])
def test_an_archive_that_lies_about_the_size_of_a_part_is_refused(declared):
    honest = workbook({(0, 0): "A", (0, 1): "B", (1, 0): 1})
    assert read_table(honest).rows
    with pytest.raises(TableError, match="damaged"):
        read_table(lying(honest, b"xl/worksheets/sheet1.xml", declared))


def test_parts_that_are_one_and_the_same_are_counted_each(monkeypatch):
    monkeypatch.setattr(tables, "LARGEST_UNPACKED", 3000)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(4):
            archive.writestr(f"xl/part{number}.xml", b" " * 1000)
    made = lying(buffer.getvalue(), b"xl/part", 1)
    with pytest.raises(TableError, match=r"damaged|too large"):
        read_table(made)


def test_a_cell_far_away_is_refused():
    with pytest.raises(TableError, match="far to the right"):
        read_table(workbook({(0, 0): "A", (0, 1): "B", (1_000_000, 16_000): "x"}))


CELL = "<c r={}><v>1</v></c>"


@pytest.mark.parametrize(
    "rows",
    [
        f"<row>{CELL.format(chr(34) + 'B' * 40 + 'D1' + chr(34))}</row>",
        f"<row>{CELL.format(chr(34) + 'A99999999999' + chr(34))}</row>",
        f"<row>{CELL.format(chr(39) + 'XFE1' + chr(39))}</row>",
        '<row r="4000000000"><c><v>1</v></c></row>',
        '<row r="0"><c><v>1</v></c></row>',
        '<row><c r="1A"/></row>',
        '<row><c x=">" r="ZZZZZZZ1"/></row>',
        '<row x=" <c "><c r="ZZZZZZZ1"/></row>',
        '<row><c r="A1"></row>',
        f"<row>{'<c><is><row/></is></c>' * 50}</row>",
        '<row xmlns:a="a"><c/><a:b:row/><c/></row>',
        "<row><c r=A1/></row>",
    ],
)
def test_an_address_that_no_spreadsheet_has_is_refused_before_room_is_made_for_it(rows):
    with pytest.raises(TableError, match="damaged"):
        read_table(with_sheet(f"<worksheet><sheetData>{rows}</sheetData></worksheet>".encode()))


@pytest.mark.parametrize(
    "rows",
    [
        '<row r="1048576"><c r="XFD1048576"/></row>',
        f'<row r="1048576">{"<c/>" * 6}</row>',
        f'<row r="2"><c r="XFC2"/><c/></row>{"<row><c/></row>" * 400}',
        f'<x:row r="1048570"/>{"<row/>" * 5}<row><c r="Z1"/></row><row>{"<c/>" * 6}</row>',
    ],
)
def test_cells_without_an_address_count_where_they_fall(rows):
    with pytest.raises(TableError, match="far to the right"):
        read_table(with_sheet(f'<worksheet xmlns:x="x"><sheetData>{rows}</sheetData></worksheet>'.encode()))


def test_a_long_text_that_many_cells_share_is_refused():
    cells = '<c t="s"><v>0</v></c>' * 400
    sheet = f"<worksheet><sheetData><row>{cells}</row></sheetData></worksheet>".encode()
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(with_sheet(sheet))) as book, zipfile.ZipFile(made, "w", 8) as archive:
        for name in book.namelist():
            text = f"<sst><si><t>{'x' * 3_000_000}</t></si></sst>".encode()
            archive.writestr(name, text if name == "xl/sharedStrings.xml" else book.read(name))
    with pytest.raises(TableError, match="very long text"):
        read_table(made.getvalue())


def test_a_large_sheet_that_stands_there_many_times_is_refused():
    sheet = b'<worksheet><sheetData><row r="1048576"><c r="D1048576"/></row></sheetData></worksheet>'
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(with_sheet(sheet))) as book, zipfile.ZipFile(made, "w") as archive:
        for name in book.namelist():
            content = book.read(name)
            if name == "xl/workbook.xml":
                begin, rest = content.split(b"<sheets>")
                content = begin + b"<sheets>" + rest.partition(b"</sheets>")[0] * 5 + b"</sheets></workbook>"
            archive.writestr(name, content)
    with pytest.raises(TableError, match="far to the right"):
        read_table(made.getvalue())


def test_a_sheet_with_a_document_type_is_refused():
    content = SHEET_CORPUS["a sheet"].partition(b"?>")[2]
    with pytest.raises(TableError, match="damaged"):
        read_table(with_sheet(b"<!DOCTYPE worksheet [<!ENTITY a 'b'>]>" + content))


def test_a_workbook_that_is_of_another_kind_too_is_refused():
    made = io.BytesIO(with_sheet(SHEET_CORPUS["a sheet"]))
    with zipfile.ZipFile(made, "a") as archive:
        archive.writestr("content.xml", b"<x/>")
    with pytest.raises(TableError, match="no XLSX"):
        read_table(made.getvalue())


def test_a_sheet_in_another_part_is_looked_at_too():
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(with_sheet(b"<worksheet/>"))) as book, zipfile.ZipFile(made, "w") as archive:
        for name in book.namelist():
            archive.writestr(name, book.read(name).replace(b"worksheets/sheet1.xml", b"hidden.txt"))
        far = b'<worksheet><sheetData><row r="4000000000"><c/></row></sheetData></worksheet>'
        archive.writestr("xl/hidden.txt", far)
    with pytest.raises(TableError, match="damaged"):
        read_table(made.getvalue())


@pytest.mark.parametrize("name", ["content.xml", "xl/workbook.bin"])
def test_another_kind_of_archive_is_refused(name):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, b"<x/>")
    with pytest.raises(TableError, match="no XLSX"):
        read_table(buffer.getvalue())


def test_a_damaged_workbook_is_refused():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("xl/workbook.xml", b"<workbook><sheets><sheet")
    with pytest.raises(TableError, match="damaged"):
        read_table(buffer.getvalue())


MAPPING = TableMapping(
    Layout.LONG,
    DateOrder.MONTH_FIRST,
    columns={
        "MRN": Column.MRN,
        "Drawn": Column.COLLECTED,
        "LOINC": Column.LOINC,
        "Value": Column.VALUE,
        "Unit": Column.UNIT,
    },
)
RESULTS = b"MRN,Drawn,LOINC,Value,Unit\n7,1/12/2026,777-3,251,10*3/uL\n8,1/12/2026,777-3,,10*3/uL\n"


def test_rows_become_messages_with_the_changes_of_a_person():
    good, bad = parse(RESULTS, "UTC", to_json(MAPPING))
    assert isinstance(good, ResultMessage)
    assert bad.where == "line 3, column Value"
    changes = {**to_json(MAPPING), "changes": {"3": {"Value": "90"}}, "dropped": [2]}
    (fixed,) = parse(RESULTS, "UTC", changes)
    assert (fixed.position, fixed.reports[0].values[0].text) == (3, "90")


@pytest.mark.parametrize("mapping", [{}, {"layout": "odd"}])
def test_without_a_mapping_nothing_is_taken(mapping):
    (refused,) = parse(RESULTS, "UTC", mapping)
    assert isinstance(refused, Unreadable)
    assert "has not been chosen" in refused.message


@given(
    st.one_of(
        st.binary(max_size=300), st.binary(max_size=300).map(lambda raw: b"PK\x03\x04" + raw), st.text().map(str.encode)
    )
)
def test_any_bytes_are_read_or_refused(raw):
    assert all(isinstance(one, ResultMessage | Unreadable) for one in parse(raw, "UTC", to_json(MAPPING)))

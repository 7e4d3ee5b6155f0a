"""The files of a report, read back by readers of their formats."""

import csv
import hashlib
import io
import json
import re
import zipfile
from dataclasses import replace
from datetime import date, datetime

import pytest
from python_calamine import CalamineWorkbook

from clinic_tracker.domain.reporting.formats import ReportFormat
from clinic_tracker.exports.reports import workbook
from clinic_tracker.exports.reports.paper import FIRST_LINES, MOST_LINES
from clinic_tracker.exports.reports.reading import asked
from clinic_tracker.exports.reports.writing import FORMS, write
from tests.pdf_text import squeezed, text_of
from tests.report_samples import COLUMNS, HEAD, MADE, line, sample, written

pytestmark = pytest.mark.no_database
NON_LATIN = "山田 太郎, Łucja Ωμέγα Юрий"


def table(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8"), newline="")))


def sheet(content: bytes, name: str = "Lines") -> list[list[object]]:
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_name(name).to_python()


def test_csv_is_a_bare_table_with_unambiguous_values():
    content, told = written(ReportFormat.CSV)
    rows = table(content)
    assert rows[0] == [column.name for column in COLUMNS]
    assert rows[1] == [
        "MRN-00001", "DOE, Jane 1", "cbc_diff", "1", "1.5", "0.666667", "2026-01-05", "2026-01",
        "2026-01-20T14:05:07-05:00", "no", "called twice",
    ]  # fmt: skip
    assert len(rows) == told.lines + 1 == 3
    assert told.patients == {1, 2}
    assert content.count(b"\r\n") == 3


def test_the_checksum_is_that_of_the_question_and_the_table_and_the_same_in_every_file():
    content, told = written(ReportFormat.CSV)
    assert told.checksum == hashlib.sha256(asked(HEAD, COLUMNS) + b"\n" + content).hexdigest()
    assert {written(form)[1].checksum for form in FORMS} == {told.checksum}
    assert json.loads(written(ReportFormat.JSON)[0])["checksum"] == told.checksum
    assert told.checksum in squeezed(text_of(written(ReportFormat.PDF)[0]))
    assert ["Checksum (SHA-256)", told.checksum] in sheet(written(ReportFormat.XLSX)[0], "About")


@pytest.mark.parametrize(
    "changed",
    [
        sample([line(1), line(2, due=3)]),
        sample([line(2), line(1)]),
        sample(head=replace(HEAD, as_of=date(2026, 1, 21))),
    ],
)
def test_the_checksum_changes_with_a_value_the_order_and_the_question(changed):
    assert written(ReportFormat.CSV, changed)[1].checksum != written(ReportFormat.CSV)[1].checksum


def test_the_checksum_does_not_depend_on_who_made_it_and_when():
    other = written(ReportFormat.CSV, made=replace(MADE, by="Somebody else", on=date(2026, 3, 1)))
    assert other[1].checksum == written(ReportFormat.CSV)[1].checksum


@pytest.mark.parametrize("form", FORMS)
def test_the_same_report_gives_the_same_bytes_at_any_time(form, monkeypatch):
    first = written(form)[0]
    monkeypatch.setattr("time.time", lambda: 2_000_000_000.0)
    assert written(form)[0] == first


def test_the_pdf_says_its_own_date_and_no_other():
    content = written(ReportFormat.PDF)[0]
    assert set(re.findall(rb"D:(\d{8})", content)) == {b"20260122"}


def test_xlsx_has_typed_cells():
    rows = sheet(written(ReportFormat.XLSX)[0])
    assert rows[0] == [column.title for column in COLUMNS]
    assert rows[1] == [
        "MRN-00001", "DOE, Jane 1", "cbc_diff", 1.0, 1.5, pytest.approx(2 / 3), date(2026, 1, 5), date(2026, 1, 1),
        datetime(2026, 1, 20, 14, 5, 7), "no", "called twice",  # noqa: DTZ001 - a cell knows no zone
    ]  # fmt: skip


def test_xlsx_has_a_frozen_header_filters_unambiguous_dates_and_percentages():
    with zipfile.ZipFile(io.BytesIO(written(ReportFormat.XLSX)[0])) as archive:
        lines, styles = archive.read("xl/worksheets/sheet1.xml").decode(), archive.read("xl/styles.xml").decode()
        core = archive.read("docProps/core.xml").decode()
    assert 'state="frozen"' in lines
    assert '<autoFilter ref="A1:K3"/>' in lines
    assert 'formatCode="dd-mmm-yyyy"' in styles
    assert 'formatCode="0.0%"' in styles
    assert "Page &amp;P of &amp;N" in lines
    assert "2026-01-22T00:00:00Z" in core


def test_xlsx_explains_itself():
    content, told = written(ReportFormat.XLSX)
    about = {row[0]: row[1] for row in sheet(content, "About")}
    assert about["Report"] == HEAD.title
    assert about["As of"] == "22-Jan-2026, the end of that day in America/New_York"
    assert HEAD.known_at in about["Known"]
    assert about["Period"] == HEAD.parameters[0][1]
    assert about["Time zone"] == "America/New_York"
    assert about["Rules"] == HEAD.protocol
    assert about["Total: Due"] == "3"
    assert about["Note"] == HEAD.notes[0]
    assert about["Made"] == "Made by Rosa Ramirez on 22-Jan-2026."
    explained = sheet(content, "Columns")
    assert [row[:2] for row in explained[1:]] == [[column.title, column.name] for column in COLUMNS]
    assert [row[3] for row in explained[1:]] == [column.definition for column in COLUMNS]
    assert told.lines == 2


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1+1", '=HYPERLINK("x")']
)
def test_no_text_becomes_a_formula(text):
    report = sample([line(1, remark=text)])
    assert table(written(ReportFormat.CSV, report)[0])[1][-1] == f"'{text}"
    assert json.loads(written(ReportFormat.JSON, report)[0])["lines"][0]["remark"] == text
    content = written(ReportFormat.XLSX, report)[0]
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert "<f>" not in archive.read("xl/worksheets/sheet1.xml").decode()
    assert str(sheet(content)[1][-1]).strip() == text.strip()


def test_a_negative_number_stays_a_number():
    report = sample([line(1, due=-3, value=-0.5)])
    assert table(written(ReportFormat.CSV, report)[0])[1][3:5] == ["-3", "-0.5"]
    assert sheet(written(ReportFormat.XLSX, report)[0])[1][3:5] == [-3.0, -0.5]


@pytest.mark.parametrize(
    "text",
    [
        "<r><t>markup</t></r>",
        "</t></is></c>",
        'quote " and, comma',
        "two\r\nlines",
        "_x0041_",
        "\x01\x07bell",
        NON_LATIN,
    ],
)
def test_text_comes_back_as_it_was(text):
    report = sample([line(1, remark=text)])
    assert table(written(ReportFormat.CSV, report)[0])[1][-1] == text
    assert json.loads(written(ReportFormat.JSON, report)[0])["lines"][0]["remark"] == text
    assert str(sheet(written(ReportFormat.XLSX, report)[0])[1][-1]).strip().replace("\r", "") == text.replace("\r", "")


def test_json_says_what_was_asked_and_what_the_columns_are():
    told = json.loads(written(ReportFormat.JSON)[0])
    assert told["as_of"] == "2026-01-22"
    assert told["time_zone"] == "America/New_York"
    assert told["made"] == {"by": "Rosa Ramirez", "on": "2026-01-22"}
    assert told["columns"][5] == {
        "name": "on_time",
        "title": "On time",
        "kind": "share",
        "definition": COLUMNS[5].definition,
    }
    assert (told["count"], told["totals"]) == (2, {"due": 3})
    assert told["lines"][1]["due_on"] == "2026-01-05"


def test_the_pdf_is_tagged_and_says_everything():
    content = written(ReportFormat.PDF)[0]
    words = text_of(content)
    assert b"pdfuaid" in content
    assert b"/StructTreeRoot" in content
    for expected in (
        HEAD.question, "Page 1 of 1", "Made by Rosa Ramirez on 22-Jan-2026", "America/New_York", HEAD.known_at,
        HEAD.protocol, HEAD.notes[0], "66.7%", "05-Jan-2026", "20-Jan-2026, 2:05 pm EST",
        *[column.definition for column in COLUMNS],
    ):  # fmt: skip
        assert squeezed(expected) in squeezed(words)


def test_a_long_list_is_not_printed_and_the_pdf_says_where_it_is():
    content, told = written(ReportFormat.PDF, sample(line(number) for number in range(1, MOST_LINES + 2)))
    words = squeezed(text_of(content))
    assert told.lines == MOST_LINES + 1
    assert squeezed(f"The first {FIRST_LINES} of {MOST_LINES + 1:,} lines.") in words
    assert squeezed("in the XLSX, CSV and JSON") in words
    assert f"MRN-{FIRST_LINES:05}" in words
    assert f"MRN-{FIRST_LINES + 1:05}" not in words
    assert squeezed("Total: Due125,751") in words


def test_a_list_that_just_fits_is_printed_whole():
    words = squeezed(text_of(written(ReportFormat.PDF, sample(line(n) for n in range(1, MOST_LINES + 1)))[0]))
    assert f"MRN-{MOST_LINES:05}" in words


@pytest.mark.parametrize("form", FORMS)
def test_a_report_without_lines(form):
    content, told = written(form, sample([]))
    assert (told.lines, told.patients) == (0, frozenset())
    if form is ReportFormat.CSV:
        assert table(content) == [[column.name for column in COLUMNS]]
    elif form is ReportFormat.JSON:
        assert json.loads(content)["lines"] == []
    elif form is ReportFormat.XLSX:
        assert len(sheet(content)) == 1
    else:
        assert squeezed("Nothing answers the question") in squeezed(text_of(content))


@pytest.mark.parametrize("form", FORMS)
def test_values_that_are_not_there(form):
    nothing = dict.fromkeys((column.name for column in COLUMNS), None)
    content, told = written(form, sample([line(1, **nothing)]))
    assert told.lines == 1
    if form is ReportFormat.CSV:
        assert table(content)[1] == [""] * len(COLUMNS)
    elif form is ReportFormat.JSON:
        assert json.loads(content)["lines"] == [nothing]


def test_more_lines_than_a_sheet_holds_go_on_in_another(monkeypatch):
    monkeypatch.setattr(workbook, "MOST_ROWS", 4)
    content = written(ReportFormat.XLSX, sample([line(number) for number in range(1, 8)]))[0]
    names = CalamineWorkbook.from_filelike(io.BytesIO(content)).sheet_names
    assert names == ["Lines", "Lines 2", "Lines 3", "About", "Columns"]
    assert [len(sheet(content, name)) for name in names[:3]] == [4, 4, 2]


def test_text_longer_than_a_cell_says_that_it_was_cut():
    cut = str(sheet(written(ReportFormat.XLSX, sample([line(1, remark="x" * 40_000)]))[0])[1][-1])
    assert (len(cut), cut[-1]) == (32_767, "…")


def test_who_watches_can_end_it_and_is_told_how_far_it_is():
    seen = []

    def watch(done, expected):
        seen.append((done, expected))
        if done > 300:
            raise InterruptedError

    report = sample(line(number) for number in range(1, 1000))
    report.expected = 999
    with pytest.raises(InterruptedError):
        write(report, ReportFormat.CSV, io.BytesIO(), MADE, watch)
    assert seen == [(200, 999), (400, 999)]

"""PDF of the forms: tagged, reading as the page does, and harmless whatever was typed."""

import re

import pytest

from clinic_tracker.domain.course_forms.checklist import checklist_sheet
from clinic_tracker.domain.course_forms.enrollment import enrollment_sheet
from clinic_tracker.domain.course_forms.sheet import NOT_OFFICIAL, Sheet
from clinic_tracker.exports.form_sheets import sheet_document
from tests.form_data import PATIENT, course, day, facts
from tests.pdf_text import squeezed, text_of

pytestmark = pytest.mark.no_database

HOSTILE = (
    "#panic() #set page() $x^2$ *bold* _it_ <label> @cite `raw` = Heading",
    "\\n \\u{1F600} \\ // comment /* */ [ ] { } \" '",
    "Иванова Ωμέγα Ñandú Łódź ẞ",
    "مريم שלום",
    "王小明 नमस्ते 😀",
    "\x00\x07 a\x1bb \u202eabc\u200b",
    "word " * 300,
    "x" * 2000,
)


def made(sheet: Sheet) -> bytes:
    return sheet_document(sheet, person="OKAFOR, Ada", made="Made by Nia Bell, 22-Jan-2026 14:05", clinic="Northside")


def test_a_document_is_tagged_pdf_ua_with_a_title_and_a_language_and_no_name_in_it():
    pdf = made(checklist_sheet(facts(), course()))
    assert pdf.startswith(b"%PDF-")
    for mark in (b"/StructTreeRoot", b"/MarkInfo", b"<pdfuaid:part>1</pdfuaid:part>", b"/Lang"):
        assert mark in pdf, mark
    assert (
        "Data for the Infusion Checklist, course 1"
        in re.search(rb"<dc:title>.*?</dc:title>", pdf, re.DOTALL)[0].decode()
    )
    assert b"okafor" not in pdf.lower(), "text is drawn, not told by the properties of the file"


def test_the_document_says_everything_that_the_page_does():
    sheet = checklist_sheet(facts(), course(day(1), day(2, lot_number=None)))
    text = squeezed(text_of(made(sheet)))
    for section in sheet.sections:
        assert squeezed(section.title) in text
        for item in section.fields:
            mark = "(R)" if item.unconfirmed else ""
            assert squeezed(f"{item.label}{mark}{item.shown}") in text, item.label
        for table in section.tables:
            for row in table.rows:
                assert squeezed("".join(row)) in text
    for item in sheet.missing:
        assert squeezed(f"{item.section}: {item.label}") in text
    for words in (NOT_OFFICIAL, "Northside. Made by Nia Bell, 22-Jan-2026 14:05", "OKAFOR, Ada", "Page 1 of"):
        assert squeezed(words) in text


@pytest.mark.parametrize("typed", HOSTILE)
def test_what_was_typed_stays_text(typed):
    sheet = enrollment_sheet(facts(patient=PATIENT._replace(family_name=typed, email=typed)))
    pdf = made(sheet)
    assert b"/StructTreeRoot" in pdf
    text = squeezed(text_of(pdf))
    assert squeezed("Date of birth14-Jul-1984") in text, "what comes after it is there"
    if typed.isascii() and typed.isprintable():
        assert squeezed(typed) in text


def test_names_of_other_alphabets_are_printed_and_those_without_letters_here_are_marked():
    written = text_of(made(enrollment_sheet(facts(patient=PATIENT._replace(family_name="Иванова Ñandú")))))
    assert "Иванова Ñandú" in written
    assert "A square stands" not in written
    replaced = text_of(made(enrollment_sheet(facts(patient=PATIENT._replace(family_name="王小明")))))
    assert "□□□" in replaced
    assert "A square stands for a character that this document cannot print" in replaced


def test_many_scripts_at_once_do_not_stop_a_document():
    many = "".join(chr(code) for code in range(0x4E00, 0x4E00 + 400))
    text = text_of(made(enrollment_sheet(facts(patient=PATIENT._replace(family_name=many)))))
    assert "14-Jul-1984" in text

"""The empty spreadsheet that a clinic fills in to begin with the tracker."""

import io
from typing import Any

from clinic_tracker.domain.clinic_sheet import SHEETS

EXPLAINED = "Explained"
OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


def clinic_sheet() -> bytes:
    """An XLSX workbook with a sheet for each kind of row, and one that explains every column."""
    import xlsxwriter  # noqa: PLC0415 - loaded when it is needed

    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, OPTIONS) as book:
        bold, wrapped = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "valign": "top"})
        text, day = book.add_format({"num_format": "@"}), book.add_format({"num_format": "yyyy-mm-dd"})
        for name, columns in SHEETS.items():
            sheet = book.add_worksheet(name)
            sheet.freeze_panes(1, 1)
            for place, column in enumerate(columns):
                is_day = "date" in column.title.lower() or column.title.endswith((" on", " to"))
                sheet.set_column(place, place, 22, day if is_day else text)
                sheet.write_string(0, place, column.title, bold)
        _explain(book.add_worksheet(EXPLAINED), bold, wrapped)
    return buffer.getvalue()


def _explain(sheet: Any, bold: Any, wrapped: Any) -> None:
    for place, (title, width) in enumerate(
        (("Sheet", 12), ("Column", 24), ("Needed", 10), ("What it holds", 70), ("Example", 16))
    ):
        sheet.set_column(place, place, width, wrapped)
        sheet.write_string(0, place, title, bold)
    rows = [(name, column) for name, columns in SHEETS.items() for column in columns]
    for line, (name, column) in enumerate(rows, start=1):
        needed = "yes" if column.required else "no"
        for place, words in enumerate((name, column.title, needed, column.words, column.example)):
            sheet.write_string(line, place, words)

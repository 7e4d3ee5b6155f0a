"""Tables of results as clinics send them, CSV and the sheet of a workbook, and the columns that they have."""

import io
import zipfile
from datetime import date

import xlsxwriter

from clinic_tracker.domain.table_cells import DateOrder
from clinic_tracker.domain.table_mapping import Column, Layout, MeasuredColumn, TableMapping, to_json

SHEET = "xl/worksheets/sheet1.xml"
LONG = """MRN,Name,Born,Sex,Drawn,LOINC,Test,Value,Unit,Range,Flag,Status,Reported,Order,Note
A-7,"Doe, Jane",3/1/1980,F,1/12/2026 08:05,777-3,Platelets,251,10*3/uL,150-450,,final,1/13/2026,O-1,
A-7,"Doe, Jane",3/1/1980,F,1/12/2026 08:05,718-7,Hemoglobin,"13,1",g/dL,12 to 16,N,corrected,1/13/2026,O-1,"two
lines"
A-8,Roe Richard,12/31/1975,m,02-JAN-26,,"TSH, ""third"" one",<0.1,mIU/L,<5,L,F,,,
,"Poe, Ann",,x,13/45/2026,3016-3,TSH,,,,,lost,,,
A-9,"Loe, Kim",2/29/1981,F,2/29/2025,2160-0,Creatinine,0.9,mg/dL,0.5-1.1,,prelim,,,
"""
WIDE = """MRN;Name;Born;Sex;Drawn;Platelets;TSH
A-7;Jane Doe;1980-03-01;F;2026-01-12;251;1.9
;;;;;;
A-8;;;;2026-01-13;;<0.1
"""
_WHO = {"MRN": Column.MRN, "Name": Column.FULL_NAME, "Born": Column.BIRTH_DATE, "Sex": Column.SEX}
MAPPINGS = (
    to_json(
        TableMapping(
            Layout.LONG,
            DateOrder.MONTH_FIRST,
            columns={
                **_WHO,
                "Drawn": Column.COLLECTED,
                "LOINC": Column.LOINC,
                "Test": Column.TEST,
                "Value": Column.VALUE,
                "Unit": Column.UNIT,
                "Range": Column.RANGE,
                "Flag": Column.FLAG,
                "Status": Column.STATUS,
                "Reported": Column.ISSUED,
                "Order": Column.ORDER,
                "Note": Column.NOTE,
            },
        )
    ),
    to_json(
        TableMapping(
            Layout.WIDE,
            DateOrder.YEAR_FIRST,
            columns={**_WHO, "Drawn": Column.COLLECTED},
            tests={"Platelets": MeasuredColumn("777-3", "10*3/uL"), "TSH": MeasuredColumn("3016-3", "mIU/L")},
        )
    ),
)
CSV_CORPUS = {
    "one value a row": LONG.encode(),
    "one draw a row": WIDE.encode(),
    "as Excel writes it": LONG.replace("\n", "\r\n").encode("utf-8-sig"),
    "of an older machine": LONG.replace("Jane", "Zoë").encode("cp1252"),
    "with tabs": WIDE.replace(";", "\t").encode("utf-16"),
    "that says its delimiter": b"sep=|\n" + WIDE.replace(";", "|").encode(),
}


def _workbook() -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_numbers": True}) as book:
        sheet, day = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd"})
        for number, line in enumerate(WIDE.replace("\n;;;;;;", "").splitlines()):
            sheet.write_row(number, 0, line.split(";"))
        sheet.write_datetime(1, 4, date(2026, 1, 12), day)
    return buffer.getvalue()


WORKBOOK = _workbook()


def with_sheet(content: bytes) -> bytes:
    """The workbook with other content of its sheet."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(WORKBOOK)) as book, zipfile.ZipFile(made, "w") as archive:
        for name in book.namelist():
            archive.writestr(name, content if name == SHEET else book.read(name))
    return made.getvalue()


with zipfile.ZipFile(io.BytesIO(WORKBOOK)) as _book:
    SHEET_CORPUS = {"a sheet": _book.read(SHEET)}

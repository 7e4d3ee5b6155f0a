"""The spreadsheet of a clinic: its template, what is wrong in it, and its load, which may be repeated."""

import io

import pytest
import xlsxwriter

from clinic_tracker.domain.clinic_sheet import SHEETS
from clinic_tracker.exports.clinic_sheet import EXPLAINED, clinic_sheet
from clinic_tracker.integrations.clinic_sheet import import_sheet
from clinic_tracker.integrations.tables import TableError, read_tables
from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import Exam, LabReport
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.treatment import Infusion
from clinic_tracker.queries.scope import PermissionDenied

PATIENT = ["S-1", "Sample", "Sue", "1980-03-04", "F", "", ""]
ROWS = {
    "Patients": [PATIENT, ["S-2", "Sample", "Sam", "1979-01-01", "M", "no", ""]],
    "Courses": [["S-1", "1", ""]],
    "Infusions": [["S-1", "1", f"2025-01-{day:02}", "09:00", "13:00"] for day in range(6, 11)],
    "Results": [
        ["S-1", "cbc_diff", "2025-02-05", "", "", ""],
        ["S-1", "CD4", "2025-02-05", "final", "420", ""],
        ["S-1", "skin exam", "2025-03-01", "", "", ""],
    ],
}


def workbook(**changes):
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False}) as book:
        for name, rows in {**ROWS, **changes}.items():
            sheet = book.add_worksheet(name)
            titles = [column.title for column in SHEETS[name]]
            for line, row in enumerate([titles, *rows]):
                for place, cell in enumerate(row):
                    sheet.write(line, place, cell)
    return buffer.getvalue()


@pytest.fixture
def scope(scope_for, cast):
    return scope_for(cast.administrator)


def wrong(report):
    return [(problem.sheet, problem.line, problem.column) for problem in report.problems]


def test_the_template_has_every_sheet_and_explains_every_column():
    tables = {table.name: table for table in read_tables(clinic_sheet())}
    assert list(tables) == [*SHEETS, EXPLAINED]
    assert tables["Patients"].rows == ()
    explained = [row.cells[:2] for row in tables[EXPLAINED].rows]
    assert explained == [(name, column.title) for name, columns in SHEETS.items() for column in columns]


def test_the_examples_of_the_template_can_be_loaded(scope):
    rows = {name: [[column.example for column in columns]] for name, columns in SHEETS.items()}
    report = import_sheet(scope, workbook(**rows))
    assert report.problems == []
    assert report.counts["loaded"] == 1


def test_a_rehearsal_records_nothing(scope):
    report = import_sheet(scope, workbook(), dry_run=True)
    assert report.counts == {"loaded": 2, "updated": 0, "unchanged": 0, "refused": 0}
    assert db.session.query(Patient).count() == 0


def test_everything_is_loaded_once(scope):
    first, second = import_sheet(scope, workbook()), import_sheet(scope, workbook())
    assert (first.counts["loaded"], second.counts["unchanged"]) == (2, 2)
    assert db.session.query(Patient).count() == 2
    assert db.session.query(Infusion).count() == 5
    assert {row.panel for row in db.session.query(LabReport)} == {"cbc_diff", "cd4"}
    assert [row.kind for row in db.session.query(Exam)] == ["skin_exam"]
    assert db.session.query(AuditEvent).filter_by(action="history.imported").count() == 2


def test_rows_that_are_added_later_update_the_chart(scope):
    import_sheet(scope, workbook())
    more = [*ROWS["Results"], ["S-1", "tsh", "2025-04-01", "", "", ""]]
    assert import_sheet(scope, workbook(Results=more)).counts["updated"] == 1


@pytest.mark.parametrize(
    "sheet, row, column",
    [
        ("Results", ["S-1", "odd", "2025-02-05"], "Test"),
        ("Results", ["S-1", "tsh", "5 of May"], "Date"),
        ("Results", ["S-1", "tsh", "2025-02-05", "perhaps"], "Status"),
        ("Results", ["S-1", "tsh", "2025-02-05", "", "7"], "CD4 count"),
        ("Results", ["S-1", "infusion_checklist", "2025-02-05", "", "", ""], "Course"),
        ("Results", ["S-1", "tsh", "2099-02-05"], ""),
        ("Infusions", ["S-1", "one", "2025-01-11", "09:00"], "Course"),
        ("Infusions", ["S-1", "1", "2025-01-11", ""], "Start time"),
        ("Infusions", ["S-1", "1", "2025-01-11", "25:00"], "Start time"),
        ("Courses", ["S-1", "1", ""], "Course"),
    ],
)
def test_a_wrong_cell_is_named_and_only_its_patient_is_left_out(scope, sheet, row, column):
    report = import_sheet(scope, workbook(**{sheet: [*ROWS[sheet], row]}))
    assert wrong(report) == [(sheet, len(ROWS[sheet]) + 2, column)]
    assert [patient.mrn for patient in report.patients if patient.outcome == "refused"] == ["S-1"]
    assert [row.mrn for row in db.session.query(Patient)] == ["S-2"]


def test_rows_of_nobody_and_a_number_that_comes_twice(scope):
    report = import_sheet(
        scope, workbook(Patients=[PATIENT, PATIENT], Results=[["S-9", "tsh", "2025-02-05"], ["", "tsh", "2025-02-05"]])
    )
    assert wrong(report) == [("Results", 2, "MRN"), ("Results", 3, "MRN"), ("Patients", 3, "MRN")]
    assert db.session.query(Patient).count() == 0


def test_another_person_with_the_number_is_refused_at_the_row(scope):
    import_sheet(scope, workbook())
    other = ["S-1", "Other", *PATIENT[2:]]
    assert wrong(import_sheet(scope, workbook(Patients=[other]))) == [("Patients", 2, "")]


def test_a_workbook_without_the_sheets_is_refused(scope):
    assert wrong(import_sheet(scope, b"A,B\n1,2\n")) == [("Patients", 1, "")]
    with pytest.raises(TableError):
        import_sheet(scope, b"PK\x03\x04")


def test_who_may_not_register_patients_may_not_load_them(scope_for, cast):
    with pytest.raises(PermissionDenied):
        import_sheet(scope_for(cast.auditor), workbook())

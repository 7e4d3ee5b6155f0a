"""The first load of a clinic from its spreadsheet, by page and by command."""

import io
import json

import pytest

from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from tests.integrations.test_clinic_sheet import ROWS, workbook

PAGE = "/admin/clinic-sheet"
BAD = {"Results": [*ROWS["Results"], ["S-1", "odd", "2025-02-05"]]}


def sent(raw):
    return (io.BytesIO(raw), "patients.xlsx")


def test_the_empty_spreadsheet_is_downloaded(page, cast):
    page.sign_in(cast.administrator)
    answer = page.get(f"{PAGE}/empty")
    assert answer.response.data.startswith(b"PK")


def test_it_is_checked_first_and_then_loaded(page, cast):
    page.sign_in(cast.administrator)
    checked = page.submit(PAGE, 200, file=sent(workbook(**BAD)))
    assert "nothing was recorded" in checked.words
    assert checked.rows() == [["Results", "5", "Test", checked.rows()[0][3]]]
    assert db.session.query(Patient).count() == 0
    loaded = page.submit(PAGE, 200, file=sent(workbook(**BAD)), task="load")
    assert "1 loaded" in loaded.words
    assert "1 refused" in loaded.words
    assert [row.mrn for row in db.session.query(Patient)] == ["S-2"]


def test_what_is_no_workbook_is_refused_at_its_field(page, cast):
    page.sign_in(cast.administrator)
    assert len(page.submit(PAGE, 400, file=sent(b"PK\x03\x04")).errors) == 1
    assert len(page.submit(PAGE, 400).errors) == 1


def test_staff_load_no_spreadsheets(page, cast):
    page.sign_in(cast.staff)
    page.get(PAGE, status=403)


@pytest.fixture
def path(tmp_path, cast):
    file = tmp_path / "clinic.xlsx"
    file.write_bytes(workbook(**BAD))
    return str(file)


def test_the_command_names_sheet_line_and_column(runner, path):
    arguments = ["clinic-sheet", "import", path, "--clinic", "northside"]
    tried = runner.invoke(args=[*arguments, "--dry-run"])
    assert tried.exit_code == 2
    assert "sheet Results, line 5, column Test" in tried.output
    assert db.session.query(Patient).count() == 0
    done = runner.invoke(args=[*arguments, "--format", "json"])
    assert json.loads(done.stdout)["loaded"] == 1
    assert [row.mrn for row in db.session.query(Patient)] == ["S-2"]


def test_the_command_writes_the_template_and_refuses_what_it_cannot_read(runner, cast, tmp_path):
    file = tmp_path / "empty.xlsx"
    assert runner.invoke(args=["clinic-sheet", "template", str(file)]).exit_code == 0
    assert file.read_bytes().startswith(b"PK")
    assert runner.invoke(args=["clinic-sheet", "template", str(tmp_path / "no" / "x")]).exit_code == 2
    empty = runner.invoke(args=["clinic-sheet", "import", str(file), "--clinic", "northside"])
    assert (empty.exit_code, empty.output.strip()) == (0, "0 loaded, 0 updated, 0 unchanged, 0 refused")
    assert runner.invoke(args=["clinic-sheet", "import", "none", "--clinic", "northside"]).exit_code == 2

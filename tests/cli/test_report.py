"""``flask report``: the reports as files."""

import csv
import io
import json
import re
from datetime import date

import pytest

from clinic_tracker.domain.reporting.deidentify import shift_of, study_number
from clinic_tracker.models.access import Clinic
from clinic_tracker.models.audit import AccessEvent, AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.queries.reports.registry import SOURCES
from tests.monitored import add_course, add_labs, add_patient, project

FIRST = date(2025, 3, 3)
OBLIGATIONS = ("report", "obligations", "--clinic", "northside", "--from", "2025-04-01", "--to", "2025-12-31")
WHOLE_YEAR = ("--from", "2025-01-01")


@pytest.fixture
def patients(scope_for, cast):
    """Two who were treated, one with a name that a spreadsheet would run."""
    scope = scope_for(cast.administrator)
    made = [add_patient(scope, family_name="=cmd()"), add_patient(scope, family_name="Łucja", given_name="Ωμέγα")]
    for patient in made:
        add_course(scope, patient, FIRST)
        add_labs(scope, patient, [date(2025, 4, 7)])
    project(scope)
    return made


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_every_report_is_listed_with_its_question(run):
    status, output, _complaint = run("report", "list")
    assert status == 0
    for source in SOURCES:
        assert re.search(rf"^{source.definition.name} +{re.escape(source.definition.question)}$", output, re.MULTILINE)


def test_csv_goes_to_standard_output_and_the_checksum_to_standard_error(run, patients):
    status, output, told = run(*OBLIGATIONS)
    rows = rows_of(output)
    assert status == 0
    assert {row["mrn"] for row in rows} == {patient.mrn for patient in patients}
    assert re.fullmatch(rf"{len(rows)} lines, checksum [0-9a-f]{{64}}\n", told)


@pytest.mark.parametrize("form", ["csv", "xlsx", "pdf", "json"])
def test_the_same_command_writes_the_same_bytes(run, patients, tmp_path, clock, form):
    files = []
    for name in ("first", "second"):
        status, output, _told = run(*OBLIGATIONS, "--format", form, "--output", str(tmp_path / name))
        assert (status, output) == (0, "")
        files.append((tmp_path / name).read_bytes())
        clock.forward(minutes=40)
    assert files[0] == files[1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first", "second"]


def test_the_file_is_for_its_owner_alone(run, patients, tmp_path):
    run(*OBLIGATIONS, "--output", str(tmp_path / "file"))
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600


def test_the_export_and_its_patients_are_on_record(run, patients):
    _status, _output, told = run(*OBLIGATIONS)
    noted = db.session.scalars(db.select(AuditEvent).where(AuditEvent.action == "data.exported")).one()
    assert noted.after["export"] == "report obligations"
    assert noted.after["checksum"] in told
    assert noted.after["from"] == "2025-04-01"
    assert noted.system_actor == "report command"
    seen = db.session.scalars(db.select(AccessEvent)).one()
    assert seen.patient_ids == sorted(patient.id for patient in patients)


def test_a_copy_with_shifted_dates_names_nobody(run, patients):
    plain = {row["mrn"]: row for row in rows_of(run(*OBLIGATIONS)[1]) if row["due"].startswith("2025-05")}
    output = run(*OBLIGATIONS, *WHOLE_YEAR, "--identity", "shifted")[1]
    rows = rows_of(output)
    for patient in patients:
        assert patient.mrn not in output
        assert patient.family_name not in output
        shifted = (date.fromisoformat(plain[patient.mrn]["due"]) + shift_of(patient.public_id)).isoformat()
        assert shifted in {row["due"] for row in rows if row["study_number"] == study_number(patient.public_id)}
    numbers = [row["study_number"] for row in rows]
    assert numbers == sorted(numbers)


def test_a_copy_with_intervals_counts_from_the_first_infusion(run, patients):
    plain = rows_of(run(*OBLIGATIONS, *WHOLE_YEAR)[1])
    rows = rows_of(run(*OBLIGATIONS, *WHOLE_YEAR, "--identity", "intervals")[1])
    assert "due" not in rows[0]
    days = sorted((date.fromisoformat(row["due"]) - FIRST).days for row in plain)
    assert sorted(int(row["due_day"]) for row in rows) == days


@pytest.mark.parametrize(
    "arguments, complaint",
    [
        (["--clinic", "nowhere"], "--clinic: "),
        (["--from", "soon"], "--from: "),
        (["--from", "2026-01-05", "--to", "2026-01-01"], "--to: "),
        (["--as-of", "2031-01-01"], "--as-of: "),
        (["--as-of", ""], "--as-of: "),
        (["--known-at", "2031-01-01"], "--known-at: "),
        (["--requirement", "tea"], "--requirement: "),
        (["--prescriber", "Dr. Rey"], "--prescriber: "),
        (["--prescriber", "00000000-0000-4000-8000-000000000000"], "--prescriber: "),
        (["--identity", "secret"], "--identity: "),
        (["--format", "docx"], "--format: "),
        (["--set", "color=red"], "--set: "),
        (["--set", "outcome"], "--set: "),
        (["--output", "/nowhere/at/all"], "--output: "),
        (["--output", "/"], "--output: "),
        (["--weather", "fine"], "No such option"),
    ],
)
def test_a_wrong_option_is_named_in_one_line_and_nothing_is_written(run, cast, tmp_path, arguments, complaint):
    target = tmp_path / "file.csv"
    chosen = ["report", "obligations", "--clinic", "northside", "--output", str(target), *arguments]
    status, output, told = run(*chosen)
    assert (status, output) == (2, "")
    assert told.startswith(complaint)
    assert told.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
    assert db.session.scalars(db.select(AuditEvent).where(AuditEvent.action == "data.exported")).all() == []


def test_what_is_no_text_needs_a_file(run, cast):
    status, output, told = run("report", "obligations", "--clinic", "northside", "--format", "xlsx")
    assert (status, output) == (2, "")
    assert told.startswith("--output: ")


def test_a_report_that_does_not_exist_names_those_that_do(run):
    status, _output, told = run("report", "weather")
    assert status == 2
    assert "compliance" in told


def test_an_empty_report_is_a_header_or_an_empty_list(run, cast):
    assert len(run(*OBLIGATIONS)[1].splitlines()) == 1
    assert json.loads(run(*OBLIGATIONS, "--format", "json")[1])["lines"] == []


def test_another_clinic_has_its_own(run, patients):
    assert db.session.scalar(db.select(Clinic.id).where(Clinic.slug == "southside"))
    arguments = ["southside" if one == "northside" else one for one in OBLIGATIONS]
    assert rows_of(run(*arguments)[1]) == []


def test_what_was_known_before_it_was_recorded_is_nothing(run, patients):
    assert rows_of(run(*OBLIGATIONS, "--known-at", "2025-01-01")[1]) == []

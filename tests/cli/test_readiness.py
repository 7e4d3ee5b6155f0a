"""Readiness by command."""

import json
import uuid

import pytest
from sqlalchemy import select

from clinic_tracker.models.audit import AccessEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from tests.treated import Treated, add_patient

ON = ("--on", "2026-01-22")
KEYS = {
    "clinic",
    "patient",
    "course",
    "day_number",
    "of_days",
    "on",
    "as_of",
    "start_on",
    "ready",
    "stopped",
    "summary",
    "items",
}
ITEM_KEYS = {
    "code",
    "group",
    "title",
    "requirement",
    "state",
    "weight",
    "stops",
    "words",
    "evidence_on",
    "expires_on",
    "clears",
    "roles",
    "unconfirmed",
}


@pytest.fixture
def treated(cast, scope_for) -> Treated:
    return add_patient(cast, scope_for, mrn="10233", rems_patient_id="REMS-7")


def answer(run, *arguments):
    status, output, complaint = run("readiness", *arguments, "--format", "json")
    assert (status, complaint) == (0, "")
    return json.loads(output)


def test_the_answer_as_json_is_that_of_the_page(run, treated):
    treated.make_ready()
    found = answer(run, str(treated.patient), *ON)
    assert set(found) == KEYS
    assert {frozenset(item) for item in found["items"]} == {frozenset(ITEM_KEYS)}
    assert (found["clinic"], found["course"], found["day_number"], found["of_days"]) == ("northside", 1, 1, 5)
    assert (found["ready"], found["stopped"], found["summary"]) == (True, False, "Ready")
    tsh = next(item for item in found["items"] if item["code"] == "tsh")
    assert (tsh["state"], tsh["evidence_on"], tsh["expires_on"]) == ("met", "2026-01-10", "2026-02-09")
    assert found == answer(run, str(treated.patient), *ON)


def test_another_day_is_another_answer(run, treated):
    treated.make_ready()
    found = answer(run, str(treated.patient), "--on", "2026-02-10")
    states = {item["code"]: item["state"] for item in found["items"]}
    assert (states["tsh"], states["authorization"], found["stopped"]) == (
        "expires_before_start",
        "expires_before_start",
        True,
    )


@pytest.mark.parametrize("number", ["10233", "rems-7"])
def test_a_number_is_looked_up_in_the_clinic(run, treated, number):
    treated.plan()
    found = answer(run, number, "--clinic", "northside", *ON)
    assert found["patient"] == str(treated.patient)
    assert found["summary"] == "Not ready: not authorized, not verified"


def test_as_text_it_is_one_line_and_the_checks_and_names_nobody(run, treated):
    treated.plan()
    status, output, complaint = run("readiness", str(treated.patient), *ON)
    first, *checks = output.splitlines()
    assert (status, complaint) == (0, "")
    assert first == "22-Jan-2026, course 1, day 1 of 5: Not ready: not authorized, not verified"
    assert "[ ] Course authorized (R-14): missing STOPS. Not authorized. (Neurologist)" in checks
    assert any(line.startswith("[x] Thyroid function (R-25): met.") for line in checks)
    assert not {"Okafor", "Ada", "10233"} & set(output.replace(",", " ").split())


def test_the_look_is_logged_with_the_command_as_its_actor(run, treated):
    treated.plan()
    answer(run, str(treated.patient), *ON)
    seen = db.session.execute(select(AccessEvent)).scalar_one()
    assert (seen.system_actor, seen.patient_id) == ("readiness command", treated.patient_id)
    assert seen.endpoint == "flask readiness"


def test_a_chart_merged_into_another_leads_there(run, treated, cast, scope_for):
    treated.plan()
    duplicate = add_patient(cast, scope_for, mrn="10234")
    row = db.session.get(Patient, duplicate.patient_id)
    row.merged_into_id = treated.patient_id
    db.session.commit()
    assert answer(run, str(duplicate.patient), *ON)["patient"] == str(treated.patient)
    assert answer(run, "10234", "--clinic", "northside", *ON)["patient"] == str(treated.patient)


@pytest.mark.parametrize(
    "arguments, complaint",
    [
        (["10233"], "Missing option '--on'."),
        (["10233", *ON], "--clinic: name the clinic of the MRN."),
        (["10233", *ON, "--clinic", "nowhere"], "--clinic: there is no clinic with the slug 'nowhere'."),
        (["99", *ON, "--clinic", "northside"], "PATIENT: there is no chart with this MRN or REMS id in the clinic."),
        (["10233", *ON, "--clinic", "southside"], "PATIENT: there is no chart with this MRN or REMS id in the clinic."),
        ([str(uuid.UUID(int=7)), *ON], "PATIENT: there is no chart with this id."),
        ([str(uuid.UUID(int=7)), *ON, "--clinic", "northside"], "There is no such patient."),
        (["10233", "--clinic", "northside", "--on", "22-Jan-2026"], "--on: must be a date written YYYY-MM-DD"),
        (["10233", "--clinic", "northside", "--on", "2026-02-30"], "--on: must be a date written YYYY-MM-DD"),
        (
            ["10233", "--clinic", "northside", *ON, "--course", "3"],
            "--course: there is no course 3; the last is",
        ),
        (["10233", "--clinic", "northside", *ON, "--format", "xml"], "Invalid value for '--format'"),
        (["10233", "--clinic", "northside", *ON, "--course", "two"], "Invalid value for '--course'"),
    ],
)
def test_bad_input_is_answered_in_one_line_with_exit_status_2(run, treated, arguments, complaint):
    treated.plan()
    status, output, told = run("readiness", *arguments)
    assert (status, output, told.count("\n")) == (2, "", 1)
    assert complaint in told


def test_without_a_course_there_is_nothing_to_judge(run, treated):
    status, _output, told = run("readiness", str(treated.patient), *ON)
    assert (status, told) == (2, "PATIENT: no course is planned.\n")

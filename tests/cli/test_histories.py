"""Import and export of histories by command."""

import copy
import json
from datetime import date

import pytest

from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.treatment import Deviation
from tests.imports import IDENTITY, engine, plain, worklist
from tests.strategies import random_history

LATEST = date(2026, 1, 20)  # the clock of the tests stands two days later


def history(seed: int, **identity) -> dict:
    return {**random_history(seed, LATEST), "identity": {**IDENTITY, "mrn": f"M{seed}", **identity}}


@pytest.mark.timeout(600)
def test_a_thousand_random_histories_are_on_the_list_as_the_engine_says(run, load):
    histories = [history(seed) for seed in range(1000)]

    status, report, _complaint = load(histories)

    assert status == 0
    assert report["loaded"] == 1000
    expected = engine(run, histories)
    assert worklist(run) == expected
    assert worklist(run, "2024-07-15") == engine(run, histories, "2024-07-15")
    assert engine(run, json.loads(run("histories", "export", "--clinic", "northside")[1])) == expected
    assert run("schedule", "check")[0] == 0


def test_what_was_imported_can_be_exported_and_means_the_same(run, load):
    histories = [history(seed) for seed in range(60)]
    load(histories)

    status, output, _complaint = run("histories", "export", "--clinic", "northside")

    assert status == 0
    exported = json.loads(output)
    noted = db.session.scalars(db.select(AuditEvent.after).where(AuditEvent.action == "data.exported")).first()
    assert noted == {"export": "histories", "patients": 60}
    assert engine(run, exported) == engine(run, histories)
    assert load(exported)[1]["unchanged"] == 60


def test_a_second_run_of_the_same_file_changes_nothing(run, load):
    histories = [history(seed) for seed in range(20)]
    load(histories)
    before = run("histories", "export", "--clinic", "northside")

    status, report, _complaint = load(histories)

    assert status == 0
    assert (report["loaded"], report["updated"], report["unchanged"]) == (0, 0, 20)
    assert run("histories", "export", "--clinic", "northside") == before


def test_only_new_facts_are_added_to_a_known_patient(run, load):
    load([plain()])
    labs = [{"test": "cbc_diff", "collected_on": "2025-12-03"}]

    _status, report, _complaint = load([plain(labs=labs)])

    assert report["patients"][0]["outcome"] == "updated"
    assert report["patients"][0]["facts"] == 1
    assert worklist(run)["77", "cbc_diff"] == ("overdue", "2026-01-03", 0, "2025-12-03")


def test_two_alike_facts_are_two_facts(run, load):
    forms = [{"kind": "patient_status_form", "submitted_on": "2025-12-01"}] * 2
    load([plain("2025-01-06", forms=forms)])

    exported = json.loads(run("histories", "export", "--clinic", "northside")[1])

    assert len(exported[0]["forms"]) == 2


def test_a_dry_run_reports_and_records_nothing(run, load):
    status, report, _complaint = load([plain()], "--dry-run")

    assert status == 0
    assert report["loaded"] == 1
    assert worklist(run) == {}
    assert json.loads(run("histories", "export", "--clinic", "northside")[1]) == []


def test_departures_from_the_protocol_are_recorded_not_refused(run, load, scope_for, cast):
    courses = [
        {"number": 1, "infusions": [{"started_at": f"2024-06-{day:02}T09:00-04:00"} for day in (3, 4, 6)]},
        {"number": 2, "infusions": [{"started_at": "2024-12-02T09:00-05:00"}]},
    ]

    status, _report, _complaint = load([plain(courses=courses)])

    assert status == 0
    told = " ".join(db.session.scalars(db.select(Deviation.message)))
    assert "12 months" in told
    assert db.session.scalar(db.select(db.func.count()).select_from(Deviation)) >= 2


@pytest.mark.parametrize(
    "text",
    ['{"protocol": "lemtrada-us"}', "[1]", "not json", "", '[{"identity": {}},', '"text"'],
)
def test_a_malformed_file_loads_nothing(run, load, text):
    status, report, complaint = load(text)

    assert status == 2
    assert report is None
    assert len(complaint.strip().splitlines()) == 1
    assert worklist(run) == {}


def test_one_bad_patient_is_refused_whole_and_named_while_the_others_load(run, load):
    bad = plain(labs=[{"test": "tsh", "collected_on": "2025-12-01"}, {"test": "tsh", "collected_on": "2025-13-01"}])

    status, report, complaint = load([history(1), bad, history(2)])

    assert status == 2
    assert complaint.startswith("[1].labs[1].collected_on")
    assert len(complaint.strip().splitlines()) == 1
    assert (report["loaded"], report["refused"]) == (2, 1)
    assert {mrn for mrn, _requirement in worklist(run)} <= {"M1", "M2"}


@pytest.mark.parametrize(
    "change, field",
    [
        ({"identity": {**IDENTITY}}, "identity.mrn"),
        ({"identity": {**IDENTITY, "mrn": " "}}, "identity.mrn"),
        ({"identity": {**IDENTITY, "mrn": "77", "birth_date": "17.05.1950"}}, "identity.birth_date"),
        ({"identity": {**IDENTITY, "mrn": "77", "birth_date": "2025-12-24"}}, "courses"),
        ({"identity": {**IDENTITY, "mrn": "77", "phone": "1"}}, "identity.phone"),
        ({"labs": [{"test": "tsh", "collected_on": "2026-01-23"}]}, "labs"),
        ({"exams": [{"kind": "skin_exam", "on": "2027-01-01"}]}, "exams"),
        ({"forms": [{"kind": "infusion_checklist", "course": 4, "submitted_on": "2025-12-01"}]}, "forms"),
        ({"monitoring_closed_on": "2026-02-01"}, "monitoring_closed_on"),
        ({"patient": {"sex_at_birth": "f"}}, "patient.sex_at_birth"),
    ],
)
def test_the_reason_names_the_field_and_nothing_of_the_patient_is_kept(run, load, change, field):
    status, report, complaint = load([plain(**change)])

    assert status == 2
    assert complaint.startswith(f"[0].{field}")
    assert report["refused"] == 1
    assert json.loads(run("histories", "export", "--clinic", "northside")[1]) == []


def test_two_infusions_on_one_day_are_refused(load):
    days = [{"started_at": "2025-11-03T09:05-05:00"}, {"started_at": "2025-11-03T17:05-05:00"}]

    status, _report, complaint = load([plain(courses=[{"number": 1, "infusions": days}])])

    assert status == 2
    assert "two infusions on 2025-11-03" in complaint


def test_an_mrn_that_belongs_to_somebody_else_is_refused(run, load):
    load([plain()])

    status, _report, complaint = load([plain(identity={**IDENTITY, "mrn": "77", "birth_date": "1951-05-17"})])

    assert status == 2
    assert complaint.startswith("[0].identity.birth_date")


def test_infusions_keep_the_date_of_the_zone_they_were_given_in(run, load):
    kolkata = plain(
        time_zone="Asia/Kolkata", courses=[{"number": 1, "infusions": [{"started_at": "2025-11-03T20:30+00:00"}]}]
    )

    load([kolkata])

    assert worklist(run)["77", "creatinine"][1] == "2025-12-04"
    exported = json.loads(run("histories", "export", "--clinic", "northside")[1])
    assert exported[0]["time_zone"] == "Asia/Kolkata"


def test_pauses_are_taken_over(run, load):
    started = {"started_at": "2025-11-03T09:05-05:00", "ended_at": "2025-11-03T13:30-05:00"}
    pauses = [{"paused_at": "2025-11-03T10:00-05:00", "resumed_at": "2025-11-03T10:20-05:00"}]
    given = plain(courses=[{"number": 1, "infusions": [{**started, "pauses": pauses}]}])

    load([given])

    exported = json.loads(run("histories", "export", "--clinic", "northside")[1])
    assert exported[0]["courses"][0]["infusions"][0]["pauses"][0]["paused_at"] == "2025-11-03T15:00:00+00:00"
    bad = copy.deepcopy(given)
    bad["courses"][0]["infusions"][0]["pauses"] = [{"from": "noon"}]
    assert load([bad])[2].startswith("[0].courses[0].infusions[0].pauses[0]")


def test_another_clinic_sees_nothing_of_it(run, load):
    load([plain()])

    status, output, _complaint = run("histories", "export", "--clinic", "southside")

    assert (status, json.loads(output)) == (0, [])


def test_an_unknown_clinic_is_named(run, tmp_path):
    path = tmp_path / "empty.json"
    path.write_text("[]")

    status, _output, complaint = run("histories", "import", str(path), "--clinic", "nowhere")

    assert status == 2
    assert "nowhere" in complaint


def test_a_chart_that_was_merged_takes_no_import(run, load, cast):
    load([plain(), plain(identity={**IDENTITY, "mrn": "78"})])
    kept = db.session.scalar(db.select(Patient).where(Patient.mrn == "78"))
    db.session.scalar(db.select(Patient).where(Patient.mrn == "77")).merged_into_id = kept.id
    db.session.commit()

    status, report, complaint = load([plain(), history(1)])

    assert status == 2
    assert complaint.startswith("[0].identity.mrn")
    assert report["loaded"] == 1

"""Courses begun without the whole baseline set: the window by hand, and the same answer as before the start."""

from datetime import date, timedelta

import pytest

from clinic_tracker.models.access import ClinicSetting
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import Exam, LabReport
from clinic_tracker.queries.baseline import course_baseline
from clinic_tracker.queries.scope import Scope
from tests.listed import asked
from tests.monitored import add_course, add_lab, add_labs, add_patient
from tests.treated import BASELINE_EXAMS, BASELINE_PANELS

TODAY = date(2026, 1, 22)
DAY = timedelta(days=1)
START = date(2025, 3, 31)
BLOODS = [panel.value for panel in BASELINE_PANELS]


@pytest.fixture
def scope(cast, scope_for) -> Scope:
    return scope_for(cast.administrator)


def begun(scope, *, labs=None, start=START, exams=True, number=1, patient=None, **values):
    """A course with the baseline collected some days before its start; ``labs`` tells another number of days."""
    patient = patient or add_patient(scope, **values)
    add_course(scope, patient, start, days=5 if number == 1 else 3, number=number)
    for panel in BLOODS:
        days = (labs or {}).get(panel, 12)
        if days is not None:
            add_lab(scope, patient, panel, start - days * DAY)
    if exams:
        for kind, outcome in BASELINE_EXAMS.items():
            row = {"performed_on": start - 12 * DAY, "outcome": outcome, "recorded_at": scope.now}
            db.session.add(Exam(clinic_id=scope.clinic_id, patient_id=patient.id, kind=kind.value, **row))
    db.session.flush()
    return patient


def test_a_complete_set_is_listed_on_demand_only(scope):
    patient = begun(scope)
    assert asked(scope, "baseline") == []
    assert asked(scope, "baseline", show="open") == []
    (line,) = asked(scope, "baseline", show="all")
    assert (line["patient_id"], line["course"], line["start_on"], line["complete"]) == (patient.id, 1, START, True)
    assert (line["window"], line["missing"], line["number"]) == (date(2025, 3, 1), None, 0)


def test_the_window_is_30_days_both_ends_inclusive_over_the_end_of_february(scope):
    begun(scope, labs=dict.fromkeys(BLOODS, 30))  # 1-Mar for 31-Mar
    late = begun(scope, labs={"tsh": 31, "creatinine": None})
    leap = begun(scope, start=date(2024, 3, 20), labs={"tsh": 30})  # 19-Feb
    lapsed = begun(scope, start=date(2024, 3, 20), labs={"tsh": 31})
    found = asked(scope, "baseline", from_="2024-01-01")
    assert [(line["patient_id"], line["missing"], line["number"]) for line in found] == [
        (lapsed.id, "Thyroid function", 1),
        (late.id, "Creatinine; Thyroid function", 2),
    ]
    assert "Creatinine: Not on file." in found[1]["why"]
    assert "Thyroid function: Collected on 28-Feb-2025; expired" in found[1]["why"]
    assert leap.id not in {line["patient_id"] for line in found}


def test_of_the_first_day_only_what_was_reviewed_before_the_start(scope):
    for reviewed in (None, timedelta(hours=-1), timedelta(hours=1)):
        patient = begun(scope, labs={"cbc_diff": 0})
        report = db.session.query(LabReport).filter_by(patient_id=patient.id, panel="cbc_diff").one()
        started = scope.now.replace(year=2025, month=3, day=31, hour=15, minute=0)
        report.reviewed_at = started + reviewed if reviewed else None
    db.session.commit()
    found = asked(scope, "baseline")
    assert [line["missing"] for line in found] == ["CBC with differential"] * 2
    assert {"not reviewed before the infusion" in line["why"] for line in found} == {True}


def test_what_came_after_the_start_or_is_not_valid_does_not_count(scope):
    patient = begun(scope, labs=dict.fromkeys(("tsh", "creatinine", "cbc_diff")))
    add_lab(scope, patient, "tsh", START + DAY)
    add_lab(scope, patient, "creatinine", START - DAY, result_status="preliminary")
    add_lab(scope, patient, "cbc_diff", START - DAY, is_complete=False, missing="no differential")
    db.session.commit()
    (line,) = asked(scope, "baseline")
    assert line["missing"] == "CBC with differential; Creatinine; Thyroid function"
    assert "no differential" in line["why"]


def test_a_later_course_needs_no_protein_ratio_and_warnings_are_apart(scope):
    patient = begun(scope, start=date(2024, 9, 2))
    begun(scope, start=date(2025, 10, 6), number=2, patient=patient, exams=False, labs={"upcr": None})
    other = begun(scope, exams=False)
    for kind in ("vzv_serology", "hiv_test"):
        outcome = {"vzv_serology": "positive", "hiv_test": "negative"}[kind]
        row = {"performed_on": START - DAY, "outcome": outcome, "recorded_at": scope.now}
        db.session.add(Exam(clinic_id=scope.clinic_id, patient_id=other.id, kind=kind, **row))
    db.session.commit()
    assert [line for line in asked(scope, "baseline") if line["course"] == 2] == []
    (line,) = [line for line in asked(scope, "baseline", show="open") if line["patient_id"] == other.id]
    assert (line["complete"], line["missing"]) == (True, None)
    assert line["warnings"] == "Skin examination; Tuberculosis screening"


def test_the_answer_is_the_one_given_before_the_start(scope):
    patients = [begun(scope, labs={panel: 6 * place + 10}) for place, panel in enumerate(BLOODS)]
    db.session.commit()
    shown = {line["patient_id"]: line for line in asked(scope, "baseline", show="all")}
    for patient in patients:
        told = course_baseline(scope, patient.id, "lemtrada-us", 1, START, as_of=START)
        line = shown[patient.id]
        assert line["complete"] == told.complete
        assert line["missing"] == ("; ".join(item.title for item in told.unmet if item.weight == "block") or None)
    assert 0 < sum(line["complete"] for line in shown.values()) < len(patients)


def test_the_clinics_window_as_of_the_date(scope):
    begun(scope, labs={"tsh": 31})
    db.session.add(
        ClinicSetting(
            clinic_id=scope.clinic_id, name="baseline_window_days", value=45, effective_from=TODAY, reason="Agreed",
            recorded_at=scope.now,
        )
    )  # fmt: skip
    db.session.commit()
    fixed = asked(scope, "baseline") == asked(scope, "baseline", as_of=TODAY - DAY)
    assert fixed, "the US window has an official value: no setting of the clinic moves it"


def test_period_prescriber_clinic_and_courses_without_an_infusion(scope, cast, scope_for):
    stranger = scope_for(cast.stranger)
    mine = begun(scope, labs={"tsh": None}, prescriber_id=cast.prescriber.id)
    other = begun(scope, labs={"tsh": None}, start=date(2025, 4, 1))
    begun(stranger, labs={"tsh": None})
    add_course(scope, add_patient(scope), None)
    wrong = add_patient(scope)
    add_labs(scope, wrong, [], [])
    db.session.commit()
    assert [line["patient_id"] for line in asked(scope, "baseline")] == [mine.id, other.id]
    assert len(asked(scope, "baseline", from_="2025-03-31", to="2025-03-31")) == 1
    assert len(asked(scope, "baseline", as_of="2025-03-31")) == 1
    assert len(asked(scope, "baseline", prescriber=cast.prescriber.public_id)) == 1
    assert len(asked(stranger, "baseline")) == 1

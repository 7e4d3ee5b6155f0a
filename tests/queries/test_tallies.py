"""People on no list: each tally names who belongs to it, nobody else, and nobody of another clinic."""

from datetime import date, timedelta

import pytest

from clinic_tracker.models.access import ClinicSetting
from clinic_tracker.models.base import db
from clinic_tracker.models.treatment import Authorization
from clinic_tracker.queries.dashboard.funnel import funnel
from clinic_tracker.queries.tallies import Tally, tally_counts, tally_patients
from clinic_tracker.services.monitoring_decisions import close_monitoring
from tests.monitored import (
    add_course,
    add_exam,
    add_infusion,
    add_lab,
    add_patient,
    enroll,
    project,
    store_history,
    treated,
)

TODAY = date(2026, 1, 22)


@pytest.fixture
def staff(cast, scope_for):
    return scope_for(cast.staff)


@pytest.fixture
def doctor(cast, scope_for):
    return scope_for(cast.neurologist)


def members(scope, tally):
    return [row.mrn for row in tally_patients(scope, tally)]


def test_enrolled_with_no_course_planned(cast, staff):
    waiting, planned, treated_one, ended = (add_patient(staff) for _ in range(4))
    for patient in (waiting, planned, treated_one, ended):
        enrollment = enroll(staff, patient, cast.prescriber.id, TODAY - timedelta(days=20))
    enrollment.ended_on = TODAY - timedelta(days=1)
    add_course(staff, planned, None, planned_start_on=TODAY + timedelta(days=9))
    add_course(staff, treated_one, TODAY - timedelta(days=40))
    project(staff)
    assert members(staff, Tally.NO_COURSE_PLANNED) == [waiting.mrn]
    assert tally_patients(staff, Tally.NO_COURSE_PLANNED)[0].since == TODAY - timedelta(days=20)


def test_a_discontinued_plan_is_no_plan(cast, staff):
    patient = add_patient(staff)
    enroll(staff, patient, cast.prescriber.id, TODAY - timedelta(days=20))
    add_course(staff, patient, None, discontinued_on=TODAY, discontinued_reason="Pregnant")
    project(staff)
    assert members(staff, Tally.NO_COURSE_PLANNED) == [patient.mrn]


def test_planned_start_passed_without_an_infusion(staff):
    passed, today_is_the_day, begun = (add_patient(staff) for _ in range(3))
    add_course(staff, passed, None, planned_start_on=TODAY - timedelta(days=1))
    add_course(staff, today_is_the_day, None, planned_start_on=TODAY)
    add_course(staff, begun, TODAY - timedelta(days=9), planned_start_on=TODAY - timedelta(days=9))
    project(staff)
    assert members(staff, Tally.PLANNED_START_PASSED) == [passed.mrn]


def test_infused_and_never_signed_out(staff):
    forgotten, observed, imported = (add_patient(staff) for _ in range(3))
    for patient, on, via in ((forgotten, TODAY - timedelta(days=1), "screen"), (observed, TODAY, "screen"),
                             (imported, TODAY - timedelta(days=90), "import")):  # fmt: skip
        course = add_course(staff, patient, None)
        add_infusion(staff, patient, course, on, 1, discharged_at=None, recorded_via=via)
    project(staff)
    assert members(staff, Tally.NOT_SIGNED_OUT) == [forgotten.mrn]


def test_a_course_that_was_begun_and_not_finished(staff):
    stalled, this_week, finished, ended, imported = (add_patient(staff) for _ in range(5))
    for patient, days_ago, days, values in (
        (stalled, 30, 2, {}), (this_week, 7, 1, {}), (finished, 30, 5, {}), (imported, 30, 2, {}),
        (ended, 30, 2, {"discontinued_on": TODAY, "discontinued_reason": "Reaction"}),
    ):  # fmt: skip
        course = add_course(staff, patient, None, **values)
        via = "history import" if patient is imported else "screen"
        for number in range(1, days + 1):
            on = TODAY - timedelta(days=days_ago - number + 1)
            add_infusion(staff, patient, course, on, number, recorded_via=via)
    project(staff)
    assert members(staff, Tally.COURSE_UNFINISHED) == [stalled.mrn]
    assert tally_patients(staff, Tally.COURSE_UNFINISHED)[0].since == TODAY - timedelta(days=29)


def test_treated_with_nothing_scheduled(staff):
    history = {
        "protocol": "lemtrada-us", "time_zone": "America/New_York", "patient": {"sex_at_birth": "male"},
        "courses": [{"number": 1, "infusions": [{"started_at": "2025-11-03T09:05-05:00"}]}],
        "waivers": [
            {"requirement": code, "from_on": "2025-01-01", "to_on": "2029-12-31"}
            for code in ("cbc_diff", "creatinine", "urinalysis_cells", "tsh", "liver_panel", "skin_exam",
                         "patient_status_form", "infusion_checklist")
        ],
    }  # fmt: skip
    everything_waived = store_history(staff, history)
    treated(staff, date(2025, 11, 3))
    project(staff)
    assert members(staff, Tally.NO_MONITORING) == [everything_waived.mrn]


def test_a_schedule_that_was_never_projected_is_noticed(staff):
    patient = add_patient(staff)
    add_course(staff, patient, date(2025, 11, 3))
    db.session.commit()
    assert members(staff, Tally.NO_MONITORING) == [patient.mrn]


def test_no_evidence_of_any_kind_for_ninety_days(staff, doctor):
    days = 90
    silent = treated(staff, TODAY - timedelta(days=days + 40), labs_until=None)
    treated(staff, TODAY - timedelta(days=days + 40), labs_until=TODAY)
    closed = treated(staff, TODAY - timedelta(days=days + 40), labs_until=None)
    add_patient(staff)
    project(staff)
    close_monitoring(doctor, closed.public_id, decided_on=TODAY, reason="Died", confirmed=True)
    assert members(staff, Tally.NO_EVIDENCE) == [silent.mrn]


@pytest.mark.parametrize("status", ["cancelled", "preliminary"])
def test_a_result_that_is_no_evidence_takes_nobody_off(staff, status):
    silent = treated(staff, TODAY - timedelta(days=130), labs_until=None)
    add_lab(staff, silent, "cbc_diff", TODAY - timedelta(days=20), result_status=status)
    project(staff)
    assert members(staff, Tally.NO_EVIDENCE) == [silent.mrn]
    assert funnel(staff).lost == 1


def test_an_exam_that_no_schedule_asks_for_is_heard_of_too(staff):
    treated(staff, TODAY - timedelta(days=130), labs_until=None)
    seen = treated(staff, TODAY - timedelta(days=130), labs_until=None)
    add_exam(staff, seen, "tb_screen", TODAY - timedelta(days=20))
    project(staff)
    assert seen.mrn not in members(staff, Tally.NO_EVIDENCE)
    assert funnel(staff).lost == 1


def test_the_clinic_sets_how_long_is_too_long(staff):
    silent = treated(staff, TODAY - timedelta(days=70), labs_until=None)
    project(staff)
    assert members(staff, Tally.NO_EVIDENCE) == []
    db.session.add(
        ClinicSetting(
            clinic_id=staff.clinic_id, name="no_evidence_days", value=60, effective_from=TODAY, reason="Agreed",
            recorded_at=staff.now,
        )
    )  # fmt: skip
    db.session.commit()
    assert members(staff, Tally.NO_EVIDENCE) == [silent.mrn]


def test_nobody_answers_for_the_patient(cast, staff):
    orphan, cared_for, left_behind = (add_patient(staff) for _ in range(3))
    cared_for.prescriber_id = left_behind.prescriber_id = cast.prescriber.id
    project(staff)
    assert members(staff, Tally.NO_PRESCRIBER) == [orphan.mrn]
    cast.prescriber.is_active = False
    db.session.commit()
    assert set(members(staff, Tally.NO_PRESCRIBER)) == {orphan.mrn, cared_for.mrn, left_behind.mrn}


def test_monitoring_ended_and_not_signed_off(staff, doctor):
    ended, signed = treated(staff, date(2021, 6, 7)), treated(staff, date(2021, 6, 7))
    treated(staff, date(2022, 6, 6))
    project(staff)
    close_monitoring(doctor, signed.public_id, decided_on=TODAY, reason="48 months are over", confirmed=True)
    assert members(staff, Tally.NOT_SIGNED_OFF) == [ended.mrn]
    assert tally_patients(staff, Tally.NOT_SIGNED_OFF)[0].since == date(2025, 6, 11)


def test_courses_to_authorize_are_a_queue(cast, staff):
    waiting, begun = add_patient(staff), add_patient(staff)
    add_course(staff, waiting, None, planned_start_on=TODAY + timedelta(days=9))
    add_course(staff, begun, TODAY - timedelta(days=9))
    project(staff)
    assert members(staff, Tally.TO_AUTHORIZE) == [waiting.mrn]


def test_an_authorization_that_ends_before_the_first_day_is_none(cast, staff):
    lapsed, too_short, in_force = (add_patient(staff) for _ in range(3))
    for patient, days in ((lapsed, -1), (too_short, 8), (in_force, 9)):
        course = add_course(staff, patient, None, planned_start_on=TODAY + timedelta(days=9))
        db.session.add(
            Authorization(
                clinic_id=staff.clinic_id,
                patient_id=patient.id,
                course_id=course.id,
                prescriber_id=cast.prescriber.id,
                authorized_on=TODAY - timedelta(days=20),
                expires_on=TODAY + timedelta(days=days),
                baseline=[],
                recorded_at=staff.now,
            )
        )
    project(staff)
    assert members(staff, Tally.TO_AUTHORIZE) == [lapsed.mrn, too_short.mrn]


def test_counts_equal_lists(cast, scope_for, staff):
    for first in (date(2021, 6, 7), date(2025, 6, 2), date(2025, 12, 1)):
        treated(staff, first)
    enroll(staff, add_patient(staff), cast.prescriber.id, TODAY)
    project(staff)
    assert tally_counts(staff) == {tally: len(tally_patients(staff, tally)) for tally in Tally}
    assert set(tally_counts(scope_for(cast.stranger)).values()) == {0}


def test_a_merged_chart_is_in_no_tally(staff):
    survivor, duplicate = add_patient(staff), add_patient(staff)
    duplicate.merged_into_id = survivor.id
    project(staff)
    assert members(staff, Tally.NO_PRESCRIBER) == [survivor.mrn]

"""Courses are planned in order, moved with care, ended early with a reason."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from clinic_tracker.domain.errors import NotFound, RuleViolation, StaleVersion
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import Vaccination
from clinic_tracker.models.treatment import Deviation, TreatmentCourse
from clinic_tracker.queries.scope import PermissionDenied
from clinic_tracker.queries.treatment import treatment_of
from clinic_tracker.services.courses import CoursePlan, discontinue_course, edit_course, plan_course, reopen_course
from clinic_tracker.services.deviations import ReasonNeeded, Reasons
from tests.treated import Treated, add_patient

SHEET = "From the paper sheet"


@pytest.fixture
def treated(cast, scope_for) -> Treated:
    return add_patient(cast, scope_for)


def course(public_id):
    return db.session.execute(select(TreatmentCourse).where(TreatmentCourse.public_id == public_id)).scalar_one()


def give(treated, days, start):
    treated.plan(start)
    past = [treated.past(number, start + timedelta(days=number - 1)) for number in range(1, days + 1)]
    treated.record_past(*past, reason=SHEET)


def state_of(treated):
    treatment = treatment_of(treated.scope, treated.patient_id)
    return treatment.state(treatment.courses[-1]).value


def test_the_first_course_has_five_days_and_the_next_three(treated):
    give(treated, 5, date(2024, 11, 4))
    assert course(treated.course).planned_days == 5
    second = treated.plan(date(2026, 2, 2))
    assert (course(second).number, course(second).planned_days) == (2, 3)


def test_a_course_is_not_planned_while_another_is_still_to_be_given(treated):
    treated.plan()
    with pytest.raises(RuleViolation, match="Course 1 is not finished"):
        treated.plan(date(2027, 1, 4))


def test_a_fifth_course_in_the_eu_is_for_a_prescriber_and_unrestricted_in_the_us(cast, scope_for):
    for protocol, is_free in (("lemtrada-eu", False), ("lemtrada-us", True)):
        treated = add_patient(cast, scope_for, protocol_id=protocol)
        for number, year in enumerate(range(2021, 2025), start=1):
            give(treated, 5 if number == 1 else 3, date(year, 2 + number, 1))
        if is_free:
            treated.plan(date(2026, 2, 2))
            continue
        with pytest.raises(ReasonNeeded, match="course 5; at most 4") as refused:
            treated.plan(date(2026, 2, 2), reason="Active disease")
        assert refused.value.field == "decided_by"
        treated.plan(date(2026, 2, 2), reason="Active disease", decided_by="Dr. Rey")
        stands = select(Deviation.code).where(Deviation.code == "too_many_courses", Deviation.withdrawn_at.is_(None))
        assert db.session.execute(stands).scalars().all() == ["too_many_courses"]


def test_the_same_form_sent_twice_plans_one_course(treated):
    plan = CoursePlan(planned_start_on=None, prescriber=None)
    first = plan_course(treated.scope, treated.patient, plan, form_token="twice")
    assert plan_course(treated.scope, treated.patient, plan, form_token="twice") == first


def test_course_two_after_eleven_months_needs_a_prescriber(treated):
    give(treated, 5, date(2025, 1, 20))
    with pytest.raises(ReasonNeeded) as missing:
        treated.plan(date(2025, 12, 24))
    assert missing.value.field == "deviation_reason"
    with pytest.raises(ReasonNeeded) as unsigned:
        treated.plan(date(2025, 12, 24), reason="Relapse")
    assert unsigned.value.field == "decided_by"
    treated.plan(date(2025, 12, 24), reason="Relapse", decided_by="Dr. Rey")
    found = db.session.execute(select(Deviation).where(Deviation.code == "course_too_early")).scalar_one()
    assert found.reason == "Relapse (decided by Dr. Rey)"


def test_a_neurologist_gives_that_reason_without_naming_anybody(treated, cast, scope_for):
    give(treated, 5, date(2025, 1, 20))
    plan = CoursePlan(planned_start_on=date(2025, 12, 24), prescriber=cast.prescriber.public_id)
    plan_course(scope_for(cast.neurologist), treated.patient, plan, given=Reasons("Relapse"))
    assert db.session.execute(select(Deviation.reason).where(Deviation.code == "course_too_early")).scalar_one()


def test_a_start_less_than_six_weeks_after_varicella_vaccine_is_refused(treated):
    scope = treated.scope
    db.session.add(
        Vaccination(
            clinic_id=scope.clinic_id,
            patient_id=treated.patient_id,
            vaccine="Varicella",
            given_on=scope.today - timedelta(days=41),
            is_varicella=True,
            is_live=True,
            recorded_at=scope.now,
        )
    )
    db.session.commit()
    with pytest.raises(RuleViolation) as refused:
        treated.plan()
    assert (refused.value.code, refused.value.field) == ("too_soon_after_vaccine", "planned_start_on")
    treated.plan(scope.today + timedelta(days=1))


def test_moving_a_start_out_of_a_deviation_withdraws_it(treated):
    give(treated, 5, date(2025, 1, 20))
    second = treated.plan(date(2025, 12, 24), reason="Relapse", decided_by="Dr. Rey")
    plan = CoursePlan(planned_start_on=date(2026, 2, 2), prescriber=None)
    edit_course(treated.scope, treated.patient, second, plan, version=course(second).version)
    found = db.session.execute(select(Deviation).where(Deviation.code == "course_too_early")).scalar_one()
    assert found.withdrawn_at is not None


def test_two_people_editing_a_course_do_not_overwrite_each_other(treated, cast, scope_for):
    treated.plan()
    opened_with = course(treated.course).version
    plan = CoursePlan(planned_start_on=date(2026, 2, 2), prescriber=None)
    edit_course(treated.scope, treated.patient, treated.course, plan, version=opened_with)
    with pytest.raises(StaleVersion) as stale:
        edit_course(scope_for(cast.neurologist), treated.patient, treated.course, plan, version=opened_with)
    assert (stale.value.changed_by, stale.value.changed_at) == ("Nia Brandt", "22-Jan-2026 10:30")


def test_the_start_of_a_course_that_has_begun_is_not_moved(treated):
    give(treated, 1, date(2026, 1, 19))
    plan = CoursePlan(planned_start_on=date(2026, 2, 2), prescriber=None)
    with pytest.raises(RuleViolation, match="has begun"):
        edit_course(treated.scope, treated.patient, treated.course, plan, version=None)


def test_a_course_ended_after_three_of_five_days_is_a_deviation_and_monitoring_counts_from_the_last_day(treated):
    give(treated, 3, date(2026, 1, 19))
    discontinue_course(
        treated.scope,
        treated.patient,
        treated.course,
        discontinued_on=date(2026, 1, 22),
        reason="Urticaria",
        unused_vials=2,
    )
    assert state_of(treated) == "discontinued"
    assert (course(treated.course).unused_vials, course(treated.course).discontinued_reason) == (2, "Urticaria")
    codes = db.session.execute(select(Deviation.code)).scalars().all()
    assert "course_incomplete" in codes
    treated.plan(date(2027, 1, 25))


@pytest.mark.parametrize(
    "values, code",
    [
        ({"discontinued_on": date(2026, 1, 23)}, "future_date"),
        ({"discontinued_on": date(2026, 1, 20)}, "before_last_infusion"),
        ({"unused_vials": 6}, "too_many_vials"),
        ({"reason": " "}, "reason_required"),
    ],
)
def test_an_early_end_is_checked(treated, values, code):
    give(treated, 3, date(2026, 1, 19))
    stated = {"discontinued_on": date(2026, 1, 22), "reason": "Urticaria", "unused_vials": None, **values}
    with pytest.raises(RuleViolation) as refused:
        discontinue_course(treated.scope, treated.patient, treated.course, **stated)
    assert refused.value.code == code


def test_a_running_infusion_is_ended_before_its_course(treated, clock):
    treated.make_ready()
    treated.prepare()
    treated.start()
    with pytest.raises(RuleViolation, match="running"):
        discontinue_course(
            treated.scope,
            treated.patient,
            treated.course,
            discontinued_on=treated.scope.today,
            reason="Urticaria",
            unused_vials=None,
        )


def test_a_complete_course_cannot_be_ended_early(treated):
    give(treated, 5, date(2026, 1, 5))
    with pytest.raises(RuleViolation, match="All days"):
        discontinue_course(
            treated.scope,
            treated.patient,
            treated.course,
            discontinued_on=treated.scope.today,
            reason="Done",
            unused_vials=None,
        )


def test_a_reopened_course_goes_on(treated):
    give(treated, 3, date(2026, 1, 19))
    discontinue_course(
        treated.scope,
        treated.patient,
        treated.course,
        discontinued_on=treated.scope.today,
        reason="Urticaria",
        unused_vials=2,
    )
    with pytest.raises(RuleViolation, match="discontinued"):
        treated.record_past(treated.past(4, date(2026, 1, 22), start="00:10", hours=4), reason=SHEET)
    reopen_course(treated.scope, treated.patient, treated.course, reason="Wrong patient")
    assert state_of(treated) == "in_progress"
    with pytest.raises(RuleViolation, match="not discontinued"):
        reopen_course(treated.scope, treated.patient, treated.course, reason="Again")


def test_another_clinic_and_a_reader_cannot_plan(treated, cast, scope_for):
    plan = CoursePlan(planned_start_on=None, prescriber=None)
    with pytest.raises(NotFound):
        plan_course(scope_for(cast.stranger), treated.patient, plan)
    with pytest.raises(PermissionDenied):
        plan_course(scope_for(cast.auditor), treated.patient, plan)


def test_a_prescriber_of_another_clinic_is_refused(treated, cast):
    plan = CoursePlan(planned_start_on=None, prescriber=cast.other_prescriber.public_id)
    with pytest.raises(RuleViolation) as refused:
        plan_course(treated.scope, treated.patient, plan)
    assert refused.value.field == "prescriber"

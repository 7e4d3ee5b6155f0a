"""May this patient be infused on this day? Each check with its state, what would clear it and who can."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from clinic_tracker.domain.baseline import VaccineDose
from clinic_tracker.domain.dosing import InfusionDay
from clinic_tracker.domain.notes import Severity
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.readiness import (
    AuthorizationFact,
    Span,
    State,
    Stop,
    readiness,
)
from clinic_tracker.domain.vocabulary import Panel
from tests.ready import LONG_AGO, MORNING, READY, START, day, exams, given, item, labs

pytestmark = pytest.mark.no_database


# ------------------------------------------------------------------------------------------------ the list


def test_nothing_stands_in_the_way_when_everything_is_there():
    found = readiness(READY)
    assert (found.blockers, found.is_ready, found.summary) == ((), True, "Ready")
    assert {one.code for one in found.to_confirm} == {
        "infection",
        "contraindication",
        "pregnancy",
        "equipment",
        "vital_signs",
        "steroid",
        "antiviral",
    }


@pytest.mark.parametrize(
    "values, check, code, hard, permission",
    [
        ({"enrollments": ()}, "enrollment", "not_enrolled", True, Permission.MANAGE_PATIENTS),
        ({"enrollments": (Span(day(1), None),)}, "enrollment", "before_enrollment", True, Permission.MANAGE_PATIENTS),
        ({"enrollments": (Span(LONG_AGO, day(-1)),)}, "enrollment", "not_enrolled", True, Permission.MANAGE_PATIENTS),
        ({"facility": ()}, "facility", "facility_not_certified", False, Permission.MANAGE_CLINIC),
        (
            {"facility": (Span(LONG_AGO, day(-1)),)},
            "facility",
            "facility_not_certified",
            False,
            Permission.MANAGE_CLINIC,
        ),
        ({"prescriber": None}, "prescriber", "no_prescriber", False, Permission.RECORD_TREATMENT),
        ({"prescriber": Span(None, None)}, "prescriber", "prescriber_not_certified", False, Permission.MANAGE_CLINIC),
        (
            {"prescriber": Span(day(1), None)},
            "prescriber",
            "prescriber_not_certified",
            False,
            Permission.MANAGE_CLINIC,
        ),
        (
            {"authorization": AuthorizationFact(day(-31), None, day(-30))},
            "authorization",
            "authorization_expired",
            True,
            Permission.AUTHORIZE_COURSES,
        ),
        (
            {"authorization": AuthorizationFact(day(-9), day(-1), day(-9))},
            "authorization",
            "authorization_expired",
            True,
            Permission.AUTHORIZE_COURSES,
        ),
        (
            {"authorization": AuthorizationFact(START, day(5), None)},
            "verification",
            "not_verified",
            False,
            Permission.RECORD_TREATMENT,
        ),
        (
            {"exams": exams(hiv_test="positive")},
            "hiv_test",
            "baseline_hiv_test_positive",
            True,
            Permission.AUTHORIZE_COURSES,
        ),
        ({"exams": exams(hiv_test="")}, "hiv_test", "baseline_hiv_test", False, Permission.RECORD_EVIDENCE),
        ({"exams": exams(vzv_serology="")}, "vzv_immunity", "baseline_vzv_immunity", False, Permission.RECORD_EVIDENCE),
        (
            {"vaccines": (VaccineDose("vzv", day(-41)),)},
            "vzv_vaccine",
            "baseline_vzv_vaccine",
            True,
            Permission.RECORD_TREATMENT,
        ),
        (
            {"exams": exams(pregnancy_test="positive")},
            "pregnancy_test",
            "pregnancy",
            True,
            Permission.AUTHORIZE_COURSES,
        ),
        ({"birth_date": date(2009, 1, 23)}, "age", "too_young", False, Permission.AUTHORIZE_COURSES),
        ({"discontinued_on": day(-1)}, "course_days", "course_discontinued", True, Permission.AUTHORIZE_COURSES),
    ],
)
def test_each_thing_that_is_missing_is_told_with_who_can_clear_it(values, check, code, hard, permission):
    (found,) = readiness(replace(READY, **values)).blockers
    assert (found.code, found.breach, found.hard, found.permission) == (check, code, hard, permission)
    assert found.note.severity is (Severity.REFUSE if hard else Severity.DEVIATION)
    assert found.note.needs_prescriber is not hard
    assert found.words.endswith(".")
    assert found.clears.endswith(".")


def test_without_an_authorization_there_is_nothing_to_verify_either():
    found = readiness(replace(READY, authorization=None)).blockers
    assert [(one.breach, one.hard) for one in found] == [("not_authorized", True), ("not_verified", False)]


@pytest.mark.parametrize(
    "values, code, state",
    [
        ({"exams": exams(skin_exam="")}, "skin_exam", State.MISSING),
        ({"exams": exams(tb_screen="")}, "tb_screen", State.MISSING),
        ({"exams": exams(tb_screen="positive")}, "tb_screen", State.TO_CONFIRM),
        ({"exams": exams(tb_screen="indeterminate")}, "tb_screen", State.TO_CONFIRM),
        ({"exams": exams(pregnancy_test="")}, "pregnancy_test", State.MISSING),
        ({"vaccines": (VaccineDose("influenza", day(-41)),)}, "vaccines", State.TOO_SOON),
    ],
)
def test_warnings_are_shown_and_stop_nothing(values, code, state):
    found = readiness(replace(READY, **values))
    assert (found.item(code).state, found.item(code).weight, found.is_ready) == (state, Stop.WARN, True)
    assert found.item(code).note.severity is Severity.NOTE


def test_six_weeks_after_a_vaccine_are_over_on_the_last_of_them():
    assert item("vzv_vaccine", replace(READY, vaccines=(VaccineDose("vzv", day(-42)),))).state is State.MET


def test_the_line_names_hard_stops_first_and_three_things_at_most():
    facts = replace(READY, labs=labs(day(-31)), enrollments=())
    found = readiness(facts)
    assert found.summary == "Not ready: not enrolled, CBC expired, creatinine expired and 4 more"
    only_tsh = tuple(draw for draw in labs() if draw.panel is not Panel.TSH)
    unverified = AuthorizationFact(day(-2), day(20), None)
    facts = replace(READY, labs=only_tsh, authorization=unverified)
    assert readiness(facts).summary == "Not ready: not verified, TSH missing"


def test_a_check_that_the_protocol_does_not_have_is_not_in_the_list():
    with pytest.raises(KeyError):
        item("ecg", READY)


# ------------------------------------------------------------------------------------------------ the first day


def test_tests_are_judged_for_the_first_day_and_not_for_the_later_ones():
    facts = replace(READY, labs=labs(day(-29)), on=day(3), as_of=day(3), recorded=given(0, 1, 2))
    assert item("tsh", facts).state is State.MET
    assert readiness(facts).start_on == START
    assert item("tsh", replace(facts, recorded=())).state is State.EXPIRED


def test_a_day_of_the_plan_is_judged_for_the_planned_first_day():
    facts = replace(READY, labs=labs(day(-29)), as_of=day(-3), on=day(4))
    assert (readiness(facts).start_on, readiness(facts).day_number) == (START, 5)
    assert item("tsh", facts).state is State.MET
    assert item("tsh", replace(facts, on=day(5))).state is State.EXPIRES_BEFORE_START


def test_after_a_long_gap_tests_and_authorization_are_needed_anew():
    facts = replace(READY, recorded=given(0, 1), on=day(32), as_of=day(32))
    codes = {one.breach for one in readiness(facts).blockers}
    assert {"resumed_late", "authorization_expired", "baseline_tsh"} <= codes
    anew = replace(facts, labs=labs(day(30)), authorization=AuthorizationFact(day(31), day(60), day(31)))
    assert [one.breach for one in readiness(anew).blockers] == ["resumed_late"]
    following = replace(anew, recorded=(*anew.recorded, InfusionDay(1, 3, day(32))), on=day(33), as_of=day(33))
    assert readiness(following).blockers == ()


def test_an_authorization_given_after_the_first_day_counts_from_then_on():
    late = AuthorizationFact(day(2), day(32), day(2))
    facts = replace(READY, authorization=late, recorded=given(0, 1), on=day(2), as_of=day(2))
    assert item("authorization", facts).state is State.MET
    assert "after the first day" in item("authorization", facts).words
    assert item("authorization", replace(facts, on=day(1))).state is State.MISSING


def test_a_draw_of_the_first_day_counts_only_if_it_was_reviewed_before_the_start():
    draws = tuple(draw._replace(collected_on=START, reviewed_at=MORNING) for draw in labs())
    facts = replace(READY, labs=draws)
    assert item("tsh", facts).state is State.MET
    started = replace(facts, recorded=given(0), first_started_at=MORNING - timedelta(minutes=1))
    assert item("tsh", started).state is State.MISSING


# ------------------------------------------------------------------------------------------------ the course


def test_days_follow_each_other():
    facts = replace(READY, recorded=given(0, 1))
    assert item("course_days", replace(facts, on=day(2), as_of=day(2))).state is State.MET
    gap = item("course_days", replace(facts, on=day(4), as_of=day(4)))
    assert (gap.state, gap.breach, gap.weight) == (State.EXPIRED, "days_not_consecutive", Stop.SOFT)
    ahead = replace(facts, on=day(4), as_of=day(1))
    assert (item("course_days", ahead).state, readiness(ahead).day_number) == (State.MET, 5)


def test_a_day_that_was_given_and_a_course_that_is_complete():
    facts = replace(READY, recorded=given(0, 1, 2, 3, 4), on=day(4), as_of=day(5))
    assert item("course_days", facts).state is State.MET
    after = item("course_days", replace(facts, on=day(5)))
    assert (after.state, after.breach, after.hard) == (State.EXCEEDED, "day_beyond_course", True)


def test_one_infusion_a_day_whatever_the_course():
    other = replace(READY, course_number=2, planned_days=3, recorded=given(0))
    assert item("course_days", other).breach == "date_already_infused"


@pytest.mark.parametrize(
    "last, state, hard",
    [
        (date(2025, 1, 22), State.MET, False),
        (date(2025, 1, 23), State.TOO_SOON, False),
        (day(0), State.TOO_SOON, True),
    ],
)
def test_a_further_course_comes_twelve_months_after_the_last_dose(last, state, hard):
    facts = replace(READY, course_number=2, planned_days=3, recorded=(InfusionDay(1, 5, last),))
    found = item("course_gap", facts)
    assert (found.state, found.hard, found.evidence_on, found.breach) == (state, hard, last, "course_too_early")


@pytest.mark.parametrize("birth_date, state", [(date(2009, 1, 22), State.MET), (date(2009, 1, 23), State.TOO_SOON)])
def test_age_is_judged_on_the_first_day(birth_date, state):
    assert item("age", replace(READY, birth_date=birth_date)).state is state

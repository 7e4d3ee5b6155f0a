"""Readiness: what is asked on the day itself, what other protocols ask for, and what another day changes."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from clinic_tracker.domain.baseline import BaselineSettings, ExamDone, VaccineDose
from clinic_tracker.domain.readiness import (
    Answers,
    AuthorizationFact,
    DayFacts,
    Place,
    ReadinessRules,
    Span,
    State,
    Stop,
    check_answers,
    compare,
    contraindication_titles,
    is_of_course,
    is_readiness,
    moved_to,
    readiness,
)
from clinic_tracker.domain.vocabulary import ExamKind, Sex
from tests.ready import EU, MORNING, PANELS, READY, START, US, day, exams, given, item, labs

pytestmark = pytest.mark.no_database


# ------------------------------------------------------------------------------------------------ pregnancy


@pytest.mark.parametrize(
    "sex, birth_date, applies",
    [
        (Sex.FEMALE, date(1984, 7, 14), True),
        (Sex.UNKNOWN, date(1984, 7, 14), True),
        (Sex.MALE, date(1984, 7, 14), False),
        (Sex.FEMALE, date(1970, 1, 22), False),
        (Sex.FEMALE, date(1970, 1, 23), True),
    ],
)
def test_pregnancy_is_asked_about_where_it_is_possible(sex, birth_date, applies):
    facts = replace(READY, sex=sex, birth_date=birth_date)
    states = {item("pregnancy_test", facts).state is State.MET, item("pregnancy", facts).state is State.TO_CONFIRM}
    assert states == {applies}
    assert facts.may_be_pregnant is applies


def test_a_pregnancy_test_counts_for_the_days_of_the_setting():
    done = (*exams(pregnancy_test=""), ExamDone(ExamKind.PREGNANCY_TEST, day(-7), "negative"))
    assert item("pregnancy_test", replace(READY, exams=done)).state is State.MET
    short = replace(READY, exams=done, rules=replace(US, pregnancy_test_days=6))
    assert item("pregnancy_test", short).state is State.EXPIRED


def test_a_pregnancy_of_two_years_ago_stops_nothing():
    done = (*exams(pregnancy_test=""), ExamDone(ExamKind.PREGNANCY_TEST, date(2024, 1, 5), "positive"))
    found = item("pregnancy_test", replace(READY, exams=done))
    assert (found.state, found.weight) == (State.EXPIRED, Stop.WARN)


# ------------------------------------------------------------------------------------------------ the day


def test_what_was_confirmed_before_the_start_is_met():
    started = DayFacts(START, Answers(True, True, True, True), MORNING, MORNING, MORNING, 0)
    facts = replace(READY, recorded=given(0), day=started, antivirals=(Span(START, None),))
    found = readiness(facts)
    assert {one.state for one in found.items if one.group == "day"} == {State.MET}
    assert found.to_confirm == ()


def test_a_steroid_after_the_start_came_too_late():
    late = DayFacts(START, Answers(True, True, True, True), MORNING, MORNING + timedelta(minutes=1), MORNING)
    assert item("steroid", replace(READY, recorded=given(0), day=late)).state is State.MISSING


def test_the_steroid_is_due_on_the_first_three_days():
    facts = replace(READY, recorded=given(0, 1, 2), on=day(3), as_of=day(3))
    assert item("steroid", facts).state is State.NOT_APPLICABLE
    assert item("steroid", replace(facts, on=day(2), as_of=day(2), recorded=given(0, 1))).state is State.TO_CONFIRM


def test_an_answer_that_excluded_nothing_is_a_contraindication():
    started = DayFacts(START, Answers(False, True, True, False))
    found = readiness(replace(READY, day=started))
    assert [(one.code, one.state) for one in found.blockers] == [
        ("infection", State.CONTRAINDICATED),
        ("equipment", State.MISSING),
    ]


def test_what_was_never_recorded_on_a_day_that_is_over_stops_nothing_any_more():
    found = readiness(replace(READY, recorded=given(0), as_of=day(1)))
    assert found.is_ready
    assert found.item("infection").state is State.MISSING


def test_the_antiviral_starts_on_day_1_and_is_missed_from_day_2_on():
    assert item("antiviral", READY).state is State.TO_CONFIRM
    later = replace(READY, recorded=given(0), on=day(1), as_of=day(1))
    assert item("antiviral", later).state is State.MISSING
    assert item("antiviral", replace(later, antivirals=(Span(START, day(0)),))).state is State.MISSING
    assert item("antiviral", replace(later, antivirals=(Span(START, None),))).state is State.MET


def test_the_drug_is_checked_by_as_many_people_as_the_clinic_wants():
    with pytest.raises(KeyError):
        item("drug_check", READY)
    wanted = replace(READY, rules=replace(US, drug_check_people=2))
    assert item("drug_check", wanted).state is State.TO_CONFIRM
    one = replace(wanted, day=DayFacts(START, drug_checks=1))
    assert item("drug_check", one).words == "1 of 2 checks are recorded."
    assert item("drug_check", replace(wanted, day=DayFacts(START, drug_checks=2))).state is State.MET


def test_before_each_start_every_question_is_answered_and_nothing_is_found():
    assert check_answers(Answers(True, True, None, True), may_be_pregnant=False).notes == ()
    unanswered = check_answers(Answers(), may_be_pregnant=True)
    assert [(note.code, note.field) for note in unanswered.refusals] == [
        ("infection_not_asked", "infection"),
        ("contraindication_not_asked", "contraindication"),
        ("pregnancy_not_asked", "pregnancy"),
    ]
    found = check_answers(Answers(False, False, False, False), may_be_pregnant=True)
    assert {note.code for note in found.refusals} == {
        "infection_not_excluded",
        "contraindication_not_excluded",
        "pregnancy_not_excluded",
    }
    assert [(note.code, note.needs_prescriber) for note in found.deviations] == [("equipment_not_confirmed", True)]


# ------------------------------------------------------------------------------------------------ other protocols


def test_the_eu_has_no_rems_and_wants_an_ecg_and_four_courses_at_most():
    found = readiness(replace(READY, rules=EU, authorization=None, facility=(), prescriber=None))
    assert found.is_ready
    codes = {one.code for one in found.items}
    assert not codes & {"authorization", "verification", "facility", "prescriber", "upcr"}
    assert {"enrollment", "ecg", "course_count"} <= codes
    assert (found.item("ecg").weight, found.item("ecg").unconfirmed) == (Stop.WARN, True)
    assert found.item("vital_signs").requirement == "R-47, E-09"


@pytest.mark.parametrize("number, state", [(4, State.MET), (5, State.EXCEEDED)])
def test_a_fifth_course_is_for_a_prescriber_to_decide_in_the_eu(number, state):
    facts = replace(READY, rules=EU, course_number=number, planned_days=3)
    found = item("course_count", facts)
    assert (found.state, found.breach, found.weight) == (state, "too_many_courses", Stop.SOFT)
    with pytest.raises(KeyError):
        item("course_count", replace(facts, rules=US))


def test_the_contraindications_are_the_protocols_own_and_recalled_ones_are_marked():
    assert [title.split()[0] for title, _ in contraindication_titles(US)] == ["Hypersensitivity", "HIV"]
    assert not any(unconfirmed for _, unconfirmed in contraindication_titles(US))
    assert sum(unconfirmed for _, unconfirmed in contraindication_titles(EU)) == 5
    assert item("contraindication", replace(READY, rules=EU)).unconfirmed


def test_without_a_list_of_checks_everything_is_asked_for():
    found = readiness(replace(READY, rules=ReadinessRules(baseline=BaselineSettings())))
    assert found.is_ready
    assert found.item("authorization").place is Place.AUTHORIZE


# ------------------------------------------------------------------------------------------------ another day


def test_a_move_says_what_lapses_and_what_becomes_met():
    facts = replace(
        READY,
        as_of=day(-1),
        labs=labs(day(-29)),
        vaccines=(VaccineDose("vzv", day(-40)),),
        authorization=AuthorizationFact(day(-2), day(1), day(-1)),
    )
    move = compare(readiness(facts), readiness(moved_to(facts, day(2))))
    assert {one.code for one in move.lapses} == {"authorization", *PANELS}
    assert {one.state for one in move.lapses} == {State.EXPIRES_BEFORE_START}
    assert [one.code for one in move.becomes_met] == ["vzv_vaccine"]


def test_a_move_to_the_same_day_changes_nothing():
    assert compare(readiness(READY), readiness(moved_to(READY, START))) == ((), ())


def test_a_course_under_way_keeps_its_first_day_when_a_later_day_is_asked_about():
    facts = replace(READY, recorded=given(0), labs=labs(day(-29)), as_of=day(1), on=day(1))
    assert compare(readiness(facts), readiness(moved_to(facts, day(3)))).lapses == ()


def test_readiness_holds_until_the_first_of_its_papers_and_tests_lapses():
    assert readiness(READY).holds_until == day(20)
    assert readiness(replace(READY, labs=labs(day(-20)))).holds_until == day(10)


@pytest.mark.parametrize(
    "code, of_course, about_readiness",
    [
        ("baseline_tsh", True, True),
        ("not_authorized", True, True),
        ("too_many_courses", True, True),
        ("course_too_early", True, False),
        ("equipment_not_confirmed", False, True),
        ("no_steroid", False, False),
    ],
)
def test_what_is_explained_once_for_a_course_and_what_was_so_before_the_start(code, of_course, about_readiness):
    assert (is_of_course(code), is_readiness(code)) == (of_course, about_readiness)


def test_a_span_covers_both_of_its_ends():
    span = Span(date(2026, 1, 1), date(2026, 1, 31))
    assert span.covers(date(2026, 1, 1))
    assert span.covers(date(2026, 1, 31))
    assert not span.covers(date(2026, 2, 1))


# ------------------------------------------------------------------------------------------------ between two days


def test_a_positive_hiv_test_after_the_first_day_stops_the_next_one_and_not_the_one_before():
    found = (*exams(), ExamDone(ExamKind.HIV_TEST, day(1), "positive"))
    facts = replace(READY, exams=found, recorded=given(0), on=day(1), as_of=day(1))
    assert item("hiv_test", facts).hard
    assert item("hiv_test", replace(facts, on=START, recorded=())).state is State.MET


def test_a_negative_hiv_test_after_the_first_day_does_not_stand_in_for_the_one_before_it():
    found = (*exams(hiv_test=""), ExamDone(ExamKind.HIV_TEST, day(1), "negative"))
    facts = replace(READY, exams=found, recorded=given(0), on=day(1), as_of=day(1))
    assert item("hiv_test", facts).state is State.MISSING


def test_a_varicella_vaccine_between_two_days_stops_the_next_one():
    facts = replace(READY, vaccines=(VaccineDose("vzv", day(1)),), recorded=given(0), on=day(2), as_of=day(2))
    assert item("vzv_vaccine", facts).hard
    assert "go on not before" in item("vzv_vaccine", facts).words
    assert item("vzv_vaccine", replace(facts, on=START, recorded=())).state is State.NOT_APPLICABLE
    other = replace(facts, vaccines=(VaccineDose("influenza", day(1)),))
    assert (item("vaccines", other).state, item("vaccines", other).weight) == (State.TOO_SOON, Stop.WARN)

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_tracker.domain import dosing
from clinic_tracker.domain.dosing import InfusionDay, Regimen
from clinic_tracker.domain.notes import Severity

REGIMEN = Regimen()
MONDAY = date(2025, 1, 27)


def course(number, start, days):
    return tuple(InfusionDay(number, day + 1, start + timedelta(days=day)) for day in range(days))


FIRST = course(1, MONDAY, 5)  # last infusion 31-Jan-2025


def check(day, recorded=(), *, imported=False):
    return dosing.check_day(day, recorded, REGIMEN, imported=imported)


def codes(notes):
    return [note.code for note in notes]


# ------------------------------------------------------------------------------------------------ plans


def test_the_first_course_has_five_days_and_every_further_one_three():
    assert [dosing.planned_days(number, REGIMEN) for number in (1, 2, 3, 7)] == [5, 3, 3, 3]
    assert dosing.planned_dates(date(2026, 2, 27), 2, REGIMEN) == (
        date(2026, 2, 27),
        date(2026, 2, 28),
        date(2026, 3, 1),
    )


def test_the_numbers_come_from_the_protocol():
    regimen = Regimen.from_settings({"course_min_gap_months": 13.0, "dose_mg": 10, "skin_months": 12})
    assert (regimen.course_min_gap_months, regimen.dose_mg, regimen.observation_min) == (13, 10.0, 120)
    assert isinstance(regimen.course_min_gap_months, int)


def test_a_course_begins_with_day_1_and_no_earlier_infusion_restrains_the_first():
    assert dosing.next_infusion(1, (), REGIMEN) == (1, 1, 5, 12.0, None, None)


def test_a_further_course_begins_twelve_months_after_the_last_dose_at_the_earliest():
    following = dosing.next_infusion(2, FIRST, REGIMEN)
    assert following == (2, 1, 3, 12.0, date(2026, 1, 31), None)
    assert dosing.next_course_earliest(date(2024, 2, 29), 12) == date(2025, 2, 28)


def test_the_next_day_follows_the_last_one_given():
    following = dosing.next_infusion(1, FIRST[:2], REGIMEN)
    assert (following.day_number, following.earliest_on) == (3, date(2025, 1, 29))
    assert following.same_course_until == date(2025, 2, 27)


def test_nothing_follows_a_finished_course():
    assert dosing.next_infusion(1, FIRST, REGIMEN) is None


def test_a_day_left_out_is_offered_after_the_last_day():
    recorded = (*FIRST[:2], *FIRST[3:])
    following = dosing.next_infusion(1, recorded, REGIMEN)
    assert (following.day_number, following.earliest_on) == (3, date(2025, 1, 29))
    before_the_last = dosing.next_infusion(1, (*FIRST[:2], FIRST[3]), REGIMEN)
    assert before_the_last.day_number == 5
    only_last = dosing.next_infusion(2, (InfusionDay(2, 3, MONDAY),), REGIMEN)
    assert (only_last.day_number, only_last.earliest_on, only_last.same_course_until) == (1, None, None)


@given(st.integers(1, 6), st.integers(0, 5), st.dates(date(2015, 1, 1), date(2090, 1, 1)))
def test_following_the_proposals_to_the_end_breaks_no_rule(number, pause, start):
    recorded: tuple[InfusionDay, ...] = ()
    day = start
    for current in range(1, number + 1):
        while (proposal := dosing.next_infusion(current, recorded, REGIMEN)) is not None:
            day = max(proposal.earliest_on or day, day + timedelta(days=pause * (proposal.day_number == 1)))
            given_day = InfusionDay(current, proposal.day_number, day)
            assert check(given_day, recorded) == []
            recorded = (*recorded, given_day)
    assert len(recorded) == 5 + 3 * (number - 1)


# ------------------------------------------------------------------------------------------------ one day


def test_consecutive_days_are_in_order():
    for position, day in enumerate(FIRST):
        assert check(day, FIRST[:position]) == []


def test_the_sixth_day_is_refused():
    (note,) = check(InfusionDay(1, 6, date(2025, 2, 1)), FIRST)
    assert (note.code, note.field, note.severity) == ("day_beyond_course", "day_number", Severity.REFUSE)
    assert note.message == "Course 1 has 5 days; there is no day 6."
    assert codes(check(InfusionDay(2, 4, date(2026, 3, 5)), course(2, date(2026, 3, 2), 3))) == ["day_beyond_course"]


def test_the_sixth_day_in_imported_history_is_a_deviation():
    (note,) = check(InfusionDay(1, 6, date(2025, 2, 1)), FIRST, imported=True)
    assert note.severity is Severity.DEVIATION


def test_there_is_no_day_0():
    assert codes(check(InfusionDay(1, 0, MONDAY))) == ["no_such_day"]


def test_a_day_of_a_course_is_given_once():
    assert "day_already_recorded" in codes(check(InfusionDay(1, 2, date(2025, 1, 29)), FIRST[:2]))


def test_two_infusions_on_one_date_are_refused():
    notes = check(InfusionDay(1, 3, date(2025, 1, 28)), FIRST[:2])
    assert codes(notes) == ["date_already_infused"]
    assert notes[0].field == "infused_on"
    second = course(2, date(2026, 2, 2), 3)
    assert codes(check(InfusionDay(2, 1, FIRST[4].on), FIRST)) == ["date_already_infused", "course_too_early"]
    assert codes(check(InfusionDay(1, 5, second[0].on), (*FIRST[:4], *second)))[0] == "date_already_infused"


def test_a_gap_between_days_is_a_deviation_that_needs_a_reason():
    (note,) = check(InfusionDay(1, 3, date(2025, 1, 30)), FIRST[:2])
    assert (note.code, note.severity, note.needs_prescriber) == ("days_not_consecutive", Severity.DEVIATION, False)


@pytest.mark.parametrize("days,code", [(30, "days_not_consecutive"), (31, "resumed_late")])
def test_more_than_thirty_days_after_the_last_dose_the_prescriber_decides(days, code):
    (note,) = check(InfusionDay(1, 3, FIRST[1].on + timedelta(days=days)), FIRST[:2])
    assert note.code == code
    assert note.needs_prescriber is (code == "resumed_late")


def test_a_day_entered_later_must_fit_between_its_neighbors():
    recorded = (FIRST[0], FIRST[2])
    assert check(FIRST[1], recorded) == []
    assert codes(check(InfusionDay(1, 2, date(2025, 1, 30)), recorded)) == ["days_not_consecutive", "days_out_of_order"]
    assert codes(check(InfusionDay(1, 2, date(2025, 1, 26)), FIRST[:1])) == ["days_out_of_order"]


def test_a_day_number_cannot_skip_ahead_of_the_dates():
    assert codes(check(InfusionDay(1, 3, date(2025, 1, 28)), FIRST[:1])) == ["days_out_of_order"]


def test_missing_days_are_remarked_on_but_block_nothing():
    assert [(note.code, note.severity) for note in check(FIRST[2], FIRST[:1])] == [("days_missing", Severity.NOTE)]
    assert [(note.code, note.severity) for note in check(FIRST[2])] == [("days_missing", Severity.NOTE)]


# ------------------------------------------------------------------------------------------------ courses


@pytest.mark.parametrize("start,early", [(date(2026, 1, 30), True), (date(2026, 1, 31), False)])
def test_a_course_before_twelve_months_needs_the_prescribers_reason(start, early):
    notes = check(InfusionDay(2, 1, start), FIRST)
    assert codes(notes) == (["course_too_early"] if early else [])
    assert all(note.needs_prescriber and note.requirement == "R-41" for note in notes)


def test_an_early_course_is_a_matter_of_its_first_day_only():
    early = course(2, date(2025, 12, 31), 3)
    assert codes(check(early[0], FIRST)) == ["course_too_early"]
    assert check(early[1], (*FIRST, early[0])) == []


def test_a_third_course_counts_from_the_last_dose_of_any_prior_course():
    second = course(2, date(2026, 2, 2), 3)
    (note,) = check(InfusionDay(3, 1, date(2027, 2, 3)), (*FIRST, *second))
    assert (note.code, note.requirement) == ("course_too_early", "R-42")
    assert check(InfusionDay(3, 1, date(2027, 2, 4)), (*FIRST, *second)) == []


def test_courses_follow_each_other():
    second = course(2, date(2026, 2, 2), 3)
    assert codes(check(InfusionDay(1, 5, date(2026, 2, 10)), (*FIRST[:4], *second))) == [
        "after_next_course",
        "resumed_late",
    ]
    assert codes(check(InfusionDay(2, 1, date(2025, 1, 20)), FIRST)) == ["before_previous_course"]


# ------------------------------------------------------------------------------------------------ dose


def test_the_labeled_dose_is_fine_and_another_one_a_deviation():
    assert dosing.check_dose(12.0, REGIMEN) == []
    (note,) = dosing.check_dose(10, REGIMEN)
    assert (note.code, note.field, note.severity) == ("dose_differs", "dose_mg", Severity.DEVIATION)


@pytest.mark.parametrize("dose", [0, -12, float("nan"), float("inf")])
def test_what_is_no_dose_is_refused(dose):
    assert codes(dosing.check_dose(dose, REGIMEN)) == ["dose_not_positive"]

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_tracker.domain import eligibility
from clinic_tracker.domain.eligibility import CourseStart, EnrollmentDates, Screening
from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.notes import Severity

TODAY = date(2026, 11, 22)
BORN = date(1984, 7, 14)
ENROLLMENT = EnrollmentDates(
    counseled_on=date(2026, 10, 1),
    guide_given_on=date(2026, 10, 1),
    card_given_on=date(2026, 10, 2),
    patient_signed_on=date(2026, 10, 2),
    prescriber_signed_on=date(2026, 10, 5),
    enrolled_on=date(2026, 10, 5),
    copy_given=True,
)


def said(verdict):
    return [(note.code, note.field) for note in verdict.notes]


def enroll(**changes):
    return eligibility.check_enrollment(replace(ENROLLMENT, **changes), TODAY, BORN)


# ------------------------------------------------------------------------------------------------ birth date and age


@pytest.mark.parametrize(
    "born,day,age",
    [
        (date(2000, 3, 1), date(2017, 2, 28), 16),
        (date(2000, 3, 1), date(2017, 3, 1), 17),
        (date(2004, 2, 29), date(2021, 2, 27), 16),
        (date(2004, 2, 29), date(2021, 2, 28), 17),
        (date(2004, 2, 29), date(2024, 2, 28), 19),
        (date(2004, 2, 29), date(2024, 2, 29), 20),
    ],
)
def test_age_is_counted_in_completed_years(born, day, age):
    assert eligibility.age_on(born, day) == age


@given(st.dates(date(1900, 1, 1), date(2030, 1, 1)), st.integers(0, 40_000))
def test_age_never_falls_and_grows_by_at_most_one_a_day(born, days):
    day = born + timedelta(days=days)
    age, next_age = eligibility.age_on(born, day), eligibility.age_on(born, day + timedelta(days=1))
    assert 0 <= age <= next_age <= age + 1


@pytest.mark.parametrize(
    "born,code",
    [
        (date(1900, 1, 1), None),
        (TODAY, None),
        (date(1899, 12, 31), "born_too_early"),
        (TODAY + timedelta(days=1), "born_in_future"),
    ],
)
def test_a_birth_date_lies_between_1900_and_today(born, code):
    verdict = eligibility.check_birth_date(born, TODAY)
    assert said(verdict) == ([(code, "birth_date")] if code else [])


# ------------------------------------------------------------------------------------------------ enrollment


def test_a_regular_enrollment_raises_nothing():
    assert enroll().notes == ()
    same_day = dict.fromkeys(
        ("counseled_on", "guide_given_on", "card_given_on", "patient_signed_on", "prescriber_signed_on"), TODAY
    )
    assert enroll(**same_day, enrolled_on=TODAY).notes == ()


@pytest.mark.parametrize("field", ["counseled_on", "guide_given_on", "card_given_on"])
def test_counseling_guide_and_card_come_before_the_signatures(field):
    verdict = enroll(**{field: date(2026, 10, 3)})
    assert said(verdict) == [("out_of_order", field)]
    assert verdict.refusals[0].requirement == "R-12"
    with pytest.raises(RuleViolation, match="03-Oct-2026"):
        verdict.raise_if_refused()


def test_without_signatures_the_steps_still_come_before_the_enrollment():
    verdict = enroll(patient_signed_on=None, prescriber_signed_on=None, guide_given_on=date(2026, 10, 6))
    assert ("out_of_order", "guide_given_on") in said(verdict)


@pytest.mark.parametrize("field", ["patient_signed_on", "prescriber_signed_on"])
def test_signatures_come_before_the_enrollment(field):
    assert said(enroll(**{field: date(2026, 10, 6)})) == [("out_of_order", field)]


@pytest.mark.parametrize(
    "field", ["counseled_on", "guide_given_on", "card_given_on", "patient_signed_on", "prescriber_signed_on"]
)
def test_a_step_without_a_date_needs_a_reason(field):
    verdict = enroll(**{field: None})
    assert said(verdict) == [("missing_step", field)]
    assert verdict.needs_reason


def test_an_enrollment_has_a_date():
    assert said(enroll(enrolled_on=None)) == [("no_enrollment_date", "enrolled_on")]
    nothing = eligibility.check_enrollment(EnrollmentDates(), TODAY, BORN)
    assert [note.severity for note in nothing.notes] == [Severity.REFUSE, *[Severity.DEVIATION] * 5, Severity.NOTE]


def test_a_copy_not_given_is_only_remarked_on():
    verdict = enroll(copy_given=False)
    assert said(verdict) == [("no_copy_given", "copy_given")]
    assert not verdict.needs_reason


def test_dates_in_the_future_or_before_birth_are_refused():
    assert ("future_date", "enrolled_on") in said(enroll(enrolled_on=TODAY + timedelta(days=1)))
    assert enroll(counseled_on=BORN).notes == ()
    assert said(enroll(counseled_on=BORN - timedelta(days=1))) == [("before_birth", "counseled_on")]


# ------------------------------------------------------------------------------------------------ contraindications


def test_three_noes_allow_the_course():
    assert eligibility.check_contraindications(Screening(False, False, False)).notes == ()


@pytest.mark.parametrize("field", Screening._fields)
@pytest.mark.parametrize("answer,code", [(True, "contraindicated"), (None, "not_screened")])
def test_a_contraindication_or_an_unasked_question_is_a_hard_stop(field, answer, code):
    screening = Screening(False, False, False)._replace(**{field: answer})
    verdict = eligibility.check_contraindications(screening)
    assert said(verdict) == [(code, field)]
    assert verdict.refusals[0].requirement == "R-18"


# ------------------------------------------------------------------------------------------------ start of a course

START = CourseStart(2, date(2026, 2, 2), BORN, previous_last_on=date(2025, 1, 31))


def start(**changes):
    return eligibility.check_course_start(START._replace(**changes), 17, 12, 42)


def test_a_regular_start_raises_nothing():
    assert start().notes == ()
    assert start(number=1, previous_last_on=None).notes == ()


def test_under_seventeen_needs_the_prescribers_reason():
    assert start(birth_date=date(2009, 2, 2)).notes == ()
    verdict = start(birth_date=date(2009, 2, 3))
    assert said(verdict) == [("too_young", "start_on")]
    assert verdict.needs_prescriber


@pytest.mark.parametrize("number,requirement", [(2, "R-41"), (3, "R-42")])
def test_a_start_before_twelve_months_needs_the_prescribers_reason(number, requirement):
    assert start(number=number, start_on=date(2026, 1, 31)).notes == ()
    (note,) = start(number=number, start_on=date(2026, 1, 30)).notes
    assert (note.code, note.requirement, note.needs_prescriber) == ("course_too_early", requirement, True)
    assert "31-Jan-2026" in note.message


def test_a_course_cannot_start_before_the_one_before_is_over():
    verdict = start(start_on=date(2025, 1, 31))
    assert said(verdict) == [("before_previous_course", "start_on")]
    assert verdict.refusals


def test_a_start_within_six_weeks_of_varicella_vaccine_is_refused():
    assert start(vzv_vaccine_on=date(2025, 12, 22)).notes == ()
    verdict = start(vzv_vaccine_on=date(2025, 12, 23))
    assert said(verdict) == [("too_soon_after_vaccine", "start_on")]
    assert verdict.refusals[0].requirement == "R-28"


# ------------------------------------------------------------------------------------------------ verdicts


def test_verdicts_add_up():
    both = start(birth_date=date(2009, 2, 3)) + enroll(copy_given=False)
    assert [note.code for note in both.notes] == ["too_young", "no_copy_given"]
    assert [note.code for note in both.remarks] == ["no_copy_given"]

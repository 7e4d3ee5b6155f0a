"""Who may be enrolled and treated: age, order of the enrollment dates, contraindications, start of a course."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from clinic_tracker.domain.dosing import next_course_earliest
from clinic_tracker.domain.local_time import add_months, show_date
from clinic_tracker.domain.notes import Note, Verdict, deviation, refuse, remark

_MONTHS_IN_YEAR = 12
_FIRST_BIRTH = date(1900, 1, 1)
_SECOND_COURSE = 2


@dataclass(frozen=True, slots=True)
class EnrollmentDates:
    """The dates of a patient's enrollment; unknown ones are ``None``."""

    counseled_on: date | None = None
    guide_given_on: date | None = None
    card_given_on: date | None = None
    patient_signed_on: date | None = None
    prescriber_signed_on: date | None = None
    enrolled_on: date | None = None
    copy_given: bool = False


class Screening(NamedTuple):
    """The answers to the screening for contraindications; ``None`` means not asked."""

    hypersensitivity: bool | None
    hiv_positive: bool | None
    active_infection: bool | None


class CourseStart(NamedTuple):
    """A planned or actual first day of a course, and what restrains it."""

    number: int
    start_on: date
    birth_date: date
    previous_last_on: date | None = None
    vzv_vaccine_on: date | None = None


def age_on(birth_date: date, day: date) -> int:
    """Completed years on a day; someone born on 29 February turns a year older on 28 February of other years."""
    years = day.year - birth_date.year
    return years if add_months(birth_date, years * _MONTHS_IN_YEAR) <= day else years - 1


def check_birth_date(birth_date: date, today: date) -> Verdict:
    """A birth date lies between 1900 and today."""
    if birth_date > today:
        return Verdict((refuse("born_in_future", "birth_date", "The birth date is in the future.", "R-17"),))
    if birth_date < _FIRST_BIRTH:
        message = f"The birth date is before {_FIRST_BIRTH.year}: check the year."
        return Verdict((refuse("born_too_early", "birth_date", message, "R-17"),))
    return Verdict()


def check_enrollment(dates: EnrollmentDates, today: date, birth_date: date) -> Verdict:
    """Counseling, guide and safety card come before the signatures, these before the enrollment (R-11, R-12).

    Dates in the wrong order, before birth or in the future are refused; a step without a date is a deviation.
    """
    return Verdict((*_impossible_dates(dates, today, birth_date), *_order_of_enrollment(dates), *_missing_steps(dates)))


def check_contraindications(screening: Screening) -> Verdict:
    """A contraindication of the label refuses the course; a question not asked refuses it too (R-18)."""
    asked = (
        ("hypersensitivity", screening.hypersensitivity, "Hypersensitivity or anaphylaxis to alemtuzumab"),
        ("hiv_positive", screening.hiv_positive, "HIV infection"),
        ("active_infection", screening.active_infection, "Active infection"),
    )
    notes: list[Note] = []
    for field, answer, name in asked:
        if answer is None:
            notes.append(refuse("not_screened", field, f"{name}: answer yes or no.", "R-18"))
        elif answer:
            notes.append(refuse("contraindicated", field, f"{name} is a contraindication.", "R-18"))
    return Verdict(tuple(notes))


def check_course_start(start: CourseStart, minimum_age: int, min_gap_months: int, vaccine_gap_days: int) -> Verdict:
    """Age, distance from the course before, and six weeks after a varicella vaccine (R-17, R-28, R-41, R-42).

    Age and distance need a prescriber's reason; the vaccine gap refuses the start.
    """
    notes: list[Note] = []
    age = age_on(start.birth_date, start.start_on)
    if age < minimum_age:
        message = f"The patient is {age} on {show_date(start.start_on)}; safety is not established under {minimum_age}."
        notes.append(deviation("too_young", "start_on", message, "R-17", by_prescriber=True))
    if start.previous_last_on:
        notes += _distance(start, start.previous_last_on, min_gap_months)
    if start.vzv_vaccine_on:
        earliest = start.vzv_vaccine_on + timedelta(days=vaccine_gap_days)
        if start.start_on < earliest:
            message = (
                f"A start is possible from {show_date(earliest)}, {vaccine_gap_days} days after varicella vaccine."
            )
            notes.append(refuse("too_soon_after_vaccine", "start_on", message, "R-28"))
    return Verdict(tuple(notes))


def _distance(start: CourseStart, previous_last_on: date, months: int) -> list[Note]:
    requirement = "R-41" if start.number == _SECOND_COURSE else "R-42"
    if start.start_on <= previous_last_on:
        message = f"The course before ended on {show_date(previous_last_on)}; the next one starts after it."
        return [refuse("before_previous_course", "start_on", message, requirement)]
    earliest = next_course_earliest(previous_last_on, months)
    if start.start_on >= earliest:
        return []
    message = f"The next course may start from {show_date(earliest)}, {months} months after the last infusion."
    return [deviation("course_too_early", "start_on", message, requirement, by_prescriber=True)]


_DATED = (
    ("counseled_on", "counseling"),
    ("guide_given_on", "Patient Guide"),
    ("card_given_on", "safety card"),
    ("patient_signed_on", "patient's signature"),
    ("prescriber_signed_on", "prescriber's signature"),
    ("enrolled_on", "enrollment"),
)
_BEFORE_SIGNING = _DATED[:3]
_SIGNATURES = _DATED[3:5]


def _day(dates: EnrollmentDates, field: str) -> date | None:
    day: date | None = getattr(dates, field)
    return day


def _impossible_dates(dates: EnrollmentDates, today: date, birth_date: date) -> list[Note]:
    notes: list[Note] = []
    for field, name in _DATED:
        day = _day(dates, field)
        if day and day > today:
            notes.append(refuse("future_date", field, f"The date of the {name} is in the future.", "R-11"))
        elif day and day < birth_date:
            notes.append(refuse("before_birth", field, f"The date of the {name} is before the birth date.", "R-11"))
    return notes


def _order_of_enrollment(dates: EnrollmentDates) -> list[Note]:
    """Each step that is dated later than the step it has to precede is refused, named by the earlier step's field."""
    notes: list[Note] = []
    signed = min((day for field, _ in _SIGNATURES if (day := _day(dates, field))), default=dates.enrolled_on)
    for field, name in _BEFORE_SIGNING:
        day = _day(dates, field)
        if day and signed and day > signed:
            message = f"The {name} ({show_date(day)}) comes before the enrollment form is signed ({show_date(signed)})."
            notes.append(refuse("out_of_order", field, message, "R-12"))
    for field, name in _SIGNATURES:
        day = _day(dates, field)
        if day and dates.enrolled_on and day > dates.enrolled_on:
            message = f"The {name} ({show_date(day)}) comes before the enrollment ({show_date(dates.enrolled_on)})."
            notes.append(refuse("out_of_order", field, message, "R-11"))
    return notes


def _missing_steps(dates: EnrollmentDates) -> list[Note]:
    notes: list[Note] = []
    if dates.enrolled_on is None:
        notes.append(refuse("no_enrollment_date", "enrolled_on", "Enter the date of the enrollment.", "R-11"))
    for requirement, steps in (("R-12", _BEFORE_SIGNING), ("R-11", _SIGNATURES)):
        for field, name in steps:
            if _day(dates, field) is None:
                message = f"No date of the {name}: the enrollment is not complete without it."
                notes.append(deviation("missing_step", field, message, requirement))
    if not dates.copy_given:
        message = "The patient has not been given a copy of the form."
        notes.append(remark("no_copy_given", "copy_given", message, "R-11"))
    return notes

"""Treatment courses and their infusion days: how many, how much, when the next may be, and what a day breaks."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Any, NamedTuple, Self

from clinic_tracker.domain.local_time import add_months, show_date
from clinic_tracker.domain.notes import Note, deviation, refuse, remark


@dataclass(frozen=True, slots=True)
class Regimen:
    """The numbers of the dosing rules, as the clinic's protocol sets them (R-40 to R-48)."""

    course_days_first: int = 5
    course_days_further: int = 3
    dose_mg: float = 12.0
    course_min_gap_months: int = 12
    resume_same_course_days: int = 30
    steroid_days: int = 3
    dilution_max_hours: int = 8
    infusion_target_min: int = 240
    observation_min: int = 120
    vitals_every_min: int = 30

    @classmethod
    def from_settings(cls, settings: Mapping[str, float]) -> Self:
        """The regimen with the protocol's settings of the same names; other settings are left aside."""
        known = {field.name: float if field.name == "dose_mg" else int for field in fields(cls)}
        values: dict[str, Any] = {name: known[name](value) for name, value in settings.items() if name in known}
        return cls(**values)


class InfusionDay(NamedTuple):
    """An infusion on record: its course, its day in the course, its local date."""

    course: int
    day_number: int
    on: date


class NextInfusion(NamedTuple):
    """The infusion that comes next in a course.

    ``earliest_on`` is ``None`` where no earlier infusion restrains it; ``same_course_until`` is the last date on which
    it still continues the course without a prescriber's decision (decision 16).
    """

    course: int
    day_number: int
    of_days: int
    dose_mg: float
    earliest_on: date | None
    same_course_until: date | None


def planned_days(course_number: int, regimen: Regimen) -> int:
    """Days of a course: five in the first, three in every further one (R-40 to R-42)."""
    return regimen.course_days_first if course_number == 1 else regimen.course_days_further


def planned_dates(start_on: date, course_number: int, regimen: Regimen) -> tuple[date, ...]:
    """The consecutive dates of a course that starts on ``start_on``."""
    return tuple(start_on + timedelta(days=day) for day in range(planned_days(course_number, regimen)))


def next_course_earliest(last_infusion_on: date, months: int) -> date:
    """The earliest first day of a further course: ``months`` after the last dose of the one before (R-41, R-42)."""
    return add_months(last_infusion_on, months)


def next_infusion(course_number: int, recorded: Sequence[InfusionDay], regimen: Regimen) -> NextInfusion | None:
    """What comes next in a course; ``None`` when all its days have been given.

    A day number that was left out is offered again only after the last day has been given.
    """
    days = planned_days(course_number, regimen)
    given = sorted(day for day in recorded if day.course == course_number)
    if not given:
        before = _last_before(course_number, recorded)
        earliest = next_course_earliest(before, regimen.course_min_gap_months) if before else None
        return NextInfusion(course_number, 1, days, regimen.dose_mg, earliest, None)
    numbers = {day.day_number for day in given}
    following = max(numbers) + 1
    left_out = [number for number in range(1, days + 1) if number not in numbers]
    if not left_out:
        return None
    number = following if following <= days else left_out[0]
    # A left-out day is back entry: it belongs after the day before it, not after the last day given.
    previous = max((day.on for day in given if day.day_number < number), default=None)
    earliest = previous + timedelta(days=1) if previous else None
    until = previous + timedelta(days=regimen.resume_same_course_days) if previous else None
    return NextInfusion(course_number, number, days, regimen.dose_mg, earliest, until)


def check_day(day: InfusionDay, recorded: Sequence[InfusionDay], regimen: Regimen, *, imported: bool) -> list[Note]:
    """What is wrong or unusual about giving this day of this course on this date, beside the infusions on record.

    ``imported`` takes history as it happened: a day too many is then a deviation, not a refusal.
    """
    return [
        *_number_notes(day, recorded, regimen, imported=imported),
        *_date_taken(day, recorded),
        *_order_of_courses(day, recorded, regimen),
        *_order_of_days(day, recorded, regimen),
    ]


def check_dose(dose_mg: float, regimen: Regimen) -> list[Note]:
    """A dose other than the labeled one is a deviation; one that is no dose is refused (R-40)."""
    if not math.isfinite(dose_mg) or dose_mg <= 0:
        return [refuse("dose_not_positive", "dose_mg", "Enter the dose in mg, more than 0.", "R-40")]
    if dose_mg != regimen.dose_mg:
        message = f"The dose is {dose_mg:g} mg; {regimen.dose_mg:g} mg a day is labeled."
        return [deviation("dose_differs", "dose_mg", message, "R-40")]
    return []


def _rule(course_number: int) -> str:
    """The requirement that fixes the days of this course."""
    return {1: "R-40", 2: "R-41"}.get(course_number, "R-42")


def _last_before(course_number: int, recorded: Sequence[InfusionDay]) -> date | None:
    return max((day.on for day in recorded if day.course < course_number), default=None)


def _number_notes(day: InfusionDay, recorded: Sequence[InfusionDay], regimen: Regimen, *, imported: bool) -> list[Note]:
    days = planned_days(day.course, regimen)
    if day.day_number < 1:
        return [refuse("no_such_day", "day_number", "The first day of a course is day 1.", _rule(day.course))]
    if day.day_number > days:
        message = f"Course {day.course} has {days} days; there is no day {day.day_number}."
        note = deviation if imported else refuse
        return [note("day_beyond_course", "day_number", message, _rule(day.course))]
    if any((one.course, one.day_number) == (day.course, day.day_number) for one in recorded):
        message = f"Day {day.day_number} of course {day.course} is already on record."
        return [refuse("day_already_recorded", "day_number", message, _rule(day.course))]
    return []


def _date_taken(day: InfusionDay, recorded: Sequence[InfusionDay]) -> list[Note]:
    for one in recorded:
        if one.on == day.on:
            message = (
                f"Day {one.day_number} of course {one.course} was given on {show_date(day.on)}: one infusion a day."
            )
            return [refuse("date_already_infused", "infused_on", message, _rule(day.course))]
    return []


def _order_of_courses(day: InfusionDay, recorded: Sequence[InfusionDay], regimen: Regimen) -> list[Note]:
    """Courses follow each other, the next at least 12 months after the last dose of the one before (R-41, R-42)."""
    before = _last_before(day.course, recorded)
    after = min((one.on for one in recorded if one.course > day.course), default=None)
    if after and day.on > after:
        message = f"A later course began on {show_date(after)}; course {day.course} cannot go on after that."
        return [refuse("after_next_course", "infused_on", message, _rule(day.course))]
    if not before:
        return []
    if day.on < before:
        message = f"The course before ended on {show_date(before)}; course {day.course} comes after it."
        return [refuse("before_previous_course", "infused_on", message, _rule(day.course))]
    earliest = next_course_earliest(before, regimen.course_min_gap_months)
    begun_earlier = any(one.course == day.course and one.on < day.on for one in recorded)
    if day.on >= earliest or begun_earlier:
        return []
    message = (
        f"Course {day.course} may start from {show_date(earliest)}, {regimen.course_min_gap_months} months after "
        f"the last infusion on {show_date(before)}. An earlier start needs the prescriber's reason."
    )
    return [deviation("course_too_early", "infused_on", message, _rule(day.course), by_prescriber=True)]


def _order_of_days(day: InfusionDay, recorded: Sequence[InfusionDay], regimen: Regimen) -> list[Note]:
    """Days of a course are consecutive; a gap is a deviation, over 30 days a prescriber's decision (decision 16)."""
    given = [one for one in recorded if one.course == day.course]
    previous = max((one for one in given if one.day_number < day.day_number), default=None)
    following = min((one for one in given if one.day_number > day.day_number), default=None)
    notes: list[Note] = []
    if previous:
        notes += _between(previous, day, regimen)
    elif day.day_number > 1:
        message = f"Day 1 to day {day.day_number - 1} of course {day.course} are not on record."
        notes.append(remark("days_missing", "day_number", message, _rule(day.course)))
    if following:
        notes += _between(day, following, regimen)
    return notes


def _between(first: InfusionDay, second: InfusionDay, regimen: Regimen) -> list[Note]:
    """Two neighboring days on record: their dates must leave room for the days between, and no more."""
    apart = (second.on - first.on).days
    steps = second.day_number - first.day_number
    names = f"Day {first.day_number} ({show_date(first.on)}) and day {second.day_number} ({show_date(second.on)})"
    rule = _rule(first.course)
    if apart == 0:
        return []  # the same date: refused already
    if apart < steps:
        return [refuse("days_out_of_order", "infused_on", f"{names} do not follow each other in this order.", rule)]
    if apart > regimen.resume_same_course_days:
        message = (
            f"{names} are {apart} days apart. After more than {regimen.resume_same_course_days} days the prescriber "
            "decides whether the course goes on; a new authorization and laboratory tests are needed."
        )
        return [deviation("resumed_late", "infused_on", message, rule, by_prescriber=True)]
    if apart > steps:
        return [deviation("days_not_consecutive", "infused_on", f"{names} are not consecutive.", rule)]
    if steps > 1:
        return [remark("days_missing", "day_number", f"Days between are not on record: {names}.", rule)]
    return []

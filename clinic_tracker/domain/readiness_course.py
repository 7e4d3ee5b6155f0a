"""Readiness: whether this course may be given at this age, so soon and so often, and which day is next."""

from datetime import date

from clinic_tracker.domain.dosing import next_course_earliest
from clinic_tracker.domain.local_time import add_months, show_date
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.readiness_facts import MINIMUM_AGE, ReadinessFacts
from clinic_tracker.domain.readiness_items import Group, Item, Place, State, Stop

_FIRST, _SECOND = 1, 2
_PRESCRIBER_DECIDES = "Move the start of the course, or let the prescriber decide."


def course_checks(facts: ReadinessFacts) -> list[Item]:
    """Age, distance from the course before, number of courses, order of the days."""
    counted = [_count(facts)] if facts.rules.maximum_courses is not None else []
    return [_age(facts), _distance(facts), *counted, _days(facts)]


def _of_course(code: str, title: str, requirement: str, breach: str, short: str) -> Item:
    return Item(
        code=code,
        group=Group.COURSE,
        title=title,
        requirement=requirement,
        state=State.MET,
        weight=Stop.SOFT,
        words="",
        short=short,
        breach=breach,
        clears=_PRESCRIBER_DECIDES,
        permission=Permission.AUTHORIZE_COURSES,
        place=Place.PLAN,
    )


def _age(facts: ReadinessFacts) -> Item:
    """Safety is not established in younger patients (R-17)."""
    item = _of_course("age", "Age", "R-17", "too_young", f"under {MINIMUM_AGE} years")
    if facts.age >= MINIMUM_AGE:
        return item._replace(words=f"{facts.age} years on the first day.", evidence_on=facts.birth_date)
    words = f"The patient is {facts.age} on {show_date(facts.start_on)}; safety is not established under {MINIMUM_AGE}."
    from_on = add_months(facts.birth_date, MINIMUM_AGE * 12)
    return item._replace(state=State.TOO_SOON, words=f"{words} {MINIMUM_AGE} on {show_date(from_on)}.")


def _distance(facts: ReadinessFacts) -> Item:
    """Twelve months after the last dose of any course before (R-41, R-42)."""
    requirement = "R-41" if facts.course_number == _SECOND else "R-42"
    title = f"{facts.rules.min_gap_months} months since the last dose"
    item = _of_course("course_gap", title, requirement, "course_too_early", "too early after the course before")
    if facts.course_number == _FIRST:
        return item._replace(state=State.NOT_APPLICABLE, words="The first course.")
    last_on = _last_before(facts)
    if last_on is None:
        return item._replace(state=State.NOT_APPLICABLE, words="No earlier infusion is on record.")
    item = item._replace(evidence_on=last_on)
    earliest = next_course_earliest(last_on, facts.rules.min_gap_months)
    words = f"Last infusion of the course before on {show_date(last_on)}; this course from {show_date(earliest)}."
    if facts.start_on >= earliest:
        return item._replace(words=words)
    weight = Stop.HARD if facts.start_on <= last_on else Stop.SOFT
    return item._replace(state=State.TOO_SOON, weight=weight, words=words)


def _count(facts: ReadinessFacts) -> Item:
    """No more courses than the protocol foresees (E-05)."""
    most = facts.rules.maximum_courses or facts.course_number
    item = _of_course("course_count", f"At most {most} courses", "E-05", "too_many_courses", "too many courses")
    item = item._replace(clears="The prescriber decides whether the course is given at all.")
    if facts.course_number <= most:
        return item._replace(words=f"Course {facts.course_number} of at most {most}.")
    words = f"This is course {facts.course_number}; at most {most} are foreseen."
    return item._replace(state=State.EXCEEDED, words=words)


def _days(facts: ReadinessFacts) -> Item:
    """Days follow each other; after a gap the course is resumed, after a long one a prescriber decides (R-40)."""
    requirement = {_FIRST: "R-40", _SECOND: "R-41"}.get(facts.course_number, "R-42")
    item = _of_course("course_days", "Day of the course", requirement, "days_not_consecutive", "days not consecutive")
    item = item._replace(clears="The prescriber decides whether the course goes on.", place=Place.COURSES)
    given, of = facts.given, facts.planned_days
    on_day = next((one for one in facts.recorded if one.on == facts.on), None)
    if on_day is not None:
        return _given_on(item, facts, on_day.course, on_day.day_number)
    if facts.discontinued_on is not None:
        words = f"The course was discontinued on {show_date(facts.discontinued_on)}."
        return item._replace(
            state=State.EXCEEDED, weight=Stop.HARD, words=words, short="course ended", breach="course_discontinued"
        )
    if len(given) >= of:
        words = f"All {of} days of the course are on record."
        return item._replace(
            state=State.EXCEEDED, weight=Stop.HARD, words=words, short="all days given", breach="day_beyond_course"
        )
    before = [one for one in given if one.on < facts.on]
    if not before:
        return item._replace(words=f"Day {facts.day_number} of {of}.")
    return _after(item, facts, before[-1].day_number, before[-1].on)


def _given_on(item: Item, facts: ReadinessFacts, course: int, day_number: int) -> Item:
    """One infusion a day."""
    words = f"Day {day_number} of course {course} was given on {show_date(facts.on)}."
    if course == facts.course_number:
        return item._replace(words=words, evidence_on=facts.on)
    return item._replace(
        state=State.EXCEEDED,
        weight=Stop.HARD,
        words=f"{words[:-1]}: one infusion a day.",
        short="infused today",
        breach="date_already_infused",
    )


def _after(item: Item, facts: ReadinessFacts, last_number: int, last_on: date) -> Item:
    """The next day after the last one given; the days between are taken as given where they are still ahead."""
    apart, steps = (facts.on - last_on).days, facts.day_number - last_number
    words = f"Day {facts.day_number} of {facts.planned_days}; day {last_number} was given on {show_date(last_on)}"
    item = item._replace(evidence_on=last_on)
    if apart > facts.rules.resume_days:
        words += (
            f", {apart} days before. After more than {facts.rules.resume_days} days the prescriber decides whether the "
            "course goes on; a new authorization and laboratory tests are needed."
        )
        return item._replace(state=State.EXPIRED, words=words, short="resumed late", breach="resumed_late")
    if apart > steps:
        return item._replace(state=State.EXPIRED, words=f"{words}: the days are not consecutive.")
    return item._replace(words=f"{words}.")


def _last_before(facts: ReadinessFacts) -> date | None:
    return max((one.on for one in facts.recorded if one.course < facts.course_number), default=None)

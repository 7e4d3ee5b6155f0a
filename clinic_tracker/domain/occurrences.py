"""Forms and examinations: which occurrences there are, and which evidence does which of them.

One form a course, a series of forms from the first infusion, and examinations rolling from the one before. Each
function returns obligations sorted by due date and slot. (The slots of laboratory tests are in ``slots``.)
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import count, pairwise, repeat
from operator import attrgetter

from clinic_tracker.domain.calendar import add_business_days, add_months, months_after, whole_months_between
from clinic_tracker.domain.evidence import Track
from clinic_tracker.domain.facts import FormFact
from clinic_tracker.domain.obligation import Obligation, obligations_of
from clinic_tracker.domain.requirement import Period, Requirement, Unit
from clinic_tracker.domain.slots import Course, Span, is_waived, slot_names, waived_column


def course_forms(
    requirement: Requirement,
    courses: Sequence[Course],
    forms: Sequence[FormFact],
    waivers: Sequence[Span],
    holidays: frozenset[int],
) -> list[Obligation]:
    """One form for each course, owed from its last infusion on, done by the first submission since then (R-52)."""
    found = []
    for course in courses:
        done = ref = None
        for form in forms:
            if form.course == course.number and form.submitted >= course.last:
                done, ref = form.submitted, form.ref
                break
        slot = slot_names(requirement.slot, course.number, 1)[0]
        opens = course.last - requirement.opens.count
        due = _after(course.last, requirement.first_due, holidays)
        waived = is_waived(due, waivers)
        found.append(Obligation(requirement.code, course.number, 1, slot, opens, due, None, done, waived, ref))
    return sorted(found, key=_by_due_and_slot)


def form_series(
    requirement: Requirement,
    courses: Sequence[Course],
    gaps: Sequence[Span],
    forms: Sequence[FormFact],
    waivers: Sequence[Span],
) -> list[Obligation]:
    """Forms at equal distances from the first infusion of all; those due in a gap in monitoring are skipped (R-79).

    Each submission, in date order, does the earliest form that is neither done nor waived and open on that day.
    """
    start, step, early = courses[0].first, requirement.first_due.count, requirement.opens.count
    dues = months_after(start, step, whole_months_between(start, courses[-1].ends) // step)
    numbers: Sequence[int] = range(1, len(dues) + 1)
    slots: Sequence[str] = slot_names(requirement.slot, 0, len(dues))
    if gaps:
        kept = [place for place, due in enumerate(dues) if after_gap(due, gaps) == due]
        dues = [dues[place] for place in kept]
        numbers = [numbers[place] for place in kept]
        slots = [slots[place] for place in kept]
    submissions = iter(forms)
    done: list[FormFact | None] = []
    for due in dues:
        does_it = None
        if not (waivers and is_waived(due, waivers)):
            for form in submissions:
                # One from before this form opens did an earlier form or nothing: in either case it is used up.
                if form.submitted >= due - early:
                    does_it = form
                    break
        done.append(does_it)
    return obligations_of(
        repeat(requirement.code),
        repeat(0),
        numbers,
        slots,
        [due - early for due in dues],
        dues,
        repeat(None),
        [form and form.submitted for form in done],
        waived_column(dues, waivers),
        [form and form.ref for form in done],
    )


def rolling_exams(
    requirement: Requirement, courses: Sequence[Course], gaps: Sequence[Span], track: Track, waivers: Sequence[Span]
) -> list[Obligation]:
    """Examinations at a distance from the one before (R-75, R-76), up to the next that is neither done nor waived.

    Any later exam does the open one, early or late. A waived one counts as done on its due date, unless an exam comes
    before the next one would open. After that reckoning a due date in a gap in monitoring becomes the first infusion of
    the next course.
    """
    start, end = courses[0].first, courses[-1].ends
    step, early = requirement.first_due.count, requirement.opens.count
    before = bisect_right(track.days, start)
    exams = iter(track.days[before:])
    exam = next(exams, None)
    due = max(start, after_gap(add_months(track.days[before - 1], step), gaps)) if before else start
    dues: list[int] = []
    done: list[int | None] = []
    while due <= end:
        dues.append(due)
        waived = bool(waivers) and is_waived(due, waivers)
        next_if_waived = add_months(due, step) if waived else 0
        if exam is not None and (not waived or exam < next_if_waived - early):
            done.append(exam)
            due = after_gap(add_months(exam, step), gaps)
            exam = next(exams, None)
        else:
            done.append(None)
            if not waived:
                break
            due = after_gap(next_if_waived, gaps)
    found = obligations_of(
        repeat(requirement.code),
        repeat(0),
        count(1),
        slot_names(requirement.slot, 0, len(dues)),
        [due - early for due in dues],
        dues,
        repeat(None),
        done,
        waived_column(dues, waivers),
        track.refs_of(done),
    )
    found.sort(key=_by_due_and_slot)
    return found


def gaps_in_monitoring(courses: Sequence[Course]) -> list[Span]:
    """(end of monitoring, first infusion of the next course) wherever a course was given only after that end."""
    return [(before.ends, after.first) for before, after in pairwise(courses) if before.ends < after.first]


def after_gap(due: int, gaps: Iterable[Span]) -> int:
    """The due date, or the first infusion of the next course if it lies in a gap in monitoring."""
    for ends, resumes in gaps:
        if ends < due < resumes:
            return resumes
    return due


def _after(day: int, period: Period, holidays: frozenset[int]) -> int:
    if period.unit is Unit.BUSINESS_DAYS:
        return add_business_days(day, period.count, holidays)
    return day + period.count


_by_due_and_slot = attrgetter("due", "slot")

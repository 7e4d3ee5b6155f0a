"""Which occurrences each kind of requirement has, and which evidence does which of them.

There are four kinds, told apart by what they count from: the slots of a course (labs), one form a course, a series of
forms from the first infusion, and rolling examinations. Each function returns obligations sorted by due date and slot.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Container, Iterable, Mapping
from functools import lru_cache, partial
from itertools import pairwise, repeat
from typing import NamedTuple, cast

from clinic_tracker.domain.calendar import add_business_days, add_months, months_after, whole_months_between
from clinic_tracker.domain.evidence import Days
from clinic_tracker.domain.history import FormFact
from clinic_tracker.domain.obligation import Obligation
from clinic_tracker.domain.requirement import Period, Requirement, Unit

Span = tuple[int, int]

#: Makes an obligation of a tuple of its columns. ``Obligation(...)`` costs a Python call each time; ``tuple.__new__``
#: under ``map`` does not, and with some 220 obligations a patient that is half of the time of a forecast.
_to_obligation = cast("Callable[[tuple[object, ...]], Obligation]", partial(tuple.__new__, Obligation))


class Course(NamedTuple):
    """A course given, and the span in which its slots live."""

    number: int
    first: int  # first infusion
    last: int  # last infusion
    ends: int  # end of its monitoring
    until: int  # the day before the next course; far away for the latest


class Grid(NamedTuple):
    """The slots of one course at one cadence, as columns."""

    slots: tuple[str, ...]
    opens: list[int]
    dues: list[int]
    closes: list[int]


def course_grid(course: Course, requirement: Requirement) -> Grid:
    """The slots of a course: due every so many months after its last infusion, always from that date (decision 1).

    Each closes the day before the next would open, so windows neither overlap nor leave a gap (decision 7).
    """
    step, early = requirement.first_due.count, requirement.opens.count
    count = max(0, whole_months_between(course.last, min(course.ends, course.until)) // step)
    dues = months_after(course.last, step, count + 1)  # one more than there are, for the window of the last
    opens = [due - early for due in dues]
    closes = [next_opens - 1 for next_opens in opens[1:]]
    next_due = dues.pop()
    opens.pop()
    if closes and (next_due <= course.ends or closes[-1] > course.until):
        # Either the next slot would still be due but gives way to a further course, and the last stays open until then;
        # or the further course comes before the window ends.
        closes[-1] = course.until
    return Grid(slot_names(requirement.slot, course.number, count), opens, dues, closes)


def grid_obligations(
    requirement: Requirement, course: Course, grid: Grid, evidence: Days, days: list[int], waivers: list[Span]
) -> Iterable[Obligation]:
    """The obligations of a grid. The first draw inside a window does the slot, on time or late; other draws do none."""
    slots, opens, dues, closes = grid
    if not slots:
        return ()
    inside = days[bisect_left(days, opens[0]) : bisect_right(days, closes[-1])]
    # Windows follow each other without a gap, so the number of openings up to a draw is the number of its slot. Latest
    # draws first: in the dictionary the first draw of each slot is then written last, and stays.
    inside.reverse()
    first_draws = dict(zip([bisect_right(opens, day) for day in inside], inside, strict=True))
    occurrences = range(1, len(slots) + 1)
    done = [first_draws.get(occurrence) for occurrence in occurrences]
    columns = (
        repeat(requirement.code),
        repeat(course.number),
        occurrences,
        slots,
        opens,
        dues,
        closes,
        done,
        [is_waived(due, waivers) for due in dues] if waivers else repeat(False),
        map(cast("Mapping[int | None, int | None]", evidence).get, done),
    )
    return map(_to_obligation, zip(*columns, strict=False))


def course_forms(
    requirement: Requirement,
    courses: Iterable[Course],
    forms: list[FormFact],
    waivers: list[Span],
    holidays: Container[int],
) -> list[Obligation]:
    """One form for each course, owed from its last infusion on, done by the first submission since then (R-52)."""
    found = []
    for course in courses:
        done = next((form for form in forms if form.course == course.number and form.submitted >= course.last), None)
        due = _after(course.last, requirement.first_due, holidays)
        found.append(
            Obligation(
                requirement.code,
                course.number,
                1,
                requirement.slot.format(course=course.number),
                course.last - requirement.opens.count,
                due,
                None,
                done.submitted if done else None,
                is_waived(due, waivers),
                done.ref if done else None,
            )
        )
    return sorted(found, key=_by_due_and_slot)


def form_series(
    requirement: Requirement, courses: list[Course], forms: list[FormFact], waivers: list[Span]
) -> list[Obligation]:
    """Forms at equal distances from the first infusion of all; those due in a gap in monitoring are skipped (R-79).

    Each submission, in date order, does the earliest form that is neither done nor waived and open on that day.
    """
    start, step = courses[0].first, requirement.first_due.count
    count = whole_months_between(start, courses[-1].ends) // step
    gaps = gaps_in_monitoring(courses)
    submissions = iter(forms)
    found = []
    for number, due in enumerate(months_after(start, step, count), start=1):
        if any(ends < due < resumes for ends, resumes in gaps):
            continue
        opens, waived = due - requirement.opens.count, is_waived(due, waivers)
        # A submission before this form opens did an earlier one or nothing: in either case it is used up.
        done = None if waived else next((form for form in submissions if form.submitted >= opens), None)
        found.append(
            Obligation(
                requirement.code,
                0,
                number,
                requirement.slot.format(n=number),
                opens,
                due,
                None,
                done.submitted if done else None,
                waived,
                done.ref if done else None,
            )
        )
    return found


def rolling_exams(
    requirement: Requirement, courses: list[Course], evidence: Days, days: list[int], waivers: list[Span]
) -> list[Obligation]:
    """Examinations at a distance from the one before (R-75, R-76), up to the next that is neither done nor waived.

    Any later exam does the open one, early or late. A waived one counts as done on its due date, unless an exam comes
    before the next one opens. A due date in a gap in monitoring moves to the first infusion of the next course.
    """
    start, step, early = courses[0].first, requirement.first_due.count, requirement.opens.count
    gaps = gaps_in_monitoring(courses)

    def due_after(day: int) -> int:
        due = add_months(day, step)
        return next((resumes for ends, resumes in gaps if ends < due < resumes), due)

    later = bisect_right(days, start)
    exams = iter(days[later:])
    exam = next(exams, None)
    due = max(start, due_after(days[later - 1])) if later else start
    found: list[Obligation] = []
    while due <= courses[-1].ends:
        waived = is_waived(due, waivers)
        does_it = exam is not None and (not waived or exam < due_after(due) - early)
        done = exam if does_it else None
        number = len(found) + 1
        slot = requirement.slot.format(n=number)
        ref = evidence[done] if done is not None else None
        found.append(Obligation(requirement.code, 0, number, slot, due - early, due, None, done, waived, ref))
        if done is not None:
            exam = next(exams, None)
            due = due_after(done)
        elif waived:
            due = due_after(due)
        else:
            break
    return sorted(found, key=_by_due_and_slot)


def gaps_in_monitoring(courses: list[Course]) -> list[Span]:
    """(end of monitoring, first infusion of the next course) wherever a course was given only after that end."""
    return [(before.ends, after.first) for before, after in pairwise(courses) if before.ends < after.first]


def is_waived(due: int, waivers: Iterable[Span]) -> bool:
    """Whether a due date lies inside a waiver, both days included."""
    return any(first <= due <= last for first, last in waivers)


@lru_cache(maxsize=4096)
def slot_names(pattern: str, course: int, count: int) -> tuple[str, ...]:
    """C1M1, C1M2, ... Cached: most patients have the same few courses and lengths."""
    return tuple(pattern.format(course=course, n=number) for number in range(1, count + 1))


def _after(day: int, period: Period, holidays: Container[int]) -> int:
    if period.unit is Unit.BUSINESS_DAYS:
        return add_business_days(day, period.count, holidays)
    return day + period.count


def _by_due_and_slot(obligation: Obligation) -> tuple[int, str]:
    return obligation.due, obligation.slot

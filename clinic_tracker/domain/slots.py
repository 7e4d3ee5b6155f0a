"""The slots of laboratory tests: a grid of windows counted from the last infusion of each course, and who does them.

Slots are computed as columns, once for all tests of one cadence, and matched with the draws of each test in turn. This
is where a forecast spends its time: a patient has some sixty slots of each monthly test.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import repeat
from typing import NamedTuple

from clinic_tracker.domain.calendar import months_after, whole_months_between
from clinic_tracker.domain.evidence import Track
from clinic_tracker.domain.obligation import Obligation, obligations_of
from clinic_tracker.domain.requirement import Requirement

#: First and last day of something, both included.
Span = tuple[int, int]


class Course(NamedTuple):
    """A course given, and the span in which its slots live."""

    number: int
    first: int  # first infusion
    last: int  # last infusion
    ends: int  # end of its monitoring
    until: int  # the day before the next course; far away for the latest


class Grid(NamedTuple):
    """The slots of all courses at one cadence, as columns in order of time.

    ``bounds`` are the days on which a window opens, and after each course the day on which its last window has closed.
    The number of bounds up to a day is the place of that day; ``places`` are those of the slots.
    """

    bounds: Sequence[int]
    places: Sequence[int]
    courses: Sequence[int]
    occurrences: Sequence[int]
    slots: Sequence[str]
    opens: Sequence[int]
    dues: Sequence[int]
    closes: Sequence[int]


@lru_cache(maxsize=1024)
def slot_grid(courses: tuple[Course, ...], pattern: str, step: int, early: int) -> Grid:
    """The slots of a cadence: due every ``step`` months after the last infusion of a course, always from that date.

    Each closes the day before the next would open, so windows neither overlap nor leave a gap (decisions 1, 3 and 7).
    Cached: a patient's courses change a few times in five years, his results every month.
    """
    bounds: list[int] = []
    slots: list[tuple[int, int, int, str, int, int, int]] = []
    for number, _, last, ends, until in courses:
        count = whole_months_between(last, min(ends, until)) // step
        if count <= 0:
            continue
        dues = months_after(last, step, count + 1)  # one more than there are: it ends the window of the last
        opens = [due - early for due in dues]
        if dues.pop() <= ends or opens[-1] > until:
            # The next slot would still be due but gives way to a further course: the last stays open until then. And
            # no slot stays open beyond the day before a further course.
            opens[-1] = until + 1
        closes = [day - 1 for day in opens[1:]]
        places = range(len(bounds) + 1, len(bounds) + 1 + count)
        occurrences, names = range(1, count + 1), slot_names(pattern, number, count)
        slots += zip(places, repeat(number), occurrences, names, opens, dues, closes, strict=False)
        bounds += opens
    places_to_closes = zip(*slots, strict=True) if slots else repeat((), len(Grid._fields) - 1)
    return Grid(tuple(bounds), *places_to_closes)


def draws_that_count(grid: Grid, days: Sequence[int]) -> list[int | None]:
    """For each slot the first draw inside its window, on time or late, or None. ``days`` are in order of time."""
    # From the latest draw to the first: of several in a window the first is written last, and stays.
    latest_first = days[::-1]
    places = map(bisect_right, repeat(grid.bounds), latest_first)
    first_draws = dict(zip(places, latest_first, strict=True))
    return list(map(first_draws.get, grid.places))


def slot_obligations(
    requirement: Requirement, grid: Grid, done: list[int | None], track: Track, waivers: Sequence[Span]
) -> list[Obligation]:
    """The obligations of one test: the columns of the grid and what was done, turned into rows."""
    return obligations_of(
        repeat(requirement.code),
        grid.courses,
        grid.occurrences,
        grid.slots,
        grid.opens,
        grid.dues,
        grid.closes,
        done,
        waived_column(grid.dues, waivers),
        track.refs_of(done),
    )


def waived_column(dues: Iterable[int], waivers: Sequence[Span]) -> Iterable[bool]:
    """Which due dates are waived; patients without waivers, nearly all, pay nothing."""
    return [is_waived(due, waivers) for due in dues] if waivers else repeat(False)


def is_waived(due: int, waivers: Iterable[Span]) -> bool:
    """Whether a due date lies inside a waiver, both days included."""
    return any(first <= due <= last for first, last in waivers)


@lru_cache(maxsize=4096)
def slot_names(pattern: str, course: int, count: int) -> tuple[str, ...]:
    """C1M1, C1M2, ... Cached: most patients have the same few courses and lengths."""
    return tuple(pattern.format(course=course, n=number) for number in range(1, count + 1))

"""The words of the schedule of the suite: the week, one day, what does not go together."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from clinic_tracker.domain.booked_days import Conflict, Told, Week
from clinic_tracker.domain.chair_schedule import Axis, Hours, axis, chair_words, clashes, lanes
from clinic_tracker.domain.local_time import show_date, to_local
from clinic_tracker.domain.readiness import Readiness
from clinic_tracker.queries.chairs import BookingRow, ChairRow, suite_times
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.suite_week import SuiteDays
from clinic_tracker.web.filters import clock

# What is only worth a look stands in amber, what must be changed in red.
MILD = frozenset({Conflict.GAP, Conflict.OUTSIDE_HOURS, Conflict.START_DIFFERS, Conflict.NOT_GIVEN})


@dataclass(frozen=True, slots=True)
class Block:
    """One booking as the schedule shows it."""

    row: BookingRow
    day_number: int | None
    is_given: bool
    is_today: bool
    readiness: Readiness | None
    conflicts: tuple[Told, ...]
    times: str

    @property
    def day_words(self) -> str:
        """Course 1, day 2 of 5."""
        day = f", day {self.day_number} of {self.row.planned_days}" if self.day_number else ""
        return f"Course {self.row.course_number}{day}"

    @property
    def state(self) -> tuple[str, str]:
        """The shape and the short words of how the day stands."""
        if self.is_given:
            return ("due", "started today") if self.is_today else ("done", "given")
        if self.readiness is None:
            return "waived", "not given"
        if self.readiness.is_ready:
            return "done", "ready"
        count = len(self.readiness.blockers)
        return "overdue" if self.readiness.is_stopped else "due", f"not ready: {count} open"

    @property
    def tone(self) -> str:
        """The color of what does not go together; empty when everything does."""
        if not self.conflicts:
            return ""
        return "amber" if all(told.conflict in MILD for told in self.conflicts) else "red"


@dataclass(frozen=True, slots=True)
class ChairLine:
    """A chair with its bookings, one list a day."""

    chair: ChairRow
    cells: tuple[tuple[Block, ...], ...]


@dataclass(frozen=True, slots=True)
class WeekPage:
    """A week of the suite."""

    week: Week
    days: tuple[date, ...]
    lines: list[ChairLine]
    conflicts: list[Block]
    suite: SuiteDays
    booked: int

    @property
    def words(self) -> str:
        """Week 4, 19-Jan-2026 to 25-Jan-2026."""
        return f"Week {self.week.number}, {show_date(self.week.days[0])} to {show_date(self.week.days[-1])}"


@dataclass(frozen=True, slots=True)
class DrawnCell:
    """A stretch of a chair's day: a booking or nobody."""

    quarters: int
    block: Block | None


@dataclass(frozen=True, slots=True)
class DrawnLine:
    """A chair's day as stretches; ``more`` are further lanes, where bookings overlap."""

    chair: ChairRow
    lanes: list[list[DrawnCell]]


@dataclass(frozen=True, slots=True)
class DayPage:
    """One day of the suite."""

    day: date
    hours: list[str]
    lines: list[DrawnLine]
    blocks: list[Block]
    conflicts: list[Block]
    suite: SuiteDays


def week_page(scope: Scope, week: Week, suite: SuiteDays) -> WeekPage:
    """The week as a table: chairs down, days across."""
    blocks = _blocks(scope, suite)
    days = week.shown({block.row.booked_on for block in blocks})
    cells: defaultdict[tuple[int, date], list[Block]] = defaultdict(list)
    for block in blocks:
        cells[block.row.chair_id, block.row.booked_on].append(block)
    lines = [
        ChairLine(chair, tuple(tuple(cells[chair.id, day]) for day in days)) for chair in _chairs_shown(suite, blocks)
    ]
    return WeekPage(week, days, lines, [block for block in blocks if block.conflicts], suite, len(blocks))


def day_page(scope: Scope, day: date, suite: SuiteDays) -> DayPage:
    """The day as a picture: chairs down, hours across; and as a list."""
    blocks = _blocks(scope, suite)
    found = {block.row.id: block for block in blocks}
    along = axis(suite_times(scope).hours.on(day, scope.time_zone), [block.row.span for block in blocks])
    lines = [DrawnLine(chair, list(_drawn(found, along, chair))) for chair in _chairs_shown(suite, blocks)]
    hours = [f"{to_local(hour, scope.time_zone):%H}" for hour in along.hours]
    return DayPage(day, hours, lines, blocks, [block for block in blocks if block.conflicts], suite)


def times_words(starts_at: datetime, ends_at: datetime, time_zone: str) -> str:
    """08:00 to 16:00."""
    return f"{clock(starts_at, time_zone)} to {clock(ends_at, time_zone)}"


def _drawn(found: dict[int, Block], along: Axis, chair: ChairRow) -> Iterator[list[DrawnCell]]:
    held = [block.row.held for block in found.values() if block.row.chair_id == chair.id]
    for lane in lanes(held, along):
        yield [DrawnCell(cell.quarters, found[cell.key] if cell.key is not None else None) for cell in lane]


def _chairs_shown(suite: SuiteDays, blocks: Sequence[Block]) -> list[ChairRow]:
    """The chairs in use, and those taken out of use that somebody is booked in."""
    booked = {block.row.chair_id for block in blocks}
    return [chair for chair in suite.chairs if chair.is_active or chair.id in booked]


def _blocks(scope: Scope, suite: SuiteDays) -> list[Block]:
    overlapping = clashes(row.held for row in suite.bookings)
    people: defaultdict[tuple[int, date], int] = defaultdict(int)
    for row in suite.bookings:
        people[row.patient_id, row.booked_on] += 1
    hours = suite_times(scope).hours
    blocks = []
    for row in suite.bookings:
        course = suite.courses[row.course_id]
        given = row.booked_on in course.given
        told = [] if given else list(course.conflicts(row.booked_on, scope.today))
        if not given and row.booked_on >= scope.today:
            shared = row.id in overlapping
            twice = people[row.patient_id, row.booked_on] > 1
            told += _of_suite(scope, row, hours, shared=shared, twice=twice)
        blocks.append(
            Block(
                row,
                course.day_number(row.booked_on, scope.today),
                given,
                row.booked_on == scope.today,
                suite.readiness.get((row.course_id, row.booked_on)),
                tuple(sorted(told, key=lambda one: list(Conflict).index(one.conflict))),
                times_words(row.starts_at, row.ends_at, scope.time_zone),
            )
        )
    return blocks


def _of_suite(scope: Scope, row: BookingRow, hours: Hours, *, shared: bool, twice: bool) -> Iterator[Told]:
    """What a booking to come has against the chair, the hours and the other bookings."""
    if shared:
        yield Told(Conflict.OVERLAP, f"{chair_words(row.chair_name)} is booked twice at this time.")
    if not row.chair_is_active:
        yield Told(Conflict.CHAIR_RETIRED, f"{chair_words(row.chair_name)} is no longer in use.")
    if twice:
        yield Told(Conflict.TWICE, "The patient has two chairs on this day.")
    if outside := hours.outside(row.span, scope.time_zone):
        yield Told(Conflict.OUTSIDE_HOURS, outside)

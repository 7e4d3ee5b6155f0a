"""The chairs of the suite: who sits where when, which chair is free, and where each day of a course would go."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import combinations, pairwise
from typing import NamedTuple

from clinic_tracker.domain.local_time import to_local, to_utc, zone


class Span(NamedTuple):
    """A stretch of time, the end not included: one may begin in the minute in which the other ends."""

    starts_at: datetime
    ends_at: datetime

    def meets(self, other: "Span") -> bool:
        """Whether the two have any time in common."""
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at


class Held(NamedTuple):
    """A chair held for a while; ``key`` is the booking's."""

    key: int
    chair: int
    span: Span

    def clashes(self, other: "Held") -> bool:
        """Whether both hold the same chair at the same time."""
        return self.key != other.key and self.chair == other.chair and self.span.meets(other.span)


class Wanted(NamedTuple):
    """A time that is asked for, in a chair or in the first that is free."""

    span: Span
    chair: int | None = None


class Place(NamedTuple):
    """What becomes of a wanted time: the chair, or what stands in the way; ``free`` are the chairs without anybody."""

    chair: int | None
    clash: Held | None
    free: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ChairPlan:
    """The chairs in use, in their order, and who holds them. Changes give a new plan."""

    chairs: tuple[int, ...]
    held: tuple[Held, ...]

    def clash(self, wanted: Held) -> Held | None:
        """The earliest booking that holds the same chair at the time; a booking never clashes with itself."""
        return min(filter(wanted.clashes, self.held), key=lambda one: one.span, default=None)

    def free(self, span: Span) -> tuple[int, ...]:
        """The chairs that nobody holds in that time, in their order."""
        taken = {one.chair for one in self.held if one.span.meets(span)}
        return tuple(chair for chair in self.chairs if chair not in taken)

    def free_throughout(self, spans: Iterable[Span]) -> int | None:
        """The first chair that is free in all the times; None when there is no such chair."""
        sets = [set(self.free(span)) for span in spans]
        return next((chair for chair in self.chairs if all(chair in free for free in sets)), None)

    def with_held(self, *more: Held) -> "ChairPlan":
        """The plan with bookings added; ValueError when one clashes: ask ``clash`` first."""
        plan = self
        for one in more:
            if plan.clash(one) is not None:
                message = f"chair {one.chair} is taken"
                raise ValueError(message)
            plan = replace(plan, held=(*plan.held, one))
        return plan

    def without(self, *keys: int) -> "ChairPlan":
        """The plan without some bookings."""
        return replace(self, held=tuple(one for one in self.held if one.key not in keys))

    def arrange(self, wanted: Sequence[Wanted]) -> tuple[Place, ...]:
        """Where each wanted time would go, beside the bookings and beside each other.

        Whoever takes any chair gets one and the same for all days where that is possible, else the first that is free.
        """
        plan, places = self, []
        anywhere = self.free_throughout(one.span for one in wanted if one.chair is None)
        for number, one in enumerate(wanted, start=1):
            free = plan.free(one.span)
            chair = one.chair if one.chair is not None else _preferred(anywhere, free)
            held = Held(-number, chair, one.span) if chair is not None else None
            clash = plan.clash(held) if held is not None else None
            places.append(Place(chair, clash, free))
            if held is not None and clash is None:
                plan = plan.with_held(held)
        return tuple(places)

    def move(self, moves: Sequence[tuple[int, Wanted]]) -> tuple[Place, ...]:
        """Where bookings go that leave their places all at once, by key, so that two may exchange their chairs."""
        return self.without(*(key for key, _wanted in moves)).arrange([wanted for _key, wanted in moves])


def _preferred(anywhere: int | None, free: Sequence[int]) -> int | None:
    return anywhere if anywhere in free else next(iter(free), None)


def clashes(held: Iterable[Held]) -> dict[int, Held]:
    """The bookings that share a chair with another at the same time; by key, the first other one."""
    found: dict[int, Held] = {}
    for one, other in combinations(sorted(held, key=lambda row: (row.span, row.key)), 2):
        if one.clashes(other):
            found.setdefault(one.key, other)
            found.setdefault(other.key, one)
    return found


def same_clock(first: datetime, days: Iterable[date], zone_name: str) -> list[datetime]:
    """The same time on the wall on other days, to propose; where the clocks jump over it, the moment after it."""
    clock = to_local(first, zone_name).time().replace(fold=0)
    return [datetime.combine(day, clock, zone(zone_name)).astimezone(UTC) for day in days]


def for_minutes(starts_at: datetime, minutes: int) -> Span:
    """So many minutes from an instant; they really pass, whatever the clocks on the wall do (decision 28)."""
    begun = to_utc(starts_at)
    return Span(begun, begun + timedelta(minutes=minutes))


# ---------------------------------------------------------------------------------------------- opening hours

HOURS_IN_DAY = 24


class Hours(NamedTuple):
    """When the suite opens and closes, by its own clock; 24 is midnight."""

    opens: int
    closes: int

    def on(self, day: date, zone_name: str) -> Span:
        """The opening of a day as instants."""
        return Span(_hour(day, self.opens, zone_name), _hour(day, self.closes, zone_name))

    def outside(self, span: Span, zone_name: str) -> str | None:
        """What of a time lies outside of the opening of its first day, in a sentence; None when nothing does."""
        opening = self.on(to_local(span.starts_at, zone_name).date(), zone_name)
        told = []
        if span.starts_at < opening.starts_at:
            told.append(f"starts before the suite opens at {self.opens:02}:00")
        if span.ends_at > opening.ends_at:
            told.append(f"ends after the suite closes at {self.closes:02}:00")
        return f"The time {' and '.join(told)}." if told else None


def _hour(day: date, hour: int, zone_name: str) -> datetime:
    at = datetime.combine(day + timedelta(days=hour // HOURS_IN_DAY), time(hour % HOURS_IN_DAY))
    return at.replace(tzinfo=zone(zone_name)).astimezone(UTC)


# --------------------------------------------------------------------------------------- the picture of one day

QUARTER = timedelta(minutes=15)
QUARTERS_IN_HOUR = 4


class Cell(NamedTuple):
    """A stretch of a lane in quarters of an hour; ``key`` is the booking in it, or None."""

    quarters: int
    key: int | None


@dataclass(frozen=True, slots=True)
class Axis:
    """The hours that the picture of a day shows."""

    starts_at: datetime
    hours: tuple[datetime, ...]

    @property
    def quarters(self) -> int:
        """How many quarters of an hour are shown."""
        return len(self.hours) * QUARTERS_IN_HOUR

    def between(self, span: Span) -> tuple[int, int]:
        """The first quarter of a time and the one after its last, inside of what is shown."""
        first = (span.starts_at - self.starts_at) // QUARTER
        after = -((self.starts_at - span.ends_at) // QUARTER)
        return min(max(first, 0), self.quarters - 1), min(max(after, first + 1, 1), self.quarters)


def axis(opening: Span, spans: Iterable[Span]) -> Axis:
    """The opening of a day, longer where somebody comes earlier or stays later."""
    hour = timedelta(hours=1)
    whole = [opening, *spans]
    first = min(span.starts_at for span in whole)
    last = max(span.ends_at for span in whole)
    start = opening.starts_at + ((first - opening.starts_at) // hour) * hour
    count = max(-((start - last) // hour), 1)
    return Axis(start, tuple(start + number * hour for number in range(count)))


def lanes(held: Iterable[Held], along: Axis) -> list[list[Cell]]:
    """The bookings of one chair side by side without overlap: one lane, more only where bookings clash."""
    found: list[list[tuple[int, int, int]]] = []
    for one in sorted(held, key=lambda row: (row.span, row.key)):
        first, after = along.between(one.span)
        lane = next((lane for lane in found if lane[-1][1] <= first), None)
        if lane is None:
            found.append(lane := [])
        lane.append((first, after, one.key))
    return [list(_cells(lane, along.quarters)) for lane in found or [[]]]


def _cells(lane: Sequence[tuple[int, int, int]], quarters: int) -> Iterator[Cell]:
    at = 0
    for first, after, key in lane:
        yield from _gap(at, first)
        yield Cell(after - first, key)
        at = after
    yield from _gap(at, quarters)


def _gap(start: int, end: int) -> Iterator[Cell]:
    """Nobody, cut at full hours, so that the hours remain to be seen."""
    marks = [start, *range((start // QUARTERS_IN_HOUR + 1) * QUARTERS_IN_HOUR, end, QUARTERS_IN_HOUR), end]
    for one, other in pairwise(marks):
        if other > one:
            yield Cell(other - one, None)


def chair_words(name: str) -> str:
    """Chair 4; a name that does not begin with a number stands for itself."""
    return f"Chair {name}" if name[:1].isdigit() else name

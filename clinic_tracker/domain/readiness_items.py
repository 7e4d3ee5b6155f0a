"""One check of readiness, as it stands; and the whole list of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from clinic_tracker.domain.baseline_facts import BaselineState as State
from clinic_tracker.domain.notes import Note, deviation, refuse, remark
from clinic_tracker.domain.permissions import Permission

__all__ = ["Group", "Item", "Move", "Place", "Readiness", "State", "Stop", "compare"]

_NAMED = 3  # of what stands in the way, so many are named in one line
_SETTLED = frozenset({State.MET, State.NOT_APPLICABLE})


class Stop(StrEnum):
    """What an open check does: nothing lifts it, a prescriber's reason does, it warns, it only advises."""

    HARD = "hard"
    SOFT = "soft"
    WARN = "warn"
    ADVICE = "advice"


class Group(StrEnum):
    """Where a check stands in the list."""

    PAPERS = "papers"
    COURSE = "course"
    TESTS = "tests"
    DAY = "day"


class Place(StrEnum):
    """Where a check is cleared; a page turns it into a link."""

    ENROLLMENT = "enrollment"
    FACILITY = "facility"
    PRESCRIBERS = "prescribers"
    PLAN = "plan"
    AUTHORIZE = "authorize"
    VERIFY = "verify"
    RESULTS = "results"
    EXAMS = "exams"
    COURSES = "courses"
    START = "start"
    VITALS = "vitals"
    PREMEDICATION = "premedication"
    PROPHYLAXIS = "prophylaxis"


class Item(NamedTuple):
    """One check: how it stands, the evidence and its date, until which day that holds, what would clear it and who can.

    ``breach`` is the code of the deviation that an open check becomes; ``short`` names it in one line.
    """

    code: str
    group: Group
    title: str
    requirement: str
    state: State
    weight: Stop
    words: str
    short: str
    breach: str
    clears: str
    permission: Permission
    place: Place
    evidence_on: date | None = None
    expires_on: date | None = None
    unconfirmed: bool = False

    @property
    def is_open(self) -> bool:
        """Whether something is left to do, to confirm or to decide."""
        return self.state not in _SETTLED

    @property
    def stops(self) -> bool:
        """Whether an infusion may not start as it stands; what is confirmed on the day itself does not count yet."""
        return self.is_open and self.state is not State.TO_CONFIRM and self.weight in {Stop.HARD, Stop.SOFT}

    @property
    def hard(self) -> bool:
        """Whether no reason lifts it."""
        return self.stops and self.weight is Stop.HARD

    @property
    def note(self) -> Note:
        """The same as a note of a verdict on a start that is under way: a soft stop is for a prescriber to decide."""
        if self.hard:
            return refuse(self.breach, None, self.words, self.requirement)
        if self.stops:
            return deviation(self.breach, None, self.words, self.requirement, by_prescriber=True)
        return remark(self.breach, None, self.words, self.requirement)


@dataclass(frozen=True, slots=True)
class Readiness:
    """The answer to "may this patient be infused on this day?": every check, in the order of the list."""

    on: date
    start_on: date
    day_number: int
    items: tuple[Item, ...]

    @property
    def blockers(self) -> tuple[Item, ...]:
        """What stands in the way, hard stops first."""
        return tuple(sorted((item for item in self.items if item.stops), key=lambda item: not item.hard))

    @property
    def is_stopped(self) -> bool:
        """Whether a start is refused whatever the reason."""
        return any(item.hard for item in self.items)

    @property
    def is_ready(self) -> bool:
        """Whether nothing stands in the way."""
        return not self.blockers

    @property
    def warnings(self) -> tuple[Item, ...]:
        """What is open and only shown."""
        return tuple(
            item for item in self.items if item.is_open and not item.stops and item.state is not State.TO_CONFIRM
        )

    @property
    def to_confirm(self) -> tuple[Item, ...]:
        """What is confirmed or done on the day itself, or is to be decided."""
        return tuple(item for item in self.items if item.state is State.TO_CONFIRM)

    @property
    def holds_until(self) -> date | None:
        """The last day on which nothing that is met now and stops a start has lapsed; None if nothing ever lapses."""
        met = (item.expires_on for item in self.items if item.state is State.MET and item.weight in _STOPPING)
        return min((day for day in met if day is not None), default=None)

    @property
    def summary(self) -> str:
        """One short line: "Ready", or "Not ready: TSH expired, not verified"."""
        found = self.blockers
        if not found:
            return "Ready"
        more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        return f"Not ready: {', '.join(item.short for item in found[:_NAMED])}{more}"

    def item(self, code: str) -> Item:
        """The check with this code; KeyError if the protocol does not ask for it."""
        for item in self.items:
            if item.code == code:
                return item
        raise KeyError(code)


_STOPPING = frozenset({Stop.HARD, Stop.SOFT})


class Move(NamedTuple):
    """What another day changes."""

    lapses: tuple[Item, ...]
    becomes_met: tuple[Item, ...]


def compare(before: Readiness, after: Readiness) -> Move:
    """The checks that are met on one day and open on the other, as they stand on the other; and the reverse."""
    then = {item.code: item for item in before.items}
    return Move(
        tuple(item for item in _open(after.items) if item.code in then and _is_met(then[item.code])),
        tuple(item for item in after.items if _is_met(item) and item.code in then and _is_lacking(then[item.code])),
    )


def _is_met(item: Item) -> bool:
    return item.state is State.MET


def _is_lacking(item: Item) -> bool:
    return item.is_open and item.state is not State.TO_CONFIRM


def _open(items: Iterable[Item]) -> list[Item]:
    return [item for item in items if _is_lacking(item)]

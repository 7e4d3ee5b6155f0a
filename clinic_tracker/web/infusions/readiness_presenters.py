"""The words of readiness: each check with its state, who can clear it, and where."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any
from uuid import UUID

from flask import url_for

from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.permissions import ROLE_TITLES, roles_with
from clinic_tracker.domain.readiness import (
    Group,
    Item,
    Place,
    Readiness,
    ReadinessFacts,
    State,
    Stop,
    compare,
    is_of_course,
    is_of_resumption,
    moved_to,
    readiness,
)
from clinic_tracker.queries.readiness import facts_of
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.treatment import Treatment, treatment_of
from clinic_tracker.queries.treatment_rows import CourseRow
from clinic_tracker.web.patients.pages import OpenChart

STATE_WORDS: Mapping[State, tuple[str, str]] = MappingProxyType(
    {
        State.MET: ("done", "Met"),
        State.MISSING: ("overdue", "Missing"),
        State.EXPIRED: ("overdue", "Expired"),
        State.EXPIRES_BEFORE_START: ("overdue", "Expires before the day"),
        State.NOT_APPLICABLE: ("waived", "Not applicable"),
        State.TOO_SOON: ("overdue", "Too soon"),
        State.CONTRAINDICATED: ("overdue", "Contraindication"),
        State.TO_CONFIRM: ("upcoming", "To confirm"),
        State.EXCEEDED: ("overdue", "Too many"),
    }
)
WEIGHT_WORDS: Mapping[Stop, str] = MappingProxyType(
    {
        Stop.HARD: "Stops the infusion",
        Stop.SOFT: "Needs a prescriber's reason",
        Stop.WARN: "Warning",
        Stop.ADVICE: "Advice",
    }
)
GROUP_TITLES: Mapping[Group, str] = MappingProxyType(
    {
        Group.PAPERS: "Enrollment, certification and authorization",
        Group.COURSE: "The course",
        Group.TESTS: "Tests, screening and vaccines",
        Group.DAY: "On the day, before the start",
    }
)
# The page on which each thing is cleared: the endpoint, and whether its address names the patient and the course.
_PAGES: Mapping[Place, tuple[str, str]] = MappingProxyType(
    {
        Place.ENROLLMENT: ("patients.enroll", "patient"),
        Place.FACILITY: ("admin.certification", ""),
        Place.PRESCRIBERS: ("admin.prescribers", ""),
        Place.PLAN: ("infusions.edit_course", "patient course"),
        Place.AUTHORIZE: ("infusions.authorize", "patient course"),
        Place.VERIFY: ("infusions.courses", "patient"),
        Place.RESULTS: ("labs.enter", "patient"),
        Place.EXAMS: ("patients.record_exams", "patient"),
        Place.COURSES: ("infusions.courses", "patient"),
        Place.START: ("infusions.record", "patient course"),
        Place.VITALS: ("infusions.vitals_before", "patient course"),
        Place.PREMEDICATION: ("infusions.premedication_before", "patient course"),
        Place.PROPHYLAXIS: ("infusions.start_prophylaxis", "patient"),
    }
)


@dataclass(frozen=True, slots=True)
class Where:
    """Whose course and which day the list is about: what the addresses of its links name."""

    scope: Scope
    patient: UUID
    course: UUID
    on: date


@dataclass(frozen=True, slots=True)
class ItemLine:
    """One check as the page shows it. ``explained`` is the reason that was given for it before."""

    item: Item
    where: Where
    explained: str | None = None

    @property
    def shape(self) -> str:
        """The shape of the state; what stops nothing never shows red."""
        shape = STATE_WORDS[self.item.state][0]
        return "due" if shape == "overdue" and not self.item.stops else shape

    @property
    def state(self) -> str:
        """The state in words; a warning that has no day to be confirmed on is to be decided."""
        if self.item.state is State.TO_CONFIRM and self.item.group is not Group.DAY:
            return "To decide"
        return STATE_WORDS[self.item.state][1]

    @property
    def weight(self) -> str:
        """What it does while it is open."""
        return WEIGHT_WORDS[self.item.weight]

    @property
    def evidence(self) -> str:
        """What is on file, without the name of the check, which stands beside it."""
        words = self.item.words.removeprefix(f"{self.item.title}: ")
        return words[0].upper() + words[1:]

    @property
    def who(self) -> str:
        """Who can clear it."""
        return " or ".join(ROLE_TITLES[role] for role in roles_with(self.item.permission))

    @property
    def href(self) -> str | None:
        """Where this person can clear it; None for anybody who may not, and for what is done on another day."""
        later = self.item.group is Group.DAY and self.where.on != self.where.scope.today
        if later or not self.item.is_open or not self.where.scope.may(self.item.permission):
            return None
        endpoint, names = _PAGES[self.item.place]
        known: dict[str, Any] = {"patient": self.where.patient, "course": self.where.course}
        return url_for(endpoint, **{name: known[name] for name in names.split()})


@dataclass(frozen=True, slots=True)
class GroupOfLines:
    """The checks of one kind."""

    title: str
    lines: tuple[ItemLine, ...]


def lines_of(items: tuple[Item, ...], where: Where, explained: Mapping[str, str]) -> tuple[ItemLine, ...]:
    """The checks as lines, with the reasons given before, by the code of the deviation."""
    return tuple(ItemLine(item, where, explained.get(item.breach) if item.stops else None) for item in items)


def groups_of(readiness: Readiness, where: Where, explained: Mapping[str, str]) -> list[GroupOfLines]:
    """The whole list by kind, in each what is open first."""
    lines = lines_of(readiness.items, where, explained)
    groups = []
    for group, title in GROUP_TITLES.items():
        found = [line for line in lines if line.item.group is group]
        found.sort(key=lambda line: (not line.item.stops, not line.item.is_open))
        groups.append(GroupOfLines(title, tuple(found)))
    return groups


@dataclass(frozen=True, slots=True)
class Preview:
    """What another day would change."""

    day: date
    after: Readiness
    lapses: tuple[ItemLine, ...]
    becomes_met: tuple[ItemLine, ...]


@dataclass(frozen=True, slots=True)
class ReadinessPage:
    """The list of one course and day, and what a proposed day would change."""

    course: CourseRow
    readiness: Readiness
    groups: list[GroupOfLines]
    preview: Preview | None
    is_begun: bool


def readiness_page(chart: OpenChart, course: CourseRow, on: date | None, to: date | None) -> ReadinessPage:
    """The list for a day: the one asked for, or the planned first day if it is ahead, or today."""
    scope, header = chart.scope, chart.header
    treatment = treatment_of(scope, header.id)
    begun = bool(treatment.given(course.id))
    ahead = None if begun or course.planned_start_on is None else max(course.planned_start_on, scope.today)
    facts = facts_of(scope, header.id, header.protocol_id, course.id, on or ahead or scope.today)
    found = readiness(facts)
    where = Where(scope, header.public_id, course.public_id, found.on)
    groups = groups_of(found, where, explained_for(treatment, course, found))
    return ReadinessPage(course, found, groups, preview_of(facts, to, where) if to is not None else None, begun)


def preview_of(facts: ReadinessFacts, day: date, where: Where) -> Preview:
    """What lapses and what becomes met if the course is given on another day, from the facts on file."""
    after = readiness(moved_to(facts, day))
    move = compare(readiness(facts), after)
    return Preview(day, after, lines_of(move.lapses, where, {}), lines_of(move.becomes_met, where, {}))


def preview_of_plan(chart: OpenChart, course: CourseRow, day: date | None) -> Preview | None:
    """The same for a changed plan of a course that has not begun; None where the first day is not moved."""
    former = course.planned_start_on
    if former is None or day is None or former == day:
        return None
    scope, header = chart.scope, chart.header
    facts = facts_of(scope, header.id, header.protocol_id, course.id, former)
    if facts.given:
        return None
    return preview_of(moved_to(facts, former), day, Where(scope, header.public_id, course.public_id, day))


def lapsing_words(preview: Preview | None) -> str | None:
    """What was met for the former start and is not for the new one, in a sentence; None when nothing lapses."""
    if preview is None or not preview.lapses:
        return None
    names = ", ".join(line.item.title for line in preview.lapses)
    return f"No longer valid on {show_date(preview.day)}: {names}. Renew them before the course."


def explained_for(treatment: Treatment, course: CourseRow, found: Readiness) -> dict[str, str]:
    """The reasons that were given for the course as a whole, by the code of the deviation, as far as they still hold:
    when the course goes on after a long gap, tests and papers are needed anew.
    """
    is_resumed = any(item.breach == "resumed_late" for item in found.blockers)
    last_on = max((row.infused_on for row in treatment.given(course.id) if row.infused_on < found.on), default=None)
    return {
        row.code: row.reason
        for row in treatment.deviations
        if row.course_id == course.id
        and is_of_course(row.code)
        and not (is_resumed and last_on and row.occurred_on <= last_on and is_of_resumption(row.code))
    }

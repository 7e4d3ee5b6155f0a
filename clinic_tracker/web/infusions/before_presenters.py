"""The words of an infusion day before its start: what is ready, what stands in the way, the likely values."""

from dataclasses import dataclass
from typing import Any

from flask import url_for

from clinic_tracker.domain.dosing import NextInfusion, Regimen, next_infusion
from clinic_tracker.domain.notes import Note
from clinic_tracker.domain.readiness import (
    Group,
    Item,
    Readiness,
    State,
    contraindication_titles,
    readiness,
)
from clinic_tracker.queries.chairs import booking_on
from clinic_tracker.queries.infusion_day import DayParts, waiting_parts
from clinic_tracker.queries.readiness import facts_of
from clinic_tracker.queries.treatment import regimen_of, treatment_of
from clinic_tracker.queries.treatment_rows import CourseRow, InfusionRow
from clinic_tracker.web.filters import date_text
from clinic_tracker.web.infusions.day_presenters import Check, Step, present_minute, steps_of
from clinic_tracker.web.infusions.readiness_presenters import ItemLine, Where, explained_for, lines_of
from clinic_tracker.web.infusions.vitals_presenters import VitalsView, vitals_view
from clinic_tracker.web.patients.pages import OpenChart


@dataclass(frozen=True, slots=True)
class BeforePage:
    """A day before its start. ``asked`` are the protocol's contraindications, each with whether it is unconfirmed."""

    course: CourseRow
    following: NextInfusion | None
    parts: DayParts
    vitals: VitalsView
    people_needed: int
    readiness: Readiness
    lines: tuple[ItemLine, ...]
    warnings: tuple[ItemLine, ...]
    checks: list[Check]
    notes: tuple[Note, ...]
    start: dict[str, Any]
    asked: tuple[tuple[str, bool], ...]
    asks_pregnancy: bool

    @property
    def is_stopped(self) -> bool:
        """Whether a live start is refused, whatever the reason."""
        return self.readiness.is_stopped

    @property
    def steps(self) -> list[Step]:
        """Where the day stands."""
        return steps_of("blocked" if self.is_stopped else "current", "todo", "todo", "todo")


def before_page(chart: OpenChart, course: CourseRow) -> BeforePage:
    """What a nurse sees before the start: readiness, what waits, and the form with its likely values."""
    scope, header = chart.scope, chart.header
    treatment, regimen = treatment_of(scope, header.id), regimen_of(scope, header.protocol_id)
    facts = facts_of(scope, header.id, header.protocol_id, course.id, scope.today)
    found = readiness(facts)
    where = Where(scope, header.public_id, course.public_id, scope.today)
    lines = lines_of(found.blockers, where, explained_for(treatment, course, found))
    following = next_infusion(course.number, treatment.days, regimen)
    parts = waiting_parts(scope, course.id, scope.today)
    return BeforePage(
        course=course,
        following=following,
        parts=parts,
        vitals=vitals_view(scope, header.protocol_id, parts.vitals),
        people_needed=facts.rules.drug_check_people,
        readiness=found,
        lines=lines,
        warnings=lines_of(found.warnings, where, {}),
        checks=_checks_before(chart, course, found),
        notes=tuple(line.item.note for line in lines if not line.item.hard and line.explained is None),
        start=_start_values(chart, course.id, treatment.given(course.id), following, regimen) | _as_checked(parts),
        asked=contraindication_titles(facts.rules),
        asks_pregnancy=facts.may_be_pregnant,
    )


def _checks_before(chart: OpenChart, course: CourseRow, found: Readiness) -> list[Check]:
    """The readiness line. Order: papers, the course, tests, then what the nurse does now."""
    page = url_for("infusions.readiness", patient=chart.header.public_id, course=course.public_id)
    checks = [_check_of_group(found, group, words, page) for group, words in _GROUP_WORDS.items()]
    planned_on = course.planned_start_on
    if found.day_number == 1 and planned_on not in {None, chart.scope.today}:
        plan = url_for("infusions.edit_course", patient=chart.header.public_id, course=course.public_id)
        checks.append(Check(text=f"Planned for {date_text(planned_on)}", ok=None, href=plan))
    done = [item for item in found.items if item.code in _DONE_BEFORE and item.state is not State.NOT_APPLICABLE]
    return checks + [_check_of_item(item) for item in done]


def _check_of_item(item: Item) -> Check:
    """What is done before the start, and whether it is recorded."""
    met = item.state is State.MET
    return Check(text=item.title if met else f"{item.title}: not recorded yet", ok=met or None, href=None)


def _check_of_group(found: Readiness, group: Group, words: str, href: str) -> Check:
    """One group as one item: what stops in it, or that all of it is there."""
    stops = [item.short for item in found.blockers if item.group is group]
    text = f"{words}: {', '.join(stops)}" if stops else words
    return Check(text=text, ok=not stops, href=href)


_GROUP_WORDS = {Group.PAPERS: "Papers", Group.COURSE: "Course", Group.TESTS: "Baseline set"}
_DONE_BEFORE = frozenset({"vital_signs", "steroid", "antiviral", "drug_check"})


def _as_checked(parts: DayParts) -> dict[str, Any]:
    """What the people who checked read off the vial."""
    if not parts.checks:
        return {}
    check = parts.checks[-1]
    return {name: getattr(check, name) for name in ("dose_mg", "lot_number", "lot_expires_on")}


def _start_values(
    chart: OpenChart, course_id: int, given: tuple[InfusionRow, ...], following: NextInfusion | None, regimen: Regimen
) -> dict[str, Any]:
    """What the form starts with: the present minute, the booked chair, lot and day as the day before has them."""
    last = given[-1] if given else None
    booked = booking_on(chart.scope, course_id, chart.scope.today)
    return {
        "started_at": present_minute(chart.scope.now),
        "day_number": following.day_number if following is not None else None,
        "dose_mg": regimen.dose_mg,
        "lot_number": last.lot_number if last is not None else None,
        "lot_expires_on": last.lot_expires_on if last is not None else None,
        "chair": booked.chair_name if booked is not None else None,
        "nurse_name": chart.scope.actor_name,
    }

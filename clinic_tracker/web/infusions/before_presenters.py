"""The words of an infusion day before its start: what is ready, what stands in the way, the likely values."""

from dataclasses import dataclass
from typing import Any

from flask import url_for

from clinic_tracker.domain.dosing import NextInfusion, Regimen, next_infusion
from clinic_tracker.domain.notes import Note
from clinic_tracker.domain.permissions import ROLE_TITLES, roles_with
from clinic_tracker.domain.readiness import Blocker, is_of_course
from clinic_tracker.queries.baseline import course_blockers
from clinic_tracker.queries.infusion_day import DayParts, waiting_parts
from clinic_tracker.queries.treatment import Treatment, regimen_of, treatment_of
from clinic_tracker.queries.treatment_rows import CourseRow, InfusionRow
from clinic_tracker.web.filters import date_text
from clinic_tracker.web.infusions.day_presenters import Check, Step, checks_of_parts, present_minute, steps_of
from clinic_tracker.web.patients.pages import OpenChart


@dataclass(frozen=True, slots=True)
class BlockerLine:
    """One thing that stands in the way: what would clear it, who can, and whether its reason was given before."""

    blocker: Blocker
    explained: str | None

    @property
    def who(self) -> str:
        """Who can clear it."""
        return " or ".join(ROLE_TITLES[role] for role in roles_with(self.blocker.permission))


@dataclass(frozen=True, slots=True)
class BeforePage:
    """A day before its start."""

    course: CourseRow
    following: NextInfusion | None
    parts: DayParts
    lines: tuple[BlockerLine, ...]
    checks: list[Check]
    notes: tuple[Note, ...]
    start: dict[str, Any]

    @property
    def is_stopped(self) -> bool:
        """Whether a live start is refused, whatever the reason."""
        return any(line.blocker.hard for line in self.lines)

    @property
    def steps(self) -> list[Step]:
        """Where the day stands."""
        return steps_of("blocked" if self.is_stopped else "current", "todo", "todo", "todo")


def before_page(chart: OpenChart, course: CourseRow) -> BeforePage:
    """What a nurse sees before the start: readiness, what waits, and the form with its likely values."""
    scope, header = chart.scope, chart.header
    treatment, regimen = treatment_of(scope, header.id), regimen_of(scope, header.protocol_id)
    parts = waiting_parts(scope, course.id, scope.today)
    reasons = {
        row.code: row.reason for row in treatment.deviations if row.course_id == course.id and is_of_course(row.code)
    }
    found = course_blockers(scope, header.id, header.protocol_id, course.id, scope.today)
    lines = tuple(BlockerLine(blocker, reasons.get(blocker.code)) for blocker in found)
    following = next_infusion(course.number, treatment.days, regimen)
    return BeforePage(
        course=course,
        following=following,
        parts=parts,
        lines=lines,
        checks=_checks_before(chart, course, treatment, parts, found, following, regimen),
        notes=tuple(line.blocker.note for line in lines if not line.blocker.hard and line.explained is None),
        start=_start_values(chart, treatment.given(course.id), following, regimen),
    )


def _checks_before(
    chart: OpenChart,
    course: CourseRow,
    treatment: Treatment,
    parts: DayParts,
    found: tuple[Blocker, ...],
    following: NextInfusion | None,
    regimen: Regimen,
) -> list[Check]:
    """The readiness line. Order: papers, tests, then what the nurse does now."""
    codes = {blocker.code for blocker in found}
    tests = [blocker.title for blocker in found if blocker.code.startswith("baseline_")]
    authorized = not codes & {"not_authorized", "authorization_expired"}
    authorize = url_for("infusions.courses", patient=chart.header.public_id)
    checks = [
        Check(text="Enrolled", ok="not_enrolled" not in codes and "before_enrollment" not in codes, href=None),
        Check(text="Authorized" if authorized else "Not authorized", ok=authorized, href=authorize),
        Check(text="Baseline set" if not tests else f"Baseline: {', '.join(tests)}", ok=not tests, href=None),
        Check(text="Facility and prescriber certified", ok=not codes & CERTIFIED, href=None),
    ]
    planned_on = course.planned_start_on
    if following is not None and following.day_number == 1 and planned_on not in {None, chart.scope.today}:
        checks.append(Check(text=f"Planned for {date_text(planned_on)}", ok=None, href=authorize))
    day_number = following.day_number if following is not None else course.planned_days
    return checks + checks_of_parts(treatment, parts, scope_day=chart.scope.today, day_number=day_number, of=regimen)


CERTIFIED = {"facility_not_certified", "no_prescriber", "prescriber_not_certified"}


def _start_values(
    chart: OpenChart, given: tuple[InfusionRow, ...], following: NextInfusion | None, regimen: Regimen
) -> dict[str, Any]:
    """What the form starts with: the present minute, and lot and day as they follow from the day before."""
    last = given[-1] if given else None
    return {
        "started_at": present_minute(chart.scope.now),
        "day_number": following.day_number if following is not None else None,
        "dose_mg": regimen.dose_mg,
        "lot_number": last.lot_number if last is not None else None,
        "lot_expires_on": last.lot_expires_on if last is not None else None,
        "nurse_name": chart.scope.actor_name,
    }

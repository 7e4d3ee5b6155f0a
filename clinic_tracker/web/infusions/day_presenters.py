"""The words of the infusion day: readiness, steps, what is due, what waits."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypedDict

from flask import url_for

from clinic_tracker.domain.dosing import NextInfusion, Regimen, next_infusion
from clinic_tracker.domain.notes import Note
from clinic_tracker.domain.permissions import ROLE_TITLES, roles_with
from clinic_tracker.domain.readiness import Blocker, is_of_course
from clinic_tracker.domain.vocabulary import PremedicationKind
from clinic_tracker.queries.baseline import course_blockers
from clinic_tracker.queries.infusion_day import DayParts, DayRow, parts_of_infusion, waiting_parts
from clinic_tracker.queries.treatment import Treatment, regimen_of, treatment_of
from clinic_tracker.queries.treatment_rows import CourseRow, DeviationRow, InfusionRow
from clinic_tracker.web.filters import clock, date_text
from clinic_tracker.web.patients.pages import OpenChart


class Check(TypedDict):
    """One item of the readiness line: ready, to be looked at (None), or missing."""

    text: str
    ok: bool | None
    href: str | None


class Step(TypedDict):
    """One of the four steps of the day."""

    text: str
    state: str
    note: str


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
        return _steps("blocked" if self.is_stopped else "current", "todo", "todo", "todo")


@dataclass(frozen=True, slots=True)
class DayPage:
    """A day from its start on."""

    row: DayRow
    course: CourseRow
    parts: DayParts
    deviations: tuple[DeviationRow, ...]
    checks: list[Check]
    vitals_due_at: datetime
    now: datetime
    time_zone: str

    @property
    def phase(self) -> str:
        """The step that is under way."""
        if self.row.discharged_at is not None:
            return "discharged"
        if self.row.ended_at is None:
            return "paused" if self.parts.open_pause else "infusing"
        until = self.row.observed_until
        return "observing" if until is not None and self.now < until else "observed"

    @property
    def steps(self) -> list[Step]:
        """Where the day stands, with the time of each step."""
        done = {"infusing": 1, "paused": 1, "observing": 2, "observed": 3, "discharged": 4}[self.phase]
        states = ["done" if index < done else "current" if index == done else "todo" for index in range(4)]
        steps = _steps(*states)
        row = self.row
        times = (row.started_at, row.ended_at, row.observed_until, row.discharged_at)
        words = ("until", "to", "until", "at")
        for step, verb, at in zip(steps, words, times, strict=True):
            if at is not None and step["state"] != "todo":
                step["note"] = f"{verb} {clock(at, self.time_zone)}"
        return steps

    @property
    def vitals_late(self) -> bool:
        """Whether a set of vital signs is due now (R-47)."""
        return self.row.discharged_at is None and self.vitals_due_at <= self.now

    @property
    def is_open(self) -> bool:
        """Whether the day may still be worked on."""
        return self.row.stands and self.row.discharged_at is None


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


def day_page(chart: OpenChart, row: DayRow) -> DayPage:
    """An infusion with its parts and where it stands now."""
    scope, header = chart.scope, chart.header
    treatment, regimen = treatment_of(scope, header.id), regimen_of(scope, header.protocol_id)
    parts = parts_of_infusion(scope, row.id)
    deviations = tuple(one for one in treatment.deviations if one.infusion_id == row.id)
    return DayPage(
        row=row,
        course=treatment.course(row.course_id),
        parts=parts,
        deviations=deviations,
        checks=_checks_of_day(treatment, row, parts, deviations, regimen),
        vitals_due_at=parts.vitals_due_at(row.started_at, regimen.vitals_every_min),
        now=scope.now,
        time_zone=scope.time_zone,
    )


def present_minute(now: datetime) -> datetime:
    """The minute that live buttons start with; the nurse may change it."""
    return now.replace(second=0, microsecond=0)


def _steps(*states: str) -> list[Step]:
    names = ("Before", "Infusion", "Observation", "Discharge")
    return [Step(text=name, state=state, note="") for name, state in zip(names, states, strict=True)]


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
    return checks + _checks_of_parts(treatment, parts, scope_day=chart.scope.today, day_number=day_number, of=regimen)


CERTIFIED = {"facility_not_certified", "no_prescriber", "prescriber_not_certified"}


def _checks_of_parts(
    treatment: Treatment, parts: DayParts, *, scope_day: date, day_number: int, of: Regimen
) -> list[Check]:
    steroid = any(drug.kind == PremedicationKind.STEROID for drug in parts.premedications)
    checks = [
        Check(text="Vital signs" if parts.vitals else "No vital signs yet", ok=bool(parts.vitals) or None, href=None)
    ]
    if day_number <= of.steroid_days:
        words = "Steroid" if steroid else "Steroid not recorded yet"
        checks.append(Check(text=words, ok=steroid or None, href=None))
    antiviral = any(row.covers(scope_day) for row in treatment.prophylaxis)
    words = "Antiviral" if antiviral else "No antiviral recorded for this day"
    return [*checks, Check(text=words, ok=antiviral or None, href=None)]


def _checks_of_day(
    treatment: Treatment, row: DayRow, parts: DayParts, deviations: tuple[DeviationRow, ...], regimen: Regimen
) -> list[Check]:
    authorization = treatment.authorization(row.course_id)
    checks = [Check(text="Authorized" if authorization else "Not authorized", ok=authorization is not None, href=None)]
    checks += _checks_of_parts(treatment, parts, scope_day=row.infused_on, day_number=row.day_number, of=regimen)
    if deviations:
        count = len(deviations)
        words = f"{count} deviation" + ("s" if count > 1 else "")
        checks.append(Check(text=words, ok=None, href="#deviations"))
    return checks


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

"""The words of the infusion day: readiness, steps, what is due, what waits."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import TypedDict

from clinic_tracker.domain.dosing import Regimen
from clinic_tracker.domain.infusion_day import Pause, expected_end_at
from clinic_tracker.domain.vocabulary import PremedicationKind
from clinic_tracker.queries.adverse_events import SeriousReaction, serious_reactions
from clinic_tracker.queries.drug_checks import people_needed
from clinic_tracker.queries.infusion_day import DayParts, DayRow, parts_of_infusion
from clinic_tracker.queries.treatment import Treatment, regimen_of, treatment_of
from clinic_tracker.queries.treatment_rows import CourseRow, DeviationRow
from clinic_tracker.web.filters import clock
from clinic_tracker.web.infusions.day_events import DayEvent, day_events
from clinic_tracker.web.infusions.vitals_presenters import VitalsView, vitals_view
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
class DayPage:
    """A day from its start on."""

    row: DayRow
    course: CourseRow
    parts: DayParts
    deviations: tuple[DeviationRow, ...]
    checks: list[Check]
    vitals: VitalsView
    serious: tuple[SeriousReaction, ...]
    planned_minutes: int
    least_observation: int
    people_needed: int
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
        steps = steps_of(*states)
        row = self.row
        times = (row.started_at, row.ended_at, row.observed_until, row.discharged_at)
        words = ("until", "to", "until", "at")
        for step, verb, at in zip(steps, words, times, strict=True):
            if at is not None and step["state"] != "todo":
                step["note"] = f"{verb} {clock(at, self.time_zone)}"
        return steps

    @property
    def expected_end_at(self) -> datetime | None:
        """When the infusion is expected to end; None once it has ended."""
        if self.row.ended_at is not None:
            return None
        pauses = [Pause(pause.paused_at, pause.resumed_at) for pause in self.parts.pauses]
        return expected_end_at(self.row.started_at, self.planned_minutes, pauses, self.now)

    @property
    def is_extended(self) -> bool:
        """Whether the observation lasts longer than the protocol asks for."""
        return self.row.observation_minutes > self.least_observation

    @property
    def events(self) -> list[DayEvent]:
        """What happened, in order: so a restart stands after the reaction that interrupted the infusion."""
        return day_events(self.row, self.parts)

    @property
    def is_open(self) -> bool:
        """Whether the day may still be worked on."""
        return self.row.stands and self.row.discharged_at is None


def day_page(chart: OpenChart, row: DayRow) -> DayPage:
    """An infusion with its parts and where it stands now."""
    scope, header = chart.scope, chart.header
    treatment, regimen = treatment_of(scope, header.id), regimen_of(scope, header.protocol_id)
    parts = parts_of_infusion(scope, row.id)
    deviations = tuple(one for one in treatment.deviations if one.infusion_id == row.id)
    is_open = row.stands and row.discharged_at is None
    return DayPage(
        row=row,
        course=treatment.course(row.course_id),
        parts=parts,
        deviations=deviations,
        checks=_checks_of_day(treatment, row, parts, deviations, regimen),
        vitals=vitals_view(
            scope, header.protocol_id, parts.vitals, row.started_at, row.observed_until, is_open=is_open
        ),
        serious=serious_reactions(scope, patient_id=header.id, infusion=row.public_id),
        planned_minutes=row.planned_minutes or regimen.infusion_target_min,
        least_observation=regimen.observation_min,
        people_needed=people_needed(scope, header.protocol_id),
        now=scope.now,
        time_zone=scope.time_zone,
    )


def present_minute(now: datetime) -> datetime:
    """The minute that live buttons start with; the nurse may change it."""
    return now.replace(second=0, microsecond=0)


def steps_of(*states: str) -> list[Step]:
    names = ("Before", "Infusion", "Observation", "Discharge")
    return [Step(text=name, state=state, note="") for name, state in zip(names, states, strict=True)]


def checks_of_parts(
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
    checks += checks_of_parts(treatment, parts, scope_day=row.infused_on, day_number=row.day_number, of=regimen)
    if deviations:
        count = len(deviations)
        words = f"{count} deviation" + ("s" if count > 1 else "")
        checks.append(Check(text=words, ok=None, href="#deviations"))
    return checks

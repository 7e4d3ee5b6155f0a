"""A patient on the way to an infusion: enrolled, with a full baseline set, a planned and authorized course."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from clinic_tracker.domain.local_time import resolve_local
from clinic_tracker.domain.readiness import Answers
from clinic_tracker.domain.vocabulary import ExamKind, Panel, PremedicationKind
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import Exam, LabReport
from clinic_tracker.models.patients import Enrollment, Patient
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.authorizations import authorize_course, verify_authorization
from clinic_tracker.services.courses import CoursePlan, plan_course
from clinic_tracker.services.deviations import Reasons
from clinic_tracker.services.infusion_day import discharge_patient, end_infusion
from clinic_tracker.services.infusion_parts import (
    SteroidGiven,
    Target,
    VitalsTaken,
    record_premedication,
    record_vital_signs,
)
from clinic_tracker.services.infusions import InfusionFacts, PastDay, record_past_infusions, start_infusion
from tests.fixtures.people import Cast, Person

BASELINE_PANELS = (
    Panel.CBC_DIFF,
    Panel.CREATININE,
    Panel.URINALYSIS_CELLS,
    Panel.UPCR,
    Panel.TSH,
    Panel.LIVER_PANEL,
)
BASELINE_EXAMS = {
    ExamKind.SKIN_EXAM: "normal",
    ExamKind.VZV_SEROLOGY: "positive",
    ExamKind.TB_SCREEN: "negative",
    ExamKind.HIV_TEST: "negative",
}


@dataclass
class Treated:
    """A patient, a course, and the people who treat; times are typed as on the clinic's wall clock."""

    cast: Cast
    scope_for: Any
    patient: uuid.UUID
    patient_id: int
    course: uuid.UUID | None = None

    @property
    def scope(self) -> Scope:
        """The nurse, now."""
        return self.scope_for(self.cast.staff)

    @property
    def neurologist(self) -> Scope:
        """The neurologist, now."""
        return self.scope_for(self.cast.neurologist)

    def at(self, clock: str, on: date | None = None) -> datetime:
        """The instant of a time on the clinic's clock, today or on a date."""
        hours, minutes = (int(part) for part in clock.split(":"))
        return resolve_local(on or self.scope.today, time(hours, minutes), self.scope.time_zone)

    def plan(self, start_on: date | None = None, **reasons: Any) -> uuid.UUID:
        """Plan the next course, from today by default."""
        plan = CoursePlan(planned_start_on=start_on or self.scope.today, prescriber=self.cast.prescriber.public_id)
        self.course = plan_course(self.scope, self.patient, plan, given=Reasons(**reasons))
        return self.course

    def authorize(self, **values: Any) -> uuid.UUID:
        """Authorize the course today."""
        values = {"prescriber": self.cast.prescriber.public_id, "authorized_on": self.scope.today, **values}
        return authorize_course(self.neurologist, self.patient, self.course, **values)

    def make_ready(self, start_on: date | None = None) -> None:
        """Plan, authorize and verify a course that starts today or on a date."""
        self.plan(start_on)
        authorization = self.authorize()
        verify_authorization(self.scope, self.patient, authorization, verified_on=self.scope.today, method="web")

    def prepare(self) -> None:
        """Vital signs and the steroid, a moment ago."""
        target = Target(self.patient, course=self.course)
        before = self.scope.now - timedelta(minutes=20)
        record_vital_signs(self.scope, target, VitalsTaken(taken_at=before, systolic=118, diastolic=72, pulse=70))
        record_premedication(
            self.scope,
            target,
            kind=PremedicationKind.STEROID,
            drug="Methylprednisolone",
            dose="1,000 mg",
            given_at=before - timedelta(minutes=40),
            ended_at=before,
        )

    def facts(self, day: int = 1, at: datetime | None = None, **values: Any) -> InfusionFacts:
        """What is stated about a day with nothing missing."""
        values = {"dose_mg": 12.0, "lot_number": "A1234", "lot_expires_on": date(2027, 6, 30), **values}
        return InfusionFacts(day_number=day, started_at=at or self.scope.now, **values)

    def start(self, day: int = 1, **values: Any) -> uuid.UUID:
        """Start an infusion now, with everything in place."""
        options = {name: values.pop(name) for name in ("given", "form_token") if name in values}
        answers = {name: values.pop(name, True) for name in Answers._fields}
        options["answers"] = Answers(**answers)
        return start_infusion(self.scope, self.patient, self.course, self.facts(day, **values), **options)

    def end(self, infusion: uuid.UUID, at: datetime | None = None, **values: Any) -> None:
        """End an infusion, now by default."""
        end_infusion(self.scope, self.patient, infusion, ended_at=at or self.scope.now, **values)

    def discharge(self, infusion: uuid.UUID, at: datetime | None = None, **values: Any) -> None:
        """Sign the discharge, now by default, with both kinds of advice."""
        values = {"stroke_advice_given": True, "late_reaction_advice_given": True, **values}
        scope = values.pop("scope", self.scope)
        discharge_patient(scope, self.patient, infusion, discharged_at=at or self.scope.now, **values)

    def past(self, day: int, on: date, start: str = "09:00", hours: float = 4.25, **values: Any) -> PastDay:
        """A day after the fact with nothing missing."""
        begun = self.at(start, on)
        ended = begun + timedelta(hours=hours)
        values = {
            "ended_at": ended,
            "discharged_at": ended + timedelta(minutes=130),
            "stroke_advice_given": True,
            "late_reaction_advice_given": True,
            **values,
        }
        return PastDay(
            facts=self.facts(day, begun, **values),
            steroid=SteroidGiven(drug="Methylprednisolone", given_at=begun - timedelta(minutes=70)),
            vitals=VitalsTaken(taken_at=begun - timedelta(minutes=10), pulse=72),
        )

    def record_past(self, *days: PastDay, reason: str | None = None, decided_by: str | None = None) -> list[uuid.UUID]:
        """Record days after the fact."""
        return record_past_infusions(self.scope, self.patient, self.course, days, given=Reasons(reason, decided_by))


def add_patient(
    cast: Cast,
    scope_for: Any,
    *,
    person: Person | None = None,
    baseline_on: date | None = None,
    enrolled: bool = True,
    **values: Any,
) -> Treated:
    """Add a patient of Northside, enrolled and with the whole baseline set collected on a date (12 days ago)."""
    scope = scope_for(person or cast.staff)
    row = Patient(
        clinic_id=scope.clinic_id,
        registered_at=scope.now,
        prescriber_id=cast.prescriber.id,
        **{
            "protocol_id": scope.protocol_id,
            "mrn": f"T-{uuid.uuid4().hex[:8]}",
            "family_name": "Okafor",
            "given_name": "Ada",
            "birth_date": date(1984, 7, 14),
            "sex_at_birth": "female",
            **values,
        },
    )
    db.session.add(row)
    db.session.flush()
    on = baseline_on or scope.today - timedelta(days=12)
    common = {"clinic_id": scope.clinic_id, "patient_id": row.id, "recorded_at": scope.now}
    db.session.add_all(LabReport(panel=panel.value, collected_on=on, **common) for panel in BASELINE_PANELS)
    db.session.add_all(
        Exam(kind=kind.value, performed_on=on, outcome=outcome, **common) for kind, outcome in BASELINE_EXAMS.items()
    )
    if enrolled:
        db.session.add(Enrollment(prescriber_id=cast.prescriber.id, enrolled_on=on - timedelta(days=30), **common))
    db.session.commit()
    return Treated(cast, scope_for, row.public_id, row.id)

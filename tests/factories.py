"""Patients for tests, built as people build them: through the services, with everything that follows from it.

    chart = register(scope, family_name="Okafor").enroll(cast.prescriber).infuse(date(2025, 1, 6))
    chart.results(date(2025, 2, 10), *MONTHLY)

``tests/monitored.py`` puts facts straight into the tables, for many patients or impossible histories.
"""

import itertools
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Self
from zoneinfo import ZoneInfo

from clinic_tracker.domain.lab_entry import TypedPanel, TypedValue
from clinic_tracker.domain.vocabulary import ExamKind, FormKind, FormMethod, Panel, Sex
from clinic_tracker.models.access import Prescriber
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.treatment import TreatmentCourse
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.courses import CoursePlan, plan_course
from clinic_tracker.services.deviations import Reasons
from clinic_tracker.services.enrollment import EnrollmentDetails, enroll_patient
from clinic_tracker.services.exams import ExamEntry, record_exam
from clinic_tracker.services.forms import Submission, submit_form
from clinic_tracker.services.infusions import InfusionFacts, PastDay, record_past_infusions
from clinic_tracker.services.lab_reports import record_reports
from clinic_tracker.services.lab_sheets import Sheet
from clinic_tracker.services.patients import PatientDetails, register_patient

AS_TOLD = Reasons("Recorded from the paper chart", "Dr. Tomas Rey")
NORMAL: dict[Panel, tuple[tuple[str, str, str], ...]] = {
    Panel.CBC_DIFF: (
        ("wbc", "6.1", "10*3/uL"),
        ("neutrophils", "3.9", "10*3/uL"),
        ("lymphocytes", "1.4", "10*3/uL"),
        ("hemoglobin", "13.8", "g/dL"),
        ("platelets", "251", "10*3/uL"),
    ),
    Panel.CREATININE: (("creatinine", "0.8", "mg/dL"),),
    Panel.URINALYSIS_CELLS: (("urine_rbc", "1", "/[HPF]"), ("urine_wbc", "2", "/[HPF]")),
    Panel.TSH: (("tsh", "1.9", "m[IU]/L"),),
    Panel.LIVER_PANEL: (("alt", "22", "U/L"), ("ast", "19", "U/L"), ("bilirubin_total", "0.5", "mg/dL")),
    Panel.CD4: (("cd4", "420", "/uL"),),
}
MONTHLY = (Panel.CBC_DIFF, Panel.CREATININE, Panel.URINALYSIS_CELLS)
ALL = (*MONTHLY, Panel.TSH, Panel.LIVER_PANEL)
SIGNED = ("counseled_on", "guide_given_on", "card_given_on", "patient_signed_on", "prescriber_signed_on")
_numbers = itertools.count(1)


@dataclass
class Chart:
    """A patient of a clinic, and the person who writes in the chart. Each method records something and returns it."""

    scope: Scope
    id: uuid.UUID
    courses: list[uuid.UUID] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"/patients/{self.id}"

    @property
    def row(self) -> Patient:
        """The patient's row as it is now."""
        return db.session.query(Patient).filter_by(public_id=self.id).populate_existing().one()

    @property
    def course(self) -> TreatmentCourse:
        """The row of the newest course."""
        return db.session.query(TreatmentCourse).filter_by(public_id=self.courses[-1]).populate_existing().one()

    def enroll(self, prescriber: Prescriber, on: date | None = None, **values: Any) -> Self:
        """Enroll with a prescriber, everything signed and handed out, three weeks ago unless told."""
        day = on or self.scope.today - timedelta(days=21)
        given = dict.fromkeys(
            ("counseled_on", "guide_given_on", "card_given_on", "patient_signed_on", "prescriber_signed_on"), day
        )
        details = EnrollmentDetails(prescriber.public_id, day, **{**given, "copy_given": True, **values})
        enroll_patient(self.scope, self.id, details, reason=AS_TOLD.reason)
        return self

    def plan(self, on: date | None, prescriber: Prescriber | None = None) -> Self:
        """Plan the next course."""
        plan = CoursePlan(planned_start_on=on, prescriber=prescriber.public_id if prescriber else None)
        self.courses.append(plan_course(self.scope, self.id, plan, given=AS_TOLD))
        return self

    def infuse(self, first: date, days: int | None = None, **values: Any) -> Self:
        """A course of one infusion a day from ``first`` on, written down afterwards; all its days unless told."""
        self.plan(first)
        whole = days or self.course.planned_days
        past = [past_day(self.scope, first + timedelta(days=day), day + 1, **values) for day in range(whole)]
        record_past_infusions(self.scope, self.id, self.courses[-1], past, given=AS_TOLD)
        return self

    def results(self, on: date | Iterable[date], *panels: Panel | str, **values: str) -> Self:
        """Normal results of panels on one or more days; ``platelets="48"`` changes a value, "" leaves it out."""
        for day in [on] if isinstance(on, date) else on:
            sheet = Sheet(day, tuple(typed(Panel(panel), values) for panel in panels or ALL))
            record_reports(self.scope, self.id, sheet)
        return self

    def exam(self, kind: ExamKind | str, on: date, outcome: str = "normal", **values: Any) -> Self:
        """An exam or a screening."""
        record_exam(self.scope, self.id, ExamEntry(ExamKind(kind), on, outcome, **values))
        return self

    def form(self, kind: FormKind | str, on: date, course: int | None = None, **values: Any) -> Self:
        """A REMS form that was sent."""
        values = {"method": FormMethod.WEB, "completed_on": on, **values}
        submit_form(self.scope, self.id, Submission(FormKind(kind), on, course=course, **values))
        return self


def register(scope: Scope, **values: Any) -> Chart:
    """Open a chart. Names are unlike each other, so that nobody looks like a duplicate."""
    number = next(_numbers)
    details = {
        "mrn": f"{70000 + number}",
        "family_name": f"Quillfeather{number:03}",
        "given_name": f"Ottoline{number}",
        "birth_date": date(1965, 1, 1) + timedelta(days=97 * number % 14_003),
        "sex_at_birth": Sex.FEMALE,
        **values,
    }
    return Chart(scope, register_patient(scope, PatientDetails(**details), different_person=True))


def past_day(scope: Scope, on: date, number: int, **values: Any) -> PastDay:
    """An infusion from nine to one, discharged at half past three."""
    facts = {
        "day_number": number,
        "started_at": at(scope, on, 9),
        "ended_at": at(scope, on, 13),
        "discharged_at": at(scope, on, 15, 30),
        "dose_mg": 12.0,
        "lot_number": "A1234",
        "stroke_advice_given": True,
        "late_reaction_advice_given": True,
        **values,
    }
    return PastDay(facts=InfusionFacts(**facts))


def at(scope: Scope, day: date, hour: int, minute: int = 0) -> datetime:
    """An instant by the wall clock of the clinic."""
    return datetime.combine(day, time(hour, minute), ZoneInfo(scope.time_zone)).astimezone(UTC)


def typed(panel: Panel, changed: dict[str, str]) -> TypedPanel:
    """A panel as somebody types it from a normal report, with values changed."""
    rows = [(analyte, changed.get(analyte, value), unit) for analyte, value, unit in NORMAL[panel]]
    return TypedPanel(panel, tuple(TypedValue(*row, confirmed=True) for row in rows if row[1]))

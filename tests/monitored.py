"""Patients under monitoring for tests: facts put straight into the tables, then projected."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from clinic_tracker.domain.calendar import add_months
from clinic_tracker.domain.vocabulary import Panel
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import Exam, FormSubmission, LabReport, LabValue, MonitoringDecision, Waiver
from clinic_tracker.models.patients import Enrollment, Patient
from clinic_tracker.models.treatment import Infusion, TreatmentCourse
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import projection

_numbers = count(1)
PANELS = frozenset(panel.value for panel in Panel)
MONTHLY = ("cbc_diff", "creatinine", "urinalysis_cells")
ALL_LABS = (*MONTHLY, "tsh", "liver_panel")


def add_patient(scope: Scope, **values: Any) -> Patient:
    """A person of the clinic, enrolled with nobody and not treated yet."""
    number = next(_numbers)
    defaults = {
        "clinic_id": scope.clinic_id,
        "mrn": f"{10000 + number}",
        "family_name": f"Family{number:03}",
        "given_name": f"Given{number}",
        "birth_date": date(1980, 7, 14),
        "sex_at_birth": "male",
        "protocol_id": "lemtrada-us",
        "registered_at": scope.now,
    }
    patient = Patient(**{**defaults, **values})
    db.session.add(patient)
    db.session.flush()
    return patient


def enroll(scope: Scope, patient: Patient, prescriber_id: int, on: date) -> Enrollment:
    row = Enrollment(**_fact(scope, patient), prescriber_id=prescriber_id, enrolled_on=on)
    patient.prescriber_id = prescriber_id
    db.session.add(row)
    return row


def add_course(
    scope: Scope, patient: Patient, first: date | None, days: int = 5, number: int = 1, **values: Any
) -> TreatmentCourse:
    """A course with an infusion on each of ``days`` days from ``first`` on; planned only when ``first`` is None."""
    course = TreatmentCourse(
        clinic_id=scope.clinic_id,
        patient_id=patient.id,
        number=number,
        planned_days=days,
        planned_at=scope.now,
        **values,
    )
    db.session.add(course)
    db.session.flush()
    for day in range(days if first else 0):
        add_infusion(scope, patient, course, first + timedelta(days=day), day + 1)
    return course


def add_infusion(
    scope: Scope, patient: Patient, course: TreatmentCourse, on: date, number: int, **values: Any
) -> Infusion:
    started = datetime(on.year, on.month, on.day, 15, tzinfo=scope.now.tzinfo)
    row = Infusion(
        **_fact(scope, patient),
        **{
            "course_id": course.id,
            "day_number": number,
            "infused_on": on,
            "dose_mg": 12,
            "started_at": started,
            "ended_at": started + timedelta(hours=4),
            "observation_minutes": 120,
            "discharged_at": started + timedelta(hours=6),
            **values,
        },
    )
    db.session.add(row)
    return row


def add_lab(scope: Scope, patient: Patient, test: str, on: date, **values: Any) -> LabReport:
    """A report of a panel; any other test is one that no protocol knows. ``value`` is a CD4 count."""
    number = values.pop("value", None)
    known = test in PANELS
    row = LabReport(
        **_fact(scope, patient),
        panel=test if known else "other",
        title=None if known else test,
        collected_on=on,
        **values,
    )
    db.session.add(row)
    if number is not None:
        db.session.flush()
        db.session.add(LabValue(clinic_id=scope.clinic_id, lab_report_id=row.id, analyte="cd4", number=number))
    return row


def add_labs(scope: Scope, patient: Patient, on: Iterable[date], tests: Iterable[str] = ALL_LABS) -> None:
    for day in on:
        for test in tests:
            add_lab(scope, patient, test, day)


def add_exam(scope: Scope, patient: Patient, kind: str, on: date) -> Exam:
    row = Exam(**_fact(scope, patient), kind=kind, performed_on=on, outcome="normal")
    db.session.add(row)
    return row


def add_form(
    scope: Scope, patient: Patient, kind: str, on: date, course: TreatmentCourse | None = None
) -> FormSubmission:
    row = FormSubmission(**_fact(scope, patient), kind=kind, submitted_on=on, course_id=course.id if course else None)
    db.session.add(row)
    return row


def project(scope: Scope) -> None:
    """Bring the schedule of the whole clinic up to date and commit."""
    db.session.flush()
    projection.rebuild(scope)
    db.session.commit()


def treated(scope: Scope, first: date, *, labs_until: date | None = None, **values: Any) -> Patient:
    """A man with one course of five days, everything done monthly until ``labs_until``, skin and forms in order."""
    patient = add_patient(scope, **values)
    course = add_course(scope, patient, first)
    last = first + timedelta(days=4)
    add_exam(scope, patient, "skin_exam", first - timedelta(days=10))
    add_form(scope, patient, "infusion_checklist", last + timedelta(days=1), course)
    months = [_months_later(last, step) for step in range(1, 49)]
    add_labs(scope, patient, [day for day in months if labs_until and day <= labs_until])
    for day in (_months_later(first, 6 * step) for step in range(1, 9)):
        if day <= scope.today:
            add_form(scope, patient, "patient_status_form", day)
    return patient


def store_history(scope: Scope, history: Mapping[str, Any], **values: Any) -> Patient:
    """A patient with the facts of a contract history."""
    person = history["patient"]
    patient = add_patient(
        scope,
        sex_at_birth=person.get("sex_at_birth") or "unknown",
        has_cervix=person.get("has_cervix"),
        protocol_id=history["protocol"],
        **values,
    )
    courses = _store_courses(scope, patient, history)
    for lab in history.get("labs", ()):
        add_lab(scope, patient, lab["test"], _day(lab["collected_on"]), value=lab.get("value"),
                result_status=lab.get("status") or "final")  # fmt: skip
    for exam in history.get("exams", ()):
        add_exam(scope, patient, exam["kind"], _day(exam["on"]))
    for form in history.get("forms", ()):
        add_form(scope, patient, form["kind"], _day(form["submitted_on"]), courses.get(form.get("course")))
    for waiver in history.get("waivers", ()):
        span = {"from_on": _day(waiver["from_on"]), "to_on": _day(waiver["to_on"])}
        db.session.add(Waiver(**_fact(scope, patient), requirement=waiver["requirement"], reason="As agreed", **span))
    if history.get("monitoring_closed_on"):
        closed = _day(history["monitoring_closed_on"])
        db.session.add(MonitoringDecision(**_fact(scope, patient), kind="closed", decided_on=closed, reason="Done"))
    db.session.flush()
    return patient


def _store_courses(scope: Scope, patient: Patient, history: Mapping[str, Any]) -> dict[int | None, TreatmentCourse]:
    zone = ZoneInfo(history["time_zone"])
    courses: dict[int | None, TreatmentCourse] = {}
    for fact in history["courses"]:
        course = courses[fact["number"]] = add_course(scope, patient, None, number=fact["number"])
        days = sorted(
            {datetime.fromisoformat(item["started_at"]).astimezone(zone).date() for item in fact.get("infusions") or ()}
        )
        for number, day in enumerate(days, 1):
            add_infusion(scope, patient, course, day, number)
        if fact.get("monitoring_extended_to"):
            end = _day(fact["monitoring_extended_to"])
            db.session.add(
                MonitoringDecision(
                    **_fact(scope, patient),
                    kind="extended",
                    decided_on=scope.today,
                    course_id=course.id,
                    extended_to=end,
                    reason="Indicated",
                )
            )
    return courses


def _fact(scope: Scope, patient: Patient) -> dict[str, Any]:
    return {
        "clinic_id": scope.clinic_id,
        "patient_id": patient.id,
        "recorded_at": scope.now,
        "recorded_by_id": scope.user_id,
    }


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _months_later(day: date, months: int) -> date:
    return date.fromordinal(add_months(day.toordinal(), months))

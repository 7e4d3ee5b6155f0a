"""Reads about one patient: the banner of every chart page, and looking a patient up."""

import uuid
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ScalarSelect, Select, func, select, union_all
from sqlalchemy.orm import aliased

from clinic_tracker.domain.errors import NotFound
from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.access import Prescriber
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import Exam, LabReport, Vaccination
from clinic_tracker.models.patients import Enrollment, Patient
from clinic_tracker.models.schedule import PatientSchedule
from clinic_tracker.models.treatment import Infusion, TreatmentCourse
from clinic_tracker.queries.scope import Scope

RECORDED = FactState.RECORDED.value


@dataclass(frozen=True, slots=True)
class PatientHeader:
    """What the banner of a chart page needs, and the keys that its other queries use.

    ``course_number`` is the highest course on record, ``given_course`` the highest with an infusion; ``given_days`` of
    ``planned_days`` of it were given. ``planned_start_on`` belongs to the first course without an infusion.
    ``enrolled_on`` is that of the current enrollment.
    """

    id: int
    public_id: uuid.UUID
    mrn: str
    rems_patient_id: str | None
    family_name: str
    given_name: str
    birth_date: date
    sex_at_birth: str
    has_cervix: bool | None
    phone: str | None
    alerts: str | None
    protocol_id: str
    version: int
    prescriber_id: int | None
    prescriber_name: str | None
    prescriber_active: bool | None
    first_infusion_on: date | None
    last_infusion_on: date | None
    monitoring_ends_on: date | None
    monitoring_closed_on: date | None
    course_number: int | None
    given_course: int | None
    given_days: int | None
    planned_days: int | None
    discontinued_on: date | None
    planned_course: int | None
    planned_start_on: date | None
    enrolled_on: date | None
    merged_into: uuid.UUID | None


def patient_header(scope: Scope, patient: uuid.UUID) -> PatientHeader:
    """The patient of a page. Raises NotFound for an unknown patient and for one of another clinic alike.

    A chart merged into another one is found too, so that old links can say where it went.
    """
    row = db.session.execute(
        _header().where(Patient.public_id == patient, Patient.clinic_id == scope.clinic_id)
    ).one_or_none()
    if row is None:
        raise NotFound("patient")
    return PatientHeader(*row)


def patient_key(scope: Scope, patient: uuid.UUID) -> int:
    """The internal key of a patient of this clinic; NotFound otherwise."""
    key = db.session.execute(
        select(Patient.id).where(Patient.public_id == patient, Patient.clinic_id == scope.clinic_id)
    ).scalar_one_or_none()
    if key is None:
        raise NotFound("patient")
    return key


def _header() -> Select[Any]:
    survivor = aliased(Patient)
    return (
        select(*_header_columns(survivor))
        .outerjoin(Prescriber, Prescriber.id == Patient.prescriber_id)
        .outerjoin(PatientSchedule, PatientSchedule.patient_id == Patient.id)
        .outerjoin(TreatmentCourse, TreatmentCourse.id == _last_given())
        .outerjoin(survivor, survivor.id == Patient.merged_into_id)
    )


def _header_columns(survivor: Any) -> tuple[Any, ...]:
    """The columns in the order of ``PatientHeader``."""
    return (
        Patient.id,
        Patient.public_id,
        Patient.mrn,
        Patient.rems_patient_id,
        Patient.family_name,
        Patient.given_name,
        Patient.birth_date,
        Patient.sex_at_birth,
        Patient.has_cervix,
        Patient.phone,
        Patient.alerts,
        Patient.protocol_id,
        Patient.version,
        Patient.prescriber_id,
        Prescriber.name,
        Prescriber.is_active,
        PatientSchedule.first_infusion_on,
        PatientSchedule.last_infusion_on,
        PatientSchedule.monitoring_ends_on,
        PatientSchedule.monitoring_closed_on,
        _course(TreatmentCourse.number, descending=True),
        TreatmentCourse.number,
        _given_days(),
        TreatmentCourse.planned_days,
        TreatmentCourse.discontinued_on,
        _next_course(TreatmentCourse.number),
        _next_course(TreatmentCourse.planned_start_on),
        _enrolled_on(),
        survivor.public_id,
    )


def _last_given() -> ScalarSelect[Any]:
    """The key of the highest course with a recorded infusion."""
    course = aliased(TreatmentCourse)
    return (
        select(course.id)
        .join(Infusion, (Infusion.course_id == course.id) & (Infusion.state == RECORDED))
        .where(course.patient_id == Patient.id)
        .order_by(course.number.desc())
        .limit(1)
        .correlate(Patient)
        .scalar_subquery()
    )


def _given_days() -> ScalarSelect[Any]:
    return (
        select(func.count(Infusion.id))
        .where(Infusion.course_id == TreatmentCourse.id, Infusion.state == RECORDED)
        .correlate(TreatmentCourse)
        .scalar_subquery()
    )


def _course(column: Any, *, descending: bool = False) -> ScalarSelect[Any]:
    course = aliased(TreatmentCourse)
    number = course.number.desc() if descending else course.number
    return (
        select(getattr(course, column.key))
        .where(course.patient_id == Patient.id)
        .order_by(number)
        .limit(1)
        .correlate(Patient)
        .scalar_subquery()
    )


def _next_course(column: Any) -> ScalarSelect[Any]:
    """A column of the first course that was neither begun nor discontinued."""
    course = aliased(TreatmentCourse)
    begun = select(Infusion.id).where(Infusion.course_id == course.id, Infusion.state == RECORDED).exists()
    return (
        select(getattr(course, column.key))
        .where(course.patient_id == Patient.id, course.discontinued_on.is_(None), ~begun)
        .order_by(course.number)
        .limit(1)
        .correlate(Patient)
        .scalar_subquery()
    )


def _enrolled_on() -> ScalarSelect[Any]:
    return (
        select(Enrollment.enrolled_on)
        .where(Enrollment.patient_id == Patient.id, Enrollment.state == RECORDED, Enrollment.ended_on.is_(None))
        .correlate(Patient)
        .scalar_subquery()
    )


@dataclass(frozen=True, slots=True)
class PatientRecord:
    """Everything on the chart about who the patient is, for the edit form."""

    header: PatientHeader
    email: str | None
    language: str | None
    contact_note: str | None
    prescriber: uuid.UUID | None


@dataclass(frozen=True, slots=True)
class NumberedChart:
    """The chart to open for an MRN or REMS id; ``merged`` when the number belongs to a chart merged into it."""

    public_id: uuid.UUID
    merged: bool


def patient_record(scope: Scope, patient: uuid.UUID) -> PatientRecord:
    """The header of a patient and the details that the banner does not show; NotFound as for ``patient_header``."""
    header = patient_header(scope, patient)
    row = db.session.execute(
        select(Patient.email, Patient.language, Patient.contact_note, Prescriber.public_id)
        .outerjoin(Prescriber, Prescriber.id == Patient.prescriber_id)
        .where(Patient.id == header.id)
    ).one()
    return PatientRecord(header, *row)


def chart_with_number(scope: Scope, number: str) -> NumberedChart | None:
    """The chart with exactly this MRN or REMS id, whatever the case of its letters; the surviving one of a merge."""
    survivor = aliased(Patient)
    wanted = number.strip().lower()
    row = db.session.execute(
        select(Patient.public_id, survivor.public_id)
        .outerjoin(survivor, survivor.id == Patient.merged_into_id)
        .where(
            Patient.clinic_id == scope.clinic_id,
            (func.lower(Patient.mrn) == wanted) | (func.lower(Patient.rems_patient_id) == wanted),
        )
        .order_by(Patient.merged_into_id.is_(None).desc(), Patient.id)
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    own: uuid.UUID = row[0]
    surviving: uuid.UUID | None = row[1]
    return NumberedChart(own if surviving is None else surviving, surviving is not None)


def earliest_fact_on(scope: Scope, patient_id: int) -> date | None:
    """The earliest day of anything recorded about a patient that stands, or None."""
    dated = (
        (Infusion, Infusion.infused_on),
        (LabReport, LabReport.collected_on),
        (Exam, Exam.performed_on),
        (Vaccination, Vaccination.given_on),
        (Enrollment, Enrollment.enrolled_on),
    )
    each = [
        select(func.min(day).label("day")).where(
            model.patient_id == patient_id, model.clinic_id == scope.clinic_id, model.state == RECORDED
        )
        for model, day in dated
    ]
    days = db.session.execute(union_all(*each)).scalars()
    return min((_as_date(day) for day in days if day is not None), default=None)


def _as_date(day: date | str) -> date:
    return date.fromisoformat(day) if isinstance(day, str) else day

"""Reads about one patient: the banner of every chart page, and looking a patient up."""

import uuid
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from clinic_tracker.domain.errors import NotFound
from clinic_tracker.models.access import Prescriber
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.schedule import PatientSchedule
from clinic_tracker.models.treatment import TreatmentCourse
from clinic_tracker.queries.scope import Scope


@dataclass(frozen=True, slots=True)
class PatientHeader:
    """What the banner of a chart page needs, and the keys that its other queries use."""

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


def patient_header(scope: Scope, patient: uuid.UUID) -> PatientHeader:
    """The patient of a page. Raises NotFound for an unknown patient and for one of another clinic alike.

    A chart merged into another one is found too, so that old links can say where it went.
    """
    course = (
        select(TreatmentCourse.number)
        .where(TreatmentCourse.patient_id == Patient.id)
        .order_by(TreatmentCourse.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    row = db.session.execute(
        select(
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
            course,
        )
        .outerjoin(Prescriber, Prescriber.id == Patient.prescriber_id)
        .outerjoin(PatientSchedule, PatientSchedule.patient_id == Patient.id)
        .where(Patient.public_id == patient, Patient.clinic_id == scope.clinic_id)
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

"""The clinics of this installation."""

from dataclasses import dataclass

from sqlalchemy import func, select

from clinic_tracker.models.access import Clinic
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.queries.scope import Scope


@dataclass(frozen=True, slots=True)
class ClinicRow:
    """A clinic, with how many patients it has."""

    slug: str
    name: str
    time_zone: str
    protocol_id: str
    is_demo: bool
    patients: int


def all_clinics(_scope: Scope) -> list[ClinicRow]:
    """Every clinic by slug, for the operator of the installation."""
    patients = select(func.count()).select_from(Patient).where(Patient.clinic_id == Clinic.id).scalar_subquery()
    rows = db.session.execute(
        select(Clinic.slug, Clinic.name, Clinic.time_zone, Clinic.protocol_id, Clinic.is_demo, patients).order_by(
            Clinic.slug
        )
    )
    return [ClinicRow(*row) for row in rows]

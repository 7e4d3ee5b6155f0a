"""Reads of the administrator: people, prescribers, certification."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select

from clinic_tracker.domain.errors import NotFound
from clinic_tracker.domain.vocabulary import Role
from clinic_tracker.models.access import Clinic, FacilityCertification, Membership, Prescriber, User, UserSession
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.queries.scope import Scope


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A person with a role in the clinic, or one who had it (``ended_on``)."""

    public_id: uuid.UUID
    name: str
    email: str
    role: Role
    started_on: date
    ended_on: date | None
    is_active: bool
    must_change_password: bool
    locked_until: datetime | None
    last_seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class PrescriberRow:
    """A prescriber, with the number of patients in their care."""

    public_id: uuid.UUID
    name: str
    npi: str | None
    rems_prescriber_id: str | None
    certified_on: date | None
    certification_ends_on: date | None
    is_active: bool
    version: int
    user: uuid.UUID | None
    user_name: str | None
    patients: int


@dataclass(frozen=True, slots=True)
class CertificationRow:
    """A certification of the facility; ``withdrawn_at`` marks one entered in error."""

    public_id: uuid.UUID
    certified_on: date
    ends_on: date | None
    representative_name: str
    representative_trained_on: date | None
    note: str | None
    recorded_at: datetime
    recorded_by: str | None
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True)
class ClinicDetails:
    """The particulars of the clinic, as its administrators edit them."""

    slug: str
    name: str
    time_zone: str
    protocol_id: str
    rems_facility_id: str | None
    phone: str | None
    version: int


def members(scope: Scope) -> list[MemberRow]:
    """Everybody with a role in the clinic now, by name; then those who had one, the last to leave first."""
    last_seen = (
        select(func.max(UserSession.last_seen_at))
        .where(UserSession.user_id == User.id)
        .correlate(User)
        .scalar_subquery()
    )
    rows: Any = db.session.execute(
        select(
            User.public_id,
            User.name,
            User.email,
            Membership.role,
            Membership.started_on,
            Membership.ended_on,
            User.is_active,
            User.must_change_password,
            User.locked_until,
            last_seen,
        )
        .join(User, User.id == Membership.user_id)
        .where(Membership.clinic_id == scope.clinic_id)
        .order_by(Membership.ended_on.is_not(None), Membership.ended_on.desc(), User.name)
    )
    return [MemberRow(key, name, email, Role(role), *rest) for key, name, email, role, *rest in rows]


def member(scope: Scope, person: uuid.UUID) -> MemberRow:
    """A person with a current role in the clinic; NotFound otherwise."""
    for row in members(scope):
        if row.public_id == person and row.ended_on is None:
            return row
    raise NotFound("person")


def prescribers(scope: Scope) -> list[PrescriberRow]:
    """The prescribers of the clinic, the active ones first, by name."""
    patients = (
        select(func.count())
        .select_from(Patient)
        .where(Patient.prescriber_id == Prescriber.id, Patient.merged_into_id.is_(None))
        .correlate(Prescriber)
        .scalar_subquery()
    )
    rows = db.session.execute(
        select(
            Prescriber.public_id,
            Prescriber.name,
            Prescriber.npi,
            Prescriber.rems_prescriber_id,
            Prescriber.certified_on,
            Prescriber.certification_ends_on,
            Prescriber.is_active,
            Prescriber.version,
            User.public_id,
            User.name,
            patients,
        )
        .outerjoin(User, User.id == Prescriber.user_id)
        .where(Prescriber.clinic_id == scope.clinic_id)
        .order_by(Prescriber.is_active.desc(), Prescriber.name)
    )
    return [PrescriberRow(*row) for row in rows]


def prescriber(scope: Scope, public_id: uuid.UUID) -> PrescriberRow:
    """One prescriber of the clinic; NotFound otherwise."""
    for row in prescribers(scope):
        if row.public_id == public_id:
            return row
    raise NotFound("prescriber")


def certifications(scope: Scope) -> list[CertificationRow]:
    """Every certification of the facility, the newest first."""
    rows = db.session.execute(
        select(
            FacilityCertification.public_id,
            FacilityCertification.certified_on,
            FacilityCertification.ends_on,
            FacilityCertification.representative_name,
            FacilityCertification.representative_trained_on,
            FacilityCertification.note,
            FacilityCertification.recorded_at,
            User.name,
            FacilityCertification.withdrawn_at,
        )
        .outerjoin(User, User.id == FacilityCertification.recorded_by_id)
        .where(FacilityCertification.clinic_id == scope.clinic_id)
        .order_by(FacilityCertification.certified_on.desc(), FacilityCertification.id.desc())
    )
    return [CertificationRow(*row) for row in rows]


def clinic_details(scope: Scope) -> ClinicDetails:
    """The clinic of the scope."""
    row = db.session.execute(
        select(
            Clinic.slug,
            Clinic.name,
            Clinic.time_zone,
            Clinic.protocol_id,
            Clinic.rems_facility_id,
            Clinic.phone,
            Clinic.version,
        ).where(Clinic.id == scope.clinic_id)
    ).one()
    return ClinicDetails(*row)

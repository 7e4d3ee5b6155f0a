"""Clinics and the people who may work in them."""

from datetime import date
from typing import Any

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from clinic_tracker.domain.vocabulary import Role
from clinic_tracker.models.base import (
    ClinicRef,
    Instant,
    Json,
    Key,
    Model,
    OptionalInstant,
    OptionalRef,
    OptionalUserRef,
    PublicId,
    UserRef,
    one_of,
    partial_index,
    tenant,
)


class Clinic(Model):
    """A tenant: one healthcare facility with its own people, patients, time zone and protocol."""

    __tablename__ = "clinic"

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    time_zone: Mapped[str]
    protocol_id: Mapped[str]
    rems_facility_id: Mapped[str | None]
    phone: Mapped[str | None]
    is_demo: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class FacilityCertification(Model):
    """A certification of the healthcare facility in the REMS (R-03, R-06)."""

    __tablename__ = "facility_certification"
    __table_args__ = (CheckConstraint("ends_on is null or ends_on >= certified_on", name="dates"),)

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    clinic_id: Mapped[ClinicRef]
    certified_on: Mapped[date]
    ends_on: Mapped[date | None]
    representative_name: Mapped[str]
    representative_trained_on: Mapped[date | None]
    note: Mapped[str | None]
    recorded_by_id: Mapped[OptionalUserRef]
    recorded_at: Mapped[Instant]
    withdrawn_at: Mapped[OptionalInstant]


class User(Model):
    """A person who signs in. Roles are per clinic, in Membership."""

    __tablename__ = "user_account"

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str]
    must_change_password: Mapped[bool] = mapped_column(default=False)
    is_active: Mapped[bool] = mapped_column(default=True)
    failed_sign_ins: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[OptionalInstant]
    created_at: Mapped[Instant]


class Membership(Model):
    """A dated role of a person in a clinic, so that past access can be explained."""

    __tablename__ = "membership"
    __table_args__ = (
        one_of("role", Role),
        partial_index("uq_membership_current", "clinic_id", "user_id", where="ended_on is null", unique=True),
    )

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    clinic_id: Mapped[ClinicRef]
    user_id: Mapped[UserRef]
    role: Mapped[str]
    started_on: Mapped[date]
    ended_on: Mapped[date | None]


class UserSession(Model):
    """A signed-in session: can be listed, ends by idling, by age, by sign-out or by an administrator."""

    __tablename__ = "user_session"

    id: Mapped[Key]
    token_hash: Mapped[str] = mapped_column(unique=True)
    user_id: Mapped[UserRef]
    clinic_id: Mapped[int | None] = mapped_column(index=True)
    created_at: Mapped[Instant]
    last_seen_at: Mapped[Instant]
    ended_at: Mapped[OptionalInstant]


class Prescriber(Model):
    """A prescriber certified in the REMS (R-01); not every one signs in."""

    __tablename__ = "prescriber"
    __table_args__ = tenant(
        UniqueConstraint("clinic_id", "npi"),
        CheckConstraint(
            "certification_ends_on is null or certified_on is null or certification_ends_on >= certified_on",
            name="dates",
        ),
    )

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    clinic_id: Mapped[ClinicRef]
    user_id: Mapped[OptionalUserRef]
    name: Mapped[str]
    npi: Mapped[str | None]
    rems_prescriber_id: Mapped[str | None]
    certified_on: Mapped[date | None]
    certification_ends_on: Mapped[date | None]
    is_active: Mapped[bool] = mapped_column(default=True)
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class ClinicSetting(Model):
    """A clinic's own value for an unconfirmed (R) or conventional (C) setting, in force from a date on."""

    __tablename__ = "clinic_setting"
    __table_args__ = (UniqueConstraint("clinic_id", "name", "effective_from", "recorded_at"),)

    id: Mapped[Key]
    clinic_id: Mapped[ClinicRef]
    name: Mapped[str]
    value: Mapped[Any] = mapped_column(Json)
    effective_from: Mapped[date]
    reason: Mapped[str]
    recorded_by_id: Mapped[OptionalUserRef]
    recorded_at: Mapped[Instant]
    replaced_id: Mapped[OptionalRef]

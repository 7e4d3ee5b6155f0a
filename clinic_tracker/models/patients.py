"""Patients and their enrollment in the REMS."""

from datetime import date
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from clinic_tracker.domain.vocabulary import Sex
from clinic_tracker.models.base import (
    ClinicRef,
    Fact,
    Instant,
    Key,
    Model,
    OptionalInstant,
    OptionalRef,
    OptionalUserRef,
    PublicId,
    Ref,
    fact,
    one_of,
    partial_index,
    same_clinic,
    tenant,
)


class Patient(Model):
    """A person treated or to be treated with LEMTRADA in one clinic.

    ``has_cervix`` is null while it follows from the sex at birth. ``merged_into_id`` marks a duplicate whose facts
    were moved to the surviving chart.
    """

    __tablename__ = "patient"
    __table_args__ = tenant(
        UniqueConstraint("clinic_id", "mrn"),
        same_clinic("prescriber_id", "prescriber"),
        same_clinic("merged_into_id", "patient"),
        one_of("sex_at_birth", Sex),
        Index("ix_patient_name", "clinic_id", "family_name", "given_name"),
        Index("ix_patient_birth_date", "clinic_id", "birth_date"),
        partial_index(
            "uq_patient_rems_patient_id",
            "clinic_id",
            "rems_patient_id",
            where="rems_patient_id is not null",
            unique=True,
        ),
    )

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    clinic_id: Mapped[ClinicRef]
    mrn: Mapped[str]
    rems_patient_id: Mapped[str | None]
    family_name: Mapped[str]
    given_name: Mapped[str]
    birth_date: Mapped[date]
    sex_at_birth: Mapped[str]
    has_cervix: Mapped[bool | None]
    phone: Mapped[str | None]
    email: Mapped[str | None]
    language: Mapped[str | None]
    contact_note: Mapped[str | None]
    alerts: Mapped[str | None]
    prescriber_id: Mapped[OptionalRef]
    protocol_id: Mapped[str]
    merged_into_id: Mapped[OptionalRef]
    registered_by_id: Mapped[OptionalUserRef]
    registered_at: Mapped[Instant]
    form_token: Mapped[str | None] = mapped_column(unique=True)
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class Enrollment(Fact, Model):
    """A patient's enrollment in the REMS with a prescriber (R-11, R-12)."""

    __tablename__ = "enrollment"
    __table_args__ = fact(
        same_clinic("prescriber_id", "prescriber"),
        CheckConstraint("ended_on is null or ended_on >= enrolled_on", name="dates"),
        partial_index(
            "uq_enrollment_current", "patient_id", where="state = 'recorded' and ended_on is null", unique=True
        ),
    )

    prescriber_id: Mapped[Ref]
    enrolled_on: Mapped[date]
    counseled_on: Mapped[date | None]
    guide_given_on: Mapped[date | None]
    card_given_on: Mapped[date | None]
    patient_signed_on: Mapped[date | None]
    prescriber_signed_on: Mapped[date | None]
    copy_given: Mapped[bool] = mapped_column(default=False)
    rems_reference: Mapped[str | None]
    ended_on: Mapped[date | None]
    end_reason: Mapped[str | None]
    form_token: Mapped[str | None] = mapped_column(unique=True)


class PatientMerge(Model):
    """The log of a merge of duplicate charts: which rows were moved, so that it can be undone."""

    __tablename__ = "patient_merge"
    __table_args__ = (same_clinic("survivor_id", "patient"), same_clinic("duplicate_id", "patient"))

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    clinic_id: Mapped[ClinicRef]
    survivor_id: Mapped[Ref]
    duplicate_id: Mapped[Ref]
    moved: Mapped[dict[str, Any]]
    reason: Mapped[str]
    merged_by_id: Mapped[OptionalUserRef]
    merged_at: Mapped[Instant]
    undone_by_id: Mapped[OptionalUserRef]
    undone_at: Mapped[OptionalInstant]
    undone_reason: Mapped[str | None]


class NotADuplicate(Model):
    """Two charts that a person has looked at and found to be different people."""

    __tablename__ = "not_a_duplicate"
    __table_args__ = (
        same_clinic("first_id", "patient"),
        same_clinic("second_id", "patient"),
        UniqueConstraint("first_id", "second_id"),
        CheckConstraint("first_id < second_id", name="order"),
    )

    id: Mapped[Key]
    clinic_id: Mapped[ClinicRef]
    first_id: Mapped[Ref]
    second_id: Mapped[Ref]
    recorded_by_id: Mapped[OptionalUserRef]
    recorded_at: Mapped[Instant]

"""The three projections: rebuilt at will from the facts, holding dates and never a status."""

from datetime import date

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from clinic_tracker.models.base import BigId, ClinicRef, Key, Model, OptionalRef, Ref, same_clinic


class Standing(Model):
    """What is owed next for one patient and requirement. The worklists read this table alone."""

    __tablename__ = "standing"
    __table_args__ = (
        same_clinic("patient_id", "patient"),
        UniqueConstraint("patient_id", "requirement"),
        CheckConstraint("(opens_on is null) = (next_due_on is null)", name="both"),
        CheckConstraint("opens_on <= next_due_on", name="opens_on"),
        Index("ix_standing_worklist", "clinic_id", "next_due_on", "patient_id", "requirement", "opens_on"),
    )

    id: Mapped[Key]
    clinic_id: Mapped[ClinicRef]
    patient_id: Mapped[Ref]
    requirement: Mapped[str]
    opens_on: Mapped[date | None]
    next_due_on: Mapped[date | None]
    last_done_on: Mapped[date | None]
    anchor: Mapped[int | None]
    occurrence: Mapped[int | None]


class Obligation(Model):
    """A requirement for one patient at one occurrence. ``anchor`` is the course number, 0 for the patient."""

    __tablename__ = "obligation"
    __table_args__ = (
        same_clinic("patient_id", "patient"),
        UniqueConstraint("patient_id", "requirement", "anchor", "occurrence"),
        CheckConstraint("opens_on <= due_on", name="opens_on"),
        CheckConstraint("closes_on is null or due_on <= closes_on", name="closes_on"),
        # Holds all that an outcome follows from, so that years are counted without reading a row.
        Index(
            "ix_obligation_outcome",
            "clinic_id",
            "due_on",
            "requirement",
            "done_on",
            "closes_on",
            "waived",
            "patient_id",
        ),
    )

    id: Mapped[Key]
    clinic_id: Mapped[ClinicRef]
    patient_id: Mapped[Ref]
    requirement: Mapped[str]
    anchor: Mapped[int]
    occurrence: Mapped[int]
    slot: Mapped[str]
    opens_on: Mapped[date]
    due_on: Mapped[date]
    closes_on: Mapped[date | None]
    done_on: Mapped[date | None]
    waived: Mapped[bool]
    evidence_id: Mapped[OptionalRef]
    protocol_version: Mapped[str]


class PatientSchedule(Model):
    """The heads of a patient's schedule, and the earliest date owed (for one row a patient, worst first)."""

    __tablename__ = "patient_schedule"
    __table_args__ = (
        same_clinic("patient_id", "patient"),
        Index("ix_patient_schedule_end", "clinic_id", "monitoring_ends_on"),
        Index("ix_patient_schedule_earliest", "clinic_id", "earliest_due_on", "patient_id"),
    )

    patient_id: Mapped[int] = mapped_column(BigId, primary_key=True)
    clinic_id: Mapped[ClinicRef]
    first_infusion_on: Mapped[date | None]
    last_infusion_on: Mapped[date | None]
    monitoring_ends_on: Mapped[date | None]
    monitoring_closed_on: Mapped[date | None]
    next_course_earliest_on: Mapped[date | None]
    prophylaxis_minimum_until: Mapped[date | None]
    prophylaxis_earliest_stop_on: Mapped[date | None]
    earliest_due_on: Mapped[date | None]
    last_evidence_on: Mapped[date | None]
    protocol_version: Mapped[str]

"""The infusion suite: its chairs, and who sits in which one when."""

from datetime import date

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from clinic_tracker.models.base import (
    ClinicRef,
    Instant,
    Key,
    Model,
    OptionalInstant,
    OptionalUserRef,
    PublicId,
    Ref,
    partial_index,
    same_clinic,
    tenant,
)


class Chair(Model):
    """A chair or bed of the suite. One that is no longer used keeps its bookings."""

    __tablename__ = "chair"
    __table_args__ = tenant(UniqueConstraint("clinic_id", "name"))

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    clinic_id: Mapped[ClinicRef]
    name: Mapped[str]
    position: Mapped[int] = mapped_column(default=0)
    is_active: Mapped[bool] = mapped_column(default=True)


class ChairBooking(Model):
    """A chair held for one day of a course. ``booked_on`` is the local date of ``starts_at`` in the clinic."""

    __tablename__ = "chair_booking"
    __table_args__ = tenant(
        same_clinic("patient_id", "patient"),
        same_clinic("course_id", "treatment_course"),
        same_clinic("chair_id", "chair"),
        CheckConstraint("ends_at > starts_at", name="ends_at"),
        partial_index(
            "uq_chair_booking_course_day", "course_id", "booked_on", where="cancelled_at is null", unique=True
        ),
        Index("ix_chair_booking_clinic", "clinic_id", "booked_on"),
        Index("ix_chair_booking_patient", "patient_id"),
    )

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    clinic_id: Mapped[ClinicRef]
    patient_id: Mapped[Ref]
    course_id: Mapped[Ref]
    chair_id: Mapped[Ref]
    booked_on: Mapped[date]
    starts_at: Mapped[Instant]
    ends_at: Mapped[Instant]
    nurse_name: Mapped[str | None]
    note: Mapped[str | None]
    booked_by_id: Mapped[OptionalUserRef]
    booked_at: Mapped[Instant]
    cancelled_by_id: Mapped[OptionalUserRef]
    cancelled_at: Mapped[OptionalInstant]
    cancelled_reason: Mapped[str | None]
    form_token: Mapped[str | None] = mapped_column(unique=True)
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}

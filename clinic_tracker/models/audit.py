"""Who did what, and who looked at what: append-only."""

from typing import Any

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from clinic_tracker.models.base import Instant, Json, Key, Model, OptionalRef, OptionalUserRef


class AuditEvent(Model):
    """A change, with its actor. The database refuses to update or delete these rows (see migration 0002)."""

    __tablename__ = "audit_event"
    __table_args__ = (
        CheckConstraint("(user_id is null) <> (system_actor is null)", name="one_actor"),
        Index("ix_audit_event_clinic", "clinic_id", "at"),
        Index("ix_audit_event_patient", "patient_id", "at"),
        Index("ix_audit_event_user", "user_id", "at"),
    )

    id: Mapped[Key]
    at: Mapped[Instant]
    clinic_id: Mapped[OptionalRef]
    user_id: Mapped[OptionalUserRef]
    system_actor: Mapped[str | None]
    action: Mapped[str]
    subject_type: Mapped[str]
    subject_id: Mapped[OptionalRef]
    patient_id: Mapped[OptionalRef]
    reason: Mapped[str | None]
    request_id: Mapped[str | None]
    ip: Mapped[str | None]
    before: Mapped[Any] = mapped_column(Json, nullable=True)
    after: Mapped[Any] = mapped_column(Json, nullable=True)


class AccessEvent(Model):
    """A read of patient data: one chart (``patient_id``) or a list (``patient_ids``)."""

    __tablename__ = "access_event"
    __table_args__ = (
        Index("ix_access_event_patient", "patient_id", "at"),
        Index("ix_access_event_clinic", "clinic_id", "at"),
        Index("ix_access_event_user", "user_id", "at"),
    )

    id: Mapped[Key]
    at: Mapped[Instant]
    clinic_id: Mapped[OptionalRef]
    user_id: Mapped[OptionalUserRef]
    system_actor: Mapped[str | None]
    patient_id: Mapped[OptionalRef]
    patient_ids: Mapped[Any] = mapped_column(Json, nullable=True)
    endpoint: Mapped[str]
    request_id: Mapped[str | None]
    ip: Mapped[str | None]

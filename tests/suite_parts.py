"""Rows around an infusion day, as the services leave them, for tests of the board."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from clinic_tracker.domain.vocabulary import ReactionGrade
from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.suite import Chair, ChairBooking
from clinic_tracker.models.treatment import DrugCheck, Infusion, InfusionPause, InfusionReaction, TreatmentCourse
from clinic_tracker.queries.scope import Scope
from tests.treated import Treated


def add(*rows: Any) -> None:
    """Store rows, and note in the trail that something changed."""
    db.session.add_all(rows)
    db.session.commit()


def course_id(treated: Treated) -> int:
    """The key of the course."""
    return db.session.execute(
        select(TreatmentCourse.id).where(TreatmentCourse.public_id == treated.course)
    ).scalar_one()


def infusion_id(infusion: uuid.UUID) -> int:
    """The key of an infusion."""
    return db.session.execute(select(Infusion.id).where(Infusion.public_id == infusion)).scalar_one()


def add_chair(scope: Scope, name: str, position: int = 0) -> Chair:
    """A chair of the suite."""
    chair = Chair(clinic_id=scope.clinic_id, name=name, position=position)
    add(chair)
    return chair


def book(treated: Treated, chair: Chair, starts_at: datetime, nurse: str | None = None) -> ChairBooking:
    """Hold a chair for today."""
    booking = ChairBooking(
        clinic_id=treated.scope.clinic_id,
        patient_id=treated.patient_id,
        course_id=course_id(treated),
        chair_id=chair.id,
        booked_on=treated.scope.today,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=8),
        nurse_name=nurse,
        booked_at=treated.scope.now,
    )
    add(booking)
    return booking


def pause(treated: Treated, infusion: uuid.UUID, at: datetime, until: datetime | None = None) -> None:
    """An interruption."""
    add(
        InfusionPause(
            clinic_id=treated.scope.clinic_id,
            infusion_id=infusion_id(infusion),
            paused_at=at,
            resumed_at=until,
            recorded_at=at,
        )
    )


def react(treated: Treated, infusion: uuid.UUID, *, is_serious: bool = False) -> None:
    """A reaction now."""
    add(
        InfusionReaction(
            clinic_id=treated.scope.clinic_id,
            infusion_id=infusion_id(infusion),
            onset_at=treated.scope.now,
            signs="Urticaria",
            grade=ReactionGrade.MILD.value if not is_serious else ReactionGrade.SEVERE.value,
            is_serious=is_serious,
            recorded_at=treated.scope.now,
        )
    )


def check_drug(treated: Treated, user_id: int, infusion: uuid.UUID | None = None) -> None:
    """One person's check of the drug."""
    add(
        DrugCheck(
            clinic_id=treated.scope.clinic_id,
            course_id=course_id(treated),
            infusion_id=infusion_id(infusion) if infusion else None,
            for_on=treated.scope.today,
            checked_at=treated.scope.now,
            checked_by_id=user_id,
            dose_mg=12.0,
            lot_number="A1234",
            lot_expires_on=treated.scope.today,
            recorded_at=treated.scope.now,
        )
    )


def note_change(scope: Scope, at: datetime | None = None) -> None:
    """An event in the trail of a clinic."""
    add(
        AuditEvent(
            at=at or scope.now,
            clinic_id=scope.clinic_id,
            user_id=scope.user_id,
            action="clinic.edited",
            subject_type="clinic",
            subject_id=scope.clinic_id,
        )
    )

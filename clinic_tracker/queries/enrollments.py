"""The enrollments of a patient, withdrawn ones too."""

import uuid
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import aliased

from clinic_tracker.domain.errors import NotFound
from clinic_tracker.models.access import Prescriber, User
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Enrollment
from clinic_tracker.queries.exam_rows import Attribution
from clinic_tracker.queries.scope import Scope


@dataclass(frozen=True, slots=True)
class EnrollmentRow:
    """An enrollment on record."""

    id: int
    public_id: uuid.UUID
    prescriber: uuid.UUID
    prescriber_name: str
    enrolled_on: date
    counseled_on: date | None
    guide_given_on: date | None
    card_given_on: date | None
    patient_signed_on: date | None
    prescriber_signed_on: date | None
    copy_given: bool
    rems_reference: str | None
    ended_on: date | None
    end_reason: str | None
    entry: Attribution

    @property
    def is_current(self) -> bool:
        """Whether the patient is enrolled by this entry."""
        return self.entry.stands and self.ended_on is None


def enrollments_of(scope: Scope, patient_id: int) -> list[EnrollmentRow]:
    """All enrollments of a patient, the latest first; corrected ones and those entered in error too."""
    rows = db.session.execute(
        _enrollments(scope, patient_id).order_by(Enrollment.enrolled_on.desc(), Enrollment.id.desc())
    )
    return [_row(row) for row in rows]


def find_enrollment(scope: Scope, patient_id: int, enrollment: uuid.UUID) -> EnrollmentRow:
    """One enrollment of this patient, in whatever state; NotFound otherwise."""
    row = db.session.execute(_enrollments(scope, patient_id).where(Enrollment.public_id == enrollment)).one_or_none()
    if row is None:
        raise NotFound("enrollment")
    return _row(tuple(row))


def _enrollments(scope: Scope, patient_id: int) -> Any:
    author, ender, table = aliased(User), aliased(User), Enrollment
    return (
        select(
            table.id,
            table.public_id,
            Prescriber.public_id,
            Prescriber.name,
            table.enrolled_on,
            table.counseled_on,
            table.guide_given_on,
            table.card_given_on,
            table.patient_signed_on,
            table.prescriber_signed_on,
            table.copy_given,
            table.rems_reference,
            table.ended_on,
            table.end_reason,
            table.state,
            author.name,
            table.recorded_at,
            table.recorded_via,
            ender.name,
            table.withdrawn_at,
            table.withdrawn_reason,
        )
        .join(Prescriber, Prescriber.id == table.prescriber_id)
        .outerjoin(author, author.id == table.recorded_by_id)
        .outerjoin(ender, ender.id == table.withdrawn_by_id)
        .where(table.clinic_id == scope.clinic_id, table.patient_id == patient_id)
    )


def _row(row: tuple[Any, ...]) -> EnrollmentRow:
    fields: tuple[Any, ...] = (*row[:14], Attribution(*row[14:]))
    return EnrollmentRow(*fields)

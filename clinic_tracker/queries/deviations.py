"""Departures from the protocol in a clinic, with their reasons, for the report."""

import uuid
from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import select

from clinic_tracker.models.access import User
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.treatment import Deviation, Infusion, TreatmentCourse
from clinic_tracker.queries.scope import Scope


class DeviationLine(NamedTuple):
    """One departure: when, about whom, which rule, why, and who recorded it."""

    occurred_on: date
    patient_id: int
    patient: uuid.UUID
    family_name: str
    given_name: str
    mrn: str
    course: int | None
    day_number: int | None
    code: str
    requirement: str | None
    message: str
    reason: str
    recorded_at: datetime
    recorded_by: str | None


def deviations_between(scope: Scope, from_on: date, to_on: date) -> list[DeviationLine]:
    """The departures of a period that stand, newest first."""
    statement: Any = (
        select(
            Deviation.occurred_on,
            Patient.id,
            Patient.public_id,
            Patient.family_name,
            Patient.given_name,
            Patient.mrn,
            TreatmentCourse.number,
            Infusion.day_number,
            Deviation.code,
            Deviation.requirement,
            Deviation.message,
            Deviation.reason,
            Deviation.recorded_at,
            User.name,
        )
        .join(Patient, Patient.id == Deviation.patient_id)
        .outerjoin(TreatmentCourse, TreatmentCourse.id == Deviation.course_id)
        .outerjoin(Infusion, Infusion.id == Deviation.infusion_id)
        .outerjoin(User, User.id == Deviation.recorded_by_id)
        .where(
            Deviation.clinic_id == scope.clinic_id,
            Deviation.withdrawn_at.is_(None),
            Deviation.occurred_on.between(from_on, to_on),
        )
        .order_by(Deviation.occurred_on.desc(), Deviation.id.desc())
    )
    return [DeviationLine(*row) for row in db.session.execute(statement)]


def by_requirement(_scope: Scope, lines: Iterable[DeviationLine]) -> list[tuple[str, int]]:
    """How many departures there are of each requirement, the most frequent first."""
    counted = Counter(line.requirement or "none named" for line in lines)
    return sorted(counted.items(), key=lambda item: (-item[1], item[0]))

"""Who checked patient, product, dose and expiry for a day (R-55)."""

import uuid
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, select

from clinic_tracker.domain.drug_check import DrugChecked, Product
from clinic_tracker.models.access import User
from clinic_tracker.models.base import db
from clinic_tracker.models.treatment import DrugCheck
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.settings import setting

PEOPLE = "drug_check_people"


class DrugCheckRow(NamedTuple):
    """One person's check."""

    public_id: uuid.UUID
    checked_at: datetime
    checked_by_id: int
    checked_by: str
    dose_mg: float
    lot_number: str
    lot_expires_on: date


def checks_waiting(scope: Scope, course_id: int, on: date) -> tuple[DrugCheckRow, ...]:
    """The checks for a day of a course that has not started."""
    return _rows(
        scope,
        (DrugCheck.course_id == course_id) & (DrugCheck.for_on == on) & DrugCheck.infusion_id.is_(None),
    )


def checks_of_infusion(scope: Scope, infusion_id: int) -> tuple[DrugCheckRow, ...]:
    """The checks before an infusion."""
    return _rows(scope, DrugCheck.infusion_id == infusion_id)


def standing_checks(scope: Scope, course_id: int, on: date) -> tuple[DrugChecked, ...]:
    """The checks that wait for a day of a course, as the rules want them."""
    return tuple(
        DrugChecked(row.checked_by_id, row.checked_by, Product(row.dose_mg, row.lot_number, row.lot_expires_on))
        for row in checks_waiting(scope, course_id, on)
    )


def people_needed(scope: Scope, protocol_id: str) -> int:
    """How many people the clinic wants to check before a start; 0 asks for none."""
    return setting(scope, PEOPLE, protocol_id)


def _rows(scope: Scope, condition: ColumnElement[bool]) -> tuple[DrugCheckRow, ...]:
    columns = [User.name if name == "checked_by" else getattr(DrugCheck, name) for name in DrugCheckRow._fields]
    statement = (
        select(*columns)
        .join(User, User.id == DrugCheck.checked_by_id)
        .where(DrugCheck.clinic_id == scope.clinic_id, DrugCheck.withdrawn_at.is_(None), condition)
        .order_by(DrugCheck.checked_at, DrugCheck.id)
    )
    return tuple(DrugCheckRow(*row) for row in db.session.execute(statement))

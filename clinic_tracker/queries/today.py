"""Numbers of the home page: forms owed, certifications that end."""

from datetime import date, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import and_, case, func, select

from clinic_tracker.models.access import FacilityCertification, Prescriber
from clinic_tracker.models.base import db
from clinic_tracker.models.schedule import Standing
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.worklist_filter import requirements_in

CERTIFICATION_NOTICE_DAYS = 90


class OwedForms(NamedTuple):
    """REMS forms that are open, and how many of them are overdue."""

    open: int
    overdue: int


class Ending(NamedTuple):
    """A certification that has ended or is about to."""

    name: str
    is_facility: bool
    ends_on: date
    public_id: UUID | None


def owed_forms(scope: Scope) -> OwedForms:
    """The REMS forms of the clinic that may be sent now, and those that are late."""
    overdue = func.sum(case((Standing.next_due_on < scope.today, 1), else_=0))
    row = db.session.execute(
        select(func.count(), func.coalesce(overdue, 0)).where(
            Standing.clinic_id == scope.clinic_id,
            Standing.requirement.in_(requirements_in(scope, "forms")),
            Standing.opens_on <= scope.today,
        )
    ).one()
    return OwedForms(int(row[0]), int(row[1]))


def certifications_ending(scope: Scope) -> list[Ending]:
    """Certifications of the facility and of active prescribers that end within 90 days or have ended, soonest first."""
    horizon = scope.today + timedelta(days=CERTIFICATION_NOTICE_DAYS)
    ends = func.max(FacilityCertification.ends_on)
    unlimited = func.sum(case((FacilityCertification.ends_on.is_(None), 1), else_=0))
    facility = db.session.execute(
        select(ends)
        .where(FacilityCertification.clinic_id == scope.clinic_id, FacilityCertification.withdrawn_at.is_(None))
        .having(and_(unlimited == 0, ends <= horizon))
    ).scalar_one_or_none()
    prescribers = db.session.execute(
        select(Prescriber.name, Prescriber.certification_ends_on, Prescriber.public_id).where(
            Prescriber.clinic_id == scope.clinic_id,
            Prescriber.is_active,
            Prescriber.certification_ends_on <= horizon,
        )
    ).all()
    found = [Ending(name, is_facility=False, ends_on=on, public_id=key) for name, on, key in prescribers if on]
    if facility is not None:
        found.append(Ending(scope.clinic_name, is_facility=True, ends_on=facility, public_id=None))
    return sorted(found, key=lambda item: (item.ends_on, item.name))

"""Numbers of the home page: forms owed, certifications that end."""

from datetime import date, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import case, func, select

from clinic_tracker.models.access import FacilityCertification, Prescriber
from clinic_tracker.models.base import db
from clinic_tracker.models.schedule import Standing
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.settings import protocol_in_force
from clinic_tracker.queries.worklist_filter import requirements_in

CERTIFICATION_NOTICE_DAYS = 90
FACILITY_WARNING_DAYS = 30


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


class FacilityWarning(NamedTuple):
    """The facility is not certified, or not for much longer: until ``ends_on``; None where it never was."""

    ends_on: date | None


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
    prescribers = db.session.execute(
        select(Prescriber.name, Prescriber.certification_ends_on, Prescriber.public_id).where(
            Prescriber.clinic_id == scope.clinic_id,
            Prescriber.is_active,
            Prescriber.certification_ends_on <= horizon,
        )
    ).all()
    found = [Ending(name, is_facility=False, ends_on=on, public_id=key) for name, on, key in prescribers if on]
    facility = _facility_certified_until(scope)
    if facility is not None and facility <= horizon:
        found.append(Ending(scope.clinic_name, is_facility=True, ends_on=facility, public_id=None))
    return sorted(found, key=lambda item: (item.ends_on, item.name))


def facility_warning(scope: Scope) -> FacilityWarning | None:
    """Whether infusions are without the facility's certification, now or within 30 days (R-03, R-06).

    None where they are not, and under a protocol without a REMS.
    """
    if protocol_in_force(scope).jurisdiction != "US":
        return None
    ends_on = _facility_certified_until(scope)
    if ends_on is not None and ends_on > scope.today + timedelta(days=FACILITY_WARNING_DAYS):
        return None
    return FacilityWarning(ends_on)


def _facility_certified_until(scope: Scope) -> date | None:
    """The last day of the certification that reaches furthest, ``date.max`` without an end; None without any."""
    ends = db.session.scalars(
        select(FacilityCertification.ends_on).where(
            FacilityCertification.clinic_id == scope.clinic_id, FacilityCertification.withdrawn_at.is_(None)
        )
    )
    return max((end or date.max for end in ends), default=None)

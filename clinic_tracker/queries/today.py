"""Numbers of the home page: who is in the suite, forms owed, certifications that end."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import and_, case, func, select

from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.access import FacilityCertification, Prescriber
from clinic_tracker.models.base import db
from clinic_tracker.models.schedule import Standing
from clinic_tracker.models.treatment import Infusion
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.worklist_filter import requirements_in

_STANDS = FactState.RECORDED.value
CERTIFICATION_NOTICE_DAYS = 90


@dataclass(frozen=True, slots=True)
class Suite:
    """Who is in the infusion suite now: infusions running, observations running, and when the next one may end."""

    infusing: int
    observing: int
    next_out_at: datetime | None

    @property
    def patients(self) -> int:
        """Everybody in the suite."""
        return self.infusing + self.observing


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


def suite_now(scope: Scope) -> Suite:
    """The suite at this moment, from the infusions of today that were not discharged."""
    rows = db.session.execute(
        select(Infusion.ended_at, Infusion.observation_minutes).where(
            Infusion.clinic_id == scope.clinic_id,
            Infusion.infused_on == scope.today,
            Infusion.state == _STANDS,
            Infusion.discharged_at.is_(None),
        )
    ).all()
    out = [ended_at + timedelta(minutes=minutes) for ended_at, minutes in rows if ended_at is not None]
    return Suite(infusing=len(rows) - len(out), observing=len(out), next_out_at=min(out, default=None))


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

"""Who covers for which prescriber, and the criteria under which results close by themselves."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import aliased

from clinic_tracker.domain.permissions import ROLE_PERMISSIONS, Permission
from clinic_tracker.domain.vocabulary import Role
from clinic_tracker.models.access import Membership, Prescriber, User
from clinic_tracker.models.base import db
from clinic_tracker.models.reviewing import AutoReview, PrescriberCover
from clinic_tracker.queries.scope import Scope

_By, _Recorder, _Ender = aliased(User), aliased(User), aliased(User)


@dataclass(frozen=True, slots=True)
class CoverRow:
    """One cover, also a withdrawn one."""

    public_id: uuid.UUID
    prescriber: str
    prescriber_user_id: int | None
    covered_by: str
    from_on: date
    to_on: date
    recorded_by: str | None
    recorded_at: datetime
    withdrawn_at: datetime | None

    def holds(self, on: date) -> bool:
        """Whether it is in force on a day."""
        return self.withdrawn_at is None and self.from_on <= on <= self.to_on


@dataclass(frozen=True, slots=True)
class Criteria:
    """The clinic's words for which normal results close by themselves, and how many of them are looked at."""

    criteria: str
    sample_percent: int
    recorded_by: str | None
    recorded_at: datetime
    ended_by: str | None
    ended_at: datetime | None


def is_covered_by_me(scope: Scope) -> ColumnElement[bool]:
    """SQL: whether the person of the scope covers for the prescriber of a row today."""
    return exists().where(
        PrescriberCover.clinic_id == scope.clinic_id,
        PrescriberCover.prescriber_id == Prescriber.id,
        PrescriberCover.covered_by_id == (scope.user_id or 0),
        PrescriberCover.withdrawn_at.is_(None),
        PrescriberCover.from_on <= scope.today,
        PrescriberCover.to_on >= scope.today,
    )


def covers(scope: Scope) -> list[CoverRow]:
    """Every cover of the clinic, the latest first."""
    rows = db.session.execute(
        select(
            PrescriberCover.public_id,
            Prescriber.name,
            Prescriber.user_id,
            _By.name,
            PrescriberCover.from_on,
            PrescriberCover.to_on,
            _Recorder.name,
            PrescriberCover.recorded_at,
            PrescriberCover.withdrawn_at,
        )
        .join(Prescriber, Prescriber.id == PrescriberCover.prescriber_id)
        .join(_By, _By.id == PrescriberCover.covered_by_id)
        .outerjoin(_Recorder, _Recorder.id == PrescriberCover.recorded_by_id)
        .where(PrescriberCover.clinic_id == scope.clinic_id)
        .order_by(PrescriberCover.from_on.desc(), PrescriberCover.id.desc())
    )
    return [CoverRow(*row) for row in rows]


def covering_today(scope: Scope) -> dict[str, str]:
    """Who covers today, by the name of the prescriber who is away."""
    return {row.prescriber: row.covered_by for row in covers(scope) if row.holds(scope.today)}


def reviewers(scope: Scope) -> list[tuple[uuid.UUID, str]]:
    """The people of the clinic who may review results, by name."""
    roles = [role.value for role in Role if Permission.REVIEW_RESULTS in ROLE_PERMISSIONS[role]]
    rows = db.session.execute(
        select(User.public_id, User.name)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.clinic_id == scope.clinic_id, Membership.ended_on.is_(None), Membership.role.in_(roles))
        .order_by(User.name)
    )
    return [(public_id, name) for public_id, name in rows]


def prescribers_to_cover(scope: Scope) -> list[tuple[uuid.UUID, str]]:
    """The active prescribers for whom the person of the scope may arrange cover."""
    statement = select(Prescriber.public_id, Prescriber.name).where(
        Prescriber.clinic_id == scope.clinic_id, Prescriber.is_active
    )
    if not scope.may(Permission.MANAGE_CLINIC):
        statement = statement.where(Prescriber.user_id == (scope.user_id or 0))
    return [(public_id, name) for public_id, name in db.session.execute(statement.order_by(Prescriber.name))]


def review_criteria(scope: Scope) -> list[Criteria]:
    """Every criteria for closing normal results that the clinic has had, the latest first."""
    rows = db.session.execute(
        select(
            AutoReview.criteria,
            AutoReview.sample_percent,
            _Recorder.name,
            AutoReview.recorded_at,
            _Ender.name,
            AutoReview.ended_at,
        )
        .outerjoin(_Recorder, _Recorder.id == AutoReview.recorded_by_id)
        .outerjoin(_Ender, _Ender.id == AutoReview.ended_by_id)
        .where(AutoReview.clinic_id == scope.clinic_id)
        .order_by(AutoReview.id.desc())
    )
    return [Criteria(*row) for row in rows]

"""Who sees the results of a prescriber who is away: arranged by the administrator or the prescriber, with dates."""

import uuid
from datetime import date

from sqlalchemy import select

from clinic_tracker.domain.errors import NotFound, RuleViolation
from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.permissions import ROLE_PERMISSIONS, Permission
from clinic_tracker.domain.vocabulary import Role
from clinic_tracker.models.access import Membership, Prescriber, User
from clinic_tracker.models.base import db
from clinic_tracker.models.reviewing import PrescriberCover
from clinic_tracker.queries.scope import PermissionDenied, Scope
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.clinics import lock_clinic
from clinic_tracker.services.unit_of_work import unit_of_work

_REVIEWERS = tuple(role.value for role in Role if Permission.REVIEW_RESULTS in ROLE_PERMISSIONS[role])


def arrange_cover(
    scope: Scope,
    *,
    prescriber: uuid.UUID | None,
    covered_by: uuid.UUID | None,
    from_on: date,
    to_on: date,
    form_token: str | None = None,
) -> uuid.UUID:
    """Let somebody who reviews results see those of a prescriber's patients, from one day to another.

    RuleViolation for days in the past or out of order, for somebody who may not review or is the prescriber, and where
    that prescriber is covered on one of the days. A neurologist arranges this for their own patients only.
    """
    scope.require(Permission.ARRANGE_REVIEW)
    if to_on < from_on:
        raise RuleViolation("order", "to_on", "The last day must not be before the first day.")
    if to_on < scope.today:
        raise RuleViolation("past_date", "to_on", "The last day must not be in the past.")
    with unit_of_work(scope):
        lock_clinic(scope)
        if form_token and (sent := _of_form(scope, form_token)):
            return sent
        away = _prescriber(scope, prescriber)
        _check_own(scope, away)
        by = _reviewer(scope, covered_by)
        if by == away.user_id:
            raise RuleViolation("same_person", "covered_by", "Choose somebody else than the prescriber.")
        _check_free(scope, away, from_on, to_on)
        row = PrescriberCover(
            clinic_id=scope.clinic_id,
            prescriber_id=away.id,
            covered_by_id=by,
            from_on=from_on,
            to_on=to_on,
            recorded_by_id=scope.user_id,
            recorded_at=scope.now,
            form_token=form_token,
        )
        db.session.add(row)
        audit.record(scope, AuditAction.COVER_ARRANGED, row)
    return row.public_id


def withdraw_cover(scope: Scope, cover: uuid.UUID) -> None:
    """End a cover now; it stays on the list as withdrawn. RuleViolation when that was done before."""
    scope.require(Permission.ARRANGE_REVIEW)
    with unit_of_work(scope):
        lock_clinic(scope)
        row = db.session.execute(
            select(PrescriberCover).where(
                PrescriberCover.clinic_id == scope.clinic_id, PrescriberCover.public_id == cover
            )
        ).scalar_one_or_none()
        if row is None:
            raise NotFound("cover")
        _check_own(scope, db.session.get_one(Prescriber, row.prescriber_id))
        if row.withdrawn_at is not None:
            raise RuleViolation("already_withdrawn", None, "This cover was withdrawn already.")
        before = audit.snapshot(row)
        row.withdrawn_at, row.withdrawn_by_id = scope.now, scope.user_id
        audit.record(scope, AuditAction.COVER_WITHDRAWN, row, before=before)


def _check_own(scope: Scope, prescriber: Prescriber) -> None:
    if not scope.may(Permission.MANAGE_CLINIC) and prescriber.user_id != scope.user_id:
        raise PermissionDenied(Permission.MANAGE_CLINIC)


def _prescriber(scope: Scope, prescriber: uuid.UUID | None) -> Prescriber:
    row = db.session.execute(
        select(Prescriber).where(Prescriber.clinic_id == scope.clinic_id, Prescriber.public_id == prescriber)
    ).scalar_one_or_none()
    if row is None:
        raise RuleViolation("prescriber", "prescriber", "Choose a prescriber of this clinic.")
    return row


def _reviewer(scope: Scope, user: uuid.UUID | None) -> int:
    found: int | None = db.session.execute(
        select(User.id)
        .join(Membership, Membership.user_id == User.id)
        .where(
            User.public_id == user,
            Membership.clinic_id == scope.clinic_id,
            Membership.ended_on.is_(None),
            Membership.role.in_(_REVIEWERS),
        )
    ).scalar_one_or_none()
    if found is None:
        raise RuleViolation("covered_by", "covered_by", "Choose somebody of this clinic who reviews results.")
    return found


def _check_free(scope: Scope, prescriber: Prescriber, from_on: date, to_on: date) -> None:
    other = db.session.execute(
        select(PrescriberCover.from_on, PrescriberCover.to_on)
        .where(
            PrescriberCover.clinic_id == scope.clinic_id,
            PrescriberCover.prescriber_id == prescriber.id,
            PrescriberCover.withdrawn_at.is_(None),
            PrescriberCover.from_on <= to_on,
            PrescriberCover.to_on >= from_on,
        )
        .limit(1)
    ).one_or_none()
    if other is not None:
        span = f"{show_date(other.from_on)} to {show_date(other.to_on)}"
        message = f"Somebody covers from {span} already. Withdraw that first, or choose other days."
        raise RuleViolation("covered_already", "from_on", message)


def _of_form(scope: Scope, form_token: str) -> uuid.UUID | None:
    return db.session.execute(
        select(PrescriberCover.public_id).where(
            PrescriberCover.clinic_id == scope.clinic_id, PrescriberCover.form_token == form_token
        )
    ).scalar_one_or_none()

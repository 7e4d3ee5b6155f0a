"""Letters that a file is there: one for each recipient who may have it, tried again with growing waits."""

import uuid
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import select

from clinic_tracker.models.access import Clinic
from clinic_tracker.models.base import db
from clinic_tracker.models.reporting import ReportDelivery, ReportRun
from clinic_tracker.queries.report_people import possible_recipients
from clinic_tracker.queries.reports.registry import REPORTS
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.unit_of_work import unit_of_work

WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240, 720))
NOT_ALLOWED = "May not have this report any more."
TOO_LATE = "The file is no longer kept."


@dataclass(frozen=True, slots=True)
class Announcement:
    """What one recipient is told: that a kind of report of a clinic is there, and where. Nothing that is in it."""

    delivery_id: int
    clinic_id: int
    attempt: int
    address: str
    clinic: str
    title: str
    run: uuid.UUID
    due_on: date
    expires_at: datetime
    time_zone: str


def next_announcement(scope: Scope) -> Announcement | None:
    """Take the next letter that is to be tried now, of any clinic; None if there is none.

    Whoever may not have the file any more, and what is no longer kept, is given up on the way. The attempt is counted
    before it is made, so that two workers never try at the same time.
    """
    while True:
        with unit_of_work(scope):
            row = _next(scope)
            if row is None:
                return None
            told = _prepare(scope, row)
        if told is not None:
            return told


def note_sent(scope: Scope, letter: Announcement) -> None:
    """Note that a letter was taken by the mail server."""
    with unit_of_work(scope):
        row = _lock(letter)
        row.sent_at, row.last_error = scope.now, None
        _tell(scope, AuditAction.REPORT_ANNOUNCED, row)


def note_not_sent(scope: Scope, letter: Announcement, reason: str) -> None:
    """Note why a letter was not sent; after the last attempt it is given up."""
    with unit_of_work(scope):
        row = _lock(letter)
        row.last_error = reason
        if letter.attempt > len(WAITS):
            _give_up(scope, row, reason)


def _next(scope: Scope) -> ReportDelivery | None:
    return db.session.execute(
        select(ReportDelivery)
        .where(
            ReportDelivery.sent_at.is_(None),
            ReportDelivery.given_up_at.is_(None),
            ReportDelivery.next_try_at <= scope.now,
        )
        .order_by(ReportDelivery.next_try_at, ReportDelivery.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()


def _prepare(scope: Scope, row: ReportDelivery) -> Announcement | None:
    run = db.session.get_one(ReportRun, row.run_id)
    clinic = db.session.get_one(Clinic, row.clinic_id)
    definition = REPORTS[run.name].definition if run.name in REPORTS else None
    in_clinic = replace(scope, clinic_id=clinic.id)
    people = possible_recipients(in_clinic, definition, row.user_id) if definition is not None else []
    if definition is None or not people:
        _give_up(scope, row, NOT_ALLOWED)
        return None
    if run.due_on is None or run.expires_at is None or run.removed_at is not None or run.expires_at <= scope.now:
        _give_up(scope, row, TOO_LATE)
        return None
    row.attempts += 1
    row.next_try_at = scope.now + WAITS[min(row.attempts, len(WAITS)) - 1]
    return Announcement(
        row.id,
        clinic.id,
        row.attempts,
        people[0].email,
        clinic.name,
        definition.title,
        run.public_id,
        run.due_on,
        run.expires_at,
        clinic.time_zone,
    )


def _give_up(scope: Scope, row: ReportDelivery, reason: str) -> None:
    row.given_up_at, row.last_error = scope.now, reason
    _tell(scope, AuditAction.REPORT_NOT_ANNOUNCED, row)


def _lock(letter: Announcement) -> ReportDelivery:
    return db.session.execute(
        select(ReportDelivery)
        .where(ReportDelivery.id == letter.delivery_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one()


def _tell(scope: Scope, action: AuditAction, row: ReportDelivery) -> None:
    after = {"run": row.run_id, "recipient": row.user_id, "attempts": row.attempts, "error": row.last_error}
    in_clinic = replace(scope, clinic_id=row.clinic_id)
    audit.note(in_clinic, action, subject_type="report_delivery", subject_id=row.id, after=after)

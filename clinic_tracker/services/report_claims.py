"""Who makes a file, and that it is one at a time: a run is held by a lease that a heartbeat renews."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, Select, Update, and_, or_, select, update

from clinic_tracker.domain.reporting.formats import stored_name
from clinic_tracker.models.access import Clinic
from clinic_tracker.models.base import db
from clinic_tracker.models.reporting import ReportDelivery, ReportRecipient, ReportRun
from clinic_tracker.queries.report_runs import LEASE
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.report_runs import told
from clinic_tracker.services.unit_of_work import begin_write, unit_of_work

MOST_ATTEMPTS = 3
NEVER_DONE = f"It was begun {MOST_ATTEMPTS} times and never came to its end: whoever made it was stopped each time."


@dataclass(frozen=True, slots=True)
class Claim:
    """A run that is held by a worker, with all that its making needs. ``as_at`` is the instant of the first asking."""

    run_id: int
    run: uuid.UUID
    attempt: int
    worker: str
    clinic_slug: str
    name: str
    parameters: dict[str, str]
    form: str
    made_by: str
    made_on: date
    as_at: datetime

    @property
    def file(self) -> str:
        """The name of the file in the folder: no other attempt has the same."""
        return stored_name(self.run, self.attempt, self.form)


@dataclass(frozen=True, slots=True)
class Result:
    """A file that lies complete under its name."""

    sha256: str
    checksum: str
    size: int
    lines: int
    patients: Iterable[int]


def claim(scope: Scope, worker: str, run: uuid.UUID | None = None) -> Claim | None:
    """Take a run that nobody holds, or whose holder gave no sign for longer than the lease; None if there is none.

    Takes the one that was asked for first, of any clinic, or ``run``. What was begun too often fails here.
    """
    while True:
        begin_write(scope)
        row = db.session.execute(_free(scope.now, run)).scalar_one_or_none()
        if row is None:
            db.session.rollback()
            return None
        if row.attempts >= MOST_ATTEMPTS:
            row.failed_at, row.failure = scope.now, NEVER_DONE
            told(replace(scope, clinic_id=row.clinic_id), AuditAction.REPORT_FAILED, row)
            db.session.commit()
            continue
        row.claimed_by, row.claimed_at, row.heartbeat_at = worker, scope.now, scope.now
        row.attempts, row.lines_done, row.lines_expected = row.attempts + 1, 0, None
        taken = _claim_of(row, worker)
        db.session.commit()
        return taken


def beat(scope: Scope, held: Claim, done: int, expected: int | None) -> bool:
    """Say that the holder lives and how far it is; False where it must stop: cancelled, or held by another by now.

    Has a connection of its own, so that the holder may be reading, and may be called from another thread.
    """
    values = {"heartbeat_at": scope.now, "lines_done": done, "lines_expected": expected}
    with db.engine.connect().execution_options(sqlite_begin="IMMEDIATE") as connection, connection.begin():
        return connection.execute(_held(held).values(**values)).rowcount == 1


def release(scope: Scope, held: Claim) -> None:
    """Give a run back without having made it, so that the next worker takes it at once; it counts as no attempt."""
    begin_write(scope)
    values = {"claimed_by": None, "claimed_at": None, "heartbeat_at": None, "attempts": held.attempt - 1}
    db.session.execute(_held(held).values(**values, lines_done=0))
    db.session.commit()


def finish(scope: Scope, held: Claim, result: Result, keep: timedelta) -> bool:
    """Note that the file is there; False where the run was cancelled or is held by another: then the file must go.

    From this commit on the file can be taken out, until ``keep`` is over; recipients of a schedule are told of it.
    """
    with unit_of_work(scope):
        row = _lock(held)
        if row is None:
            return False
        row.finished_at, row.expires_at = scope.now, scope.now + keep
        row.sha256, row.checksum, row.size, row.lines = result.sha256, result.checksum, result.size, result.lines
        row.patients, row.lines_done = sorted(result.patients), result.lines
        told(scope, AuditAction.REPORT_MADE, row)
        _announce(scope, row)
    return True


def fail(scope: Scope, held: Claim, failure: str) -> None:
    """Note that a file cannot be made, and why; the words name no patient."""
    with unit_of_work(scope):
        row = _lock(held)
        if row is not None:
            row.failed_at, row.failure = scope.now, failure
            told(scope, AuditAction.REPORT_FAILED, row)


def _announce(scope: Scope, row: ReportRun) -> None:
    if row.schedule_id is None:
        return
    recipients = db.session.scalars(
        select(ReportRecipient.user_id)
        .where(ReportRecipient.schedule_id == row.schedule_id)
        .order_by(ReportRecipient.user_id)
    )
    for user_id in recipients:
        letter = ReportDelivery(clinic_id=row.clinic_id, run_id=row.id, user_id=user_id, next_try_at=scope.now)
        db.session.add(letter)


def _claim_of(row: ReportRun, worker: str) -> Claim:
    slug = db.session.scalar(select(Clinic.slug).where(Clinic.id == row.clinic_id))
    as_at = row.asked_at
    if row.repeats_id is not None:
        as_at = db.session.scalar(select(ReportRun.asked_at).where(ReportRun.id == row.repeats_id)) or as_at
    return Claim(
        row.id,
        row.public_id,
        row.attempts,
        worker,
        slug or "",
        row.name,
        dict(row.parameters),
        row.format,
        row.made_by,
        row.made_on,
        as_at,
    )


def _free(now: datetime, run: uuid.UUID | None) -> Select[ReportRun]:
    statement = select(ReportRun).where(
        *ReportRun.unended(), or_(ReportRun.heartbeat_at.is_(None), ReportRun.heartbeat_at < now - LEASE)
    )
    if run is not None:
        statement = statement.where(ReportRun.public_id == run)
    return (
        statement.order_by(ReportRun.asked_at, ReportRun.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )


def _is_held(held: Claim) -> ColumnElement[bool]:
    return and_(
        ReportRun.id == held.run_id,
        ReportRun.claimed_by == held.worker,
        ReportRun.attempts == held.attempt,
        *ReportRun.unended(),
    )


def _held(held: Claim) -> Update:
    return update(ReportRun).where(_is_held(held)).execution_options(synchronize_session=False)


def _lock(held: Claim) -> ReportRun | None:
    statement = select(ReportRun).where(_is_held(held)).with_for_update().execution_options(populate_existing=True)
    return db.session.execute(statement).scalar_one_or_none()

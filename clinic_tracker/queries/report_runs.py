"""Files of reports and reports that come by themselves, as their pages show them."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import aliased

from clinic_tracker.domain.errors import NotFound
from clinic_tracker.domain.reporting.rhythm import Rhythm, last_due_day
from clinic_tracker.models.access import User
from clinic_tracker.models.base import db
from clinic_tracker.models.reporting import ReportDelivery, ReportRecipient, ReportRun, ReportSchedule
from clinic_tracker.queries.reports.registry import REPORTS
from clinic_tracker.queries.scope import Scope

LEASE = timedelta(seconds=30)  # how long after its last heartbeat a worker is taken for dead
PATIENCE = timedelta(seconds=10)  # an idle worker looks every second: who waits longer waits for a worker
PAGE_WORKER = "page:"  # what begins the name of a page that makes a file while a person waits


@dataclass(frozen=True, slots=True)
class RunRow:
    """A file of a report with who asked for it. ``repeats`` is the file that it is to be compared with."""

    run: ReportRun
    asked_by: str | None
    cancelled_by: str | None
    repeats: uuid.UUID | None
    schedule: uuid.UUID | None


@dataclass(frozen=True, slots=True)
class ScheduleRow:
    """A report that comes by itself, with those who are told. ``next_due_on`` is None for one that has ended."""

    row: ReportSchedule
    created_by: str
    recipients: tuple[tuple[uuid.UUID, str], ...]
    next_due_on: date | None
    last_run: uuid.UUID | None
    last_due_on: date | None

    @property
    def rhythm(self) -> Rhythm:
        """How often it comes."""
        return Rhythm(self.row.weekday, self.row.month_day)


@dataclass(frozen=True, slots=True)
class Delivery:
    """Whom a file was announced to, and what became of it."""

    name: str
    sent_at: datetime | None
    given_up_at: datetime | None
    next_try_at: datetime
    attempts: int
    last_error: str | None


def visible_reports(scope: Scope) -> list[str]:
    """The names of the reports that the person may see."""
    return [name for name, source in REPORTS.items() if all(scope.may(one) for one in source.definition.permissions)]


def run_rows(scope: Scope, begin: int, size: int) -> tuple[list[RunRow], int]:
    """The files of the clinic that the person may see, the newest first, a part of them; and how many there are."""
    of_clinic = _seen(scope)
    total = db.session.scalar(select(func.count()).select_from(ReportRun).where(*of_clinic)) or 0
    statement = _rows().where(*of_clinic).order_by(ReportRun.asked_at.desc(), ReportRun.id.desc())
    return _run_rows(statement.offset(begin).limit(size)), total


def run_row(scope: Scope, run: uuid.UUID) -> RunRow:
    """One of them; NotFound if there is none."""
    rows = _run_rows(_rows().where(*_seen(scope), ReportRun.public_id == run))
    if not rows:
        raise NotFound("file")
    return rows[0]


def runs_of_digest(scope: Scope, sha256: str) -> list[RunRow]:
    """The files with these bytes, the first one first."""
    return _run_rows(_rows().where(*_seen(scope), ReportRun.sha256 == sha256).order_by(ReportRun.finished_at))


def runs_of_schedule(scope: Scope, schedule: uuid.UUID, most: int = 24) -> list[RunRow]:
    """The latest files of a report that comes by itself."""
    statement = _rows().where(*_seen(scope), ReportSchedule.public_id == schedule)
    return _run_rows(statement.order_by(ReportRun.due_on.desc()).limit(most))


def deliveries_of(scope: Scope, run: ReportRun) -> list[Delivery]:
    """Whom a file was announced to, by name."""
    rows = db.session.execute(
        select(
            User.name,
            ReportDelivery.sent_at,
            ReportDelivery.given_up_at,
            ReportDelivery.next_try_at,
            ReportDelivery.attempts,
            ReportDelivery.last_error,
        )
        .join(User, User.id == ReportDelivery.user_id)
        .where(ReportDelivery.run_id == run.id, ReportDelivery.clinic_id == scope.clinic_id)
        .order_by(User.name, User.id)
    )
    return [Delivery(*row) for row in rows]


def nobody_works(scope: Scope, runs: Iterable[ReportRun]) -> bool:
    """Whether one of these has waited for longer than a worker needs to see it, and none is busy with another one."""
    waiting = [
        run
        for run in runs
        if run.claimed_by is None
        and run.asked_at < scope.now - PATIENCE
        and not (run.finished_at or run.failed_at or run.cancelled_at)
    ]
    if not waiting:
        return False
    busy = select(ReportRun.id).where(
        *ReportRun.unended(),
        ReportRun.heartbeat_at >= scope.now - LEASE,
        ReportRun.claimed_by.not_like(f"{PAGE_WORKER}%"),
    )
    return db.session.scalar(busy.limit(1)) is None


def schedule_rows(scope: Scope) -> list[ScheduleRow]:
    """The reports that come by themselves: those in force first, by report."""
    rows = list(db.session.execute(_schedules(scope)))
    found = [_schedule_row(scope, row, created_by) for row, created_by in rows]
    return sorted(found, key=lambda one: (one.row.ended_at is not None, one.row.name, one.row.id))


def schedule_row(scope: Scope, schedule: uuid.UUID) -> ScheduleRow:
    """One of them; NotFound if there is none."""
    found = db.session.execute(_schedules(scope).where(ReportSchedule.public_id == schedule)).one_or_none()
    if found is None:
        raise NotFound("schedule")
    return _schedule_row(scope, found[0], found[1])


def _seen(scope: Scope) -> tuple[ColumnElement[bool], ...]:
    return ReportRun.clinic_id == scope.clinic_id, ReportRun.name.in_(visible_reports(scope))


def _rows() -> Any:
    asker, canceller, first = aliased(User), aliased(User), aliased(ReportRun)
    return (
        select(ReportRun, asker.name, canceller.name, first.public_id, ReportSchedule.public_id)
        .outerjoin(asker, asker.id == ReportRun.asked_by_id)
        .outerjoin(canceller, canceller.id == ReportRun.cancelled_by_id)
        .outerjoin(first, first.id == ReportRun.repeats_id)
        .outerjoin(ReportSchedule, ReportSchedule.id == ReportRun.schedule_id)
        .execution_options(populate_existing=True)
    )


def _run_rows(statement: Any) -> list[RunRow]:
    return [RunRow(*row) for row in db.session.execute(statement)]


def _schedules(scope: Scope) -> Any:
    return (
        select(ReportSchedule, User.name)
        .join(User, User.id == ReportSchedule.created_by_id)
        .where(ReportSchedule.clinic_id == scope.clinic_id, ReportSchedule.name.in_(visible_reports(scope)))
        .execution_options(populate_existing=True)
    )


def _schedule_row(scope: Scope, row: ReportSchedule, created_by: str) -> ScheduleRow:
    recipients = db.session.execute(
        select(User.public_id, User.name)
        .join(ReportRecipient, ReportRecipient.user_id == User.id)
        .where(ReportRecipient.schedule_id == row.id)
        .order_by(User.name, User.id)
    )
    last = db.session.execute(
        select(ReportRun.public_id, ReportRun.due_on)
        .where(ReportRun.schedule_id == row.id)
        .order_by(ReportRun.due_on.desc())
        .limit(1)
    ).one_or_none()
    tomorrow = last_due_day(scope.today, scope.now, scope.time_zone) + timedelta(days=1)
    following = Rhythm(row.weekday, row.month_day).on_or_after(max(row.first_due_on, tomorrow))
    return ScheduleRow(
        row,
        created_by,
        tuple((public_id, name) for public_id, name in recipients),
        following if row.ended_at is None else None,
        last[0] if last else None,
        last[1] if last else None,
    )

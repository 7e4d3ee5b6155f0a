"""Reports that come by themselves: set up, changed, ended, and due exactly once each time."""

import logging
import uuid
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import delete, select
from sqlalchemy.exc import OperationalError

from clinic_tracker.domain.errors import NotFound, RuleViolation
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.reporting.definition import Takes
from clinic_tracker.domain.reporting.formats import ReportFormat
from clinic_tracker.domain.reporting.parameters import read_parameters
from clinic_tracker.domain.reporting.rhythm import RelativePeriod, Rhythm, last_due_day, period_before
from clinic_tracker.models.access import Clinic, User
from clinic_tracker.models.base import db
from clinic_tracker.models.reporting import ReportRecipient, ReportRun, ReportSchedule
from clinic_tracker.queries.accounts import scope_of_command
from clinic_tracker.queries.report_people import possible_recipients
from clinic_tracker.queries.reports.heads import report_head
from clinic_tracker.queries.reports.registry import REPORTS
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.report_runs import add_run, allowed_source
from clinic_tracker.services.reporting import check_format
from clinic_tracker.services.unit_of_work import check_version, unit_of_work

ACTOR = "report schedule"
DATES = frozenset({"from", "to", "as_of", "known_at", "compared_with"})
MOST_MISSED = 12  # due dates that are made up for after a time without a worker
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Plan:
    """What comes, of which period, as what, when and who is told of it. ``recipients`` are public ids of users."""

    name: str
    parameters: Mapping[str, str]
    period: RelativePeriod
    form: ReportFormat
    rhythm: Rhythm
    recipients: Iterable[uuid.UUID] = ()


def add_schedule(scope: Scope, plan: Plan, form_token: str | None = None) -> uuid.UUID:
    """Set up a report that comes by itself; its public id, that of the one on record for a form sent twice.

    It is first due on the next day of its rhythm. RuleViolation for parameters that a schedule cannot have or the
    clinic does not know, and for recipients who may not have the file.
    """
    parameters = _checked(scope, plan)
    recipients = _recipients(scope, plan)
    with unit_of_work(scope):
        known = _of_token(scope, form_token)
        if known is not None:
            return known
        row = ReportSchedule(
            clinic_id=scope.clinic_id,
            name=plan.name,
            parameters=parameters,
            period=plan.period.value,
            format=plan.form.value,
            weekday=plan.rhythm.weekday,
            month_day=plan.rhythm.month_day,
            first_due_on=_first_due(scope, plan.rhythm),
            created_by_id=scope.user_id,
            created_at=scope.now,
            form_token=form_token,
        )
        db.session.add(row)
        db.session.flush()
        _set_recipients(row, recipients)
        _tell(scope, AuditAction.REPORT_SCHEDULED, row, recipients)
        return row.public_id


def change_schedule(scope: Scope, schedule: uuid.UUID, plan: Plan, version: int | None = None) -> None:
    """Change what comes, when and to whom, from the next due date on. StaleVersion where somebody else was faster."""
    parameters = _checked(scope, plan)
    recipients = _recipients(scope, plan)
    with unit_of_work(scope):
        row = _lock(scope, schedule)
        if row.name != plan.name:
            raise RuleViolation("another_report", None, "A schedule keeps its report: end it and add another.")
        _refuse_ended(row)
        check_version(row.version, version, "somebody else", "meanwhile")
        if Rhythm(row.weekday, row.month_day) != plan.rhythm:
            row.weekday, row.month_day = plan.rhythm.weekday, plan.rhythm.month_day
            row.first_due_on = _first_due(scope, plan.rhythm)
        row.parameters, row.period, row.format = parameters, plan.period.value, plan.form.value
        _set_recipients(row, recipients)
        db.session.flush()
        _tell(scope, AuditAction.REPORT_SCHEDULE_CHANGED, row, recipients)


def end_schedule(scope: Scope, schedule: uuid.UUID) -> None:
    """Let a report come no more; its files stay for their time."""
    scope.require(Permission.SCHEDULE_REPORTS)
    with unit_of_work(scope):
        row = _lock(scope, schedule)
        allowed_source(scope, row.name)
        _refuse_ended(row)
        row.ended_at, row.ended_by_id = scope.now, scope.user_id
        _tell(scope, AuditAction.REPORT_SCHEDULE_ENDED, row, {})


def make_due(scope: Scope) -> int:
    """Ask for everything that is due by now in any clinic, each due date once; how many files were asked for.

    A schedule that this goes wrong with is logged and tried again next time; the others are not kept waiting.
    """
    statement = (
        select(ReportSchedule.id, Clinic.slug)
        .join(Clinic, Clinic.id == ReportSchedule.clinic_id)
        .where(ReportSchedule.ended_at.is_(None))
        .order_by(ReportSchedule.id)
    )
    known = list(db.session.execute(statement))
    db.session.rollback()
    asked = 0
    for key, slug in known:
        in_clinic = scope_of_command(scope, slug, ACTOR, scope.now)
        if in_clinic is not None:
            try:
                with suppress(RuleViolation):  # another worker was faster; what is still missing is asked for next time
                    asked += _make_due(in_clinic, key)
            except OperationalError:  # nor would the database answer for the next
                raise
            except Exception:  # one schedule must not keep the files of others from being made
                db.session.rollback()
                log.exception("What is due by a schedule could not be asked for")
    return asked


def _make_due(scope: Scope, key: int) -> int:
    """Ask for the missing due dates of one schedule, the latest twelve at most."""
    if not _missing(scope, db.session.get_one(ReportSchedule, key)):
        return 0
    with unit_of_work(scope):
        statement = select(ReportSchedule).where(ReportSchedule.id == key, ReportSchedule.ended_at.is_(None))
        row = db.session.execute(
            statement.with_for_update().execution_options(populate_existing=True)
        ).scalar_one_or_none()
        missing = _missing(scope, row) if row is not None else []
        for due_on in missing:
            assert row is not None
            add_run(scope, _run_of(scope, row, due_on))
    return len(missing)


def _missing(scope: Scope, row: ReportSchedule) -> list[date]:
    last = last_due_day(scope.today, scope.now, scope.time_zone)
    done = set(
        db.session.scalars(
            select(ReportRun.due_on).where(ReportRun.schedule_id == row.id, ReportRun.due_on >= row.first_due_on)
        )
    )
    rhythm = Rhythm(row.weekday, row.month_day)
    return [day for day in rhythm.dates(row.first_due_on, last) if day not in done][-MOST_MISSED:]


def _run_of(scope: Scope, row: ReportSchedule, due_on: date) -> ReportRun:
    """The run of a due date: as of that day, about the period before it, with what is known now."""
    takes = REPORTS[row.name].definition.takes if row.name in REPORTS else frozenset()
    parameters = dict(row.parameters)
    if Takes.AS_OF in takes:
        parameters["as_of"] = due_on.isoformat()
    if Takes.PERIOD in takes:
        first, last = period_before(RelativePeriod(row.period), due_on)
        parameters |= {"from": first.isoformat(), "to": last.isoformat()}
    if Takes.KNOWN_AT in takes:
        parameters["known_at"] = scope.now.isoformat()
    creator = db.session.scalar(select(User.name).where(User.id == row.created_by_id))
    return ReportRun(
        clinic_id=row.clinic_id,
        name=row.name,
        parameters=parameters,
        format=row.format,
        schedule_id=row.id,
        due_on=due_on,
        asked_at=scope.now,
        made_by=f"the schedule of {creator}",
        made_on=scope.today,
    )


def _checked(scope: Scope, plan: Plan) -> dict[str, str]:
    scope.require(Permission.SCHEDULE_REPORTS)
    definition = allowed_source(scope, plan.name).definition
    check_format(scope, plan.name, plan.form)
    given = {name: text for name, text in plan.parameters.items() if text.strip()}
    for name in sorted(DATES & given.keys()):
        raise RuleViolation("fixed_date", name, "A report that comes by itself has no fixed dates.")
    parameters = read_parameters(definition, given, scope.now, scope.time_zone)
    report_head(scope, definition, parameters)
    return {name: text for name, text in parameters.as_json().items() if name not in DATES}


def _recipients(scope: Scope, plan: Plan) -> dict[int, str]:
    possible = {one.public_id: one for one in possible_recipients(scope, allowed_source(scope, plan.name).definition)}
    wanted = sorted(set(plan.recipients))
    if any(one not in possible for one in wanted):
        raise RuleViolation("no_such", "recipients", "Choose people of this clinic who may have this report.")
    return {possible[one].user_id: possible[one].name for one in wanted}


def _set_recipients(row: ReportSchedule, recipients: Mapping[int, str]) -> None:
    db.session.execute(delete(ReportRecipient).where(ReportRecipient.schedule_id == row.id))
    db.session.add_all(
        ReportRecipient(clinic_id=row.clinic_id, schedule_id=row.id, user_id=key) for key in sorted(recipients)
    )


def _first_due(scope: Scope, rhythm: Rhythm) -> date:
    return rhythm.on_or_after(last_due_day(scope.today, scope.now, scope.time_zone) + timedelta(days=1))


def _lock(scope: Scope, schedule: uuid.UUID) -> ReportSchedule:
    row = db.session.execute(
        select(ReportSchedule)
        .where(ReportSchedule.clinic_id == scope.clinic_id, ReportSchedule.public_id == schedule)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if row is None:
        raise NotFound("schedule")
    return row


def _refuse_ended(row: ReportSchedule) -> None:
    if row.ended_at is not None:
        raise RuleViolation("ended", None, "This schedule has ended: add another.")


def _of_token(scope: Scope, form_token: str | None) -> uuid.UUID | None:
    if form_token is None:
        return None
    return db.session.scalar(
        select(ReportSchedule.public_id).where(
            ReportSchedule.clinic_id == scope.clinic_id, ReportSchedule.form_token == form_token
        )
    )


def _tell(scope: Scope, action: AuditAction, row: ReportSchedule, recipients: Mapping[int, str]) -> None:
    after = {
        "report": row.name,
        "parameters": row.parameters,
        "period": row.period,
        "format": row.format,
        "due": Rhythm(row.weekday, row.month_day).in_words(),
        "recipients": sorted(recipients),
    }
    audit.note(scope, action, subject_type="report_schedule", subject_id=row.id, after=after)

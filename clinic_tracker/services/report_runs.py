"""Files of reports: asked for, asked for again, cancelled, taken out. Making one is in ``report_claims``."""

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import func, select

from clinic_tracker.domain.errors import NotFound, RuleViolation
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.reporting.definition import Definition, Takes
from clinic_tracker.domain.reporting.formats import ReportFormat
from clinic_tracker.domain.reporting.parameters import Parameters, read_parameters
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.reporting import ReportRun
from clinic_tracker.queries.reports.heads import report_head
from clinic_tracker.queries.reports.registry import Source
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.reporting import check_format, note_file, report_source
from clinic_tracker.services.unit_of_work import unit_of_work

MOST_WAITING = 50  # files of one clinic that wait to be made
SMALL_PATIENTS = 1000  # in a clinic of this size any report is made while the page waits
SMALL_LINES = 4000


def ask(
    scope: Scope, name: str, values: Mapping[str, str], form: ReportFormat, form_token: str | None = None
) -> uuid.UUID:
    """Ask for a file of a report; the public id of its run, that of the one on record for a form sent twice.

    The day and, where the report takes it, the instant that the report is about are fixed now. Raises what
    ``read_parameters`` and ``report_head`` raise, and RuleViolation where too many files wait already.
    """
    source = allowed_source(scope, name)
    check_format(scope, name, form)
    parameters = fixed_parameters(scope, source.definition, values)
    report_head(scope, source.definition, parameters)
    with unit_of_work(scope):
        known = _of_token(scope, form_token)
        if known is not None:
            return known
        _refuse_crowd(scope)
        run = ReportRun(
            clinic_id=scope.clinic_id,
            name=name,
            parameters=parameters.as_json(),
            format=form.value,
            asked_by_id=scope.user_id,
            asked_at=scope.now,
            made_by=scope.actor_name,
            made_on=scope.today,
            form_token=form_token,
        )
        return add_run(scope, run)


def ask_again(scope: Scope, run: uuid.UUID, form_token: str | None = None) -> uuid.UUID:
    """Ask for a finished file once more, to be compared with the first: same parameters, maker and date printed on it.

    RuleViolation for a file that was never made.
    """
    first = find_run(scope, run)
    if first.finished_at is None:
        raise RuleViolation("not_made", None, "This file was never made, so there is nothing to compare with.")
    with unit_of_work(scope):
        known = _of_token(scope, form_token)
        if known is not None:
            return known
        _refuse_crowd(scope)
        again = ReportRun(
            clinic_id=scope.clinic_id,
            name=first.name,
            parameters=first.parameters,
            format=first.format,
            repeats_id=first.repeats_id or first.id,
            asked_by_id=scope.user_id,
            asked_at=scope.now,
            made_by=first.made_by,
            made_on=first.made_on,
            form_token=form_token,
        )
        return add_run(scope, again)


def cancel(scope: Scope, run: uuid.UUID) -> None:
    """End a run; whoever makes its file finds out between two lines. RuleViolation for one that has ended.

    PermissionDenied for what others asked for, unless the person may set up reports that come by themselves.
    """
    if not may_cancel(scope, find_run(scope, run)):
        scope.require(Permission.SCHEDULE_REPORTS)
    with unit_of_work(scope):
        statement = select(ReportRun).where(ReportRun.clinic_id == scope.clinic_id, ReportRun.public_id == run)
        row = db.session.execute(statement.with_for_update().execution_options(populate_existing=True)).scalar_one()
        if row.finished_at is not None or row.failed_at is not None or row.cancelled_at is not None:
            raise RuleViolation("ended", None, "This file was made already, or its making has ended.")
        row.cancelled_at, row.cancelled_by_id = scope.now, scope.user_id
        told(scope, AuditAction.REPORT_CANCELLED, row)


def may_cancel(scope: Scope, run: ReportRun) -> bool:
    """Whether the person may end a run: one's own, or any for those who may set up reports."""
    return run.asked_by_id == scope.user_id or scope.may(Permission.SCHEDULE_REPORTS)


def note_taken(scope: Scope, run: uuid.UUID) -> None:
    """Note that somebody takes a file out: in the audit trail, and for its patients in the access log."""
    row = find_run(scope, run)
    source = allowed_source(scope, row.name)
    parameters = read_parameters(source.definition, row.parameters, scope.now, scope.time_zone)
    note_file(scope, row.name, parameters, row.format, row.checksum or "", row.patients or [])


def find_run(scope: Scope, run: uuid.UUID) -> ReportRun:
    """A run of the clinic; NotFound if there is none, PermissionDenied unless the person may have its file."""
    row = db.session.scalar(select(ReportRun).where(ReportRun.clinic_id == scope.clinic_id, ReportRun.public_id == run))
    if row is None:
        raise NotFound("file")
    allowed_source(scope, row.name)
    return row


def allowed_source(scope: Scope, name: str) -> Source:
    """The report of a name, for somebody who may see reports, take them out, and see this one."""
    scope.require(Permission.VIEW_REPORTS)
    scope.require(Permission.EXPORT_DATA)
    return report_source(scope, name)


def fixed_parameters(scope: Scope, definition: Definition, values: Mapping[str, str]) -> Parameters:
    """The parameters with the day, and where it is taken the instant, that "now" means. RuleViolation as for a page.

    Nothing that is recorded after the asking is in the file, so that making it again later gives the same.
    """
    parameters = read_parameters(definition, values, scope.now, scope.time_zone)
    if Takes.KNOWN_AT in definition.takes and parameters.known_at is None:
        return replace(parameters, known_at=scope.now)
    return parameters


def is_small(scope: Scope, run: uuid.UUID) -> bool:
    """Whether a file is soon made, so that a page may wait for it."""
    row = find_run(scope, run)
    definition = allowed_source(scope, row.name).definition
    return is_soon_made(scope, row.name, read_parameters(definition, row.parameters, scope.now, scope.time_zone))


def is_soon_made(scope: Scope, name: str, parameters: Parameters) -> bool:
    """Whether a report is about so little that a page may wait for its file; told from estimates, at little cost."""
    source = allowed_source(scope, name)
    if parameters.patient is not None:
        return True
    if not _is_small_clinic(scope):
        return False
    return source.expected is None or source.expected(scope, parameters) <= SMALL_LINES


def is_for_file(scope: Scope, name: str, parameters: Parameters) -> bool:
    """Whether a page is not to make a report itself: in a large clinic, what stored figures do not answer."""
    quick = report_source(scope, name).is_quick(scope, parameters) or parameters.patient is not None
    return not quick and not _is_small_clinic(scope)


def _is_small_clinic(scope: Scope) -> bool:
    patients = db.session.scalar(select(func.count()).select_from(Patient).where(Patient.clinic_id == scope.clinic_id))
    return (patients or 0) <= SMALL_PATIENTS


def add_run(scope: Scope, run: ReportRun) -> uuid.UUID:
    """Add a run inside a unit of work."""
    db.session.add(run)
    db.session.flush()
    told(scope, AuditAction.REPORT_ASKED, run)
    return run.public_id


def told(scope: Scope, action: AuditAction, run: ReportRun) -> None:
    """Note what happened to a run; whose data are in it is noted when it is taken out."""
    after: dict[str, Any] = {
        "report": run.name,
        "format": run.format,
        "parameters": run.parameters,
        "file": str(run.public_id),
    }
    if run.finished_at is not None:
        after |= {"sha256": run.sha256, "checksum": run.checksum, "lines": run.lines}
    if run.failure is not None:
        after |= {"failure": run.failure}
    audit.note(scope, action, subject_type="report_run", subject_id=run.id, after=after)


def _of_token(scope: Scope, form_token: str | None) -> uuid.UUID | None:
    if form_token is None:
        return None
    return db.session.scalar(
        select(ReportRun.public_id).where(ReportRun.clinic_id == scope.clinic_id, ReportRun.form_token == form_token)
    )


def _refuse_crowd(scope: Scope) -> None:
    waiting = db.session.scalar(
        select(func.count())
        .select_from(ReportRun)
        .where(
            ReportRun.clinic_id == scope.clinic_id,
            *ReportRun.unended(),
        )
    )
    if (waiting or 0) >= MOST_WAITING:
        raise RuleViolation("too_many", None, f"{MOST_WAITING} files wait to be made: cancel some, or ask later.")

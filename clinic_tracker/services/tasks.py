"""Follow-up tasks: planned with an acknowledgement, closed with a reason, corrected, withdrawn. None ages out."""

import uuid
from datetime import date
from typing import NamedTuple

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import ExamKind, FindingAction, Panel
from clinic_tracker.models.base import db
from clinic_tracker.models.reviewing import Acknowledgement, FollowUpTask
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.facts import check_reason, check_unchanged, find_fact, supersede, user_name, when, withdraw
from clinic_tracker.services.task_evidence import match_exam_tasks, match_tasks
from clinic_tracker.services.unit_of_work import unit_of_work


class TaskDetails(NamedTuple):
    """What is to be done, by when. A later report of the panel, or exam of the kind, is the evidence of it."""

    action: FindingAction
    due_on: date
    words: str
    panel: Panel | None = None
    exam_kind: ExamKind | None = None


def plan_task(
    scope: Scope, details: TaskDetails, acknowledgement: Acknowledgement, *, form_token: str | None
) -> FollowUpTask:
    """Add the task that an acknowledgement asks for, inside its unit of work."""
    task = _new(scope, acknowledgement.patient_id, details)
    task.acknowledgement_id = acknowledgement.id
    task.lab_report_id, task.exam_id = acknowledgement.lab_report_id, acknowledgement.exam_id
    task.form_token = form_token
    db.session.add(task)
    audit.record(scope, AuditAction.TASK_PLANNED, task)
    return task


def close_task(scope: Scope, patient: uuid.UUID, task: uuid.UUID, *, reason: str | None) -> None:
    """Close a task without a result as evidence, saying what became of it. RuleViolation when it is done already."""
    scope.require(Permission.RECORD_EVIDENCE)
    words = check_reason(scope, reason)
    with unit_of_work(scope) as work:
        row = _open_task(scope, work.lock_patient(patient).id, task)
        before = audit.snapshot(row)
        row.done_at, row.done_by_id, row.done_reason = scope.now, scope.user_id, words
        audit.record(scope, AuditAction.TASK_DONE, row, before=before, reason=words)


def reopen_task(scope: Scope, patient: uuid.UUID, task: uuid.UUID, *, reason: str | None) -> None:
    """Take back that a task was closed with a reason: it is to be done again, unless a result answers it."""
    scope.require(Permission.RECORD_EVIDENCE)
    words = check_reason(scope, reason)
    with unit_of_work(scope) as work:
        person = work.lock_patient(patient)
        row = find_fact(scope, FollowUpTask, person.id, task)
        check_unchanged(scope, row)
        if row.done_reason is None:
            raise RuleViolation("not_closed", None, "This task was not closed with a reason.")
        before = audit.snapshot(row)
        row.done_at = row.done_by_id = row.done_reason = None
        audit.record(scope, AuditAction.TASK_REOPENED, row, before=before, reason=words)
        _match(scope, person.id)


def correct_task(
    scope: Scope, patient: uuid.UUID, task: uuid.UUID, details: TaskDetails, *, reason: str | None
) -> uuid.UUID:
    """Replace an open task by what it should have said; the replaced one stays. The replacement's public id."""
    scope.require(Permission.RECORD_EVIDENCE)
    words = check_reason(scope, reason)
    with unit_of_work(scope) as work:
        person = work.lock_patient(patient)
        old = _open_task(scope, person.id, task)
        if (old.action, old.due_on, old.words, old.panel, old.exam_kind) == details:
            raise RuleViolation("no_change", None, "Nothing was changed. Change what is wrong, or go back.")
        if details.due_on < scope.today and details.due_on != old.due_on:
            raise RuleViolation("past_date", "due_on", "Choose today or a later day.")
        before = audit.snapshot(old)
        new = _new(scope, person.id, details)
        new.acknowledgement_id, new.lab_report_id, new.exam_id = old.acknowledgement_id, old.lab_report_id, old.exam_id
        supersede(scope, old, new, words)
        audit.record(scope, AuditAction.TASK_CORRECTED, new, before=before, reason=words)
        _match(scope, person.id)
    return new.public_id


def withdraw_task(scope: Scope, patient: uuid.UUID, task: uuid.UUID, *, reason: str | None) -> None:
    """Mark a task as entered in error: it leaves the list and stays on the chart."""
    scope.require(Permission.RECORD_EVIDENCE)
    with unit_of_work(scope) as work:
        row = find_fact(scope, FollowUpTask, work.lock_patient(patient).id, task)
        end_task(scope, row, reason)


def end_task(scope: Scope, row: FollowUpTask, reason: str | None) -> None:
    """The same inside another unit of work: when the acknowledgement is taken back that asked for it."""
    before = audit.snapshot(row)
    withdraw(scope, row, reason)
    audit.record(scope, AuditAction.TASK_WITHDRAWN, row, before=before, reason=row.withdrawn_reason)


def _new(scope: Scope, patient_id: int, details: TaskDetails) -> FollowUpTask:
    return FollowUpTask(
        clinic_id=scope.clinic_id,
        patient_id=patient_id,
        action=details.action.value,
        panel=details.panel.value if details.panel else None,
        exam_kind=details.exam_kind.value if details.exam_kind else None,
        due_on=details.due_on,
        words=details.words,
        recorded_by_id=scope.user_id,
        recorded_at=scope.now,
    )


def _open_task(scope: Scope, patient_id: int, task: uuid.UUID) -> FollowUpTask:
    row = find_fact(scope, FollowUpTask, patient_id, task)
    check_unchanged(scope, row)
    if row.done_at is not None:
        by, at = user_name(scope, row.done_by_id), when(scope, row.done_at)
        raise RuleViolation("already_done", None, f"This task was done by {by} on {at}.")
    return row


def _match(scope: Scope, patient_id: int) -> None:
    match_tasks(scope, patient_id)
    match_exam_tasks(scope, patient_id)

"""Follow-up tasks that a later result answers: done with it, and open again where that result falls away."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, select

from clinic_tracker.domain.history import VALID_STATUSES
from clinic_tracker.domain.local_time import local_date
from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import Exam, LabReport
from clinic_tracker.models.reviewing import FollowUpTask
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction

GONE = "The result that answered it was corrected or withdrawn."


def waiting_for_results(scope: Scope, patient_ids: Collection[int]) -> list[int]:
    """Those of the patients with a task that a report can answer, or has answered."""
    return _with_tasks(scope, patient_ids, FollowUpTask.panel.is_not(None))


def waiting_for_exams(scope: Scope, patient_ids: Collection[int]) -> list[int]:
    """The same for exams."""
    return _with_tasks(scope, patient_ids, FollowUpTask.exam_kind.is_not(None))


def _with_tasks(scope: Scope, patient_ids: Collection[int], asks: ColumnElement[bool]) -> list[int]:
    return list(
        db.session.execute(
            select(FollowUpTask.patient_id)
            .distinct()
            .where(
                FollowUpTask.clinic_id == scope.clinic_id,
                FollowUpTask.patient_id.in_(patient_ids),
                FollowUpTask.state == FactState.RECORDED.value,
                asks,
                FollowUpTask.done_reason.is_(None),
            )
            .order_by(FollowUpTask.patient_id)
        ).scalars()
    )


def match_tasks(scope: Scope, patient_id: int) -> None:
    """Close each task that asks for a panel with the first later report that is evidence; open it again without one.

    Runs inside the unit of work that changed the reports. Tasks that somebody closed with a reason stay closed.
    """
    reports = _standing_reports(scope, patient_id)
    for task in _waiting(scope, patient_id, FollowUpTask.panel.is_not(None)):
        asked = _raised_by(scope, task)
        evidence = next((report for report in reports if _answers(scope, report, task, asked)), None)
        if (evidence.id if evidence else None) != task.evidence_id:
            before = audit.snapshot(task)
            task.evidence_id = evidence.id if evidence else None
            _set(scope, task, before, done=evidence is not None)


def match_exam_tasks(scope: Scope, patient_id: int) -> None:
    """The same for tasks that ask for an exam: the first later one of the kind that stands closes them."""
    db.session.flush()
    tasks = _waiting(scope, patient_id, FollowUpTask.exam_kind.is_not(None))
    for task in tasks:
        asked = _raised_by(scope, task)
        exams = _standing_exams(scope, patient_id, str(task.exam_kind))
        evidence = next((exam for exam in exams if _answers(scope, exam, task, asked)), None)
        if (evidence.id if evidence else None) != task.evidence_exam_id:
            before = audit.snapshot(task)
            task.evidence_exam_id = evidence.id if evidence else None
            _set(scope, task, before, done=evidence is not None)


def _waiting(scope: Scope, patient_id: int, asks: ColumnElement[bool]) -> list[FollowUpTask]:
    """The tasks of a patient that evidence can close or open again, locked."""
    return list(
        db.session.execute(
            select(FollowUpTask)
            .where(
                FollowUpTask.clinic_id == scope.clinic_id,
                FollowUpTask.patient_id == patient_id,
                FollowUpTask.state == FactState.RECORDED.value,
                asks,
                FollowUpTask.done_reason.is_(None),
            )
            .order_by(FollowUpTask.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        ).scalars()
    )


def _standing_reports(scope: Scope, patient_id: int) -> Sequence[LabReport]:
    """The reports of a patient that stand, in the order of collection."""
    rows = db.session.execute(
        select(LabReport)
        .where(
            LabReport.clinic_id == scope.clinic_id,
            LabReport.patient_id == patient_id,
            LabReport.state == FactState.RECORDED.value,
        )
        .order_by(LabReport.collected_on, LabReport.id)
        .execution_options(populate_existing=True)
    )
    return rows.scalars().all()


def _standing_exams(scope: Scope, patient_id: int, kind: str) -> list[Exam]:
    return list(
        db.session.scalars(
            select(Exam)
            .where(
                Exam.clinic_id == scope.clinic_id,
                Exam.patient_id == patient_id,
                Exam.kind == kind,
                Exam.state == FactState.RECORDED.value,
            )
            .order_by(Exam.performed_on, Exam.id)
        )
    )


def _answers(scope: Scope, fact: LabReport | Exam, task: FollowUpTask, asked: LabReport | Exam | None) -> bool:
    """Whether a report or an exam is what a task waits for: valid, of its panel or kind, and later than what raised it.

    On the same day a second one counts if it was recorded after the task, and so does of any later day what is of
    another sort than what raised it. A correction of what raised it does not, be it of another day.
    """
    if isinstance(fact, LabReport) and not _is_evidence(scope, fact, task):
        return False
    alike = type(fact) is type(asked)
    if asked is not None and alike and lineage(scope, fact) & lineage(scope, asked):
        return False
    since = _day_of(asked) if asked is not None else local_date(task.recorded_at, scope.time_zone)
    if _day_of(fact) > since and alike:
        return True
    return _day_of(fact) >= since and fact.recorded_at >= task.recorded_at


def _is_evidence(_scope: Scope, report: LabReport, task: FollowUpTask) -> bool:
    return report.panel == task.panel and report.is_complete and report.result_status in VALID_STATUSES


def _day_of(fact: LabReport | Exam) -> date:
    return fact.performed_on if isinstance(fact, Exam) else fact.collected_on


def _raised_by(_scope: Scope, task: FollowUpTask) -> LabReport | Exam | None:
    """The report or exam whose finding raised a task."""
    if task.exam_id is not None:
        return db.session.get(Exam, task.exam_id)
    return db.session.get(LabReport, task.lab_report_id) if task.lab_report_id else None


def lineage(_scope: Scope, fact: LabReport | Exam) -> set[int]:
    """The keys of a report or an exam and of all that it replaced."""
    model: type[LabReport | Exam] = type(fact)
    found, older = {fact.id}, fact.replaces_id
    while older is not None and older not in found:
        found.add(older)
        older = db.session.execute(select(model.replaces_id).where(model.id == older)).scalar_one()
    return found


def _set(scope: Scope, task: FollowUpTask, before: dict[str, Any], *, done: bool) -> None:
    task.done_at, task.done_by_id = (scope.now, scope.user_id) if done else (None, None)
    if done:
        audit.record(scope, AuditAction.TASK_DONE, task, before=before)
    else:
        audit.record(scope, AuditAction.TASK_REOPENED, task, before=before, reason=GONE)

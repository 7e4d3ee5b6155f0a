"""Follow-up tasks that a later result answers: done with it, and open again where that result falls away."""

from collections.abc import Collection, Sequence

from sqlalchemy import select

from clinic_tracker.domain.history import VALID_STATUSES
from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import LabReport
from clinic_tracker.models.reviewing import FollowUpTask
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction

GONE = "The result that answered it was corrected or withdrawn."


def waiting_for_results(scope: Scope, patient_ids: Collection[int]) -> list[int]:
    """Those of the patients with a task that a result can answer, or has answered."""
    return list(
        db.session.execute(
            select(FollowUpTask.patient_id)
            .distinct()
            .where(
                FollowUpTask.clinic_id == scope.clinic_id,
                FollowUpTask.patient_id.in_(patient_ids),
                FollowUpTask.state == FactState.RECORDED.value,
                FollowUpTask.panel.is_not(None),
                FollowUpTask.done_reason.is_(None),
            )
            .order_by(FollowUpTask.patient_id)
        ).scalars()
    )


def match_tasks(scope: Scope, patient_id: int, reports: Sequence[LabReport]) -> None:
    """Close each task that asks for a panel with the first later report that is evidence; open it again without one.

    ``reports`` are those of the patient that stand, in the order of collection. Runs inside the unit of work that
    changed them. Tasks that somebody closed with a reason stay closed.
    """
    tasks = db.session.execute(
        select(FollowUpTask)
        .where(
            FollowUpTask.clinic_id == scope.clinic_id,
            FollowUpTask.patient_id == patient_id,
            FollowUpTask.state == FactState.RECORDED.value,
            FollowUpTask.panel.is_not(None),
            FollowUpTask.done_reason.is_(None),
        )
        .order_by(FollowUpTask.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalars()
    for task in tasks:
        asked = db.session.get(LabReport, task.lab_report_id) if task.lab_report_id else None
        _set(scope, task, next((report for report in reports if _answers(report, task, asked)), None))


def _answers(report: LabReport, task: FollowUpTask, asked: LabReport | None) -> bool:
    """Whether a report is what a task waits for: valid, of its panel, of a specimen later than the one that raised it.

    On the same day a second specimen counts if it was recorded after the task. A correction of the first one does not,
    be it of another day.
    """
    if report.panel != task.panel or not report.is_complete or report.result_status not in VALID_STATUSES:
        return False
    if asked is None:
        return report.recorded_at >= task.recorded_at
    if report.collected_on < asked.collected_on or _is_version_of(report, asked):
        return False
    return report.collected_on > asked.collected_on or report.recorded_at >= task.recorded_at


def _is_version_of(report: LabReport, asked: LabReport) -> bool:
    """Whether one of the two is a correction of the other, or of a correction of it."""
    return bool(_lineage(report) & _lineage(asked))


def _lineage(report: LabReport) -> set[int]:
    """A report and all that it replaced."""
    found, older = {report.id}, report.replaces_id
    while older is not None and older not in found:
        found.add(older)
        older = db.session.get_one(LabReport, older).replaces_id
    return found


def _set(scope: Scope, task: FollowUpTask, evidence: LabReport | None) -> None:
    if (evidence.id if evidence else None) == task.evidence_id:
        return
    before = audit.snapshot(task)
    task.evidence_id = evidence.id if evidence else None
    task.done_at, task.done_by_id = (scope.now, scope.user_id) if evidence else (None, None)
    if evidence is not None:
        audit.record(scope, AuditAction.TASK_DONE, task, before=before)
    else:
        audit.record(scope, AuditAction.TASK_REOPENED, task, before=before, reason=GONE)

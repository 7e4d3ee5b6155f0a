"""What was said and planned because of a result that turns out not to be the patient's, or to be no result at all."""

from typing import TypeVar

from sqlalchemy import select

from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import Exam, LabReport
from clinic_tracker.models.reviewing import Acknowledgement, FollowUpTask
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.facts import LONGEST_REASON, withdraw
from clinic_tracker.services.task_evidence import lineage
from clinic_tracker.services.tasks import end_task

Follow = TypeVar("Follow", Acknowledgement, FollowUpTask)

WITHDRAWN = "The result was withdrawn"


def withdraw_follow_up(scope: Scope, fact: LabReport | Exam, reason: str | None) -> None:
    """Withdraw what was said about a result that is being withdrawn, and the tasks that came from it.

    That goes for the versions that it replaced as well. A task that somebody closed with a reason stays: it tells what
    was done to the patient of this chart. Runs inside the unit of work, and leaves its trace on the chart.
    """
    words = f"{WITHDRAWN}: {(reason or '').strip()}"[:LONGEST_REASON]
    versions = lineage(scope, fact)
    for said in _standing(scope, Acknowledgement, fact, versions):
        before = audit.snapshot(said)
        withdraw(scope, said, words)
        audit.record(scope, AuditAction.ACKNOWLEDGEMENT_WITHDRAWN, said, before=before, reason=words)
    for task in _standing(scope, FollowUpTask, fact, versions):
        if task.done_reason is None:
            end_task(scope, task, words)


def _standing(scope: Scope, model: type[Follow], fact: LabReport | Exam, versions: set[int]) -> list[Follow]:
    subject = model.exam_id if isinstance(fact, Exam) else model.lab_report_id
    rows = db.session.scalars(
        select(model)
        .where(model.clinic_id == scope.clinic_id, subject.in_(versions), model.state == FactState.RECORDED.value)
        .order_by(model.id)
    )
    return list(rows)

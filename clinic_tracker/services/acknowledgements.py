"""What was done about each finding of a result: said by whoever reviews it, before it is signed off."""

import uuid
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import select

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.lab_entry import panel_title
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.screening import exam_title
from clinic_tracker.domain.vocabulary import ExamKind, FactState, FindingAction, Panel
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import Exam, LabReport
from clinic_tracker.models.reviewing import Acknowledgement, FollowUpTask
from clinic_tracker.queries.lab_catalog import lab_catalog
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.facts import LONGEST_REASON, check_unchanged, find_fact, user_name, when, withdraw
from clinic_tracker.services.review_items import Item, lock_items, said_about, still_unanswered, subject_of
from clinic_tracker.services.reviews import check_seen, sign, take_back
from clinic_tracker.services.tasks import TaskDetails, end_task, plan_task
from clinic_tracker.services.unit_of_work import unit_of_work

TAKEN_BACK = "What was said about a finding was taken back."
#: Where words say what the choice alone does not: to whom, which treatment, why nothing.
_WORDS_ASKED = {
    FindingAction.REFERRAL: "Say to whom the patient was referred.",
    FindingAction.TREATMENT: "Say what was done or prescribed.",
    FindingAction.NO_ACTION: "Say why nothing is to be done.",
}
_TASK_WORDS = {
    FindingAction.REFERRAL: "Check that the referral was kept",
    FindingAction.PATIENT_CALLED: "Call again",
    FindingAction.TREATMENT: "Check the effect",
}


class Answer(NamedTuple):
    """What was done about the findings of one rule. With a day it becomes a task; a repeat always has one."""

    rule: str
    action: FindingAction
    words: str | None = None
    due_on: date | None = None
    panel: Panel | None = None


def acknowledge(
    scope: Scope,
    patient: uuid.UUID,
    item: uuid.UUID,
    answers: Sequence[Answer],
    *,
    seen: str | None = None,
    signed: bool = False,
    note: str | None = None,
    form_token: str | None = None,
) -> None:
    """Record what was done about findings of a report or an exam, plan what follows, and sign it off if asked to.

    The same finding on another report of that day (creatinine with blood in the urine) is answered there too.
    RuleViolation for a result that changed since it was seen, a finding that is not there or was answered by somebody
    else, an answer without what it needs, and as ``review_reports`` where it is to be signed off. A form counts once.
    """
    scope.require(Permission.REVIEW_RESULTS)
    checked = [_check(scope, answer) for answer in answers]
    with unit_of_work(scope) as work:
        person = work.lock_patient(patient)
        (row,) = lock_items(scope, {item}, patient)
        if form_token and _is_sent(scope, person.id, form_token):
            return
        check_unchanged(scope, row)
        if seen is not None:
            check_seen(scope, row, seen)
        for answer in checked:
            _record(scope, row, answer, form_token)
        if signed:
            sign(scope, [row], note)
        elif not checked:
            raise RuleViolation("nothing_said", None, "Say what was done about at least one finding.")


def withdraw_acknowledgement(
    scope: Scope, patient: uuid.UUID, acknowledgement: uuid.UUID, *, reason: str | None
) -> None:
    """Take back what was said about a finding: the open tasks that it asked for go, and the result waits again."""
    scope.require(Permission.REVIEW_RESULTS)
    with unit_of_work(scope) as work:
        person = work.lock_patient(patient)
        row = find_fact(scope, Acknowledgement, person.id, acknowledgement)
        before = audit.snapshot(row)
        withdraw(scope, row, reason)
        audit.record(scope, AuditAction.ACKNOWLEDGEMENT_WITHDRAWN, row, before=before, reason=row.withdrawn_reason)
        for task in _open_tasks(scope, row):
            end_task(scope, task, reason)
        item = subject_of(scope, row)
        if item.state == FactState.RECORDED.value and item.reviewed_at is not None:
            take_back(scope, item, TAKEN_BACK)


def _check(scope: Scope, answer: Answer) -> Answer:
    """The answer with tidy words; RuleViolation at its field where it lacks something."""
    words = " ".join((answer.words or "").split()) or None
    if words is None and answer.action in _WORDS_ASKED:
        raise RuleViolation("words_required", f"{answer.rule}_words", _WORDS_ASKED[answer.action])
    if words is not None and len(words) > LONGEST_REASON:
        message = f"The words must be {LONGEST_REASON} characters or fewer."
        raise RuleViolation("words_too_long", f"{answer.rule}_words", message)
    if answer.action is FindingAction.REPEAT_ORDERED and answer.due_on is None:
        raise RuleViolation("day_required", f"{answer.rule}_due_on", "Give the day by which it is to be repeated.")
    if answer.due_on is not None and answer.due_on < scope.today:
        raise RuleViolation("past_date", f"{answer.rule}_due_on", "Choose today or a later day.")
    return answer._replace(words=words)


def _record(scope: Scope, item: Item, answer: Answer, form_token: str | None) -> None:
    waiting = still_unanswered(scope, item)
    if answer.rule not in waiting:
        _refuse(scope, item, answer)
    words = {finding["words"] for finding in waiting[answer.rule]}
    first = _add(scope, item, answer, form_token)
    for other in _same_day(scope, item):
        if {finding["words"] for finding in still_unanswered(scope, other).get(answer.rule, ())} == words:
            _add(scope, other, answer, form_token)
    if answer.due_on is not None and answer.action is not FindingAction.NO_ACTION:
        plan_task(scope, _task(scope, item, answer), first, form_token=form_token)


def _refuse(scope: Scope, item: Item, answer: Answer) -> None:
    said = [one for one in said_about(scope, [item])[item.public_id] if one.rule == answer.rule]
    if not said:
        raise RuleViolation("no_such_finding", None, "This finding is no longer there. Look at the result again.")
    by, at = user_name(scope, said[0].recorded_by_id), when(scope, said[0].recorded_at)
    message = f"{by[:1].upper()}{by[1:]} said on {at} what was done about this finding. Look at it again."
    raise RuleViolation("already_answered", None, message)


def _add(scope: Scope, item: Item, answer: Answer, form_token: str | None) -> Acknowledgement:
    row = Acknowledgement(
        clinic_id=scope.clinic_id,
        patient_id=item.patient_id,
        lab_report_id=None if isinstance(item, Exam) else item.id,
        exam_id=item.id if isinstance(item, Exam) else None,
        rule=answer.rule,
        action=answer.action.value,
        words=answer.words,
        recorded_by_id=scope.user_id,
        recorded_at=scope.now,
        form_token=form_token,
    )
    db.session.add(row)
    audit.record(scope, AuditAction.FINDING_ACKNOWLEDGED, row)
    return row


def _task(scope: Scope, item: Item, answer: Answer) -> TaskDetails:
    """The task of an answer. A repeat is of the panel that was chosen, without one of what the finding is about."""
    assert answer.due_on is not None
    if answer.action is not FindingAction.REPEAT_ORDERED:
        words = _TASK_WORDS[answer.action]
        return TaskDetails(answer.action, answer.due_on, f"{words}: {answer.words}" if answer.words else words)
    panel = answer.panel or (None if isinstance(item, Exam) else Panel(item.panel))
    kind = ExamKind(item.kind) if panel is None and isinstance(item, Exam) else None
    what = panel_title(lab_catalog(scope), panel) if panel is not None else exam_title(str(kind))
    words = f"Repeat {what}: {answer.words}" if answer.words else f"Repeat {what}"
    return TaskDetails(answer.action, answer.due_on, words, panel if panel is not Panel.OTHER else None, kind)


def _same_day(scope: Scope, item: Item) -> list[LabReport]:
    """The other reports of the day: one finding may come from several of them. That of an exam is its own."""
    if isinstance(item, Exam):
        return []
    return list(
        db.session.scalars(
            select(LabReport).where(
                LabReport.clinic_id == scope.clinic_id,
                LabReport.patient_id == item.patient_id,
                LabReport.collected_on == item.collected_on,
                LabReport.state == FactState.RECORDED.value,
                LabReport.id != item.id,
            )
        )
    )


def _open_tasks(scope: Scope, row: Acknowledgement) -> list[FollowUpTask]:
    return list(
        db.session.scalars(
            select(FollowUpTask).where(
                FollowUpTask.clinic_id == scope.clinic_id,
                FollowUpTask.acknowledgement_id == row.id,
                FollowUpTask.state == FactState.RECORDED.value,
                FollowUpTask.done_at.is_(None),
            )
        )
    )


def _is_sent(scope: Scope, patient_id: int, form_token: str) -> bool:
    sent = select(Acknowledgement.id).where(
        Acknowledgement.clinic_id == scope.clinic_id,
        Acknowledgement.patient_id == patient_id,
        Acknowledgement.form_token == form_token,
    )
    return db.session.execute(sent.limit(1)).first() is not None

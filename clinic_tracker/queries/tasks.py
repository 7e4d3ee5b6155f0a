"""Follow-up tasks: the list of those that are open, the ones of a chart, their numbers. None leaves by growing old."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true
from sqlalchemy.orm import aliased

from clinic_tracker.domain.errors import NotFound
from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.access import Prescriber, User
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import Exam, LabReport
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.reviewing import FollowUpTask
from clinic_tracker.queries.cover import is_covered_by_me
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.worklist_filter import WorklistFilter, keyset_condition
from clinic_tracker.queries.worklist_pages import patients_on_list

PAGE_SIZE = 50
DUE_WITHIN = 7
_Exam, _EvidenceExam = aliased(Exam), aliased(Exam)
_Recorder, _Doer, _Withdrawer, _Source, _Evidence = (
    aliased(User),
    aliased(User),
    aliased(User),
    aliased(LabReport),
    aliased(LabReport),
)

_COLUMNS = (
    FollowUpTask.id,
    FollowUpTask.public_id,
    FollowUpTask.patient_id,
    Patient.public_id,
    Patient.mrn,
    Patient.family_name,
    Patient.given_name,
    Patient.birth_date,
    Prescriber.name,
    FollowUpTask.action,
    FollowUpTask.panel,
    FollowUpTask.due_on,
    FollowUpTask.words,
    FollowUpTask.recorded_at,
    _Recorder.name,
    _Source.public_id,
    _Source.collected_on,
    FollowUpTask.done_at,
    _Doer.name,
    FollowUpTask.done_reason,
    _Evidence.public_id,
    _Evidence.collected_on,
    FollowUpTask.state,
    FollowUpTask.withdrawn_at,
    _Withdrawer.name,
    FollowUpTask.withdrawn_reason,
    FollowUpTask.exam_kind,
    _Exam.public_id,
    _Exam.performed_on,
    _EvidenceExam.public_id,
    _EvidenceExam.performed_on,
)


class TaskView(StrEnum):
    """Which tasks are listed."""

    OPEN = "open"
    OVERDUE = "overdue"
    DUE = "due"


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One task, with its patient."""

    id: int
    public_id: uuid.UUID
    patient_id: int
    patient: uuid.UUID
    mrn: str
    family_name: str
    given_name: str
    birth_date: date
    prescriber: str | None
    action: str
    panel: str | None
    due_on: date
    words: str
    recorded_at: datetime
    recorded_by: str | None
    report: uuid.UUID | None
    report_collected_on: date | None
    done_at: datetime | None
    done_by: str | None
    done_reason: str | None
    evidence: uuid.UUID | None
    evidence_collected_on: date | None
    state: str
    withdrawn_at: datetime | None
    withdrawn_by: str | None
    withdrawn_reason: str | None
    exam_kind: str | None
    exam: uuid.UUID | None
    exam_on: date | None
    evidence_exam: uuid.UUID | None
    evidence_exam_on: date | None

    @property
    def is_open(self) -> bool:
        """Whether it stands and is still to be done."""
        return self.state == FactState.RECORDED and self.done_at is None


@dataclass(frozen=True, slots=True)
class TaskCounts:
    """How many tasks are open, how many of them late, and how many due within a week."""

    open: int
    overdue: int
    due: int


class DueTask(NamedTuple):
    """An open task as the row of a worklist tells it."""

    patient_id: int
    words: str
    due_on: date


def open_tasks(
    scope: Scope,
    view: TaskView,
    *,
    mine: bool = False,
    prescriber: uuid.UUID | None = None,
    after: uuid.UUID | None = None,
    limit: int | None = PAGE_SIZE,
) -> tuple[list[TaskRow], uuid.UUID | None]:
    """Open tasks, the longest overdue first, and the task after which the next page begins."""
    statement = _rows(scope).where(*_open(scope, mine=mine, prescriber=prescriber), *_within(scope, view))
    keys: list[ColumnElement[Any]] = [FollowUpTask.due_on.expression, FollowUpTask.id.expression]
    if after is not None and (place := _place(scope, after)):
        statement = statement.where(keyset_condition(scope, list(zip(keys, place, strict=True)), ascending=True))
    statement = statement.order_by(*keys)
    if limit is not None:
        statement = statement.limit(limit + 1)
    rows = [TaskRow(*row) for row in db.session.execute(statement)]
    if limit is None or len(rows) <= limit:
        return rows, None
    return rows[:limit], rows[limit - 1].public_id


def task_counts(scope: Scope, *, mine: bool = False, prescriber: uuid.UUID | None = None) -> TaskCounts:
    """The numbers of the list's filters, in one statement."""
    numbers = [func.count().filter(and_(true(), *_within(scope, view))) for view in TaskView]
    statement = _joined(select(*numbers).select_from(FollowUpTask))
    row = db.session.execute(statement.where(*_open(scope, mine=mine, prescriber=prescriber))).one()
    return TaskCounts(*row)


def due_tasks(scope: Scope, patient_ids: Collection[int]) -> list[DueTask]:
    """Open tasks of these patients that are late or due within a week, the longest overdue first."""
    if not patient_ids:
        return []
    rows = db.session.execute(
        select(FollowUpTask.patient_id, FollowUpTask.words, FollowUpTask.due_on)
        .where(
            *_standing(scope),
            FollowUpTask.patient_id.in_(sorted(set(patient_ids))),
            FollowUpTask.due_on <= _week_ahead(scope),
        )
        .order_by(FollowUpTask.due_on, FollowUpTask.id)
    )
    return [DueTask(*row) for row in rows]


def late_off_list(scope: Scope, chosen: WorklistFilter) -> int:
    """How many late tasks are of patients without a row on a worklist, under the filters that both lists know."""
    conditions = [
        *_open(scope, mine=chosen.mine, prescriber=chosen.prescriber),
        *_within(scope, TaskView.OVERDUE),
        FollowUpTask.patient_id.not_in(patients_on_list(scope, chosen)),
    ]
    statement = _joined(select(func.count()).select_from(FollowUpTask)).where(*conditions)
    count: int = db.session.execute(statement).scalar_one()
    return count


def patient_tasks(scope: Scope, patient_id: int, *, only_open: bool = False) -> list[TaskRow]:
    """The tasks of a chart, open ones first, then those done, corrected or withdrawn; each group by day."""
    statement = _rows(scope).where(FollowUpTask.clinic_id == scope.clinic_id, FollowUpTask.patient_id == patient_id)
    rows = [TaskRow(*row) for row in db.session.execute(statement.order_by(FollowUpTask.due_on, FollowUpTask.id))]
    return sorted((row for row in rows if row.is_open or not only_open), key=lambda row: not row.is_open)


def patient_task(scope: Scope, patient_id: int, task: uuid.UUID) -> TaskRow:
    """One task of a patient; NotFound for another patient's or another clinic's."""
    found = next((row for row in patient_tasks(scope, patient_id) if row.public_id == task), None)
    if found is None:
        raise NotFound("task")
    return found


def _rows(_scope: Scope) -> Select[*tuple[Any, ...]]:
    return (
        _joined(select(*_COLUMNS))
        .outerjoin(_Recorder, _Recorder.id == FollowUpTask.recorded_by_id)
        .outerjoin(_Doer, _Doer.id == FollowUpTask.done_by_id)
        .outerjoin(_Withdrawer, _Withdrawer.id == FollowUpTask.withdrawn_by_id)
        .outerjoin(_Source, _Source.id == FollowUpTask.lab_report_id)
        .outerjoin(_Evidence, _Evidence.id == FollowUpTask.evidence_id)
        .outerjoin(_Exam, _Exam.id == FollowUpTask.exam_id)
        .outerjoin(_EvidenceExam, _EvidenceExam.id == FollowUpTask.evidence_exam_id)
    )


def _joined(statement: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    return statement.join(Patient, Patient.id == FollowUpTask.patient_id).outerjoin(
        Prescriber, Prescriber.id == Patient.prescriber_id
    )


def _standing(scope: Scope) -> list[ColumnElement[bool]]:
    """Tasks that hold and are still to be done."""
    return [
        FollowUpTask.clinic_id == scope.clinic_id,
        FollowUpTask.state == FactState.RECORDED.value,
        FollowUpTask.done_at.is_(None),
    ]


def _open(scope: Scope, *, mine: bool, prescriber: uuid.UUID | None) -> list[ColumnElement[bool]]:
    conditions = _standing(scope)
    if prescriber:
        conditions.append(Prescriber.public_id == prescriber)
    if mine:
        own = Prescriber.user_id == (scope.user_id or 0)
        conditions.append(or_(own, is_covered_by_me(scope), FollowUpTask.recorded_by_id == (scope.user_id or 0)))
    return conditions


def _within(scope: Scope, view: TaskView) -> list[ColumnElement[bool]]:
    if view is TaskView.OVERDUE:
        return [FollowUpTask.due_on < scope.today]
    if view is TaskView.DUE:
        return [FollowUpTask.due_on >= scope.today, FollowUpTask.due_on <= _week_ahead(scope)]
    return []


def _week_ahead(scope: Scope) -> date:
    return scope.today + timedelta(days=DUE_WITHIN)


def _place(scope: Scope, task: uuid.UUID) -> tuple[date, int] | None:
    row = db.session.execute(
        select(FollowUpTask.due_on, FollowUpTask.id).where(
            FollowUpTask.clinic_id == scope.clinic_id, FollowUpTask.public_id == task
        )
    ).one_or_none()
    return None if row is None else (row[0], row[1])

"""Results that wait for review: red before amber before normal; one's own patients, then covered ones; oldest first."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, case, func, literal, or_, select, union_all

from clinic_tracker.domain.vocabulary import FactState, Panel
from clinic_tracker.models.access import Prescriber
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import Exam, LabReport
from clinic_tracker.models.patients import Patient
from clinic_tracker.queries.cover import is_covered_by_me
from clinic_tracker.queries.exam_rows import ExamRow
from clinic_tracker.queries.exams import exams_by_key
from clinic_tracker.queries.lab_rows import ReportRow, report_columns, with_values
from clinic_tracker.queries.review_clock import is_unseen_red
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.worklist_filter import keyset_condition

PAGE_SIZE = 50
LEVELS = ("red", "amber", "normal")
OWN, COVERED, OTHER = range(3)
REPORT, EXAM = range(2)


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """What of the queue is shown. ``mine``: of one's own and of covered patients; ``late``: unseen past their day.

    With a ``panel`` only its reports, with ``exams`` only exams and screenings.
    """

    level: str | None = None
    panel: Panel | None = None
    mine: bool = False
    late: bool = False
    exams: bool = False


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """One report or exam that waits, with its patient."""

    report: ReportRow | ExamRow
    patient: uuid.UUID
    mrn: str
    family_name: str
    given_name: str
    birth_date: date
    prescriber: str | None
    standing: int

    @property
    def is_own(self) -> bool:
        """Whether the reader is the patient's prescriber."""
        return self.standing == OWN

    @property
    def is_covered(self) -> bool:
        """Whether the reader covers for the patient's prescriber today."""
        return self.standing == COVERED

    @property
    def is_exam(self) -> bool:
        """Whether it is an exam or a screening."""
        return isinstance(self.report, ExamRow)


@dataclass(frozen=True, slots=True)
class QueuePage:
    """Some rows of the queue, how many there are, and where the next page begins."""

    rows: tuple[WaitingRow, ...]
    counts: dict[str, int]
    oldest_at: datetime | None
    next: uuid.UUID | None


def review_queue(
    scope: Scope, chosen: QueueFilter, *, after: uuid.UUID | None = None, limit: int = PAGE_SIZE
) -> QueuePage:
    """A page of the queue; the counts by level are those of the filter without its level."""
    item, standing = _items(scope, chosen), _standing(scope)
    keys = _keys(item, standing)
    person = (Patient.public_id, Patient.mrn, Patient.family_name, Patient.given_name, Patient.birth_date)
    statement: Select[*tuple[Any, ...]] = _joined(
        select(item.c.sort, item.c.id, *person, Prescriber.name, standing), item
    ).where(*_conditions(scope, item, chosen))
    if after is not None and (place := _place(scope, after)):
        statement = statement.where(keyset_condition(scope, list(zip(keys, place, strict=True)), ascending=True))
    rows = db.session.execute(statement.order_by(*keys).limit(limit + 1)).all()
    found = _read(scope, [(row[0], row[1]) for row in rows[:limit]])
    shown = [WaitingRow(found[row[0], row[1]], *row[2:]) for row in rows[:limit]]
    counts, oldest = _counts(scope, chosen)
    return QueuePage(tuple(shown), counts, oldest, shown[-1].report.public_id if len(rows) > limit else None)


def waiting_count(scope: Scope) -> dict[str, int]:
    """How many results wait for review, by level: for the home page."""
    return _counts(scope, QueueFilter())[0]


def unseen_reds(scope: Scope, *, mine: bool) -> int:
    """How many red results nobody has seen on their day; with ``mine`` those of one's own and of covered patients."""
    return sum(_counts(scope, QueueFilter(mine=mine, late=True))[0].values())


def _items(scope: Scope, chosen: QueueFilter) -> Subquery:
    """Reports and exams that wait, as one list. A normal exam that a person entered waits for nobody."""
    report = [LabReport.reviewed_at.is_(None), LabReport.state == FactState.RECORDED.value]
    exam = [
        Exam.reviewed_at.is_(None),
        Exam.state == FactState.RECORDED.value,
        or_(Exam.worst_level.is_not(None), Exam.inbound_result_id.is_not(None)),
    ]
    if chosen.panel is not None:
        report.append(LabReport.panel == chosen.panel.value)
    if chosen.late:
        report.append(is_unseen_red(scope, LabReport))
        exam.append(is_unseen_red(scope, Exam))
    parts = []
    if not chosen.exams:
        parts.append(_columns(scope, LabReport).where(*report))
    if chosen.panel is None or chosen.exams:
        parts.append(_columns(scope, Exam).where(*exam))
    return (union_all(*parts) if len(parts) > 1 else parts[0]).subquery("item")


def _columns(scope: Scope, model: type[LabReport | Exam]) -> Select[*tuple[Any, ...]]:
    sort: ColumnElement[int] = literal(EXAM if model is Exam else REPORT).label("sort")
    return select(
        sort, model.id, model.public_id, model.patient_id, model.worst_level.label("level"), model.recorded_at
    ).where(model.clinic_id == scope.clinic_id)


def _keys(item: Subquery, standing: ColumnElement[int]) -> list[ColumnElement[Any]]:
    """Level, whose patient it is, age; unique by the last two."""
    rank = case((item.c.level == "red", 0), (item.c.level == "amber", 1), else_=2)
    return [rank, standing, item.c.recorded_at, item.c.sort, item.c.id]


def _read(scope: Scope, wanted: list[tuple[int, int]]) -> Mapping[tuple[int, int], ReportRow | ExamRow]:
    """The rows behind the list, by sort and key."""
    reports = [key for sort, key in wanted if sort == REPORT]
    exams = [key for sort, key in wanted if sort == EXAM]
    found: dict[tuple[int, int], ReportRow | ExamRow] = {}
    if reports:
        rows = db.session.execute(
            report_columns(scope).where(LabReport.clinic_id == scope.clinic_id, LabReport.id.in_(reports))
        )
        found |= {(REPORT, row.id): row for row in with_values(scope, [ReportRow(*row) for row in rows])}
    if exams:
        found |= {(EXAM, row.id): row for row in exams_by_key(scope, exams)}
    return found


def _standing(scope: Scope) -> ColumnElement[int]:
    own = func.coalesce(Prescriber.user_id == (scope.user_id or 0), False)
    return case((own, OWN), (is_covered_by_me(scope), COVERED), else_=OTHER)


def _joined(statement: Select[*tuple[Any, ...]], item: Subquery) -> Select[*tuple[Any, ...]]:
    return (
        statement.select_from(item)
        .join(Patient, Patient.id == item.c.patient_id)
        .outerjoin(Prescriber, Prescriber.id == Patient.prescriber_id)
    )


def _conditions(scope: Scope, item: Subquery, chosen: QueueFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if chosen.level == "normal":
        conditions.append(item.c.level.is_(None))
    elif chosen.level in LEVELS:
        conditions.append(item.c.level == chosen.level)
    if chosen.mine:
        conditions.append(_standing(scope) != OTHER)
    return conditions


def _counts(scope: Scope, chosen: QueueFilter) -> tuple[dict[str, int], datetime | None]:
    without_level = QueueFilter(panel=chosen.panel, mine=chosen.mine, late=chosen.late, exams=chosen.exams)
    item = _items(scope, without_level)
    level = func.coalesce(item.c.level, "normal")
    statement: Select[*tuple[Any, ...]] = _joined(select(level, func.count(), func.min(item.c.recorded_at)), item)
    rows = db.session.execute(statement.where(*_conditions(scope, item, without_level)).group_by(level)).all()
    counts = dict.fromkeys(LEVELS, 0) | {row[0]: row[1] for row in rows}
    return counts, min((row[2] for row in rows), default=None)


def _place(scope: Scope, after: uuid.UUID) -> tuple[Any, ...] | None:
    """Where a row stands or stood in the list, also when it waits no longer."""
    parts = [_columns(scope, model).where(model.public_id == after) for model in (LabReport, Exam)]
    item = union_all(*parts).subquery("item")
    row = db.session.execute(_joined(select(*_keys(item, _standing(scope))), item)).one_or_none()
    return None if row is None else tuple(row)

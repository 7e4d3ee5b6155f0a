"""Results that wait for review: red before amber before normal; one's own patients, then covered ones; oldest first."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, select

from clinic_tracker.domain.vocabulary import FactState, Panel
from clinic_tracker.models.access import Prescriber
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import LabReport
from clinic_tracker.models.patients import Patient
from clinic_tracker.queries.cover import is_covered_by_me
from clinic_tracker.queries.lab_rows import ReportRow, report_columns, with_values
from clinic_tracker.queries.review_clock import is_unseen_red
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.worklist_filter import keyset_condition

PAGE_SIZE = 50
LEVELS = ("red", "amber", "normal")
OWN, COVERED, OTHER = range(3)


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """What of the queue is shown. ``mine``: of one's own and of covered patients; ``late``: unseen past their day."""

    level: str | None = None
    panel: Panel | None = None
    mine: bool = False
    late: bool = False


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """One report that waits, with its patient."""

    report: ReportRow
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
    standing = _standing(scope)
    keys: list[ColumnElement[Any]] = [_rank(), standing, *_age_columns()]
    statement: Select[*tuple[Any, ...]] = _joined(
        report_columns(scope).add_columns(
            Patient.public_id,
            Patient.mrn,
            Patient.family_name,
            Patient.given_name,
            Patient.birth_date,
            Prescriber.name,
            standing,
        )
    ).where(*_conditions(scope, chosen))
    if after is not None and (place := _place(scope, keys, after)):
        statement = statement.where(keyset_condition(scope, list(zip(keys, place, strict=True)), ascending=True))
    rows = db.session.execute(statement.order_by(*keys).limit(limit + 1)).all()
    reports = with_values(scope, [ReportRow(*row[:-7]) for row in rows[:limit]])
    shown = [WaitingRow(report, *row[-7:]) for report, row in zip(reports, rows, strict=False)]
    counts, oldest = _counts(scope, chosen)
    return QueuePage(tuple(shown), counts, oldest, shown[-1].report.public_id if len(rows) > limit else None)


def waiting_count(scope: Scope) -> dict[str, int]:
    """How many results wait for review, by level: for the home page."""
    return _counts(scope, QueueFilter())[0]


def unseen_reds(scope: Scope, *, mine: bool) -> int:
    """How many red results nobody has seen on their day; with ``mine`` those of one's own and of covered patients."""
    return sum(_counts(scope, QueueFilter(mine=mine, late=True))[0].values())


def _rank() -> ColumnElement[int]:
    return case((LabReport.worst_level == "red", 0), (LabReport.worst_level == "amber", 1), else_=2)


def _age_columns() -> list[ColumnElement[Any]]:
    return [LabReport.recorded_at.expression, LabReport.id.expression]


def _standing(scope: Scope) -> ColumnElement[int]:
    own = func.coalesce(Prescriber.user_id == (scope.user_id or 0), False)
    return case((own, OWN), (is_covered_by_me(scope), COVERED), else_=OTHER)


def _joined(statement: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    return statement.join(Patient, Patient.id == LabReport.patient_id).outerjoin(
        Prescriber, Prescriber.id == Patient.prescriber_id
    )


def _conditions(scope: Scope, chosen: QueueFilter) -> list[ColumnElement[bool]]:
    conditions = [
        LabReport.clinic_id == scope.clinic_id,
        LabReport.reviewed_at.is_(None),
        LabReport.state == FactState.RECORDED.value,
    ]
    if chosen.level == "normal":
        conditions.append(LabReport.worst_level.is_(None))
    elif chosen.level in LEVELS:
        conditions.append(LabReport.worst_level == chosen.level)
    if chosen.panel is not None:
        conditions.append(LabReport.panel == chosen.panel.value)
    if chosen.mine:
        conditions.append(_standing(scope) != OTHER)
    if chosen.late:
        conditions.append(is_unseen_red(scope))
    return conditions


def _counts(scope: Scope, chosen: QueueFilter) -> tuple[dict[str, int], datetime | None]:
    level = func.coalesce(LabReport.worst_level, "normal")
    statement: Select[*tuple[Any, ...]] = _joined(
        select(level, func.count(), func.min(LabReport.recorded_at)).select_from(LabReport)
    )
    without_level = QueueFilter(panel=chosen.panel, mine=chosen.mine, late=chosen.late)
    rows = db.session.execute(statement.where(*_conditions(scope, without_level)).group_by(level)).all()
    counts = dict.fromkeys(LEVELS, 0) | {row[0]: row[1] for row in rows}
    return counts, min((row[2] for row in rows), default=None)


def _place(scope: Scope, keys: list[ColumnElement[Any]], after: uuid.UUID) -> tuple[Any, ...] | None:
    statement: Select[*tuple[Any, ...]] = _joined(select(*keys).select_from(LabReport))
    row = db.session.execute(
        statement.where(LabReport.clinic_id == scope.clinic_id, LabReport.public_id == after)
    ).one_or_none()
    return None if row is None else tuple(row)

"""What is to be reviewed, as it was recorded: results of the laboratory, exams with a finding or from a laboratory."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, func, literal, or_, select

from clinic_tracker.domain.reporting.parameters import Parameters
from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.access import User
from clinic_tracker.models.monitoring import Exam, LabReport
from clinic_tracker.models.reviewing import Acknowledgement
from clinic_tracker.queries.reports.people import (
    PERSON_FIELDS,
    Person,
    asked_about,
    ends_at,
    last_day,
    of_people,
    stream,
    within,
)
from clinic_tracker.queries.scope import Scope

_IMPORTED = "history import"


class Reviewable(NamedTuple):
    """A result or an exam, with the first time that somebody said something about it."""

    person: Person
    kind: str
    id: int
    what: str
    taken_on: date
    recorded_at: datetime
    level: str | None
    reviewed_at: datetime | None
    reviewed_by: str | None
    automatic: bool
    answered_at: datetime | None


def reviewable_results(scope: Scope, parameters: Parameters, *, whole_past: bool) -> Iterator[Reviewable]:
    """The results recorded in the period or, with ``whole_past``, up to its end; by when they came."""
    columns = (LabReport.panel, LabReport.collected_on, LabReport.auto_reviewed)
    return _read("result", _statement(scope, parameters, LabReport, columns, whole_past=whole_past))


def reviewable_exams(scope: Scope, parameters: Parameters, *, whole_past: bool) -> Iterator[Reviewable]:
    """The same of exams. A normal one that a person entered waits for nobody."""
    statement = _statement(
        scope, parameters, Exam, (Exam.kind, Exam.performed_on, literal(value=False)), whole_past=whole_past
    )
    return _read("exam", statement.where(or_(Exam.worst_level.is_not(None), Exam.inbound_result_id.is_not(None))))


def _read(kind: str, statement: Select[Any]) -> Iterator[Reviewable]:
    person = len(PERSON_FIELDS)
    for row in stream(statement):
        key, what, taken_on, automatic, *rest = row[person:]
        recorded_at, level, reviewed_at, reviewed_by, answered_at = rest
        yield Reviewable(
            Person(*row[:person]),
            kind,
            key,
            what,
            taken_on,
            recorded_at,
            level,
            reviewed_at,
            reviewed_by,
            bool(automatic),
            answered_at,
        )


def _statement(scope: Scope, parameters: Parameters, table: Any, columns: Any, *, whole_past: bool) -> Select[Any]:
    recorded = table.recorded_at
    period = recorded < ends_at(scope, last_day(parameters)) if whole_past else within(scope, parameters, recorded)
    common = (recorded, table.worst_level, table.reviewed_at, User.name, _answered_at(table))
    statement: Any = select(*PERSON_FIELDS, table.id, *columns, *common).select_from(table)
    statement = of_people(statement, table.patient_id).outerjoin(User, User.id == table.reviewed_by_id)
    conditions = [
        table.clinic_id == scope.clinic_id,
        table.withdrawn_at.is_(None),
        table.recorded_via != _IMPORTED,
        period,
        *asked_about(scope, parameters),
    ]
    if whole_past:
        until = ends_at(scope, parameters.as_of)
        conditions.append(or_(table.reviewed_at.is_(None), table.reviewed_at >= until))
    return statement.where(*conditions).order_by(recorded, table.id)  # type: ignore[no-any-return]


def _answered_at(table: Any) -> Any:
    """When somebody first wrote down what was done about it."""
    about = Acknowledgement.exam_id if table is Exam else Acknowledgement.lab_report_id
    first = func.min(Acknowledgement.recorded_at, type_=Acknowledgement.recorded_at.type)
    return (
        select(first)
        .where(
            about == table.id,
            Acknowledgement.clinic_id == table.clinic_id,
            Acknowledgement.state != FactState.ENTERED_IN_ERROR.value,
        )
        .correlate(table)
        .scalar_subquery()
    )

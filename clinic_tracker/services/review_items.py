"""What is reviewed: reports and exams, found and locked alike, with their findings and what was said about them."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from clinic_tracker.domain.errors import NotFound
from clinic_tracker.domain.exam_findings import exam_findings
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import Exam, LabReport
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.reviewing import Acknowledgement
from clinic_tracker.queries.acknowledgements import Said, acknowledgements_of, exam_acknowledgements, unanswered
from clinic_tracker.queries.exams import exams_by_key
from clinic_tracker.queries.lab_rows import ReportRow, report_columns, with_values
from clinic_tracker.queries.scope import Scope

Item = LabReport | Exam
Waiting = dict[str, list[Mapping[str, Any]]]


def lock_items(scope: Scope, items: Collection[uuid.UUID], patient: uuid.UUID | None = None) -> list[Item]:
    """The reports and exams of this clinic, locked in the order of their keys: two people cannot block each other.

    NotFound if one of them is not there.
    """
    wanted = set(items)
    found: list[Item] = list(_locked(scope, LabReport, wanted, patient))
    if len(found) < len(wanted):
        found += _locked(scope, Exam, wanted, patient)
    if len(found) != len(wanted):
        raise NotFound("result")
    return found


def findings_of(_scope: Scope, row: Item) -> list[dict[str, Any]]:
    """The findings of a report as they were worked out; of an exam what its outcome calls for."""
    if isinstance(row, Exam):
        return [found.as_json() for found in exam_findings(row.kind, row.outcome, row.performed_on)]
    return row.findings


def said_about(scope: Scope, rows: Sequence[Item]) -> dict[uuid.UUID, list[Said]]:
    """What was said about each, by public id."""
    reports = acknowledgements_of(scope, [row.id for row in rows if isinstance(row, LabReport)])
    exams = exam_acknowledgements(scope, [row.id for row in rows if isinstance(row, Exam)])
    return {row.public_id: (exams if isinstance(row, Exam) else reports).get(row.id, []) for row in rows}


def still_unanswered(scope: Scope, row: Item) -> Waiting:
    """The findings about which nobody has said what was done, by rule."""
    return unanswered(scope, findings_of(scope, row), said_about(scope, [row])[row.public_id])


def digests(scope: Scope, rows: Sequence[Item]) -> dict[uuid.UUID, str]:
    """What each looks like to a person now, by public id."""
    reports = [row.id for row in rows if isinstance(row, LabReport)]
    exams = [row.id for row in rows if isinstance(row, Exam)]
    found: dict[uuid.UUID, str] = {}
    if reports:
        columns = report_columns(scope).where(LabReport.clinic_id == scope.clinic_id, LabReport.id.in_(reports))
        read = with_values(scope, [ReportRow(*row) for row in db.session.execute(columns)])
        found |= {row.public_id: row.digest for row in read}
    if exams:
        found |= {row.public_id: row.digest for row in exams_by_key(scope, exams)}
    return found


def subject_of(_scope: Scope, row: Acknowledgement) -> Item:
    """The report or exam that an acknowledgement is about, locked."""
    if row.exam_id is not None:
        return db.session.get_one(Exam, row.exam_id, with_for_update=True, populate_existing=True)
    return db.session.get_one(LabReport, row.lab_report_id, with_for_update=True, populate_existing=True)


def _locked(scope: Scope, model: type[Any], wanted: set[uuid.UUID], patient: uuid.UUID | None) -> list[Any]:
    statement = (
        select(model)
        .where(model.clinic_id == scope.clinic_id, model.public_id.in_(wanted))
        .order_by(model.id)
        .with_for_update(of=model)
    )
    if patient is not None:
        statement = statement.join(Patient, Patient.id == model.patient_id).where(Patient.public_id == patient)
    return list(db.session.execute(statement.execution_options(populate_existing=True)).scalars())

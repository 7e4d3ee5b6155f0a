"""Laboratory results of one patient: reports with their values, and trends."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, func, select

from clinic_tracker.domain.errors import NotFound
from clinic_tracker.domain.history import VALID_STATUSES
from clinic_tracker.domain.lab_entry import ReadValue
from clinic_tracker.domain.vocabulary import FactState, Panel
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import LabReport, LabValue
from clinic_tracker.models.treatment import Infusion, TreatmentCourse
from clinic_tracker.queries.lab_rows import Point, ReportRow, report_columns, with_values
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.worklist_filter import keyset_condition

PAGE_SIZE = 40


@dataclass(frozen=True, slots=True)
class ReportPage:
    """Some reports, newest first, and the report after which the next page begins."""

    rows: tuple[ReportRow, ...]
    total: int
    next: uuid.UUID | None


def patient_reports(
    scope: Scope,
    patient_id: int,
    *,
    panel: Panel | None = None,
    ended: bool = False,
    after: uuid.UUID | None = None,
    limit: int = PAGE_SIZE,
) -> ReportPage:
    """The reports of a patient, newest first; with ``ended`` also the corrected and the withdrawn ones."""
    conditions = [LabReport.clinic_id == scope.clinic_id, LabReport.patient_id == patient_id]
    if panel is not None:
        conditions.append(LabReport.panel == panel.value)
    if not ended:
        conditions.append(LabReport.state == FactState.RECORDED.value)
    total = db.session.execute(select(func.count()).select_from(LabReport).where(*conditions)).scalar_one()
    if after is not None and (place := _place(scope, patient_id, after)):
        keys: list[tuple[Any, Any]] = [(LabReport.collected_on, place[0]), (LabReport.id, place[1])]
        conditions.append(keyset_condition(scope, keys, ascending=False))
    statement = report_columns(scope).where(*conditions)
    rows = [
        ReportRow(*row)
        for row in db.session.execute(
            statement.order_by(LabReport.collected_on.desc(), LabReport.id.desc()).limit(limit + 1)
        )
    ]
    shown = with_values(scope, rows[:limit])
    return ReportPage(tuple(shown), total, shown[-1].public_id if len(rows) > limit else None)


def patient_report(scope: Scope, patient_id: int, report: uuid.UUID) -> ReportRow:
    """One report of a patient in whatever state; NotFound for another patient's or another clinic's."""
    return reports_by_id(scope, patient_id, [report])[0]


def reports_by_id(scope: Scope, patient_id: int, reports: Collection[uuid.UUID]) -> list[ReportRow]:
    """Reports of a patient by public id, in the order of recording; NotFound unless all are there."""
    found = db.session.execute(
        report_columns(scope)
        .where(
            LabReport.clinic_id == scope.clinic_id,
            LabReport.patient_id == patient_id,
            LabReport.public_id.in_(set(reports)),
        )
        .order_by(LabReport.id)
    ).all()
    if not reports or len(found) != len(set(reports)):
        raise NotFound("lab_report")
    return with_values(scope, [ReportRow(*row) for row in found])


def replacement_of(scope: Scope, report_id: int) -> uuid.UUID | None:
    """The report that corrects this one, or None."""
    return db.session.execute(
        select(LabReport.public_id).where(LabReport.clinic_id == scope.clinic_id, LabReport.replaces_id == report_id)
    ).scalar_one_or_none()


def replaced_report(scope: Scope, patient_id: int, row: ReportRow) -> ReportRow | None:
    """The report that this one corrects, or None."""
    if row.replaces_id is None:
        return None
    older = db.session.execute(
        report_columns(scope).where(
            LabReport.clinic_id == scope.clinic_id, LabReport.patient_id == patient_id, LabReport.id == row.replaces_id
        )
    ).one_or_none()
    return with_values(scope, [ReportRow(*older)])[0] if older else None


def series(scope: Scope, patient_id: int, analytes: Collection[str]) -> dict[str, list[Point]]:
    """The values of analytes over time, oldest first: of reports that stand and were not cancelled."""
    found: dict[str, list[Point]] = {analyte: [] for analyte in analytes}
    statement: Select[*tuple[Any, ...]] = (
        select(
            LabReport.collected_on,
            LabReport.findings,
            LabValue.analyte,
            LabValue.number,
            LabValue.text,
            LabValue.unit,
            LabValue.low,
            LabValue.high,
            LabValue.flag,
        )
        .join(LabValue, LabValue.lab_report_id == LabReport.id)
        .where(
            LabReport.clinic_id == scope.clinic_id,
            LabReport.patient_id == patient_id,
            LabReport.state == FactState.RECORDED.value,
            LabReport.result_status.in_([status.value for status in VALID_STATUSES]),
            LabValue.analyte.in_(sorted(analytes)),
            LabValue.number.is_not(None),
        )
        .order_by(LabReport.collected_on, LabReport.id)
    )
    for on, findings, analyte, *value in db.session.execute(statement):
        finding = next((item for item in findings if analyte in item["analytes"]), None)
        level, words = (finding["level"], finding["words"]) if finding else (None, None)
        found[analyte].append(Point(on, ReadValue(analyte, *value), level, words))
    return found


def _place(scope: Scope, patient_id: int, report: uuid.UUID) -> tuple[date, int] | None:
    row = db.session.execute(
        select(LabReport.collected_on, LabReport.id).where(
            LabReport.clinic_id == scope.clinic_id, LabReport.patient_id == patient_id, LabReport.public_id == report
        )
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def course_starts(scope: Scope, patient_id: int) -> list[tuple[int, date]]:
    """The number and first infusion date of each course given, for marks in a trend."""
    rows = db.session.execute(
        select(TreatmentCourse.number, func.min(Infusion.infused_on))
        .join(Infusion, Infusion.course_id == TreatmentCourse.id)
        .where(
            Infusion.clinic_id == scope.clinic_id,
            Infusion.patient_id == patient_id,
            Infusion.state == FactState.RECORDED.value,
        )
        .group_by(TreatmentCourse.number)
        .order_by(TreatmentCourse.number)
    )
    return [(number, first) for number, first in rows]

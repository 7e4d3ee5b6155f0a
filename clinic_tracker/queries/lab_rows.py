"""Rows of laboratory reports, as read, with their values."""

import json
import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import aliased

from clinic_tracker.domain.history import VALID_STATUSES
from clinic_tracker.domain.lab_entry import ReadValue
from clinic_tracker.domain.lab_findings import told_once
from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.access import User
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import LabReport, LabValue
from clinic_tracker.queries.scope import Scope

_DIGEST = 16
_Reviewer, _Recorder, _Withdrawer = aliased(User), aliased(User), aliased(User)


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One report as read, also one that was corrected or entered in error."""

    id: int
    public_id: uuid.UUID
    patient_id: int
    panel: str
    title: str | None
    collected_on: date
    result_status: str
    is_complete: bool
    missing: str | None
    specimen_problem: str | None
    laboratory: str | None
    note: str | None
    worst_level: str | None
    findings: list[dict[str, Any]]
    state: str
    replaces_id: int | None
    recorded_at: datetime
    recorded_by: str | None
    reviewed_at: datetime | None
    reviewed_by: str | None
    review_note: str | None
    withdrawn_at: datetime | None
    withdrawn_by: str | None
    withdrawn_reason: str | None
    auto_reviewed: bool
    in_sample: bool
    sample_checked_at: datetime | None
    inbound_result_id: int | None
    values: tuple[ReadValue, ...] = ()

    @property
    def stands(self) -> bool:
        """Whether it was neither corrected nor withdrawn."""
        return self.state == FactState.RECORDED

    @property
    def is_evidence(self) -> bool:
        """Whether it may do an obligation: it stands, is complete, and the laboratory calls it final."""
        return self.stands and self.is_complete and self.result_status in VALID_STATUSES

    @property
    def told(self) -> tuple[dict[str, Any], ...]:
        """The findings, without those that a combined one tells too."""
        return told_once(self.findings)

    @property
    def digest(self) -> str:
        """What a person saw of the report: it differs as soon as a value, a finding or the state does."""
        seen = (
            self.state,
            self.collected_on.isoformat(),
            self.result_status,
            self.is_complete,
            self.missing,
            self.specimen_problem,
            self.note,
            self.findings,
            self.values,
        )
        return sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()[:_DIGEST]


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a trend."""

    on: date
    value: ReadValue
    level: str | None
    finding: str | None


def report_columns(_scope: Scope) -> Select[*tuple[Any, ...]]:
    """The SELECT of report rows, to be narrowed down by whoever lists them."""
    return (
        select(
            LabReport.id,
            LabReport.public_id,
            LabReport.patient_id,
            LabReport.panel,
            LabReport.title,
            LabReport.collected_on,
            LabReport.result_status,
            LabReport.is_complete,
            LabReport.missing,
            LabReport.specimen_problem,
            LabReport.laboratory,
            LabReport.note,
            LabReport.worst_level,
            LabReport.findings,
            LabReport.state,
            LabReport.replaces_id,
            LabReport.recorded_at,
            _Recorder.name,
            LabReport.reviewed_at,
            _Reviewer.name,
            LabReport.review_note,
            LabReport.withdrawn_at,
            _Withdrawer.name,
            LabReport.withdrawn_reason,
            LabReport.auto_reviewed,
            LabReport.in_sample,
            LabReport.sample_checked_at,
            LabReport.inbound_result_id,
        )
        .outerjoin(_Recorder, _Recorder.id == LabReport.recorded_by_id)
        .outerjoin(_Reviewer, _Reviewer.id == LabReport.reviewed_by_id)
        .outerjoin(_Withdrawer, _Withdrawer.id == LabReport.withdrawn_by_id)
    )


def with_values(scope: Scope, rows: Sequence[ReportRow]) -> list[ReportRow]:
    """The rows with their values, read in one statement."""
    found: defaultdict[int, list[ReadValue]] = defaultdict(list)
    if rows:
        statement: Select[*tuple[Any, ...]] = (
            select(
                LabValue.lab_report_id,
                LabValue.analyte,
                LabValue.number,
                LabValue.text,
                LabValue.unit,
                LabValue.low,
                LabValue.high,
                LabValue.flag,
            )
            .where(LabValue.clinic_id == scope.clinic_id, LabValue.lab_report_id.in_([row.id for row in rows]))
            .order_by(LabValue.id)
        )
        for report, *value in db.session.execute(statement):
            found[report].append(ReadValue(*value))
    return [replace(row, values=tuple(found[row.id])) for row in rows]

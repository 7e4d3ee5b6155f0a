"""Rows of results that are added many at a time: numbered and inserted at once, whatever the database."""

import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Table, bindparam, func, select, text, update

from clinic_tracker.domain.lab_entry import ReadPanel
from clinic_tracker.domain.messages import SentReport
from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.bulk import add_rows
from clinic_tracker.models.inbound import InboundResult, LabOrder
from clinic_tracker.models.monitoring import Exam, LabReport, LabValue
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.task_evidence import match_exam_tasks, waiting_for_exams

Row = dict[str, Any]
LONGEST_NOTE = 2000
_PLAIN = (bool, int, float, str, list, dict)  # what JSON has


@dataclass(slots=True)
class _NewReport:
    """A report to be inserted with its values, of which result, and which order it answers."""

    row: Row
    values: list[Row]
    result: Row
    before: Row | None
    reason: str | None


class _NewExam(NamedTuple):
    """An exam to be inserted, of which result."""

    row: Row
    result: Row
    before: Row | None
    reason: str | None


@dataclass(slots=True)
class Rows:
    """What is to be added; ``flush`` writes it."""

    scope: Scope
    results: list[Row] = field(default_factory=list)
    reports: list[_NewReport] = field(default_factory=list)
    exams: list[_NewExam] = field(default_factory=list)
    closings: list[tuple[int, Row]] = field(default_factory=list)
    orders: list[tuple[LabOrder, Row]] = field(default_factory=list)
    confirmed: list[tuple[LabReport, Row]] = field(default_factory=list)  # what stood before
    late: list[tuple[LabReport | Exam, Row]] = field(default_factory=list)
    confirming: list[tuple[Row, Row]] = field(default_factory=list)  # results, and the added exams that they confirm
    keys: set[str] = field(default_factory=set)
    incomplete: set[tuple[int, date]] = field(
        default_factory=set
    )  # patients and days with a report that lacks something

    def report(
        self, row: Row, panel: ReadPanel, result: Row, *, before: Row | None = None, reason: str | None = None
    ) -> None:
        """Add a report with its values; its row has a number after ``flush``. ``before`` is what it replaces."""
        if panel.missing:
            self.incomplete.add((row["patient_id"], row["collected_on"]))
        values = [value._asdict() for value in panel.values]
        self.reports.append(_NewReport(row, values, result, before, reason))

    def exam(self, row: Row, result: Row, *, before: Row | None = None, reason: str | None = None) -> None:
        """Add an exam. ``before`` is what it replaces."""
        self.exams.append(_NewExam(row, result, before, reason))

    def confirms_exam(self, row: Row, result: Row) -> bool:
        """Whether the same exam is among those that were added; the result is noted with it as confirming it."""
        same = ("patient_id", "kind", "performed_on", "outcome")
        for added in self.exams:
            if all(added.row[name] == row[name] for name in same):
                self.confirming.append((result, added.row))
                return True
        return False

    def flush(self) -> None:
        """Insert everything that was added, and note it in the audit trail."""
        if self.exams:
            _number(Exam.__table__, [new.row for new in self.exams])
        for result, exam in self.confirming:
            note_confirmed(self.scope, result, exam["kind"], exam["id"])
        if self.results:
            _number(InboundResult.__table__, self.results)
            _insert(InboundResult.__table__, self.results)
        audits = [*self._reports(), *self._exams()]
        if audits:
            _insert(AuditEvent.__table__, audits)
        if self.closings:
            self._close_orders()
        for order, result in self.orders:
            order.inbound_result_id = result["id"]
        for report, result in self.confirmed:
            report.inbound_result_id = result["id"]
        for newer, late in self.late:
            newer.replaces_id = late["id"]
        for added in (
            self.results, self.reports, self.exams, self.closings, self.orders, self.confirmed, self.late,
            self.confirming,
        ):  # fmt: skip
            added.clear()
        self.keys.clear()
        self.incomplete.clear()

    def _reports(self) -> list[Row]:
        if not self.reports:
            return []
        rows = [new.row for new in self.reports]
        _number(LabReport.__table__, rows)
        for new in self.reports:
            new.row["inbound_result_id"] = new.result["id"]
        _insert(LabReport.__table__, rows)
        clinic = self.scope.clinic_id
        values = [
            {"clinic_id": clinic, "lab_report_id": new.row["id"], **value}
            for new in self.reports
            for value in new.values
        ]
        if values:
            _insert(LabValue.__table__, values)
        return [self._report_audit(new) for new in self.reports]

    def _report_audit(self, new: _NewReport) -> Row:
        action = AuditAction.LAB_REPORT_RECORDED if new.before is None else AuditAction.LAB_REPORT_CORRECTED
        noted = self._audit(action, LabReport.__tablename__, new.row, {"values": new.values})
        return noted | {"before": new.before, "reason": new.reason}

    def _exams(self) -> list[Row]:
        if not self.exams:
            return []
        rows = [new.row for new in self.exams]
        for new in self.exams:
            new.row["inbound_result_id"] = new.result["id"]
        _insert(Exam.__table__, rows)
        for patient_id in waiting_for_exams(self.scope, {row["patient_id"] for row in rows}):
            match_exam_tasks(self.scope, patient_id)
        return [self._exam_audit(new) for new in self.exams]

    def _exam_audit(self, new: _NewExam) -> Row:
        action = AuditAction.EXAM_RECORDED if new.before is None else AuditAction.EXAM_CORRECTED
        noted = self._audit(action, Exam.__tablename__, new.row, {})
        return noted | {"before": new.before, "reason": new.reason}

    def _close_orders(self) -> None:
        table = LabOrder.__table__
        assert isinstance(table, Table)
        db.session.execute(
            update(table).where(table.c.id == bindparam("order")).values(lab_report_id=bindparam("report")),
            [{"order": order, "report": row["id"]} for order, row in self.closings],
        )

    def _audit(self, action: AuditAction, subject_type: str, row: Row, more: Row) -> Row:
        scope = self.scope
        said = {
            name: value if isinstance(value, _PLAIN) else str(value)
            for name, value in row.items()
            if value is not None and name != "id"
        }
        return {
            "at": scope.now,
            "clinic_id": scope.clinic_id,
            "user_id": scope.user_id,
            "system_actor": scope.system_actor,
            "action": action.value,
            "subject_type": subject_type,
            "subject_id": row["id"],
            "patient_id": row["patient_id"],
            "reason": None,
            "request_id": scope.request_id,
            "ip": scope.ip,
            "before": None,
            "after": said | more,
        }


def note_confirmed(_scope: Scope, result: Row, name: str, fact_id: int) -> None:
    """Note with the row of a report which report, by its panel, or which exam, by its kind, says the same already."""
    result["report"]["confirmed"] = {**result["report"].get("confirmed", {}), name: fact_id}


def new_fact(scope: Scope, patient_id: int, via: str) -> Row:
    """The columns that every fact has when it is recorded; the others are empty."""
    return {
        "public_id": uuid.uuid4(),
        "clinic_id": scope.clinic_id,
        "patient_id": patient_id,
        "state": FactState.RECORDED.value,
        "recorded_by_id": scope.user_id,
        "recorded_via": via,
        "recorded_at": scope.now,
    }


def new_report(_scope: Scope, fact: Row, panel: ReadPanel, report: SentReport) -> Row:
    """The columns of a report that a laboratory sent, beside those of the fact; the others are empty."""
    notes = dict.fromkeys([*report.notes, *(note for line in report.values for note in line.notes)])
    return fact | {
        "panel": panel.panel.value,
        "title": next((coded.text for coded in report.codes if coded.text), None),
        "collected_on": report.collected_on,
        "collected_at": report.collected_at,
        "result_status": panel.status.value,
        "is_complete": not panel.missing,
        "missing": "; ".join(panel.missing) or None,
        "specimen_problem": panel.problem.value if panel.problem else None,
        "issued_at": report.issued_at,
        "note": "\n".join(notes)[:LONGEST_NOTE] or None,
        "findings": [],
        "auto_reviewed": False,
        "in_sample": False,
    }


def _number(table: Any, rows: list[Row]) -> None:
    """Give the rows their keys before they are inserted, so that many go in one statement and others can point to them.

    On SQLite nobody else writes meanwhile; PostgreSQL hands out the numbers of the sequence.
    """
    assert isinstance(table, Table)
    if db.engine.dialect.name == "sqlite":
        last = db.session.execute(select(func.max(table.c.id))).scalar_one() or 0
        numbers = list(range(last + 1, last + 1 + len(rows)))
    else:
        sequence = text("select nextval(pg_get_serial_sequence(:name, 'id')) from generate_series(1, :count)")
        numbers = list(db.session.execute(sequence, {"name": table.name, "count": len(rows)}).scalars())
    for row, number in zip(rows, numbers, strict=True):
        row["id"] = number


def _insert(table: Any, rows: list[Row]) -> None:
    """Insert rows, those with the same columns at once."""
    assert isinstance(table, Table)
    alike: defaultdict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in rows:
        alike[tuple(row)].append(row)
    for same in alike.values():
        add_rows(db.session.connection(), table, same)

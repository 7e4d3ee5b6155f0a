"""Newer and older versions of a report: a newer one replaces, an older one that comes late is kept as replaced."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import or_, select

from clinic_tracker.domain.lab_entry import ReadPanel
from clinic_tracker.domain.other_lines import OtherLine
from clinic_tracker.domain.vocabulary import ExamKind, FactState, Panel
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import InboundMessage, InboundResult
from clinic_tracker.models.monitoring import Exam, LabReport
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.facts import retire, withdraw
from clinic_tracker.services.inbound_chart import Charts
from clinic_tracker.services.inbound_rows import Row, Rows
from clinic_tracker.services.lab_orders import reopen_orders
from clinic_tracker.services.lab_sheets import values_of
from clinic_tracker.services.review_withdrawal import withdraw_follow_up
from clinic_tracker.services.reviews import take_back
from clinic_tracker.services.task_evidence import match_exam_tasks

NEWER = "The laboratory sent a newer version."
GONE = "The laboratory's newer version no longer has it."
CANCELLED = "The laboratory cancelled it."
MOVED = "The laboratory moved this report to another patient."
FLAGGED_BESIDE = "The laboratory flagged something else that came with it."
LATE = "A newer version of this report came first."
_BY_ITSELF = (NEWER, GONE, CANCELLED, MOVED, LATE)


def source_name(_scope: Scope, source_id: int) -> str:
    """What is kept with a report as its source."""
    return f"inbound:{source_id}"


def _panel_ids(lead: str) -> list[str]:
    """The external ids of all panels that a report could have."""
    return [f"{lead}:{panel.value}" for panel in Panel]


def exam_id(_scope: Scope, source_id: int, lead: str, kind: ExamKind) -> str:
    """The external id of an exam of a report."""
    return f"{source_id}:{lead}:{kind.value}"


def standing_reports(scope: Scope, source_id: int, leads: Collection[str]) -> dict[str, LabReport]:
    """The reports that stand of these numbers of the laboratory, by external id."""
    wanted = [external for lead in leads for external in _panel_ids(lead)]
    rows = db.session.execute(
        select(LabReport).where(
            LabReport.clinic_id == scope.clinic_id,
            LabReport.source == source_name(scope, source_id),
            LabReport.external_id.in_(wanted),
            LabReport.state == FactState.RECORDED.value,
        )
    ).scalars()
    return {str(row.external_id): row for row in rows}


def standing_exams(scope: Scope, source_id: int, leads: Collection[str]) -> dict[str, Exam]:
    """The same for exams."""
    wanted = [exam_id(scope, source_id, lead, kind) for lead in leads for kind in ExamKind]
    rows = db.session.execute(
        select(Exam).where(
            Exam.clinic_id == scope.clinic_id,
            Exam.external_id.in_(wanted),
            Exam.state == FactState.RECORDED.value,
        )
    ).scalars()
    return {str(row.external_id): row for row in rows}


def incomplete_parts(
    scope: Scope, source_id: int, via: str, patient_id: int, collected_on: date, panels: Collection[Panel]
) -> list[tuple[str, ...]]:
    """The numbers of the reports of a draw that stand as incomplete panels of a day, just as they were sent."""
    rows = db.session.execute(
        select(InboundResult.external_id, InboundResult.report)
        .join(LabReport, LabReport.inbound_result_id == InboundResult.id)
        .where(
            LabReport.clinic_id == scope.clinic_id,
            LabReport.patient_id == patient_id,
            LabReport.source == source_name(scope, source_id),
            LabReport.panel.in_([panel.value for panel in panels]),
            LabReport.collected_on == collected_on,
            LabReport.state == FactState.RECORDED.value,
            LabReport.is_complete.is_(False),
            LabReport.recorded_via == via,
        )
        .order_by(InboundResult.id)
    )
    return list(dict.fromkeys(tuple(report.get("with", ())) or (str(key),) for key, report in rows))


def join(scope: Scope, source_id: int, patient_id: int, together: Sequence[str]) -> None:
    """Note with results that came before that they are parts of a panel with others, for their later versions."""
    rows = db.session.execute(
        select(InboundResult)
        .join(InboundMessage, InboundMessage.id == InboundResult.message_id)
        .where(
            InboundResult.clinic_id == scope.clinic_id,
            InboundMessage.source_id == source_id,
            InboundResult.patient_id == patient_id,
            InboundResult.external_id.in_(together),
        )
    ).scalars()
    for row in rows:
        row.report = {**row.report, "with": list(together)}
    db.session.flush()


def changed_by_hand(scope: Scope, result_id: int, patient_id: int) -> frozenset[str]:
    """What came with this result to the chart and was corrected or withdrawn there by a person, by external id.

    What changed before the result was matched last (a match that was undone, and made again) counts no more.
    """
    found: set[str] = set()
    for fact in (LabReport, Exam):
        rows = db.session.execute(
            select(fact.external_id)
            .join(InboundResult, InboundResult.id == fact.inbound_result_id)
            .where(
                fact.clinic_id == scope.clinic_id,
                fact.patient_id == patient_id,
                fact.inbound_result_id == result_id,
                fact.state != FactState.RECORDED.value,
                fact.withdrawn_reason.not_in(_BY_ITSELF),
                or_(InboundResult.matched_at.is_(None), fact.withdrawn_at >= InboundResult.matched_at),
            )
        ).scalars()
        found |= {external for external in rows if external is not None}
    return frozenset(found)


def withdraw_all(scope: Scope, charts: Charts, rows: Iterable[LabReport | Exam], reason: str) -> int:
    """Mark reports and exams as entered in error, on whosever chart they are; how many.

    Their orders wait again; what was said and planned because of them is withdrawn with the same reason.
    """
    count = 0
    for row in rows:
        charts.lock([row.patient_id])
        charts.known[row.patient_id].rewritten = True
        before = audit.snapshot(row)
        withdraw(scope, row, reason)
        is_exam = isinstance(row, Exam)
        action = AuditAction.EXAM_WITHDRAWN if is_exam else AuditAction.LAB_REPORT_WITHDRAWN
        audit.record(scope, action, row, before=before, reason=reason)
        if isinstance(row, LabReport):
            charts.known[row.patient_id].changed(row.collected_on)
            charts.forget(row)
            reopen_orders(scope, row)
        withdraw_follow_up(scope, row, reason)
        if isinstance(row, Exam):
            match_exam_tasks(scope, row.patient_id)
        count += 1
    return count


def take_number(scope: Scope, rows: Rows, report_id: int, sent: Row, result: Row, beside: Iterable[OtherLine]) -> None:
    """Let a report that was typed carry the laboratory's number, so that its corrections and cancellations find it.

    It is told with what the laboratory sent ``beside`` it, and waits for review anew where a line of that is flagged.
    """
    row = db.session.execute(select(LabReport).where(LabReport.id == report_id)).scalar_one()
    if row.external_id is not None:
        return
    before = audit.snapshot(row)
    row.source, row.external_id = sent["source"], sent["external_id"]
    rows.confirmed.append((row, result))
    audit.record(scope, AuditAction.LAB_REPORT_CONFIRMED, row, before=before)
    if row.reviewed_at is not None and any(line.is_flagged for line in beside):
        take_back(scope, row, FLAGGED_BESIDE)


def take_exam_number(scope: Scope, sent: Row) -> int | None:
    """The same exam, if it stands already; one that a person entered carries the laboratory's number then."""
    row = db.session.execute(
        select(Exam)
        .where(
            Exam.clinic_id == scope.clinic_id,
            Exam.patient_id == sent["patient_id"],
            Exam.state == FactState.RECORDED.value,
            Exam.kind == sent["kind"],
            Exam.performed_on == sent["performed_on"],
            Exam.outcome == sent["outcome"],
        )
        .order_by(Exam.id)
        .limit(1)
    ).scalar_one_or_none()
    if row is not None and row.external_id is None:
        before = audit.snapshot(row)
        row.external_id = sent["external_id"]
        audit.record(scope, AuditAction.EXAM_CONFIRMED, row, before=before)
    return None if row is None else row.id


def replace_exam_by(scope: Scope, charts: Charts, old: Exam, new: Row) -> dict[str, Any]:
    """Retire an exam for a newer version; what it said before, for the audit trail."""
    before = audit.snapshot(old)
    retire(scope, old, NEWER)
    new["replaces_id"] = old.id
    charts.known[old.patient_id].rewritten = True
    return before


def replace_by(scope: Scope, charts: Charts, old: LabReport, new: Row) -> dict[str, Any]:
    """Retire a report for a newer version; what it said before, for the audit trail."""
    before = {**audit.snapshot(old), "values": [value._asdict() for value in values_of(scope, old)]}
    retire(scope, old, NEWER)
    charts.forget(old)
    new["replaces_id"] = old.id
    charts.known[old.patient_id].rewritten = True
    charts.known[old.patient_id].changed(min(old.collected_on, new["collected_on"]))
    return before


def says_the_same(scope: Scope, old: LabReport, new: Row, panel: ReadPanel) -> bool:
    """Whether a newer version changes nothing that is kept (of tests not followed here the values are not)."""
    heads = ("collected_on", "result_status", "specimen_problem", "laboratory", "note", "patient_id")
    return all(getattr(old, name) == new[name] for name in heads) and sorted(values_of(scope, old)) == sorted(
        panel.values
    )


def put_late(scope: Scope, late: Row, *, replaced: bool, taken_back: bool) -> None:
    """Turn the row of an older version that came late into what it would be had it come first: replaced, or in error.

    It is ``replaced`` where something stands of the newer version, unless the laboratory has taken that back.
    """
    late["state"] = (FactState.CORRECTED if replaced else FactState.ENTERED_IN_ERROR).value
    late["withdrawn_by_id"], late["withdrawn_at"] = scope.user_id, scope.now
    late["withdrawn_reason"] = CANCELLED if taken_back and not replaced else LATE

"""What a wrong match did to a chart beside recording: taken back with it."""

from collections.abc import Collection, Iterable
from datetime import date
from typing import Any

from sqlalchemy import select

from clinic_tracker.domain.vocabulary import FactState, InboundKind
from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import InboundMessage, InboundResult, LabOrder
from clinic_tracker.models.monitoring import Exam, LabReport
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.facts import withdraw
from clinic_tracker.services.inbound_corrections import standing_exams, standing_reports
from clinic_tracker.services.task_evidence import lineage

_TYPED, _SCREEN = "typed", "screen"
_DAYS = ("collected_on", "pending_since", "rejected_on")


def came_with_message(scope: Scope, row: LabReport | Exam) -> bool:
    """Whether a message brought it, or a version that it replaced; not so where a message only confirmed it."""
    model = type(row)
    sent = select(model.id).where(
        model.clinic_id == scope.clinic_id,
        model.id.in_(lineage(scope, row)),
        model.recorded_via.in_([kind.value for kind in InboundKind]),
    )
    return db.session.execute(sent.limit(1)).first() is not None


def let_go(scope: Scope, source_id: int, patient_id: int, moved: Collection[InboundResult], reason: str) -> None:
    """Take the laboratory's numbers off what stands on a chart by itself and was only confirmed by these results.

    Run after what the results brought was withdrawn: what a person entered stays, and the numbers are free again.
    """
    keys = {str(row.external_id) for row in moved}
    reports: Iterable[LabReport | Exam] = standing_reports(scope, source_id, keys).values()
    exams: Iterable[LabReport | Exam] = standing_exams(scope, source_id, keys).values()
    for row in [*reports, *exams]:
        if row.patient_id != patient_id:
            continue
        before = audit.snapshot(row)
        row.external_id = row.inbound_result_id = None
        if isinstance(row, LabReport):
            row.source = _TYPED if row.recorded_via == _SCREEN else row.recorded_via
        audit.record(scope, AuditAction.RESULT_MATCH_UNDONE, row, before=before, reason=reason)


def displaced(
    scope: Scope, source_id: int, moved: Collection[InboundResult], brought: Iterable[LabReport | Exam]
) -> list[tuple[int, str]]:
    """The reports under other numbers, by source and number, that what these results brought took the place of."""
    found: dict[tuple[int, str], None] = {}
    own = {(source_id, str(row.external_id)) for row in moved}
    for fact in brought:
        model = type(fact)
        rows = db.session.execute(
            select(InboundMessage.source_id, InboundResult.external_id)
            .join(InboundResult, InboundResult.message_id == InboundMessage.id)
            .join(model, model.inbound_result_id == InboundResult.id)
            .where(model.clinic_id == scope.clinic_id, model.id.in_(lineage(scope, fact)))
            .order_by(InboundResult.id)
        )
        found |= {(source, str(key)): None for source, key in rows if (source, str(key)) not in own}
    return list(found)


def take_back_orders(scope: Scope, patient_id: int, moved: Collection[InboundResult], reason: str) -> None:
    """Withdraw the open orders that these results put on a chart; those written down there are as they were before.

    An order that a report has answered which stays on the chart is left as it is.
    """
    rows = db.session.execute(
        select(LabOrder)
        .where(
            LabOrder.clinic_id == scope.clinic_id,
            LabOrder.patient_id == patient_id,
            LabOrder.inbound_result_id.in_([row.id for row in moved]),
            LabOrder.state == FactState.RECORDED.value,
            LabOrder.lab_report_id.is_(None),
        )
        .order_by(LabOrder.id)
    ).scalars()
    for row in rows.all():
        before, action = audit.snapshot(row), AuditAction.LAB_ORDER_WITHDRAWN
        if row.recorded_via == _SCREEN:
            action = AuditAction.LAB_ORDER_CHANGED
            _put_back(scope, row)
        else:
            withdraw(scope, row, reason)
        audit.record(scope, action, row, before=before, reason=reason)


def _put_back(scope: Scope, order: LabOrder) -> None:
    """Give an order the days and the number that it had before the laboratory gave it one."""
    changes: list[dict[str, Any]] = list(
        db.session.execute(
            select(AuditEvent.before)
            .where(
                AuditEvent.clinic_id == scope.clinic_id,
                AuditEvent.patient_id == order.patient_id,
                AuditEvent.subject_type == LabOrder.__tablename__,
                AuditEvent.subject_id == order.id,
                AuditEvent.action == AuditAction.LAB_ORDER_CHANGED.value,
            )
            .order_by(AuditEvent.id.desc())
        ).scalars()
    )
    was: dict[str, Any] = {}
    for before in changes:
        was |= before
        if before.get("external_id", "") is None:
            break
    for name in _DAYS:
        if name in was:
            setattr(order, name, None if was[name] is None else date.fromisoformat(was[name]))
    order.rejected_reason = was.get("rejected_reason", order.rejected_reason)
    order.external_id = order.inbound_result_id = None

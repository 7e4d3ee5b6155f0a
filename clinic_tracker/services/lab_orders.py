"""Panels that were ordered here, and how far they are: a note for people, and evidence for nothing."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.history import VALID_STATUSES
from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import FactState, Panel
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import LabOrder
from clinic_tracker.models.monitoring import LabReport
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit, facts
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.task_evidence import lineage
from clinic_tracker.services.unit_of_work import unit_of_work

NO_REASON = "Rejected by the laboratory; no reason was given"


@dataclass(frozen=True, slots=True)
class Order:
    """Panels ordered on a day; collected at once where ``collected_on`` is given."""

    panels: tuple[Panel, ...]
    ordered_on: date
    collected_on: date | None = None
    laboratory: str | None = None
    note: str | None = None


def record_orders(scope: Scope, patient: uuid.UUID, order: Order, *, form_token: str | None = None) -> list[uuid.UUID]:
    """Write down that panels were ordered; their public ids. The same form sent twice records once.

    RuleViolation without a panel, for a date in the future or before the order, and for a panel that is on order.
    """
    scope.require(Permission.RECORD_EVIDENCE)
    if not order.panels:
        raise RuleViolation("no_panel", "panels", "Choose at least one panel.")
    _check_dates(scope, order.ordered_on, order.collected_on)
    with unit_of_work(scope) as work:
        row = work.lock_patient(patient)
        if form_token and (sent := _of_form(scope, row.id, form_token)):
            return [one.public_id for one in sent]
        _refuse_doubled(scope, row.id, order)
        orders = [
            LabOrder(
                clinic_id=scope.clinic_id,
                patient_id=row.id,
                panel=panel.value,
                ordered_on=order.ordered_on,
                collected_on=order.collected_on,
                laboratory=order.laboratory,
                note=order.note,
                recorded_by_id=scope.user_id,
                recorded_at=scope.now,
                form_token=form_token,
            )
            for panel in dict.fromkeys(order.panels)
        ]
        db.session.add_all(orders)
        for one in orders:
            audit.record(scope, AuditAction.LAB_ORDER_RECORDED, one)
    return [one.public_id for one in orders]


def mark_collected(scope: Scope, patient: uuid.UUID, order: uuid.UUID, on: date) -> None:
    """The specimen was drawn on that day."""
    with _open_order(scope, patient, order) as row:
        _check_dates(scope, row.ordered_on, on)
        row.collected_on = on


def mark_pending(scope: Scope, patient: uuid.UUID, order: uuid.UUID, since: date) -> None:
    """The laboratory has it and has not finished."""
    with _open_order(scope, patient, order) as row:
        facts.check_not_future(scope, since, "pending_since", "The day")
        row.pending_since = since


def mark_rejected(scope: Scope, patient: uuid.UUID, order: uuid.UUID, on: date, reason: str) -> None:
    """The laboratory refused the specimen: it has to be drawn again."""
    with _open_order(scope, patient, order) as row:
        facts.check_not_future(scope, on, "rejected_on", "The day")
        row.rejected_reason = facts.check_reason(scope, reason)
        row.rejected_on = on


def withdraw_order(scope: Scope, patient: uuid.UUID, order: uuid.UUID, *, reason: str) -> None:
    """Mark an order as entered in error, or as no longer wanted."""
    scope.require(Permission.RECORD_EVIDENCE)
    with unit_of_work(scope) as work:
        row = facts.find_fact(scope, LabOrder, work.lock_patient(patient).id, order)
        before = audit.snapshot(row)
        facts.withdraw(scope, row, reason)
        audit.record(scope, AuditAction.LAB_ORDER_WITHDRAWN, row, before=before, reason=reason)


def answer_order(scope: Scope, report: LabReport) -> None:
    """The open order of a panel that a report may be of has its result now; a spoiled specimen is to be drawn again.

    Nothing happens for a report that is no evidence yet, and for a correction of one that has answered an order. Runs
    inside the unit of work that records it.
    """
    if report.result_status not in VALID_STATUSES:
        return
    order = next((one for one in _open_of(scope, report) if is_near(scope, one, report.collected_on)), None)
    if order is None or _answered(scope, report):
        return
    before = audit.snapshot(order)
    if report.specimen_problem is not None:
        order.rejected_on, order.rejected_reason = report.collected_on, report.missing or NO_REASON
    else:
        order.lab_report_id = report.id
    audit.record(scope, AuditAction.LAB_ORDER_CHANGED, order, before=before)


def is_near(_scope: Scope, order: LabOrder, collected_on: date) -> bool:
    """Whether a report of that day can answer an order that it does not name."""
    if order.collected_on is not None:
        return abs((order.collected_on - collected_on).days) <= 1
    return order.ordered_on <= collected_on


def reopen_orders(scope: Scope, report: LabReport) -> None:
    """Orders that a withdrawn report, or a version that it replaced, has answered have no result now.

    Runs inside the unit of work that withdraws it.
    """
    for order in _answered(scope, report):
        before = audit.snapshot(order)
        order.lab_report_id = None
        audit.record(scope, AuditAction.LAB_ORDER_CHANGED, order, before=before)


def _answered(scope: Scope, report: LabReport) -> list[LabOrder]:
    """The orders that a report, or a version that it replaced, has answered."""
    answered = select(LabOrder).where(
        LabOrder.clinic_id == scope.clinic_id, LabOrder.lab_report_id.in_(lineage(scope, report))
    )
    return list(db.session.execute(answered).scalars())


def _open_of(scope: Scope, report: LabReport) -> list[LabOrder]:
    """The open orders of the patient and panel of a report, oldest first and rejected ones last."""
    waiting = select(LabOrder).where(
        LabOrder.clinic_id == scope.clinic_id,
        LabOrder.patient_id == report.patient_id,
        LabOrder.panel == report.panel,
        LabOrder.state == FactState.RECORDED.value,
        LabOrder.lab_report_id.is_(None),
    )
    return list(db.session.execute(waiting.order_by(LabOrder.rejected_on.is_not(None), LabOrder.id)).scalars())


@contextmanager
def _open_order(scope: Scope, patient: uuid.UUID, order: uuid.UUID) -> Iterator[LabOrder]:
    """An order that stands and has no report yet, to be changed in one unit of work."""
    scope.require(Permission.RECORD_EVIDENCE)
    with unit_of_work(scope) as work:
        row = facts.find_fact(scope, LabOrder, work.lock_patient(patient).id, order)
        facts.check_unchanged(scope, row)
        if row.lab_report_id is not None:
            raise RuleViolation("resulted", None, "The result of this order is on record already.")
        before = audit.snapshot(row)
        yield row
        audit.record(scope, AuditAction.LAB_ORDER_CHANGED, row, before=before)


def _check_dates(scope: Scope, ordered_on: date, collected_on: date | None) -> None:
    facts.check_not_future(scope, ordered_on, "ordered_on", "The day of the order")
    if collected_on is None:
        return
    facts.check_not_future(scope, collected_on, "collected_on", "The date of collection")
    if collected_on < ordered_on:
        message = f"It was ordered on {show_date(ordered_on)}: the date of collection is before that."
        raise RuleViolation("before_order", "collected_on", message)


def _of_form(scope: Scope, patient_id: int, form_token: str) -> list[LabOrder]:
    return list(
        db.session.execute(
            select(LabOrder).where(
                LabOrder.clinic_id == scope.clinic_id,
                LabOrder.patient_id == patient_id,
                LabOrder.form_token == form_token,
            )
        ).scalars()
    )


def _refuse_doubled(scope: Scope, patient_id: int, order: Order) -> None:
    there = db.session.execute(
        select(LabOrder.id).where(
            LabOrder.clinic_id == scope.clinic_id,
            LabOrder.patient_id == patient_id,
            LabOrder.panel.in_([panel.value for panel in order.panels]),
            LabOrder.ordered_on == order.ordered_on,
            LabOrder.state == FactState.RECORDED.value,
            LabOrder.lab_report_id.is_(None),
            LabOrder.rejected_on.is_(None),
        )
    ).first()
    if there is not None:
        message = f"One of these panels is on order since {show_date(order.ordered_on)} already."
        raise RuleViolation("already_ordered", "panels", message)

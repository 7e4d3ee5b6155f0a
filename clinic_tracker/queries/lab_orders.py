"""Panels on order, and specimens that never came back."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, select

from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import LabOrder
from clinic_tracker.models.patients import Patient
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.settings import setting


class OrderState(StrEnum):
    """How far a panel on order is."""

    ORDERED = "ordered"
    COLLECTED = "collected"
    PENDING = "pending"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class OrderRow:
    """A panel on order. None of its states takes the panel off the list of what is owed."""

    public_id: uuid.UUID
    patient_id: int
    patient: uuid.UUID
    panel: str
    ordered_on: date
    collected_on: date | None
    pending_since: date | None
    rejected_on: date | None
    rejected_reason: str | None
    laboratory: str | None
    external_id: str | None
    note: str | None

    @property
    def state(self) -> OrderState:
        """The furthest of its states."""
        if self.rejected_on is not None:
            return OrderState.REJECTED
        if self.pending_since is not None:
            return OrderState.PENDING
        return OrderState.ORDERED if self.collected_on is None else OrderState.COLLECTED


def open_orders(scope: Scope, patient_ids: Collection[int]) -> list[OrderRow]:
    """What is on order for these patients, oldest first."""
    statement = _open(scope).where(LabOrder.patient_id.in_(sorted(patient_ids)))
    return _read(statement.order_by(LabOrder.ordered_on, LabOrder.id))


def back_within_days(scope: Scope) -> int:
    """The days after which a specimen without a result is listed: a local convention, the clinic's setting."""
    return setting(scope, "specimen_back_days")


def nothing_back(scope: Scope) -> list[OrderRow]:
    """Specimens collected so many days ago or earlier of which nothing came back."""
    since = scope.today - timedelta(days=back_within_days(scope))
    statement = _open(scope).where(LabOrder.collected_on <= since, LabOrder.rejected_on.is_(None))
    return _read(statement.order_by(LabOrder.collected_on, LabOrder.id))


def _open(scope: Scope) -> Select[*tuple[Any, ...]]:
    return (
        select(
            LabOrder.public_id,
            LabOrder.patient_id,
            Patient.public_id,
            LabOrder.panel,
            LabOrder.ordered_on,
            LabOrder.collected_on,
            LabOrder.pending_since,
            LabOrder.rejected_on,
            LabOrder.rejected_reason,
            LabOrder.laboratory,
            LabOrder.external_id,
            LabOrder.note,
        )
        .join(Patient, Patient.id == LabOrder.patient_id)
        .where(
            LabOrder.clinic_id == scope.clinic_id,
            LabOrder.state == FactState.RECORDED.value,
            LabOrder.lab_report_id.is_(None),
        )
    )


def _read(statement: Select[*tuple[Any, ...]]) -> list[OrderRow]:
    return [OrderRow(*row) for row in db.session.execute(statement)]

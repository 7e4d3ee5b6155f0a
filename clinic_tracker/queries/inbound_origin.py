"""From a report on a chart back to the message that brought it."""

import uuid
from typing import NamedTuple

from sqlalchemy import select

from clinic_tracker.domain.vocabulary import InboundState
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import InboundMessage, InboundResult
from clinic_tracker.models.monitoring import LabReport
from clinic_tracker.queries.scope import Scope


class Origin(NamedTuple):
    """The part of a message that a report came with, and the message."""

    result: uuid.UUID
    message: uuid.UUID
    is_on_chart: bool


def origin_of(scope: Scope, report: uuid.UUID) -> Origin | None:
    """Where a report came from; None for one that a person typed."""
    row = db.session.execute(
        select(InboundResult.public_id, InboundMessage.public_id, InboundResult.patient_id)
        .join(LabReport, LabReport.inbound_result_id == InboundResult.id)
        .join(InboundMessage, InboundMessage.id == InboundResult.message_id)
        .where(LabReport.public_id == report, LabReport.clinic_id == scope.clinic_id)
    ).one_or_none()
    return None if row is None else Origin(row[0], row[1], row[2] is not None)


def waiting_of(scope: Scope, patient_id: int) -> list[uuid.UUID]:
    """The results of a chart that nobody understood yet, the oldest first."""
    return list(
        db.session.execute(
            select(InboundResult.public_id)
            .where(
                InboundResult.clinic_id == scope.clinic_id,
                InboundResult.patient_id == patient_id,
                InboundResult.state == InboundState.NOT_UNDERSTOOD.value,
            )
            .order_by(InboundResult.id)
        ).scalars()
    )

"""From a report on a chart back to the message that brought it."""

import uuid
from typing import NamedTuple

from sqlalchemy import select

from clinic_tracker.domain.vocabulary import InboundState
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import InboundMessage, InboundResult, InboundSource
from clinic_tracker.models.monitoring import Exam, LabReport
from clinic_tracker.queries.scope import Scope


class Origin(NamedTuple):
    """The part of a message that a report or an exam came with, the message, and the source that sent it."""

    result: uuid.UUID
    message: uuid.UUID
    source: str
    is_on_chart: bool


def origin_of(scope: Scope, report: uuid.UUID) -> Origin | None:
    """Where a report came from; None for one that a person typed."""
    return _origin(scope, LabReport, report)


def exam_origin_of(scope: Scope, exam: uuid.UUID) -> Origin | None:
    """The same for an exam."""
    return _origin(scope, Exam, exam)


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


def _origin(scope: Scope, model: type[LabReport | Exam], item: uuid.UUID) -> Origin | None:
    row = db.session.execute(
        select(
            InboundResult.public_id,
            InboundMessage.public_id,
            InboundSource.name,
            InboundResult.patient_id == model.patient_id,
        )
        .join(model, model.inbound_result_id == InboundResult.id)
        .join(InboundMessage, InboundMessage.id == InboundResult.message_id)
        .join(InboundSource, InboundSource.id == InboundMessage.source_id)
        .where(model.public_id == item, model.clinic_id == scope.clinic_id)
    ).one_or_none()
    return None if row is None else Origin(row[0], row[1], row[2], bool(row[3]))

"""What came from laboratories: sources, messages, and the results that wait for a person."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, case, func, select

from clinic_tracker.domain.errors import NotFound
from clinic_tracker.domain.message_json import unpack_identity, unpack_report
from clinic_tracker.domain.messages import Identity, SentReport
from clinic_tracker.domain.vocabulary import InboundMessageState, InboundState
from clinic_tracker.models.access import User
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import InboundContent, InboundMessage, InboundResult, InboundSource
from clinic_tracker.models.patients import Patient
from clinic_tracker.queries.scope import Scope

PAGE = 50
ASKS = (InboundState.UNMATCHED, InboundState.NOT_UNDERSTOOD, InboundState.REFUSED)


class SourceRow(NamedTuple):
    """A source, with how much came from it and when last."""

    id: int
    public_id: uuid.UUID
    name: str
    kind: str
    is_active: bool
    mapping: dict[str, Any]
    messages: int
    last_received_at: datetime | None


class Origin(NamedTuple):
    """A source by itself: what is needed to read what it sends."""

    id: int
    public_id: uuid.UUID
    name: str
    kind: str
    is_active: bool
    mapping: dict[str, Any]


class MessageRow(NamedTuple):
    """A message or file as it is kept, without its bytes."""

    id: int
    public_id: uuid.UUID
    source: uuid.UUID
    source_name: str
    kind: str
    file_name: str | None
    control_id: str | None
    received_at: datetime
    received_by: str | None
    state: str
    finished_at: datetime | None
    done: int
    error: str | None
    answer: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One report of a message and what became of it."""

    id: int
    public_id: uuid.UUID
    message: uuid.UUID
    source: uuid.UUID
    source_name: str
    position: int
    received_at: datetime
    state: InboundState
    patient_id: int | None
    patient: uuid.UUID | None
    matched_how: str | None
    external_id: str | None
    issued_at: datetime | None
    identity: Identity
    report: SentReport | None
    laboratory: str
    problems: tuple[dict[str, Any], ...]
    closed_reason: str | None


def sources(scope: Scope) -> list[SourceRow]:
    """The sources of the clinic by name, those out of use last."""
    rows: Any = db.session.execute(
        select(
            InboundSource.id,
            InboundSource.public_id,
            InboundSource.name,
            InboundSource.kind,
            InboundSource.is_active,
            InboundSource.mapping,
            func.count(InboundMessage.id),
            func.max(InboundMessage.received_at),
        )
        .outerjoin(InboundMessage, InboundMessage.source_id == InboundSource.id)
        .where(InboundSource.clinic_id == scope.clinic_id)
        .group_by(InboundSource.id)
        .order_by(InboundSource.is_active.desc(), InboundSource.name)
    )
    return [SourceRow(*row) for row in rows]


def source_row(scope: Scope, public_id: uuid.UUID) -> Origin:
    """One source; NotFound for one of another clinic."""
    row = _one_source(scope, InboundSource.public_id == public_id)
    if row is None:
        raise NotFound("source")
    return row


def find_source(scope: Scope, name: str) -> Origin | None:
    """The source of that name."""
    return _one_source(scope, InboundSource.name == name)


def messages(
    scope: Scope,
    *,
    source: uuid.UUID | None = None,
    state: InboundMessageState | None = None,
    until: datetime | None = None,
    limit: int = PAGE,
    before: int | None = None,
) -> list[MessageRow]:
    """What was received, newest first; ``before`` is the key of the last one of the page before."""
    statement = _messages(scope).order_by(InboundMessage.id.desc()).limit(limit)
    if source is not None:
        statement = statement.where(InboundSource.public_id == source)
    if state is not None:
        statement = statement.where(InboundMessage.state == state.value)
    if until is not None:
        statement = statement.where(InboundMessage.received_at < until)
    if before is not None:
        statement = statement.where(InboundMessage.id < before)
    return [MessageRow(*row) for row in db.session.execute(statement)]


def message(scope: Scope, public_id: uuid.UUID) -> MessageRow:
    """One message; NotFound for one of another clinic."""
    row = db.session.execute(_messages(scope).where(InboundMessage.public_id == public_id)).one_or_none()
    if row is None:
        raise NotFound("message")
    return MessageRow(*row)


def unfinished(scope: Scope) -> list[MessageRow]:
    """The messages that were kept and not worked off, the oldest first."""
    statement = _messages(scope).where(InboundMessage.state == "received").order_by(InboundMessage.id)
    return [MessageRow(*row) for row in db.session.execute(statement)]


def raw_of(scope: Scope, public_id: uuid.UUID) -> bytes:
    """The bytes of a message as received; NotFound for one of another clinic."""
    raw = db.session.execute(
        select(InboundContent.raw)
        .join(InboundMessage, InboundMessage.id == InboundContent.message_id)
        .where(InboundMessage.public_id == public_id, InboundMessage.clinic_id == scope.clinic_id)
    ).scalar_one_or_none()
    if raw is None:
        raise NotFound("message")
    return raw


def results_of(
    scope: Scope, message_id: uuid.UUID, *, begin: int = 0, limit: int | None = None, waiting_first: bool = False
) -> list[ResultRow]:
    """The reports of a message and what became of them, in the order of the file or what waits for a person first."""
    order = [case((InboundResult.state.in_([state.value for state in ASKS]), 0), else_=1)] if waiting_first else []
    statement = _results(scope).where(InboundMessage.public_id == message_id)
    return _read(statement.order_by(*order, InboundResult.position).offset(begin).limit(limit))


def unmatched(scope: Scope, *, limit: int | None = None, after: int | None = None) -> list[ResultRow]:
    """The results of which it is not certain whose they are, the oldest first; ``after`` is the last key before."""
    return _open(scope, InboundState.UNMATCHED, limit, after)


def not_understood(scope: Scope) -> list[ResultRow]:
    """The results with a code, a unit or a value that is not known, the oldest first."""
    return _open(scope, InboundState.NOT_UNDERSTOOD)


def waiting_counts(scope: Scope) -> dict[InboundState, int]:
    """How many results wait in each queue."""
    rows = db.session.execute(
        select(InboundResult.state, func.count())
        .where(
            InboundResult.clinic_id == scope.clinic_id,
            InboundResult.state.in_([InboundState.UNMATCHED.value, InboundState.NOT_UNDERSTOOD.value]),
        )
        .group_by(InboundResult.state)
    )
    found = {InboundState(state): int(count) for state, count in rows}
    return {state: found.get(state, 0) for state in (InboundState.UNMATCHED, InboundState.NOT_UNDERSTOOD)}


def result(scope: Scope, public_id: uuid.UUID) -> ResultRow:
    """One result; NotFound for one of another clinic."""
    rows = _read(_results(scope).where(InboundResult.public_id == public_id))
    if not rows:
        raise NotFound("result")
    return rows[0]


def results_among(scope: Scope, public_ids: Collection[uuid.UUID]) -> list[ResultRow]:
    """Some results, in the order of their arrival."""
    return _read(_results(scope).where(InboundResult.public_id.in_(public_ids)).order_by(InboundResult.id))


def _one_source(scope: Scope, condition: ColumnElement[bool]) -> Origin | None:
    found: Any = db.session.execute(
        select(
            InboundSource.id,
            InboundSource.public_id,
            InboundSource.name,
            InboundSource.kind,
            InboundSource.is_active,
            InboundSource.mapping,
        ).where(InboundSource.clinic_id == scope.clinic_id, condition)
    ).one_or_none()
    return None if found is None else Origin(*found)


def _open(scope: Scope, state: InboundState, limit: int | None = None, after: int | None = None) -> list[ResultRow]:
    statement = _results(scope).where(InboundResult.state == state.value, InboundResult.id > (after or 0))
    return _read(statement.order_by(InboundResult.id).limit(limit))


def _messages(scope: Scope) -> Select[*tuple[Any, ...]]:
    return (
        select(
            InboundMessage.id,
            InboundMessage.public_id,
            InboundSource.public_id,
            InboundSource.name,
            InboundSource.kind,
            InboundMessage.file_name,
            InboundMessage.control_id,
            InboundMessage.received_at,
            User.name,
            InboundMessage.state,
            InboundMessage.finished_at,
            InboundMessage.done,
            InboundMessage.error,
            InboundMessage.answer,
        )
        .join(InboundSource, InboundSource.id == InboundMessage.source_id)
        .outerjoin(User, User.id == InboundMessage.received_by_id)
        .where(InboundMessage.clinic_id == scope.clinic_id)
    )


def _results(scope: Scope) -> Select[*tuple[Any, ...]]:
    return (
        select(InboundResult, InboundMessage.public_id, InboundSource.public_id, InboundSource.name, Patient.public_id)
        .join(InboundMessage, InboundMessage.id == InboundResult.message_id)
        .join(InboundSource, InboundSource.id == InboundMessage.source_id)
        .outerjoin(Patient, Patient.id == InboundResult.patient_id)
        .where(InboundResult.clinic_id == scope.clinic_id)
        .execution_options(populate_existing=True)
    )


def _read(statement: Select[*tuple[Any, ...]]) -> list[ResultRow]:
    return [
        ResultRow(
            row.id,
            row.public_id,
            message_id,
            source,
            name,
            row.position,
            row.received_at,
            InboundState(row.state),
            row.patient_id,
            patient,
            row.matched_how,
            row.external_id,
            row.issued_at,
            unpack_identity(row.identity),
            unpack_report(row.report["sent"]) if "sent" in row.report else None,
            row.report.get("laboratory", ""),
            tuple(row.problems),
            row.closed_reason,
        )
        for row, message_id, source, name, patient in db.session.execute(statement)
    ]

"""The reports of a message recorded, many in a transaction: each one whole or not at all, and each one once.

A chunk of messages is one transaction, and how far the file is is committed with it, so that what a killed process had
not finished is done by the next one, and nothing twice. Where the database refuses a chunk its messages are taken one
by one, each in a savepoint.
"""

import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError, StatementError

from clinic_tracker.domain.errors import NotFound
from clinic_tracker.domain.messages import Outcome, Parsed
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import InboundKind, InboundMessageState
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import InboundMessage, InboundSource
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.inbound import new_message, source_in_use
from clinic_tracker.services.inbound_chunk import Chunk, Origin, Part
from clinic_tracker.services.unit_of_work import unit_of_work

AT_ONCE = 500


@dataclass(slots=True)
class Ingested:
    """What became of a message: how many reports by state, and the outcome of each part for the answer."""

    counts: Counter[str] = field(default_factory=Counter)
    outcomes: list[Outcome] = field(default_factory=list)


def ingest(scope: Scope, message_id: int, parsed: Sequence[Parsed], *, at_once: int = AT_ONCE) -> Ingested:
    """Record what was parsed of a stored message, from where it was left; what became of the parts taken now.

    Each part is recorded whole, waits in a queue, or is refused with its reason.
    """
    scope.require(Permission.RECORD_EVIDENCE)
    parts, done = _parts(parsed), Ingested()
    for begin in range(0, len(parts), at_once):
        with unit_of_work(scope) as work:
            message, origin = _locked(scope, message_id)
            left = [part for part in parts[begin : begin + at_once] if part.place >= message.done]
            if not left or message.state != InboundMessageState.RECEIVED.value:
                continue
            chunk = Chunk(scope, work, origin)
            outcomes = _take(chunk, left)
            chunk.judge()
            message.done = left[-1].place + 1
        done.counts.update(chunk.counts)
        done.outcomes += outcomes
    return done


def rehearse(
    scope: Scope,
    source: uuid.UUID | InboundKind,
    raw: bytes,
    parsed: Sequence[Parsed],
    *,
    look: Callable[[InboundMessage], None] | None = None,
) -> Ingested:
    """What would become of a message, as if it were sent now by a source, or by a new one: nothing of it is kept.

    ``look`` is called with the message while everything of it is there.
    """
    scope.require(Permission.RECORD_EVIDENCE)
    parts, done = _parts(parsed), Ingested()
    with unit_of_work(scope) as work:
        work.discard()
        origin = _new_source(scope, source) if isinstance(source, InboundKind) else source_in_use(scope, source)
        message = new_message(scope, origin, raw, digest=f"rehearsal {uuid.uuid4()}")
        db.session.add(message)
        db.session.flush()
        chunk = Chunk(scope, work, Origin(message.id, origin.id, origin.kind, scope.now))
        for begin in range(0, len(parts), AT_ONCE):
            done.outcomes += _take(chunk, parts[begin : begin + AT_ONCE])
        done.counts.update(chunk.counts)
        if look is not None:
            look(message)
    return done


def _new_source(scope: Scope, kind: InboundKind) -> InboundSource:
    row = InboundSource(
        clinic_id=scope.clinic_id, name=f"rehearsal {uuid.uuid4()}", kind=kind.value, created_at=scope.now
    )
    db.session.add(row)
    db.session.flush()
    return row


def _parts(parsed: Sequence[Parsed]) -> list[Part]:
    """What was parsed, with its place in the file and in the log."""
    parts, position = [], 0
    for place, one in enumerate(parsed):
        parts.append(Part(place, position, one))
        position += max(1, len(getattr(one, "reports", ())))
    return parts


def _take(chunk: Chunk, parts: Sequence[Part]) -> list[Outcome]:
    try:
        with db.session.begin_nested():
            return chunk.take(parts)
    except (DBAPIError, StatementError):
        chunk.forget()
        return [_alone(chunk, part) for part in parts]


def _alone(chunk: Chunk, part: Part) -> Outcome:
    """A part in a savepoint of its own; what the database refuses is noted as refused, and the others go on."""
    try:
        with db.session.begin_nested():
            (outcome,) = chunk.take([part])
    except (DBAPIError, StatementError):
        chunk.forget()
        return chunk.refuse(part)
    return outcome


def _locked(scope: Scope, message_id: int) -> tuple[InboundMessage, Origin]:
    """The message, locked: two processes that work on one message take turns."""
    message = db.session.execute(
        select(InboundMessage)
        .where(InboundMessage.id == message_id, InboundMessage.clinic_id == scope.clinic_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if message is None:
        raise NotFound("message")
    kind = db.session.execute(select(InboundSource.kind).where(InboundSource.id == message.source_id)).scalar_one()
    return message, Origin(message.id, message.source_id, kind, message.received_at)

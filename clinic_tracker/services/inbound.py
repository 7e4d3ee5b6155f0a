"""Messages as received: kept first, in a transaction of their own, then worked off; the same bytes are kept once."""

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from clinic_tracker.domain.errors import NotFound, RuleViolation
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import InboundMessageState
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import InboundContent, InboundMessage, InboundSource
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.unit_of_work import RECORDED_MEANWHILE, begin_write, unit_of_work

LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Stored:
    """A message that is kept. ``is_new`` is false for bytes that this source has sent before."""

    id: int
    public_id: uuid.UUID
    source_id: int
    is_new: bool
    state: InboundMessageState
    done: int
    received_at: datetime


def store(scope: Scope, source: uuid.UUID, raw: bytes, *, file_name: str | None = None) -> Stored:
    """Keep what a source sent, before anything of it is read. The same bytes again give the message kept before.

    NotFound for a source of another clinic; RuleViolation for one that is no longer in use, or for no bytes at all.
    """
    scope.require(Permission.RECORD_EVIDENCE)
    if not raw.strip():
        raise RuleViolation("empty", None, "There is nothing in it.")
    try:
        return _kept(scope, source, raw, file_name)
    except RuleViolation as violation:
        if violation.code != RECORDED_MEANWHILE:
            raise
    return _kept(scope, source, raw, file_name)  # another connection sent it in the same moment: it is there now


def _kept(scope: Scope, source: uuid.UUID, raw: bytes, file_name: str | None) -> Stored:
    digest = hashlib.sha256(raw).hexdigest()
    with unit_of_work(scope):
        origin = source_in_use(scope, source)
        known = db.session.execute(
            select(InboundMessage).where(
                InboundMessage.clinic_id == scope.clinic_id,
                InboundMessage.source_id == origin.id,
                InboundMessage.sha256 == digest,
            )
        ).scalar_one_or_none()
        message = known or new_message(scope, origin, raw, digest, file_name=file_name)
    return stored_of(scope, message, is_new=known is None)


def new_message(
    scope: Scope,
    source: InboundSource,
    raw: bytes,
    digest: str,
    *,
    file_name: str | None = None,
) -> InboundMessage:
    """Add a message of a source as it has just come, with its bytes."""
    message = InboundMessage(
        clinic_id=scope.clinic_id,
        source_id=source.id,
        sha256=digest,
        file_name=(file_name or "")[:LONGEST_NAME] or None,
        received_at=scope.now,
        received_by_id=scope.user_id,
        state=InboundMessageState.RECEIVED.value,
        answer={},
    )
    db.session.add(message)
    db.session.flush()
    db.session.add(InboundContent(clinic_id=scope.clinic_id, message_id=message.id, raw=raw))
    return message


def stored_of(_scope: Scope, message: InboundMessage, *, is_new: bool = False) -> Stored:
    """A message as it is kept now."""
    return Stored(
        message.id,
        message.public_id,
        message.source_id,
        is_new,
        InboundMessageState(message.state),
        message.done,
        message.received_at,
    )


def finish(
    scope: Scope,
    message_id: int,
    counts: Mapping[str, int],
    *,
    control_id: str | None = None,
    error: str | None = None,
) -> None:
    """Close a message that was worked off: done, or refused when nothing of it could be read.

    ``counts`` say how many reports became what. Closing it again changes nothing.
    """
    begin_write(scope)
    kept = db.session.execute(
        select(InboundMessage.answer).where(
            InboundMessage.id == message_id, InboundMessage.clinic_id == scope.clinic_id
        )
    ).scalar_one_or_none()
    answer: dict[str, Any] = {**(kept or {}), "counts": dict(counts)}
    state = InboundMessageState.REFUSED if error else InboundMessageState.DONE
    db.session.execute(
        update(InboundMessage)
        .where(
            InboundMessage.id == message_id,
            InboundMessage.clinic_id == scope.clinic_id,
            InboundMessage.state == InboundMessageState.RECEIVED.value,
        )
        .values(
            state=state.value,
            finished_at=scope.now,
            error=error,
            answer=answer,
            control_id=(control_id or "")[:LONGEST_NAME] or None,
        )
        .execution_options(synchronize_session=False)
    )
    db.session.commit()


def source_in_use(scope: Scope, source: uuid.UUID) -> InboundSource:
    """The row of a source; NotFound for one of another clinic, RuleViolation for one that is no longer in use."""
    row = db.session.execute(
        select(InboundSource).where(InboundSource.public_id == source, InboundSource.clinic_id == scope.clinic_id)
    ).scalar_one_or_none()
    if row is None:
        raise NotFound("source")
    if not row.is_active:
        raise RuleViolation("source_inactive", "source", f"“{row.name}” is no longer in use: nothing is taken from it.")
    return row

"""The laboratories and files that a clinic takes results from, and the tokens that their systems sign in with."""

import hashlib
import secrets
import uuid
from datetime import date, datetime, time
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import select, update

from clinic_tracker.domain.errors import NotFound, RuleViolation
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import InboundKind
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import ApiToken, InboundSource
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.unit_of_work import begin_write, unit_of_work

LONGEST_NAME = 80
TOKEN_BYTES = 32
PREFIX = "ctr_"


class NewToken(NamedTuple):
    """A token that was just made. ``secret`` is shown once and kept nowhere."""

    public_id: uuid.UUID
    secret: str


def add_source(scope: Scope, name: str, kind: InboundKind) -> uuid.UUID:
    """Take results from somewhere new; its public id. RuleViolation for a name that is empty or taken."""
    scope.require(Permission.MANAGE_CLINIC)
    with unit_of_work(scope):
        row = InboundSource(
            clinic_id=scope.clinic_id,
            name=_free_name(scope, name),
            kind=kind.value,
            created_by_id=scope.user_id,
            created_at=scope.now,
        )
        db.session.add(row)
        audit.record(scope, AuditAction.INBOUND_SOURCE_ADDED, row)
    return row.public_id


def edit_source(scope: Scope, source: uuid.UUID, *, name: str | None = None, is_active: bool | None = None) -> None:
    """Rename a source, take it out of use or into use again."""
    scope.require(Permission.MANAGE_CLINIC)
    with unit_of_work(scope):
        row = _find(scope, source)
        before = audit.snapshot(row)
        if name is not None and name.strip() != row.name:
            row.name = _free_name(scope, name)
        if is_active is not None:
            row.is_active = is_active
        audit.record(scope, AuditAction.INBOUND_SOURCE_EDITED, row, before=before)


def keep_mapping(scope: Scope, source: uuid.UUID, mapping: dict[str, Any]) -> None:
    """Remember which column of the tables of a source means what."""
    scope.require(Permission.RECORD_EVIDENCE)
    with unit_of_work(scope):
        row = _find(scope, source)
        before = audit.snapshot(row)
        row.mapping = mapping
        audit.record(scope, AuditAction.INBOUND_SOURCE_EDITED, row, before=before)


def create_token(scope: Scope, source: uuid.UUID, name: str, *, expires_on: date | None = None) -> NewToken:
    """Make a token with which a system may send results of one source, and nothing else.

    It is good through the day ``expires_on``. RuleViolation for an empty name or a day that has passed.
    """
    scope.require(Permission.MANAGE_CLINIC)
    words = _name(name)
    if expires_on is not None and expires_on < scope.today:
        raise RuleViolation("past_date", "expires_on", "That day has passed: choose today or a later one.")
    secret = PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
    with unit_of_work(scope):
        row = ApiToken(
            clinic_id=scope.clinic_id,
            source_id=_find(scope, source).id,
            name=words,
            token_hash=hashed(scope, secret),
            created_by_id=scope.user_id,
            created_at=scope.now,
            expires_at=_end_of(scope, expires_on) if expires_on else None,
        )
        db.session.add(row)
        audit.record(scope, AuditAction.API_TOKEN_CREATED, row)
    return NewToken(row.public_id, secret)


def revoke_token(scope: Scope, token: uuid.UUID) -> None:
    """Take a token out of use at once; again changes nothing."""
    scope.require(Permission.MANAGE_CLINIC)
    with unit_of_work(scope):
        row = db.session.execute(
            select(ApiToken).where(ApiToken.public_id == token, ApiToken.clinic_id == scope.clinic_id)
        ).scalar_one_or_none()
        if row is None:
            raise NotFound("token")
        if row.revoked_at is None:
            before = audit.snapshot(row)
            row.revoked_by_id, row.revoked_at = scope.user_id, scope.now
            audit.record(scope, AuditAction.API_TOKEN_REVOKED, row, before=before)


def note_token_used(scope: Scope, token_id: int) -> None:
    """Remember when a token was last used. Commits by itself."""
    begin_write(scope)
    db.session.execute(
        update(ApiToken)
        .where(ApiToken.id == token_id, ApiToken.clinic_id == scope.clinic_id)
        .values(last_used_at=scope.now)
        .execution_options(synchronize_session=False)
    )
    db.session.commit()


def hashed(_scope: Scope, secret: str) -> str:
    """What is kept of a token. It is random and long, so that a plain hash is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _end_of(scope: Scope, day: date) -> datetime:
    return datetime.combine(day, time.max, ZoneInfo(scope.time_zone))


def _find(scope: Scope, source: uuid.UUID) -> InboundSource:
    row = db.session.execute(
        select(InboundSource).where(InboundSource.public_id == source, InboundSource.clinic_id == scope.clinic_id)
    ).scalar_one_or_none()
    if row is None:
        raise NotFound("source")
    return row


def _free_name(scope: Scope, name: str) -> str:
    words = _name(name)
    taken = select(InboundSource.id).where(InboundSource.clinic_id == scope.clinic_id, InboundSource.name == words)
    if db.session.execute(taken).first() is not None:
        raise RuleViolation("name_taken", "name", f"There is a source called “{words}” already.")
    return words


def _name(name: str) -> str:
    words = " ".join(name.split())
    if not words or len(words) > LONGEST_NAME:
        raise RuleViolation("name", "name", f"Enter a name of up to {LONGEST_NAME} characters.")
    return words

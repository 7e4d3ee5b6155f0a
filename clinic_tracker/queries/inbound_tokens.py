"""Who sends: the token of a laboratory's system, and what it may do."""

from typing import Any, NamedTuple

from sqlalchemy import or_, select

from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import Role
from clinic_tracker.models.access import Clinic, User
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import ApiToken, InboundSource
from clinic_tracker.queries.inbound import Origin
from clinic_tracker.queries.scope import Scope


class Sender(NamedTuple):
    """A token that is good now, the source that it sends for, and the scope of what it does."""

    token_id: int
    origin: Origin
    scope: Scope


class TokenRow(NamedTuple):
    """A token as an administrator sees it; the token itself is kept nowhere."""

    public_id: Any
    name: str
    source: Any
    source_name: str
    created_at: Any
    created_by: str | None
    expires_at: Any
    last_used_at: Any
    revoked_at: Any


def sender_of(scope: Scope, token_hash: str) -> Sender | None:
    """The sender with this token, or None for one that is unknown, has expired or was revoked.

    It may record evidence of its clinic and nothing else. ``scope`` gives the clock and the request.
    """
    row: Any = db.session.execute(
        select(ApiToken.id, ApiToken.name, InboundSource, Clinic)
        .join(InboundSource, InboundSource.id == ApiToken.source_id)
        .join(Clinic, Clinic.id == ApiToken.clinic_id)
        .where(
            ApiToken.token_hash == token_hash,
            ApiToken.revoked_at.is_(None),
            or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > scope.now),
        )
    ).one_or_none()
    if row is None:
        return None
    token_id, name, source, clinic = row
    origin = Origin(source.id, source.public_id, source.name, source.kind, source.is_active, source.mapping)
    return Sender(
        token_id,
        origin,
        Scope(
            clinic_id=clinic.id,
            clinic_slug=clinic.slug,
            clinic_name=clinic.name,
            time_zone=clinic.time_zone,
            protocol_id=clinic.protocol_id,
            role=Role.STAFF,
            actor_name=name,
            now=scope.now,
            system_actor=f"token: {name}",
            request_id=scope.request_id,
            ip=scope.ip,
            is_demo=clinic.is_demo,
            permissions=frozenset({Permission.RECORD_EVIDENCE}),
        ),
    )


def tokens(scope: Scope) -> list[TokenRow]:
    """The tokens of the clinic, newest first."""
    rows: Any = db.session.execute(
        select(
            ApiToken.public_id,
            ApiToken.name,
            InboundSource.public_id,
            InboundSource.name,
            ApiToken.created_at,
            User.name,
            ApiToken.expires_at,
            ApiToken.last_used_at,
            ApiToken.revoked_at,
        )
        .join(InboundSource, InboundSource.id == ApiToken.source_id)
        .outerjoin(User, User.id == ApiToken.created_by_id)
        .where(ApiToken.clinic_id == scope.clinic_id)
        .order_by(ApiToken.id.desc())
    )
    return [TokenRow(*row) for row in rows]

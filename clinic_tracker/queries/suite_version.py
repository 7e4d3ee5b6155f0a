"""Whether anything happened in the clinic: the cheapest question that a page which keeps itself current can ask."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, func, select

from clinic_tracker.models.access import Clinic, Membership, User, UserSession
from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.queries.scope import Scope

# Statements and parameters are made once: building them would cost more than running them.
_SINCE = bindparam("since", type_=AuditEvent.__table__.c.at.type)
_OF_CLINIC: Any = select(func.count(), func.max(AuditEvent.id)).where(
    AuditEvent.clinic_id == bindparam("clinic"), AuditEvent.at >= _SINCE
)
_OF_SESSION_CLINIC = (AuditEvent.clinic_id == UserSession.clinic_id, AuditEvent.at >= _SINCE)
_OF_SCREEN: Any = (
    select(
        UserSession.created_at,
        UserSession.last_seen_at,
        Membership.role,
        Clinic.id,
        Clinic.time_zone,
        select(func.count()).select_from(AuditEvent).where(*_OF_SESSION_CLINIC).scalar_subquery(),
        select(func.max(AuditEvent.id)).where(*_OF_SESSION_CLINIC).scalar_subquery(),
    )
    .join(User, User.id == UserSession.user_id)
    .join(
        Membership,
        (Membership.user_id == User.id)
        & (Membership.clinic_id == UserSession.clinic_id)
        & Membership.ended_on.is_(None),
    )
    .join(Clinic, Clinic.id == Membership.clinic_id)
    .where(
        UserSession.token_hash == bindparam("token"),
        UserSession.ended_at.is_(None),
        User.is_active,
        User.must_change_password.is_(False),
    )
)


class Screen(NamedTuple):
    """A session that may be watching, and the version of its clinic."""

    created_at: datetime
    last_seen_at: datetime
    role: str
    version: str


def clinic_version(scope: Scope) -> str:
    """Changes whenever something is recorded in the clinic, and with each hour and day; one narrow statement.

    Every use case notes what it changed, so the events of this hour and the last one are counted. The newest event
    alone would not do: two that run side by side may commit in the other order, and the first to begin may be the last
    to become visible. The count sees it all the same.
    """
    count, newest = db.session.execute(_OF_CLINIC, {"clinic": scope.clinic_id, "since": _since(scope.now)}).one()
    return _version(scope.clinic_id, scope.today, scope.now, count, newest)


def screens(_scope: Scope) -> Callable[[Scope, str], Screen | None]:
    """How to find the session with a token hash and the version of its clinic, together in one statement.

    Made once for an application: what is found is None where there is no session, it was ended, its person is inactive
    or must choose a password, or has no role.
    """
    # One statement needs no transaction around it.
    on_sqlite = db.engine.dialect.name == "sqlite"
    engine = db.engine.execution_options(**{"sqlite_begin": None} if on_sqlite else {"isolation_level": "AUTOCOMMIT"})

    def find(scope: Scope, token_hash: str) -> Screen | None:
        with engine.connect() as connection:
            row = connection.execute(_OF_SCREEN, {"token": token_hash, "since": _since(scope.now)}).one_or_none()
        if row is None:
            return None
        created_at, last_seen_at, role, clinic_id, time_zone, count, newest = row
        today = scope.now.astimezone(ZoneInfo(time_zone)).date()
        return Screen(created_at, last_seen_at, role, _version(clinic_id, today, scope.now, count, newest))

    return find


def _since(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)


def _version(clinic_id: int, today: date, now: datetime, count: int, newest: int | None) -> str:
    return f"{clinic_id}-{today.toordinal()}-{now:%H}-{count}-{newest or 0}"

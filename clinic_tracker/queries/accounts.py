"""Reads of sign-in: sessions and the clinics of a person."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select

from clinic_tracker.domain.permissions import ROLE_PERMISSIONS, Permission
from clinic_tracker.domain.vocabulary import Role
from clinic_tracker.models.access import Clinic, Membership, User, UserSession
from clinic_tracker.models.base import db
from clinic_tracker.queries.scope import Scope


@dataclass(frozen=True, slots=True)
class CurrentSession:
    """A session that has not been ended, with its person and, once chosen, the clinic and the role there."""

    role: Role | None
    is_demo: bool
    session_id: int
    user_id: int
    name: str
    email: str
    must_change_password: bool
    created_at: datetime
    last_seen_at: datetime
    clinic_id: int | None
    clinic_slug: str | None
    clinic_name: str | None
    time_zone: str | None
    protocol_id: str | None


@dataclass(frozen=True, slots=True)
class ClinicChoice:
    """A clinic that a person may work in."""

    slug: str
    name: str
    role: Role


def find_session(_scope: Scope, token_hash: str) -> CurrentSession | None:
    """The session with this token hash, or None if there is none, it was ended, or the person is inactive."""
    row = db.session.execute(
        select(
            UserSession.id,
            User.id,
            User.name,
            User.email,
            User.must_change_password,
            UserSession.created_at,
            UserSession.last_seen_at,
            Clinic.id,
            Clinic.slug,
            Clinic.name,
            Clinic.time_zone,
            Clinic.protocol_id,
            Clinic.is_demo,
            Membership.role,
        )
        .join(User, User.id == UserSession.user_id)
        .outerjoin(
            Membership,
            (Membership.user_id == User.id)
            & (Membership.clinic_id == UserSession.clinic_id)
            & Membership.ended_on.is_(None),
        )
        .outerjoin(Clinic, Clinic.id == Membership.clinic_id)
        .where(UserSession.token_hash == token_hash, UserSession.ended_at.is_(None), User.is_active)
    ).one_or_none()
    if row is None:
        return None
    known: Any = tuple(row)
    return CurrentSession(Role(known[-1]) if known[-1] else None, bool(known[-2]), *known[:-2])


def clinics_of_user(scope: Scope) -> list[ClinicChoice]:
    """The clinics where the person of the scope has a current role, by name."""
    rows = db.session.execute(
        select(Clinic.slug, Clinic.name, Membership.role)
        .join(Membership, Membership.clinic_id == Clinic.id)
        .where(Membership.user_id == scope.user_id, Membership.ended_on.is_(None))
        .order_by(Clinic.name)
    )
    return [ClinicChoice(slug, name, Role(role)) for slug, name, role in rows]


def scopes_of_user(scope: Scope, permission: Permission) -> list[Scope]:
    """The scopes of the person in every clinic where a current role of theirs holds the permission, by name.

    Each has the clinic's own zone, protocol and role; the clock and the request are those of ``scope``.
    """
    columns = (Clinic.id, Clinic.slug, Clinic.name, Clinic.time_zone, Clinic.protocol_id, Clinic.is_demo)
    rows = db.session.execute(
        select(*columns, Membership.role)
        .join(Membership, Membership.clinic_id == Clinic.id)
        .where(Membership.user_id == scope.user_id, Membership.ended_on.is_(None))
        .order_by(Clinic.name, Clinic.id)
    )
    return [
        replace(
            scope,
            clinic_id=clinic_id,
            clinic_slug=slug,
            clinic_name=name,
            time_zone=zone,
            protocol_id=protocol_id,
            is_demo=is_demo,
            role=Role(role),
            permissions=ROLE_PERMISSIONS[Role(role)],
        )
        for clinic_id, slug, name, zone, protocol_id, is_demo, role in rows
        if permission in ROLE_PERMISSIONS[Role(role)]
    ]


def scope_of_session(scope: Scope, session: CurrentSession) -> Scope:
    """The scope of a signed-in person in the clinic of their session; ``scope`` gives the clock and the request.

    Without a chosen clinic the scope holds no permission at all.
    """
    role = session.role or Role.AUDITOR
    return Scope(
        clinic_id=session.clinic_id or 0,
        clinic_slug=session.clinic_slug or "",
        clinic_name=session.clinic_name or "",
        time_zone=session.time_zone or "UTC",
        protocol_id=session.protocol_id or "",
        role=role,
        actor_name=session.name,
        now=scope.now,
        user_id=session.user_id,
        request_id=scope.request_id,
        ip=scope.ip,
        is_demo=session.is_demo,
        permissions=ROLE_PERMISSIONS[role] if session.role else frozenset(),
    )


def scope_of_command(_scope: Scope | None, slug: str, actor: str, now: datetime) -> Scope | None:
    """The scope of a command for a clinic, with every permission, or None if there is no such clinic."""
    row = db.session.execute(
        select(Clinic.id, Clinic.slug, Clinic.name, Clinic.time_zone, Clinic.protocol_id, Clinic.is_demo).where(
            Clinic.slug == slug
        )
    ).one_or_none()
    if row is None:
        return None
    clinic_id, clinic_slug, name, zone, protocol_id, is_demo = row
    return Scope(
        clinic_id=clinic_id,
        clinic_slug=clinic_slug,
        clinic_name=name,
        time_zone=zone,
        protocol_id=protocol_id,
        role=Role.ADMINISTRATOR,
        actor_name=actor,
        now=now,
        system_actor=actor,
        is_demo=is_demo,
        permissions=frozenset().union(*ROLE_PERMISSIONS.values()),
    )

"""Who may have a file of a report."""

import uuid
from dataclasses import dataclass

from sqlalchemy import select

from clinic_tracker.domain.permissions import ROLE_PERMISSIONS, Permission
from clinic_tracker.domain.reporting.definition import Definition
from clinic_tracker.domain.vocabulary import Role
from clinic_tracker.models.access import Membership, User
from clinic_tracker.models.base import db
from clinic_tracker.queries.scope import Scope

ALWAYS = frozenset({Permission.VIEW_REPORTS, Permission.EXPORT_DATA})


@dataclass(frozen=True, slots=True)
class Recipient:
    """A person of the clinic who may have the files of a report."""

    user_id: int
    public_id: uuid.UUID
    name: str
    email: str


def may_have(_scope: Scope, role: str, definition: Definition) -> bool:
    """Whether somebody with a role may have the files of a report."""
    return ALWAYS | set(definition.permissions) <= ROLE_PERMISSIONS[Role(role)]


def possible_recipients(scope: Scope, definition: Definition, user_id: int | None = None) -> list[Recipient]:
    """The people of the clinic, by name, who may have the files of a report today; or only the one asked about."""
    statement = (
        select(User.id, User.public_id, User.name, User.email, Membership.role)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.clinic_id == scope.clinic_id, Membership.ended_on.is_(None), User.is_active)
        .order_by(User.name, User.id)
    )
    if user_id is not None:
        statement = statement.where(User.id == user_id)
    return [
        Recipient(key, public_id, name, email)
        for key, public_id, name, email, role in db.session.execute(statement)
        if may_have(scope, role, definition)
    ]

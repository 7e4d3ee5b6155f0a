"""The audit of one chart: what was changed by whom, and who looked at it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from clinic_tracker.models.access import Prescriber, User
from clinic_tracker.models.audit import AccessEvent, AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.queries.scope import Scope

PAGE = 50


@dataclass(frozen=True, slots=True)
class Change:
    """One change of the chart. ``who`` is None for a command, an import or another system."""

    id: int
    at: datetime
    who: str | None
    system_actor: str | None
    action: str
    subject_type: str
    reason: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class ChangePage:
    """Changes, newest first; ``next_before`` continues, None at the end."""

    rows: list[Change]
    next_before: int | None


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a page of the chart."""

    at: datetime
    who: str | None
    system_actor: str | None
    endpoint: str


def changes_of(scope: Scope, patient_id: int, before: int | None = None, limit: int = PAGE) -> ChangePage:
    """The changes of a chart, newest first, from before the event with this key."""
    statement = (
        select(
            AuditEvent.id,
            AuditEvent.at,
            User.name,
            AuditEvent.system_actor,
            AuditEvent.action,
            AuditEvent.subject_type,
            AuditEvent.reason,
            AuditEvent.before,
            AuditEvent.after,
        )
        .outerjoin(User, User.id == AuditEvent.user_id)
        .where(AuditEvent.clinic_id == scope.clinic_id, AuditEvent.patient_id == patient_id)
        .order_by(AuditEvent.id.desc())
        .limit(limit + 1)
    )
    if before is not None:
        statement = statement.where(AuditEvent.id < before)
    rows = [Change(*row) for row in db.session.execute(statement)]
    return ChangePage(rows[:limit], rows[limit - 1].id if len(rows) > limit else None)


def looks_at(scope: Scope, patient_id: int, limit: int = 200) -> list[Look]:
    """The latest looks at the pages of a chart, newest first. Lists that named the patient are not among them."""
    rows = db.session.execute(
        select(AccessEvent.at, User.name, AccessEvent.system_actor, AccessEvent.endpoint)
        .outerjoin(User, User.id == AccessEvent.user_id)
        .where(AccessEvent.clinic_id == scope.clinic_id, AccessEvent.patient_id == patient_id)
        .order_by(AccessEvent.at.desc(), AccessEvent.id.desc())
        .limit(limit)
    )
    return [Look(*row) for row in rows]


def prescriber_names(scope: Scope) -> dict[int, str]:
    """The names of the clinic's prescribers, past ones too, by key."""
    rows = db.session.execute(select(Prescriber.id, Prescriber.name).where(Prescriber.clinic_id == scope.clinic_id))
    return dict(rows.all())

"""What every clinical fact shares: found by its public id, replaced by a correction, or entered in error."""

import uuid
from datetime import date
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import select

from clinic_tracker.domain.errors import NotFound, RuleViolation
from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.access import User
from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import Fact, db
from clinic_tracker.queries.scope import Scope

F = TypeVar("F", bound=Fact)
Row = TypeVar("Row")

LONGEST_REASON = 2000


def find_fact(scope: Scope, model: type[F], patient_id: int, public_id: uuid.UUID) -> F:
    """A fact of this clinic and patient, in whatever state. NotFound for any other."""
    row = db.session.execute(
        select(model).where(
            model.public_id == public_id, model.clinic_id == scope.clinic_id, model.patient_id == patient_id
        )
    ).scalar_one_or_none()
    if row is None:
        raise NotFound(model.__name__)
    return row


def already_recorded(scope: Scope, model: type[Row], form_token: str | None) -> Row | None:
    """The row that this very form recorded before (a double click, a page sent again), or None.

    Call it inside the unit of work, after the patient was locked.
    """
    if not form_token:
        return None
    table: Any = model
    return db.session.execute(
        select(model).where(table.form_token == form_token, table.clinic_id == scope.clinic_id).limit(1)
    ).scalar_one_or_none()


def supersede(scope: Scope, old: F, new: F, reason: str | None) -> F:
    """Put ``new`` in the place of ``old``, which becomes corrected and stays; both are flushed.

    RuleViolation without a reason, and when ``old`` was changed by somebody before. The caller notes the audit event.
    """
    retire(scope, old, reason)
    new.replaces_id = old.id
    db.session.add(new)
    db.session.flush()
    return new


def retire(scope: Scope, old: Fact, reason: str | None) -> None:
    """The first half of ``supersede``, for where the rules must look at the replacement without the old row."""
    _end(scope, old, FactState.CORRECTED, reason)


def withdraw(scope: Scope, row: F, reason: str | None) -> F:
    """Mark a fact as entered in error; it stays, and counts for nothing.

    RuleViolation without a reason, and when it was changed by somebody before. The caller notes the audit event.
    """
    _end(scope, row, FactState.ENTERED_IN_ERROR, reason)
    return row


def check_unchanged(scope: Scope, row: Fact) -> None:
    """RuleViolation ``already_changed``, saying who and when, unless the fact still stands."""
    if row.state == FactState.RECORDED.value:
        return
    done = "corrected" if row.state == FactState.CORRECTED.value else "marked as entered in error"
    by = user_name(scope, row.withdrawn_by_id)
    at = f" on {when(scope, row.withdrawn_at)}" if row.withdrawn_at else ""
    raise RuleViolation("already_changed", None, f"This entry was already {done} by {by}{at}. Look at it again.")


def check_reason(_scope: Scope, reason: str | None, field: str = "reason") -> str:
    """The reason, trimmed. RuleViolation when there is none or it is overlong."""
    words = (reason or "").strip()
    if not words:
        raise RuleViolation("reason_required", field, "Give the reason.")
    if len(words) > LONGEST_REASON:
        raise RuleViolation("reason_too_long", field, f"The reason must be {LONGEST_REASON} characters or fewer.")
    return words


def check_not_future(scope: Scope, day: date, field: str, name: str) -> None:
    """RuleViolation ``future_date`` for a fact dated after the clinic's today."""
    if day > scope.today:
        raise RuleViolation("future_date", field, f"{name} is {show_date(day)}: a date in the future.")


def user_name(scope: Scope, user_id: int | None) -> str:
    """The name of a person, for "already done by"; "the system" for an import or a command."""
    if user_id is None:
        return "the system"
    if user_id == scope.user_id:
        return "you"
    return db.session.execute(select(User.name).where(User.id == user_id)).scalar_one()


def last_change(scope: Scope, subject_type: str, subject_id: int) -> tuple[str, str]:
    """Who changed a row last, and when, for "changed by"."""
    last = db.session.execute(
        select(AuditEvent.user_id, AuditEvent.at)
        .where(
            AuditEvent.clinic_id == scope.clinic_id,
            AuditEvent.subject_type == subject_type,
            AuditEvent.subject_id == subject_id,
        )
        .order_by(AuditEvent.id.desc())
        .limit(1)
    ).one()
    return user_name(scope, last.user_id), when(scope, last.at)


def when(scope: Scope, instant: Any) -> str:
    """An instant on the clinic's clock: 07-Mar-2026 14:05."""
    there = instant.astimezone(ZoneInfo(scope.time_zone))
    return f"{show_date(there.date())} {there:%H:%M}"


def _end(scope: Scope, row: Fact, state: FactState, reason: str | None) -> None:
    words = check_reason(scope, reason)
    check_unchanged(scope, row)
    row.state = state.value
    row.withdrawn_by_id = scope.user_id
    row.withdrawn_at = scope.now
    row.withdrawn_reason = words
    # At once: the unique indexes hold for recorded rows only, and the replacement comes next.
    db.session.flush()

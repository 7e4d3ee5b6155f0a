"""The audit trail of a clinic: what was changed by whom, and who looked at what."""

import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from clinic_tracker.models.access import User
from clinic_tracker.models.audit import AccessEvent, AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.queries.scope import Scope

PAGE = 50


@dataclass(frozen=True, slots=True)
class TrailFilter:
    """What to show: all of it by default. Dates are local days of the clinic, both inclusive."""

    from_on: date | None = None
    to_on: date | None = None
    person: uuid.UUID | None = None
    patient: uuid.UUID | None = None
    action: str | None = None
    before_id: int | None = None


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One change."""

    id: int
    at: datetime
    actor: str
    action: str
    subject_type: str
    subject_id: int | None
    patient: uuid.UUID | None
    patient_id: int | None
    family_name: str | None
    given_name: str | None
    mrn: str | None
    reason: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    ip: str | None


@dataclass(frozen=True, slots=True)
class LookRow:
    """One look at a chart, or at a list of ``listed`` patients."""

    id: int
    at: datetime
    actor: str
    listed: int
    ip: str | None
    endpoint: str
    patient: uuid.UUID | None
    patient_id: int | None
    family_name: str | None
    given_name: str | None
    mrn: str | None


def changes(scope: Scope, wanted: TrailFilter, limit: int = PAGE) -> list[ChangeRow]:
    """The newest changes first, one more than ``limit`` where there are more."""
    statement: Any = (
        select(
            AuditEvent.id,
            AuditEvent.at,
            User.name,
            AuditEvent.system_actor,
            AuditEvent.action,
            AuditEvent.subject_type,
            AuditEvent.subject_id,
            Patient.public_id,
            AuditEvent.patient_id,
            Patient.family_name,
            Patient.given_name,
            Patient.mrn,
            AuditEvent.reason,
            AuditEvent.before,
            AuditEvent.after,
            AuditEvent.ip,
        )
        .outerjoin(User, User.id == AuditEvent.user_id)
        .outerjoin(Patient, Patient.id == AuditEvent.patient_id)
    )
    statement = _filtered(scope, statement, AuditEvent, wanted)
    if wanted.action is not None:
        statement = statement.where(AuditEvent.action.startswith(wanted.action, autoescape=True))
    rows: Any = db.session.execute(statement.order_by(AuditEvent.id.desc()).limit(limit + 1))
    return [ChangeRow(key, at, name or system or "", *rest) for key, at, name, system, *rest in rows]


def looks(scope: Scope, wanted: TrailFilter, limit: int = PAGE) -> list[LookRow]:
    """The newest looks first, one more than ``limit`` where there are more.

    A patient filter finds looks at the chart; lists that showed the patient among others are not searched.
    """
    statement: Any = (
        select(
            AccessEvent.id,
            AccessEvent.at,
            User.name,
            AccessEvent.system_actor,
            AccessEvent.endpoint,
            Patient.public_id,
            AccessEvent.patient_id,
            Patient.family_name,
            Patient.given_name,
            Patient.mrn,
            AccessEvent.patient_ids,
            AccessEvent.ip,
        )
        .outerjoin(User, User.id == AccessEvent.user_id)
        .outerjoin(Patient, Patient.id == AccessEvent.patient_id)
    )
    statement = _filtered(scope, statement, AccessEvent, wanted)
    if wanted.action is not None:
        statement = statement.where(AccessEvent.endpoint.startswith(wanted.action, autoescape=True))
    rows: Any = db.session.execute(statement.order_by(AccessEvent.id.desc()).limit(limit + 1))
    return [
        LookRow(key, at, name or system or "", len(listed or ()), ip, *rest)
        for key, at, name, system, *rest, listed, ip in rows
    ]


def _filtered(scope: Scope, statement: Any, table: Any, wanted: TrailFilter) -> Any:
    zone = ZoneInfo(scope.time_zone)
    statement = statement.where(table.clinic_id == scope.clinic_id)
    if wanted.from_on is not None:
        statement = statement.where(table.at >= _midnight(wanted.from_on, zone))
    if wanted.to_on is not None:
        statement = statement.where(table.at < _midnight(wanted.to_on + timedelta(days=1), zone))
    if wanted.person is not None:
        statement = statement.where(User.public_id == wanted.person)
    if wanted.patient is not None:
        statement = statement.where(Patient.public_id == wanted.patient, Patient.clinic_id == scope.clinic_id)
    if wanted.before_id is not None:
        statement = statement.where(table.id < wanted.before_id)
    return statement


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)

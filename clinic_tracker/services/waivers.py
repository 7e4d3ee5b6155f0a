"""A prescriber's exemption of a patient from one requirement for a span of due dates."""

import uuid
from datetime import date

from sqlalchemy import select

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.protocol import Protocol
from clinic_tracker.domain.schedule import Forecast
from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import Waiver
from clinic_tracker.models.patients import Patient
from clinic_tracker.queries.monitoring_case import load_case, own_prescriber
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.facts import check_reason, find_fact, withdraw
from clinic_tracker.services.unit_of_work import unit_of_work


def waive_requirement(
    scope: Scope, patient: uuid.UUID, *, requirement: str, from_on: date, to_on: date, reason: str | None
) -> uuid.UUID:
    """Exempt a patient from the due dates of one requirement inside a span, both days included.

    RuleViolation without a reason, for a span in which nothing falls due, and where an earlier waiver overlaps. The
    same waiver sent twice is recorded once.
    """
    scope.require(Permission.DECIDE_MONITORING)
    words = check_reason(scope, reason)
    if to_on < from_on:
        raise RuleViolation("waiver_order", "to_on", "The last day must not be before the first day.")
    with unit_of_work(scope) as work:
        person = work.lock_patient(patient)
        case = load_case(scope, person.id)
        title = _title(case.protocol, requirement)
        same = _overlapping(scope, person, requirement, from_on, to_on, title)
        if same is not None:
            return same
        if case.forecast.closed_on is not None:
            raise RuleViolation("closed", None, "Monitoring was signed off, so nothing is owed that could be waived.")
        _check_span(case.forecast, requirement, from_on, to_on, title)
        waiver = Waiver(
            clinic_id=scope.clinic_id,
            patient_id=person.id,
            requirement=requirement,
            from_on=from_on,
            to_on=to_on,
            reason=words,
            prescriber_id=own_prescriber(scope),
            recorded_by_id=scope.user_id,
            recorded_at=scope.now,
        )
        db.session.add(waiver)
        audit.record(scope, AuditAction.REQUIREMENT_WAIVED, waiver, reason=words)
    return waiver.public_id


def withdraw_waiver(scope: Scope, patient: uuid.UUID, waiver: uuid.UUID, reason: str | None) -> None:
    """End a waiver as entered in error: what it covered is owed again at once."""
    scope.require(Permission.DECIDE_MONITORING)
    with unit_of_work(scope) as work:
        person = work.lock_patient(patient)
        row = find_fact(scope, Waiver, person.id, waiver)
        before = audit.snapshot(row)
        withdraw(scope, row, reason)
        audit.record(scope, AuditAction.WAIVER_WITHDRAWN, row, before=before, reason=row.withdrawn_reason)


def _title(protocol: Protocol, requirement: str) -> str:
    known = {item.code: item.title for item in protocol.requirements}
    if requirement not in known:
        raise RuleViolation("unknown_requirement", "requirement", "Choose one of the requirements of the protocol.")
    return known[requirement]


def _overlapping(
    scope: Scope, person: Patient, requirement: str, from_on: date, to_on: date, title: str
) -> uuid.UUID | None:
    """The very same waiver, if it stands already. RuleViolation where another one overlaps."""
    rows = db.session.execute(
        select(Waiver.public_id, Waiver.from_on, Waiver.to_on).where(
            Waiver.clinic_id == scope.clinic_id,
            Waiver.patient_id == person.id,
            Waiver.requirement == requirement,
            Waiver.state == FactState.RECORDED.value,
            Waiver.from_on <= to_on,
            Waiver.to_on >= from_on,
        )
    ).all()
    for public_id, first, last in rows:
        if (first, last) == (from_on, to_on):
            return public_id
        span = f"{show_date(first)} to {show_date(last)}"
        message = f"{title} is already waived from {span}. Choose other days, or withdraw that waiver first."
        raise RuleViolation("waiver_overlap", "from_on", message)
    return None


def _check_span(answer: Forecast, requirement: str, from_on: date, to_on: date, title: str) -> None:
    """A waiver that covers no due date would change nothing and only look as if it did."""
    first, last = from_on.toordinal(), to_on.toordinal()
    due = [item for item in answer.obligations if item.requirement == requirement and item.done is None]
    if not any(first <= item.due <= last for item in due):
        upcoming = next((item.due for item in due if not item.waived), None)
        hint = f" The next one is due on {show_date(date.fromordinal(upcoming))}." if upcoming else ""
        raise RuleViolation("waiver_empty", "from_on", f"{title} does not fall due between these days.{hint}")

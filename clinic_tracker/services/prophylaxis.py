"""Antiviral (herpes) prophylaxis: started with each course, stopped when it may be (R-60, R-61)."""

import uuid
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.notes import Note, Verdict
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.prophylaxis import check_start, check_stop
from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.treatment import Deviation, Prophylaxis
from clinic_tracker.queries.baseline import course_start
from clinic_tracker.queries.prophylaxis import cd4_counts, prophylaxis_rule
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.deviations import Reasons, record_deviation, settle
from clinic_tracker.services.facts import (
    already_recorded,
    check_not_future,
    check_reason,
    check_unchanged,
    find_fact,
    retire,
    user_name,
    withdraw,
)
from clinic_tracker.services.infusion_rules import find_course_row
from clinic_tracker.services.unit_of_work import unit_of_work

CODES = frozenset({"not_on_first_day", "stopped_too_early"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ProphylaxisFacts:
    """What a person states about an antiviral. ``stopped_on`` is set by a correction only."""

    drug: str
    started_on: date
    dose: str | None = None
    course: uuid.UUID | None = None
    note: str | None = None
    stopped_on: date | None = None
    stop_reason: str | None = None


def start_prophylaxis(
    scope: Scope,
    patient: uuid.UUID,
    facts: ProphylaxisFacts,
    *,
    given: Reasons | None = None,
    form_token: str | None = None,
) -> uuid.UUID:
    """Record that an antiviral was started. RuleViolation for a date in the future or while another one runs;
    ReasonNeeded when it is not the first day of the course.
    """
    scope.require(Permission.RECORD_TREATMENT)
    with unit_of_work(scope) as work:
        owner = work.lock_patient(patient)
        if again := already_recorded(scope, Prophylaxis, form_token):
            return again.public_id
        row = _new(scope, owner, facts, form_token)
        _check_alone(scope, owner, row, None)
        notes = settle(scope, _verdict(scope, owner, row), given or Reasons())
        db.session.add(row)
        audit.record(scope, AuditAction.PROPHYLAXIS_STARTED, row)
        _record(scope, owner, row, notes, (given or Reasons()).words)
        return row.public_id


def stop_prophylaxis(
    scope: Scope,
    patient: uuid.UUID,
    prophylaxis: uuid.UUID,
    *,
    stopped_on: date,
    given: Reasons | None = None,
) -> None:
    """Record that an antiviral was stopped. Before the earliest permitted stop it takes a prescriber's reason (R-61).

    RuleViolation when it was stopped before (who and when), or for a date in the future or before the start.
    """
    scope.require(Permission.RECORD_TREATMENT)
    with unit_of_work(scope) as work:
        owner = work.lock_patient(patient)
        row = find_fact(scope, Prophylaxis, owner.id, prophylaxis)
        db.session.refresh(row)
        check_unchanged(scope, row)
        if row.stopped_on is not None:
            by = user_name(scope, row.stopped_by_id)
            message = f"This was already stopped on {show_date(row.stopped_on)}, recorded by {by}."
            raise RuleViolation("already_stopped", None, message)
        check_not_future(scope, stopped_on, "stopped_on", "The stop")
        verdict = _stop_verdict(scope, owner, row.started_on, stopped_on)
        notes = settle(scope, verdict, given or Reasons())
        before = audit.snapshot(row)
        row.stopped_on, row.stopped_by_id = stopped_on, scope.user_id
        row.stop_reason = (given or Reasons()).words or None
        audit.record(scope, AuditAction.PROPHYLAXIS_STOPPED, row, before=before)
        _record(scope, owner, row, notes, (given or Reasons()).words)


def correct_prophylaxis(
    scope: Scope,
    patient: uuid.UUID,
    prophylaxis: uuid.UUID,
    facts: ProphylaxisFacts,
    *,
    reason: str,
    given: Reasons | None = None,
) -> uuid.UUID:
    """Replace a prophylaxis by a corrected one. RuleViolation and ReasonNeeded as for starting and stopping."""
    scope.require(Permission.RECORD_TREATMENT)
    with unit_of_work(scope) as work:
        owner = work.lock_patient(patient)
        old = find_fact(scope, Prophylaxis, owner.id, prophylaxis)
        before = audit.snapshot(old)
        row = _new(scope, owner, facts, None)
        row.replaces_id = old.id
        if row.stopped_on is not None:
            check_not_future(scope, row.stopped_on, "stopped_on", "The stop")
            row.stopped_by_id = old.stopped_by_id or scope.user_id
        _check_alone(scope, owner, row, old.id)
        verdict = _verdict(scope, owner, row)
        on_record = {told.message: told for told in _deviations(scope, old)}
        fresh = Verdict(tuple(note for note in verdict.notes if note.message not in on_record))
        notes = settle(scope, fresh, given or Reasons())
        retire(scope, old, check_reason(scope, reason))
        db.session.add(row)
        audit.record(scope, AuditAction.PROPHYLAXIS_CORRECTED, row, before=before, reason=reason)
        _record(scope, owner, row, notes, (given or Reasons()).words)
        _end_deviations(scope, on_record, {note.message for note in verdict.deviations})
        return row.public_id


def withdraw_prophylaxis(scope: Scope, patient: uuid.UUID, prophylaxis: uuid.UUID, *, reason: str) -> None:
    """Mark a prophylaxis as entered in error."""
    scope.require(Permission.RECORD_TREATMENT)
    with unit_of_work(scope) as work:
        owner = work.lock_patient(patient)
        row = find_fact(scope, Prophylaxis, owner.id, prophylaxis)
        before = audit.snapshot(row)
        withdraw(scope, row, reason)
        _end_deviations(scope, {told.message: told for told in _deviations(scope, row)}, set())
        audit.record(scope, AuditAction.PROPHYLAXIS_WITHDRAWN, row, before=before, reason=reason)


def _new(scope: Scope, patient: Patient, facts: ProphylaxisFacts, form_token: str | None) -> Prophylaxis:
    check_not_future(scope, facts.started_on, "started_on", "The start")
    if facts.started_on < patient.birth_date:
        raise RuleViolation("before_birth", "started_on", "The start is before the birth date.")
    course = find_course_row(scope, patient, facts.course) if facts.course is not None else None
    return Prophylaxis(
        clinic_id=scope.clinic_id,
        patient_id=patient.id,
        course_id=course.id if course is not None else None,
        drug=facts.drug,
        dose=facts.dose,
        started_on=facts.started_on,
        stopped_on=facts.stopped_on,
        stop_reason=facts.stop_reason,
        note=facts.note,
        recorded_by_id=scope.user_id,
        recorded_at=scope.now,
        form_token=form_token,
    )


def _verdict(scope: Scope, patient: Patient, row: Prophylaxis) -> Verdict:
    first_on = course_start(scope, row.course_id) if row.course_id is not None else None
    verdict = check_start(row.started_on, first_on) if first_on is not None else Verdict()
    if row.stopped_on is not None:
        verdict += _stop_verdict(scope, patient, row.started_on, row.stopped_on)
    return verdict


def _stop_verdict(scope: Scope, patient: Patient, started_on: date, stopped_on: date) -> Verdict:
    rule = prophylaxis_rule(scope, patient.id, patient.protocol_id)
    return check_stop(stopped_on, started_on, rule, cd4_counts(scope, patient.id))


def _check_alone(scope: Scope, patient: Patient, row: Prophylaxis, excluding: int | None) -> None:
    """Two antivirals at the same time are a slip: stop the first."""
    other = db.session.execute(
        select(Prophylaxis)
        .where(
            Prophylaxis.clinic_id == scope.clinic_id,
            Prophylaxis.patient_id == patient.id,
            Prophylaxis.state == FactState.RECORDED.value,
            Prophylaxis.id != (excluding or 0),
            Prophylaxis.started_on <= (row.stopped_on or date.max),
            Prophylaxis.stopped_on.is_(None) | (Prophylaxis.stopped_on > row.started_on),
        )
        .limit(1)
    ).scalar_one_or_none()
    if other is not None:
        message = (
            f"{other.drug} is on record since {show_date(other.started_on)} for that time. Stop or correct it first."
        )
        raise RuleViolation("already_running", "started_on", message)


def _record(scope: Scope, patient: Patient, row: Prophylaxis, notes: tuple[Note, ...], reason: str) -> None:
    for note in notes:
        on = row.stopped_on if note.field == "stopped_on" and row.stopped_on else row.started_on
        record_deviation(scope, patient.id, note, reason, on, course_id=row.course_id)


def _deviations(scope: Scope, row: Prophylaxis) -> list[Deviation]:
    """The departures on record that this prophylaxis gave rise to."""
    days = [day for day in (row.started_on, row.stopped_on) if day is not None]
    of_course: Any = Deviation.course_id == row.course_id if row.course_id else Deviation.course_id.is_(None)
    return list(
        db.session.execute(
            select(Deviation).where(
                Deviation.clinic_id == scope.clinic_id,
                Deviation.patient_id == row.patient_id,
                of_course,
                Deviation.code.in_(sorted(CODES)),
                Deviation.occurred_on.in_(days),
                Deviation.withdrawn_at.is_(None),
            )
        ).scalars()
    )


def _end_deviations(scope: Scope, on_record: dict[str, Deviation], still: set[str]) -> None:
    for message, row in on_record.items():
        if message not in still:
            before = audit.snapshot(row)
            row.withdrawn_at = scope.now
            audit.record(scope, AuditAction.DEVIATION_WITHDRAWN, row, before=before)

"""Enroll a patient, correct the enrollment, and end it. Ending it never ends the monitoring (R-85)."""

import uuid
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from clinic_tracker.domain.eligibility import EnrollmentDates, check_enrollment
from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.notes import Note
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Enrollment, Patient
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit, facts
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.deviations import Reasons, record_deviation, settle
from clinic_tracker.services.patients import prescriber_key, set_rems_patient_id
from clinic_tracker.services.unit_of_work import unit_of_work


@dataclass(frozen=True, slots=True)
class EnrollmentDetails:
    """What the enrollment form says (R-11, R-12). ``ended_on`` only for correcting an enrollment that has ended."""

    prescriber: uuid.UUID
    enrolled_on: date
    counseled_on: date | None = None
    guide_given_on: date | None = None
    card_given_on: date | None = None
    patient_signed_on: date | None = None
    prescriber_signed_on: date | None = None
    copy_given: bool = False
    rems_reference: str | None = None
    rems_patient_id: str | None = None
    ended_on: date | None = None
    end_reason: str | None = None


def enroll_patient(
    scope: Scope,
    patient: uuid.UUID,
    details: EnrollmentDetails,
    *,
    reason: str | None = None,
    form_token: str | None = None,
) -> uuid.UUID:
    """Record an enrollment; its prescriber becomes the patient's. The public id, also when sent twice.

    RuleViolation when the patient is enrolled already, for dates that cannot be, and for what needs a ``reason``.
    """
    scope.require(Permission.MANAGE_PATIENTS)
    with unit_of_work(scope) as work:
        row = work.lock_patient(patient)
        before = facts.already_recorded(scope, Enrollment, form_token)
        if before is not None:
            return before.public_id
        _refuse_second(scope, row, details, None)
        notes = _check(scope, row, details, reason)
        enrollment = _new(scope, row, details, row.prescriber_id, form_token)
        db.session.add(enrollment)
        _take_over(scope, row, enrollment, details)
        audit.record(scope, AuditAction.PATIENT_ENROLLED, enrollment, reason=reason)
        _keep_deviations(scope, row, notes, reason, details.enrolled_on)
    return enrollment.public_id


def correct_enrollment(
    scope: Scope, patient: uuid.UUID, enrollment: uuid.UUID, details: EnrollmentDetails, *, reason: str
) -> uuid.UUID:
    """Replace an enrollment by a corrected one; the old one stays, struck through. The public id of the new one."""
    scope.require(Permission.MANAGE_PATIENTS)
    with unit_of_work(scope) as work:
        row = work.lock_patient(patient)
        old = facts.find_fact(scope, Enrollment, row.id, enrollment)
        facts.check_unchanged(scope, old)
        _refuse_second(scope, row, details, old.id)
        notes = _check(scope, row, details, reason)
        before = audit.snapshot(old)
        new = facts.supersede(scope, old, _new(scope, row, details, old.prescriber_id), reason)
        _take_over(scope, row, new, details)
        audit.record(scope, AuditAction.ENROLLMENT_CORRECTED, new, before=before, reason=reason)
        _keep_deviations(scope, row, notes, reason, details.enrolled_on)
    return new.public_id


def withdraw_enrollment(scope: Scope, patient: uuid.UUID, enrollment: uuid.UUID, *, reason: str) -> None:
    """Mark an enrollment as entered in error; it stays, struck through."""
    scope.require(Permission.MANAGE_PATIENTS)
    with unit_of_work(scope) as work:
        row = work.lock_patient(patient)
        old = facts.find_fact(scope, Enrollment, row.id, enrollment)
        before = audit.snapshot(old)
        facts.withdraw(scope, old, reason)
        audit.record(scope, AuditAction.ENROLLMENT_WITHDRAWN, old, before=before, reason=reason)


def end_enrollment(scope: Scope, patient: uuid.UUID, enrollment: uuid.UUID, *, ended_on: date, reason: str) -> None:
    """End an enrollment, for a transfer or any other reason. The monitoring goes on until a neurologist closes it."""
    scope.require(Permission.MANAGE_PATIENTS)
    with unit_of_work(scope) as work:
        row = work.lock_patient(patient)
        old = facts.find_fact(scope, Enrollment, row.id, enrollment)
        facts.check_unchanged(scope, old)
        if old.ended_on is not None:
            raise RuleViolation("already_ended", None, f"This enrollment ended on {show_date(old.ended_on)} already.")
        _check_end(scope, old.enrolled_on, ended_on)
        before = audit.snapshot(old)
        old.ended_on = ended_on
        old.end_reason = facts.check_reason(scope, reason)
        audit.record(scope, AuditAction.ENROLLMENT_ENDED, old, before=before, reason=old.end_reason)


def _new(
    scope: Scope, row: Patient, details: EnrollmentDetails, present: int | None, form_token: str | None = None
) -> Enrollment:
    """The row to add. An inactive prescriber is refused, unless it is the present one."""
    key = prescriber_key(scope, details.prescriber, present)
    assert key is not None
    ended = details.ended_on is not None
    return Enrollment(
        clinic_id=scope.clinic_id,
        patient_id=row.id,
        prescriber_id=key,
        enrolled_on=details.enrolled_on,
        counseled_on=details.counseled_on,
        guide_given_on=details.guide_given_on,
        card_given_on=details.card_given_on,
        patient_signed_on=details.patient_signed_on,
        prescriber_signed_on=details.prescriber_signed_on,
        copy_given=details.copy_given,
        rems_reference=details.rems_reference,
        ended_on=details.ended_on,
        end_reason=facts.check_reason(scope, details.end_reason, "end_reason") if ended else None,
        recorded_by_id=scope.user_id,
        recorded_at=scope.now,
        form_token=form_token,
    )


def _check(scope: Scope, row: Patient, details: EnrollmentDetails, reason: str | None) -> tuple[Note, ...]:
    """The deviations that the reason accounts for; RuleViolation for anything else that is wrong."""
    dates = EnrollmentDates(
        counseled_on=details.counseled_on,
        guide_given_on=details.guide_given_on,
        card_given_on=details.card_given_on,
        patient_signed_on=details.patient_signed_on,
        prescriber_signed_on=details.prescriber_signed_on,
        enrolled_on=details.enrolled_on,
        copy_given=details.copy_given,
    )
    notes = settle(scope, check_enrollment(dates, scope.today, row.birth_date), Reasons(reason))
    if details.ended_on is not None:
        _check_end(scope, details.enrolled_on, details.ended_on)
    return notes


def _check_end(scope: Scope, enrolled_on: date, ended_on: date) -> None:
    facts.check_not_future(scope, ended_on, "ended_on", "The end of the enrollment")
    if ended_on < enrolled_on:
        message = f"The end must not be before the enrollment, {show_date(enrolled_on)}."
        raise RuleViolation("ends_before_start", "ended_on", message)


def _refuse_second(scope: Scope, row: Patient, details: EnrollmentDetails, replaced: int | None) -> None:
    """RuleViolation when the patient is enrolled at the same time by another entry."""
    others = db.session.execute(
        select(Enrollment.enrolled_on, Enrollment.ended_on).where(
            Enrollment.patient_id == row.id,
            Enrollment.clinic_id == scope.clinic_id,
            Enrollment.state == FactState.RECORDED.value,
            Enrollment.id != (replaced if replaced is not None else -1),
        )
    )
    for enrolled_on, ended_on in others:
        starts_later = details.ended_on is not None and details.ended_on <= enrolled_on
        if starts_later or (ended_on is not None and ended_on <= details.enrolled_on):
            continue
        span = (
            f"from {show_date(enrolled_on)} to {show_date(ended_on)}" if ended_on else f"since {show_date(enrolled_on)}"
        )
        message = f"The patient is enrolled {span} already. Correct or end that enrollment instead."
        raise RuleViolation("already_enrolled", "enrolled_on", message)


def _take_over(scope: Scope, row: Patient, enrollment: Enrollment, details: EnrollmentDetails) -> None:
    """A current enrollment names the patient's prescriber, and its form may bring the REMS id."""
    before = audit.snapshot(row)
    if enrollment.ended_on is None:
        row.prescriber_id = enrollment.prescriber_id
    set_rems_patient_id(scope, row, details.rems_patient_id)
    if audit.snapshot(row) != before:
        audit.record(scope, AuditAction.PATIENT_EDITED, row, patient_id=row.id, before=before)


def _keep_deviations(
    scope: Scope, row: Patient, notes: tuple[Note, ...], reason: str | None, occurred_on: date
) -> None:
    for note in notes:
        record_deviation(scope, row.id, note, (reason or "").strip(), occurred_on)

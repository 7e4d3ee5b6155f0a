"""Contacts after a course, about stroke and late reactions (R-50, R-51)."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from clinic_tracker.domain.errors import NotFound, RuleViolation
from clinic_tracker.domain.follow_up import SYMPTOM_CODES
from clinic_tracker.domain.local_time import local_date, show_date, show_time
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import FactState, OutreachChannel
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.treatment import CourseFollowUp, Infusion, TreatmentCourse
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.facts import already_recorded, find_fact, supersede, withdraw
from clinic_tracker.services.unit_of_work import unit_of_work


@dataclass(frozen=True, slots=True)
class CallMade:
    """What came of a contact: whether the patient was reached, what was told and what was advised."""

    contacted_at: datetime
    channel: OutreachChannel
    reached: bool
    symptoms: Sequence[str] = ()
    advice: str | None = None
    note: str | None = None


def record_call(
    scope: Scope, patient: uuid.UUID, course: uuid.UUID, call: CallMade, *, form_token: str | None = None
) -> uuid.UUID:
    """Write down a contact after a course; its public id. The same form sent twice records once.

    RuleViolation for a contact in the future or before the end of the last infusion given, for symptoms of somebody who
    was not reached, for an unknown symptom, and for symptoms without what was advised.
    """
    scope.require(Permission.CONTACT_PATIENTS)
    with unit_of_work(scope) as work:
        row = work.lock_patient(patient)
        if done := already_recorded(scope, CourseFollowUp, form_token):
            return done.public_id
        new = _new(scope, row, _course(scope, row, course), call, form_token)
        db.session.add(new)
        audit.record(scope, AuditAction.FOLLOW_UP_RECORDED, new)
    return new.public_id


def correct_call(
    scope: Scope,
    patient: uuid.UUID,
    contact: uuid.UUID,
    call: CallMade,
    *,
    reason: str | None,
    form_token: str | None = None,
) -> uuid.UUID:
    """Replace a contact by a corrected one, with a reason; the replacement's public id."""
    scope.require(Permission.CONTACT_PATIENTS)
    with unit_of_work(scope) as work:
        row = work.lock_patient(patient)
        if done := already_recorded(scope, CourseFollowUp, form_token):
            return done.public_id
        old = find_fact(scope, CourseFollowUp, row.id, contact)
        before = audit.snapshot(old)
        new = supersede(scope, old, _new(scope, row, old.course_id, call, form_token), reason)
        audit.record(scope, AuditAction.FOLLOW_UP_CORRECTED, new, before=before, reason=reason)
    return new.public_id


def withdraw_call(scope: Scope, patient: uuid.UUID, contact: uuid.UUID, *, reason: str | None) -> None:
    """Mark a contact as entered in error: the call that it was is owed again."""
    scope.require(Permission.CONTACT_PATIENTS)
    with unit_of_work(scope) as work:
        row = work.lock_patient(patient)
        old = find_fact(scope, CourseFollowUp, row.id, contact)
        before = audit.snapshot(old)
        withdraw(scope, old, reason)
        audit.record(scope, AuditAction.FOLLOW_UP_WITHDRAWN, old, before=before, reason=reason)


def _new(scope: Scope, patient: Patient, course_id: int, call: CallMade, form_token: str | None) -> CourseFollowUp:
    _check(scope, course_id, call)
    return CourseFollowUp(
        clinic_id=scope.clinic_id,
        patient_id=patient.id,
        course_id=course_id,
        contacted_at=call.contacted_at,
        channel=call.channel.value,
        reached=call.reached,
        symptoms=list(call.symptoms),
        advice=call.advice,
        note=call.note,
        recorded_by_id=scope.user_id,
        recorded_at=scope.now,
        form_token=form_token,
    )


def _course(scope: Scope, patient: Patient, course: uuid.UUID) -> int:
    found = db.session.execute(
        select(TreatmentCourse.id).where(
            TreatmentCourse.public_id == course,
            TreatmentCourse.clinic_id == scope.clinic_id,
            TreatmentCourse.patient_id == patient.id,
        )
    ).scalar_one_or_none()
    if found is None:
        raise NotFound("course")
    return found


def _check(scope: Scope, course_id: int, call: CallMade) -> None:
    if call.contacted_at > scope.now:
        raise RuleViolation("future_contact", "contacted_at", "The contact is in the future.")
    ended: datetime | None = db.session.execute(
        select(func.max(func.coalesce(Infusion.ended_at, Infusion.started_at), type_=Infusion.started_at.type)).where(
            Infusion.clinic_id == scope.clinic_id,
            Infusion.course_id == course_id,
            Infusion.state == FactState.RECORDED.value,
        )
    ).scalar_one()
    if ended is None:
        raise RuleViolation("course_not_given", None, "This course has no infusion yet: there is nothing to ask about.")
    if call.contacted_at < ended:
        day, at = show_date(local_date(ended, scope.time_zone)), show_time(ended, scope.time_zone)
        message = f"The last infusion ended on {day} at {at}. A contact before that is not about this course."
        raise RuleViolation("before_course_end", "contacted_at", message)
    if call.symptoms and not call.reached:
        raise RuleViolation("not_reached", "symptoms", "Symptoms can only be told by a patient who was reached.")
    if unknown := [code for code in call.symptoms if code not in SYMPTOM_CODES]:
        raise RuleViolation("unknown_symptom", "symptoms", f"There is no symptom {unknown[0]}.")
    if call.symptoms and not (call.advice or "").strip():
        raise RuleViolation("advice_required", "advice", "Say what was advised because of the symptoms.")

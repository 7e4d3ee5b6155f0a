"""REMS forms that were sent: the submission is the evidence."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import func, select

from clinic_tracker.domain.course_forms.status_answers import check_answers
from clinic_tracker.domain.errors import NotFound, RuleViolation
from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import FactState, FormKind, FormMethod
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import FormSubmission
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.treatment import Infusion, InfusionReaction, TreatmentCourse
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.facts import already_recorded, check_not_future, find_fact, supersede, withdraw
from clinic_tracker.services.unit_of_work import unit_of_work

#: Forms that belong to one course. The checklist without its course would be evidence for nothing.
COURSE_FORMS = frozenset(
    {FormKind.INFUSION_CHECKLIST, FormKind.PATIENT_AUTHORIZATION_FORM, FormKind.PRESCRIPTION_ORDERING_FORM}
)


@dataclass(frozen=True, slots=True)
class Submission:
    """A form as it was sent. ``course`` is the number of the course, for the forms of a course.

    ``reaction`` is the reaction that the report of an adverse event is about.
    """

    kind: FormKind
    submitted_on: date
    method: FormMethod | None = None
    completed_on: date | None = None
    course: int | None = None
    confirmation: str | None = None
    signed_by: str | None = None
    note: str | None = None
    answers: Mapping[str, Any] = field(default_factory=dict)
    reaction: uuid.UUID | None = None


def submit_form(
    scope: Scope, patient: uuid.UUID, submission: Submission, *, form_token: str | None = None
) -> uuid.UUID:
    """Record that a form was sent to the REMS; the submission's public id. The same form sent twice records once.

    RuleViolation for a date in the future or before birth, completion after sending, a form of a course without its
    course, a checklist sent before the last infusion given in its course (R-52), and answers of a status form that
    contradict each other. NotFound for a course or reaction that is not this patient's.
    """
    scope.require(Permission.SUBMIT_FORMS)
    with unit_of_work(scope) as work:
        row = work.lock_patient(patient)
        if sent := already_recorded(scope, FormSubmission, form_token):
            return sent.public_id
        new = _new(scope, row, submission, form_token)
        db.session.add(new)
        audit.record(scope, AuditAction.FORM_SUBMITTED, new)
    return new.public_id


def correct_form(
    scope: Scope,
    patient: uuid.UUID,
    form: uuid.UUID,
    submission: Submission,
    *,
    reason: str | None,
    form_token: str | None = None,
) -> uuid.UUID:
    """Replace a submission by a corrected one, of the same kind, with a reason; the replacement's public id.

    RuleViolation ``already_changed``, saying by whom, when somebody was faster.
    """
    scope.require(Permission.SUBMIT_FORMS)
    with unit_of_work(scope) as work:
        row = work.lock_patient(patient)
        if sent := already_recorded(scope, FormSubmission, form_token):
            return sent.public_id
        old = find_fact(scope, FormSubmission, row.id, form)
        if old.kind != submission.kind.value:
            raise RuleViolation("other_kind", None, "A correction is of the same form. Withdraw this one instead.")
        before = audit.snapshot(old)
        new = supersede(scope, old, _new(scope, row, submission, form_token), reason)
        audit.record(scope, AuditAction.FORM_CORRECTED, new, before=before, reason=reason)
    return new.public_id


def withdraw_form(scope: Scope, patient: uuid.UUID, form: uuid.UUID, *, reason: str | None) -> None:
    """Mark a submission as entered in error: what it did is owed again."""
    scope.require(Permission.SUBMIT_FORMS)
    with unit_of_work(scope) as work:
        row = work.lock_patient(patient)
        old = find_fact(scope, FormSubmission, row.id, form)
        before = audit.snapshot(old)
        withdraw(scope, old, reason)
        audit.record(scope, AuditAction.FORM_WITHDRAWN, old, before=before, reason=reason)


def _new(scope: Scope, patient: Patient, submission: Submission, form_token: str | None) -> FormSubmission:
    _check_dates(scope, patient, submission)
    if submission.kind is FormKind.PATIENT_STATUS_FORM:
        check_answers(submission.answers)
    course = _course(scope, patient, submission)
    return FormSubmission(
        clinic_id=scope.clinic_id,
        patient_id=patient.id,
        course_id=course,
        reaction_id=_reaction(scope, patient, submission),
        kind=submission.kind.value,
        completed_on=submission.completed_on,
        submitted_on=submission.submitted_on,
        method=submission.method.value if submission.method else None,
        confirmation=submission.confirmation,
        signed_by=submission.signed_by,
        answers=dict(submission.answers),
        note=submission.note,
        recorded_by_id=scope.user_id,
        recorded_at=scope.now,
        form_token=form_token,
    )


def _check_dates(scope: Scope, patient: Patient, submission: Submission) -> None:
    check_not_future(scope, submission.submitted_on, "submitted_on", "The date of sending")
    if submission.submitted_on < patient.birth_date:
        raise RuleViolation("before_birth", "submitted_on", "The date of sending is before the patient was born.")
    completed = submission.completed_on
    if completed is None:
        return
    if completed > submission.submitted_on:
        message = f"The form was sent on {show_date(submission.submitted_on)}: it cannot be completed after that."
        raise RuleViolation("completed_after_sent", "completed_on", message)
    if completed < patient.birth_date:
        raise RuleViolation("before_birth", "completed_on", "The date of completion is before the patient was born.")


def _course(scope: Scope, patient: Patient, submission: Submission) -> int | None:
    """The key of the course that the form is about, None for forms of the patient."""
    if submission.kind not in COURSE_FORMS:
        return None
    if submission.course is None:
        raise RuleViolation("course_required", "course", "Choose the course that the form is about.")
    course = db.session.execute(
        select(TreatmentCourse.id).where(
            TreatmentCourse.clinic_id == scope.clinic_id,
            TreatmentCourse.patient_id == patient.id,
            TreatmentCourse.number == submission.course,
        )
    ).scalar_one_or_none()
    if course is None:
        raise NotFound("course")
    if submission.kind is FormKind.INFUSION_CHECKLIST:
        _check_after_last_infusion(scope, course, submission)
    return course


def _reaction(scope: Scope, patient: Patient, submission: Submission) -> int | None:
    """The key of the reaction that is reported: one that stands, of an infusion that stands."""
    if submission.reaction is None:
        return None
    if submission.kind is not FormKind.ADVERSE_EVENT_FORM:
        raise RuleViolation("no_report", "reaction", "Only the report of an adverse event is about a reaction.")
    row = db.session.execute(
        select(InfusionReaction.id, InfusionReaction.withdrawn_at)
        .join(Infusion, Infusion.id == InfusionReaction.infusion_id)
        .where(
            InfusionReaction.clinic_id == scope.clinic_id,
            InfusionReaction.public_id == submission.reaction,
            Infusion.patient_id == patient.id,
        )
    ).one_or_none()
    if row is None:
        raise NotFound("reaction")
    if row[1] is not None:
        raise RuleViolation("reaction_withdrawn", "reaction", "This reaction was withdrawn: there is none to report.")
    return int(row[0])


def _check_after_last_infusion(scope: Scope, course: int, submission: Submission) -> None:
    """The checklist reports a course that was given: it is sent on or after the day of its last infusion (R-52)."""
    last: date | None = db.session.execute(
        select(func.max(Infusion.infused_on)).where(
            Infusion.clinic_id == scope.clinic_id,
            Infusion.course_id == course,
            Infusion.state == FactState.RECORDED.value,
        )
    ).scalar_one()
    if last is None:
        message = f"Course {submission.course} has no infusion yet: there is nothing to report."
        raise RuleViolation("course_not_given", "course", message)
    if submission.submitted_on < last:
        message = (
            f"The last infusion of course {submission.course} was on {show_date(last)}. A checklist sent on "
            f"{show_date(submission.submitted_on)} cannot report it, so it would not count. Check both dates."
        )
        raise RuleViolation("before_last_infusion", "submitted_on", message)

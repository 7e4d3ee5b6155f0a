"""Authorization of a course by the neurologist (R-14), its verification by the facility (R-16), its withdrawal."""

import uuid
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from clinic_tracker.domain.baseline import Baseline, BaselineItem, BaselineState, Weight
from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.notes import Note, Verdict, deviation, refuse
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.readiness import BASELINE_PREFIX, Span
from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.access import Prescriber
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.treatment import Authorization, TreatmentCourse
from clinic_tracker.queries.baseline import baseline_settings, course_baseline, enrolled_on, start_to_authorize
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.treatment import regimen_of
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.deviations import Reasons, record_deviation, settle
from clinic_tracker.services.facts import (
    already_recorded,
    check_not_future,
    check_unchanged,
    find_fact,
    supersede,
    withdraw,
)
from clinic_tracker.services.infusion_rules import find_course_row
from clinic_tracker.services.unit_of_work import unit_of_work

REPLACED = "Authorized anew"


def authorize_course(
    scope: Scope,
    patient: uuid.UUID,
    course: uuid.UUID,
    *,
    prescriber: uuid.UUID,
    authorized_on: date,
    override_reason: str | None = None,
    rems_reference: str | None = None,
    note: str | None = None,
    form_token: str | None = None,
) -> uuid.UUID:
    """Authorize a course on the baseline set as it stands; an earlier authorization is replaced.

    It expires with the earliest item of the set to lapse, at the latest with the window. RuleViolation without a
    planned start, an enrollment, or against a contraindication; ReasonNeeded while something is missing, which is then
    a deviation.
    """
    scope.require(Permission.AUTHORIZE_COURSES)
    given = Reasons(override_reason)
    with unit_of_work(scope) as work:
        owner = work.lock_patient(patient)
        if again := already_recorded(scope, Authorization, form_token):
            return again.public_id
        row = find_course_row(scope, owner, course)
        check_not_future(scope, authorized_on, "authorized_on", "The authorization")
        start_on = _start_of(scope, owner, row, authorized_on)
        signer = _prescriber(scope, prescriber)
        baseline = course_baseline(scope, owner.id, owner.protocol_id, row.number, start_on)
        notes = settle(scope, _verdict(scope, owner, start_on, authorized_on, signer, baseline), given)
        authorization = _new(scope, owner, row, baseline)
        authorization.prescriber_id, authorization.authorized_on = signer.id, authorized_on
        authorization.expires_on = _expiry(scope, owner, authorized_on, baseline)
        authorization.override_reason, authorization.note = given.words or None, note
        authorization.rems_reference, authorization.form_token = rems_reference, form_token
        _store(scope, row, authorization)
        for one in notes:
            record_deviation(scope, owner.id, one, given.words, authorized_on, course_id=row.id)
        return authorization.public_id


def verify_authorization(
    scope: Scope, patient: uuid.UUID, authorization: uuid.UUID, *, verified_on: date, method: str
) -> None:
    """Record that the facility verified the authorization with the REMS before the first infusion (R-16).

    RuleViolation when it was verified before, or for a date in the future or before the authorization.
    """
    scope.require(Permission.RECORD_TREATMENT)
    with unit_of_work(scope) as work:
        owner = work.lock_patient(patient)
        row = find_fact(scope, Authorization, owner.id, authorization)
        check_unchanged(scope, row)
        if row.verified_on is not None:
            message = f"The authorization was verified already, on {show_date(row.verified_on)}."
            raise RuleViolation("already_verified", None, message)
        check_not_future(scope, verified_on, "verified_on", "The verification")
        if verified_on < row.authorized_on:
            message = f"The authorization is of {show_date(row.authorized_on)}: it cannot be verified before."
            raise RuleViolation("before_authorization", "verified_on", message)
        before = audit.snapshot(row)
        row.verified_on, row.verified_method, row.verified_by_id = verified_on, method, scope.user_id
        audit.record(scope, AuditAction.AUTHORIZATION_VERIFIED, row, before=before)


def withdraw_authorization(scope: Scope, patient: uuid.UUID, authorization: uuid.UUID, *, reason: str) -> None:
    """Take an authorization back; the course may not start on it any more."""
    scope.require(Permission.AUTHORIZE_COURSES)
    with unit_of_work(scope) as work:
        owner = work.lock_patient(patient)
        row = find_fact(scope, Authorization, owner.id, authorization)
        before = audit.snapshot(row)
        withdraw(scope, row, reason)
        audit.record(scope, AuditAction.AUTHORIZATION_WITHDRAWN, row, before=before, reason=reason)


def _new(scope: Scope, patient: Patient, course: TreatmentCourse, baseline: Baseline) -> Authorization:
    """A row with the set as it stands, not added yet."""
    return Authorization(
        clinic_id=scope.clinic_id,
        patient_id=patient.id,
        course_id=course.id,
        planned_start_on=baseline.start_on,
        baseline=kept_items(scope, baseline),
        recorded_by_id=scope.user_id,
        recorded_at=scope.now,
    )


def _start_of(scope: Scope, patient: Patient, course: TreatmentCourse, authorized_on: date) -> date:
    resume_days = regimen_of(scope, patient.protocol_id).resume_same_course_days
    start_on = start_to_authorize(scope, course.id, resume_days, authorized_on)
    if start_on is None:
        raise RuleViolation("no_planned_start", None, "Plan the start of the course before it is authorized.")
    if course.discontinued_on is not None:
        raise RuleViolation("course_discontinued", None, "The course was discontinued: reopen it first.")
    return start_on


def _prescriber(scope: Scope, prescriber: uuid.UUID) -> Prescriber:
    row = db.session.execute(
        select(Prescriber).where(Prescriber.public_id == prescriber, Prescriber.clinic_id == scope.clinic_id)
    ).scalar_one_or_none()
    if row is None or not row.is_active:
        raise RuleViolation("unknown_prescriber", "prescriber", "Choose a prescriber of this clinic.")
    return row


def _verdict(
    scope: Scope, patient: Patient, start_on: date, authorized_on: date, signer: Prescriber, baseline: Baseline
) -> Verdict:
    notes = [_item_note(item) for item in baseline.unmet if item.weight is Weight.BLOCK]
    enrolled = enrolled_on(scope, patient.id, start_on)
    if enrolled is None:
        message = "The patient is not enrolled in the REMS: enroll before the course is authorized."
        notes.append(refuse("not_enrolled", None, message, "R-11"))
    if not Span(signer.certified_on, signer.certification_ends_on).covers(authorized_on):
        message = f"The prescriber is not certified in the REMS on {show_date(authorized_on)}."
        notes.append(deviation("prescriber_not_certified", "prescriber", message, "R-01"))
    window = timedelta(days=baseline_settings(scope, patient.protocol_id).baseline_window_days)
    if not start_on - window <= authorized_on <= start_on:
        message = (
            f"The authorization counts from {show_date(start_on - window)} to {show_date(start_on)}, "
            "the window before the first day of the course."
        )
        notes.append(deviation("authorization_expired", "authorized_on", message, "R-14"))
    return Verdict(tuple(notes))


def _item_note(item: BaselineItem) -> Note:
    """A contraindication (R-18) and a vaccine too close (R-28) are never authorized; the rest needs a reason."""
    make = refuse if item.state in {BaselineState.CONTRAINDICATED, BaselineState.TOO_SOON} else deviation
    return make(BASELINE_PREFIX + item.code, None, f"{item.title}: {item.words}", item.requirement)


def _expiry(scope: Scope, patient: Patient, authorized_on: date, baseline: Baseline) -> date:
    """The earliest lapse: of the window that the authorization opens, or of the set it rests on."""
    window = timedelta(days=baseline_settings(scope, patient.protocol_id).baseline_window_days)
    holds = baseline.holds_until
    end = authorized_on + window
    return min(end, holds) if holds is not None and holds >= authorized_on else end


def kept_items(_scope: Scope, baseline: Baseline) -> list[dict[str, Any]]:
    """The baseline set as it stands, to be kept with an authorization."""
    return [_kept(item) for item in baseline.items]


def _kept(item: BaselineItem) -> dict[str, Any]:
    return {
        "code": item.code,
        "title": item.title,
        "state": item.state.value,
        "collected_on": item.collected_on.isoformat() if item.collected_on else None,
        "expires_on": item.expires_on.isoformat() if item.expires_on else None,
        "words": item.words,
    }


def _store(scope: Scope, course: TreatmentCourse, row: Authorization) -> None:
    current = db.session.execute(
        select(Authorization).where(
            Authorization.course_id == course.id,
            Authorization.clinic_id == scope.clinic_id,
            Authorization.state == FactState.RECORDED.value,
        )
    ).scalar_one_or_none()
    if current is None:
        db.session.add(row)
        audit.record(scope, AuditAction.COURSE_AUTHORIZED, row)
    else:
        before = audit.snapshot(current)
        supersede(scope, current, row, REPLACED)
        audit.record(scope, AuditAction.COURSE_AUTHORIZED, row, before=before, reason=REPLACED)

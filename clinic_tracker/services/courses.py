"""Treatment courses: planned, moved, discontinued early, reopened."""

import uuid
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from sqlalchemy import case, func, select

from clinic_tracker.domain.dosing import planned_days
from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.notes import deviation
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.access import Prescriber, User
from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.treatment import Infusion, TreatmentCourse
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.suite import IMPORTED
from clinic_tracker.queries.treatment import regimen_of
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.course_start import START_FIELD, account_for_start, plan_deviations
from clinic_tracker.services.deviations import Reasons, record_deviation
from clinic_tracker.services.facts import already_recorded, check_not_future, check_reason, when
from clinic_tracker.services.infusion_rules import find_course_row
from clinic_tracker.services.unit_of_work import check_version, unit_of_work

FURTHEST_PLAN = timedelta(days=2 * 366)
INCOMPLETE = "course_incomplete"


@dataclass(frozen=True, slots=True, kw_only=True)
class CoursePlan:
    """What is planned: when the course starts, who prescribes it."""

    planned_start_on: date | None
    prescriber: uuid.UUID | None
    note: str | None = None


class Given(NamedTuple):
    """What was given of a course so far."""

    days: int
    last_on: date | None
    running: int


def plan_course(
    scope: Scope,
    patient: uuid.UUID,
    plan: CoursePlan,
    *,
    given: Reasons | None = None,
    form_token: str | None = None,
) -> uuid.UUID:
    """Plan the next course of a patient; its number follows.

    RuleViolation while another course is still to be given; ReasonNeeded for a start that departs from the label
    (12 months between courses, age, varicella vaccine: R-17, R-28, R-41, R-42).
    """
    scope.require(Permission.RECORD_TREATMENT)
    with unit_of_work(scope) as work:
        owner = work.lock_patient(patient)
        if again := already_recorded(scope, TreatmentCourse, form_token):
            return again.public_id
        number = _next_number(scope, owner)
        course = TreatmentCourse(
            clinic_id=scope.clinic_id,
            patient_id=owner.id,
            number=number,
            planned_days=planned_days(number, regimen_of(scope, owner.protocol_id)),
            planned_by_id=scope.user_id,
            planned_at=scope.now,
            form_token=form_token,
        )
        _apply(scope, owner, course, plan)
        db.session.add(course)
        audit.record(scope, AuditAction.COURSE_PLANNED, course)
        account_for_start(scope, owner, course, given or Reasons())
        return course.public_id


def edit_course(
    scope: Scope,
    patient: uuid.UUID,
    course: uuid.UUID,
    plan: CoursePlan,
    *,
    version: int | None,
    given: Reasons | None = None,
) -> None:
    """Move or reassign a course. StaleVersion when somebody else changed it after the form was opened.

    The start of a course that has begun is what was given, and cannot be moved here.
    """
    scope.require(Permission.RECORD_TREATMENT)
    with unit_of_work(scope) as work:
        owner = work.lock_patient(patient)
        row = find_course_row(scope, owner, course)
        _check_version(scope, row, version)
        if given_of(scope, row).days and plan.planned_start_on != row.planned_start_on:
            raise RuleViolation("course_begun", START_FIELD, "The course has begun: its start is the first infusion.")
        before = audit.snapshot(row)
        _apply(scope, owner, row, plan)
        audit.record(scope, AuditAction.COURSE_EDITED, row, before=before)
        account_for_start(scope, owner, row, given or Reasons())


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyEnd:
    """Why a course ended before all its days were given, and what became of the vials not used (R-53)."""

    on: date
    reason: str
    unused_vials: int | None = None
    vials_disposition: str | None = None


def discontinue_course(
    scope: Scope,
    patient: uuid.UUID,
    course: uuid.UUID,
    *,
    discontinued_on: date,
    reason: str,
    unused_vials: int | None,
    vials_disposition: str | None = None,
    version: int | None = None,
) -> None:
    """End a course before all its days were given, with the vials that were not used (R-53).

    Monitoring, prophylaxis and the checklist count from the last infusion given (decision 15). RuleViolation when all
    days were given, an infusion is running, or the date does not fit.
    """
    scope.require(Permission.RECORD_TREATMENT)
    with unit_of_work(scope) as work:
        owner = work.lock_patient(patient)
        row = find_course_row(scope, owner, course)
        _check_version(scope, row, version)
        end = EarlyEnd(
            on=discontinued_on, reason=reason, unused_vials=unused_vials, vials_disposition=vials_disposition
        )
        discontinue(scope, owner, row, end)


def discontinue(scope: Scope, patient: Patient, course: TreatmentCourse, end: EarlyEnd) -> None:
    """The same, inside the unit of work."""
    words = check_reason(scope, end.reason)
    state = given_of(scope, course)
    _check_discontinuation(scope, course, state, end)
    before = audit.snapshot(course)
    course.discontinued_on, course.discontinued_reason = end.on, words
    course.unused_vials, course.vials_disposition = end.unused_vials, end.vials_disposition
    audit.record(scope, AuditAction.COURSE_DISCONTINUED, course, before=before, reason=words)
    if state.days:
        message = f"Course {course.number} was ended after {state.days} of {course.planned_days} days."
        note = deviation(INCOMPLETE, None, message, "R-40")
        record_deviation(scope, patient.id, note, words, end.on, course_id=course.id)


def reopen_course(scope: Scope, patient: uuid.UUID, course: uuid.UUID, *, reason: str) -> None:
    """Take back a discontinuation. RuleViolation without a reason, or when the course is not discontinued."""
    scope.require(Permission.RECORD_TREATMENT)
    with unit_of_work(scope) as work:
        owner = work.lock_patient(patient)
        row = find_course_row(scope, owner, course)
        words = check_reason(scope, reason)
        if row.discontinued_on is None:
            raise RuleViolation("not_discontinued", None, "The course is not discontinued.")
        before = audit.snapshot(row)
        row.discontinued_on = row.discontinued_reason = row.unused_vials = row.vials_disposition = None
        for told in plan_deviations(scope, row, {INCOMPLETE}):
            told.withdrawn_at = scope.now
        audit.record(scope, AuditAction.COURSE_REOPENED, row, before=before, reason=words)


def given_of(scope: Scope, course: TreatmentCourse) -> Given:
    """How many days of a course were given, the last of them, and how many are still running."""
    table = Infusion
    live = table.ended_at.is_(None) & (table.recorded_via != IMPORTED) & table.is_back_entry.is_(False)
    row = db.session.execute(
        select(func.count(), func.max(table.infused_on), func.count(case((live, 1)))).where(
            table.course_id == course.id,
            table.clinic_id == scope.clinic_id,
            table.state == FactState.RECORDED.value,
        )
    ).one()
    return Given(row[0], row[1], row[2])


def _next_number(scope: Scope, patient: Patient) -> int:
    last = db.session.execute(
        select(TreatmentCourse)
        .where(TreatmentCourse.patient_id == patient.id, TreatmentCourse.clinic_id == scope.clinic_id)
        .order_by(TreatmentCourse.number.desc())
        .limit(1)
    ).scalar_one_or_none()
    if last is None:
        return 1
    if last.discontinued_on is None and given_of(scope, last).days < last.planned_days:
        message = f"Course {last.number} is not finished. Give its days or discontinue it before planning another."
        raise RuleViolation("course_open", None, message)
    return last.number + 1


def _apply(scope: Scope, patient: Patient, course: TreatmentCourse, plan: CoursePlan) -> None:
    start = plan.planned_start_on
    if start is not None and start < patient.birth_date:
        raise RuleViolation("before_birth", START_FIELD, "The start is before the birth date.")
    if start is not None and start > scope.today + FURTHEST_PLAN:
        raise RuleViolation("far_future", START_FIELD, "The start is more than two years ahead.")
    course.planned_start_on = start
    course.prescriber_id = _prescriber_id(scope, plan.prescriber)
    course.note = plan.note


def _prescriber_id(scope: Scope, prescriber: uuid.UUID | None) -> int | None:
    if prescriber is None:
        return None
    key = db.session.execute(
        select(Prescriber.id).where(Prescriber.public_id == prescriber, Prescriber.clinic_id == scope.clinic_id)
    ).scalar_one_or_none()
    if key is None:
        raise RuleViolation("unknown_prescriber", "prescriber", "Choose a prescriber of this clinic.")
    return key


def _check_discontinuation(scope: Scope, course: TreatmentCourse, state: Given, end: EarlyEnd) -> None:
    if course.discontinued_on is not None:
        message = f"The course was discontinued already, on {show_date(course.discontinued_on)}."
        raise RuleViolation("already_discontinued", None, message)
    if state.days >= course.planned_days:
        raise RuleViolation("course_complete", None, "All days of the course were given.")
    if state.running:
        raise RuleViolation("infusion_running", None, "An infusion of the course is running: record its end first.")
    check_not_future(scope, end.on, "discontinued_on", "The date")
    if state.last_on is not None and end.on < state.last_on:
        message = f"The last infusion was on {show_date(state.last_on)}: the course cannot end before it."
        raise RuleViolation("before_last_infusion", "discontinued_on", message)
    if end.unused_vials is not None and not 0 <= end.unused_vials <= course.planned_days:
        message = f"At most {course.planned_days} vials belong to the course."
        raise RuleViolation("too_many_vials", "unused_vials", message)


def _check_version(scope: Scope, course: TreatmentCourse, version: int | None) -> None:
    if version is None or version == course.version:
        return
    last = db.session.execute(
        select(User.name, AuditEvent.at)
        .outerjoin(User, User.id == AuditEvent.user_id)
        .where(AuditEvent.subject_type == TreatmentCourse.__tablename__, AuditEvent.subject_id == course.id)
        .order_by(AuditEvent.id.desc())
        .limit(1)
    ).one_or_none()
    by, at = (
        (last[0] or "the system", when(scope, last[1])) if last is not None else ("somebody else", "an unknown time")
    )
    check_version(course.version, version, by, at)

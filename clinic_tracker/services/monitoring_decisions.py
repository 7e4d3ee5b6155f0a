"""A prescriber's decisions about the end of monitoring: extend it, or close it with a sign-off (R-85)."""

import uuid
from datetime import date

from sqlalchemy import select

from clinic_tracker.domain.calendar import add_months
from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.history import History
from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.notes import Note, Severity
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.schedule import Forecast
from clinic_tracker.domain.vocabulary import FactState, MonitoringDecisionKind
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import MonitoringDecision
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.treatment import Infusion, TreatmentCourse
from clinic_tracker.queries.monitoring_case import load_case, own_prescriber, sign_off_warnings
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.deviations import record_deviation
from clinic_tracker.services.facts import check_not_future, check_reason, find_fact, withdraw
from clinic_tracker.services.unit_of_work import unit_of_work

#: An extension reaches at most so far beyond the present end: further is a typing error.
MOST_EXTENSION_MONTHS = 120


def extend_monitoring(scope: Scope, patient: uuid.UUID, *, extended_to: date, reason: str | None) -> uuid.UUID:
    """Move the end of monitoring later, from the latest course given on (R-85: "or longer, if clinically indicated").

    RuleViolation before any infusion, after the sign-off, and unless the new end is later than the present one.
    """
    scope.require(Permission.DECIDE_MONITORING)
    words = check_reason(scope, reason)
    with unit_of_work(scope) as work:
        person = work.lock_patient(patient)
        case = load_case(scope, person.id)
        answer = case.forecast
        course = _latest_course(scope, person)
        if course is None or answer.monitoring_ends is None:
            raise RuleViolation("no_infusion", None, "Nothing was infused yet, so there is no monitoring to extend.")
        if answer.closed_on is not None:
            raise RuleViolation("closed", None, "Monitoring was signed off. Withdraw the sign-off before extending it.")
        same = _same_extension(scope, course.id, extended_to)
        if same is not None:
            return same
        _check_extension(answer.monitoring_ends, extended_to)
        decision = _decision(scope, person, MonitoringDecisionKind.EXTENDED, words)
        decision.course_id, decision.extended_to = course.id, extended_to
        db.session.add(decision)
        audit.record(scope, AuditAction.MONITORING_EXTENDED, decision, reason=words)
    return decision.public_id


def close_monitoring(
    scope: Scope,
    patient: uuid.UUID,
    *,
    decided_on: date,
    reason: str | None,
    confirmed: bool = False,
) -> uuid.UUID:
    """Sign monitoring off: from that day on nothing is owed any more.

    Before the end of monitoring, or while items are owed, it needs ``confirmed``; closing before the end is kept as a
    departure from the protocol. RuleViolation lists what is still owed.
    """
    scope.require(Permission.DECIDE_MONITORING)
    words = check_reason(scope, reason)
    check_not_future(scope, decided_on, "decided_on", "The sign-off")
    with unit_of_work(scope) as work:
        person = work.lock_patient(patient)
        case = load_case(scope, person.id)
        answer = case.forecast
        if (same := _same_sign_off(scope, person, decided_on)) is not None:
            return same
        _check_sign_off(case.history, answer, decided_on)
        warnings = sign_off_warnings(scope, case)
        if warnings and not confirmed:
            raise RuleViolation("confirm_close", "confirmed", " ".join(warnings) + " Confirm that you close it anyway.")
        decision = _decision(scope, person, MonitoringDecisionKind.CLOSED, words)
        decision.decided_on = decided_on
        db.session.add(decision)
        audit.record(scope, AuditAction.MONITORING_CLOSED, decision, reason=words)
        if answer.monitoring_ends is not None and decided_on.toordinal() <= answer.monitoring_ends:
            ends = date.fromordinal(answer.monitoring_ends)
            message = f"Monitoring was closed before its end on {show_date(ends)}."
            note = Note("closed_early", None, message, "R-85", Severity.DEVIATION)
            record_deviation(scope, person.id, note, words, decided_on)
    return decision.public_id


def withdraw_decision(scope: Scope, patient: uuid.UUID, decision: uuid.UUID, reason: str | None) -> None:
    """End an extension or a sign-off as entered in error; the schedule is as if it had not been made."""
    scope.require(Permission.DECIDE_MONITORING)
    with unit_of_work(scope) as work:
        person = work.lock_patient(patient)
        row = find_fact(scope, MonitoringDecision, person.id, decision)
        before = audit.snapshot(row)
        withdraw(scope, row, reason)
        audit.record(scope, AuditAction.MONITORING_DECISION_WITHDRAWN, row, before=before, reason=row.withdrawn_reason)


def _check_extension(ends: int, extended_to: date) -> None:
    if extended_to.toordinal() <= ends:
        message = f"Choose a day after {show_date(date.fromordinal(ends))}, the present end of monitoring."
        raise RuleViolation("extension_not_later", "extended_to", message)
    if extended_to.toordinal() > add_months(ends, MOST_EXTENSION_MONTHS):
        raise RuleViolation(
            "extension_too_far", "extended_to", "The new end is more than ten years after the present one."
        )


def _check_sign_off(history: History, answer: Forecast, decided_on: date) -> None:
    if not history.given:
        raise RuleViolation("no_infusion", None, "Nothing was infused yet, so there is no monitoring to close.")
    if answer.closed_on is not None:
        on = show_date(date.fromordinal(answer.closed_on))
        raise RuleViolation("already_closed", None, f"Monitoring was already signed off on {on}.")
    latest = min(history.given[-1].infusion_days)
    if decided_on.toordinal() < latest:
        message = f"The latest course began on {show_date(date.fromordinal(latest))}; sign off on or after that day."
        raise RuleViolation("close_before_course", "decided_on", message)


def _latest_course(scope: Scope, person: Patient) -> TreatmentCourse | None:
    """The latest course with an infusion on record."""
    return db.session.execute(
        select(TreatmentCourse)
        .where(
            TreatmentCourse.clinic_id == scope.clinic_id,
            TreatmentCourse.patient_id == person.id,
            select(Infusion.id)
            .where(Infusion.course_id == TreatmentCourse.id, Infusion.state == FactState.RECORDED.value)
            .exists(),
        )
        .order_by(TreatmentCourse.number.desc())
        .limit(1)
    ).scalar_one_or_none()


def _same_extension(scope: Scope, course_id: int, extended_to: date) -> uuid.UUID | None:
    return db.session.execute(
        select(MonitoringDecision.public_id).where(
            MonitoringDecision.clinic_id == scope.clinic_id,
            MonitoringDecision.course_id == course_id,
            MonitoringDecision.extended_to == extended_to,
            MonitoringDecision.state == FactState.RECORDED.value,
        )
    ).scalar_one_or_none()


def _same_sign_off(scope: Scope, person: Patient, decided_on: date) -> uuid.UUID | None:
    return db.session.execute(
        select(MonitoringDecision.public_id).where(
            MonitoringDecision.clinic_id == scope.clinic_id,
            MonitoringDecision.patient_id == person.id,
            MonitoringDecision.kind == MonitoringDecisionKind.CLOSED.value,
            MonitoringDecision.decided_on == decided_on,
            MonitoringDecision.recorded_by_id == scope.user_id,
            MonitoringDecision.state == FactState.RECORDED.value,
        )
    ).scalar_one_or_none()


def _decision(scope: Scope, person: Patient, kind: MonitoringDecisionKind, reason: str) -> MonitoringDecision:
    return MonitoringDecision(
        clinic_id=scope.clinic_id,
        patient_id=person.id,
        kind=kind.value,
        decided_on=scope.today,
        reason=reason,
        prescriber_id=own_prescriber(scope),
        recorded_by_id=scope.user_id,
        recorded_at=scope.now,
    )

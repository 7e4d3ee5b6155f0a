"""The steps of a running infusion: pause, resume, end, discharge. Each fills in what had not happened yet."""

import uuid
from datetime import datetime

from sqlalchemy import select

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.notes import Verdict
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.models.base import db
from clinic_tracker.models.treatment import Infusion, InfusionPause
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.day_parts import parts_of
from clinic_tracker.services.deviations import Reasons
from clinic_tracker.services.facts import already_recorded, user_name, when
from clinic_tracker.services.infusion_rules import Day, account_for, find_day, judge, standing_messages
from clinic_tracker.services.infusions import EARLY_DISCHARGE
from clinic_tracker.services.unit_of_work import UnitOfWork, unit_of_work


def pause_infusion(
    scope: Scope,
    patient: uuid.UUID,
    infusion: uuid.UUID,
    *,
    paused_at: datetime,
    reason: str | None = None,
    form_token: str | None = None,
) -> None:
    """Interrupt a running infusion. RuleViolation when it has ended or is paused already."""
    scope.require(Permission.RECORD_TREATMENT)
    with unit_of_work(scope) as work:
        day = find_running(scope, work, patient, infusion)
        if not already_recorded(scope, InfusionPause, form_token):
            interrupt(scope, day, paused_at, reason, form_token)


def interrupt(scope: Scope, day: Day, paused_at: datetime, reason: str | None, form_token: str | None = None) -> None:
    """Interrupt a running infusion, inside the unit of work. RuleViolation on ``paused_at`` as ``pause_infusion``."""
    if open_pause(scope, day) is not None:
        raise RuleViolation("already_paused", None, "The infusion is paused already.")
    standing = standing_messages(scope, day)
    pause = InfusionPause(
        clinic_id=scope.clinic_id,
        infusion_id=day.infusion.id,
        paused_at=paused_at,
        reason=reason,
        recorded_by_id=scope.user_id,
        recorded_at=scope.now,
        form_token=form_token,
    )
    db.session.add(pause)
    audit.record(scope, AuditAction.INFUSION_PAUSED, pause, patient_id=day.patient.id)
    _hold_against_rules(scope, day, standing, field="paused_at")


def resume_infusion(scope: Scope, patient: uuid.UUID, infusion: uuid.UUID, *, resumed_at: datetime) -> None:
    """End the pause of a paused infusion. RuleViolation when it is not paused, or before the pause began."""
    scope.require(Permission.RECORD_TREATMENT)
    with unit_of_work(scope) as work:
        day = find_running(scope, work, patient, infusion)
        pause = open_pause(scope, day)
        if pause is None:
            raise RuleViolation("not_paused", None, "The infusion is not paused.")
        standing = standing_messages(scope, day)
        _end_pause(scope, day, pause, resumed_at, "resumed_at")
        _hold_against_rules(scope, day, standing, field="resumed_at")


def end_infusion(
    scope: Scope,
    patient: uuid.UUID,
    infusion: uuid.UUID,
    *,
    ended_at: datetime,
    dose_mg: float | None = None,
    given: Reasons | None = None,
) -> None:
    """Record that the infusion ended; the observation runs from then. A pause that is still on ends with it.

    RuleViolation when it ended before, or for an end not after the start; ReasonNeeded for another dose than labeled.
    """
    scope.require(Permission.RECORD_TREATMENT)
    with unit_of_work(scope) as work:
        day = find_running(scope, work, patient, infusion)
        finish(scope, day, ended_at, dose_mg, given)


def finish(scope: Scope, day: Day, ended_at: datetime, dose_mg: float | None, given: Reasons | None) -> None:
    """End a running infusion, inside the unit of work; RuleViolation and ReasonNeeded as ``end_infusion``."""
    _check_after_start(day, ended_at)
    standing = standing_messages(scope, day)
    pause = open_pause(scope, day)
    if pause is not None:
        _end_pause(scope, day, pause, ended_at, "ended_at")
    before = audit.snapshot(day.infusion)
    day.infusion.ended_at = ended_at
    if dose_mg is not None:
        day.infusion.dose_mg = dose_mg
    _hold_against_rules(scope, day, standing, given=given)
    audit.record(scope, AuditAction.INFUSION_ENDED, day.infusion, before=before)


def discharge_patient(
    scope: Scope,
    patient: uuid.UUID,
    infusion: uuid.UUID,
    *,
    discharged_at: datetime,
    stroke_advice_given: bool,
    late_reaction_advice_given: bool,
    given: Reasons | None = None,
) -> None:
    """Sign the discharge by name, with the advice due at every infusion (R-48 to R-50).

    RuleViolation when the infusion has not ended, and when somebody signed before: the message says who and when.
    ReasonNeeded before the observation is over; it tells the minutes left.
    """
    scope.require(Permission.RECORD_TREATMENT)
    with unit_of_work(scope) as work:
        day = find_day(scope, work.lock_patient(patient), infusion)
        row = day.infusion
        check_not_discharged(scope, row)
        if row.ended_at is None:
            raise RuleViolation("no_end", None, "Record the end of the infusion before the discharge.")
        if discharged_at < row.ended_at:
            raise RuleViolation("discharged_before_end", "discharged_at", "The discharge is before the end.")
        standing = standing_messages(scope, day)
        before = audit.snapshot(row)
        row.discharged_at, row.discharged_by_id = discharged_at, scope.user_id
        row.stroke_advice_given, row.late_reaction_advice_given = stroke_advice_given, late_reaction_advice_given
        verdict = _hold_against_rules(scope, day, standing, given=given)
        if any(note.code == EARLY_DISCHARGE for note in verdict.deviations):
            row.early_discharge_reason = (given or Reasons()).words
        audit.record(scope, AuditAction.PATIENT_DISCHARGED, row, before=before)


def check_not_discharged(scope: Scope, infusion: Infusion) -> None:
    """RuleViolation when the discharge is signed; the message says by whom, and for when."""
    if infusion.discharged_at is not None:
        by = user_name(scope, infusion.discharged_by_id)
        message = f"The discharge was already signed by {by}, for {when(scope, infusion.discharged_at)}."
        raise RuleViolation("already_discharged", None, message)


def find_running(scope: Scope, work: UnitOfWork, patient: uuid.UUID, infusion: uuid.UUID) -> Day:
    """An infusion that has not ended; RuleViolation otherwise."""
    day = find_day(scope, work.lock_patient(patient), infusion)
    if day.infusion.ended_at is not None:
        message = f"The infusion ended already, at {when(scope, day.infusion.ended_at)}. Correct it if that is wrong."
        raise RuleViolation("already_ended", None, message)
    return day


def _check_after_start(day: Day, ended_at: datetime) -> None:
    # The table refuses it too; the rule must speak first.
    if ended_at <= day.infusion.started_at:
        raise RuleViolation("end_before_start", "ended_at", "The end is not after the start.")


def open_pause(_scope: Scope, day: Day) -> InfusionPause | None:
    """The pause that is still on, or None."""
    return db.session.execute(
        select(InfusionPause).where(
            InfusionPause.infusion_id == day.infusion.id,
            InfusionPause.resumed_at.is_(None),
            InfusionPause.withdrawn_at.is_(None),
        )
    ).scalar_one_or_none()


def _end_pause(scope: Scope, day: Day, pause: InfusionPause, at: datetime, field: str) -> None:
    if at <= pause.paused_at:
        message = f"The pause began at {when(scope, pause.paused_at)}; this is not after it."
        raise RuleViolation("pause_backwards", field, message)
    before = audit.snapshot(pause)
    pause.resumed_at = at
    audit.record(scope, AuditAction.INFUSION_RESUMED, pause, patient_id=day.patient.id, before=before)


def _hold_against_rules(
    scope: Scope, day: Day, standing: frozenset[str], *, given: Reasons | None = None, field: str | None = None
) -> Verdict:
    """Judge the day with the step made; ``field`` takes what the rules say about pauses."""
    verdict = judge(scope, day, parts_of(scope, day.infusion), live=False, readiness=False)
    for note in verdict.refusals:
        raise RuleViolation(note.code, field if note.field == "pauses" and field else note.field, note.message)
    account_for(scope, day, verdict, given or Reasons(), standing)
    return verdict

"""How long an infusion is meant to run, and its observation; and the end of an infusion that ends its course."""

import uuid
from datetime import datetime, timedelta

from clinic_tracker.domain.dosing import Regimen
from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.infusion_day import active_minutes
from clinic_tracker.domain.local_time import to_utc
from clinic_tracker.domain.observation import observation_ends_at
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.treatment import regimen_of
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.courses import EarlyEnd, discontinue, given_of
from clinic_tracker.services.day_parts import parts_of
from clinic_tracker.services.deviations import Reasons
from clinic_tracker.services.facts import check_reason
from clinic_tracker.services.infusion_day import check_not_discharged, find_running, finish
from clinic_tracker.services.infusion_rules import Day, find_day
from clinic_tracker.services.unit_of_work import unit_of_work

LONGEST_MINUTES = 24 * 60


def change_planned_minutes(
    scope: Scope,
    patient: uuid.UUID,
    infusion: uuid.UUID,
    *,
    ends_at: datetime,
    reason: str,
) -> None:
    """Say when a running infusion is now expected to end: slowed, or faster again (R-45).

    RuleViolation when it has ended, for an end that is not after now, and for more than a day.
    """
    scope.require(Permission.RECORD_TREATMENT)
    with unit_of_work(scope) as work:
        day = find_running(scope, work, patient, infusion)
        set_end(scope, day, ends_at, reason)


def set_end(scope: Scope, day: Day, ends_at: datetime, reason: str) -> None:
    """The same, inside the unit of work. What counts are the minutes in which the drug runs, pauses left out."""
    words = check_reason(scope, reason)
    if to_utc(ends_at) <= to_utc(scope.now):
        raise RuleViolation("end_not_ahead", "ends_at", "The expected end is not after the present time.")
    pauses = [pause._replace(ended_at=pause.ended_at or scope.now) for pause in parts_of(scope, day.infusion).pauses]
    minutes = active_minutes(day.infusion.started_at, ends_at, pauses)
    if minutes > LONGEST_MINUTES:
        raise RuleViolation("too_long", "ends_at", "That is more than 24 hours of infusion: check the date.")
    before = audit.snapshot(day.infusion)
    day.infusion.planned_minutes = minutes
    audit.record(scope, AuditAction.INFUSION_PACE_CHANGED, day.infusion, before=before, reason=words)


def stop_early(
    scope: Scope,
    patient: uuid.UUID,
    infusion: uuid.UUID,
    end: EarlyEnd,
    *,
    ended_at: datetime,
    dose_mg: float | None = None,
    given: Reasons | None = None,
) -> None:
    """End a running infusion and its course in one step; the schedule counts from this infusion (decision 15).

    RuleViolation and ReasonNeeded as ``end_infusion`` and ``discontinue_course`` raise them. On the last day of a
    course there is no course left to end: then only the infusion ends.
    """
    scope.require(Permission.RECORD_TREATMENT)
    with unit_of_work(scope) as work:
        day = find_running(scope, work, patient, infusion)
        words = check_reason(scope, end.reason)
        asked = given if given is not None and given.reason else Reasons(words, given.decided_by if given else None)
        finish(scope, day, ended_at, dose_mg, asked)
        if given_of(scope, day.course).days < day.course.planned_days:
            discontinue(scope, day.patient, day.course, end)


def extend_observation(
    scope: Scope, patient: uuid.UUID, infusion: uuid.UUID, *, minutes: int | None, until: datetime | None, reason: str
) -> None:
    """Let the observation last so many minutes in all, or until a time (R-48); the reason is kept.

    RuleViolation for less than the protocol asks for, without a reason, for a time while the infusion still runs, and
    after the discharge: it tells by whom.
    """
    scope.require(Permission.RECORD_TREATMENT)
    with unit_of_work(scope) as work:
        day = find_day(scope, work.lock_patient(patient), infusion)
        row = day.infusion
        check_not_discharged(scope, row)
        if minutes is None:
            minutes = _minutes_until(day, until)
        set_observation(scope, day, minutes, reason, field="until" if until else "minutes")


def set_observation(scope: Scope, day: Day, minutes: int, reason: str, *, field: str) -> None:
    """The same, inside the unit of work."""
    words = check_reason(scope, reason)
    least = protocol_regimen(scope, day).observation_min
    if minutes < least:
        message = f"The observation lasts at least {least} minutes."
        raise RuleViolation("observation_too_short", field, message)
    if minutes > LONGEST_MINUTES:
        raise RuleViolation("observation_too_long", field, "That is more than 24 hours: check the entry.")
    before = audit.snapshot(day.infusion)
    day.infusion.observation_minutes, day.infusion.observation_reason = minutes, words
    audit.record(scope, AuditAction.OBSERVATION_CHANGED, day.infusion, before=before, reason=words)


def protocol_regimen(scope: Scope, day: Day) -> Regimen:
    """The numbers of the patient's protocol."""
    return regimen_of(scope, day.patient.protocol_id)


def _minutes_until(day: Day, until: datetime | None) -> int:
    if until is None:
        raise RuleViolation("no_time", "minutes", "Enter how long the observation lasts, or until when.")
    if day.infusion.ended_at is None:
        message = "The infusion has not ended: enter minutes, which run from its end."
        raise RuleViolation("still_running", "until", message)
    left = to_utc(until) - observation_ends_at(day.infusion.ended_at, 0)
    return -(-left // timedelta(minutes=1))

"""Reactions to an infusion: seen and treated, corrected, and how they ended."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from clinic_tracker.domain import reactions as rules
from clinic_tracker.domain.errors import NotFound, RuleViolation
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import ReactionEnding, ReactionGrade
from clinic_tracker.models.base import db
from clinic_tracker.models.treatment import InfusionReaction
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.facts import already_recorded, check_reason
from clinic_tracker.services.infusion_day import interrupt, open_pause
from clinic_tracker.services.infusion_moves import move_reports
from clinic_tracker.services.infusion_pace import set_end, set_observation
from clinic_tracker.services.infusion_parts import check_time, sign_part
from clinic_tracker.services.infusion_rules import Day, find_day
from clinic_tracker.services.unit_of_work import unit_of_work


@dataclass(frozen=True, slots=True, kw_only=True)
class ReactionEnd:
    """How a reaction ended; ``resolved_at`` where it is over."""

    ending: ReactionEnding | None = None
    resolved_at: datetime | None = None
    outcome: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReactionSeen:
    """A reaction as it was seen and treated. At least one ticked sign, or words."""

    onset_at: datetime
    grade: ReactionGrade
    ticked: tuple[str, ...] = ()
    signs: str = ""
    seriousness: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    action: str | None = None
    drugs: str | None = None
    end: ReactionEnd = ReactionEnd()


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What follows for the running infusion: when it was paused or will end, how long it is observed in all."""

    paused_at: datetime | None = None
    ends_at: datetime | None = None
    observation_minutes: int | None = None


def record_reaction(
    scope: Scope,
    patient: uuid.UUID,
    infusion: uuid.UUID,
    seen: ReactionSeen,
    *,
    response: Response | None = None,
    form_token: str | None = None,
) -> uuid.UUID:
    """Record a reaction during or after an infusion, and what was done about it in one step; its public id.

    Where the infusion runs and ``paused`` is among the actions, the pause is recorded at its time or at the onset.
    RuleViolation for an onset in the future or before the start, and for a reaction without signs.
    """
    scope.require(Permission.RECORD_TREATMENT)
    with unit_of_work(scope) as work:
        owner = work.lock_patient(patient)
        if again := already_recorded(scope, InfusionReaction, form_token):
            return again.public_id
        day = find_day(scope, owner, infusion)
        row = _new(scope, day, seen)
        sign_part(scope, row, form_token)
        audit.record(scope, AuditAction.REACTION_RECORDED, row, patient_id=owner.id)
        _respond(scope, day, seen, response or Response())
        return row.public_id


def correct_reaction(
    scope: Scope, patient: uuid.UUID, infusion: uuid.UUID, reaction: uuid.UUID, seen: ReactionSeen, *, reason: str
) -> uuid.UUID:
    """Replace a reaction by a corrected one; the former stays, withdrawn. A report that was sent stays with it.

    The public id of the new row. RuleViolation without a reason, and when somebody changed it before.
    """
    scope.require(Permission.RECORD_TREATMENT)
    with unit_of_work(scope) as work:
        day = find_day(scope, work.lock_patient(patient), infusion)
        words = check_reason(scope, reason)
        old = _find(scope, day, reaction)
        before = audit.snapshot(old)
        row = _new(scope, day, seen)
        old.withdrawn_at, old.withdrawn_by_id = scope.now, scope.user_id
        sign_part(scope, row, None)
        move_reports(scope, old.id, row.id)
        audit.record(scope, AuditAction.REACTION_CORRECTED, row, patient_id=day.patient.id, before=before, reason=words)
        return row.public_id


def resolve_reaction(
    scope: Scope, patient: uuid.UUID, infusion: uuid.UUID, reaction: uuid.UUID, end: ReactionEnd
) -> None:
    """Record how a reaction ended, or that it has not yet. RuleViolation for a time before the onset or to come."""
    scope.require(Permission.RECORD_TREATMENT)
    with unit_of_work(scope) as work:
        day = find_day(scope, work.lock_patient(patient), infusion)
        row = _find(scope, day, reaction)
        if end.ending is None:
            raise RuleViolation("no_ending", "ending", "Choose how it ended.")
        before = audit.snapshot(row)
        _set_end(scope, row, end)
        audit.record(scope, AuditAction.REACTION_RESOLVED, row, patient_id=day.patient.id, before=before)


def _new(scope: Scope, day: Day, seen: ReactionSeen) -> InfusionReaction:
    check_time(scope, seen.onset_at, "onset_at")
    if seen.onset_at < day.infusion.started_at:
        raise RuleViolation("before_start", "onset_at", "The onset is before the start of the infusion.")
    if not seen.ticked and not seen.signs.strip():
        raise RuleViolation("no_signs", "ticked", "Tick at least one sign, or describe it.")
    criteria = rules.seriousness_of(seen.grade, seen.seriousness)
    row = InfusionReaction(
        infusion_id=day.infusion.id,
        onset_at=seen.onset_at,
        ticked=list(seen.ticked),
        signs=seen.signs,
        grade=seen.grade.value,
        is_serious=bool(criteria),
        seriousness=list(criteria),
        actions=list(seen.actions),
        action=seen.action,
        drugs=seen.drugs,
    )
    _set_end(scope, row, seen.end)
    return row


def _set_end(scope: Scope, row: InfusionReaction, end: ReactionEnd) -> None:
    if end.resolved_at is not None:
        check_time(scope, end.resolved_at, "resolved_at")
        if end.resolved_at < row.onset_at:
            raise RuleViolation("resolved_before_onset", "resolved_at", "It ended before it began: check the times.")
        if end.ending in rules.OPEN_ENDINGS:
            message = "Leave the time empty while it has not ended, or choose how it ended."
            raise RuleViolation("not_over", "resolved_at", message)
    row.ending = end.ending.value if end.ending else None
    row.resolved_at, row.outcome = end.resolved_at, end.outcome
    if end.ending is ReactionEnding.FATAL:
        row.seriousness = list(rules.seriousness_of(ReactionGrade.FATAL, row.seriousness))
        row.is_serious = True


def _respond(scope: Scope, day: Day, seen: ReactionSeen, response: Response) -> None:
    words = "Reaction: " + rules.told(seen.ticked, seen.signs)
    running = day.infusion.ended_at is None
    if running and rules.PAUSED in seen.actions and open_pause(scope, day) is None:
        interrupt(scope, day, response.paused_at or seen.onset_at, words[:500])
    if response.ends_at is not None:
        if not running:
            raise RuleViolation("already_ended", "ends_at", "The infusion has ended: it has no expected end.")
        set_end(scope, day, response.ends_at, words)
    if response.observation_minutes is not None and day.infusion.discharged_at is None:
        _extend(scope, day, response.observation_minutes, words)


def _extend(scope: Scope, day: Day, minutes: int, words: str) -> None:
    """A reaction makes an observation longer, never shorter than another one did."""
    present = day.infusion.observation_minutes
    if minutes < present and day.infusion.observation_reason is not None:
        message = f"The observation was extended to {present} minutes already: a reaction does not make it shorter."
        raise RuleViolation("observation_shorter", "observation_minutes", message)
    set_observation(scope, day, minutes, words, field="observation_minutes")


def _find(scope: Scope, day: Day, reaction: uuid.UUID) -> InfusionReaction:
    row = db.session.execute(
        select(InfusionReaction)
        .where(
            InfusionReaction.public_id == reaction,
            InfusionReaction.clinic_id == scope.clinic_id,
            InfusionReaction.infusion_id == day.infusion.id,
        )
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if row is None:
        raise NotFound("reaction")
    if row.withdrawn_at is not None:
        raise RuleViolation("already_changed", None, "This reaction was changed meanwhile. Look at it again.")
    return row

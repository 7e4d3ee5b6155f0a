"""Infusions as facts: started live, recorded after the fact, corrected, entered in error."""

import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.exc import IntegrityError

from clinic_tracker.domain.errors import RuleViolation, StaleVersion
from clinic_tracker.domain.local_time import local_date
from clinic_tracker.domain.notes import Verdict
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.readiness import Answers
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.treatment import Infusion, TreatmentCourse
from clinic_tracker.queries.infusion_day import day_version
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.treatment import regimen_of
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.day_parts import Parts, attach_waiting, parts_of, waiting_parts
from clinic_tracker.services.deviations import ReasonNeeded, Reasons, deviations_of_infusion
from clinic_tracker.services.facts import (
    already_recorded,
    check_reason,
    check_unchanged,
    find_fact,
    last_change,
    retire,
    withdraw,
)
from clinic_tracker.services.infusion_moves import check_onsets, move_parts
from clinic_tracker.services.infusion_parts import SteroidGiven, VitalsTaken, add_stated, stated_parts
from clinic_tracker.services.infusion_rules import (
    Day,
    account_for,
    check_course_open,
    find_course_row,
    find_day,
    judge,
    standing_messages,
)
from clinic_tracker.services.lab_findings import follow_first_infusion
from clinic_tracker.services.start_rules import start_verdict_of
from clinic_tracker.services.unit_of_work import unit_of_work

# A start older than this is no longer a live one: it belongs on the page for days after the fact.
LIVE_FOR = timedelta(hours=12)
EARLY_DISCHARGE = "early_discharge"
NOT_ASKED = Answers()


@dataclass(frozen=True, slots=True, kw_only=True)
class InfusionFacts:
    """What a person states about one infusion day. ``None`` is what has not happened yet, or is not known."""

    day_number: int
    started_at: datetime
    dose_mg: float
    ended_at: datetime | None = None
    discharged_at: datetime | None = None
    diluted_at: datetime | None = None
    lot_number: str | None = None
    lot_expires_on: date | None = None
    stroke_advice_given: bool = False
    late_reaction_advice_given: bool = False
    chair: str | None = None
    nurse_name: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PastDay:
    """One day recorded after the fact, with what was given and measured before its start."""

    facts: InfusionFacts
    steroid: SteroidGiven | None = None
    vitals: VitalsTaken | None = None


def start_infusion(
    scope: Scope,
    patient: uuid.UUID,
    course: uuid.UUID,
    facts: InfusionFacts,
    *,
    answers: Answers,
    given: Reasons | None = None,
    form_token: str | None = None,
) -> uuid.UUID:
    """Record the start of an infusion as it happens; what was recorded for the day before the start joins it.

    RuleViolation for hard stops, questions not answered and a start long ago; ReasonNeeded for what a prescriber may
    depart from.
    """
    scope.require(Permission.RECORD_TREATMENT)
    with unit_of_work(scope) as work:
        owner = work.lock_patient(patient)
        if again := already_recorded(scope, Infusion, form_token):
            return again.public_id
        course_row = find_course_row(scope, owner, course)
        check_course_open(scope, course_row)
        if facts.started_at < scope.now - LIVE_FOR:
            message = "This start is more than 12 hours ago. Record it as a day after the fact."
            raise RuleViolation("not_live", "started_at", message)
        row = _new(scope, owner, course_row, facts, answers, form_token=form_token)
        day = Day(owner, course_row, row)
        extra = start_verdict_of(scope, owner, course_row, row, answers)
        parts = waiting_parts(scope, course_row, row)
        verdict = judge(scope, day, parts, live=True, readiness=True, extra=extra)
        _insert(scope, day, verdict)
        attach_waiting(scope, day.course, day.infusion)
        account_for(scope, day, verdict, given or Reasons())
        audit.record(scope, AuditAction.INFUSION_RECORDED, row)
        follow_first_infusion(scope, owner)
        return row.public_id


def record_past_infusions(
    scope: Scope,
    patient: uuid.UUID,
    course: uuid.UUID,
    days: Sequence[PastDay],
    *,
    given: Reasons | None = None,
    form_token: str | None = None,
) -> list[uuid.UUID]:
    """Record days of a course after the fact, marked as such: all of them or none.

    What happened is taken, even before the enrollment or against a contraindication: then with a reason. What has no
    end yet has not: it is a start, with all that stops one. A RuleViolation names its field as
    ``days-<index>-<field>``.
    """
    scope.require(Permission.RECORD_TREATMENT)
    if not days:
        raise RuleViolation("no_days", None, "Fill in at least one day.")
    with unit_of_work(scope) as work:
        owner = work.lock_patient(patient)
        course_row = find_course_row(scope, owner, course)
        if already_recorded(scope, Infusion, _day_token(form_token, days[0])):
            return []
        check_course_open(scope, course_row)
        recorded = []
        for index, day in enumerate(days):
            try:
                row = _add_past(scope, owner, course_row, day, given or Reasons(), _day_token(form_token, day))
            except RuleViolation as violation:
                raise _at_day(violation, index) from violation
            recorded.append(row.public_id)
        follow_first_infusion(scope, owner)
        return recorded


def correct_infusion(
    scope: Scope,
    patient: uuid.UUID,
    infusion: uuid.UUID,
    facts: InfusionFacts,
    *,
    reason: str,
    version: int | None = None,
    given: Reasons | None = None,
) -> uuid.UUID:
    """Replace an infusion by a corrected one; its parts and deviations follow, and so does the schedule.

    On another date the parts move as far as the start does, and readiness is judged for that date. The public id of the
    new row. RuleViolation without a reason, for what the rules refuse, for a reaction that began before the start, and
    when somebody else corrected the infusion; StaleVersion when it was ended or signed out meanwhile.
    """
    scope.require(Permission.RECORD_TREATMENT)
    with unit_of_work(scope) as work:
        old = find_day(scope, work.lock_patient(patient), infusion)
        if version is not None and version != day_version(old.infusion):
            raise StaleVersion(*last_change(scope, Infusion.__tablename__, old.infusion.id))
        before, standing = audit.snapshot(old.infusion), standing_messages(scope, old)
        words = check_reason(scope, reason)
        day = Day(old.patient, old.course, _replacement(scope, old, facts))
        retire(scope, old.infusion, words)
        by = _moved_by(old.infusion, day.infusion)
        check_onsets(scope, old.infusion, day.infusion, by)
        verdict = judge(scope, day, parts_of(scope, old.infusion).moved(by), live=False, readiness=bool(by))
        _insert(scope, day, verdict)
        move_parts(scope, old.infusion, day.infusion, by)
        account_for(scope, day, verdict, given or Reasons(), standing, moved=bool(by))
        _keep_early_reason(scope, day.infusion)
        audit.record(scope, AuditAction.INFUSION_CORRECTED, day.infusion, before=before, reason=words)
        follow_first_infusion(scope, day.patient)
        return day.infusion.public_id


def withdraw_infusion(scope: Scope, patient: uuid.UUID, infusion: uuid.UUID, *, reason: str) -> None:
    """Mark an infusion as entered in error: it never happened. Its deviations end with it."""
    scope.require(Permission.RECORD_TREATMENT)
    with unit_of_work(scope) as work:
        owner = work.lock_patient(patient)
        row = find_fact(scope, Infusion, owner.id, infusion)
        check_unchanged(scope, row)
        before = audit.snapshot(row)
        withdraw(scope, row, reason)
        for deviation in deviations_of_infusion(scope, row.id):
            deviation.withdrawn_at = scope.now
        audit.record(scope, AuditAction.INFUSION_WITHDRAWN, row, before=before, reason=reason)
        follow_first_infusion(scope, owner)


def _new(
    scope: Scope,
    patient: Patient,
    course: TreatmentCourse,
    facts: InfusionFacts,
    answers: Answers = NOT_ASKED,
    *,
    form_token: str | None = None,
    time_zone: str | None = None,
) -> Infusion:
    """A row, not added yet. Its date is the local date of the start where it was given (decision 27)."""
    return Infusion(
        clinic_id=scope.clinic_id,
        patient_id=patient.id,
        course_id=course.id,
        infused_on=local_date(facts.started_at, time_zone or scope.time_zone),
        time_zone=time_zone,
        observation_minutes=regimen_of(scope, patient.protocol_id).observation_min,
        recorded_by_id=scope.user_id,
        recorded_at=scope.now,
        form_token=form_token,
        **asdict(facts),
        **answers._asdict(),
    )


def _replacement(scope: Scope, old: Day, facts: InfusionFacts) -> Infusion:
    """The row that corrects another: what the page does not ask again is kept."""
    was = old.infusion
    answers = Answers(*(getattr(was, name) for name in Answers._fields))
    row = _new(scope, old.patient, old.course, facts, answers, time_zone=was.time_zone)
    row.replaces_id = was.id
    row.observation_minutes, row.observation_reason = was.observation_minutes, was.observation_reason
    row.planned_minutes = was.planned_minutes
    row.is_back_entry, row.recorded_via = was.is_back_entry, was.recorded_via
    if row.discharged_at is not None:
        row.discharged_by_id = was.discharged_by_id or (None if was.is_back_entry else scope.user_id)
    return row


def _moved_by(old: Infusion, new: Infusion) -> timedelta:
    """A day on another date takes its parts along; another time on the same date leaves them where they are."""
    return new.started_at - old.started_at if new.infused_on != old.infused_on else timedelta()


def _add_past(
    scope: Scope, patient: Patient, course: TreatmentCourse, past: PastDay, given: Reasons, form_token: str | None
) -> Infusion:
    if past.facts.ended_at is None and past.facts.started_at > scope.now - LIVE_FOR:
        message = "This infusion may still run: start it on the page of the day, or enter when it ended."
        raise RuleViolation("still_running", "ended_at", message)
    row = _new(scope, patient, course, past.facts, form_token=form_token)
    row.is_back_entry = True
    day = Day(patient, course, row)
    parts = waiting_parts(scope, course, row) | stated_parts(scope, past.steroid, past.vitals)
    verdict = judge(scope, day, parts, live=False, readiness=True)
    _insert(scope, day, verdict)
    attach_waiting(scope, day.course, day.infusion)
    add_stated(scope, day, past.steroid, past.vitals)
    account_for(scope, day, verdict, given)
    _keep_early_reason(scope, row)
    audit.record(scope, AuditAction.INFUSION_RECORDED, row)
    return row


def _insert(scope: Scope, day: Day, verdict: Verdict) -> None:
    """Insert a row that the rules do not refuse. Where a unique index refuses it, its rule gives the words."""
    verdict.raise_if_refused()
    try:
        with db.session.begin_nested():
            db.session.add(day.infusion)
    except IntegrityError:
        judge(scope, day, Parts(), live=False, readiness=False).raise_if_refused()
        raise


def _keep_early_reason(scope: Scope, row: Infusion) -> None:
    """The reason of an early discharge also stands on the infusion, for the checklist."""
    reasons = [one.reason for one in deviations_of_infusion(scope, row.id) if one.code == EARLY_DISCHARGE]
    row.early_discharge_reason = reasons[-1] if reasons else None


def _day_token(form_token: str | None, day: PastDay) -> str | None:
    return f"{form_token}:{day.facts.day_number}" if form_token else None


def _at_day(violation: RuleViolation, index: int) -> RuleViolation:
    """The same violation at the field of the day; a missing reason concerns the page as a whole."""
    if violation.field is None or isinstance(violation, ReasonNeeded):
        return violation
    return RuleViolation(violation.code, f"days-{index}-{violation.field}", violation.message)

"""What belongs to an infusion: vital signs, premedication, reactions; also before it has started."""

import uuid
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import select

from clinic_tracker.domain.errors import NotFound, RuleViolation
from clinic_tracker.domain.infusion_day import Premedication as PremedicationGiven
from clinic_tracker.domain.local_time import local_date
from clinic_tracker.domain.notes import Verdict
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vitals import check_values
from clinic_tracker.domain.vocabulary import FactState, PremedicationKind
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.treatment import (
    DrugCheck,
    EarlyPart,
    Infusion,
    InfusionPart,
    InfusionPause,
    InfusionReaction,
    Premedication,
    VitalSigns,
)
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.day_parts import Parts, parts_of
from clinic_tracker.services.deviations import Reasons
from clinic_tracker.services.facts import already_recorded, check_reason
from clinic_tracker.services.infusion_rules import (
    Day,
    account_for,
    find_course_row,
    find_day,
    judge,
    standing_messages,
)
from clinic_tracker.services.start_rules import checks_lacking
from clinic_tracker.services.unit_of_work import unit_of_work

# Around an infusion, a time further away than this is a slip of the date.
NEAR = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class VitalsTaken:
    """One set of vital signs: mmHg, per minute, degrees Celsius, percent. At least one value."""

    taken_at: datetime
    systolic: int | None = None
    diastolic: int | None = None
    pulse: int | None = None
    temperature: float | None = None
    respiratory_rate: int | None = None
    oxygen_saturation: int | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SteroidGiven:
    """A corticosteroid recorded after the fact."""

    drug: str
    given_at: datetime
    dose: str | None = None
    ended_at: datetime | None = None


class Target(NamedTuple):
    """Where a part belongs: to an infusion, or to a course on its way to today's infusion."""

    patient: uuid.UUID
    infusion: uuid.UUID | None = None
    course: uuid.UUID | None = None


def record_vital_signs(
    scope: Scope,
    target: Target,
    vitals: VitalsTaken,
    *,
    confirmed: Collection[str] = (),
    form_token: str | None = None,
) -> None:
    """Record one set of vital signs, before or during the infusion or in observation (R-47).

    RuleViolation when no value is given or one cannot be, for a time in the future or not near the infusion;
    Questioned for an unlikely value that is not among the ``confirmed`` ones.
    """
    scope.require(Permission.RECORD_TREATMENT)
    with unit_of_work(scope) as work:
        patient = work.lock_patient(target.patient)
        if already_recorded(scope, VitalSigns, form_token):
            return
        check_time(scope, vitals.taken_at, "taken_at")
        check_values(asdict(vitals), confirmed)
        target = _placed(scope, patient, target)
        standing = _standing(scope, patient, target)
        row = VitalSigns(**asdict(vitals))
        add_part(scope, patient, target, row, form_token)
        audit.record(scope, AuditAction.VITAL_SIGNS_RECORDED, row, patient_id=patient.id)
        _settle_parts(scope, patient, target, standing)


def record_premedication(
    scope: Scope,
    target: Target,
    *,
    kind: PremedicationKind,
    drug: str,
    dose: str | None,
    given_at: datetime,
    ended_at: datetime | None,
    given: Reasons | None = None,
    form_token: str | None = None,
) -> None:
    """Record a drug given around the infusion (R-43, R-44).

    RuleViolation for a time in the future, not near the infusion, or an end before its start; ReasonNeeded for a
    corticosteroid that was late.
    """
    scope.require(Permission.RECORD_TREATMENT)
    with unit_of_work(scope) as work:
        patient = work.lock_patient(target.patient)
        if already_recorded(scope, Premedication, form_token):
            return
        check_time(scope, given_at, "given_at")
        if ended_at is not None:
            check_time(scope, ended_at, "ended_at")
            if ended_at < given_at:
                raise RuleViolation("premedication_backwards", "ended_at", "The drug ends before it begins.")
        target = _placed(scope, patient, target)
        standing = _standing(scope, patient, target)
        row = Premedication(kind=kind.value, drug=drug, dose=dose, given_at=given_at, ended_at=ended_at)
        add_part(scope, patient, target, row, form_token)
        audit.record(scope, AuditAction.PREMEDICATION_RECORDED, row, patient_id=patient.id)
        _settle_parts(scope, patient, target, standing, given)


class PartKind(NamedTuple):
    """How one kind of part is withdrawn."""

    model: type[InfusionPart]
    action: AuditAction


PART_KINDS: dict[str, PartKind] = {
    "vitals": PartKind(VitalSigns, AuditAction.VITAL_SIGNS_WITHDRAWN),
    "premedication": PartKind(Premedication, AuditAction.PREMEDICATION_WITHDRAWN),
    "check": PartKind(DrugCheck, AuditAction.DRUG_CHECK_WITHDRAWN),
    "reaction": PartKind(InfusionReaction, AuditAction.REACTION_WITHDRAWN),
    "pause": PartKind(InfusionPause, AuditAction.PAUSE_WITHDRAWN),
}


def withdraw_part(scope: Scope, target: Target, kind: str, part: uuid.UUID, *, reason: str) -> None:
    """Mark one part of an infusion as entered in error; it stays in the audit trail.

    Where the infusion then lacks something that the protocol asks for, that is a deviation with the same reason.
    """
    scope.require(Permission.RECORD_TREATMENT)
    with unit_of_work(scope) as work:
        patient = work.lock_patient(target.patient)
        words = check_reason(scope, reason)
        row = _find_part(scope, patient, target, kind, part)
        standing = _standing(scope, patient, target)
        before = audit.snapshot(row)
        row.withdrawn_at, row.withdrawn_by_id = scope.now, scope.user_id
        audit.record(scope, PART_KINDS[kind].action, row, patient_id=patient.id, before=before, reason=words)
        lacking = checks_lacking(scope, patient, row.infusion_id) if kind == "check" and row.infusion_id else None
        _settle_parts(scope, patient, target, standing, Reasons(words), lacking)


def stated_parts(_scope: Scope, steroid: SteroidGiven | None, vitals: VitalsTaken | None) -> Parts:
    """What a back entry states, as the rules want it."""
    drugs = (PremedicationGiven(PremedicationKind.STEROID, steroid.given_at, steroid.ended_at),) if steroid else ()
    return Parts(premedications=drugs, vitals_at=(vitals.taken_at,) if vitals else ())


def add_stated(scope: Scope, day: Day, steroid: SteroidGiven | None, vitals: VitalsTaken | None) -> None:
    """Add what a back entry states to its infusion, inside the unit of work."""
    if steroid is not None:
        drug = Premedication(kind=PremedicationKind.STEROID.value, **asdict(steroid))
        _join(day, drug)
        sign_part(scope, drug, None)
        audit.record(scope, AuditAction.PREMEDICATION_RECORDED, drug, patient_id=day.patient.id)
    if vitals is not None:
        taken = VitalSigns(**asdict(vitals))
        _join(day, taken)
        sign_part(scope, taken, None)
        audit.record(scope, AuditAction.VITAL_SIGNS_RECORDED, taken, patient_id=day.patient.id)


TIMES: dict[type[EarlyPart], str] = {VitalSigns: "taken_at", Premedication: "given_at", DrugCheck: "checked_at"}


def add_part(scope: Scope, patient: Patient, target: Target, row: EarlyPart, form_token: str | None) -> None:
    """Add a part to its infusion, or let it wait for today's, inside the unit of work; RuleViolation for its time."""
    field = TIMES[type(row)]
    at = getattr(row, field)
    if target.infusion is not None:
        day = find_day(scope, patient, target.infusion)
        _join(day, row)
        latest = day.infusion.discharged_at or day.infusion.started_at
        if not day.infusion.started_at - NEAR <= at <= latest + NEAR:
            raise RuleViolation("far_from_infusion", field, "This is more than a day away from the infusion.")
    else:
        assert target.course is not None
        row.course_id = find_course_row(scope, patient, target.course).id
        row.for_on = local_date(at, scope.time_zone)
        if row.for_on != scope.today:
            raise RuleViolation("not_today", field, "Before the infusion starts, record what was done today.")
    sign_part(scope, row, form_token)


def started_today(scope: Scope, course_id: int) -> uuid.UUID | None:
    """Today's infusion of a course, if it has started."""
    return db.session.execute(
        select(Infusion.public_id).where(
            Infusion.clinic_id == scope.clinic_id,
            Infusion.course_id == course_id,
            Infusion.infused_on == scope.today,
            Infusion.state == FactState.RECORDED.value,
        )
    ).scalar_one_or_none()


def _placed(scope: Scope, patient: Patient, target: Target) -> Target:
    """Where a part belongs by now: to the infusion, if it was started while the part was being typed."""
    if target.course is None:
        return target
    infusion = started_today(scope, find_course_row(scope, patient, target.course).id)
    return target if infusion is None else Target(target.patient, infusion=infusion)


def _join(day: Day, row: EarlyPart) -> None:
    row.infusion_id, row.course_id, row.for_on = day.infusion.id, day.course.id, day.infusion.infused_on


def sign_part(scope: Scope, row: InfusionPart, form_token: str | None) -> None:
    """Add a part with who recorded it and when, inside the unit of work."""
    row.clinic_id = scope.clinic_id
    row.recorded_by_id = scope.user_id
    row.recorded_at = scope.now
    row.form_token = form_token
    db.session.add(row)
    db.session.flush()


def _standing(scope: Scope, patient: Patient, target: Target) -> frozenset[str]:
    if target.infusion is None:
        return frozenset()
    return standing_messages(scope, find_day(scope, patient, target.infusion))


def _settle_parts(
    scope: Scope,
    patient: Patient,
    target: Target,
    standing: frozenset[str],
    given: Reasons | None = None,
    lacking: Verdict | None = None,
) -> None:
    """A steroid or vital signs written down late may end a deviation of their infusion, or change its words."""
    if target.infusion is None:
        return
    day = find_day(scope, patient, target.infusion)
    verdict = judge(scope, day, parts_of(scope, day.infusion), live=False, readiness=False, extra=lacking)
    account_for(scope, day, verdict, given or Reasons(), standing)


def _find_part(scope: Scope, patient: Patient, target: Target, kind: str, part: uuid.UUID) -> Any:
    if kind not in PART_KINDS:
        raise NotFound("part")
    table: Any = PART_KINDS[kind].model
    if target.infusion is not None:
        belongs = table.infusion_id == find_day(scope, patient, target.infusion).infusion.id
    else:
        assert target.course is not None
        belongs = (table.course_id == find_course_row(scope, patient, target.course).id) & table.infusion_id.is_(None)
    row = db.session.execute(
        select(table).where(table.public_id == part, table.clinic_id == scope.clinic_id, belongs)
    ).scalar_one_or_none()
    if row is None:
        raise NotFound("part")
    if row.withdrawn_at is not None:
        raise RuleViolation("already_changed", None, "This entry was already marked as entered in error.")
    return row


def check_time(scope: Scope, at: datetime, field: str) -> None:
    """RuleViolation for a time that is still to come."""
    if at > scope.now:
        raise RuleViolation("future_time", field, "This time is in the future.")

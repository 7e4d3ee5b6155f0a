"""What the rules say about one infusion day of a patient, and the deviations that follow from it."""

import uuid
from collections.abc import Container
from dataclasses import replace
from typing import NamedTuple

from sqlalchemy import select

from clinic_tracker.domain.dosing import InfusionDay
from clinic_tracker.domain.errors import NotFound, RuleViolation
from clinic_tracker.domain.infusion_day import InfusionContext, InfusionEntry, check_infusion
from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.notes import Note, Severity, Verdict
from clinic_tracker.domain.readiness import depends_on_date, is_readiness
from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.treatment import (
    Deviation,
    Infusion,
    TreatmentCourse,
)
from clinic_tracker.queries.baseline import enrolled_on
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.suite import IMPORTED
from clinic_tracker.queries.treatment import regimen_of
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.day_parts import Parts, parts_of
from clinic_tracker.services.deviations import (
    Reasons,
    as_deviation,
    deviations_of_infusion,
    explained_for_course,
    record_deviation,
    settle,
)
from clinic_tracker.services.facts import check_unchanged, find_fact
from clinic_tracker.services.start_rules import decided_by_prescriber, readiness_notes


class Day(NamedTuple):
    """The rows that a use case on one infusion works with."""

    patient: Patient
    course: TreatmentCourse
    infusion: Infusion


def find_course_row(scope: Scope, patient: Patient, course: uuid.UUID) -> TreatmentCourse:
    """A course of this patient, to be changed; NotFound otherwise."""
    row = db.session.execute(
        select(TreatmentCourse)
        .where(
            TreatmentCourse.public_id == course,
            TreatmentCourse.patient_id == patient.id,
            TreatmentCourse.clinic_id == scope.clinic_id,
        )
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if row is None:
        raise NotFound("course")
    return row


def find_day(scope: Scope, patient: Patient, infusion: uuid.UUID) -> Day:
    """An infusion of this patient that stands, with its course. RuleViolation when somebody changed it meanwhile."""
    row = find_fact(scope, Infusion, patient.id, infusion)
    db.session.refresh(row)
    check_unchanged(scope, row)
    course = db.session.execute(select(TreatmentCourse).where(TreatmentCourse.id == row.course_id)).scalar_one()
    return Day(patient, course, row)


def check_course_open(_scope: Scope, course: TreatmentCourse) -> None:
    """RuleViolation when the course was discontinued."""
    if course.discontinued_on is not None:
        message = f"Course {course.number} was discontinued on {show_date(course.discontinued_on)}. Reopen it first."
        raise RuleViolation("course_discontinued", None, message)


def entry_of(_scope: Scope, day: Day, parts: Parts) -> InfusionEntry:
    """An infusion with its parts, as the rules want it."""
    row = day.infusion
    return InfusionEntry(
        course=day.course.number,
        day_number=row.day_number,
        infused_on=row.infused_on,
        dose_mg=row.dose_mg or 0.0,
        started_at=row.started_at,
        ended_at=row.ended_at,
        diluted_at=row.diluted_at,
        pauses=parts.pauses,
        premedications=parts.premedications,
        vitals_at=parts.vitals_at,
        lot_number=row.lot_number or "",
        lot_expires_on=row.lot_expires_on,
        discharged_at=row.discharged_at,
        stroke_counseled=bool(row.stroke_advice_given),
        late_reactions_counseled=bool(row.late_reaction_advice_given),
    )


def judge(
    scope: Scope, day: Day, parts: Parts, *, live: bool, readiness: bool, extra: Verdict | None = None
) -> Verdict:
    """Everything the rules say about an infusion day as it now stands, whether or not its row is stored yet.

    ``readiness`` adds what had to be in place before the start. Without ``live``, what happened before the enrollment
    or against a contraindication is a deviation and not refused.
    """
    patient, course, row = day
    context = InfusionContext(
        recorded=recorded_days(scope, patient.id, excluding=row.id),
        enrolled_on=enrolled_on(scope, patient.id, row.infused_on),
        now=scope.now,
        zone_name=row.time_zone or scope.time_zone,
        imported=row.recorded_via == IMPORTED,
    )
    regimen = regimen_of(scope, patient.protocol_id)
    regimen = replace(
        regimen,
        observation_min=row.observation_minutes,
        **{"course_days_first" if course.number == 1 else "course_days_further": course.planned_days},
    )
    verdict = check_infusion(entry_of(scope, day, parts), context, regimen) + (extra or Verdict())
    notes = list(verdict.notes)
    if readiness:
        told = {note.code for note in notes}
        found = readiness_notes(scope, patient, course, row, live=live)
        notes += [note for note in found if note.code not in told]
    if live:
        notes = decided_by_prescriber(scope, notes)
    else:
        notes = [as_deviation(scope, note) if _softened(note) else note for note in notes]
    return Verdict(tuple(notes))


def account_for(
    scope: Scope,
    day: Day,
    verdict: Verdict,
    given: Reasons,
    standing: Container[str] = frozenset(),
    *,
    moved: bool = False,
) -> None:
    """Bring the deviations of an infusion in line with the verdict, and record new ones with their reason.

    One that no longer applies is withdrawn; one that now reads differently is told anew with its old reason; one
    about readiness stays, because it was true before the start, unless the infusion ``moved`` to another date, for
    which the verdict judges it. ``standing`` are the messages that applied before this step: nobody is asked about
    them now. RuleViolation as ``settle`` raises it.
    """
    on_record = {row.code: row for row in deviations_of_infusion(scope, day.infusion.id)}
    explained = on_record.keys() | explained_for_course(scope, day.course, day.infusion.infused_on, verdict)
    fresh = Verdict(
        tuple(note for note in verdict.notes if not _is_explained(note, explained) and note.message not in standing)
    )
    for note in settle(scope, fresh, given):
        _record(scope, day, note, given.words)
    applying = {note.code: note for note in verdict.deviations}
    for code, row in on_record.items():
        still = applying.get(code)
        if still is None and (not is_readiness(code) or (moved and depends_on_date(code))):
            _withdraw(scope, row)
        elif still is not None and still.message != row.message:
            _withdraw(scope, row)
            _record(scope, day, still, row.reason)


def standing_messages(scope: Scope, day: Day) -> frozenset[str]:
    """What the rules say about an infusion as it is, before a step changes it."""
    verdict = judge(scope, day, parts_of(scope, day.infusion), live=False, readiness=False)
    return frozenset(note.message for note in verdict.deviations)


def recorded_days(scope: Scope, patient_id: int, excluding: int | None = None) -> tuple[InfusionDay, ...]:
    """The infusions of a patient that stand, without the one being judged."""
    rows = db.session.execute(
        select(TreatmentCourse.number, Infusion.day_number, Infusion.infused_on)
        .join(TreatmentCourse, TreatmentCourse.id == Infusion.course_id)
        .where(
            Infusion.clinic_id == scope.clinic_id,
            Infusion.patient_id == patient_id,
            Infusion.state == FactState.RECORDED.value,
            Infusion.id != (excluding or 0),
        )
    )
    return tuple(InfusionDay(number, day, on) for number, day, on in rows)


def _softened(note: Note) -> bool:
    """What nothing but a record of the past may depart from."""
    return note.severity is Severity.REFUSE and is_readiness(note.code)


def _is_explained(note: Note, explained: frozenset[str] | set[str]) -> bool:
    return note.severity is Severity.DEVIATION and note.code in explained


def _record(scope: Scope, day: Day, note: Note, reason: str) -> None:
    record_deviation(
        scope,
        day.patient.id,
        note,
        reason,
        day.infusion.infused_on,
        course_id=day.course.id,
        infusion_id=day.infusion.id,
    )


def _withdraw(scope: Scope, row: Deviation) -> None:
    before = audit.snapshot(row)
    row.withdrawn_at = scope.now
    audit.record(scope, AuditAction.DEVIATION_WITHDRAWN, row, before=before)

"""People on no list: what could go wrong without anything being overdue, counted and named."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, func, literal, or_, select, union_all

from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.access import Prescriber
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Enrollment, Patient
from clinic_tracker.models.schedule import PatientSchedule, Standing
from clinic_tracker.models.treatment import Authorization, Infusion, TreatmentCourse
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.settings import setting

SILENT = "no_evidence_days"
UNFINISHED_DAYS = 7  # so long the board of the suite expects the next day of a course
_STANDS = FactState.RECORDED.value
_TYPED = "screen"  # only a person at a screen can forget to sign a patient out; a file says what it says


class Tally(StrEnum):
    """What is counted. The values stand in addresses."""

    NO_COURSE_PLANNED = "no-course-planned"
    PLANNED_START_PASSED = "planned-start-passed"
    NOT_SIGNED_OUT = "not-signed-out"
    COURSE_UNFINISHED = "course-unfinished"
    NO_MONITORING = "no-monitoring"
    NO_EVIDENCE = "no-evidence"
    NO_PRESCRIBER = "no-prescriber"
    NOT_SIGNED_OFF = "not-signed-off"
    TO_AUTHORIZE = "to-authorize"


#: A queue of work rather than a gap: it has its own number on the home page.
QUEUES = frozenset({Tally.TO_AUTHORIZE})


@dataclass(frozen=True, slots=True)
class TallyRow:
    """One patient of a tally. ``since`` is the date that put them there, or None where none did."""

    patient_id: int
    public_id: UUID
    mrn: str
    family_name: str
    given_name: str
    birth_date: date
    prescriber: str | None
    since: date | None


Found = Select[Any]


def tally_counts(scope: Scope) -> dict[Tally, int]:
    """How many patients each tally holds: one statement after that for the clinic's settings."""
    parts = []
    for tally, find in _FINDERS.items():
        found = find(scope).subquery()
        parts.append(select(literal(tally.value).label("tally"), func.count().label("people")).select_from(found))
    counts = {row[0]: row[1] for row in db.session.execute(union_all(*parts))}
    return {tally: counts[tally.value] for tally in Tally}


def tally_patients(scope: Scope, tally: Tally) -> list[TallyRow]:
    """The patients of a tally, the longest there first; all of them, as nobody may drop off the end of a list."""
    found = _FINDERS[tally](scope).subquery()
    rows = db.session.execute(
        select(
            Patient.id,
            Patient.public_id,
            Patient.mrn,
            Patient.family_name,
            Patient.given_name,
            Patient.birth_date,
            Prescriber.name,
            found.c.since,
        )
        .select_from(found)
        .join(Patient, Patient.id == found.c.patient_id)
        .outerjoin(Prescriber, Prescriber.id == Patient.prescriber_id)
        .order_by(found.c.since.is_(None), found.c.since, func.lower(Patient.family_name), Patient.id)
    )
    return [TallyRow(*row) for row in rows]


def _people(scope: Scope, since: Any) -> Found:
    """The clinic's own patients with the date that matters; merged charts left out."""
    return select(Patient.id.label("patient_id"), since.label("since")).where(
        Patient.clinic_id == scope.clinic_id, Patient.merged_into_id.is_(None)
    )


def _scheduled(scope: Scope, since: Any) -> Found:
    return _people(scope, since).join(PatientSchedule, PatientSchedule.patient_id == Patient.id)


def _infused(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(Infusion.patient_id == Patient.id, Infusion.state == _STANDS, *conditions)


def _not_closed() -> ColumnElement[bool]:
    return PatientSchedule.monitoring_closed_on.is_(None)


def _no_course_planned(scope: Scope) -> Found:
    """Enrolled, and neither treated nor planned for a course."""
    course = exists().where(TreatmentCourse.patient_id == Patient.id, TreatmentCourse.discontinued_on.is_(None))
    return (
        _people(scope, Enrollment.enrolled_on)
        .join(Enrollment, Enrollment.patient_id == Patient.id)
        .where(Enrollment.state == _STANDS, Enrollment.ended_on.is_(None), ~course, ~_infused())
    )


def _planned_start_passed(scope: Scope) -> Found:
    """A course whose planned start has passed without an infusion."""
    begun = exists().where(Infusion.course_id == TreatmentCourse.id, Infusion.state == _STANDS)
    return (
        _people(scope, func.min(TreatmentCourse.planned_start_on))
        .join(TreatmentCourse, TreatmentCourse.patient_id == Patient.id)
        .where(
            TreatmentCourse.planned_start_on < scope.today,
            TreatmentCourse.discontinued_on.is_(None),
            ~begun,
        )
        .group_by(Patient.id)
    )


def _not_signed_out(scope: Scope) -> Found:
    """An infusion of an earlier day whose patient was never discharged."""
    return (
        _people(scope, func.min(Infusion.infused_on))
        .join(Infusion, Infusion.patient_id == Patient.id)
        .where(
            Infusion.state == _STANDS,
            Infusion.discharged_at.is_(None),
            Infusion.infused_on < scope.today,
            Infusion.recorded_via == _TYPED,
        )
        .group_by(Patient.id)
    )


def _course_unfinished(scope: Scope) -> Found:
    """A course of which days are left, without an infusion for a week, and that nobody has discontinued (R-53)."""
    last = func.max(Infusion.infused_on)
    courses = (
        select(Infusion.course_id, last.label("last_on"))
        .join(TreatmentCourse, TreatmentCourse.id == Infusion.course_id)
        .where(
            Infusion.clinic_id == scope.clinic_id,
            Infusion.state == _STANDS,
            Infusion.recorded_via == _TYPED,
            TreatmentCourse.discontinued_on.is_(None),
        )
        .group_by(Infusion.course_id, TreatmentCourse.planned_days)
        .having(and_(func.count() < TreatmentCourse.planned_days, last < scope.today - timedelta(days=UNFINISHED_DAYS)))
        .subquery()
    )
    return (
        _people(scope, func.min(courses.c.last_on))
        .join(TreatmentCourse, TreatmentCourse.patient_id == Patient.id)
        .join(courses, courses.c.course_id == TreatmentCourse.id)
        .group_by(Patient.id)
    )


def _no_monitoring(scope: Scope) -> Found:
    """Treated, before the end of monitoring, not signed off, and still nothing is owed at any time."""
    owed = exists().where(Standing.patient_id == Patient.id, Standing.next_due_on.is_not(None))
    unscheduled = (
        _people(scope, literal(None, type_=Infusion.infused_on.type))
        .outerjoin(PatientSchedule, PatientSchedule.patient_id == Patient.id)
        .where(_infused(), ~owed, _not_closed())
    )
    return unscheduled.where(
        or_(PatientSchedule.monitoring_ends_on.is_(None), PatientSchedule.monitoring_ends_on >= scope.today)
    )


def is_lost(scope: Scope) -> ColumnElement[bool]:
    """Treated, not signed off, and not one result, exam, form or infusion for the clinic's number of days (C)."""
    before = scope.today - timedelta(days=setting(scope, SILENT))
    return and_(
        PatientSchedule.first_infusion_on.is_not(None), _not_closed(), PatientSchedule.last_evidence_on < before
    )


def _no_evidence(scope: Scope) -> Found:
    """Those who are lost, as the dashboard and the report count them."""
    return _scheduled(scope, PatientSchedule.last_evidence_on).where(is_lost(scope))


def _no_prescriber(scope: Scope) -> Found:
    """Nobody answers for the patient: no prescriber, or one who is no longer active."""
    return (
        _people(scope, literal(None, type_=Infusion.infused_on.type))
        .outerjoin(Prescriber, Prescriber.id == Patient.prescriber_id)
        .outerjoin(PatientSchedule, PatientSchedule.patient_id == Patient.id)
        .where(_not_closed(), or_(Prescriber.id.is_(None), Prescriber.is_active.is_(False)))
    )


def _not_signed_off(scope: Scope) -> Found:
    """Monitoring has ended, and no prescriber has signed it off (R-85)."""
    return _scheduled(scope, PatientSchedule.monitoring_ends_on).where(
        and_(PatientSchedule.monitoring_ends_on < scope.today, _not_closed())
    )


def _to_authorize(scope: Scope) -> Found:
    """A planned course that has not begun, without an authorization in force today and on its first day (R-14)."""
    authorized = exists().where(
        Authorization.course_id == TreatmentCourse.id,
        Authorization.state == _STANDS,
        Authorization.expires_on >= scope.today,
        Authorization.expires_on >= func.coalesce(TreatmentCourse.planned_start_on, scope.today),
    )
    begun = exists().where(Infusion.course_id == TreatmentCourse.id, Infusion.state == _STANDS)
    return (
        _people(scope, func.min(TreatmentCourse.planned_start_on))
        .join(TreatmentCourse, TreatmentCourse.patient_id == Patient.id)
        .where(TreatmentCourse.discontinued_on.is_(None), ~authorized, ~begun)
        .group_by(Patient.id)
    )


_FINDERS: dict[Tally, Callable[[Scope], Found]] = {
    Tally.NO_COURSE_PLANNED: _no_course_planned,
    Tally.PLANNED_START_PASSED: _planned_start_passed,
    Tally.NOT_SIGNED_OUT: _not_signed_out,
    Tally.COURSE_UNFINISHED: _course_unfinished,
    Tally.NO_MONITORING: _no_monitoring,
    Tally.NO_EVIDENCE: _no_evidence,
    Tally.NO_PRESCRIBER: _no_prescriber,
    Tally.NOT_SIGNED_OFF: _not_signed_off,
    Tally.TO_AUTHORIZE: _to_authorize,
}

"""The calls after courses: which are owed in a clinic, and what was said in those that were made."""

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, Subquery, case, func, select
from sqlalchemy.orm import aliased

from clinic_tracker.domain.errors import NotFound
from clinic_tracker.domain.follow_up import Call, FollowUp, FollowUpFacts, FollowUpHours, FollowUpState, follow_up
from clinic_tracker.domain.local_time import local_date
from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.access import Prescriber, User
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.schedule import PatientSchedule
from clinic_tracker.models.treatment import CourseFollowUp, Infusion, TreatmentCourse
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.settings import protocol_in_force

RECORDED = FactState.RECORDED.value


class CallRow(NamedTuple):
    """One contact after a course, also one that was corrected or entered in error."""

    id: int
    public_id: uuid.UUID
    course_id: int
    contacted_at: datetime
    channel: str
    reached: bool
    symptoms: list[Any]
    advice: str | None
    note: str | None
    state: str
    recorded_at: datetime
    recorded_by: str | None
    withdrawn_at: datetime | None
    withdrawn_by: str | None
    withdrawn_reason: str | None

    @property
    def stands(self) -> bool:
        """Whether it was neither corrected nor withdrawn."""
        return self.state == FactState.RECORDED


@dataclass(frozen=True, slots=True)
class CourseCall:
    """The call after one course: of whom, where it stands, and the contacts that stand, newest first."""

    patient_id: int
    patient: uuid.UUID
    family_name: str
    given_name: str
    birth_date: date
    mrn: str
    phone: str | None
    prescriber: str | None
    course: uuid.UUID
    course_number: int
    days_given: int
    planned_days: int
    last_ended_at: datetime
    follow_up: FollowUp
    calls: tuple[CallRow, ...]


class OwedCalls(NamedTuple):
    """Calls after a course that are to be made."""

    open: int
    late: int


def course_calls(scope: Scope) -> list[CourseCall]:
    """The call after every course of the clinic that was begun."""
    return _course_calls(scope, Patient.merged_into_id.is_(None))


def owed_of(_scope: Scope, calls: Sequence[CourseCall]) -> list[CourseCall]:
    """Those that are owed now, by when their window ends or ended: the latest first."""
    owed = [row for row in calls if row.follow_up.is_owed]
    return sorted(owed, key=lambda row: (row.follow_up.closes_at, row.patient_id))


def symptoms_since(_scope: Scope, calls: Sequence[CourseCall], since: datetime) -> list[CourseCall]:
    """Those in which a symptom was told since an instant, the newest first."""
    told = {
        row.course: max(call.contacted_at for call in row.calls if call.symptoms)
        for row in calls
        if any(call.symptoms and call.contacted_at >= since for call in row.calls)
    }
    return sorted((row for row in calls if row.course in told), key=lambda row: told[row.course], reverse=True)


def owed_count(scope: Scope) -> OwedCalls:
    """How many calls are owed now, and how many of them are late."""
    owed = owed_of(scope, course_calls(scope))
    return OwedCalls(len(owed), sum(row.follow_up.state is FollowUpState.LATE for row in owed))


def patient_calls(scope: Scope, patient_id: int) -> list[CourseCall]:
    """The calls after the courses of one patient that were begun, newest course first."""
    found = _course_calls(scope, Patient.id == patient_id)
    return sorted(found, key=lambda row: row.course_number, reverse=True)


def call_history(scope: Scope, patient_id: int) -> list[CallRow]:
    """Every contact after a course of one patient, newest first; corrected and withdrawn ones too."""
    statement = _calls(scope).where(CourseFollowUp.patient_id == patient_id)
    rows = db.session.execute(statement.order_by(CourseFollowUp.contacted_at.desc(), CourseFollowUp.id.desc()))
    return [CallRow(*row) for row in rows]


def find_call(scope: Scope, patient_id: int, call: uuid.UUID) -> CallRow:
    """One contact of this patient in whatever state; NotFound otherwise."""
    statement = _calls(scope).where(CourseFollowUp.patient_id == patient_id, CourseFollowUp.public_id == call)
    row = db.session.execute(statement).one_or_none()
    if row is None:
        raise NotFound("course_follow_up")
    return CallRow(*row)


def call_state(scope: Scope, patient_id: int, course: uuid.UUID) -> CourseCall:
    """The call after one course; NotFound for a course without an infusion, and for one of another patient."""
    for row in _course_calls(scope, (Patient.id == patient_id) & (TreatmentCourse.public_id == course)):
        return row
    raise NotFound("course")


def _course_calls(scope: Scope, condition: ColumnElement[bool]) -> list[CourseCall]:
    """The courses with infusions that fit, each judged; three statements whatever their number."""
    courses = list(db.session.execute(_courses(scope).where(condition)))
    hours = {protocol: _hours(scope, protocol) for protocol in {row.protocol_id for row in courses}}
    calls: defaultdict[int, list[CallRow]] = defaultdict(list)
    statement = _calls(scope).join(Patient, Patient.id == CourseFollowUp.patient_id)
    if courses:
        told = statement.join(TreatmentCourse, TreatmentCourse.id == CourseFollowUp.course_id).where(
            condition, CourseFollowUp.state == RECORDED
        )
        for row in db.session.execute(told.order_by(CourseFollowUp.contacted_at.desc(), CourseFollowUp.id.desc())):
            calls[row.course_id].append(CallRow(*row))
    return [_course_call(scope, row, hours[row.protocol_id], tuple(calls[row.id])) for row in courses]


def _course_call(scope: Scope, row: Any, hours: FollowUpHours, calls: tuple[CallRow, ...]) -> CourseCall:
    facts = FollowUpFacts(
        last_ended_at=row.last_ended_at,
        over=row.days_given >= row.planned_days or row.discontinued_on is not None,
        first_told_at=row.first_told_at,
        calls=[Call(call.contacted_at, call.reached) for call in calls],
        closed=row.monitoring_closed_on is not None
        and row.monitoring_closed_on >= local_date(row.last_ended_at, scope.time_zone),
    )
    values: dict[str, Any] = {field.name: getattr(row, field.name) for field in fields(CourseCall)[:-2]}
    return CourseCall(**values, follow_up=follow_up(facts, hours, scope.now), calls=calls)


def _hours(scope: Scope, protocol_id: str) -> FollowUpHours:
    protocol = protocol_in_force(scope, protocol_id)
    return FollowUpHours(protocol.value("follow_up_from_hours"), protocol.value("follow_up_to_hours"))


def _infusions(scope: Scope) -> Subquery:
    """By course: how many infusions stand, when the last one ended, when any was entered."""
    stands = Infusion.state == RECORDED
    ended = func.coalesce(Infusion.ended_at, Infusion.started_at)
    return (
        select(
            Infusion.course_id.label("course_id"),
            func.count(case((stands, Infusion.id))).label("days_given"),
            func.max(case((stands, ended)), type_=Infusion.started_at.type).label("last_ended_at"),
            func.min(Infusion.recorded_at).label("first_told_at"),
        )
        .where(Infusion.clinic_id == scope.clinic_id)
        .group_by(Infusion.course_id)
        .subquery()
    )


def _courses(scope: Scope) -> Select[*tuple[Any, ...]]:
    """The courses of the clinic with infusions that stand."""
    days = _infusions(scope)
    statement: Select[*tuple[Any, ...]] = (
        select(
            Patient.id.label("patient_id"),
            Patient.public_id.label("patient"),
            Patient.family_name,
            Patient.given_name,
            Patient.birth_date,
            Patient.mrn,
            Patient.phone,
            Prescriber.name.label("prescriber"),
            TreatmentCourse.public_id.label("course"),
            TreatmentCourse.number.label("course_number"),
            days.c.days_given,
            TreatmentCourse.planned_days,
            days.c.last_ended_at,
            days.c.first_told_at,
            TreatmentCourse.id,
            TreatmentCourse.discontinued_on,
            Patient.protocol_id,
            PatientSchedule.monitoring_closed_on,
        )
        .join(Patient, Patient.id == TreatmentCourse.patient_id)
        .join(days, days.c.course_id == TreatmentCourse.id)
        .outerjoin(Prescriber, Prescriber.id == Patient.prescriber_id)
        .outerjoin(PatientSchedule, PatientSchedule.patient_id == Patient.id)
        .where(TreatmentCourse.clinic_id == scope.clinic_id, days.c.days_given > 0)
    )
    return statement


def _calls(scope: Scope) -> Select[*tuple[Any, ...]]:
    recorder, withdrawer = aliased(User), aliased(User)
    named = {"recorded_by": recorder.name, "withdrawn_by": withdrawer.name}
    columns = [named[name].label(name) if name in named else getattr(CourseFollowUp, name) for name in CallRow._fields]
    return (
        select(*columns)
        .outerjoin(recorder, recorder.id == CourseFollowUp.recorded_by_id)
        .outerjoin(withdrawer, withdrawer.id == CourseFollowUp.withdrawn_by_id)
        .where(CourseFollowUp.clinic_id == scope.clinic_id)
    )

"""What a merge of two charts would move, what would stay, and what stands against it."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise

from sqlalchemy import Column, Table, func, select, union_all

from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import InboundResult, LabOrder, PatientIdentifier
from clinic_tracker.models.monitoring import (
    Exam,
    FormSubmission,
    LabReport,
    MonitoringDecision,
    Outreach,
    Vaccination,
    Waiver,
)
from clinic_tracker.models.patients import Enrollment, Patient
from clinic_tracker.models.reviewing import Acknowledgement, FollowUpTask
from clinic_tracker.models.suite import ChairBooking
from clinic_tracker.models.treatment import (
    Authorization,
    CourseFollowUp,
    Deviation,
    Infusion,
    Prophylaxis,
    TreatmentCourse,
)
from clinic_tracker.queries.scope import Scope

RECORDED = FactState.RECORDED.value


def _table(model: type) -> Table:
    table = model.__table__  # type: ignore[attr-defined]
    assert isinstance(table, Table)
    return table


# Every table whose rows belong to a patient; not the projections, which are computed, and the logs, which stay true.
MERGED_TABLES: tuple[Table, ...] = tuple(
    _table(model)
    for model in (
        Enrollment,
        TreatmentCourse,
        Authorization,
        ChairBooking,
        Infusion,
        CourseFollowUp,
        Deviation,
        Prophylaxis,
        LabReport,
        Exam,
        Vaccination,
        FormSubmission,
        Waiver,
        MonitoringDecision,
        Outreach,
        InboundResult,
        PatientIdentifier,
        LabOrder,
        Acknowledgement,
        FollowUpTask,
    )
)


@dataclass(frozen=True, slots=True)
class CourseFacts:
    """A course of one of the charts: its number and the days on which it was given."""

    id: int
    patient_id: int
    number: int
    days: tuple[date, ...]


def rows_of(scope: Scope, patient_id: int) -> dict[str, int]:
    """How many rows of each table a chart holds, by the name of the table; tables without any are left out."""
    counts = [
        select(func.count())
        .select_from(table)
        .where(table.c.clinic_id == scope.clinic_id, table.c.patient_id == patient_id)
        .scalar_subquery()
        for table in MERGED_TABLES
    ]
    found = db.session.execute(select(*counts)).one()
    return {table.name: count for table, count in zip(MERGED_TABLES, found, strict=True) if count}


def empty_courses(scope: Scope, survivor: int, duplicate: int) -> frozenset[int]:
    """Courses of the duplicate that stay there: nothing of them stands, and the survivor has that number too."""
    courses = _courses(scope, survivor, duplicate)
    taken = {course.number for course in courses if course.patient_id == survivor}
    doubled = [course for course in courses if course.patient_id == duplicate and course.number in taken]
    return frozenset(course.id for course in doubled if not _is_used(scope, course.id))


def conflicts_between(scope: Scope, survivor: int, duplicate: int) -> tuple[str, ...]:
    """What stands against merging, in sentences for people; () when nothing does."""
    courses = _courses(scope, survivor, duplicate)
    staying = empty_courses(scope, survivor, duplicate)
    going = [course for course in courses if course.id not in staying]
    return (
        *_same_numbers(going),
        *_same_days(going),
        *_out_of_order(going),
        *_two_enrollments(scope, survivor, duplicate),
        *_other_protocol(scope, survivor, duplicate),
    )


def _courses(scope: Scope, survivor: int, duplicate: int) -> list[CourseFacts]:
    days: defaultdict[int, list[date]] = defaultdict(list)
    infusions = select(Infusion.course_id, Infusion.infused_on).where(
        Infusion.clinic_id == scope.clinic_id,
        Infusion.patient_id.in_([survivor, duplicate]),
        Infusion.state == RECORDED,
    )
    for course, infused_on in db.session.execute(infusions.order_by(Infusion.infused_on)):
        days[course].append(infused_on)
    rows = db.session.execute(
        select(TreatmentCourse.id, TreatmentCourse.patient_id, TreatmentCourse.number)
        .where(TreatmentCourse.clinic_id == scope.clinic_id, TreatmentCourse.patient_id.in_([survivor, duplicate]))
        .order_by(TreatmentCourse.number, TreatmentCourse.id)
    )
    return [CourseFacts(key, patient, number, tuple(days[key])) for key, patient, number in rows]


def _is_used(scope: Scope, course_id: int) -> bool:
    """Whether anything that stands hangs on a course."""
    standing = [
        select(table.c.id).where(
            table.c.clinic_id == scope.clinic_id, table.c.course_id == course_id, _ended_at(table).is_(None)
        )
        for table in MERGED_TABLES
        if "course_id" in table.c
    ]
    return db.session.execute(union_all(*standing)).first() is not None


def _ended_at(table: Table) -> Column[datetime]:
    """When a row of the table ceased to stand: facts are withdrawn, bookings are cancelled."""
    return table.c.withdrawn_at if "withdrawn_at" in table.c else table.c.cancelled_at


def _same_numbers(courses: list[CourseFacts]) -> tuple[str, ...]:
    return tuple(
        f"Both charts have a course {one.number}. Keep the chart on which it was given; if it was entered on both, "
        "mark what the other chart holds of it as entered in error first."
        for one, other in pairwise(courses)
        if one.number == other.number
    )


def _same_days(courses: list[CourseFacts]) -> tuple[str, ...]:
    charts: defaultdict[date, set[int]] = defaultdict(set)
    for course in courses:
        for day in course.days:
            charts[day].add(course.patient_id)
    return tuple(
        f"Both charts have an infusion on {show_date(day)}. Mark one of them as entered in error first."
        for day, patients in sorted(charts.items())
        if len(patients) > 1
    )


def _out_of_order(courses: list[CourseFacts]) -> tuple[str, ...]:
    given = [course for course in courses if course.days]
    return tuple(
        f"Course {later.number} would begin on {show_date(later.days[0])}, not after the end of course "
        f"{earlier.number} on {show_date(earlier.days[-1])}. Correct the course numbers first."
        for earlier, later in pairwise(given)
        if later.number > earlier.number and later.days[0] <= earlier.days[-1]
    )


def _two_enrollments(scope: Scope, survivor: int, duplicate: int) -> tuple[str, ...]:
    current = db.session.execute(
        select(Enrollment.patient_id, Enrollment.enrolled_on).where(
            Enrollment.clinic_id == scope.clinic_id,
            Enrollment.patient_id.in_([survivor, duplicate]),
            Enrollment.state == RECORDED,
            Enrollment.ended_on.is_(None),
        )
    ).all()
    if len(current) < len((survivor, duplicate)):
        return ()
    dates = " and ".join(show_date(row.enrolled_on) for row in sorted(current, key=lambda row: row.enrolled_on))
    words = f"Both charts have a current enrollment ({dates}). A patient is enrolled once: "
    return (f"{words}end one, or mark it as entered in error, first.",)


def _other_protocol(scope: Scope, survivor: int, duplicate: int) -> tuple[str, ...]:
    protocols = db.session.execute(
        select(Patient.protocol_id)
        .where(Patient.clinic_id == scope.clinic_id, Patient.id.in_([survivor, duplicate]))
        .distinct()
    ).all()
    if len(protocols) == 1:
        return ()
    return ("The charts follow different protocols: they cannot be merged.",)

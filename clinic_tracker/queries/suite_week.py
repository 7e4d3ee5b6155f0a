"""A stretch of days of the suite: what is booked, what is still to be booked, who is not ready."""

import uuid
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple

from sqlalchemy import or_, select

from clinic_tracker.domain.booked_days import CourseDays
from clinic_tracker.domain.readiness import Readiness
from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.suite import ChairBooking
from clinic_tracker.models.treatment import Infusion, TreatmentCourse
from clinic_tracker.queries.chairs import BookingRow, ChairRow, bookings_between, chairs, course_days
from clinic_tracker.queries.readiness import readiness_of_many
from clinic_tracker.queries.scope import Scope

AHEAD = timedelta(days=14)
# A course whose start has passed, or whose last day was given, is still looked after for so long.
STALE = timedelta(days=30)


class CourseOfPatient(NamedTuple):
    """A course and whose it is."""

    id: int
    public_id: uuid.UUID
    number: int
    planned_days: int
    patient_id: int
    patient: uuid.UUID
    family_name: str
    given_name: str
    birth_date: date
    mrn: str
    protocol_id: str


class ToBook(NamedTuple):
    """A course with days that have no chair yet, and when they would be."""

    course: CourseOfPatient
    dates: tuple[date, ...]
    planned_start_on: date | None
    begun: bool


class NotReady(NamedTuple):
    """A course whose next day is near and not ready."""

    course: CourseOfPatient
    on: date
    day_number: int
    readiness: Readiness


@dataclass(frozen=True, slots=True)
class SuiteDays:
    """Days of the suite. ``readiness`` is by course and date, of days that are still to come."""

    chairs: list[ChairRow]
    bookings: list[BookingRow]
    courses: dict[int, CourseDays]
    readiness: dict[tuple[int, date], Readiness]
    to_book: list[ToBook]
    not_ready: list[NotReady]

    @property
    def patient_ids(self) -> list[int]:
        """Everybody on the page, for the access log."""
        others = {row.course.patient_id for row in self.to_book} | {row.course.patient_id for row in self.not_ready}
        return sorted({row.patient_id for row in self.bookings} | others)


def suite_days(scope: Scope, first: date, last: date) -> SuiteDays:
    """The suite from a day to another, and who of the next 14 days is not ready, in a fixed number of statements."""
    bookings = bookings_between(scope, first, last)
    concerned = {course.id: course for course in _concerned(scope, first, last)}
    days = course_days(scope, sorted(concerned))
    coming = _coming(scope, days)
    booked = [
        (row.course_id, row.booked_on)
        for row in bookings
        if row.booked_on >= scope.today and row.booked_on not in days[row.course_id].given
    ]
    found = readiness_of_many(scope, sorted({*coming, *booked}))
    return SuiteDays(
        chairs=chairs(scope),
        bookings=bookings,
        courses=days,
        readiness=found,
        to_book=_to_book(scope, concerned, days, first, last),
        not_ready=[
            NotReady(concerned[key], on, len(days[key].given) + 1, found[key, on])
            for key, on in coming
            if not found[key, on].is_ready
        ],
    )


def _coming(scope: Scope, days: dict[int, CourseDays]) -> list[tuple[int, date]]:
    """The courses whose next day is within the next 14, by date."""
    found = [(course.next_on(scope.today), key) for key, course in days.items()]
    return [(key, on) for on, key in sorted((on, key) for on, key in found if on is not None) if _is_near(scope, on)]


def _is_near(scope: Scope, on: date) -> bool:
    return scope.today <= on <= scope.today + AHEAD


def _to_book(
    scope: Scope, concerned: dict[int, CourseOfPatient], days: dict[int, CourseDays], first: date, last: date
) -> list[ToBook]:
    found = []
    for key, course in days.items():
        dates = course.unbooked(scope.today)
        if any(first <= on <= last for on in dates):
            found.append(ToBook(concerned[key], dates, course.planned_start_on, bool(course.given)))
    return sorted(found, key=lambda row: (row.dates, row.course.family_name, row.course.id))


def _concerned(scope: Scope, first: date, last: date) -> list[CourseOfPatient]:
    """The courses booked or planned in these days or the next 14, begun lately, or planned lately and not begun."""
    table = TreatmentCourse
    soon = scope.today + AHEAD
    booked = select(ChairBooking.course_id).where(
        ChairBooking.clinic_id == scope.clinic_id,
        ChairBooking.cancelled_at.is_(None),
        or_(ChairBooking.booked_on.between(first, last), ChairBooking.booked_on.between(scope.today, soon)),
    )
    begun = select(Infusion.course_id).where(
        Infusion.clinic_id == scope.clinic_id,
        Infusion.state == FactState.RECORDED.value,
        Infusion.infused_on >= scope.today - STALE,
    )
    planned = or_(
        table.planned_start_on.between(first - AHEAD, last),
        table.planned_start_on.between(scope.today - STALE, soon),
    )
    statement: Any = (
        select(
            table.id,
            table.public_id,
            table.number,
            table.planned_days,
            Patient.id,
            Patient.public_id,
            Patient.family_name,
            Patient.given_name,
            Patient.birth_date,
            Patient.mrn,
            Patient.protocol_id,
        )
        .join(Patient, Patient.id == table.patient_id)
        .where(table.clinic_id == scope.clinic_id, or_(planned, table.id.in_(booked), table.id.in_(begun)))
        .where(or_(Patient.merged_into_id.is_(None), table.id.in_(booked)))
        .order_by(Patient.family_name, Patient.given_name, table.id)
    )
    return [CourseOfPatient(*row) for row in db.session.execute(statement)]

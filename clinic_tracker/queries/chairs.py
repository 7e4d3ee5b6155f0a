"""The chairs of the suite and their bookings. A cancelled booking is nowhere among them."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, select

from clinic_tracker.domain.booked_days import CourseDays
from clinic_tracker.domain.chair_schedule import ChairPlan, Held, Hours, Span
from clinic_tracker.domain.errors import NotFound
from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.access import User
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.suite import Chair, ChairBooking
from clinic_tracker.models.treatment import Infusion, TreatmentCourse
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.settings import protocol_in_force

STANDS = ChairBooking.cancelled_at.is_(None)


class ChairRow(NamedTuple):
    """A chair; ``ahead`` counts its bookings from today on."""

    id: int
    public_id: uuid.UUID
    name: str
    position: int
    is_active: bool
    ahead: int = 0


class BookingRow(NamedTuple):
    """A chair held for a day of a course, with who comes."""

    id: int
    public_id: uuid.UUID
    patient_id: int
    patient: uuid.UUID
    family_name: str
    given_name: str
    birth_date: date
    mrn: str
    course_id: int
    course: uuid.UUID
    course_number: int
    planned_days: int
    chair_id: int
    chair: uuid.UUID
    chair_name: str
    chair_is_active: bool
    booked_on: date
    starts_at: datetime
    ends_at: datetime
    nurse_name: str | None
    note: str | None
    booked_at: datetime
    booked_by: str | None
    version: int

    @property
    def span(self) -> Span:
        """The time it takes."""
        return Span(self.starts_at, self.ends_at)

    @property
    def held(self) -> Held:
        """The same for the plan of the chairs."""
        return Held(self.id, self.chair_id, self.span)

    @property
    def minutes(self) -> int:
        """Its length."""
        return int((self.ends_at - self.starts_at).total_seconds() // 60)


@dataclass(frozen=True, slots=True)
class SuiteTimes:
    """The clinic's settings for a day in the suite."""

    hours: Hours
    minutes: int


BOOKING = (
    ChairBooking.id,
    ChairBooking.public_id,
    Patient.id,
    Patient.public_id,
    Patient.family_name,
    Patient.given_name,
    Patient.birth_date,
    Patient.mrn,
    TreatmentCourse.id,
    TreatmentCourse.public_id,
    TreatmentCourse.number,
    TreatmentCourse.planned_days,
    Chair.id,
    Chair.public_id,
    Chair.name,
    Chair.is_active,
    ChairBooking.booked_on,
    ChairBooking.starts_at,
    ChairBooking.ends_at,
    ChairBooking.nurse_name,
    ChairBooking.note,
    ChairBooking.booked_at,
    User.name,
    ChairBooking.version,
)


def chairs(scope: Scope, *, in_use: bool = False) -> list[ChairRow]:
    """The chairs in their order, those no longer used after the others or, with ``in_use``, left out."""
    ahead = (
        select(func.count())
        .where(ChairBooking.chair_id == Chair.id, STANDS, ChairBooking.booked_on >= scope.today)
        .scalar_subquery()
    )
    statement = (
        select(Chair.id, Chair.public_id, Chair.name, Chair.position, Chair.is_active, ahead)
        .where(Chair.clinic_id == scope.clinic_id)
        .order_by(Chair.is_active.desc(), Chair.position, Chair.id)
    )
    if in_use:
        statement = statement.where(Chair.is_active)
    return [ChairRow(*row) for row in db.session.execute(statement)]


def find_chair(scope: Scope, chair: uuid.UUID) -> ChairRow:
    """A chair of this clinic. NotFound for any other."""
    found = next((row for row in chairs(scope) if row.public_id == chair), None)
    if found is None:
        raise NotFound("chair")
    return found


def bookings_between(scope: Scope, first: date, last: date) -> list[BookingRow]:
    """The bookings of these days, in time order."""
    return _bookings(scope, ChairBooking.booked_on.between(first, last))


def bookings_of_patient(scope: Scope, patient_id: int) -> list[BookingRow]:
    """The bookings of a patient, in time order."""
    return _bookings(scope, ChairBooking.patient_id == patient_id)


def find_booking(scope: Scope, patient_id: int, booking: uuid.UUID) -> BookingRow:
    """A booking of this patient that was not cancelled. NotFound for any other."""
    found = _bookings(scope, (ChairBooking.patient_id == patient_id) & (ChairBooking.public_id == booking))
    if not found:
        raise NotFound("booking")
    return found[0]


def booking_on(scope: Scope, course_id: int, on: date) -> BookingRow | None:
    """The chair that is booked for a course on a day; None without a booking."""
    found = _bookings(scope, (ChairBooking.course_id == course_id) & (ChairBooking.booked_on == on))
    return found[0] if found else None


def chair_plan(scope: Scope, spans: Collection[Span]) -> ChairPlan:
    """The chairs in use and every booking that meets the time from the first to the last of ``spans``."""
    rows = chairs(scope, in_use=True)
    held: list[Held] = []
    if spans:
        meets = (ChairBooking.starts_at < max(span.ends_at for span in spans)) & (
            ChairBooking.ends_at > min(span.starts_at for span in spans)
        )
        statement = select(ChairBooking.id, ChairBooking.chair_id, ChairBooking.starts_at, ChairBooking.ends_at)
        found = db.session.execute(statement.where(ChairBooking.clinic_id == scope.clinic_id, STANDS, meets))
        held = [Held(key, chair, Span(starts_at, ends_at)) for key, chair, starts_at, ends_at in found]
    return ChairPlan(tuple(row.id for row in rows), tuple(held))


def course_days(scope: Scope, course_ids: Collection[int]) -> dict[int, CourseDays]:
    """What was given and what is booked of each of these courses, in three statements."""
    given: dict[int, dict[date, int]] = {key: {} for key in course_ids}
    infusions = select(Infusion.course_id, Infusion.infused_on, Infusion.day_number).where(
        Infusion.clinic_id == scope.clinic_id,
        Infusion.course_id.in_(course_ids),
        Infusion.state == FactState.RECORDED.value,
    )
    for course, on, number in db.session.execute(infusions):
        given[course][on] = number
    booked: dict[int, list[date]] = {key: [] for key in course_ids}
    bookings = select(ChairBooking.course_id, ChairBooking.booked_on).where(
        ChairBooking.clinic_id == scope.clinic_id, ChairBooking.course_id.in_(course_ids), STANDS
    )
    for course, on in db.session.execute(bookings.order_by(ChairBooking.booked_on)):
        booked[course].append(on)
    table = TreatmentCourse
    courses = select(table.id, table.number, table.planned_days, table.planned_start_on, table.discontinued_on).where(
        table.clinic_id == scope.clinic_id, table.id.in_(course_ids)
    )
    return {
        key: CourseDays(number, days, start_on, ended_on, given[key], tuple(booked[key]))
        for key, number, days, start_on, ended_on in db.session.execute(courses)
    }


def suite_times(scope: Scope) -> SuiteTimes:
    """The opening hours and the usual length of a day, as the clinic sets them."""
    protocol = protocol_in_force(scope)
    hours = Hours(protocol.value("suite_opens_hour"), protocol.value("suite_closes_hour"))
    return SuiteTimes(hours, protocol.value("chair_minutes"))


def _bookings(scope: Scope, condition: ColumnElement[bool]) -> list[BookingRow]:
    statement: Any = (
        select(*BOOKING)
        .join(Patient, Patient.id == ChairBooking.patient_id)
        .join(TreatmentCourse, TreatmentCourse.id == ChairBooking.course_id)
        .join(Chair, Chair.id == ChairBooking.chair_id)
        .outerjoin(User, User.id == ChairBooking.booked_by_id)
        .where(ChairBooking.clinic_id == scope.clinic_id, STANDS, condition)
        .order_by(ChairBooking.starts_at, Chair.position, ChairBooking.id)
    )
    return [BookingRow(*row) for row in db.session.execute(statement)]

"""Chairs booked for the days of a course, and given back."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from clinic_tracker.domain.booked_days import CourseDays
from clinic_tracker.domain.chair_schedule import Span, Wanted, for_minutes
from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.local_time import local_date
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.models.base import db
from clinic_tracker.models.suite import ChairBooking
from clinic_tracker.models.treatment import TreatmentCourse
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.chair_rules import (
    Chairs,
    check_dates,
    check_length,
    check_not_given,
    check_unchanged,
    days_of,
    find_booking_row,
    follow_start,
    note_booking,
    told,
)
from clinic_tracker.services.chairs import lock_chairs
from clinic_tracker.services.deviations import Reasons
from clinic_tracker.services.facts import already_recorded, check_reason
from clinic_tracker.services.infusion_rules import check_course_open, find_course_row
from clinic_tracker.services.unit_of_work import unit_of_work


@dataclass(frozen=True, slots=True)
class DayWanted:
    """One day to be booked, in a chair or in the first that is free."""

    starts_at: datetime
    chair: uuid.UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingPlan:
    """What is booked: the days, how long each takes, who looks after them.

    ``start_too`` also plans the course to start on its first booked day.
    """

    days: Sequence[DayWanted]
    minutes: int
    nurse_name: str | None = None
    note: str | None = None
    start_too: bool = False


def book_days(
    scope: Scope,
    patient: uuid.UUID,
    course: uuid.UUID,
    plan: BookingPlan,
    *,
    given: Reasons | None = None,
    form_token: str | None = None,
) -> list[uuid.UUID]:
    """Book chairs for days of a course: all of them or none. [] when the same form was sent before.

    RuleViolation for more days than the course has left, a day that has passed, one on which the patient is booked or
    infused already, and a chair that is taken, with what is free; its field is ``days-<index>-<field>``. ReasonNeeded
    where the start is moved to a day that departs from the label.
    """
    scope.require(Permission.RECORD_TREATMENT)
    check_length(scope, plan.minutes)
    if not plan.days:
        raise RuleViolation("no_days", None, "Choose at least one day.")
    spans = [for_minutes(day.starts_at, plan.minutes) for day in plan.days]
    with unit_of_work(scope) as work:
        owner = work.lock_patient(patient)
        chairs = Chairs(scope, lock_chairs(scope), spans)
        row = find_course_row(scope, owner, course)
        if already_recorded(scope, ChairBooking, _token(form_token, 0)):
            return []
        check_course_open(scope, row)
        days = days_of(scope, row)
        _check_days_left(scope, days, len(spans))
        check_dates(scope, owner, days, [(span, f"days-{index}-starts_at") for index, span in enumerate(spans)])
        seats = _seats(chairs, plan, spans)
        booked = []
        for index, (span, chair) in enumerate(zip(spans, seats, strict=True)):
            booking = _book(scope, row, plan, span, chair, _token(form_token, index))
            note_booking(scope, AuditAction.BOOKING_MADE, booking, chairs.by_key[chair].name)
            booked.append(booking.public_id)
        if plan.start_too:
            follow_start(scope, owner, row, given or Reasons())
        return booked


def cancel_booking(
    scope: Scope, patient: uuid.UUID, booking: uuid.UUID, *, reason: str, version: int | None = None
) -> None:
    """Give back the chair of one day. RuleViolation without a reason, or when the day was given or cancelled."""
    scope.require(Permission.RECORD_TREATMENT)
    with unit_of_work(scope) as work:
        owner = work.lock_patient(patient)
        chairs = Chairs(scope, lock_chairs(scope), [])
        row = find_booking_row(scope, owner, booking)
        check_unchanged(scope, row, version)
        words = check_reason(scope, reason)
        check_not_given(scope, _days(scope, row), row.booked_on)
        _cancel(scope, chairs, row, words)


def cancel_days(scope: Scope, patient: uuid.UUID, course: uuid.UUID, *, reason: str) -> int:
    """Give back the chairs of every day of a course that was not given; how many. RuleViolation without a reason."""
    scope.require(Permission.RECORD_TREATMENT)
    with unit_of_work(scope) as work:
        owner = work.lock_patient(patient)
        chairs = Chairs(scope, lock_chairs(scope), [])
        row = find_course_row(scope, owner, course)
        words = check_reason(scope, reason)
        given = days_of(scope, row).given
        statement = select(ChairBooking).where(
            ChairBooking.clinic_id == scope.clinic_id,
            ChairBooking.course_id == row.id,
            ChairBooking.cancelled_at.is_(None),
        )
        found = [one for one in db.session.execute(statement).scalars() if one.booked_on not in given]
        if not found:
            raise RuleViolation("nothing_booked", None, "No day of the course is booked any more.")
        for one in found:
            _cancel(scope, chairs, one, words)
        return len(found)


def _book(
    scope: Scope, course: TreatmentCourse, plan: BookingPlan, span: Span, chair: int, form_token: str | None
) -> ChairBooking:
    booking = ChairBooking(
        clinic_id=scope.clinic_id,
        patient_id=course.patient_id,
        course_id=course.id,
        chair_id=chair,
        booked_on=local_date(span.starts_at, scope.time_zone),
        starts_at=span.starts_at,
        ends_at=span.ends_at,
        nurse_name=plan.nurse_name,
        note=plan.note,
        booked_by_id=scope.user_id,
        booked_at=scope.now,
        form_token=form_token,
    )
    db.session.add(booking)
    db.session.flush()
    return booking


def _seats(chairs: Chairs, plan: BookingPlan, spans: Sequence[Span]) -> list[int]:
    """The chair of each day. RuleViolation for the first one that has none."""
    wanted = [
        Wanted(span, chairs.key(day.chair, f"days-{index}-chair"))
        for index, (day, span) in enumerate(zip(plan.days, spans, strict=True))
    ]
    places = chairs.plan.arrange(wanted)
    return [
        chairs.seat(place, span, f"days-{index}-chair")
        for index, (place, span) in enumerate(zip(places, spans, strict=True))
    ]


def _cancel(scope: Scope, chairs: Chairs, row: ChairBooking, reason: str) -> None:
    name = chairs.by_key[row.chair_id].name
    before = told(scope, row, name)
    row.cancelled_at, row.cancelled_by_id, row.cancelled_reason = scope.now, scope.user_id, reason
    note_booking(scope, AuditAction.BOOKING_CANCELLED, row, name, before=before, reason=reason)


def _days(scope: Scope, booking: ChairBooking) -> CourseDays:
    course = db.session.execute(select(TreatmentCourse).where(TreatmentCourse.id == booking.course_id)).scalar_one()
    return days_of(scope, course)


def _check_days_left(scope: Scope, days: CourseDays, count: int) -> None:
    left = days.missing(scope.today)
    if count > left:
        words = f"Course {days.number} has {days.planned_days} days; {left} of them can still be booked, not {count}."
        raise RuleViolation("too_many_days", None, words)


def _token(form_token: str | None, index: int) -> str | None:
    return f"{form_token} {index}" if form_token else None

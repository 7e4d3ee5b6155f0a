"""A booked day moved to another time or chair, alone or with the days after it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select

from clinic_tracker.domain.booked_days import CourseDays
from clinic_tracker.domain.chair_schedule import Held, Span, Wanted, for_minutes, same_clock
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
from clinic_tracker.services.facts import check_reason
from clinic_tracker.services.infusion_rules import check_course_open
from clinic_tracker.services.unit_of_work import unit_of_work


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Where a booked day goes. Without a chair it takes the first that is free; ``nurse_name`` replaces the former.

    ``later_too`` takes the later days of the course along by as many days, to the same time and chair; ``start_too``
    plans the course to start on its first booked day.
    """

    starts_at: datetime
    minutes: int
    chair: uuid.UUID | None = None
    nurse_name: str | None = None
    later_too: bool = False
    start_too: bool = False


def move_booking(
    scope: Scope,
    patient: uuid.UUID,
    booking: uuid.UUID,
    move: Move,
    *,
    reason: str,
    version: int | None = None,
    given: Reasons | None = None,
) -> int:
    """Move a booked day; how many days moved. Either all of them move, or nothing does.

    RuleViolation without a reason, for a day that was given or has passed, and for a chair that is taken, with what is
    free. StaleVersion when somebody else changed the booking after the form was opened. ReasonNeeded where the start
    moves to a day that departs from the label.
    """
    scope.require(Permission.RECORD_TREATMENT)
    check_length(scope, move.minutes)
    span = for_minutes(move.starts_at, move.minutes)
    with unit_of_work(scope) as work:
        owner = work.lock_patient(patient)
        rows = lock_chairs(scope)
        row = find_booking_row(scope, owner, booking)
        check_unchanged(scope, row, version)
        words = check_reason(scope, reason)
        course = db.session.execute(select(TreatmentCourse).where(TreatmentCourse.id == row.course_id)).scalar_one()
        check_course_open(scope, course)
        days = days_of(scope, course)
        check_not_given(scope, days, row.booked_on)
        moving = [row, *(_later(scope, row, days) if move.later_too else [])]
        by = local_date(span.starts_at, scope.time_zone) - row.booked_on
        spans = [span, *_shifted(scope, moving[1:], by, move)]
        chairs = Chairs(scope, rows, spans)
        check_dates(scope, owner, days, [(one, "starts_at") for one in spans], [one.id for one in moving])
        seats = _seats(chairs, move, moving, spans)
        _apply(scope, chairs, moving, seats, words, move)
        if move.start_too:
            follow_start(scope, owner, course, given or Reasons())
        return len(moving)


def _later(scope: Scope, row: ChairBooking, days: CourseDays) -> list[ChairBooking]:
    """The booked days of the course after this one that were not given."""
    statement = (
        select(ChairBooking)
        .where(
            ChairBooking.clinic_id == scope.clinic_id,
            ChairBooking.course_id == row.course_id,
            ChairBooking.cancelled_at.is_(None),
            ChairBooking.booked_on > row.booked_on,
        )
        .order_by(ChairBooking.booked_on)
        .execution_options(populate_existing=True)
    )
    return [one for one in db.session.execute(statement).scalars() if one.booked_on not in days.given]


def _shifted(scope: Scope, rows: Sequence[ChairBooking], by: timedelta, move: Move) -> list[Span]:
    """Where the later days go: as many days on, at the clock time of the moved one."""
    starts = same_clock(move.starts_at, [row.booked_on + by for row in rows], scope.time_zone)
    return [for_minutes(start, move.minutes) for start in starts]


def _seats(chairs: Chairs, move: Move, moving: Sequence[ChairBooking], spans: Sequence[Span]) -> list[Held]:
    """The bookings as they will be; RuleViolation when one of them does not fit."""
    chair = chairs.key(move.chair, "chair")
    places = chairs.plan.move([(row.id, Wanted(span, chair)) for row, span in zip(moving, spans, strict=True)])
    return [
        Held(row.id, chairs.seat(place, span, "chair"), span)
        for row, place, span in zip(moving, places, spans, strict=True)
    ]


def _apply(
    scope: Scope, chairs: Chairs, moving: Sequence[ChairBooking], seats: Sequence[Held], reason: str, move: Move
) -> None:
    """Write the bookings one by one, so that no two of a course are on one day in between."""

    def new_date(one: Held) -> date:
        return local_date(one.span.starts_at, scope.time_zone)

    pairs = list(zip(moving, seats, strict=True))
    if new_date(seats[0]) > moving[0].booked_on:
        pairs.reverse()
    for row, one in pairs:
        before = told(scope, row, chairs.by_key[row.chair_id].name)
        row.chair_id, row.starts_at, row.ends_at = one.chair, one.span.starts_at, one.span.ends_at
        row.booked_on = new_date(one)
        row.nurse_name = move.nurse_name
        note_booking(scope, AuditAction.BOOKING_MOVED, row, chairs.by_key[one.chair].name, before=before, reason=reason)

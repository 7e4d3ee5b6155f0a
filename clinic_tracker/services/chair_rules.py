"""What every change of a booking needs: the plan of the chairs, the refusals in words, what the audit keeps."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from clinic_tracker.domain.booked_days import CourseDays
from clinic_tracker.domain.chair_schedule import ChairPlan, Place, Span, chair_words
from clinic_tracker.domain.errors import NotFound, RuleViolation
from clinic_tracker.domain.local_time import local_date, show_date, to_local
from clinic_tracker.models.access import User
from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.suite import Chair, ChairBooking
from clinic_tracker.models.treatment import TreatmentCourse
from clinic_tracker.queries.chairs import chair_plan, course_days
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.course_start import account_for_start
from clinic_tracker.services.deviations import Reasons
from clinic_tracker.services.facts import when
from clinic_tracker.services.unit_of_work import check_version

FURTHEST = timedelta(days=2 * 366)
SHORTEST, LONGEST = 30, 24 * 60
SUBJECT = ChairBooking.__tablename__


class Chairs:
    """The locked chairs of the clinic and what is booked around some times; refuses in words what does not fit."""

    def __init__(self, scope: Scope, rows: Sequence[Chair], spans: Sequence[Span]) -> None:
        self.scope = scope
        self.by_key: Mapping[int, Chair] = {row.id: row for row in rows}
        self.plan: ChairPlan = chair_plan(scope, spans)

    def key(self, chair: uuid.UUID | None, field: str) -> int | None:
        """The key of a chair that may be booked; None for any. RuleViolation for an unknown or a retired one."""
        if chair is None:
            return None
        row = next((row for row in self.by_key.values() if row.public_id == chair), None)
        if row is None:
            raise RuleViolation("unknown_chair", field, "Choose a chair of this clinic.")
        if not row.is_active:
            raise RuleViolation("chair_retired", field, f"{self.name(row.id)} is no longer in use.")
        return row.id

    def name(self, key: int) -> str:
        """Chair 4; of one with a name of its own that name."""
        return chair_words(self.by_key[key].name)

    def seat(self, place: Place, span: Span, field: str) -> int:
        """The chair of a place; RuleViolation when there is none, with what is free at the time."""
        if place.chair is not None and place.clash is None:
            return place.chair
        if place.chair is None:
            words = f"No chair is free on {self._words(span)}."
            raise RuleViolation("no_chair_free", field, words)
        taken = place.clash.span if place.clash is not None else span
        free = ", ".join(self.name(key) for key in place.free) or "none"
        words = f"{self.name(place.chair)} is taken on {self._words(taken)}. Free at the time wanted: {free}."
        raise RuleViolation("chair_taken", field, words)

    def _words(self, span: Span) -> str:
        """26-Jan-2026 from 08:00 to 16:00."""
        zone = self.scope.time_zone
        begin, end = to_local(span.starts_at, zone), to_local(span.ends_at, zone)
        return f"{show_date(begin.date())} from {begin:%H:%M} to {end:%H:%M}"


def check_length(_scope: Scope, minutes: int) -> None:
    """RuleViolation unless the length is one that a day in a chair may have."""
    if not SHORTEST <= minutes <= LONGEST:
        raise RuleViolation("length", "minutes", f"The length goes from {SHORTEST} minutes to {LONGEST // 60} hours.")


def check_date(scope: Scope, span: Span, field: str) -> date:
    """The local date of a booking. RuleViolation for one that has passed or is far ahead."""
    on = local_date(span.starts_at, scope.time_zone)
    if on < scope.today:
        raise RuleViolation("past", field, f"{show_date(on)} has passed: a chair is booked for days to come.")
    if on > scope.today + FURTHEST:
        raise RuleViolation("far_future", field, f"{show_date(on)} is more than two years ahead.")
    return on


def check_dates(
    scope: Scope, patient: Patient, days: CourseDays, wanted: Sequence[tuple[Span, str]], moving: Collection[int] = ()
) -> None:
    """RuleViolation for a date that has passed or is given, that is wanted twice, or on which the patient has a chair.

    ``wanted`` are the times with the field of each; ``moving`` the bookings that leave their place.
    """
    seen: set[date] = set()
    for span, field in wanted:
        on = check_date(scope, span, field)
        check_not_given(scope, days, on)
        other = _chair_of_day(scope, patient, on, moving)
        if on in seen or other is not None:
            at = f" at {to_local(other, scope.time_zone):%H:%M}" if other is not None else " more than once"
            raise RuleViolation("day_taken", field, f"A chair is booked for this patient on {show_date(on)}{at}.")
        seen.add(on)


def _chair_of_day(scope: Scope, patient: Patient, on: date, moving: Collection[int]) -> datetime | None:
    statement = select(ChairBooking.starts_at).where(
        ChairBooking.clinic_id == scope.clinic_id,
        ChairBooking.patient_id == patient.id,
        ChairBooking.booked_on == on,
        ChairBooking.cancelled_at.is_(None),
        ChairBooking.id.not_in(moving),
    )
    return db.session.execute(statement.limit(1)).scalar_one_or_none()


def find_booking_row(scope: Scope, patient: Patient, booking: uuid.UUID) -> ChairBooking:
    """A booking of this patient, to be changed. NotFound for any other; RuleViolation for a cancelled one."""
    row = db.session.execute(
        select(ChairBooking)
        .where(
            ChairBooking.public_id == booking,
            ChairBooking.patient_id == patient.id,
            ChairBooking.clinic_id == scope.clinic_id,
        )
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if row is None:
        raise NotFound("booking")
    if row.cancelled_at is not None:
        words = f"This day was cancelled already, on {when(scope, row.cancelled_at)}."
        raise RuleViolation("already_cancelled", None, words)
    return row


def days_of(scope: Scope, course: TreatmentCourse) -> CourseDays:
    """What was given and what is booked of a course now."""
    db.session.flush()
    return course_days(scope, [course.id])[course.id]


def check_not_given(_scope: Scope, days: CourseDays, on: date) -> None:
    """RuleViolation when the infusion of that day is on record: its booking is history."""
    if on in days.given:
        raise RuleViolation("already_given", None, f"The infusion of {show_date(on)} is on record: its booking stays.")


def follow_start(scope: Scope, patient: Patient, course: TreatmentCourse, given: Reasons) -> None:
    """Plan the start of a course that has not begun for its first booked day; what departs needs a reason.

    Everything that depends on the start (the baseline set, the authorization) is judged for the new one from then on.
    """
    days = days_of(scope, course)
    ahead = days.ahead(scope.today)
    if days.given or not ahead or course.planned_start_on == ahead[0]:
        return
    before = audit.snapshot(course)
    course.planned_start_on = ahead[0]
    audit.record(scope, AuditAction.COURSE_EDITED, course, before=before)
    account_for_start(scope, patient, course, given)


def note_booking(
    scope: Scope,
    action: AuditAction,
    row: ChairBooking,
    chair: str,
    *,
    before: Mapping[str, Any] | None = None,
    reason: str | None = None,
) -> None:
    """Note a change of a booking with the name of its chair; ``before`` is what ``told`` gave before the change."""
    db.session.flush()
    after = told(scope, row, chair)
    if before is not None:
        changed = [name for name, value in after.items() if before.get(name) != value]
        after = {name: after[name] for name in changed}
        before = {name: before.get(name) for name in changed}
    audit.note(
        scope,
        action,
        subject_type=SUBJECT,
        subject_id=row.id,
        patient_id=row.patient_id,
        before=before,
        after=after,
        reason=reason,
    )


def told(_scope: Scope, row: ChairBooking, chair: str) -> dict[str, Any]:
    """A booking as the audit keeps it: the chair by its name."""
    return {**audit.snapshot(row), "chair": chair}


def check_unchanged(scope: Scope, row: ChairBooking, version: int | None) -> None:
    """StaleVersion, saying who and when, if somebody changed the booking after the form was opened."""
    if version is None or version == row.version:
        return
    last = db.session.execute(
        select(User.name, AuditEvent.at)
        .outerjoin(User, User.id == AuditEvent.user_id)
        .where(AuditEvent.subject_type == SUBJECT, AuditEvent.subject_id == row.id)
        .order_by(AuditEvent.id.desc())
        .limit(1)
    ).one()
    check_version(row.version, version, last[0] or "the system", when(scope, last[1]))

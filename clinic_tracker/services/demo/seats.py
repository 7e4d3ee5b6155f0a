"""The chairs of the demonstration, and who sits in them this week and the next."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select

from clinic_tracker.domain.chair_schedule import ChairPlan, Held, Span, Wanted, for_minutes
from clinic_tracker.domain.local_time import local_date
from clinic_tracker.models.base import db
from clinic_tracker.models.suite import Chair, ChairBooking
from clinic_tracker.models.treatment import Infusion, TreatmentCourse
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.demo.chart import Cast

NAMES = ("1", "2", "3", "4", "5", "6")
OPENING = time(8)
MINUTES = 480
BEFORE_START = timedelta(minutes=60)
# Further courses wait for a chair, and of those that are not authorized only the first days are held.
HELD_AT_FIRST = 3


def furnish_suite(scope: Scope, cast: Cast) -> None:
    """Six chairs, with the courses that are under way or planned; one is held a day later than it is planned."""
    chairs = [Chair(clinic_id=scope.clinic_id, name=name, position=at) for at, name in enumerate(NAMES, start=1)]
    db.session.add_all(chairs)
    db.session.flush()
    seats = _Seats(scope, cast, chairs)
    for course, given in _courses(scope):
        if given:
            seats.go_on(course, given)
        elif course.number == 1 and course.planned_start_on is not None:
            seats.reserve(course, course.planned_start_on)


def _courses(scope: Scope) -> Iterator[tuple[TreatmentCourse, list[Infusion]]]:
    """The open courses of these weeks with what was given of them, those under way first."""
    lately = scope.today - timedelta(days=3)
    statement = (
        select(TreatmentCourse)
        .where(
            TreatmentCourse.clinic_id == scope.clinic_id,
            TreatmentCourse.discontinued_on.is_(None),
            TreatmentCourse.planned_start_on >= lately,
        )
        .order_by(TreatmentCourse.planned_start_on, TreatmentCourse.id)
    )
    for course in db.session.execute(statement).scalars().all():
        infusions = select(Infusion).where(Infusion.course_id == course.id, Infusion.clinic_id == scope.clinic_id)
        yield course, list(db.session.execute(infusions.order_by(Infusion.day_number)).scalars())


class _Seats:
    """Books the chairs of one clinic."""

    def __init__(self, scope: Scope, cast: Cast, chairs: Sequence[Chair]) -> None:
        self.scope, self.cast = scope, cast
        self.zone = ZoneInfo(scope.time_zone)
        self.by_name = {chair.name: chair.id for chair in chairs}
        self.plan = ChairPlan(tuple(chair.id for chair in chairs), ())

    def go_on(self, course: TreatmentCourse, given: Sequence[Infusion]) -> None:
        """The days that were given, where they were given, and the days to come in the chair of the last one."""
        for infusion in given:
            start = self._arrival(infusion)
            self._take(course, Wanted(for_minutes(start, MINUTES), self.by_name.get(infusion.chair or "")))
        last = given[-1]
        left = range(1, course.planned_days - last.day_number + 1)
        days = [last.infused_on + timedelta(days=day) for day in left]
        self._hold(course, days, self.by_name.get(last.chair or ""))

    def reserve(self, course: TreatmentCourse, start: date) -> None:
        """All days of a course; of the next one to begin a day late, and not all of them yet."""
        soon = start - self.scope.today < timedelta(days=7)
        count = HELD_AT_FIRST if soon else course.planned_days
        first = start + timedelta(days=1) if soon else start
        self._hold(course, [first + timedelta(days=day) for day in range(count)], None)

    def _hold(self, course: TreatmentCourse, days: Sequence[date], chair: int | None) -> None:
        wanted = [Wanted(for_minutes(self._opening(day), MINUTES), chair) for day in days]
        for place, one in zip(self.plan.arrange(wanted), wanted, strict=True):
            if place.chair is not None:
                self._take(course, one._replace(chair=place.chair))

    def _take(self, course: TreatmentCourse, wanted: Wanted) -> None:
        """Book the chair, or another that is free."""
        (place,) = self.plan.arrange([wanted])
        chair = place.chair if place.clash is None else next(iter(place.free), None)
        if chair is not None:
            self.plan = self.plan.with_held(Held(len(self.plan.held) + 1, chair, wanted.span))
            db.session.add(self._booking(course, chair, wanted.span))

    def _booking(self, course: TreatmentCourse, chair: int, span: Span) -> ChairBooking:
        return ChairBooking(
            clinic_id=self.scope.clinic_id,
            patient_id=course.patient_id,
            course_id=course.id,
            chair_id=chair,
            booked_on=local_date(span.starts_at, self.scope.time_zone),
            starts_at=span.starts_at,
            ends_at=span.ends_at,
            booked_by_id=self.cast.staff,
            booked_at=min(course.planned_at, self.scope.now),
        )

    def _opening(self, day: date) -> datetime:
        return datetime.combine(day, OPENING, self.zone).astimezone(UTC)

    def _arrival(self, infusion: Infusion) -> datetime:
        """An hour before the start, on the same day, at a full quarter of an hour."""
        early = infusion.started_at - BEFORE_START
        quarter = early - timedelta(minutes=early.minute % 15, seconds=early.second, microseconds=early.microsecond)
        same_day = local_date(quarter, self.scope.time_zone) == infusion.infused_on
        return quarter if same_day else infusion.started_at

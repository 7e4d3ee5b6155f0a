"""What the pages of bookings show beside their forms: what is free, what a date means for the course."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from clinic_tracker.domain.booked_days import WEEKEND, CourseDays
from clinic_tracker.domain.chair_schedule import (
    Place,
    Span,
    Wanted,
    chair_words,
    for_minutes,
    same_clock,
)
from clinic_tracker.domain.local_time import local_date, show_date, to_local, zone
from clinic_tracker.queries.chairs import (
    BookingRow,
    ChairRow,
    SuiteTimes,
    bookings_of_patient,
    chair_plan,
    chairs,
    course_days,
    suite_times,
)
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.treatment_rows import CourseRow
from clinic_tracker.services.bookings import DayWanted
from clinic_tracker.web.infusions.forms_booking import BookingForm, MoveForm, length_of
from clinic_tracker.web.infusions.readiness_presenters import Preview, preview_of_plan
from clinic_tracker.web.infusions.schedule_presenters import times_words
from clinic_tracker.web.patients.pages import OpenChart


@dataclass(frozen=True, slots=True)
class PlaceLine:
    """What becomes of a wanted day: its shape, a sentence, and remarks that refuse nothing."""

    shape: str
    words: str
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BookingDesk:
    """A course whose days are booked or moved, with the chairs of the suite."""

    scope: Scope
    course: CourseRow
    days: CourseDays
    chairs: list[ChairRow]
    times: SuiteTimes

    @property
    def missing(self) -> int:
        """How many days can be booked."""
        return self.days.missing(self.scope.today)

    @property
    def numbers(self) -> list[int]:
        """The day of the course of each row of the form."""
        first = self.days.planned_days - self.missing + 1
        return list(range(first, self.days.planned_days + 1))

    @property
    def moves_start(self) -> bool:
        """Whether the first booked day may also become the planned start."""
        return not self.days.given and not self.days.ahead(self.scope.today)

    def start_values(self) -> dict[str, Any]:
        """What the form starts with: the expected days at the hour of opening, in whichever chair is free."""
        expected = self.days.unbooked(self.scope.today)
        first = expected[0] if expected else self.scope.today + timedelta(days=1)
        at = time(self.times.hours.opens + 1)
        return {
            "first_on": first,
            "at": at,
            "minutes": self.times.minutes,
            "start_too": self.moves_start and self.course.planned_start_on is None,
            "days": self.rows(first, at),
        }

    def rows(self, first: date, at: time, chair: str | None = None) -> list[dict[str, Any]]:
        """A row for each missing day: consecutive dates at one time on the wall."""
        start = datetime.combine(first, at, zone(self.scope.time_zone))
        dates = [first + timedelta(days=day) for day in range(self.missing)]
        starts = same_clock(start, dates, self.scope.time_zone)
        return [{"is_booked": True, "starts_at": one, "chair": chair} for one in starts]

    def lines(self, form: BookingForm) -> list[PlaceLine | None]:
        """What becomes of each row of the form as it stands; None for a row that is left out."""
        found = iter(self._places(form.wanted, length_of(form.minutes, self.times.minutes)))
        return [next(found) if entry.form.wanted is not None else None for entry in form.days]

    def line_of_move(self, form: MoveForm, booking: BookingRow) -> PlaceLine | None:
        """What becomes of the moved day as the form stands."""
        if not isinstance(form.starts_at.data, datetime):
            return None
        wanted = [DayWanted(form.starts_at.data, form.move.chair)]
        return self._places(wanted, length_of(form.minutes, booking.minutes), leaving=booking.id)[0]

    def _places(self, wanted: Sequence[DayWanted], minutes: int, leaving: int | None = None) -> list[PlaceLine]:
        spans = [for_minutes(day.starts_at, minutes) for day in wanted]
        plan = chair_plan(self.scope, spans)
        keys = {row.public_id: row.id for row in self.chairs}
        asked = [
            Wanted(span, keys.get(day.chair) if day.chair else None) for day, span in zip(wanted, spans, strict=True)
        ]
        places = plan.without(leaving).arrange(asked) if leaving is not None else plan.arrange(asked)
        return [self._line(place, span) for place, span in zip(places, spans, strict=True)]

    def _line(self, place: Place, span: Span) -> PlaceLine:
        remarks = self._remarks(span)
        names = {row.id: chair_words(row.name) for row in self.chairs}
        if place.chair is None:
            return PlaceLine("overdue", "No chair is free at this time.", remarks)
        if place.clash is None:
            return PlaceLine("done", f"{names[place.chair]} is free.", remarks)
        taken = times_words(*place.clash.span, self.scope.time_zone)
        free = ", ".join(names[key] for key in place.free) or "none"
        return PlaceLine("overdue", f"{names[place.chair]} is taken from {taken}. Free: {free}.", remarks)

    def _remarks(self, span: Span) -> tuple[str, ...]:
        """What refuses nothing: a day of the weekend, a time outside of the opening hours."""
        outside = self.times.hours.outside(span, self.scope.time_zone)
        there = to_local(span.starts_at, self.scope.time_zone)
        weekend = f"{show_date(there.date())} is a {there:%A}." if there.weekday() in WEEKEND else None
        return tuple(words for words in (weekend, outside) if words)


def booking_desk(scope: Scope, course: CourseRow) -> BookingDesk:
    """The desk of a course."""
    days = course_days(scope, [course.id])[course.id]
    return BookingDesk(scope, course, days, chairs(scope, in_use=True), suite_times(scope))


def start_preview(chart: OpenChart, desk: BookingDesk, starts: Sequence[datetime]) -> Preview | None:
    """What lapses and what becomes met if the course starts on the earliest of these days."""
    if not starts:
        return None
    return preview_of_plan(chart, desk.course, local_date(min(starts), chart.scope.time_zone))


def move_values(desk: BookingDesk, booking: BookingRow) -> dict[str, Any]:
    """What the form of a move starts with: the booking as it is."""
    still_there = any(row.id == booking.chair_id for row in desk.chairs)
    return {
        "starts_at": booking.starts_at,
        "chair": str(booking.chair) if still_there else None,
        "minutes": booking.minutes,
        "nurse_name": booking.nurse_name,
        "start_too": is_first_of_plan(desk, booking),
        "version": booking.version,
    }


def is_first_of_plan(desk: BookingDesk, booking: BookingRow) -> bool:
    """Whether a booking is the first day of a course that has not begun."""
    ahead = desk.days.ahead(desk.scope.today)
    return not desk.days.given and ahead[:1] == (booking.booked_on,)


def has_later(desk: BookingDesk, booking: BookingRow) -> bool:
    """Whether the course has booked days after this one."""
    return any(day > booking.booked_on for day in desk.days.ahead(desk.scope.today))


@dataclass(frozen=True, slots=True)
class BookedLine:
    """A booked day on the page of the courses."""

    row: BookingRow
    times: str
    words: str
    conflicts: tuple[str, ...]
    is_given: bool


def booked_lines(scope: Scope, patient_id: int) -> dict[int, list[BookedLine]]:
    """The booked days of a patient by course, with what no longer goes together."""
    rows = bookings_of_patient(scope, patient_id)
    courses = course_days(scope, sorted({row.course_id for row in rows})) if rows else {}
    found: dict[int, list[BookedLine]] = {}
    for row in rows:
        course = courses[row.course_id]
        number = course.day_number(row.booked_on, scope.today)
        told = [one.message for one in course.conflicts(row.booked_on, scope.today)]
        if not row.chair_is_active and row.booked_on >= scope.today:
            told.append(f"{chair_words(row.chair_name)} is no longer in use.")
        found.setdefault(row.course_id, []).append(
            BookedLine(
                row,
                times_words(row.starts_at, row.ends_at, scope.time_zone),
                f"Day {number}" if number else show_date(row.booked_on),
                tuple(told),
                row.booked_on in course.given,
            )
        )
    return found

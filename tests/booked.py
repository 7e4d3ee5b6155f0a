"""Chairs and booked days for the tests."""

import uuid
from datetime import date, timedelta

from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.bookings import BookingPlan, DayWanted, book_days
from clinic_tracker.services.chairs import add_chair
from tests.treated import Treated

LENGTH = 480


def add_chairs(scope: Scope, *names: str) -> list[uuid.UUID]:
    """Chairs of these names, in this order."""
    return [add_chair(scope, name=name) for name in names]


def days_from(treated: Treated, first: date, count: int = 5, at: str = "08:00", chair: uuid.UUID | None = None):
    """So many days in a row."""
    return [DayWanted(treated.at(at, first + timedelta(days=day)), chair) for day in range(count)]


def book(treated: Treated, *days: DayWanted, **values) -> list[uuid.UUID]:
    """Book chairs for days of the patient's course; values may change the plan or give a form token."""
    options = {name: values.pop(name) for name in ("form_token", "given") if name in values}
    plan = BookingPlan(days=days, **{"minutes": LENGTH, **values})
    return book_days(treated.scope, treated.patient, treated.course, plan, **options)

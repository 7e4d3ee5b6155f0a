"""Bookings when two charts of one person are merged."""

from datetime import date

import pytest

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.queries.chairs import bookings_of_patient
from clinic_tracker.services.bookings import cancel_days
from clinic_tracker.services.merging import merge_patients, undo_merge
from tests.booked import add_chairs, book, days_from
from tests.treated import add_patient

MONDAY = date(2026, 1, 26)


@pytest.fixture
def administrator(cast, scope_for):
    return scope_for(cast.administrator)


@pytest.fixture
def kept(cast, scope_for):
    return add_patient(cast, scope_for)


@pytest.fixture
def booked(cast, scope_for, administrator):
    """A second chart of the same person, with a course that is booked."""
    add_chairs(administrator, "1", "2")
    chart = add_patient(cast, scope_for, enrolled=False)
    chart.plan(MONDAY)
    book(chart, *days_from(chart, MONDAY, 2))
    return chart


def dates(chart):
    return [row.booked_on for row in bookings_of_patient(chart.scope, chart.patient_id)]


def test_bookings_follow_their_course_and_come_back_when_the_merge_is_undone(kept, booked, administrator):
    before = dates(booked)

    merge = merge_patients(administrator, kept.patient, booked.patient, reason="One person")
    assert (dates(kept), dates(booked)) == (before, [])
    undo_merge(administrator, merge, reason="Two people after all")

    assert (dates(kept), dates(booked)) == ([], before)


def test_a_planned_course_with_a_chair_booked_is_in_use(kept, booked, administrator):
    kept.plan(MONDAY)

    with pytest.raises(RuleViolation, match="Both charts have a course 1"):
        merge_patients(administrator, kept.patient, booked.patient, reason="One person")


def test_once_its_bookings_are_cancelled_it_stays_behind(kept, booked, administrator):
    kept.plan(MONDAY)
    cancel_days(booked.scope, booked.patient, booked.course, reason="Booked twice")

    merge_patients(administrator, kept.patient, booked.patient, reason="One person")

    assert dates(kept) == []

"""Which day of its course a booked day is, and what no longer goes together."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_tracker.domain.booked_days import Conflict, CourseDays, parse_week, week_of

pytestmark = pytest.mark.no_database

MONDAY = date(2026, 1, 26)
SUNDAY_BEFORE = MONDAY - timedelta(days=1)


def day(number: int) -> date:
    return MONDAY + timedelta(days=number)


def course(**values) -> CourseDays:
    facts = {
        "number": 1,
        "planned_days": 5,
        "planned_start_on": MONDAY,
        "discontinued_on": None,
        "given": {},
        "booked": tuple(day(number) for number in range(5)),
        **values,
    }
    return CourseDays(**facts)


def told(facts: CourseDays, on: date, as_of: date = SUNDAY_BEFORE) -> list[Conflict]:
    return [one.conflict for one in facts.conflicts(on, as_of)]


def test_a_course_booked_as_planned_has_no_conflict():
    facts = course()

    assert [facts.day_number(on, SUNDAY_BEFORE) for on in facts.booked] == [1, 2, 3, 4, 5]
    assert [told(facts, on) for on in facts.booked] == [[]] * 5
    assert facts.missing(SUNDAY_BEFORE) == 0


def test_days_given_keep_their_number_and_the_next_ones_follow():
    facts = course(given={day(0): 1, day(1): 2})

    assert [facts.day_number(on, day(2)) for on in facts.booked] == [1, 2, 3, 4, 5]


def test_a_day_that_passed_without_an_infusion_is_told_and_the_next_one_takes_its_number():
    facts = course(given={day(0): 1})

    assert told(facts, day(1), as_of=day(2)) == [Conflict.NOT_GIVEN]
    assert facts.day_number(day(1), day(2)) is None
    assert facts.day_number(day(2), day(2)) == 2
    assert facts.missing(day(2)) == 1
    assert facts.unbooked(day(2)) == (day(5),)


@pytest.mark.parametrize(
    "changes, on, conflict",
    [
        ({"planned_start_on": day(7)}, day(0), Conflict.START_DIFFERS),
        ({"planned_start_on": None}, day(0), Conflict.START_DIFFERS),
        ({"discontinued_on": SUNDAY_BEFORE}, day(3), Conflict.COURSE_ENDED),
        ({"booked": (day(0), day(2))}, day(2), Conflict.GAP),
        ({"planned_days": 3}, day(3), Conflict.SURPLUS),
        ({"given": {day(-4): 1}}, day(0), Conflict.GAP),
    ],
)
def test_what_no_longer_goes_together_is_told(changes, on, conflict):
    assert told(course(**changes), on) == [conflict]


def test_only_the_first_day_is_held_against_the_planned_start():
    assert told(course(planned_start_on=day(7)), day(1)) == []


def test_a_day_that_was_given_has_no_conflict_whatever_came_later():
    facts = course(given={day(0): 1}, discontinued_on=day(1), planned_start_on=day(9))

    assert told(facts, day(0), as_of=day(3)) == []


@pytest.mark.parametrize(
    "changes, as_of, missing",
    [
        ({"booked": ()}, SUNDAY_BEFORE, [0, 1, 2, 3, 4]),
        ({"booked": (day(0), day(1))}, SUNDAY_BEFORE, [2, 3, 4]),
        ({"booked": (), "given": {day(0): 1}}, day(1), [1, 2, 3, 4]),
        ({"booked": ()}, day(3), [3, 4, 5, 6, 7]),
        ({"booked": (), "planned_start_on": None}, SUNDAY_BEFORE, []),
        ({"booked": (), "discontinued_on": SUNDAY_BEFORE}, SUNDAY_BEFORE, []),
    ],
)
def test_the_days_to_be_booked(changes, as_of, missing):
    assert course(**changes).unbooked(as_of) == tuple(day(number) for number in missing)


@pytest.mark.parametrize(
    "changes, as_of, on",
    [
        ({}, SUNDAY_BEFORE, day(0)),
        ({"booked": ()}, SUNDAY_BEFORE, day(0)),
        ({"booked": (), "given": {day(0): 1}}, day(1), day(1)),
        ({"given": {day(0): 1}, "booked": (day(0), day(3))}, day(1), day(3)),
        ({"given": {day(number): number + 1 for number in range(5)}}, day(4), None),
    ],
)
def test_the_day_that_comes_next(changes, as_of, on):
    assert course(**changes).next_on(as_of) == on


BOOKED = st.lists(st.integers(-6, 12), unique=True).map(lambda days: tuple(day(number) for number in days))


@given(BOOKED, st.integers(0, 4), st.integers(-2, 8))
def test_booked_days_ahead_are_numbered_without_a_hole(booked, given_days, today):
    facts = course(booked=booked, given={day(number - 7): number + 1 for number in range(given_days)})
    ahead = facts.ahead(day(today))

    assert [facts.day_number(on, day(today)) for on in ahead] == [
        given_days + number for number in range(1, len(ahead) + 1)
    ]
    assert facts.missing(day(today)) + len(ahead) + given_days >= facts.planned_days
    assert len(facts.unbooked(day(today))) == facts.missing(day(today))


# -------------------------------------------------------------------------------------------------------- weeks


@given(st.dates(date(1950, 1, 1), date(2150, 1, 1)))
def test_a_week_is_found_by_each_of_its_days_and_by_its_name(on):
    week = week_of(on)

    assert on in week.days
    assert parse_week(week.label) == week
    assert week.shifted(1).shifted(-1) == week


@pytest.mark.parametrize("text", ["", "2026", "2026-W00", "2026-W60", "2026-W54", "9999-W01", "week", "2025-W53"])
def test_what_is_no_week(text):
    assert parse_week(text) is None


def test_the_weekend_is_shown_where_somebody_is_booked():
    week = week_of(MONDAY)

    assert week.shown([]) == week.days[:5]
    assert week.shown([day(6), day(2)]) == (*week.days[:5], day(6))

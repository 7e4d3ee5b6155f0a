"""Chairs over days: no two bookings of a chair at once, no booking lost, the picture of a day complete."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_tracker.domain.chair_schedule import (
    Axis,
    ChairPlan,
    Held,
    Hours,
    Span,
    Wanted,
    axis,
    clashes,
    for_minutes,
    lanes,
    same_clock,
)

pytestmark = pytest.mark.no_database

NEW_YORK = "America/New_York"
START = datetime(2026, 1, 26, 12, tzinfo=UTC)
CHAIRS = (3, 1, 2)


def span(start: int, minutes: int) -> Span:
    return for_minutes(START + timedelta(minutes=start), minutes)


SPANS = st.builds(span, st.integers(0, 4000), st.integers(15, 600))
WANTED = st.lists(st.builds(Wanted, SPANS, st.sampled_from((None, *CHAIRS))), max_size=12)


def plan_of(wanted: list[Wanted]) -> ChairPlan:
    """A plan with whatever of it fits."""
    plan = ChairPlan(CHAIRS, ())
    for key, place in enumerate(plan.arrange(wanted), start=1):
        if place.chair is not None and place.clash is None:
            plan = plan.with_held(Held(key, place.chair, wanted[key - 1].span))
    return plan


def test_one_may_begin_in_the_minute_in_which_the_other_ends():
    assert not span(0, 60).meets(span(60, 60))
    assert span(0, 61).meets(span(60, 60))


@given(WANTED)
def test_no_two_bookings_hold_one_chair_at_one_time(wanted):
    assert clashes(plan_of(wanted).held) == {}


@given(WANTED)
def test_a_time_without_a_chair_is_refused_only_when_every_chair_is_taken(wanted):
    taken: list[Held] = []
    for key, (one, place) in enumerate(zip(wanted, ChairPlan(CHAIRS, ()).arrange(wanted), strict=True)):
        busy = {held.chair for held in taken if held.span.meets(one.span)}
        assert place.free == tuple(chair for chair in CHAIRS if chair not in busy)
        if one.chair is None:
            assert (place.chair is None) == (busy == set(CHAIRS))
        else:
            assert (place.clash is not None) == (one.chair in busy)
        if place.chair is not None and place.clash is None:
            taken.append(Held(key, place.chair, one.span))


@given(WANTED, st.data())
def test_a_move_never_loses_a_booking_and_never_makes_a_clash(wanted, data):
    plan = plan_of(wanted)
    moves = [
        (one.key, Wanted(data.draw(SPANS), data.draw(st.sampled_from((None, *CHAIRS)))))
        for one in plan.held
        if data.draw(st.booleans())
    ]

    places = plan.move(moves)

    if any(place.chair is None or place.clash for place in places):
        return  # refused as a whole: everybody stays
    moved = [Held(key, place.chair, wish.span) for (key, wish), place in zip(moves, places, strict=True)]
    after = plan.without(*(key for key, _wish in moves)).with_held(*moved)
    assert {one.key for one in after.held} == {one.key for one in plan.held}
    assert clashes(after.held) == {}


def test_two_exchange_their_chairs():
    plan = ChairPlan(CHAIRS, ()).with_held(Held(1, 1, span(0, 60)), Held(2, 2, span(0, 60)))

    places = plan.move([(1, Wanted(span(0, 60), 2)), (2, Wanted(span(0, 60), 1))])

    assert [(place.chair, place.clash) for place in places] == [(2, None), (1, None)]


def test_a_chair_that_is_taken_is_not_given_twice():
    plan = ChairPlan(CHAIRS, (Held(1, 1, span(0, 60)),))

    with pytest.raises(ValueError, match="chair 1 is taken"):
        plan.with_held(Held(2, 1, span(30, 60)))


def test_a_course_gets_one_chair_for_all_its_days_where_one_is_free_throughout():
    days = [span(24 * 60 * day, 480) for day in range(3)]
    plan = ChairPlan(CHAIRS, (Held(1, 3, days[1]),))

    assert [place.chair for place in plan.arrange([Wanted(day) for day in days])] == [1, 1, 1]


def test_where_no_chair_is_free_throughout_each_day_takes_the_first_that_is():
    days = [span(24 * 60 * day, 480) for day in range(3)]
    plan = ChairPlan(CHAIRS, tuple(Held(chair, chair, days[chair - 1]) for chair in CHAIRS))

    assert [place.chair for place in plan.arrange([Wanted(day) for day in days])] == [3, 3, 1]


def test_a_booking_that_clashes_is_told_of_with_what_is_free():
    held = Held(7, 1, span(0, 480))
    place = ChairPlan(CHAIRS, (held,)).arrange([Wanted(span(60, 60), 1)])[0]

    assert place.clash == held
    assert place.free == (3, 2)


# ------------------------------------------------------------------------------------------ hours and clocks


@pytest.mark.parametrize(
    "start, minutes, told",
    [
        (0, 720, None),
        (-60, 480, "The time starts before the suite opens at 07:00."),
        (300, 480, "The time ends after the suite closes at 19:00."),
        (-15, 800, "The time starts before the suite opens at 07:00 and ends after the suite closes at 19:00."),
    ],
)
def test_a_time_outside_of_the_opening_hours_is_told(start, minutes, told):
    assert Hours(7, 19).outside(span(start, minutes), NEW_YORK) == told


def test_a_suite_that_closes_at_midnight():
    opening = Hours(7, 24).on(date(2026, 1, 26), NEW_YORK)

    assert opening.ends_at - opening.starts_at == timedelta(hours=17)


@pytest.mark.parametrize("day, hours", [(date(2026, 3, 8), 23), (date(2026, 11, 1), 25), (date(2026, 1, 26), 24)])
def test_the_picture_of_a_night_of_changing_clocks_shows_every_hour_that_passes(day, hours):
    opening = Hours(0, 24).on(day, NEW_YORK)

    assert len(axis(opening, []).hours) == hours


def test_the_same_time_on_the_wall_whatever_the_clocks_do():
    friday = datetime(2026, 3, 6, 13, tzinfo=UTC)

    proposed = same_clock(friday, [date(2026, 3, 7), date(2026, 3, 8), date(2026, 3, 9)], NEW_YORK)

    assert [f"{at:%d %H:%M}" for at in proposed] == ["07 13:00", "08 12:00", "09 12:00"]


def test_a_length_is_of_minutes_that_pass():
    night = for_minutes(datetime(2026, 3, 8, 6, 30, tzinfo=UTC), 60)

    assert night.ends_at == datetime(2026, 3, 8, 7, 30, tzinfo=UTC)


# ------------------------------------------------------------------------------------------------- the picture


@given(st.lists(SPANS, max_size=8))
def test_the_picture_shows_every_booking_once_and_fills_every_lane(spans):
    held = [Held(key, 1, one) for key, one in enumerate(spans, start=1)]
    along = axis(span(0, 720), spans)

    drawn = lanes(held, along)

    assert sorted(cell.key for lane in drawn for cell in lane if cell.key) == [one.key for one in held]
    assert all(sum(cell.quarters for cell in lane) == along.quarters for lane in drawn)
    assert all(cell.quarters > 0 for lane in drawn for cell in lane)


def test_bookings_that_do_not_clash_share_a_lane():
    held = [Held(1, 1, span(0, 120)), Held(2, 1, span(120, 60)), Held(3, 1, span(150, 60))]

    drawn = lanes(held, axis(span(0, 720), []))

    assert [[cell.key for cell in lane if cell.key] for lane in drawn] == [[1, 2], [3]]


def test_nobody_is_drawn_hour_by_hour():
    drawn = lanes([], Axis(START, (START, START + timedelta(hours=1))))

    assert [[tuple(cell) for cell in lane] for lane in drawn] == [[(4, None), (4, None)]]

"""Vital signs: refused, asked about, flagged, and when the next set is due (R-47)."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.local_time import resolve_local
from clinic_tracker.domain.vitals import (
    SIGNS,
    AlertLimits,
    Questioned,
    Side,
    check_values,
    gaps,
    next_due,
    questions,
    to_celsius,
)

NORMAL = {"systolic": 118, "diastolic": 72, "pulse": 70, "temperature": 36.8, "oxygen_saturation": 98}
START = datetime(2026, 1, 22, 14, 0, tzinfo=UTC)
LIMITS = AlertLimits.from_settings(
    {"vitals_systolic_low": 90, "vitals_systolic_high": 180, "vitals_temperature_high": 38, "vitals_oxygen_low": 92}
)


def after(minutes):
    return START + timedelta(minutes=minutes)


def test_an_ordinary_set_is_taken_without_a_question():
    check_values(NORMAL)
    assert questions(NORMAL) == ()


def test_a_set_needs_a_value():
    with pytest.raises(RuleViolation) as refused:
        check_values(dict.fromkeys(NORMAL))
    assert refused.value.code == "no_values"


@pytest.mark.parametrize(
    "name, value", [("oxygen_saturation", 101), ("systolic", 20), ("pulse", 400), ("temperature", 60)]
)
def test_what_cannot_be_is_refused_even_when_confirmed(name, value):
    with pytest.raises(RuleViolation) as refused:
        check_values({name: value}, confirmed=[f"{name}={value}"])
    assert (refused.value.code, refused.value.field) == ("impossible", name)


def test_an_unlikely_value_is_asked_about_and_taken_once_confirmed():
    values = NORMAL | {"systolic": 210}
    with pytest.raises(Questioned, match="Systolic pressure 210 mmHg is unusual") as asked:
        check_values(values)
    (question,) = asked.value.questions
    assert question.answer == "Yes, systolic pressure 210 mmHg is right"
    check_values(values, confirmed=[question.key])


def test_a_confirmation_holds_for_exactly_that_value():
    with pytest.raises(Questioned):
        check_values(NORMAL | {"systolic": 212}, confirmed=["systolic=210"])


def test_every_unlikely_value_is_asked_about_at_once():
    with pytest.raises(Questioned) as asked:
        check_values({"systolic": 210, "pulse": 170, "temperature": 41})
    assert [question.sign.name for question in asked.value.questions] == ["systolic", "pulse", "temperature"]


def test_crossed_pressures_are_refused():
    with pytest.raises(RuleViolation) as refused:
        check_values({"systolic": 80, "diastolic": 120})
    assert refused.value.field == "diastolic"


def test_values_beyond_the_limits_of_the_clinic_are_flagged_with_side_and_limit():
    flags = LIMITS.flags({"systolic": 185, "temperature": 37.9, "oxygen_saturation": 91, "pulse": 150})
    assert [(flag.sign.name, flag.side, flag.limit) for flag in flags] == [
        ("systolic", Side.HIGH, 180),
        ("oxygen_saturation", Side.LOW, 92),
    ]
    assert flags[0].words == "Systolic pressure 185 mmHg: high (limit 180)"


def test_a_limit_itself_is_no_alert_but_fever_begins_at_it():
    assert LIMITS.flags({"systolic": 180, "oxygen_saturation": 92}) == ()
    assert [flag.sign.name for flag in LIMITS.flags({"temperature": 38})] == ["temperature"]


@pytest.mark.parametrize(
    "typed, kept, converted",
    [
        ("98.6", "37.0", True),
        ("36.6", "36.6", False),
        ("100.4", "38.0", True),
        ("80", "26.7", True),
        ("45", "45", False),
    ],
)
def test_a_temperature_in_fahrenheit_is_recognized_by_its_size(typed, kept, converted):
    assert to_celsius(Decimal(typed)) == (Decimal(kept), converted)


def test_what_can_be_in_celsius_is_never_taken_for_fahrenheit():
    temperature = next(sign for sign in SIGNS if sign.name == "temperature")
    assert temperature.possible.high is not None
    assert to_celsius(Decimal(str(temperature.possible.high)))[1] is False


def test_a_set_is_due_after_the_start_and_after_each_set():
    assert next_due(START, [after(-20)], 30, after(10)) == (after(30), 0)
    assert next_due(START, [after(-20), after(25)], 30, after(60)) == (after(55), 5)


def test_nothing_is_due_beyond_the_end_of_the_observation():
    until = after(360)
    assert next_due(START, [after(325)], 30, after(330), until) == (after(355), 0)
    assert next_due(START, [after(340)], 30, after(365), until) is None


def test_a_set_that_is_owed_stays_owed_after_the_observation():
    due = next_due(START, [after(300)], 30, after(400), after(360))
    assert due is not None
    assert (due.is_late, due.minutes_late) == (True, 70)


def test_each_set_tells_by_how_much_it_came_late():
    assert gaps(START, [after(-15), after(30), after(75), after(90)], 30) == (0, 0, 15, 0)


def test_minutes_of_the_night_on_which_the_clocks_go_forward_are_elapsed_minutes():
    night, zone = date(2026, 3, 8), "America/New_York"
    before, later = (resolve_local(night, time(*at), zone) for at in ((1, 45), (3, 15)))
    assert next_due(before, [], 30, later) == (later, 0)


@given(st.lists(st.integers(-60, 600), max_size=12), st.integers(5, 60))
def test_a_set_taken_when_it_is_due_is_never_late(minutes, every):
    taken = [after(minute) for minute in minutes]
    due = next_due(START, taken, every, START)
    assert due is not None
    assert gaps(START, [*taken, due.at], every)[-1] == 0

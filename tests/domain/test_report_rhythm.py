"""When a report that comes by itself is due: month ends, leap days, nights when the clocks change."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_tracker.domain.reporting.rhythm import (
    RelativePeriod,
    Rhythm,
    due_instant,
    last_due_day,
    period_before,
)

NEW_YORK = "America/New_York"
DAYS = st.dates(date(2000, 1, 1), date(2100, 1, 1))


@pytest.mark.parametrize(
    "day, first, due",
    [
        (31, date(2026, 1, 31), ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]),
        (30, date(2028, 1, 30), ["2028-01-30", "2028-02-29", "2028-03-30", "2028-04-30"]),
        (29, date(2027, 1, 30), ["2027-02-28", "2027-03-29"]),
        (29, date(2028, 2, 1), ["2028-02-29", "2028-03-29"]),
        (1, date(2026, 12, 2), ["2027-01-01", "2027-02-01"]),
    ],
)
def test_a_month_that_is_too_short_has_its_last_day(day, first, due):
    rhythm = Rhythm(month_day=day)
    assert [str(one) for one in rhythm.dates(first, date.fromisoformat(due[-1]))] == due


def test_every_week_on_its_weekday():
    rhythm = Rhythm(weekday=1)
    days = list(rhythm.dates(date(2026, 3, 3), date(2026, 3, 31)))
    assert [str(day) for day in days] == ["2026-03-09", "2026-03-16", "2026-03-23", "2026-03-30"]


@given(DAYS, st.integers(1, 31))
def test_every_month_has_exactly_one_due_date(start, day):
    due = list(Rhythm(month_day=day).dates(start.replace(day=1), start + timedelta(days=400)))
    months = [(one.year, one.month) for one in due]
    assert len(months) == len(set(months)) >= 12
    assert due[0].month == start.month
    assert all(one.day == day or (one + timedelta(days=1)).day == 1 for one in due)


@given(DAYS, st.integers(1, 7))
def test_every_week_has_exactly_one_due_date(start, weekday):
    due = list(Rhythm(weekday=weekday).dates(start, start + timedelta(days=69)))
    assert len(due) == 10
    assert {one.isoweekday() for one in due} == {weekday}


def test_a_rhythm_is_weekly_or_monthly():
    for values in ({}, {"weekday": 1, "month_day": 1}):
        with pytest.raises(ValueError, match="a weekday or a day"):
            Rhythm(**values)


@pytest.mark.parametrize(
    "day, instant",
    [
        (date(2026, 1, 15), datetime(2026, 1, 15, 10, tzinfo=UTC)),
        (date(2026, 3, 8), datetime(2026, 3, 8, 9, tzinfo=UTC)),  # the clocks went forward at 2
        (date(2026, 7, 1), datetime(2026, 7, 1, 9, tzinfo=UTC)),
        (date(2026, 11, 1), datetime(2026, 11, 1, 10, tzinfo=UTC)),  # the clocks went back at 2
    ],
)
def test_due_at_five_on_the_clinics_clock(day, instant):
    assert due_instant(day, NEW_YORK) == instant
    before = instant - timedelta(seconds=1)
    assert last_due_day(day, instant, NEW_YORK) == day
    assert last_due_day(day, before, NEW_YORK) == day - timedelta(days=1)


@pytest.mark.parametrize(
    "period, due, first, last",
    [
        (RelativePeriod.LAST_WEEK, "2026-03-02", "2026-02-23", "2026-03-01"),
        (RelativePeriod.LAST_MONTH, "2028-03-01", "2028-02-01", "2028-02-29"),
        (RelativePeriod.LAST_MONTH, "2026-03-31", "2026-02-01", "2026-02-28"),
        (RelativePeriod.LAST_QUARTER, "2026-01-15", "2025-10-01", "2025-12-31"),
        (RelativePeriod.LAST_YEAR, "2026-02-28", "2025-02-01", "2026-01-31"),
    ],
)
def test_the_period_is_told_by_the_due_date(period, due, first, last):
    assert tuple(map(str, period_before(period, date.fromisoformat(due)))) == (first, last)


def test_in_words():
    assert Rhythm(weekday=3).in_words() == "every Wednesday"
    assert Rhythm(month_day=31).in_words() == "on the last day of every month"
    assert Rhythm(month_day=15).in_words() == "on day 15 of every month"
    assert "shorter months on the last day" in Rhythm(month_day=30).in_words()

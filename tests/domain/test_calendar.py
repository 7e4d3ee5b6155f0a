"""Months are added from the anchor in one step; business days leave out weekends and observed holidays."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st

from clinic_tracker.domain.calendar import (
    add_business_days,
    add_months,
    day_of,
    iso,
    local_day,
    months_after,
    to_date,
    whole_months_between,
)
from clinic_tracker.queries.protocols import us_federal_holidays
from tests.oracle.plain_holidays import federal_holidays

DAYS = st.dates(date(1900, 1, 1), date(2199, 12, 31))


def test_months_do_not_drift_after_a_short_month() -> None:
    january = day_of("2024-01-31")
    assert [iso(add_months(january, k)) for k in (1, 2, 3)] == ["2024-02-29", "2024-03-31", "2024-04-30"]


@given(DAYS, st.integers(-200, 400))
def test_adding_months_is_what_relativedelta_says(day: date, months: int) -> None:
    assert to_date(add_months(day.toordinal(), months)) == day + relativedelta(months=months)


@given(DAYS, st.integers(1, 24), st.integers(0, 20))
def test_a_series_is_each_month_added_from_the_anchor(day: date, step: int, count: int) -> None:
    anchor = day.toordinal()
    assert months_after(anchor, step, count) == [add_months(anchor, step * k) for k in range(1, count + 1)]


@given(DAYS, DAYS)
def test_whole_months_are_the_most_that_fit(day: date, limit: date) -> None:
    months = whole_months_between(day.toordinal(), limit.toordinal())
    assert add_months(day.toordinal(), months) <= limit.toordinal() < add_months(day.toordinal(), months + 1)


@pytest.mark.parametrize("day, months", [("2199-12-31", 600), ("1900-01-01", -600)])
def test_months_beyond_the_tables_are_refused(day: str, months: int) -> None:
    with pytest.raises(ValueError, match="is outside 1880 to 2239"):
        add_months(day_of(day), months)


@pytest.mark.parametrize("day", [date(1879, 12, 31), date(2240, 1, 1)])
def test_days_beyond_the_tables_are_refused(day: date) -> None:
    with pytest.raises(ValueError, match="is outside 1880 to 2239"):
        add_months(day.toordinal(), 0)


def test_the_last_due_dates_of_the_last_histories_are_inside() -> None:
    assert iso(add_months(day_of("2199-12-31"), 48 + 12)) == "2204-12-31"


@pytest.mark.parametrize(
    "last_infusion, due",
    [
        ("2025-01-31", "2025-02-07"),  # a plain week
        ("2025-11-07", "2025-11-17"),  # Veterans Day, a Tuesday
        ("2021-06-17", "2021-06-25"),  # Juneteenth 2021, a Saturday, observed on Friday
        ("2020-06-18", "2020-06-25"),  # not yet a holiday in 2020
        ("2021-12-30", "2022-01-07"),  # New Year's Day 2022, a Saturday, observed on 31 December
        ("2026-07-02", "2026-07-10"),  # Independence Day, a Saturday, observed on Friday
        ("2101-12-23", "2102-01-03"),  # Christmas, a Sunday, observed on Monday, after the package's last year
    ],
)
def test_five_business_days(last_infusion: str, due: str) -> None:
    assert iso(add_business_days(day_of(last_infusion), 5, us_federal_holidays())) == due


def test_holidays_are_those_of_the_definitions() -> None:
    weekdays = {day for day in us_federal_holidays() if (day - 1) % 7 < 5}
    defined = {day.toordinal() for year in range(1985, 2205) for day in federal_holidays(year) if day.weekday() < 5}
    span = range(date(1986, 1, 1).toordinal(), date(2204, 12, 30).toordinal())
    assert {day for day in weekdays if day in span} == {day for day in defined if day in span}


@pytest.mark.parametrize(
    "text", ["20251103", "2025-W45-1", "2025-11-3", "2025-02-30", "", "２０２５-11-03", "2025-11-03\n"]
)
def test_only_one_spelling_of_a_date_is_read(text: str) -> None:
    with pytest.raises(ValueError):
        day_of(text)


def test_the_local_date_of_an_instant_depends_on_the_zone() -> None:
    instant = datetime.fromisoformat("2025-11-03T23:30+00:00")
    days = [local_day(instant, ZoneInfo(zone)) for zone in ("America/New_York", "Asia/Kolkata")]
    assert [iso(day) for day in days] == ["2025-11-03", "2025-11-04"]

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_tracker.web import filters

pytestmark = pytest.mark.no_database

TODAY = date(2026, 1, 22)
NEW_YORK = "America/New_York"


def test_dates_cannot_be_misread_and_carry_their_machine_form():
    assert filters.date_element(date(2026, 3, 7)) == '<time class="nowrap" datetime="2026-03-07">07-Mar-2026</time>'


def test_what_is_unknown_is_said():
    assert "Not known" in filters.date_element(None)
    assert "Not known" in filters.datetime_element(None, NEW_YORK)
    assert "Not known" in filters.lab(None)
    assert "Not known" in str(filters.or_unknown(""))
    assert str(filters.or_unknown(0)) == "0"


@pytest.mark.parametrize(
    "days, said",
    [
        (0, "today"),
        (1, "tomorrow"),
        (-1, "yesterday"),
        (3, "in 3 days"),
        (-12, "12 days ago"),
        (59, "in 59 days"),
        (61, "in 2 months"),
        (-365, "12 months ago"),
        (1461, "in 4 years"),
    ],
)
def test_distance_in_words(days, said):
    assert filters.relative(TODAY + timedelta(days=days), TODAY) == said


def test_a_time_names_its_zone_only_near_a_clock_change():
    assert filters.clock(datetime(2026, 1, 22, 19, 5, tzinfo=UTC), NEW_YORK) == "14:05"
    assert filters.clock(datetime(2025, 11, 2, 5, 30, tzinfo=UTC), NEW_YORK) == "01:30 EDT"
    assert filters.clock(datetime(2025, 11, 2, 6, 30, tzinfo=UTC), NEW_YORK) == "01:30 EST"


def test_a_moment_is_shown_on_the_clock_of_the_clinic():
    shown = filters.datetime_element(datetime(2026, 1, 23, 2, 5, tzinfo=UTC), NEW_YORK)
    assert shown == '<time class="nowrap" datetime="2026-01-22T21:05:00-05:00">22-Jan-2026 21:05</time>'


@pytest.mark.parametrize(
    "born, years",
    [(date(1980, 1, 22), 46), (date(1980, 1, 23), 45), (date(2008, 2, 29), 17), (date(2026, 1, 22), 0)],
)
def test_age_counts_completed_years(born, years):
    assert filters.age(born, TODAY) == years


def test_plural():
    assert [filters.plural(n, "patient") for n in (0, 1, 2, 1200)] == [
        "0 patients", "1 patient", "2 patients", "1,200 patients",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "span, said",
    [(0, "0 min"), (59, "59 min"), (125, "2 h 05 min"), (timedelta(hours=2), "2 h 00 min"), (-5, "−5 min")],
)
def test_durations(span, said):
    assert filters.duration(span) == said


def test_a_result_has_its_unit_and_says_its_flag():
    shown = filters.lab(Decimal("145.0"), "10*9/L", "L")
    assert "145 <abbr" in shown
    assert 'title="below the reference range">L</abbr>' in shown
    assert "10⁹/L" in shown


def test_a_result_within_its_range_is_not_stressed():
    assert filters.lab(12.5, "umol/L") == '<span class="lab-value">12.5</span> <span class="unit">µmol/L</span>'


def test_names_show_the_family_first_and_stay_text():
    person = {"family_name": "O'Neill <b>", "given_name": "Ada"}
    assert filters.person_name(person) == '<span class="person-name"><b>O&#39;NEILL &lt;B&gt;</b>, Ada</span>'
    assert filters.person_name_text(person) == "O'NEILL <B>, Ada"


@pytest.mark.parametrize(
    "status, days, said",
    [
        ("overdue", 12, "12 days overdue"),
        ("overdue", 1, "1 day overdue"),
        ("due", 3, "due in 3 days"),
        ("due", 0, "due today"),
        ("due", 1, "due tomorrow"),
        ("upcoming", 9, "opens in 9 days"),
        ("up_to_date", None, "up to date"),
        ("missed", 40, "missed"),
    ],
)
def test_every_status_has_words(status, days, said):
    assert filters.status_words(status, days) == said


def test_codes_read_as_words():
    assert filters.words("patient_status_form") == "Patient status form"
    assert filters.words("hiv_test") == "HIV test"
    assert filters.words("hepatitis_b") == "Hepatitis B"
    assert filters.words("") == ""


@given(st.one_of(st.floats(allow_nan=False), st.decimals(allow_nan=False, allow_infinity=False), st.text()))
def test_any_stored_value_can_be_shown(value):
    assert isinstance(str(filters.lab(value, "10^9/L", "H")), str)

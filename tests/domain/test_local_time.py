import contextlib
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_tracker.domain import local_time
from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.local_time import Choice

TODAY = date(2026, 11, 22)
NEW_YORK, HONOLULU, KOLKATA, LORD_HOWE = "America/New_York", "Pacific/Honolulu", "Asia/Kolkata", "Australia/Lord_Howe"
ZONES = (NEW_YORK, HONOLULU, KOLKATA, LORD_HOWE, "UTC", "Europe/London")


def refusal(function, *arguments, **named):
    with pytest.raises(RuleViolation) as caught:
        function(*arguments, **named)
    return caught.value


# ------------------------------------------------------------------------------------------------ dates


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22",
        "2026/11/22",
        "11/22/2026",
        "11-22-2026",
        "11 22 2026",
        "Nov 22 2026",
        "Nov 22, 2026",
        "november 22nd, 2026",
        "22-Nov-2026",
        "22 nov 2026",
        "22nov2026",
        "  22   November   2026 ",
        "TODAY",
    ],
)
def test_dates_are_read_as_people_write_them(text):
    assert local_time.parse_date(text, TODAY) == TODAY


def test_yesterday_is_the_day_before_today():
    assert local_time.parse_date("yesterday", date(2026, 3, 1)) == date(2026, 2, 28)


@pytest.mark.parametrize("text,expected", [("sept 1 2026", date(2026, 9, 1)), ("2/3/2026", date(2026, 2, 3))])
def test_shortened_months_and_single_digits_are_enough(text, expected):
    assert local_time.parse_date(text, TODAY) == expected


@pytest.mark.parametrize("text", ["11/22/26", "Nov 22 26", "22-Nov-26", "1/1/196"])
def test_a_year_needs_four_digits(text):
    violation = refusal(local_time.parse_date, text, TODAY, "birth_date")
    assert (violation.code, violation.field) == ("two_digit_year", "birth_date")
    assert "four digits" in violation.message


def test_a_day_written_before_the_month_is_refused_with_what_was_probably_meant():
    violation = refusal(local_time.parse_date, "22/11/2026", TODAY)
    assert violation.code == "no_such_date"
    assert violation.message.endswith("Did you mean 11/22/2026?")


@pytest.mark.parametrize(
    "text,meant", [("13/1/2026", "1/13/2026"), ("31/12/2026", "12/31/2026"), ("28/2/2026", "2/28/2026")]
)
def test_the_first_and_last_month_and_the_last_day_can_be_what_was_meant(text, meant):
    assert refusal(local_time.parse_date, text, TODAY).message.endswith(f"Did you mean {meant}?")


@pytest.mark.parametrize("text", ["31/13/2026", "13/31/2026", "31/2/2026", "0/10/2026", "13/0/2026", "40/12/2026"])
def test_an_impossible_month_is_refused_and_no_impossible_date_is_offered(text):
    violation = refusal(local_time.parse_date, text, TODAY)
    assert violation.code == "no_such_date"
    assert "Did you mean" not in violation.message


@pytest.mark.parametrize("text", ["2026-02-29", "Feb 30 2026", "0-Feb-2026", "4/31/2026"])
def test_a_day_that_the_month_does_not_have_is_refused(text):
    violation = refusal(local_time.parse_date, text, TODAY)
    assert violation.code == "no_such_date"
    assert "there is no day" in violation.message


def test_the_leap_day_of_a_leap_year_is_a_date():
    assert local_time.parse_date("Feb 29 2028", TODAY) == date(2028, 2, 29)


@pytest.mark.parametrize("text", ["1899-12-31", "1/1/2200"])
def test_years_that_nobody_lives_in_are_refused(text):
    assert refusal(local_time.parse_date, text, TODAY).code == "year_out_of_range"


@pytest.mark.parametrize("text", ["soon", "22.11.2026", "ma 3 2026", "Foo 3 2026", "2026", "11/22", "2026-11-22T10:00"])
def test_what_is_no_date_is_refused_with_an_example(text):
    violation = refusal(local_time.parse_date, text, TODAY)
    assert violation.code == "unreadable_date"
    assert "2026" in violation.message


@pytest.mark.parametrize("text", ["", "   "])
def test_a_missing_date_is_asked_for(text):
    assert refusal(local_time.parse_date, text, TODAY).code == "missing_date"


@given(st.dates(date(1900, 1, 1), date(2199, 12, 31)))
def test_every_date_survives_being_shown_and_typed_again(day):
    for text in (
        local_time.show_date(day),
        day.isoformat(),
        f"{day.month}/{day.day}/{day.year}",
        f"{local_time.MONTHS[day.month - 1]} {day.day}, {day.year}",
    ):
        assert local_time.parse_date(text, TODAY) == day


@given(st.text(max_size=20))
def test_any_text_is_a_date_or_a_refusal(text):
    with contextlib.suppress(RuleViolation):
        assert isinstance(local_time.parse_date(text, TODAY), date)


# ------------------------------------------------------------------------------------------------ months


def test_months_are_added_to_the_original_date_and_clamped_to_the_month():
    assert local_time.add_months(date(2025, 1, 31), 1) == date(2025, 2, 28)
    assert local_time.add_months(date(2025, 1, 31), 2) == date(2025, 3, 31)
    assert local_time.add_months(date(2024, 2, 29), 48) == date(2028, 2, 29)
    assert local_time.add_months(date(2024, 2, 29), 12) == date(2025, 2, 28)
    assert local_time.add_months(date(2024, 3, 31), -1) == date(2024, 2, 29)


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.integers(0, 600))
def test_adding_months_never_goes_back_and_keeps_the_day_where_the_month_has_it(day, months):
    later = local_time.add_months(day, months)
    assert later >= day
    assert later.day == day.day or (later + timedelta(days=1)).day == 1


# ------------------------------------------------------------------------------------------------ times


@pytest.mark.parametrize(
    "text,expected",
    [
        ("14:05", time(14, 5)),
        ("1405", time(14, 5)),
        ("905", time(9, 5)),
        ("2:05 pm", time(14, 5)),
        ("2:05 P.M.", time(14, 5)),
        ("205p", time(14, 5)),
        ("2 pm", time(14, 0)),
        ("12:30 am", time(0, 30)),
        ("12:30pm", time(12, 30)),
        ("noon", time(12, 0)),
        ("Midnight", time(0, 0)),
        ("14:05:30", time(14, 5, 30)),
    ],
)
def test_times_are_read_on_either_clock(text, expected):
    assert local_time.parse_time(text) == expected


@pytest.mark.parametrize("text", ["9", "14", "lunch", "14:5", "140530", "24:00", "14:60", "14:05 pm", "0:30 am"])
def test_a_time_that_is_unclear_or_impossible_is_refused(text):
    violation = refusal(local_time.parse_time, text, "started_time")
    assert (violation.code, violation.field) == ("unreadable_time", "started_time")


def test_a_missing_time_is_asked_for():
    assert refusal(local_time.parse_time, " ").code == "missing_time"


@given(st.times())
def test_every_time_of_day_can_be_typed_both_ways(clock):
    whole = clock.replace(second=0, microsecond=0, tzinfo=None)
    half_day = f"{whole.hour % 12 or 12}:{whole:%M} {'am' if whole.hour < 12 else 'pm'}"
    assert local_time.parse_time(f"{whole:%H:%M}") == local_time.parse_time(half_day) == whole


# ------------------------------------------------------------------------------------------------ clock changes


def test_an_ordinary_time_is_its_instant():
    instant = local_time.resolve_local(date(2026, 11, 22), time(14, 5), NEW_YORK, Choice.LATER)
    assert instant == datetime(2026, 11, 22, 19, 5, tzinfo=UTC)
    assert local_time.repeated_options(date(2026, 11, 22), time(14, 5), NEW_YORK) == ()


def test_the_repeated_hour_in_new_york_is_asked_about_with_both_abbreviations():
    violation = refusal(local_time.resolve_local, date(2026, 11, 1), time(1, 30), NEW_YORK, field="ended_time")
    assert (violation.code, violation.field) == ("ambiguous_time", "ended_time")
    assert "1:30 am EDT" in violation.message
    assert "1:30 am EST" in violation.message


def test_the_choice_decides_which_of_the_two_is_meant():
    earlier = local_time.resolve_local(date(2026, 11, 1), time(1, 30), NEW_YORK, Choice.EARLIER)
    later = local_time.resolve_local(date(2026, 11, 1), time(1, 30), NEW_YORK, Choice.LATER)
    assert earlier == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    assert later == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    options = local_time.repeated_options(date(2026, 11, 1), time(1, 30), NEW_YORK)
    assert [option.instant for option in options] == [earlier, later]
    assert [option.label for option in options] == [
        "1:30 am EDT, the earlier (UTC-04:00)",
        "1:30 am EST, the later (UTC-05:00)",
    ]


def test_the_skipped_hour_in_new_york_does_not_exist():
    violation = refusal(local_time.resolve_local, date(2026, 3, 8), time(2, 30), NEW_YORK, Choice.EARLIER)
    assert violation.code == "skipped_time"
    assert "did not exist" in violation.message
    assert "3:30 am EDT" in violation.message
    assert not local_time.is_repeated(date(2026, 3, 8), time(2, 30), NEW_YORK)


@pytest.mark.parametrize(
    "clock,repeated", [(time(0, 59), False), (time(1, 0), True), (time(1, 59), True), (time(2, 0), False)]
)
def test_only_the_hour_itself_is_repeated(clock, repeated):
    assert local_time.is_repeated(date(2026, 11, 1), clock, NEW_YORK) is repeated


@pytest.mark.parametrize(
    "clock,exists", [(time(1, 59), True), (time(2, 0), False), (time(2, 59), False), (time(3, 0), True)]
)
def test_only_the_hour_itself_is_skipped(clock, exists):
    if exists:
        assert local_time.resolve_local(date(2026, 3, 8), clock, NEW_YORK)
    else:
        assert refusal(local_time.resolve_local, date(2026, 3, 8), clock, NEW_YORK).code == "skipped_time"


def test_lord_howe_repeats_and_skips_half_an_hour():
    assert local_time.is_repeated(date(2026, 4, 5), time(1, 45), LORD_HOWE)
    assert not local_time.is_repeated(date(2026, 4, 5), time(1, 15), LORD_HOWE)
    assert not local_time.is_repeated(date(2026, 4, 5), time(2, 0), LORD_HOWE)
    violation = refusal(local_time.resolve_local, date(2026, 4, 5), time(1, 45), LORD_HOWE)
    assert "1:45 am UTC+11:00" in violation.message
    assert "1:45 am UTC+10:30" in violation.message
    assert refusal(local_time.resolve_local, date(2026, 10, 4), time(2, 15), LORD_HOWE).code == "skipped_time"
    assert local_time.resolve_local(date(2026, 10, 4), time(2, 30), LORD_HOWE)


@pytest.mark.parametrize("zone_name", [HONOLULU, KOLKATA])
@pytest.mark.parametrize("day", [date(2026, 3, 8), date(2026, 11, 1)])
def test_zones_that_never_change_their_clocks_ask_nothing(zone_name, day):
    for hour in range(24):
        assert not local_time.is_repeated(day, time(hour, 30), zone_name)
        assert local_time.resolve_local(day, time(hour, 30), zone_name)


def test_kolkata_is_half_an_hour_off_the_full_hour():
    instant = local_time.resolve_local(date(2026, 11, 22), time(0, 10), KOLKATA)
    assert instant == datetime(2026, 11, 21, 18, 40, tzinfo=UTC)


@pytest.mark.parametrize("zone_name", ["Mars/Olympus", "", "../etc/passwd", "localtime", "right/UTC", "\0"])
def test_an_unknown_zone_is_refused(zone_name):
    assert refusal(local_time.today_in, zone_name, datetime(2026, 1, 1, tzinfo=UTC)).code == "unknown_zone"


@given(st.datetimes(datetime(2000, 1, 1), datetime(2060, 1, 1)), st.sampled_from(ZONES))  # noqa: DTZ001
def test_every_instant_can_be_typed_in_every_zone(naive, zone_name):
    instant = naive.replace(tzinfo=UTC, microsecond=0)
    local = instant.astimezone(ZoneInfo(zone_name))
    choice = Choice.LATER if local.fold else Choice.EARLIER
    assert local_time.resolve_local(local.date(), local.time(), zone_name, choice) == instant
    assert local_time.is_repeated(local.date(), local.time(), zone_name) == bool(
        local_time.repeated_options(local.date(), local.time(), zone_name)
    )


# ------------------------------------------------------------------------------------------------ instants


def test_the_date_of_an_instant_is_that_of_the_zone():
    instant = datetime(2026, 11, 23, 4, 30, tzinfo=UTC)
    assert local_time.local_date(instant, NEW_YORK) == date(2026, 11, 22)
    assert local_time.local_date(instant, KOLKATA) == date(2026, 11, 23)
    assert local_time.today_in(HONOLULU, instant) == date(2026, 11, 22)
    assert local_time.show_time(instant, NEW_YORK) == "11:30 pm EST"
    assert local_time.show_time(instant, KOLKATA) == "10:00 am IST"
    assert local_time.show_time(datetime(2026, 11, 22, 17, 30, tzinfo=UTC), NEW_YORK) == "12:30 pm EST"
    assert local_time.show_time(datetime(2026, 11, 22, 5, 30, tzinfo=UTC), NEW_YORK) == "12:30 am EST"


def test_elapsed_minutes_are_those_that_really_passed_on_the_night_clocks_go_back():
    zone = ZoneInfo(NEW_YORK)
    ended = datetime(2026, 11, 1, 0, 30, tzinfo=zone)
    discharged = datetime(2026, 11, 1, 1, 30, tzinfo=zone, fold=1)
    assert local_time.elapsed_minutes(ended, discharged) == 120


def test_elapsed_minutes_are_those_that_really_passed_on_the_night_clocks_go_forward():
    zone = ZoneInfo(NEW_YORK)
    assert (
        local_time.elapsed_minutes(datetime(2026, 3, 8, 1, 30, tzinfo=zone), datetime(2026, 3, 8, 3, 30, tzinfo=zone))
        == 60
    )


def test_a_minute_counts_when_it_is_over():
    start = datetime(2026, 11, 22, 23, 0, 30, tzinfo=UTC)
    assert local_time.elapsed_minutes(start, start + timedelta(minutes=119, seconds=59)) == 119
    assert local_time.elapsed_minutes(start, start + timedelta(minutes=120)) == 120
    assert local_time.elapsed_minutes(start, start - timedelta(seconds=1)) == -1


def test_a_time_without_offset_is_not_an_instant():
    with pytest.raises(ValueError, match="no UTC offset"):
        local_time.to_utc(datetime(2026, 11, 22, 12, 0))  # noqa: DTZ001

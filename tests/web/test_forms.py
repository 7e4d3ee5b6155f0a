import re
from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest
from flask import g
from hypothesis import given
from hypothesis import strategies as st
from wtforms import FieldList, FormField

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.vocabulary import OutreachOutcome
from clinic_tracker.web import forms as f
from tests.web.interface import SCOPE, posted, render

pytestmark = pytest.mark.no_database


class Entry(f.Form):
    mrn = f.StringField("MRN", required=True, max_length=10)
    note = f.TextAreaField("Note")
    born = f.DateField("Date of birth", parts=True, not_future=True)
    collected = f.DateField("Date of collection", not_future=True, earliest=date(2010, 1, 1))
    visit = f.DateField("Visit", not_past=True, latest=date(2026, 12, 31))
    at = f.TimeField("Time of vitals")
    started = f.LocalDateTimeField("Infusion start", not_future=True)
    dose = f.DecimalField("Dose", minimum=1, maximum=24, unit="mg", places=1)
    pulse = f.IntegerField("Heart rate", minimum=20, maximum=250)
    arm = f.SelectField("Access", choices=[("", "Choose"), ("l", "Left arm"), ("r", "Right arm", "not after surgery")])
    outcome = f.RadioField("Outcome", choices=f.enum_choices(OutreachOutcome))
    told = f.CheckboxesField("Counselling", choices=["stroke", "late"])
    sure = f.CheckboxField("I checked two identifiers")
    email = f.EmailField("E-mail address")
    version = f.VersionField()
    once = f.IdempotencyField()


def errors_of(interface, name, **values):
    return list(posted(interface, Entry, **values)[name].errors)


def test_text_is_trimmed_and_empty_text_is_none(interface):
    form = posted(interface, Entry, mrn="  123 \r\n", note="   ")
    assert (form.mrn.data, form.note.data) == ("123", None)


def test_a_required_field_left_empty_names_itself(interface):
    assert errors_of(interface, "mrn", mrn=" ") == ["Enter MRN"]


def test_text_beyond_its_length_is_refused(interface):
    assert errors_of(interface, "mrn", mrn="12345678901") == ["MRN must be 10 characters or fewer"]


def test_an_empty_post_does_not_fall_back_to_defaults(interface):
    class WithDefault(f.Form):
        on = f.DateField("Date", required=True, default=date(2026, 1, 1))

    form = posted(interface, WithDefault)
    assert form.on.data is None
    assert form.on.errors == ["Enter date"]


@pytest.mark.parametrize(
    "typed", ["2026-01-12", "01/12/2026", "1/12/2026", "Jan 12 2026", "12-Jan-2026", "12 jan 2026"]
)
def test_a_date_may_be_typed_in_any_unambiguous_way(interface, typed):
    assert posted(interface, Entry, collected=typed).collected.data == date(2026, 1, 12)


def test_what_was_typed_stays_as_typed_after_a_refusal(interface):
    form = posted(interface, Entry, collected="13/45/2026")
    assert form.collected.shown == "13/45/2026"
    assert form.collected.errors[0].startswith("Date of collection: ")


@pytest.mark.parametrize(
    "name, typed, message",
    [
        ("collected", "2026-01-23", "Date of collection must not be in the future"),
        ("collected", "2009-12-31", "Date of collection must be 01-Jan-2010 or later"),
        ("visit", "2026-01-21", "Visit must be today or later"),
        ("visit", "2027-01-01", "Visit must be 31-Dec-2026 or earlier"),
    ],
)
def test_dates_have_bounds_in_words(interface, name, typed, message):
    assert errors_of(interface, name, **{name: typed}) == [message]


def test_today_in_the_clinic_is_not_the_future(interface):
    assert errors_of(interface, "collected", collected="2026-01-22") == []


def test_three_boxes_make_a_date_month_first(interface):
    form = posted(interface, Entry, born__month="7", born__day="14", born__year="1980")
    assert form.born.data == date(1980, 7, 14)
    assert form.born.focus_id == "born-month"


def test_a_month_may_be_a_name(interface):
    assert posted(interface, Entry, born__month="Jul", born__day="14", born__year="1980").born.data == date(1980, 7, 14)


@pytest.mark.parametrize(
    "parts, message",
    [
        ({"month": "7", "day": "14"}, "Date of birth must include a year"),
        ({"year": "1980"}, "Date of birth must include a month and a day"),
        ({"month": "7", "day": "14", "year": "80"}, "Date of birth must have a year of four digits"),
    ],
)
def test_a_missing_part_is_named(interface, parts, message):
    values = {f"born__{part}": value for part, value in parts.items()}
    assert errors_of(interface, "born", **values) == [message]


@given(
    st.dictionaries(st.sampled_from(["month", "day", "year"]), st.text(max_size=6)),
    st.text(max_size=20),
    st.text(max_size=8),
)
def test_no_post_of_a_date_raises(interface, parts, day, clock):
    values = {f"born__{part}": value for part, value in parts.items()}
    form = posted(interface, Entry, **values, collected=day, started__date=day, started__time=clock, at=clock)
    assert form.born.data is None or isinstance(form.born.data, date)


@given(st.text(max_size=30))
def test_no_post_of_a_number_raises(interface, typed):
    form = posted(interface, Entry, dose=typed, pulse=typed, version=typed, arm=typed, told=typed)
    assert form.dose.data is None or form.dose.data.is_finite()


@pytest.mark.parametrize("typed, read", [("13:05", time(13, 5)), ("1305", time(13, 5)), ("1:05 pm", time(13, 5))])
def test_times_on_both_clocks(interface, typed, read):
    assert posted(interface, Entry, at=typed).at.data == read


def test_a_local_time_becomes_an_instant(interface):
    form = posted(interface, Entry, started__date="01/22/2026", started__time="9:05")
    assert form.started.data == datetime(2026, 1, 22, 14, 5, tzinfo=UTC)


def test_an_instant_is_shown_in_the_time_of_the_clinic(interface):
    with interface.test_request_context():
        g.scope = SCOPE
        form = Entry(started=datetime(2026, 1, 22, 14, 5, tzinfo=UTC))
        assert (form.started.typed["date"], form.started.typed["time"]) == ("22-Jan-2026", "09:05")


def test_an_hour_that_comes_twice_is_asked_about(interface):
    form = posted(interface, Entry, started__date="11/2/2025", started__time="1:30")
    assert form.started.data is None
    assert [value for value, _words in form.started.fold_choices] == ["earlier", "later"]
    assert "started-fold-0" in [error.target for error in form.error_links]


@pytest.mark.parametrize("choice, hour", [("earlier", 5), ("later", 6)])
def test_the_answer_decides_which_hour(interface, choice, hour):
    form = posted(interface, Entry, started__date="11/2/2025", started__time="1:30", started__fold=choice)
    assert form.started.data == datetime(2025, 11, 2, hour, 30, tzinfo=UTC)


def test_an_hour_that_the_clocks_skip_is_refused(interface):
    errors = errors_of(interface, "started", started__date="3/9/2025", started__time="2:30")
    assert errors[0].startswith("Infusion start: ")


def test_half_a_moment_is_no_moment(interface):
    assert errors_of(interface, "started", started__date="1/22/2026") == ["Infusion start must include a time"]
    assert errors_of(interface, "started", started__time="9:00") == ["Infusion start must include a date"]


def test_a_moment_of_today_that_has_not_come_is_the_future(interface):
    errors = errors_of(interface, "started", started__date="1/22/2026", started__time="12:30")
    assert errors == ["Infusion start must not be in the future"]


@pytest.mark.parametrize(
    "typed, message",
    [
        ("0.5", "Dose must be 1 mg or more"),
        ("120", "Dose must be 24 mg or less"),
        ("12.25", "Dose must have at most 1 digit after the point"),
        ("1,5", "Dose must be a number with a point for decimals, such as 4.5"),
        ("NaN", "Dose must be a number, such as 4.5"),
        ("twelve", "Dose must be a number, such as 4.5"),
    ],
)
def test_implausible_numbers_are_refused_with_their_unit(interface, typed, message):
    assert errors_of(interface, "dose", dose=typed) == [message]


def test_numbers_are_read_exactly(interface):
    form = posted(interface, Entry, dose="12.5", pulse="72")
    assert (form.dose.data, form.pulse.data) == (Decimal("12.5"), 72)


@pytest.mark.parametrize("typed", ["7.5", "٧٢", "1e3", "--5"])
def test_whole_numbers_are_whole(interface, typed):
    assert errors_of(interface, "pulse", pulse=typed) == ["Heart rate must be a whole number"]


def test_a_choice_outside_the_list_is_refused(interface):
    assert errors_of(interface, "arm", arm="leg") == ["Choose access from the list"]
    assert errors_of(interface, "told", told="nothing") == ["Choose counselling from the list"]


def test_the_empty_choice_is_none(interface):
    form = posted(interface, Entry, arm="", outcome="no_answer", sure="1", told="late")
    assert (form.arm.data, form.outcome.data, form.sure.data, form.told.data) == (None, "no_answer", True, ["late"])


@pytest.mark.parametrize("typed", ["nobody", "@example.org", "a b@example.org", "a@localhost"])
def test_an_address_without_the_shape_of_one_is_refused(interface, typed):
    assert errors_of(interface, "email", email=typed) == ["Enter an e-mail address in the form name@example.org"]


@pytest.mark.parametrize("sent, kept", [("7", 7), ("", -1), ("x", -1), ("-3", -1)])
def test_a_version_that_was_tampered_with_matches_nothing(interface, sent, kept):
    assert posted(interface, Entry, version=sent).version.data == kept


def test_a_form_shown_again_keeps_its_token_and_a_new_one_gets_another(interface):
    assert posted(interface, Entry, once="abc").once.data == "abc"
    assert posted(interface, Entry).once.data != posted(interface, Entry).once.data


def test_a_password_is_taken_as_typed_and_never_sent_back(interface):
    class SignIn(f.Form):
        password = f.PasswordField("Password", required=True)

    form = posted(interface, SignIn, password="  two spaces  ")
    assert form.password.data == "  two spaces  "
    assert form.password.shown == ""


def test_a_refused_rule_stands_at_its_field_or_above_the_form(interface):
    form = posted(interface, Entry, mrn="1")
    form.refuse(RuleViolation("x", "dose", "The dose of course 1 is 12 mg."))
    form.refuse(RuleViolation("x", "somewhere", "No prescriber is certified."))
    links = [(error.target, error.message) for error in form.error_links]
    assert links == [("form", "No prescriber is certified."), ("dose", "The dose of course 1 is 12 mg.")]
    assert f.status_of(form) == 400


def test_a_service_takes_the_answers_by_name_or_the_form_says_why_not(interface):
    class Dose(f.Form):
        dose = f.DecimalField("Dose")

    def record(scope, *, dose):
        if dose > 12:
            raise RuleViolation("x", "dose", "The dose is 12 mg.")
        taken.append((scope, dose))

    taken = []
    good, bad = posted(interface, Dose, dose="12"), posted(interface, Dose, dose="24")
    assert f.accepted(good, record, SCOPE, **good.answers)
    assert not f.accepted(bad, record, SCOPE, **bad.answers)
    assert taken == [(SCOPE, Decimal(12))]
    assert [error.message for error in bad.error_links] == ["The dose is 12 mg."]


def test_errors_of_rows_link_to_their_own_inputs(interface):
    class Row(f.SubForm):
        value = f.DecimalField("Platelets")

    class Grid(f.Form):
        rows = FieldList(FormField(Row), min_entries=2)

    form = posted(interface, Grid, **{"rows-0-value": "5", "rows-1-value": "high"})
    assert [error.target for error in form.error_links] == ["rows-1-value"]


FIELDS = [name for name in vars(Entry) if not name.startswith("_") and name not in {"version", "once"}]


@pytest.mark.parametrize("name", FIELDS)
def test_label_hint_and_error_are_tied_to_the_input(interface, name):
    with interface.test_request_context():
        g.scope = SCOPE
        form = Entry()
        form[name].errors = ["Something is wrong"]
        form[name].description = "What to write"
    html = render(interface, '{% from "components/fields.html" import field %}{{ field(f) }}', f=form[name])
    described = re.search(r'aria-describedby="([^"]+)"', html)
    assert described is not None
    assert all(f'id="{target}"' in html for target in described[1].split())
    assert f'id="{form[name].focus_id}"' in html
    assert "Something is wrong" in html

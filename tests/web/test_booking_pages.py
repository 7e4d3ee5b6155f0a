"""The pages on which the days of a course get their chairs, move to others and give them back."""

from datetime import date, timedelta

import pytest

from clinic_tracker.queries.chairs import bookings_of_patient, chairs
from tests.booked import add_chairs, book, days_from
from tests.treated import add_patient

MONDAY = date(2026, 1, 26)


@pytest.fixture
def suite(cast, scope_for):
    return add_chairs(scope_for(cast.administrator), "1", "2", "3")


@pytest.fixture
def treated(cast, scope_for, suite):
    ready = add_patient(cast, scope_for)
    ready.make_ready(MONDAY)
    return ready


@pytest.fixture
def staff(page, cast):
    return page.sign_in(cast.staff)


def desk(treated):
    return f"/patients/{treated.patient}/courses/{treated.course}/chairs"


def press(staff, address, action, **changes):
    """Press another button of the form than the one that saves."""
    sent = staff.get(address).fields() | changes | {"action": action}
    return staff.post(address, sent, status=200)


def booked(treated):
    return bookings_of_patient(treated.scope, treated.patient_id)


def test_a_course_is_booked_as_it_is_proposed(staff, treated):
    answer = staff.get(desk(treated))
    assert "26-Jan-2026 is the planned start. 5 days of 5 can be booked." in answer.words
    assert answer.words.count("Chair 1 is free.") == 5

    staff.submit(desk(treated))

    assert "5 days booked." in staff.follow().words
    assert [row.booked_on for row in booked(treated)] == [MONDAY + timedelta(days=day) for day in range(5)]


def test_days_are_proposed_anew_from_another_day_and_nothing_is_booked(staff, treated, suite):
    row = chairs(treated.scope)[1]
    answer = press(staff, desk(treated), "propose", first_on="02/02/2026", at="9:30", chair=str(row.public_id))

    fields = answer.fields()
    assert (fields["days-4-starts_at-date"], fields["days-4-starts_at-time"]) == ("06-Feb-2026", "09:30")
    assert answer.words.count("Chair 2 is free.") == 5
    assert booked(treated) == []


def test_what_is_taken_is_told_before_and_when_saving_and_nothing_is_booked(staff, treated, cast, scope_for, suite):
    other = add_patient(cast, scope_for, family_name="Ruiz")
    other.plan(MONDAY)
    book(other, *days_from(other, MONDAY + timedelta(days=1), 1, at="10:00", chair=suite[0]))
    changes = {f"days-{day}-chair": str(suite[0]) for day in range(5)}

    answer = press(staff, desk(treated), "check", **changes)
    assert "Chair 1 is taken from 10:00 to 18:00. Free: Chair 2, Chair 3." in answer.words
    answer = staff.submit(desk(treated), 400, **changes)

    assert answer.errors == [
        "Chair 1 is taken on 27-Jan-2026 from 10:00 to 18:00. Free at the time wanted: Chair 2, Chair 3."
    ]
    assert booked(treated) == []


def test_a_day_that_is_unticked_is_left_out(staff, treated):
    staff.submit(desk(treated), **{"days-0-is_booked": None, "days-4-is_booked": None})

    assert [row.booked_on.day for row in booked(treated)] == [27, 28, 29]


@pytest.mark.parametrize(
    "changes, message",
    [
        ({f"days-{day}-is_booked": None for day in range(5)}, "Tick at least one day"),
        ({"days-1-starts_at-date": "", "days-1-starts_at-time": ""}, "Enter date and time, or untick the day"),
        ({"minutes": "5"}, "Length must be 30 minutes or more"),
        ({"days-2-starts_at-date": "01/01/2026"}, "01-Jan-2026 has passed: a chair is booked for days to come."),
    ],
)
def test_a_form_that_cannot_be_booked_says_why(staff, treated, changes, message):
    answer = staff.submit(desk(treated), 400, **changes)

    assert answer.errors == [message]
    assert booked(treated) == []


def test_an_hour_that_comes_twice_is_asked_about_and_one_that_was_skipped_is_refused(staff, treated):
    only = {f"days-{day}-is_booked": None for day in range(1, 5)}
    twice = {"days-0-starts_at-date": "11/01/2026", "days-0-starts_at-time": "1:30"}
    answer = staff.submit(desk(treated), 400, **only, **twice)
    assert "happened twice" in answer.errors[0]
    sent = answer.fields() | {"days-0-starts_at-fold": "later"}
    staff.post(desk(treated), sent)
    assert booked(treated)[0].starts_at.hour == 6

    skipped = {"days-0-starts_at-date": "03/08/2026", "days-0-starts_at-time": "2:30"}
    only.pop("days-4-is_booked")
    assert "did not exist" in staff.submit(desk(treated), 400, **only, **skipped).errors[0]


def test_a_form_sent_twice_books_once(staff, treated):
    sent = staff.get(desk(treated)).fields()

    staff.post(desk(treated), sent)
    staff.post(desk(treated), sent)

    assert len(booked(treated)) == 5


def test_a_course_that_is_booked_says_so(staff, treated):
    book(treated, *days_from(treated, MONDAY))

    assert "Every day of the course is given or booked" in staff.get(desk(treated)).words


def test_the_first_booked_day_may_become_the_planned_start_and_what_lapses_is_told(staff, treated):
    answer = press(staff, desk(treated), "propose", first_on="03/02/2026", at="08:00")
    assert "would no longer be met on 02-Mar-2026" in answer.words

    staff.post(desk(treated), answer.fields() | {"start_too": "1"})

    words = staff.follow().words
    assert "No longer valid on 02-Mar-2026" in words
    assert "Planned start02-Mar-2026" in words


# ------------------------------------------------------------------------------------------ moves, cancellation


def place(treated, what, number=0):
    return f"/patients/{treated.patient}/bookings/{booked(treated)[number].public_id}/{what}"


def test_a_first_day_is_moved_with_the_others_and_the_start(staff, treated):
    book(treated, *days_from(treated, MONDAY))
    later = {"starts_at-date": "02/02/2026", "reason": "A cold", "later_too": "1", "start_too": "1"}

    looked = press(staff, place(treated, "move"), "check", **later)
    assert "Chair 1 is free." in looked.words
    assert "If the course starts on 02-Feb-2026" in looked.words
    staff.submit(place(treated, "move"), **later)

    assert [row.booked_on.day for row in booked(treated)] == [2, 3, 4, 5, 6]
    assert "Planned start02-Feb-2026" in staff.follow().words


def test_a_move_to_a_taken_chair_or_without_a_reason_says_why(staff, treated, cast, scope_for, suite):
    other = add_patient(cast, scope_for, family_name="Ruiz")
    other.plan(MONDAY)
    book(other, *days_from(other, MONDAY, 1, chair=suite[1]))
    book(treated, *days_from(treated, MONDAY, 1))

    answer = staff.submit(place(treated, "move"), 400, chair=str(suite[1]), reason="x")
    assert answer.errors[0].startswith("Chair 2 is taken")
    assert staff.submit(place(treated, "move"), 400, reason="").errors == ["Give the reason"]


def test_who_moves_what_somebody_else_moved_is_told(staff, treated):
    book(treated, *days_from(treated, MONDAY, 1))
    sent = staff.get(place(treated, "move")).fields() | {"reason": "A cold", "starts_at-time": "09:00"}
    staff.post(place(treated, "move"), sent)

    answer = staff.post(place(treated, "move"), sent, status=409)

    assert "Changed by Nia Brandt" in answer.words


def test_a_day_is_cancelled_with_a_reason_and_all_days_at_once(staff, treated):
    book(treated, *days_from(treated, MONDAY))

    assert staff.submit(place(treated, "cancel"), 400).errors == ["Give the reason"]
    staff.submit(place(treated, "cancel"), reason="A cold")
    assert len(booked(treated)) == 4
    staff.submit(f"{desk(treated)}/cancel", reason="Moves away")

    assert booked(treated) == []
    assert "Booked days" not in staff.follow().words


def test_the_page_of_the_courses_shows_the_booked_days(staff, treated):
    book(treated, *days_from(treated, MONDAY + timedelta(days=1), 2))

    answer = staff.get(f"/patients/{treated.patient}/courses")

    assert "Day 1 27-Jan-2026 The course is planned to start on 26-Jan-2026. 08:00 to 16:00 1" in answer.words
    assert answer.links()["Book chairs Course 1"] == desk(treated)


def test_the_changes_of_the_chart_name_the_chair(page, cast, treated):
    book(treated, *days_from(treated, MONDAY, 1))

    words = page.sign_in(cast.staff).get(f"/patients/{treated.patient}/changes").words

    assert "Booking made" in words
    assert "26-Jan-2026 08:00" in words


def test_the_chair_booked_for_the_day_stands_in_the_form_of_the_start(staff, cast, scope_for, suite):
    today = add_patient(cast, scope_for)
    today.make_ready()
    address = f"/patients/{today.patient}/courses/{today.course}/start"
    assert staff.get(address).fields()["chair"] == ""

    book(today, *days_from(today, today.scope.today, 1, chair=suite[1]))

    assert staff.get(address).fields()["chair"] == "2"

"""Enrolling and ending enrollments, page by page."""

from collections.abc import Callable
from datetime import date

import pytest

from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Enrollment
from clinic_tracker.queries.scope import Scope
from tests.factories import Chart, register
from tests.fixtures.pages import Page
from tests.fixtures.people import Cast

STEPS = ("counseled_on", "guide_given_on", "card_given_on", "patient_signed_on", "prescriber_signed_on")
SIGNED = {**dict.fromkeys(STEPS, "05-Jan-2026"), "enrolled_on": "05-Jan-2026", "copy_given": "1"}


@pytest.fixture
def staff(cast: Cast, scope_for: Callable[..., Scope]) -> Scope:
    return scope_for(cast.staff)


@pytest.fixture
def chart(staff: Scope, cast: Cast) -> Chart:
    return register(staff, prescriber=cast.prescriber.public_id, rems_patient_id="R-55012")


def entries(chart: Chart) -> list[Enrollment]:
    found = db.session.query(Enrollment).filter_by(patient_id=chart.row.id).order_by(Enrollment.id)
    return found.populate_existing().all()


def test_the_form_opens_with_what_the_chart_knows(page: Page, cast: Cast, chart: Chart):
    fields = page.sign_in(cast.staff).get(f"{chart.url}/enrollments/new").fields()
    assert fields["prescriber"] == str(cast.prescriber.public_id)
    assert fields["rems_patient_id"] == "R-55012"


def test_a_signed_form_is_recorded_once(page: Page, cast: Cast, chart: Chart):
    page.sign_in(cast.staff)
    sent = {**page.get(f"{chart.url}/enrollments/new").fields(), **SIGNED}
    page.post(f"{chart.url}/enrollments/new", sent)
    page.post(f"{chart.url}/enrollments/new", sent)
    assert [row.enrolled_on for row in entries(chart)] == [date(2026, 1, 5)]
    assert "Not enrolled" not in page.get(f"{chart.url}/details").text


def test_a_missing_step_asks_for_the_reason_then_takes_it(page: Page, cast: Cast, chart: Chart):
    page.sign_in(cast.staff)
    assert "deviation_reason" not in page.get(f"{chart.url}/enrollments/new").fields()
    asked = page.submit(f"{chart.url}/enrollments/new", status=400, **{**SIGNED, "card_given_on": ""})
    assert asked.errors == ["Give the reason, or change what departs from the rules"]
    assert "No date of the safety card" in asked.words
    page.post(f"{chart.url}/enrollments/new", {**asked.fields(), "deviation_reason": "Card to be mailed"})
    assert len(entries(chart)) == 1


@pytest.mark.parametrize(
    "changes,error",
    [
        ({"enrolled_on": ""}, "Enter the date of enrollment"),
        ({"enrolled_on": "23-Jan-2026"}, "Enrolled on must not be in the future"),
        ({"enrolled_on": "31-Feb-2026"}, "Enrolled on:"),
        ({"guide_given_on": "01/02/26"}, "Guide given on:"),
        ({"patient_signed_on": "06-Jan-2026"}, "The patient's signature (06-Jan-2026) comes before"),
        ({"prescriber": ""}, "Choose prescriber"),
    ],
)
def test_dates_that_cannot_be_are_named(page: Page, cast: Cast, chart: Chart, changes, error):
    answer = page.sign_in(cast.staff).submit(f"{chart.url}/enrollments/new", status=400, **{**SIGNED, **changes})
    assert any(message.startswith(error) for message in answer.errors), answer.errors
    assert entries(chart) == []


def test_a_second_enrollment_is_refused(page: Page, cast: Cast, chart: Chart):
    chart.enroll(cast.prescriber, date(2026, 1, 5))
    answer = page.sign_in(cast.staff).submit(f"{chart.url}/enrollments/new", status=400, **SIGNED)
    assert "enrolled since 05-Jan-2026 already" in answer.errors[0]


def test_a_correction_and_an_error_stay_visible_struck_through(page: Page, cast: Cast, chart: Chart):
    chart.enroll(cast.prescriber, date(2026, 1, 5))
    page.sign_in(cast.staff)
    first = f"{chart.url}/enrollments/{entries(chart)[0].public_id}"
    refused = page.submit(f"{first}/correct", status=400, enrolled_on="07-Jan-2026")
    assert refused.errors == ["Give the reason for the correction"]
    page.submit(f"{first}/correct", enrolled_on="07-Jan-2026", reason="Misread")
    second = f"{chart.url}/enrollments/{entries(chart)[1].public_id}"
    page.submit(f"{second}/withdraw", reason="Wrong chart")
    shown = page.get(f"{chart.url}/details")
    assert [struck.find("time") is not None for struck in shown.all("s")] == [True, True]
    assert "Corrected Nia Brandt, 22-Jan-2026 10:30: Misread" in shown.words
    assert "Entered in error Nia Brandt, 22-Jan-2026 10:30: Wrong chart" in shown.words


def test_a_correction_that_a_rule_refuses_is_told(page: Page, cast: Cast, chart: Chart):
    chart.enroll(cast.prescriber, date(2026, 1, 5))
    address = f"{chart.url}/enrollments/{entries(chart)[0].public_id}/correct"
    answer = page.sign_in(cast.staff).submit(address, status=400, guide_given_on="06-Jan-2026", reason="Misread")
    assert answer.errors == [
        "The Patient Guide (06-Jan-2026) comes before the enrollment form is signed (05-Jan-2026)."
    ]
    assert entries(chart)[0].state == "recorded"


def test_what_somebody_changed_meanwhile_is_not_changed_again(page: Page, new_page, cast: Cast, chart: Chart):
    chart.enroll(cast.prescriber, date(2026, 1, 5))
    address = f"{chart.url}/enrollments/{entries(chart)[0].public_id}"
    page.sign_in(cast.neurologist).submit(f"{address}/withdraw", reason="Wrong chart")
    late = new_page().sign_in(cast.staff).submit(f"{address}/withdraw", status=400, reason="Wrong chart")
    assert "already marked as entered in error by Tomas Rey" in late.errors[0]


def test_the_end_says_that_monitoring_goes_on(page: Page, cast: Cast, staff: Scope):
    chart = register(staff).enroll(cast.prescriber, date(2025, 5, 1)).infuse(date(2025, 6, 2))
    address = f"{chart.url}/enrollments/{entries(chart)[0].public_id}/end"
    opened = page.sign_in(cast.staff).get(address)
    assert "This does not end the monitoring" in opened.words
    assert "Only a neurologist’s sign-off closes monitoring" in opened.words
    page.submit(address, ended_on="today", why="Transferred to another clinic", note="Southside")
    row = entries(chart)[0]
    assert (row.ended_on, row.end_reason) == (date(2026, 1, 22), "Transferred to another clinic: Southside")
    shown = page.follow().words
    assert "still owed" in shown
    assert "Not enrolled, and monitoring is open" in shown


@pytest.mark.parametrize(
    "changes,error",
    [
        ({"ended_on": "today"}, "Choose the reason"),
        ({"why": "Died"}, "Enter the date of the end"),
        ({"ended_on": "today", "why": "Other"}, "Say in the note what the reason is"),
        ({"ended_on": "01-Jan-2026", "why": "Died"}, "The end must not be before the enrollment, 05-Jan-2026."),
    ],
)
def test_an_end_needs_a_date_and_a_reason(page: Page, cast: Cast, chart: Chart, changes, error):
    chart.enroll(cast.prescriber, date(2026, 1, 5))
    address = f"{chart.url}/enrollments/{entries(chart)[0].public_id}/end"
    assert page.sign_in(cast.staff).submit(address, status=400, **changes).errors == [error]


def test_nobody_changes_an_enrollment_of_another_patient_or_without_permission(page, cast, chart, staff: Scope):
    chart.enroll(cast.prescriber, date(2026, 1, 5))
    other = register(staff)
    entry = entries(chart)[0].public_id
    page.sign_in(cast.staff)
    for act in ("correct", "withdraw", "end"):
        page.get(f"{other.url}/enrollments/{entry}/{act}", status=404)
    page.sign_in(cast.auditor)
    for act in ("correct", "withdraw", "end"):
        page.get(f"{chart.url}/enrollments/{entry}/{act}", status=403)
    page.post(f"{chart.url}/enrollments/{entry}/withdraw", {"reason": "x"}, status=403)
    assert entries(chart)[0].state == "recorded"

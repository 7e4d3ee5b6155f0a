"""Calls after a course as pages: the list, recording one, what a symptom leads to, correcting."""

from collections.abc import Callable
from datetime import date

import pytest

from clinic_tracker.models.audit import AccessEvent, AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.treatment import CourseFollowUp, Infusion
from clinic_tracker.queries.scope import Scope
from tests.factories import Chart, register
from tests.fixtures.pages import Page
from tests.fixtures.people import Cast


@pytest.fixture
def chart(cast: Cast, scope_for: Callable[..., Scope]) -> Chart:
    """A course from 15 to 19 January 2026; today is the 22nd."""
    return register(scope_for(cast.staff)).enroll(cast.prescriber, date(2025, 12, 20)).infuse(date(2026, 1, 15))


@pytest.fixture
def staff(page: Page, cast: Cast) -> Page:
    return page.sign_in(cast.staff)


def new(chart: Chart) -> str:
    return f"{chart.url}/courses/{chart.courses[-1]}/call"


def test_the_list_names_who_is_to_be_called_and_the_log_who_was_seen(staff: Page, chart: Chart) -> None:
    seen = staff.get("/worklists/calls")
    assert chart.row.family_name.upper() in seen.words
    assert "due," in seen.words
    assert db.session.query(AccessEvent).filter_by(endpoint="worklists.calls").one().patient_ids == [chart.row.id]
    tile = next(words for words in staff.get("/today").links() if "Calls after a course" in words)
    assert "1" in tile


def test_the_courses_of_a_chart_say_that_a_call_is_owed(staff: Page, chart: Chart) -> None:
    seen = staff.get(f"{chart.url}/courses")
    assert "Call after course 1: due," in seen.words
    staff.submit(seen.links()["Record call"], reached="yes")
    assert "Call after course 1" not in staff.get(f"{chart.url}/courses").words


def test_an_empty_list_says_so(staff: Page) -> None:
    assert "No call is owed" in staff.get("/worklists/calls").words


def test_a_call_is_recorded_and_leaves_the_list(staff: Page, chart: Chart) -> None:
    staff.submit(new(chart), reached="yes")
    seen = staff.follow()
    assert "Call recorded." in seen.words
    assert "done" in seen.words
    assert "No call is owed" in staff.get("/worklists/calls").words
    assert db.session.query(CourseFollowUp).one().symptoms == []


def test_not_reached_stays_on_the_list(staff: Page, chart: Chart) -> None:
    staff.submit(new(chart), reached="no")
    assert "The call is still owed." in staff.follow().words
    assert "not reached, 1 try" in staff.get("/worklists/calls").words


def test_a_symptom_leads_to_a_reaction_and_to_the_neurologist(staff: Page, chart: Chart) -> None:
    refused = staff.submit(new(chart), 400, reached="yes", emergencies=["speech"])
    assert refused.errors == ["Say what was advised because of the symptoms."]
    staff.submit(new(chart), reached="yes", emergencies=["speech"], symptoms=["rash"], advice="Called 911")
    seen = staff.follow()
    assert "Emergency care at once." in seen.words
    last = db.session.query(Infusion).filter_by(day_number=5).one()
    assert seen.links()["Record a reaction"] == f"{chart.url}/infusions/{last.public_id}/reaction"
    assert "Trouble speaking or understanding; Rash or hives" in staff.get("/worklists/calls").words
    later = staff.get(f"{chart.url}/calls")
    assert "Symptoms were told" not in later.words, "only right after it was recorded"
    assert "Called 911" in later.words


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"reached": None}, "Choose whether the patient was reached"),
        ({"contacted_at-date": "01/25/2026"}, "future"),
        ({"channel": "pigeon"}, "from the list"),
    ],
)
def test_a_wrong_call_is_refused_with_what_was_typed(
    staff: Page, chart: Chart, changes: dict[str, str | None], message: str
) -> None:
    sent = {"reached": "yes", "note": "Spoke to a son", **changes}
    refused = staff.submit(new(chart), 400, **sent)
    assert any(message in error for error in refused.errors), refused.errors
    assert refused.fields()["note"] == "Spoke to a son"


def test_a_call_sent_twice_is_recorded_once(staff: Page, chart: Chart) -> None:
    fields = {**staff.get(new(chart)).fields(), "reached": "yes"}
    staff.post(new(chart), fields)
    staff.post(new(chart), fields)
    assert db.session.query(CourseFollowUp).count() == 1


def test_a_correction_has_everything_filled_in_and_both_stay(staff: Page, chart: Chart) -> None:
    staff.submit(new(chart), reached="yes", symptoms=["fever"], advice="Come in", note="Tell Dr. Rey")
    place = f"{chart.url}/calls/{db.session.query(CourseFollowUp).one().public_id}"
    fields = staff.get(f"{place}/correct").fields()
    assert (fields["reached"], fields["symptoms"], fields["advice"]) == ("yes", "fever", "Come in")
    assert staff.submit(f"{place}/correct", 400).errors == ["Give the reason"]
    staff.submit(f"{place}/correct", advice="Came in", reason="Wording")
    seen = staff.follow().words
    assert "Replaced by a correction" in seen
    assert "Came in" in seen


def test_a_withdrawn_call_is_owed_again(staff: Page, chart: Chart) -> None:
    staff.submit(new(chart), reached="yes")
    place = f"{chart.url}/calls/{db.session.query(CourseFollowUp).one().public_id}/withdraw"
    assert staff.submit(place, 400).errors == ["Give the reason"]
    staff.submit(place, reason="Other patient")
    assert "Entered in error" in staff.follow().words
    assert chart.row.family_name.upper() in staff.get("/worklists/calls").words
    refused = staff.submit(place, 400, reason="Again")
    assert any("entered in error by you" in error for error in refused.errors)


def test_the_list_is_a_file_too_and_that_is_audited(staff: Page, chart: Chart) -> None:
    answer = staff.get("/worklists/calls/export.csv")
    head, row = answer.text.splitlines()
    assert head.startswith("mrn,family_name,given_name")
    assert chart.row.mrn in row
    assert ",due," in row
    assert answer.response.headers["Content-Disposition"] == 'attachment; filename="northside-calls-2026-01-22.csv"'
    assert db.session.query(AuditEvent).filter_by(action="data.exported").one().after == {"export": "calls", "rows": 1}


def test_an_auditor_sees_and_cannot_record(page: Page, cast: Cast, chart: Chart) -> None:
    page.sign_in(cast.auditor)
    assert "Record call" not in page.get("/worklists/calls").words
    page.get(new(chart), status=403)


def test_another_clinic_sees_nothing(page: Page, cast: Cast, chart: Chart) -> None:
    page.sign_in(cast.stranger)
    assert "No call is owed" in page.get("/worklists/calls").words
    page.get(new(chart), status=404)
    page.get(f"{chart.url}/calls", status=404)
    assert page.get("/worklists/calls/export.csv").text.count("\n") == 1

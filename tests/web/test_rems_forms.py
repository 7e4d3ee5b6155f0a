"""REMS forms as pages: what is owed, recording a submission, the ledger, corrections."""

from collections.abc import Callable
from datetime import date

import pytest

from clinic_tracker.domain.vocabulary import FormKind
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import FormSubmission
from clinic_tracker.queries.scope import Scope
from tests.factories import Chart, register
from tests.fixtures.pages import Page
from tests.fixtures.people import Cast

KINDS = tuple(FormKind)


@pytest.fixture
def chart(cast: Cast, scope_for: Callable[..., Scope]) -> Chart:
    """Course 1 from 07 to 11 July 2025: the checklist was due on 18 July, the first status form on 07 January 2026."""
    return register(scope_for(cast.staff)).enroll(cast.prescriber, date(2025, 6, 20)).infuse(date(2025, 7, 7))


@pytest.fixture
def staff(page: Page, cast: Cast) -> Page:
    return page.sign_in(cast.staff)


def only_form(**where: object) -> FormSubmission:
    return db.session.query(FormSubmission).filter_by(**where).one()


def new(chart: Chart, kind: str) -> str:
    return f"{chart.url}/forms/new/{kind}"


def test_what_is_owed_is_listed_with_its_dates_and_marked_unconfirmed(staff: Page, chart: Chart) -> None:
    seen = staff.get(f"{chart.url}/forms")
    owed = [" ".join(row) for row in seen.rows(0)]
    assert "Infusion Checklist, course 1 unconfirmed" in owed[0]
    assert "188 days overdue" in owed[0]
    assert "Patient Status Form unconfirmed" in owed[1]
    assert "15 days overdue" in owed[1]
    assert "Nothing has been recorded as sent." in seen.words


def test_a_checklist_is_filled_in_as_far_as_the_chart_knows(staff: Page, chart: Chart) -> None:
    opened = staff.get(new(chart, "infusion_checklist"))
    fields = opened.fields()
    assert fields["course"] == "1"
    assert (fields["answer_days_given"], fields["answer_as_planned"]) == ("5", "yes")
    assert fields["submitted_on"] == "22-Jan-2026"
    assert "11-Jul-2025" in [row[1] for row in opened.rows(0)]
    staff.submit(new(chart, "infusion_checklist"), confirmation="FX-9")
    seen = staff.follow()
    assert "Infusion Checklist, course 1: done for 18-Jul-2025 (188 days late), nothing more is owed." in seen.words
    assert "FX-9" in seen.words
    assert only_form().answers["days_given"] == 5


def test_a_status_form_does_the_one_that_is_open(staff: Page, chart: Chart) -> None:
    fields = staff.get(new(chart, "patient_status_form")).fields()
    assert fields["answer_period_from"] == "07-Jul-2025"
    staff.submit(new(chart, "patient_status_form"), answer_monitored="yes", signed_by="Dr. Tomas Rey")
    assert "done for 07-Jan-2026 (15 days late), next due 07-Jul-2026." in staff.follow().words
    fields = staff.get(new(chart, "patient_status_form")).fields()
    assert fields["answer_period_from"] == "22-Jan-2026", "since the form before"
    staff.submit(new(chart, "patient_status_form"))
    assert "recorded as unscheduled: the next window opens 07-Jun-2026 (due 07-Jul-2026)" in staff.follow().words


@pytest.mark.parametrize("kind", KINDS)
def test_every_form_of_the_rems_can_be_recorded(staff: Page, chart: Chart, kind: str) -> None:
    staff.submit(new(chart, kind), confirmation="C-1", answer_event="Thyroid disease" if "adverse" in kind else None)
    assert only_form().kind == kind
    assert "C-1" in staff.follow().words


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"submitted_on": "01/23/2026"}, "Sent on must not be in the future"),
        ({"submitted_on": ""}, "Enter the date on which the form was sent"),
        ({"submitted_on": "07/10/2025", "completed_on": ""}, "The last infusion of course 1 was on 11-Jul-2025."),
        ({"submitted_on": "01/20/2026"}, "it cannot be completed after that"),
        ({"course": ""}, "Choose the course that the form is about"),
        ({"course": "7"}, "Choose course from the list"),
        ({"method": "pigeon"}, "from the list"),
        ({"answer_unused_vials": "-1"}, "Unused vials must be 0 or more"),
    ],
)
def test_a_wrong_checklist_is_refused(staff: Page, chart: Chart, changes: dict[str, str], message: str) -> None:
    refused = staff.submit(new(chart, "infusion_checklist"), 400, **changes)
    assert any(message in error for error in refused.errors), refused.errors
    assert db.session.query(FormSubmission).count() == 0


def test_a_form_sent_twice_is_recorded_once(staff: Page, chart: Chart) -> None:
    fields = staff.get(new(chart, "patient_status_form")).fields()
    first = staff.post(new(chart, "patient_status_form"), fields).location
    assert staff.post(new(chart, "patient_status_form"), fields).location == first
    assert db.session.query(FormSubmission).count() == 1


def test_a_correction_has_everything_filled_in_and_both_entries_stay(staff: Page, chart: Chart) -> None:
    staff.submit(new(chart, "infusion_checklist"), confirmation="FX-9", answer_reactions="no", note="By fax first")
    address = f"{chart.url}/forms/{only_form().public_id}/correct"
    fields = staff.get(address).fields()
    assert (fields["confirmation"], fields["answer_reactions"], fields["note"]) == ("FX-9", "no", "By fax first")
    assert staff.submit(address, 400, confirmation="FX-8").errors == ["Give the reason"]
    staff.submit(address, submitted_on="07/17/2025", completed_on="07/17/2025", reason="Date of the receipt")
    seen = staff.follow().words
    assert "done for 18-Jul-2025, nothing more is owed" in seen
    assert "Replaced by a correction" in seen
    assert "Date of the receipt" in seen
    assert only_form(state="recorded").confirmation == "FX-9"


def test_the_second_of_two_who_correct_is_told(
    staff: Page, new_page: Callable[[], Page], cast: Cast, chart: Chart
) -> None:
    staff.submit(new(chart, "patient_status_form"))
    address = f"{chart.url}/forms/{only_form().public_id}/correct"
    opened = staff.get(address).fields()
    new_page().sign_in(cast.administrator).submit(address, confirmation="W-1", reason="Number")
    refused = staff.post(address, {**opened, "confirmation": "W-2", "reason": "Number"}, status=400)
    assert any("already corrected by Ana Dow" in error for error in refused.errors)


def test_a_form_that_was_never_sent_is_withdrawn_and_owed_again(staff: Page, chart: Chart) -> None:
    staff.submit(new(chart, "infusion_checklist"))
    address = f"{chart.url}/forms/{only_form().public_id}/withdraw"
    assert staff.submit(address, 400).errors == ["Give the reason"]
    staff.submit(address, reason="Never sent")
    seen = staff.follow().words
    assert "Form marked as entered in error." in seen
    assert "188 days overdue" in seen


def test_a_withdrawn_entry_cannot_be_withdrawn_or_corrected_again(staff: Page, chart: Chart) -> None:
    staff.submit(new(chart, "adverse_event_form"), answer_event="Thyroid disease", answer_onset_on="01/02/2026")
    place = f"{chart.url}/forms/{only_form().public_id}"
    assert staff.get(f"{place}/correct").fields()["answer_onset_on"] == "02-Jan-2026"
    staff.submit(f"{place}/withdraw", reason="Never sent")
    for what in ("withdraw", "correct"):
        refused = staff.submit(f"{place}/{what}", 400, reason="Again")
        assert any("marked as entered in error by you" in error for error in refused.errors)


def test_a_course_that_is_planned_is_offered_as_such(staff: Page, chart: Chart) -> None:
    chart.plan(date(2026, 7, 13))
    opened = staff.get(f"{new(chart, 'patient_authorization_and_baseline_lab_form')}?course=2")
    assert opened.fields()["course"] == "2"
    assert "Course 2: no infusion yet, planned for 13-Jul-2026" in opened.words


def test_before_the_first_infusion_nothing_is_owed(staff: Page, cast: Cast, scope_for: Callable[..., Scope]) -> None:
    waiting = register(scope_for(cast.staff))
    assert "Forms are counted from the first infusion." in staff.get(f"{waiting.url}/forms").words
    staff.submit(new(waiting, "patient_enrollment_form"))
    assert "Patient Enrollment Form: recorded." in staff.follow().words


def test_a_protocol_without_a_rems_asks_for_no_forms(staff: Page, cast: Cast, chart: Chart) -> None:
    row = chart.row
    row.protocol_id = "lemtrada-eu"
    db.session.commit()
    assert "No REMS forms" in staff.get(f"{chart.url}/forms").words


def test_an_auditor_sees_and_cannot_record(page: Page, cast: Cast, chart: Chart) -> None:
    page.sign_in(cast.auditor)
    assert "Record as sent" not in page.get(f"{chart.url}/forms").words
    page.get(new(chart, "patient_status_form"), status=403)
    page.post(new(chart, "patient_status_form"), {}, status=403)


def test_another_clinic_and_unknown_forms_are_not_there(page: Page, cast: Cast, chart: Chart) -> None:
    page.sign_in(cast.stranger)
    page.get(f"{chart.url}/forms", status=404)
    page.get(new(chart, "patient_status_form"), status=404)
    page.sign_in(cast.staff)
    page.get(new(chart, "birthday_card"), status=404)
    page.get(f"{chart.url}/forms/{chart.id}/correct", status=404)


def test_the_evidence_pack_of_the_patient_is_offered_to_those_who_see_reports(page, cast, chart) -> None:
    forms = page.sign_in(cast.administrator).get(f"{chart.url}/forms")
    pack = page.get(forms.links()["Evidence pack"])
    assert pack.rows(0)[0][0] == chart.row.mrn


def test_the_evidence_pack_is_not_offered_to_staff(staff, chart) -> None:
    assert "Evidence pack" not in staff.get(f"{chart.url}/forms").words

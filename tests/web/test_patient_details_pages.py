"""Registering, looking at and editing who a patient is, page by page."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.merging import merge_patients
from tests.factories import Chart, register
from tests.fixtures.pages import Page
from tests.fixtures.people import Cast

ADA: dict[str, Any] = {
    "family_name": "Okafor",
    "given_name": "Ada",
    "mrn": "10233",
    "birth_date-month": "3",
    "birth_date-day": "2",
    "birth_date-year": "1984",
    "sex_at_birth": "female",
}
ScopeFor = Callable[..., Scope]


@pytest.fixture
def staff(cast: Cast, scope_for: ScopeFor) -> Scope:
    return scope_for(cast.staff)


@pytest.fixture
def chart(staff: Scope) -> Chart:
    return register(staff, family_name="Okafor", given_name="Ada", mrn="10233", birth_date=date(1984, 3, 2))


def send_checked(page: Page, status: int = 303, **changes: Any):
    """The answers of the page to check, sent with the button that registers."""
    checked = page.submit("/patients/new", status=200, **ADA)
    return page.post("/patients/new", {**checked.fields(), "step": "confirm", **changes}, status=status)


def test_answers_are_checked_before_the_chart_is_opened(page: Page, cast: Cast):
    checked = page.sign_in(cast.staff).submit("/patients/new", status=200, **ADA)
    assert checked.h1 == "Check the answers"
    assert "02-Mar-1984 (41 years)" in checked.words
    assert "No similar chart found" in checked.words
    assert db.session.query(Patient).count() == 0
    page.post("/patients/new", {**checked.fields(), "step": "confirm"})
    patient = db.session.query(Patient).one()
    assert patient.birth_date == date(1984, 3, 2)
    assert page.follow().h1 == "Enroll patient"


def test_answers_can_be_changed_without_typing_them_again(page: Page, cast: Cast):
    checked = page.sign_in(cast.staff).submit("/patients/new", status=200, **ADA, phone="+1 555 0102")
    form = page.post("/patients/new", {**checked.fields(), "step": "change"}, status=200)
    assert form.h1 == "Register patient"
    assert form.errors == []
    assert {**form.fields(), "csrf_token": ""}.items() >= {**ADA, "phone": "+1 555 0102"}.items()


def test_the_answers_sent_twice_open_one_chart(page: Page, cast: Cast):
    checked = page.sign_in(cast.staff).submit("/patients/new", status=200, **ADA)
    sent = {**checked.fields(), "step": "confirm"}
    first, second = page.post("/patients/new", sent), page.post("/patients/new", sent)
    assert first.location == second.location
    assert db.session.query(Patient).count() == 1


@pytest.mark.parametrize(
    "changes,error",
    [
        ({"family_name": " "}, "Enter family name"),
        ({"mrn": ""}, "Enter the MRN"),
        ({"birth_date-month": "2", "birth_date-day": "30"}, "Date of birth:"),
        ({"birth_date-year": "84"}, "Date of birth must have a year of four digits"),
        ({"birth_date-year": "2027"}, "Date of birth must not be in the future"),
        ({"birth_date-year": "1850"}, "Date of birth: The year 1850 is not between"),
        ({"birth_date-day": ""}, "Date of birth must include a day"),
        ({"sex_at_birth": None}, "Choose sex at birth"),
        ({"email": "ada"}, "Enter an e-mail address"),
        ({"prescriber": "nobody"}, "Choose prescriber from the list"),
    ],
)
def test_a_refused_form_names_the_problem_and_keeps_what_was_typed(page: Page, cast: Cast, changes, error):
    answer = page.sign_in(cast.staff).submit("/patients/new", status=400, **{**ADA, **changes})
    assert any(message.startswith(error) for message in answer.errors), answer.errors
    assert answer.title.startswith("Error:")
    assert answer.fields()["given_name"] == "Ada"


@pytest.mark.parametrize("number,value", [("mrn", "10233"), ("rems_patient_id", "R-1")])
def test_a_taken_number_leads_to_the_chart_that_has_it(page: Page, cast: Cast, staff: Scope, number, value):
    other = register(staff, **{number: value})
    answer = page.sign_in(cast.staff).submit("/patients/new", status=400, **{**ADA, "mrn": "5", number: value})
    assert "already has this" in answer.errors[0]
    assert str(other.id) in answer.links()["Open that chart"]


def test_somebody_much_alike_is_shown_before_anything_is_stored(page: Page, cast: Cast, staff: Scope):
    other = register(staff, mrn="999", family_name="Okafer", given_name="Ada", birth_date=date(1984, 3, 2))
    checked = page.sign_in(cast.staff).submit("/patients/new", status=200, **ADA)
    assert "Somebody much alike has a chart here" in checked.words
    assert str(other.id) in checked.links()["OKAFER, Ada"]
    refused = send_checked(page, status=400)
    assert "confirm that this is a different person" in refused.errors[0]
    send_checked(page, different_person="1")
    assert db.session.query(Patient).count() == 2


def test_details_show_everything_and_auditors_cannot_change_it(page: Page, cast: Cast, chart: Chart):
    page.sign_in(cast.staff)
    page.submit(f"{chart.url}/edit", phone="+1 555 0102", contact_note="Call after 4 pm", has_cervix="no")
    shown = page.follow()
    assert "Patient details saved." in shown.words
    assert "Call after 4 pm" in shown.words
    seen = page.sign_in(cast.auditor).get(f"{chart.url}/details")
    assert "Edit details" not in seen.links()
    page.get(f"{chart.url}/edit", status=403)


def test_two_people_who_edit_one_chart_see_both_versions(page: Page, new_page, cast: Cast, chart: Chart):
    first, second = page.sign_in(cast.staff), new_page().sign_in(cast.neurologist)
    opened = second.get(f"{chart.url}/edit").fields()
    first.submit(f"{chart.url}/edit", phone="111", language="Igbo")
    answer = second.post(f"{chart.url}/edit", {**opened, "phone": "222"}, status=409)
    assert answer.h1 == "Somebody else changed this chart meanwhile"
    assert "changed by Nia Brandt at 22-Jan-2026 10:30" in answer.words
    assert ["Phone", "111", "222"] in answer.rows()
    assert ["Language", "Igbo", "—"] in answer.rows()
    assert db.session.query(Patient).one().phone == "111"
    second.post(f"{chart.url}/edit", {**answer.fields(), "language": "Igbo"})
    patient = db.session.query(Patient).populate_existing().one()
    assert (patient.phone, patient.language) == ("222", "Igbo")


def test_a_taken_number_in_an_edit_leads_to_its_chart(page: Page, cast: Cast, staff: Scope, chart: Chart):
    other = register(staff, mrn="77")
    answer = page.sign_in(cast.staff).submit(f"{chart.url}/edit", status=400, mrn="77")
    assert str(other.id) in answer.links()["Open that chart"]


def test_the_prescriber_is_changed_on_a_page_of_its_own(page: Page, cast: Cast, chart: Chart):
    page.sign_in(cast.staff)
    page.submit(f"{chart.url}/prescriber", prescriber=str(cast.prescriber.public_id), reason="New in the clinic")
    assert "Dr. Tomas Rey" in page.follow().words
    again = page.submit(f"{chart.url}/prescriber", status=400, prescriber=str(cast.prescriber.public_id))
    assert again.errors == ["Choose a prescriber other than the present one."]
    stale = page.submit(f"{chart.url}/prescriber", status=409, prescriber=str(cast.prescriber.public_id), version="1")
    assert "Somebody else changed this meanwhile" in stale.words


def test_an_inactive_prescriber_stands_out_and_stays_chosen_in_the_form(page, cast, staff: Scope):
    chart = register(staff, prescriber=cast.prescriber.public_id)
    cast.prescriber.is_active = False
    db.session.commit()
    answer = page.sign_in(cast.staff).get(f"{chart.url}/edit")
    assert "Prescriber no longer active" in " ".join("".join(answer.tree.itertext()).split())
    assert answer.fields()["prescriber"] == str(cast.prescriber.public_id)


def test_a_merged_chart_says_where_it_went(page: Page, cast: Cast, staff: Scope, scope_for: ScopeFor):
    kept, merged = register(staff), register(staff)
    merge_patients(scope_for(cast.administrator), kept.id, merged.id, reason="Same person")
    answer = page.sign_in(cast.staff).get(f"{merged.url}/details")
    assert "merged into another one" in answer.words
    assert str(kept.id) in answer.links()["Open the surviving chart"]
    assert "Edit details" not in answer.links()


@pytest.mark.parametrize("tail", ["details", "edit", "prescriber", "enrollments/new", "exams", "exams/new", "changes"])
def test_another_clinic_s_patient_is_not_found(page: Page, cast: Cast, chart: Chart, tail):
    page.sign_in(cast.stranger).get(f"{chart.url}/{tail}", status=404)

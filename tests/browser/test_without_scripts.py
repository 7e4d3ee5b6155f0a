"""Everything that matters works in a browser that runs no scripts. (Axe is one, so it judges the other journeys.)"""

from collections.abc import Callable
from datetime import date

import pytest

from clinic_tracker.queries.scope import Scope
from tests.browser.journey import Journey
from tests.browser.visitor import Visitor
from tests.factories import ALL, MONTHLY, Chart, register
from tests.fixtures.people import Cast, Person
from tests.treated import add_patient


@pytest.fixture
def chart(cast: Cast, scope_for: Callable[..., Scope]) -> Chart:
    """A patient of the neurologist, with nothing in since October."""
    chart = register(scope_for(cast.staff), family_name="Ruiz", given_name="Elena", mrn="30551")
    chart.enroll(cast.prescriber, date(2025, 5, 1)).results(date(2025, 5, 20), *ALL).infuse(date(2025, 6, 2))
    return chart.results([date(2025, month, 2) for month in (7, 8, 9, 10)], *ALL)


def sign_in(visitor: Visitor, person: Person) -> Journey:
    """Sign in on the page of signing in."""
    journey = Journey(visitor, axe=False).open("/sign-in")
    return journey.fill(email=person.email, password=person.password).press("Sign in")


def test_a_nurse_finds_a_patient_enters_results_and_records_a_contact(
    visitor_without_scripts: Visitor, cast: Cast, chart: Chart
) -> None:
    # Given a nurse, who signs in with a wrong password first
    nurse = Journey(visitor_without_scripts, axe=False).open("/sign-in")
    nurse.fill(email=cast.staff.email, password="forgotten").press("Sign in").refused(
        "The e-mail address or the password is not right"
    )
    nurse.fill(email=cast.staff.email, password=cast.staff.password).press("Sign in").reads("My clinic today", "RUIZ")

    # When the patient is found by name
    nurse.page.locator("#search-query").fill("ruiz")
    nurse.follow(lambda: nurse.page.keyboard.press("Enter"))
    if "RUIZ, Elena" in nurse.main.inner_text():
        nurse.press("RUIZ, Elena")
    assert nurse.path == chart.url

    # And results are entered, first with a value that cannot be
    nurse.press("Enter results").fill(collected_on="01/20/2026", creatinine_value="much")
    nurse.press("Record results").refused("Creatinine")
    nurse.fill(creatinine_value="0.8").press("Record results").reads("Creatinine: done for", "20-Jan-2026")

    # And a contact is recorded
    nurse.open(chart.url).press("Record contact").choose("outcome", "No answer").press("Record contact")
    nurse.reads("Contact recorded", "No answer")


def test_an_infusion_is_recorded(visitor_without_scripts: Visitor, cast: Cast, scope_for: Callable[..., Scope]) -> None:
    # Given a patient who is ready
    patient = add_patient(cast, scope_for)
    patient.make_ready()
    patient.prepare()
    nurse = sign_in(visitor_without_scripts, cast.staff)
    nurse.person = cast.staff

    # When the infusion starts and ends
    nurse.open("/infusions").press("Prepare Ada Okafor")
    nurse.choose("infection", "No").choose("contraindication", "No").choose("pregnancy", "No")
    nurse.tick("Equipment and trained staff for infusion reactions are at hand")
    nurse.fill(lot_number="A1234").press("Start infusion").reads("day 1 of 5", "Expected end")
    day = nurse.path
    nurse.at("2026-01-22 14:40").open(day).press("Take vitals now").fill(pulse="71").press("Record vital signs")
    nurse.press("End now").press("Record end").reads("Observation ends", "16:40")

    # Then the page itself says how long the observation takes, and the discharge is signed after it
    nurse.at("2026-01-22 16:41").open(day).press("Sign discharge")
    nurse.main.locator("#stroke_advice_given").check()
    nurse.main.locator("#late_reaction_advice_given").check()
    nurse.press("Sign discharge")
    nurse.reads("signed by", "Nia Brandt")


def test_a_neurologist_reviews_results(visitor_without_scripts: Visitor, cast: Cast, chart: Chart) -> None:
    # Given a result with red platelets among normal ones
    chart.results(date(2026, 1, 20), *MONTHLY, platelets="48")
    doctor = sign_in(visitor_without_scripts, cast.neurologist).open("/results?level=red").reads("48")

    # When it is opened and what was done is said with a note
    doctor.follow(doctor.main.locator(".queue__title").first.click)
    doctor.main.locator("input[name=platelets_very_low_action][value=patient_called]").check()
    doctor.fill(note="Called").press("Record and sign off").reads("Tomas Rey", "Patient called")

    # And a normal one is ticked and reviewed from the list
    doctor.open("/results")
    doctor.main.get_by_role("checkbox", name="Review ").first.check()
    doctor.press("Mark ticked as reviewed").reads("1 ")

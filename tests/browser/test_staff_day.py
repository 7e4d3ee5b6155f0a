"""The day of a nurse, from a new patient to the discharge, the results, and the people who do not come."""

from collections.abc import Callable
from datetime import date

import pytest

from clinic_tracker.models.base import db
from clinic_tracker.models.treatment import Infusion
from clinic_tracker.queries.scope import Scope
from tests.browser.journey import Journey
from tests.browser.visitor import Visitor
from tests.factories import ALL, Chart, register
from tests.fixtures.people import Cast
from tests.treated import add_patient


@pytest.fixture
def late(cast: Cast, scope_for: Callable[..., Scope]) -> Chart:
    """A patient infused in summer, with nothing in since October."""
    chart = register(scope_for(cast.staff), family_name="Okafor", given_name="Ada", mrn="10233")
    chart.enroll(cast.prescriber, date(2025, 5, 1)).results(date(2025, 5, 20), *ALL)
    chart.infuse(date(2025, 6, 2))
    return chart.results([date(2025, month, 2) for month in (7, 8, 9, 10)], *ALL)


def test_a_new_patient_is_registered_enrolled_screened_and_planned(
    visitor: Visitor, cast: Cast, scope_for: Callable[..., Scope]
) -> None:
    # Given somebody of much the same name, born on the same day
    register(scope_for(cast.staff), family_name="Lindqvist", given_name="Sara", birth_date=date(1986, 3, 9))
    nurse = Journey(visitor, cast.staff).open("/patients")

    # When a nurse registers a patient
    nurse.press("Register patient")
    nurse.press("Continue").refused("Enter the MRN")
    nurse.fill(family_name="Lindquist", given_name="Sarah", mrn="20411", phone="555-0142")
    nurse.fill(birth_date_month="Mar", birth_date_day="9", birth_date_year="1986").choose("sex_at_birth", "Female")
    nurse.choose("prescriber", "Dr. Tomas Rey").press("Continue")

    # Then the similar chart is shown, and nothing is recorded until the nurse says that it is somebody else
    nurse.reads("Somebody much alike has a chart here", "LINDQVIST, Sara")
    nurse.press("Register patient").refused("different person")
    nurse.tick("None of these is the patient: this is a different person").press("Register patient")
    chart = nurse.path.removesuffix("/enrollments/new")

    # When the patient is enrolled
    nurse.fill(
        counseled_on="01/20/2026",
        guide_given_on="01/20/2026",
        card_given_on="01/20/2026",
        patient_signed_on="01/20/2026",
        prescriber_signed_on="01/20/2026",
        enrolled_on="today",
        rems_patient_id="R-20411",
    )
    nurse.tick("A completed copy was given to the patient").press("Record enrollment").reads("22-Jan-2026")

    # And screened
    nurse.open(f"{chart}/exams/new").fill(all_on="01/20/2026")
    nurse.page.get_by_label("Skin exam result").select_option(index=1)
    nurse.page.get_by_label("TB screen result").select_option(label="Negative")
    nurse.press("Record").reads("20-Jan-2026", "Negative")

    # And a course is planned
    nurse.open(f"{chart}/courses").reads("No course is planned").press("Plan a course")
    nurse.fill(planned_start_on="02/12/2026").press("Plan course")

    # Then the chart says what is next
    nurse.reads("Course 1", "12-Feb-2026", "Not authorized")
    nurse.open(chart).reads("Monitoring has not begun", "planned")


def test_an_infusion_is_recorded_live_from_vital_signs_to_the_signed_discharge(
    tablet_visitor: Visitor, cast: Cast, scope_for: Callable[..., Scope]
) -> None:
    # Given a patient with an authorized course for today
    patient = add_patient(cast, scope_for)
    patient.make_ready()
    nurse = Journey(tablet_visitor, cast.staff).at("2026-01-22 08:00")
    nurse.open("/infusions").reads("OKAFOR")

    # When vital signs and the steroid are recorded, and the infusion starts
    nurse.press("Prepare Ada Okafor")
    nurse.press("Take vitals now").fill(systolic="118", diastolic="72", pulse="70").press("Record vital signs")
    nurse.press("Record premedication").fill(given_at_time="07:00", ended_at_date="01/22/2026", ended_at_time="08:00")
    nurse.press("Record premedication").reads("118", "Methylprednisolone")
    start = nurse.path
    nurse.at("2026-01-22 09:05").open(start)
    nurse.choose("infection", "No").choose("contraindication", "No").choose("pregnancy", "No")
    nurse.tick("Equipment and trained staff for infusion reactions are at hand")
    nurse.fill(lot_number="A1234", lot_expires_on="06/30/2027", chair="4")
    nurse.press("Start infusion").reads("day 1 of 5", "chair 4", "Expected end")
    day = nurse.path

    # And it is paused, resumed and ended
    nurse.at("2026-01-22 10:12").open(day).press("Pause").fill(reason="Urticaria").press("Pause infusion")
    nurse.reads("Paused since").at("2026-01-22 10:30").open(day).press("Resume now").press("Resume infusion")
    nurse.at("2026-01-22 10:40").open(day).press("Take vitals now").fill(pulse="74").press("Record vital signs")
    nurse.at("2026-01-22 13:25").open(day).press("End now").press("Record end").reads("Observation ends", "15:25")

    # Then a discharge before two hours have passed is refused
    nurse.at("2026-01-22 15:24").open(day).press("Sign discharge")
    nurse.press("Sign discharge").refused("Discharged 1 minute before 2 hours of observation were over")
    assert db.session.query(Infusion).filter(Infusion.discharged_at.is_not(None)).count() == 0

    # And when they have passed, a named person signs it
    nurse.at("2026-01-22 15:26").open(day).press("Sign discharge")
    nurse.main.locator("#stroke_advice_given").check()
    nurse.main.locator("#late_reaction_advice_given").check()
    nurse.press("Sign discharge").reads("signed by", "Nia Brandt", "15:26")
    nurse.open("/infusions").reads("Discharged today", "OKAFOR")
    assert db.session.query(Infusion).filter(Infusion.early_discharge_reason.is_not(None)).count() == 0


def test_results_are_entered_from_the_worklist_without_the_mouse(visitor: Visitor, cast: Cast, late: Chart) -> None:
    # Given a patient whose monthly tests are overdue
    nurse = Journey(visitor, cast.staff).open("/worklists")
    nurse.reads("OKAFOR", "CBC")

    # When the nurse goes to the row and types the report, with the keyboard alone
    nurse.tab_to(nurse.find("Enter result of Okafor"))
    nurse.follow(lambda: nurse.page.keyboard.press("Enter"))
    nurse.tab_to(nurse.field("collected_on")).type("01/20/2026", "Lake Lab", then="Enter")
    nurse.type("251", "6.1", "3.9", "1.4", "", "", "0.8", "1", "2", then="Enter")
    nurse.tab_to(nurse.find("Record results"))
    nurse.follow(lambda: nurse.page.keyboard.press("Enter"))

    # Then the obligations are done, at once and everywhere
    nurse.reads("Creatinine: done for", "20-Jan-2026")
    nurse.open("/worklists")
    assert "Creatinine" not in nurse.row("OKAFOR").inner_text()
    nurse.open(late.url)
    assert nurse.page.get_by_role("table", name="Owed now").get_by_text("Creatinine").count() == 0


def test_a_contact_with_a_snooze_leaves_the_patient_overdue_on_the_list(
    visitor: Visitor, cast: Cast, late: Chart
) -> None:
    # Given an overdue row
    nurse = Journey(visitor, cast.staff).open("/today").reads("OKAFOR")
    before = nurse.row("OKAFOR").locator("td.num").inner_text()

    # When the patient promises to come and the row is set aside
    nurse.press("Contact Okafor").choose("outcome", "Will come on …")
    nurse.press("Record contact").refused("Enter the day on which the patient will come")
    nurse.fill(expected_on="01/29/2026", snooze_until="01/30/2026", note="Works nights; call after 4 pm")
    nurse.press("Record contact").reads("The items stay owed until evidence comes in")

    # Then it is still listed, as overdue as before
    row = nurse.row("OKAFOR")
    assert row.locator("td.num").inner_text() == before
    assert "snoozed until 30-Jan-2026" in row.inner_text()
    nurse.open("/worklists").reads("OKAFOR", "expected 29-Jan-2026", "snoozed until 30-Jan-2026")
    nurse.open(f"{late.url}/contacts").reads("Works nights")
    nurse.open("/worklists?snoozed=hide")

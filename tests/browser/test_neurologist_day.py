"""The day of a neurologist: own patients first, results to sign off, courses to authorize, decisions to take."""

from collections.abc import Callable
from datetime import date

import pytest

from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import LabReport
from clinic_tracker.queries.scope import Scope
from tests.browser.journey import Journey
from tests.browser.visitor import Visitor
from tests.factories import ALL, MONTHLY, Chart, register
from tests.fixtures.people import Cast, add_prescriber
from tests.treated import add_patient


@pytest.fixture
def own(cast: Cast, scope_for: Callable[..., Scope]) -> Chart:
    """A patient of the neurologist, with nothing in since October."""
    chart = register(scope_for(cast.staff), family_name="Okafor", given_name="Ada")
    chart.enroll(cast.prescriber, date(2025, 5, 1)).results(date(2025, 5, 20), *ALL).infuse(date(2025, 6, 2))
    return chart.results([date(2025, month, 2) for month in (7, 8, 9, 10)], *ALL)


@pytest.fixture
def doctor(visitor: Visitor, cast: Cast) -> Journey:
    """The neurologist at a desk."""
    return Journey(visitor, cast.neurologist)


def test_own_patients_come_first_and_every_date_is_explained(
    doctor: Journey, own: Chart, cast: Cast, scope_for: Callable[..., Scope]
) -> None:
    # Given a colleague's patient who is later than the own one
    colleague = add_prescriber(cast.administrator, "1003000142")
    db.session.commit()
    register(scope_for(cast.staff), family_name="Ruiz").enroll(colleague, date(2024, 5, 1)).infuse(date(2024, 6, 3))

    # When the neurologist opens the day
    doctor.open("/today").reads("My patients, worst first", "OKAFOR").reads_not("RUIZ")
    doctor.open("/worklists").reads("RUIZ", "OKAFOR")

    # Then the chart says what is owed, and why
    doctor.press("OKAFOR, Ada").reads("Owed now", "overdue")
    line = doctor.row("Liver panel", "overdue")
    line.locator("summary").click()
    told = line.inner_text()
    assert "Liver panel of 02-Oct-2025 came before 15-Nov-2025, too early to count." in told
    assert "local convention" in told
    doctor.judge()

    # And every month of the timeline opens its own page
    doctor.follow(doctor.page.locator(".mark[title^='CBC + diff, course 1, month 6,']").click)
    doctor.reads("missed", "06-Dec-2025").press("← Before").reads("06-Nov-2025").press("Back to the chart")


def test_a_red_result_is_reviewed_with_a_note(doctor: Journey, own: Chart) -> None:
    # Given platelets that fell to 48
    own.results(date(2026, 1, 20), *MONTHLY, platelets="48")

    # When the neurologist goes from the day to the result
    doctor.open("/today").reads("Red results to review", "48")
    doctor.follow(doctor.row("OKAFOR", "20-Jan-2026").get_by_role("link").nth(1).click)
    doctor.reads("Platelets", "48", "Review")
    doctor.fill(note="Called; hematology today").press("Record and sign off")
    doctor.refused("Say first what was done about: Platelets 48")
    rule = "platelets_very_low"
    doctor.page.locator(f"input[name={rule}_action][value=repeat_ordered]").check()
    doctor.fill(**{f"{rule}_due_on": "01/23/2026", f"{rule}_words": "Citrate tube"}).press("Record and sign off")
    doctor.reads("Tomas Rey", "Repeat ordered", "Repeat CBC with differential: Citrate tube, by 23-Jan-2026")

    # And the repeat is a task of the clinic until a later count answers it
    doctor.open("/today").reads("Follow-up tasks, mine").open("/tasks").reads("OKAFOR", "Citrate tube", "tomorrow")
    own.results(date(2026, 1, 21), "cbc_diff", platelets="160")
    doctor.open("/tasks").reads_not("OKAFOR").open(f"{own.url}/tasks").reads("done", "21-Jan-2026")

    # Then it is signed off with the note, and waits no more
    doctor.open("/today").reads_not("Red results to review")
    doctor.open(f"{own.url}/results").reads("Called; hematology today")


def test_several_normal_results_are_reviewed_at_once(doctor: Journey, own: Chart) -> None:
    # Given the normal results that wait
    waiting = db.session.query(LabReport).filter(LabReport.reviewed_at.is_(None)).count()
    doctor.open("/results")

    # When three are ticked and signed off, then none
    boxes = doctor.main.get_by_role("checkbox", name="Review ")
    for number in range(3):
        boxes.nth(number).check()
    doctor.press("Mark ticked as reviewed").reads("3 ")
    doctor.press("Mark ticked as reviewed")

    # Then exactly these are reviewed
    assert doctor.page.title().startswith("Error: ")
    assert db.session.query(LabReport).filter(LabReport.reviewed_at.is_(None)).count() == waiting - 3


def test_a_course_is_authorized_on_its_baseline_set(
    doctor: Journey, cast: Cast, scope_for: Callable[..., Scope]
) -> None:
    # Given a planned course
    patient = add_patient(cast, scope_for, family_name="Moreau", given_name="Lea")
    patient.plan(date(2026, 2, 2))

    # When the neurologist opens it from the day and sees every test with the day it lapses
    doctor.open(f"/patients/{patient.patient}/courses").press("Authorize Course 1")
    doctor.reads("Baseline set", "Covers a start until", "02-Feb-2026").press("Authorize course")

    # Then it is authorized, until the day it expires
    doctor.reads("Authorized", "22-Jan-2026", "Dr. Tomas Rey", "Not verified yet")


def test_a_requirement_is_waived_monitoring_extended_and_closed(doctor: Journey, own: Chart) -> None:
    # Given an overdue item that the patient will not do
    doctor.open(own.url)
    doctor.press("Waive Liver panel").fill(from_on="12/01/2025", to_on="03/31/2026", reason="Followed by hepatology")
    doctor.press("Waive requirement").reads("Followed by hepatology")
    assert doctor.page.get_by_role("table", name="Owed now").get_by_text("Liver panel").count() == 0

    # When monitoring is to end later, a day before its end is refused
    doctor.press("Extend").fill(extended_to="01/31/2026", reason="Late nephropathy in the family")
    assert doctor.press("Extend monitoring").page.title().startswith("Error: ")
    doctor.fill(extended_to="06/30/2030").press("Extend monitoring").reads("30-Jun-2030")

    # And closing it while items are owed asks to confirm
    doctor.press("Close").reads("This speaks against closing now")
    doctor.fill(reason="Moved abroad; handed over").press("Close monitoring")
    assert doctor.page.title().startswith("Error: ")
    doctor.tick("I close monitoring although it has not ended or items are owed").press("Close monitoring")

    # Then nothing is owed, and the patient has left every list
    doctor.reads("Nothing is owed today", "Moved abroad; handed over")
    doctor.open("/worklists").reads_not("OKAFOR")

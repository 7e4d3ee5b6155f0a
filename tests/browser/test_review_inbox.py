"""The review inbox with the keyboard alone: normals signed together, a finding answered, cover for a colleague."""

from collections.abc import Callable
from datetime import date

import pytest

from clinic_tracker.domain.messages import LOINC, Coded, Observed
from clinic_tracker.domain.vocabulary import Role
from clinic_tracker.models.base import db
from clinic_tracker.queries.scope import Scope
from tests.browser.journey import Journey
from tests.browser.visitor import Visitor
from tests.factories import MONTHLY, Chart, register
from tests.fixtures.clock import Clock
from tests.fixtures.people import Cast, add_person
from tests.inbound import add_source, exam_line, message, report, send
from tests.reviewed import answers, reports, tasks


@pytest.fixture
def chart(cast: Cast, scope_for: Callable[..., Scope]) -> Chart:
    chart = register(scope_for(cast.staff), family_name="Okafor", given_name="Ada")
    chart.enroll(cast.prescriber, date(2025, 11, 20))
    return chart.results(date(2026, 1, 20), *MONTHLY, platelets="140")


def test_normals_are_signed_and_a_finding_is_answered_without_the_mouse(
    visitor: Visitor, cast: Cast, chart: Chart
) -> None:
    doctor = Journey(visitor, cast.neurologist).open("/results")
    keys = doctor.page.keyboard

    # Two normals are ticked with the space bar and signed with one press
    boxes = doctor.main.get_by_role("checkbox", name="Review ")
    assert boxes.count() == 2
    for number in range(2):
        doctor.tab_to(boxes.nth(number))
        keys.press("Space")
    doctor.tab_to(doctor.find("Mark ticked as reviewed")).follow(lambda: keys.press("Enter"))
    doctor.reads("Amber").reads_not("Without a finding")

    # The amber one is opened, answered and signed off
    doctor.tab_to(doctor.main.get_by_role("link", name="Answer")).follow(lambda: keys.press("Enter"))
    doctor.tab_to(doctor.main.locator("input[name=platelets_reduced_action]").first)
    keys.press("Space")
    doctor.tab_to(doctor.main.locator("#platelets_reduced_due_on")).type("01/26/2026")
    doctor.tab_to(doctor.find("Record and sign off")).follow(lambda: keys.press("Enter"))
    doctor.reads("Tomas Rey", "Repeat ordered", "by 26-Jan-2026")

    # Nothing waits, and the repeat is on the list of tasks
    doctor.open("/results").reads("Nothing waits for review")
    doctor.open("/tasks").reads("OKAFOR", "Repeat CBC with differential")
    assert (len(answers()), len(tasks()), {row.reviewed_by_id for row in reports()}) == (
        1, 1, {cast.neurologist.user_id},
    )  # fmt: skip


def test_a_red_result_of_a_prescriber_who_is_away_reaches_whoever_covers(
    visitor: Visitor, cast: Cast, chart: Chart, clock: Clock
) -> None:
    # Given a neurologist who goes away, and a colleague who covers
    colleague = add_person(clock, cast.northside, "Vera Lund", Role.NEUROLOGIST)
    db.session.commit()
    away = Journey(visitor, cast.neurologist).open("/results/cover").press("Arrange cover")
    away.choose("prescriber", "Dr. Tomas Rey").choose("covered_by", "Vera Lund")
    away.fill(from_on="01/22/2026", to_on="01/30/2026").press("Arrange cover").reads("in force", "Vera Lund")

    # When a red result comes that nobody sees on its day
    chart.results(date(2026, 1, 21), "cbc_diff", platelets="48")
    covering = Journey(visitor, colleague).at("2026-01-23 09:00").open("/today").reads("Red, not seen in time")

    # Then whoever covers finds it, and so does the coordinator
    covering.open("/results?late=1&mine=1").reads("OKAFOR", "I cover", "review was due")
    nurse = Journey(visitor, cast.staff).open("/today").reads("Red, not seen in time")
    nurse.open("/results?late=1").reads("OKAFOR", "covered by Vera Lund").judge()


def test_the_administrator_changes_a_threshold_and_sees_what_came_of_it(
    visitor: Visitor, cast: Cast, chart: Chart
) -> None:
    administrator = Journey(visitor, cast.administrator).open("/admin").press("Thresholds of findings")
    administrator.reads("local convention", "consensus", "Fever is no result")
    administrator.press("Change Platelets: below 150").fill(value="300").fill(reason="Agreed").press(
        "Change the threshold"
    )
    administrator.refused("The value must be between 100 and 250.")
    administrator.fill(value="130").fill(effective_from="01/05/2026").press("Change the threshold")
    administrator.reads("The findings of 1 result changed with it.", "was 150")


def test_a_positive_test_of_the_laboratory_is_answered_like_a_result(
    tablet_visitor: Visitor, cast: Cast, chart: Chart
) -> None:
    # Given a positive HIV test and a potassium that nobody follows, from the laboratory
    potassium = Observed((Coded("2823-3", LOINC, "Potassium"),), "7.2", "mmol/L", low="3.5", high="5.1", flag="HH")
    sent = [report(exam_line("hiv_test", "Reactive")), report("creatinine", potassium)]
    send(chart.scope, add_source(chart.scope), message(chart.row, *sent))

    # Then the test stands first in red, and the row of the creatinine is marked
    doctor = Journey(tablet_visitor, cast.neurologist).open("/results")
    doctor.reads("HIV test of", "contraindication", "1 other test out of range or flagged").judge()

    # When it is answered and signed off
    doctor.follow(doctor.row("HIV test of").get_by_role("link", name="Answer").click)
    doctor.reads("City Lab", "Label 4").judge()
    doctor.main.locator("input[name=hiv_test_positive_action]").first.check()
    doctor.fill(hiv_test_positive_due_on="01/26/2026").press("Record and sign off")

    # Then the repeat is a task, and the chart's exams lead to the page
    doctor.reads("Repeat ordered", "Repeat HIV test", "by 26-Jan-2026").judge()
    doctor.open(f"{chart.url}/exams").press("HIV test").reads("Tomas Rey")
    doctor.open("/results?panel=exams").reads("Nothing of that kind waits for review")

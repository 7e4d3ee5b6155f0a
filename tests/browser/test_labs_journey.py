"""A nurse enters paper results without the mouse; a neurologist reviews them. Every page is judged by axe."""

from collections.abc import Callable
from datetime import date

import pytest

from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import LabReport
from clinic_tracker.queries.scope import Scope
from tests.browser.visitor import Visitor
from tests.factories import MONTHLY, Chart, register
from tests.fixtures.people import Cast


@pytest.fixture
def chart(cast: Cast, scope_for: Callable[..., Scope]) -> Chart:
    chart = register(scope_for(cast.staff)).enroll(cast.prescriber, date(2025, 11, 20))
    return chart.results(date(2025, 11, 25), *MONTHLY).infuse(date(2025, 12, 8))


def type_down(visitor: Visitor, *values: str) -> None:
    """Type values, with Enter after each."""
    for value in values:
        visitor.page.keyboard.type(value)
        visitor.page.keyboard.press("Enter")


def test_a_sheet_is_entered_with_the_keyboard_alone(visitor: Visitor, cast: Cast, chart: Chart) -> None:
    visitor.sign_in(cast.staff).goto(f"{chart.url}/results/new")
    page = visitor.page
    page.wait_for_load_state("networkidle")
    page.locator("#collected_on").focus()
    type_down(visitor, "01/12/2026", "Lake Lab", "98", "6.1")
    remark = page.locator("[data-lab-panel]").first.locator("[data-lab=remark]")
    assert remark.inner_text() == "Does not count: no differential (neutrophils, lymphocytes)"
    type_down(visitor, "3.9", "1.4")
    assert remark.inner_text() == "Complete"
    assert page.locator("[data-lab-row=platelets] [data-lab=flag]").inner_text() == "L below range"
    assert page.locator("[data-lab-row=lymphocytes] [data-lab=flag]").inner_text() == "normal"
    type_down(visitor, "", "", "0.8", "0-2", "none seen")
    assert page.evaluate("() => document.activeElement.id") == "urine_blood_value"
    page.keyboard.press("ArrowUp")
    assert page.evaluate("() => document.activeElement.id") == "urine_wbc_value"
    type_down(visitor, *[""] * 18)
    assert page.evaluate("() => document.activeElement.textContent") == "Record results"
    page.keyboard.press("Enter")
    page.wait_for_url("**/results?entered=*")
    assert "Urinalysis with cell counts: done for 12-Jan-2026" in page.locator(".effects").inner_text()
    db.session.rollback()
    assert db.session.query(LabReport).filter_by(collected_on=date(2026, 1, 12)).count() == 3


def test_a_changed_unit_does_not_compare_with_limits_of_the_other(visitor: Visitor, cast: Cast, chart: Chart) -> None:
    visitor.sign_in(cast.staff).goto(f"{chart.url}/results/new")
    visitor.page.wait_for_load_state("networkidle")
    visitor.page.fill("#platelets_value", "145000")
    visitor.page.fill("#platelets_unit", "cells/uL")
    assert visitor.page.locator("[data-lab-row=platelets] [data-lab=flag]").inner_text() == ""


def test_pages_of_results_and_forms_are_accessible(visitor: Visitor, cast: Cast, chart: Chart) -> None:
    chart.results(date(2026, 1, 12), "cbc_diff", platelets="48", neutrophils="", lymphocytes="")
    report = db.session.query(LabReport).order_by(LabReport.id.desc()).first()
    assert report is not None
    result = f"{chart.url}/results/{report.public_id}"
    visitor.sign_in(cast.neurologist)
    for place in (
        "/results",
        "/results/enter",
        f"{chart.url}/results",
        f"{chart.url}/results/new",
        result,
        f"{result}/correct",
        f"{result}/withdraw",
        f"{result}/undo-review",
        f"{chart.url}/forms",
        f"{chart.url}/forms/new/infusion_checklist",
        f"{chart.url}/forms/new/patient_status_form",
    ):
        visitor.goto(place)
        visitor.check_axe()
        assert visitor.overflow() == 0, place


def test_a_refused_sheet_is_accessible_and_leads_to_the_row(visitor: Visitor, cast: Cast, chart: Chart) -> None:
    chart.results(date(2026, 1, 12), "tsh")
    visitor.sign_in(cast.staff).goto(f"{chart.url}/results/new")
    page = visitor.page
    page.fill("#collected_on", "01/12/2026")
    for name, value in {"platelets_value": "many", "alt_value": "9000", "tsh_value": "1.9"}.items():
        page.fill(f"#{name}", value)
    page.click(".submit-row button")
    page.wait_for_selector(".error-summary")
    visitor.check_axe()
    page.click("text=ALT 9000")
    assert page.evaluate("() => document.activeElement.id") == "alt_confirmed"
    page.click(".error-summary a >> text=Thyroid function")
    assert page.evaluate("() => document.activeElement.name") == "tsh_same_day"

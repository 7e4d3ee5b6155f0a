"""Entering results: one screen, every wrong row told at once, and what the entry did said at once."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import LabReport, LabValue
from clinic_tracker.queries.scope import Scope
from tests.factories import Chart, register
from tests.fixtures.pages import Answer, Page
from tests.fixtures.people import Cast

CBC = {"platelets_value": "251", "wbc_value": "6.1", "neutrophils_value": "3.9", "lymphocytes_value": "1.4"}


@pytest.fixture
def chart(cast: Cast, scope_for: Callable[..., Scope]) -> Chart:
    """Course 1 ended on 12 December 2025: the first monthly tests are due on 12 January 2026."""
    return register(scope_for(cast.staff)).enroll(cast.prescriber, date(2025, 11, 20)).infuse(date(2025, 12, 8))


@pytest.fixture
def staff(page: Page, cast: Cast) -> Page:
    return page.sign_in(cast.staff)


def enter(page: Page, chart: Chart, *, status: int = 303, **values: str) -> Answer:
    changes = {"collected_on": "01/12/2026", "laboratory": "Lake Lab", **values}
    return page.submit(f"{chart.url}/results/new", status, **changes)


def reports(**where: Any) -> list[LabReport]:
    return db.session.query(LabReport).filter_by(**where).order_by(LabReport.id).all()


def test_the_confirmation_says_which_obligations_it_did(staff: Page, chart: Chart) -> None:
    enter(staff, chart, **CBC, creatinine_value="0.8")
    seen = staff.follow().words
    assert "CBC with differential: done for 12-Jan-2026, next due 12-Feb-2026." in seen
    assert "Creatinine: done for 12-Jan-2026, next due 12-Feb-2026." in seen
    assert [report.panel for report in reports()] == ["cbc_diff", "creatinine"]


def test_a_late_draw_says_by_how_much_and_an_early_one_when_the_window_opens(staff: Page, chart: Chart) -> None:
    enter(staff, chart, **CBC, collected_on="Jan 15 2026")
    assert "done for 12-Jan-2026 (3 days late)" in staff.follow().words
    enter(staff, chart, **CBC, collected_on="2026-01-20")
    assert "recorded as unscheduled: the next window opens 02-Feb-2026 (due 12-Feb-2026)" in staff.follow().words


def test_an_incomplete_count_says_at_once_that_it_does_not_count(staff: Page, chart: Chart) -> None:
    enter(staff, chart, platelets_value="251", wbc_value="6.1")
    seen = staff.follow().words
    assert "recorded, but it does not count: no differential (neutrophils, lymphocytes)." in seen


def test_before_any_infusion_a_result_belongs_to_the_baseline(
    staff: Page, cast: Cast, scope_for: Callable[..., Scope]
) -> None:
    enter(staff, register(scope_for(cast.staff)), tsh_value="1.9", aptt_value="30")
    seen = staff.follow().words
    assert "Thyroid function: recorded before the first infusion: nothing is owed yet." in seen
    assert "Other tests: recorded. They belong to no monitoring requirement." in seen


def test_a_cd4_count_says_what_it_means_for_the_antiviral(staff: Page, chart: Chart) -> None:
    enter(staff, chart, cd4_value="90")
    assert "The antiviral goes on: no count of 200 or more after the course yet." in staff.follow().words
    enter(staff, chart, cd4_value="230", collected_on="01/20/2026")
    assert "The antiviral may stop from 12-Feb-2026 on." in staff.follow().words


def test_every_wrong_row_is_told_and_what_was_typed_stays(staff: Page, chart: Chart) -> None:
    refused = enter(
        staff, chart, status=400, platelets_value="251", platelets_unit="mg/dL", wbc_value="six", alt_value="9000",
        tsh_value="1.9",
    )  # fmt: skip
    assert len(refused.errors) == 3
    assert any("“mg/dL” is not a unit of Platelets" in message for message in refused.errors)
    assert any(message.startswith("White cells:") for message in refused.errors)
    assert any("ALT 9000" in message for message in refused.errors)
    assert refused.one("input", name="wbc_value").get("value") == "six"
    assert refused.one("input", name="platelets_unit").get("aria-invalid") == "true"
    assert refused.title.startswith("Error:")
    assert reports() == []
    again = {**refused.fields(), "platelets_unit": "K/uL", "wbc_value": "6.1", "alt_confirmed": "1"}
    staff.post(f"{chart.url}/results/new", again)
    assert {report.panel for report in reports()} == {"cbc_diff", "liver_panel", "tsh"}


@pytest.mark.parametrize(
    "values, message",
    [
        ({}, "Enter at least one value."),
        ({**CBC, "collected_on": "01/23/2026"}, "a date in the future"),
        ({**CBC, "collected_on": "01/01/1920"}, "before the patient was born"),
        ({**CBC, "collected_on": ""}, "Enter the date of collection"),
        ({**CBC, "collected_on": "13/13/2026"}, "There is no month 13"),
        ({"tsh_value": "1.9", "tsh_low": "4.5", "tsh_high": "0.4"}, "the lower limit comes first"),
        ({"tsh_status": "preliminary"}, "Thyroid function: Enter at least one value"),
        ({**CBC, "cbc_diff_status": "wonderful"}, "from the list"),
        ({**CBC, "cbc_diff_problem": "eaten"}, "from the list"),
    ],
)
def test_what_cannot_be_recorded_is_refused(staff: Page, chart: Chart, values: dict[str, str], message: str) -> None:
    refused = enter(staff, chart, status=400, **values)
    assert any(message in error for error in refused.errors), refused.errors
    assert reports() == []


def test_a_second_report_of_the_day_asks_and_takes_the_answer(staff: Page, chart: Chart) -> None:
    enter(staff, chart, platelets_value="251", wbc_value="6.1")
    late = {"neutrophils_value": "3.9", "lymphocytes_value": "1.4"}
    asked = enter(staff, chart, status=400, **late)
    assert any("Say whether this is a second specimen or a correction." in error for error in asked.errors)
    no_reason = staff.post(
        f"{chart.url}/results/new", {**asked.fields(), "cbc_diff_same_day": "correction"}, status=400
    )
    assert any("give the reason of the correction" in error for error in no_reason.errors)
    staff.post(f"{chart.url}/results/new", {**no_reason.fields(), "cbc_diff_reason": "The differential came later"})
    assert "CBC with differential: done for 12-Jan-2026" in staff.follow().words
    (new,) = reports(state="recorded")
    assert db.session.query(LabValue).filter_by(lab_report_id=new.id).count() == 4


def test_a_form_sent_twice_records_once(staff: Page, chart: Chart) -> None:
    opened = staff.get(f"{chart.url}/results/new").fields()
    sent = {**opened, "collected_on": "01/12/2026", **CBC}
    first = staff.post(f"{chart.url}/results/new", sent).location
    assert staff.post(f"{chart.url}/results/new", sent).location == first
    assert len(reports()) == 1


def test_ranges_come_from_the_laboratory_and_a_convention_is_not_recorded(
    staff: Page, chart: Chart, cast: Cast, scope_for: Callable[..., Scope]
) -> None:
    opened = staff.get(f"{chart.url}/results/new")
    assert opened.one("input", name="platelets_low").get("value") == "150"
    assert "local convention" in opened.text
    enter(staff, chart, **CBC, platelets_low="140", platelets_high="400")
    low = {row.analyte: row.low for row in db.session.query(LabValue)}
    assert low == {"platelets": 140, "wbc": None, "neutrophils": None, "lymphocytes": None}
    other = register(scope_for(cast.staff))
    assert staff.get(f"{other.url}/results/new").one("input", name="platelets_low").get("value") == "140"


def test_another_laboratory_fills_in_its_ranges_and_keeps_what_was_typed(staff: Page, chart: Chart) -> None:
    enter(staff, chart, tsh_value="1.9", tsh_low="0.3", tsh_high="4.2", laboratory="Hill Lab")
    fields = staff.get(f"{chart.url}/results/new").fields()
    assert fields["tsh_low"] == "0.3"
    changed = {**fields, "laboratory": "Lake Lab", "alt_value": "22", "alt_low": "5", "action": "ranges"}
    seen = staff.post(f"{chart.url}/results/new", changed, status=200)
    assert seen.one("input", name="tsh_low").get("value") == "0.4", "the ordinary range, as Lake Lab printed none"
    assert seen.one("input", name="alt_value").get("value") == "22"
    assert seen.one("input", name="alt_low").get("value") == "5", "typed over, so left alone"
    assert len(reports()) == 1


def test_paper_of_several_patients_is_entered_in_a_row(
    staff: Page, chart: Chart, cast: Cast, scope_for: Callable[..., Scope]
) -> None:
    second = register(scope_for(cast.staff), mrn="ab-77")
    staff.submit("/results/enter", mrn=chart.row.mrn)
    assert staff.last is not None
    where = staff.last.location or ""
    assert chart.row.mrn not in where
    staff.submit(where, collected_on="01/12/2026", laboratory="Hill Lab", **CBC)
    back = staff.follow()
    assert "Recorded for" in back.words
    assert "CBC with differential: done for 12-Jan-2026" in back.words
    staff.submit("/results/enter", mrn=" AB-77 ")
    next_sheet = staff.follow()
    assert str(second.id) in (next_sheet.one("form", id="form").get("action") or staff.last.response.request.path)
    assert next_sheet.one("input", name="collected_on").get("value") == "12-Jan-2026"
    assert next_sheet.one("input", name="laboratory").get("value") == "Hill Lab"


def test_an_unknown_number_is_told(staff: Page, cast: Cast, scope_for: Callable[..., Scope]) -> None:
    theirs = register(scope_for(cast.stranger), mrn="S-1")
    for mrn in ("nobody", theirs.row.mrn):
        refused = staff.submit("/results/enter", 400, mrn=mrn)
        assert refused.errors == ["No chart of this clinic has that number. Check it against the paper"]
    assert staff.submit("/results/enter", 400, mrn="").errors == ["Enter the medical record number"]


def test_an_auditor_sees_and_cannot_enter(page: Page, cast: Cast, chart: Chart) -> None:
    chart.results(date(2026, 1, 12), "tsh")
    page.sign_in(cast.auditor)
    seen = page.get(f"{chart.url}/results")
    assert "Enter results" not in seen.links()
    assert "Correct" not in seen.words
    page.get(f"{chart.url}/results/new", status=403)
    page.get("/results/enter", status=403)


def test_another_clinics_patient_is_not_there(page: Page, cast: Cast, chart: Chart) -> None:
    chart.results(date(2026, 1, 12), "tsh")
    (report,) = reports()
    page.sign_in(cast.stranger)
    for place in ("results", "results/new", f"results/{report.public_id}", f"results/{report.public_id}/correct"):
        page.get(f"{chart.url}/{place}", status=404)

"""Correcting and withdrawing results: everything is filled in, the old report stays, the second person is told."""

from collections.abc import Callable
from datetime import date

import pytest

from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import LabReport, LabValue
from clinic_tracker.queries.scope import Scope
from tests.factories import Chart, register
from tests.fixtures.pages import Page
from tests.fixtures.people import Cast

DRAWN = date(2026, 1, 12)


@pytest.fixture
def chart(cast: Cast, scope_for: Callable[..., Scope]) -> Chart:
    chart = register(scope_for(cast.staff)).enroll(cast.prescriber, date(2025, 11, 20)).infuse(date(2025, 12, 8))
    return chart.results(DRAWN, "cbc_diff", platelets="115")


@pytest.fixture
def staff(page: Page, cast: Cast) -> Page:
    return page.sign_in(cast.staff)


def report(**where: object) -> LabReport:
    return db.session.query(LabReport).filter_by(**where).one()


def place(chart: Chart, what: str, row: LabReport | None = None) -> str:
    return f"{chart.url}/results/{(row or report()).public_id}/{what}"


def test_everything_of_the_report_is_filled_in(staff: Page, chart: Chart) -> None:
    fields = staff.get(place(chart, "correct")).fields()
    assert fields["collected_on"] == "12-Jan-2026"
    assert (fields["platelets_value"], fields["platelets_unit"]) == ("115", "K/uL")
    assert fields["hemoglobin_value"] == "13.8"
    assert "tsh_value" not in fields


def test_a_correction_is_saved_and_both_reports_stay_visible(staff: Page, chart: Chart) -> None:
    staff.submit(place(chart, "correct"), platelets_value="215", reason="Digits swapped")
    assert "CBC with differential: done for 12-Jan-2026" in staff.follow().words
    new, old = report(state="recorded"), report(state="corrected")
    assert db.session.query(LabValue).filter_by(lab_report_id=new.id, analyte="platelets").one().number == 215
    assert db.session.query(LabValue).filter_by(lab_report_id=new.id).count() == 5
    assert "Platelets 115" not in staff.get(f"{chart.url}/results").words
    everything = staff.get(f"{chart.url}/results?ended=1").words
    assert "Replaced by a correction" in everything
    assert "Digits swapped" in everything
    assert "See the correction" in staff.get(f"{chart.url}/results/{old.public_id}").words
    assert "What it replaced" in staff.get(f"{chart.url}/results/{new.public_id}").words


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"reason": "Looked again"}, "Nothing was changed."),
        ({"platelets_value": "215"}, "Give the reason"),
        ({"platelets_value": "many", "reason": "x"}, "Platelets: “many” is not a value."),
        ({"collected_on": "01/30/2026", "reason": "x"}, "a date in the future"),
    ],
)
def test_a_wrong_correction_is_refused(staff: Page, chart: Chart, changes: dict[str, str], message: str) -> None:
    refused = staff.submit(place(chart, "correct"), 400, **changes)
    assert any(message in error for error in refused.errors), refused.errors
    assert report().state == "recorded"


def test_the_second_of_two_is_told_who_was_first(
    staff: Page, new_page: Callable[[], Page], cast: Cast, chart: Chart
) -> None:
    address = place(chart, "correct")
    opened = staff.get(address).fields()
    other = new_page().sign_in(cast.neurologist)
    other.submit(address, platelets_value="215", reason="Digits swapped")
    refused = staff.post(address, {**opened, "platelets_value": "125", "reason": "Digits swapped"}, status=400)
    assert any("already corrected by Tomas Rey" in error for error in refused.errors)
    assert db.session.query(LabReport).filter_by(state="recorded").count() == 1


def test_a_report_of_the_wrong_patient_is_withdrawn(staff: Page, chart: Chart) -> None:
    assert staff.submit(place(chart, "withdraw"), 400, reason=" ").errors == ["Give the reason"]
    staff.submit(place(chart, "withdraw"), reason="Paper of another patient")
    assert "Result marked as entered in error." in staff.follow().words
    assert report().state == "entered_in_error"
    refused = staff.submit(place(chart, "withdraw"), 400, reason="Again")
    assert any("already marked as entered in error by you" in error for error in refused.errors)


def test_a_report_is_not_found_on_another_chart(
    staff: Page, chart: Chart, cast: Cast, scope_for: Callable[..., Scope]
) -> None:
    other = register(scope_for(cast.staff))
    for what in ("correct", "withdraw"):
        staff.get(place(other, what), status=404)


@pytest.mark.parametrize("role", ["auditor", "administrator"])
def test_who_may_not_correct(page: Page, cast: Cast, chart: Chart, role: str) -> None:
    page.sign_in(cast.person(role))
    page.get(place(chart, "correct"), status=403)
    page.post(place(chart, "withdraw"), {"reason": "x"}, status=403)

"""The results of a patient and the review of results, as pages."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from clinic_tracker.domain.local_time import add_months
from clinic_tracker.models.audit import AccessEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import LabReport
from clinic_tracker.queries.scope import Scope
from tests.factories import MONTHLY, Chart, register
from tests.fixtures.clock import Clock
from tests.fixtures.pages import Page
from tests.fixtures.people import Cast

DRAWN = date(2026, 1, 12)


@pytest.fixture
def chart(cast: Cast, scope_for: Callable[..., Scope]) -> Chart:
    return register(scope_for(cast.staff)).enroll(cast.prescriber, date(2025, 11, 20)).infuse(date(2025, 12, 8))


@pytest.fixture
def doctor(page: Page, cast: Cast) -> Page:
    return page.sign_in(cast.neurologist)


def reports(**where: object) -> list[LabReport]:
    return db.session.query(LabReport).filter_by(**where).order_by(LabReport.id).all()


def test_an_empty_chart_says_what_comes_next(page: Page, cast: Cast, chart: Chart) -> None:
    assert "No results yet" in page.sign_in(cast.staff).get(f"{chart.url}/results").words
    assert "Clinic staff enter them" in page.sign_in(cast.auditor).get(f"{chart.url}/results").words


def test_results_show_values_flags_findings_trends_and_what_is_missing(doctor: Page, chart: Chart) -> None:
    chart.results(date(2025, 11, 25), *MONTHLY, platelets="251")
    chart.results(DRAWN, "cbc_diff", platelets="48", neutrophils="", lymphocytes="")
    seen = doctor.get(f"{chart.url}/results")
    assert "48 L" in seen.words
    assert "very low (below 50)" in seen.words
    assert "Does not count: no differential" in seen.words
    trend = next(svg for svg in seen.all(class_="chart") if "Platelets" in svg.get("aria-label", ""))
    assert "C1 on 08-Dec-2025" in trend.get("aria-label", "")
    assert "251" in seen.rows()[1]


def test_why_a_report_does_not_count_is_said_in_words(page: Page, cast: Cast, chart: Chart) -> None:
    staff = page.sign_in(cast.staff)
    values = {
        "collected_on": "01/12/2026",
        "tsh_status": "cancelled",
        "alt_value": "22",
        "liver_panel_status": "preliminary",
    }
    staff.submit(
        f"{chart.url}/results/new", **values, cd4_value="230", cd4_high="1500", cd4_low="", alt_low="7", alt_high=""
    )
    seen = staff.follow().words
    assert "Thyroid function: recorded, but it does not count: cancelled by the laboratory." in seen
    assert "Liver panel: recorded, but it does not count: preliminary: enter the final result as a correction." in seen
    assert "(up to 1500)" in seen
    assert "(from 7)" in seen


def test_values_in_another_unit_are_shown_in_ours_and_as_reported(page: Page, cast: Cast, chart: Chart) -> None:
    staff = page.sign_in(cast.staff)
    sheet = {"collected_on": "01/12/2026", "creatinine_value": "88.4", "creatinine_unit": "umol/L"}
    staff.submit(f"{chart.url}/results/new", **sheet, creatinine_low="53", creatinine_high="97")
    seen = staff.follow().words
    assert "Creatinine 1 mg/dL" in seen
    assert "reported as 88.4 umol/L" in seen
    fields = staff.get(f"{chart.url}/results/{reports()[0].public_id}/correct").fields()
    assert (fields["creatinine_value"], fields["creatinine_unit"]) == ("88.4", "umol/L")
    assert (fields["creatinine_low"], fields["creatinine_high"]) == ("53", "97")


def test_reports_are_filtered_and_paged(doctor: Page, chart: Chart) -> None:
    for months in range(15):
        chart.results(add_months(date(2024, 10, 3), months), *MONTHLY)
    first = doctor.get(f"{chart.url}/results")
    assert "40 of 45 reports" in first.words
    rest = doctor.get(first.links()["Next page →"])
    assert "5 of 45 reports" in rest.words
    assert len(doctor.get(f"{chart.url}/results?panel=creatinine").all("th", class_="report-cell")) == 15
    assert "No report of that kind" in doctor.get(f"{chart.url}/results?panel=cd4").words
    doctor.get(f"{chart.url}/results?panel=nonsense&after=nonsense&entered=nonsense")


def test_the_queue_lists_the_worst_first_and_logs_whom_it_showed(doctor: Page, chart: Chart) -> None:
    chart.results(DRAWN, "tsh").results(DRAWN, "cbc_diff", platelets="48")
    seen = doctor.get("/results")
    titles = [link.text for link in seen.all("a", class_="queue__title")]
    assert titles == ["CBC with differential", "Thyroid function"]
    assert "review by 26-Jan-2026" in seen.words
    event = db.session.query(AccessEvent).filter_by(endpoint="labs.review_queue").one()
    assert event.patient_ids == [chart.row.id]


def test_a_result_that_waits_too_long_is_marked(page: Page, cast: Cast, chart: Chart, clock: Clock) -> None:
    chart.results(DRAWN, "tsh")
    clock.forward(days=5)
    seen = page.sign_in(cast.neurologist).get("/results").words
    assert "review was due 26-Jan-2026" in seen
    assert "waits 5 days" in seen


def test_many_are_reviewed_with_a_note_and_leave_the_queue(doctor: Page, chart: Chart) -> None:
    chart.results(DRAWN, *MONTHLY)
    ids = [box.get("value", "") for box in doctor.get("/results").all("input", name="report")]
    doctor.post("/results/review?mine=1", {"report": ids[:2], "note": "Fine"})
    assert doctor.last is not None
    assert doctor.last.location == "/results?mine=1"
    assert "2 results reviewed." in doctor.follow().words
    doctor.post("/results/review", {"report": ids})
    told = doctor.follow().words
    assert "1 result reviewed." in told
    assert "2 results were reviewed or changed by somebody else before." in told
    assert "Nothing waits for review" in told


def test_reviewing_none_is_told(doctor: Page, chart: Chart) -> None:
    chart.results(DRAWN, "tsh")
    refused = doctor.post("/results/review", {"note": "Fine"}, status=400)
    assert refused.errors == ["Choose at least one result."]
    doctor.post("/results/review", {"report": str(chart.id)}, status=404)


def test_one_is_reviewed_on_its_page_and_the_review_is_taken_back(doctor: Page, chart: Chart) -> None:
    chart.results(DRAWN, "tsh")
    address = f"{chart.url}/results/{reports()[0].public_id}"
    doctor.submit(address, action=f"{address}/review", note="Looks fine")
    assert "Looks fine" in doctor.follow().words
    assert doctor.submit(f"{address}/undo-review", 400, reason="").errors == ["Give the reason"]
    doctor.submit(f"{address}/undo-review", reason="Wrong row")
    assert "Review taken back." in doctor.follow().words
    assert reports()[0].reviewed_at is None
    refused = doctor.submit(f"{address}/undo-review", 400, reason="Again")
    assert refused.errors == ["This result is waiting for review already."]


@pytest.mark.parametrize("role", ["staff", "auditor", "administrator"])
def test_only_those_who_may_review_can(page: Page, cast: Cast, chart: Chart, role: str) -> None:
    chart.results(DRAWN, "tsh")
    report = reports()[0].public_id
    page.sign_in(cast.person(role))
    assert page.get("/results").all("input", name="report") == []
    page.post("/results/review", {"report": str(report)}, status=403)
    page.post(f"{chart.url}/results/{report}/review", status=403)
    page.get(f"{chart.url}/results/{report}/undo-review", status=403)
    assert reports()[0].reviewed_at is None


def test_the_queue_is_of_ones_own_clinic(page: Page, cast: Cast, chart: Chart) -> None:
    chart.results(DRAWN, "tsh")
    assert "Nothing waits for review" in page.sign_in(cast.stranger_neurologist).get("/results").words
    page.post("/results/review", {"report": str(reports()[0].public_id)}, status=404)


def test_the_queue_is_paged_by_key(doctor: Page, chart: Chart) -> None:
    for days in range(18):
        chart.results(DRAWN - timedelta(days=days), *MONTHLY)
    first = doctor.get("/results?panel=nonsense&level=nonsense")
    assert len(first.all("input", name="report")) == 50
    assert len(doctor.get(first.links()["Next page →"]).all("input", name="report")) == 4

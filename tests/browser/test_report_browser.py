"""A report in the browser: ask, follow a figure to what it counts, take a file, print."""

import csv
import io
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from clinic_tracker.queries.scope import Scope
from tests.browser.journey import Journey
from tests.browser.visitor import Visitor
from tests.fixtures.people import Cast
from tests.monitored import add_course, add_labs, add_patient, enroll, project

PERIOD = "from=2025-04-01&to=2025-12-31"


@pytest.fixture
def northside(cast: Cast, scope_for: Callable[..., Scope]) -> None:
    scope = scope_for(cast.administrator)
    for number in range(8):
        patient = add_patient(scope)
        enroll(scope, patient, cast.prescriber.id, date(2025, 1, 7))
        add_course(scope, patient, date(2025, 2, 3))
        add_labs(scope, patient, [date(2025, month, 5 + number) for month in range(3, 12)])
    project(scope)


@pytest.mark.usefixtures("northside")
def test_from_a_figure_to_the_patients_behind_it_and_to_a_file(visitor: Visitor, cast: Cast, tmp_path: Path) -> None:
    person = Journey(visitor, cast.administrator).open("/reports/").press("Compliance")
    page = person.page
    page.get_by_text("Change the question").click()
    page.get_by_label("From", exact=True).fill("Apr 1 2025")
    page.get_by_label("To", exact=True).fill("12/31/2025")
    person.press("Show")
    page.get_by_text("Change the question").click()
    assert page.get_by_label("From", exact=True).input_value() == "01-Apr-2025"
    figure = page.locator("td.num a").first
    count = figure.inner_text()
    person.follow(figure.click)
    assert f"of {count}" in page.locator(".pages").inner_text()
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV", exact=True).click()
    download.value.save_as(tmp_path / "file.csv")
    lines = list(csv.DictReader(io.StringIO((tmp_path / "file.csv").read_text(encoding="utf-8"), newline="")))
    assert f"{len(lines):,}" == count


@pytest.mark.usefixtures("northside")
def test_what_is_wrong_takes_the_focus(visitor: Visitor, cast: Cast) -> None:
    Journey(visitor, cast.administrator).open("/reports/compliance?from=soon&as_of=later", status=400)
    visitor.page.wait_for_function("() => document.activeElement.matches('.error-summary')")
    visitor.page.locator(".error-summary a").first.click()
    assert visitor.page.evaluate("() => document.activeElement.id") == "from"


@pytest.mark.usefixtures("northside")
@pytest.mark.parametrize("path", [f"/reports/obligations?{PERIOD}", f"/reports/compliance?{PERIOD}", "/reports/"])
def test_it_stands_in_both_themes_on_a_tablet(tablet_visitor: Visitor, cast: Cast, path: str) -> None:
    tablet_visitor.sign_in(cast.administrator).goto(path)
    tablet_visitor.check_axe()
    assert tablet_visitor.overflow() <= 0


@pytest.mark.usefixtures("northside")
def test_on_paper_there_is_the_answer_and_no_control(visitor: Visitor, cast: Cast) -> None:
    visitor.sign_in(cast.administrator).goto(f"/reports/obligations?{PERIOD}")
    visitor.page.emulate_media(media="print")
    page = visitor.page
    assert page.locator(".report__ask").is_hidden()
    assert page.get_by_text("01-Apr-2025 to 31-Dec-2025, both included").is_visible()
    printed = page.locator(".print-foot")
    assert printed.is_visible()
    assert cast.administrator.name in printed.inner_text()
    assert "?" not in printed.inner_text()

"""A file of a report in the browser: asked for, watched without reloading, cancelled or taken out, verified."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from clinic_tracker.models.base import db
from clinic_tracker.models.reporting import ReportRun
from tests.browser.journey import Journey
from tests.browser.visitor import Visitor
from tests.fixtures.people import Cast
from tests.made_reports import Numbers, made, taken

NEW = "/reports/files/new?report=numbers"


@pytest.fixture(autouse=True)
def numbers(monkeypatch: pytest.MonkeyPatch) -> Numbers:
    return Numbers(count=5000).put_in(monkeypatch)


@pytest.fixture
def folder(app, tmp_path, monkeypatch) -> Path:
    monkeypatch.setitem(app.config, "REPORTS_FOLDER", tmp_path / "reports")
    return tmp_path / "reports"


def test_progress_is_watched_and_the_file_taken_and_verified(
    visitor: Visitor, cast: Cast, folder: Path, tmp_path: Path
) -> None:
    person = Journey(visitor, cast.administrator).open(NEW).press("Make the file")
    page = person.page
    expect(person.main.get_by_text("Waiting")).to_be_visible()
    held = taken()
    db.session.execute(sa.update(ReportRun).values(lines_done=1250, lines_expected=5000))
    db.session.commit()
    bar = person.main.get_by_role("progressbar")
    expect(bar).to_have_attribute("value", "25", timeout=15000)
    person.judge()
    made(held, folder)
    expect(person.main.get_by_role("link", name="Download")).to_be_visible(timeout=15000)
    with page.expect_download() as download:
        person.main.get_by_role("link", name="Download").click()
    download.value.save_as(tmp_path / "file.csv")
    person.open("/reports/verify")
    page.get_by_label("The file").set_input_files(tmp_path / "file.csv")
    person.press("Verify")
    expect(person.main.get_by_text("This is the file made on")).to_be_visible()
    person.open("/reports/files")


def test_cancelled_on_a_tablet(tablet_visitor: Visitor, cast: Cast, folder: Path) -> None:
    person = Journey(tablet_visitor, cast.neurologist, scheme="dark").open(NEW).press("Make the file")
    tablet_visitor.clock.forward(seconds=30)
    expect(person.main.get_by_text("No worker is running")).to_be_visible(timeout=15000)
    person.judge().press("Cancel")
    expect(person.main.get_by_text("Cancelled by Tomas Rey")).to_be_visible()
    person.press("Ask again")
    assert person.path.startswith("/reports/files/new?")


def test_a_report_is_set_to_come_every_month(tablet_visitor: Visitor, cast: Cast) -> None:
    person = Journey(tablet_visitor, cast.administrator).open("/reports/schedules/new")
    person.press("Choose (Numbers)").fill(month_day="31")
    person.main.get_by_label("Eli Voss").check()
    person.press("Save")
    expect(person.row("Numbers", "on the last day of every month", "Eli Voss")).to_be_visible()

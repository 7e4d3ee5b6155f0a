"""What the scripts of the frame do: the theme, the search key, the warning before the sign-out, the sheet of paper."""

import re
from collections.abc import Callable
from datetime import date

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, expect

from clinic_tracker.queries.scope import Scope
from tests.browser.conftest import Server
from tests.browser.journey import Journey
from tests.browser.visitor import Visitor
from tests.factories import ALL, Chart, register
from tests.fixtures.clock import Clock
from tests.fixtures.people import Cast


@pytest.fixture
def chart(cast: Cast, scope_for: Callable[..., Scope]) -> Chart:
    """A patient with a course."""
    chart = register(scope_for(cast.staff), family_name="Okafor", given_name="Ada", mrn="10233")
    chart.enroll(cast.prescriber, date(2025, 5, 1)).results(date(2025, 5, 20), *ALL).infuse(date(2025, 6, 2))
    return chart.results(date(2025, 7, 2), *ALL)


def test_the_chosen_theme_stays(visitor: Visitor, cast: Cast) -> None:
    nurse = Journey(visitor, cast.staff).open("/today")
    root, button = nurse.page.locator("html"), nurse.page.get_by_role("button", name="Change theme")
    expect(button).to_be_visible()
    bright = nurse.page.evaluate("() => getComputedStyle(document.body).backgroundColor")

    button.click()
    expect(root).to_have_attribute("data-theme", "dark")
    assert nurse.page.evaluate("() => getComputedStyle(document.body).backgroundColor") != bright

    nurse.open("/worklists")
    expect(root).to_have_attribute("data-theme", "dark")
    expect(nurse.page.get_by_role("button", name="Dark theme. Change theme")).to_be_visible()


@pytest.mark.parametrize("path", ["/worklists", "/today"])
def test_a_tablet_tells_in_the_row_what_it_has_no_column_for(
    tablet_visitor: Visitor, cast: Cast, chart: Chart, path: str
) -> None:
    nurse = Journey(tablet_visitor, cast.staff).open(path)
    row = nurse.page.get_by_role("row", name=chart.row.mrn)
    expect(row.get_by_text("d late")).to_contain_text("234 d late, 5 missed, never done")
    nurse.page.set_viewport_size({"width": 1280, "height": 900})
    expect(row.get_by_text("d late")).to_be_hidden()


def test_a_slash_goes_to_the_search_unless_something_is_typed(visitor: Visitor, cast: Cast, chart: Chart) -> None:
    nurse = Journey(visitor, cast.staff).open("/patients/new")
    search = nurse.page.locator("#search-query")
    nurse.page.wait_for_load_state("networkidle")

    nurse.field("family_name").focus()
    nurse.page.keyboard.type("/")
    expect(nurse.field("family_name")).to_have_value("/")

    nurse.open("/today").page.keyboard.press("/")
    expect(search).to_be_focused()
    nurse.page.keyboard.type("10233")
    nurse.follow(lambda: nurse.page.keyboard.press("Enter"))
    nurse.reads("OKAFOR" if nurse.path == "/patients/search" else "Owed now")
    assert "10233" not in nurse.path


def test_going_back_after_registering_never_asks_to_send_the_answers_again(visitor: Visitor, cast: Cast) -> None:
    nurse = Journey(visitor, cast.staff).open("/patients/new")
    nurse.fill(family_name="Okafor", given_name="Ada", mrn="10233")
    nurse.fill(birth_date_month="Mar", birth_date_day="2", birth_date_year="1984").choose("sex_at_birth", "Female")
    nurse.press("Continue").reads("Check the answers")
    nurse.page.wait_for_load_state("networkidle")
    nurse.press("Register patient").reads("Enroll")

    back = nurse.page.go_back()

    assert back is not None
    assert (back.request.method, back.status) == ("GET", 200)
    assert nurse.path == "/patients/new"
    expect(nurse.field("family_name")).to_have_value("")


def test_an_idle_person_is_warned_can_stay_and_is_signed_out_otherwise(visitor: Visitor, cast: Cast) -> None:
    page, clock = visitor.page, visitor.clock
    page.clock.set_fixed_time(clock.now)
    nurse = Journey(visitor, cast.staff).open("/today")
    page.wait_for_load_state("networkidle")  # the script counts from when it is there
    warning = page.get_by_role("dialog", name="Still there?")
    expect(warning).to_be_hidden()

    def idle(**time: float) -> None:
        clock.forward(**time)
        page.clock.set_fixed_time(clock.now)

    idle(minutes=13, seconds=30)
    expect(warning).to_be_visible()
    nurse.judge()
    page.get_by_role("button", name="Stay signed in").click()
    expect(warning).to_be_hidden()

    idle(minutes=13, seconds=30)
    expect(warning).to_be_visible()
    idle(minutes=2)
    page.wait_for_url("**/sign-in*")


def test_a_printed_chart_says_whose_it_is(visitor: Visitor, cast: Cast, chart: Chart) -> None:
    nurse = Journey(visitor, cast.staff).open(chart.url)
    nurse.page.emulate_media(media="print")

    expect(nurse.page.locator(".patient-banner")).to_be_visible()
    expect(nurse.page.locator(".patient-banner")).to_contain_text("OKAFOR, Ada")
    expect(nurse.page.locator(".print-foot")).to_contain_text("Printed by Nia Brandt")
    for hidden in (".rail", ".bar", ".tabs", ".page-head__actions"):
        expect(nurse.page.locator(hidden).first).to_be_hidden()
    assert re.search(rb"/Count (\d+)", nurse.page.pdf(landscape=True)) is not None


def test_a_page_runs_no_script_that_it_did_not_bring(
    app: Flask, clock: Clock, live_server: Server, new_context: Callable[..., BrowserContext], cast: Cast
) -> None:
    # A window of its own: what is refused is told on the console, which would fail a visitor's test.
    visitor = Visitor(new_context().new_page(), app, clock, live_server.url).sign_in(cast.staff)
    visitor.goto("/today")
    told: list[str] = []
    visitor.page.on("console", lambda message: told.append(message.text))

    visitor.page.evaluate(
        "() => document.querySelector('main').insertAdjacentHTML('beforeend',"
        " '<img alt=x src=/nowhere onerror=\"document.title = 1\">')"
    )
    visitor.page.wait_for_load_state("networkidle")

    assert visitor.page.title().startswith("My clinic today")
    assert any("Content Security Policy" in text for text in told)

"""The board in the browser: true after sleep and with a wrong clock, polite, and never in the way."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import TABLET
from tests.suite_parts import add_chair, book, pause, react
from tests.treated import Treated, add_patient

LIVE = "[data-live]"
STATES = ("planned", "infusing", "paused", "observing", "over", "forgotten", "discharged")


@pytest.fixture
def treated(cast, scope_for):
    def make(name: str = "Okafor") -> Treated:
        found = add_patient(cast, scope_for, family_name=name)
        found.make_ready()
        found.prepare()
        return found

    return make


@pytest.fixture
def hurried(new_context):
    """Screens ask every second, so that a test need not wait."""

    def answer(route):
        made = route.fetch(max_redirects=0)
        route.fulfill(response=made, body=re.sub(r'data-seconds="1\d"', 'data-seconds="1"', made.text()))

    def hurry(visitor):
        visitor.page.route(re.compile(r"/infusions(/wall)?(\?.*)?$"), answer)
        return visitor

    return hurry


def at(visitor, clock, **ahead):
    """The browser's clock, wrong by so much."""
    visitor.page.clock.set_system_time(clock.now + timedelta(**ahead))


def come(visitor, path="/infusions"):
    """Open a page and wait until its scripts are there."""
    visitor.goto(path)
    visitor.page.wait_for_load_state("networkidle")


def in_state(state, treated, clock):
    """The suite with somebody in each state up to this one."""
    if state == "empty":
        return
    one = treated("Adams")
    chair = add_chair(one.scope, "4")
    book(one, chair, clock.now + timedelta(minutes=10), "Robin Lee, RN")
    add_chair(one.scope, "5", 1)
    if state == "planned":
        add_patient(one.cast, one.scope_for, family_name="Unready").plan()
        return
    infusion = one.start(chair="4")
    clock.forward(minutes=35)
    if state == "infusing":
        react(one, infusion, is_serious=True)
    elif state == "paused":
        pause(one, infusion, clock.now)
    else:
        clock.forward(minutes=210)
        one.end(infusion)
        clock.forward(minutes={"observing": 5, "over": 125, "discharged": 120, "forgotten": 3 * 24 * 60}[state])
        if state == "discharged":
            one.discharge(infusion)


@pytest.mark.parametrize("state", ["empty", *STATES])
def test_every_state_of_the_board_is_accessible_in_both_themes(state, treated, new_visitor, cast, clock):
    in_state(state, treated, clock)
    for size in ({}, {"viewport": TABLET, "has_touch": True}):
        visitor = new_visitor(**size).sign_in(cast.staff)
        at(visitor, clock)
        for path in ("/infusions", "/infusions?layout=chairs", "/infusions/wall"):
            visitor.goto(path)
            visitor.check_axe()
            assert visitor.overflow() == 0, path


def test_a_row_changes_in_place_and_what_has_the_focus_keeps_it(treated, visitor, hurried, cast, clock):
    one, two = treated(), treated("Ruiz")
    one.start(chair="4")
    page = hurried(visitor).sign_in(cast.staff).page
    come(visitor)
    action = page.get_by_role("link", name="Take vitals of Ada Okafor")
    action.focus()
    page.evaluate("document.activeElement.marked = true")
    two.start(chair="5")
    expect(page.get_by_role("link", name="Take vitals of Ada Ruiz")).to_be_visible()
    expect(action).to_be_focused()
    assert page.evaluate("document.activeElement.marked")


def test_what_moves_to_another_table_takes_the_focus_along(treated, visitor, hurried, cast, clock):
    one = treated()
    infusion = one.start(chair="4")
    page = hurried(visitor).sign_in(cast.staff).page
    come(visitor)
    page.get_by_role("link", name="Take vitals of Ada Okafor").focus()
    clock.forward(minutes=5)
    one.end(infusion)
    expect(page.get_by_role("table", name="In observation")).to_be_visible()
    expect(page.get_by_role("link", name="Take vitals of Ada Okafor")).to_be_focused()


def test_a_wrong_clock_and_a_long_sleep_do_not_matter(treated, visitor, hurried, cast, clock):
    one = treated()
    infusion = one.start(chair="4")
    clock.forward(minutes=5)
    one.end(infusion)
    page = hurried(visitor).sign_in(cast.staff).page
    at(visitor, clock, hours=-7)
    come(visitor)
    timer = page.get_by_role("row", name="OKAFOR").get_by_role("timer").first
    expect(timer).to_have_text("2 h 00 min left")
    # The tablet sleeps for an hour, and somebody sets its clock meanwhile.
    clock.forward(minutes=14)
    at(visitor, clock, days=3)
    expect(timer).to_have_text(re.compile("1 h 4[56] min left"))


def test_an_end_is_told_once_by_the_chair_and_politely(treated, visitor, hurried, cast, clock):
    one = treated()
    infusion = one.start(chair="4")
    clock.forward(minutes=20)
    one.end(infusion)
    clock.forward(minutes=119, seconds=40)
    page = hurried(visitor).sign_in(cast.staff).page
    at(visitor, clock)
    come(visitor)
    page.evaluate(
        """() => { window.told = [];
        new MutationObserver(() => window.told.push(document.querySelector("[data-live]").textContent))
            .observe(document.querySelector("[data-live]"), {childList: true}); }"""
    )
    assert page.locator(LIVE).get_attribute("role") == "status"
    clock.forward(seconds=30)
    at(visitor, clock)
    expect(page.get_by_role("table", name="Observation over, to be signed out")).to_be_visible()
    expect(page.locator(LIVE)).to_have_text("Observation of chair 4 is over.")
    page.wait_for_timeout(1500)
    assert page.evaluate("window.told") == ["Observation of chair 4 is over."]


def test_a_board_that_is_not_current_says_so_and_since_when(treated, visitor, hurried, cast, clock):
    one = treated()
    one.start(chair="4")
    page = hurried(visitor).sign_in(cast.staff).page
    at(visitor, clock)
    come(visitor)
    page.context.set_offline(True)
    mark = page.locator("[data-stale]")
    expect(mark).to_contain_text("Not current: last updated 10:30. Trying again")
    visitor.check_axe()
    page.context.set_offline(False)
    expect(mark).to_be_hidden()


def test_whoever_is_signed_out_elsewhere_reads_no_further(treated, visitor, hurried, cast, clock):
    treated().start()
    page = hurried(visitor).sign_in(cast.staff).page
    come(visitor)
    clock.forward(minutes=16)
    page.wait_for_url("**/sign-in?next=/infusions*")


def test_sound_is_off_until_switched_on_and_stays_on_for_the_screen(visitor, cast):
    page = visitor.sign_in(cast.staff).page
    come(visitor)
    button = page.locator("[data-module=sound]")
    expect(button).to_have_text("Sound off")
    expect(button).to_have_attribute("aria-pressed", "false")
    button.click()
    expect(button).to_have_text("Sound on")
    visitor.goto("/infusions/wall")
    expect(button).to_have_attribute("aria-pressed", "true")
    assert page.evaluate("Object.keys(localStorage).sort()") == ["clinic-tracker-last-seen", "clinic-tracker-sound"]
    button.click()
    expect(button).to_have_text("Sound off")


def test_the_wall_keeps_itself_current_without_a_name(treated, visitor, hurried, cast, clock):
    one = treated()
    add_chair(one.scope, "4")
    page = hurried(visitor).sign_in(cast.staff).page
    at(visitor, clock)
    come(visitor, "/infusions/wall")
    expect(page.get_by_role("main")).to_contain_text("Free")
    one.start(chair="4")
    expect(page.get_by_role("timer").first).to_have_text(re.compile(r"^(4:00|3:59)$"))
    assert "Okafor" not in page.content()
    size = page.get_by_role("timer").first.evaluate("element => parseFloat(getComputedStyle(element).fontSize)")
    assert size >= 72

"""A tablet with a bad network: what was typed is kept, told to be unsaved, sent again, and recorded once."""

import pytest
from playwright.sync_api import expect
from sqlalchemy import func, select

from clinic_tracker.models.base import db
from clinic_tracker.models.treatment import VitalSigns
from tests.treated import add_patient

NOTICE = ".kept"


@pytest.fixture
def url(cast, scope_for):
    treated = add_patient(cast, scope_for)
    treated.make_ready()
    return f"/patients/{treated.patient}/courses/{treated.course}/vitals"


@pytest.fixture
def nurse(tablet_visitor, cast):
    return tablet_visitor.sign_in(cast.staff)


def count():
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(VitalSigns))


def kept(page):
    return page.evaluate("Object.keys(sessionStorage).filter(key => key.startsWith('typed:')).length")


def open_form(nurse, url, **values):
    nurse.goto(url)
    nurse.page.wait_for_load_state("networkidle")
    for name, value in values.items():
        nurse.page.locator(f"#{name}").fill(value)


def test_without_a_network_the_page_says_so_tries_again_and_records_once(nurse, url):
    page = nurse.page
    open_form(nurse, url, pulse="72")
    page.context.set_offline(True)
    page.get_by_role("button", name="Record vital signs").click()
    expect(page.locator(NOTICE)).to_contain_text("Not saved. Trying again")
    expect(page.locator("[data-live]")).to_contain_text("Not saved")
    nurse.check_axe()
    assert count() == 0
    with page.expect_navigation():
        page.context.set_offline(False)
    expect(page.get_by_role("main")).to_contain_text("Vital signs recorded.")
    assert count() == 1
    assert kept(page) == 0


def test_an_answer_that_was_lost_does_not_record_twice(nurse, url):
    page = nurse.page
    open_form(nurse, url, pulse="72")
    lost = []

    def lose(route):
        if route.request.method == "POST" and not lost:
            lost.append(route.fetch())
            route.abort()
        else:
            route.continue_()

    page.route(f"**{url}", lose)
    with page.expect_navigation():
        page.get_by_role("button", name="Record vital signs").click()
    expect(page.get_by_role("main")).to_contain_text("72")
    assert (len(lost), count()) == (1, 1)


def test_what_was_on_its_way_comes_back_after_a_reload_and_is_recorded_once(nurse, url):
    page = nurse.page
    open_form(nurse, url, pulse="72", systolic="118")
    page.route(f"**{url}", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    page.get_by_role("button", name="Record vital signs").click()
    expect(page.locator(NOTICE)).to_contain_text("Not saved")
    page.unroute(f"**{url}")
    page.reload()
    expect(page.locator(NOTICE)).to_contain_text("is back. It is not saved yet.")
    expect(page.locator("#systolic")).to_have_value("118")
    nurse.check_axe()
    with page.expect_navigation():
        page.get_by_role("button", name="Record vital signs").click()
    expect(page.get_by_role("main")).to_contain_text("118")
    assert count() == 1


def test_it_can_be_discarded(nurse, url):
    page = nurse.page
    open_form(nurse, url, pulse="72")
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect(page.locator("#pulse")).to_have_value("72")
    page.get_by_role("button", name="Discard it").click()
    expect(page.locator("#pulse")).to_have_value("")
    assert kept(page) == 0


def test_what_was_given_up_by_going_elsewhere_does_not_come_back_as_new(nurse, url):
    page = nurse.page
    page.on("dialog", lambda dialog: dialog.accept())
    open_form(nurse, url, pulse="72")
    with page.expect_navigation():
        page.get_by_role("link", name="Cancel").click()
    open_form(nurse, url)
    expect(page.locator("#pulse")).to_have_value("")


def test_an_ended_session_keeps_what_was_typed_for_the_same_person_only(nurse, url, cast, clock):
    page = nurse.page
    page.on("dialog", lambda dialog: dialog.accept())
    open_form(nurse, url, pulse="72")
    clock.forward(minutes=16)
    page.get_by_role("button", name="Record vital signs").click()
    expect(page.locator(NOTICE)).to_contain_text("your session has ended")
    assert count() == 0
    with page.expect_navigation():
        page.locator(NOTICE).get_by_role("link", name="Sign in").click()
    page.locator("#email").fill(cast.staff.email)
    page.locator("#password").fill(cast.staff.password)
    with page.expect_navigation():
        page.locator("main button[type=submit]").click()
    expect(page.locator("#pulse")).to_have_value("72")
    with page.expect_navigation():
        page.get_by_role("button", name="Record vital signs").click()
    assert count() == 1


def test_somebody_else_at_the_same_tablet_finds_nothing(nurse, url, cast):
    page = nurse.page
    page.on("dialog", lambda dialog: dialog.accept())
    open_form(nurse, url, pulse="72")
    assert kept(page) == 1
    nurse.sign_in(cast.neurologist)
    page.reload()
    page.wait_for_load_state("networkidle")
    expect(page.locator("#pulse")).to_have_value("")
    assert kept(page) == 0


def test_signing_out_forgets_it(nurse, url):
    page = nurse.page
    page.on("dialog", lambda dialog: dialog.accept())
    open_form(nurse, url, pulse="72")
    with page.expect_navigation():
        page.get_by_role("button", name="Sign out").click()
    assert kept(page) == 0
    assert page.evaluate("Object.keys(localStorage)") == ["clinic-tracker-last-seen"]


def test_a_refused_form_comes_back_with_its_errors_and_can_be_sent_again(nurse, url):
    page = nurse.page
    open_form(nurse, url)
    with page.expect_navigation():
        page.get_by_role("button", name="Record vital signs").click()
    expect(page.locator(".error-summary")).to_be_focused()
    assert page.title().startswith("Error: ")
    nurse.check_axe()
    page.locator("#pulse").fill("72")
    with page.expect_navigation():
        page.get_by_role("button", name="Record vital signs").click()
    assert count() == 1


def test_a_form_left_open_past_a_sign_out_is_trusted_anew(nurse, url, cast):
    page = nurse.page
    open_form(nurse, url, pulse="72")
    nurse.sign_in(cast.staff)
    with page.expect_navigation():
        page.get_by_role("button", name="Record vital signs").click()
    assert count() == 1


def test_a_refused_answer_does_not_come_back_on_a_page_opened_anew(nurse, url, clock):
    page = nurse.page
    open_form(nurse, url)
    page.get_by_role("button", name="Record vital signs").click()
    expect(page.get_by_role("main")).to_contain_text("Enter at least one value")
    before = page.locator("#taken_at-time").input_value()
    clock.forward(minutes=7)
    nurse.goto(url)
    page.wait_for_load_state("networkidle")
    expect(page.locator(NOTICE)).to_have_count(0)
    assert page.locator("#taken_at-time").input_value() != before


def test_what_one_person_typed_is_not_sent_as_somebody_else(nurse, url, cast):
    page = nurse.page
    open_form(nurse, url, pulse="72")
    nurse.sign_in(cast.neurologist)
    page.get_by_role("button", name="Record vital signs").click()
    expect(page.locator(NOTICE)).to_contain_text("Not saved: your session has ended.")
    assert count() == 0

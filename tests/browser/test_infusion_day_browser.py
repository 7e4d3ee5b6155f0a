"""The infusion day on a tablet: the clock runs, the pages are accessible, the board keeps itself current."""

import re

import pytest
from playwright.sync_api import expect

from tests.treated import Treated, add_patient


@pytest.fixture
def treated(cast, scope_for) -> Treated:
    ready = add_patient(cast, scope_for)
    ready.make_ready()
    ready.prepare()
    return ready


def day(treated, infusion, step=""):
    return f"/patients/{treated.patient}/infusions/{infusion}{step}"


def test_the_clock_of_the_observation_runs_and_nothing_ends_by_itself(treated, tablet_visitor, cast, clock):
    running = treated.start()
    clock.forward(minutes=5)
    treated.end(running)
    timer = tablet_visitor.page.get_by_role("timer")
    for minutes, told in ((0, re.compile("2 h 00 min left")), (118, re.compile(r"(2:00|1:\d\d) left"))):
        clock.forward(minutes=minutes)
        tablet_visitor.page.clock.set_system_time(clock.now)
        tablet_visitor.sign_in(cast.staff).goto(day(treated, running))
        expect(timer).to_have_text(told)
    clock.forward(minutes=3)
    tablet_visitor.page.clock.set_system_time(clock.now)
    expect(timer).to_have_text("time is over")
    tablet_visitor.goto(day(treated, running))
    assert tablet_visitor.page.get_by_role("link", name="Sign discharge").is_visible()


def test_readiness_is_accessible_and_fits_a_tablet(treated, tablet_visitor, cast):
    tablet_visitor.sign_in(cast.neurologist)
    page = f"/patients/{treated.patient}/courses/{treated.course}/readiness"
    for path in (page, f"{page}?to=2026-03-02"):
        tablet_visitor.goto(path)
        tablet_visitor.check_axe()
        assert tablet_visitor.overflow() == 0, path


def test_every_page_of_treatment_is_accessible_and_fits_a_tablet(treated, tablet_visitor, cast, clock):
    visitor = tablet_visitor
    visitor.sign_in(cast.neurologist)
    course = f"/patients/{treated.patient}/courses"
    before = [
        "/infusions",
        course,
        f"{course}/{treated.course}/start",
        f"{course}/{treated.course}/authorize",
        f"{course}/{treated.course}/edit",
        f"{course}/{treated.course}/back-entry",
        f"{course}/{treated.course}/discontinue",
        f"{course}/{treated.course}/vitals",
        f"/patients/{treated.patient}/prophylaxis/new",
    ]
    for path in before:
        visitor.goto(path)
        visitor.check_axe()
        assert visitor.overflow() == 0, path
    running = treated.start()
    for step in ("", "/end", "/pause", "/premedication", "/reaction", "/correct", "/withdraw"):
        visitor.goto(day(treated, running, step))
        visitor.check_axe()
        assert visitor.overflow() == 0, step
    clock.forward(minutes=5)
    treated.end(running)
    for path in ("/infusions", day(treated, running), day(treated, running, "/discharge"), course):
        visitor.goto(path)
        visitor.check_axe()
        assert visitor.overflow() == 0, path

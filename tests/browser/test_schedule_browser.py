"""The schedule of the suite on a tablet and by keyboard: booked, moved, printed on one sheet."""

import re
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from playwright.sync_api import expect

from clinic_tracker.queries.chairs import bookings_of_patient
from clinic_tracker.queries.scope import Scope
from tests.booked import add_chairs, book, days_from
from tests.browser.journey import Journey
from tests.browser.visitor import Visitor
from tests.fixtures.people import Cast
from tests.treated import Treated, add_patient

MONDAY = date(2026, 1, 26)
WEEK = "/infusions/schedule?week=2026-W05"
ScopeFor = Callable[..., Scope]


@pytest.fixture
def treated(cast: Cast, scope_for: ScopeFor) -> Treated:
    """A patient whose course is planned, in a suite of two chairs where somebody else sits."""
    add_chairs(scope_for(cast.administrator), "1", "2")
    other = add_patient(cast, scope_for, family_name="Ruiz", enrolled=False)
    other.plan(MONDAY + timedelta(days=2))
    book(other, *days_from(other, MONDAY + timedelta(days=1), 3, at="06:00"))
    ready = add_patient(cast, scope_for)
    ready.make_ready(MONDAY)
    return ready


def starts(treated: Treated) -> list[str]:
    """Where the patient sits: date and chair."""
    return [f"{row.booked_on} {row.chair_name}" for row in bookings_of_patient(treated.scope, treated.patient_id)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_nurse_books_and_moves_a_course_on_a_tablet(
    new_visitor: Callable[..., Visitor], cast: Cast, treated: Treated, scheme: str
) -> None:
    nurse = Journey(new_visitor(viewport={"width": 768, "height": 1024}, has_touch=True), cast.staff, scheme)
    nurse.open(WEEK).reads("What does not go together", "starts before the suite opens", "Not ready yet")
    nurse.press("Book chairs OKAFOR, Ada").reads("5 days of 5 can be booked.", "Chair 2 is free.")
    nurse.press("Check what is free").press("Book").reads("5 days booked.", "Booked days of Course 1")
    assert starts(treated) == [f"2026-01-{day} 2" for day in range(26, 31)]

    nurse.press("Move Day 1").fill(starts_at_date="01/27/2026", reason="A cold")
    nurse.press("Check what is free and what lapses").reads("If the course starts on 27-Jan-2026")
    nurse.press("Move").refused("A chair is booked for this patient on 27-Jan-2026")
    nurse.tick("Move the later days along, by as many days, to the same time and chair")
    nurse.press("Move").reads("Moved.", "27-Jan-2026")
    assert starts(treated)[0] == "2026-01-27 2"

    nurse.open("/infusions/schedule/day?on=2026-01-27").reads("OKAFOR, Ada", "Course 1, day 1 of 5")
    nurse.press("Cancel OKAFOR, Ada").fill(reason="A cold").press("Cancel the day").reads("Day cancelled.")
    assert len(starts(treated)) == 4


def test_the_arrow_keys_go_from_booking_to_booking(visitor: Visitor, cast: Cast, treated: Treated) -> None:
    book(treated, *days_from(treated, MONDAY, 3))
    nurse = Journey(visitor, cast.staff).open(WEEK)
    nurse.page.wait_for_load_state("networkidle")
    links = nurse.page.locator("[data-module=grid-keys] .slot__who", has_text="OKAFOR")
    first = links.first
    first.focus()
    nurse.page.keyboard.press("ArrowRight")
    expect(links.nth(1)).to_be_focused()
    nurse.page.keyboard.press("ArrowUp")
    expect(nurse.page.locator("[data-module=grid-keys] .slot__who", has_text="RUIZ").first).not_to_be_focused()
    nurse.page.keyboard.press("ArrowLeft")
    assert nurse.page.evaluate("() => document.activeElement.closest('table') !== null")


def test_a_full_week_prints_on_one_sheet(visitor: Visitor, cast: Cast, treated: Treated) -> None:
    book(treated, *days_from(treated, MONDAY))
    nurse = Journey(visitor, cast.staff)
    for path in (WEEK, "/infusions/schedule/day?on=2026-01-27"):
        nurse.open(path)
        printed = nurse.page.pdf(prefer_css_page_size=True)
        boxes = re.findall(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)", printed)
        assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
        assert float(boxes[0][0]) > float(boxes[0][1])


def test_an_administrator_looks_after_the_chairs_on_a_tablet(tablet_visitor: Visitor, cast: Cast) -> None:
    office = Journey(tablet_visitor, cast.administrator, "dark").open("/admin/chairs").reads("No chair yet")
    for name in ("1", "2"):
        office.open("/admin/chairs/new").fill(name=name).press("Save").reads("Chair added.")
    office.press("Up 2").press("Take out of use 1").reads("No longer in use")
    office.open("/infusions/schedule").reads("Everybody of the next 14 days is ready")

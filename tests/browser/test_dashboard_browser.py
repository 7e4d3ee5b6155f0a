"""The dashboard on a desk, on a tablet and on paper, in both themes, with the keyboard."""

from collections.abc import Callable
from datetime import date

import pytest

from clinic_tracker.domain.imported_history import read_imported
from clinic_tracker.domain.vocabulary import Role
from clinic_tracker.models.access import Membership
from clinic_tracker.models.base import db
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.histories import import_history
from tests.browser.visitor import Visitor
from tests.fixtures.people import Cast
from tests.strategies import random_history

URL = "/reports/dashboard"
# What lies over what: words of a drawing that cross each other, by their boxes on the screen.
CROSSING = """() => [...document.querySelectorAll("svg.chart")].flatMap(svg => {
  const boxes = [...svg.querySelectorAll("text")].map(one => [one.textContent, one.getBoundingClientRect()]);
  return boxes.flatMap(([words, a], place) => boxes.slice(place + 1)
    .filter(([, b]) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 3 && b.top < a.bottom - 3)
    .map(([others]) => `${words} / ${others}`));
})"""
OUTSIDE = """() => [...document.querySelectorAll("svg.chart text")].filter(one => {
  const frame = one.ownerSVGElement.getBoundingClientRect(), box = one.getBoundingClientRect();
  return box.left < frame.left - 2 || box.right > frame.right + 2;
}).map(one => one.textContent)"""


@pytest.fixture
def patients(cast: Cast, scope_for: Callable[..., Scope]) -> None:
    """Some histories, and a second clinic of the administrator."""
    identity = {"family_name": "Test", "given_name": "Tina", "birth_date": "1950-05-17"}
    for seed in range(10):
        history = random_history(seed, date(2026, 1, 20))
        import_history(
            scope_for(cast.administrator), read_imported({**history, "identity": {**identity, "mrn": f"M{seed}"}})
        )
    user, clinic = cast.administrator.user_id, cast.southside.id
    member = Membership(clinic_id=clinic, user_id=user, role=Role.AUDITOR.value, started_on=date(2020, 1, 1))
    db.session.add(member)
    db.session.commit()


@pytest.mark.parametrize("months", [24, 36, 48])
def test_it_is_read_on_a_desk_and_on_a_tablet(
    patients: None, visitor: Visitor, tablet_visitor: Visitor, cast: Cast, months: int
) -> None:
    for person in (visitor, tablet_visitor):
        person.sign_in(cast.administrator).goto(f"{URL}?months={months}")
        person.check_axe()
        assert person.overflow() == 0
        assert person.page.evaluate(CROSSING) == []
        assert person.page.evaluate(OUTSIDE) == []


def test_a_clinic_without_anybody_is_said_in_words(visitor: Visitor, cast: Cast) -> None:
    visitor.sign_in(cast.administrator).goto(URL)
    visitor.check_axe()
    assert visitor.page.locator("svg.chart").count() == 0


def test_the_numbers_open_with_the_keyboard_and_lead_on(patients: None, visitor: Visitor, cast: Cast) -> None:
    visitor.sign_in(cast.administrator).goto(URL)
    summary = visitor.page.get_by_text("Numbers of Overdue over time")
    summary.focus()
    visitor.page.keyboard.press("Enter")
    table = visitor.page.get_by_role("table", name="Overdue over time")
    assert table.is_visible()
    visitor.check_axe()
    table.get_by_role("link").first.click()
    visitor.page.wait_for_url("**/reports/overdue?as_of=2026-01-22")


def test_paper_shows_the_numbers_and_nothing_to_press(patients: None, visitor: Visitor, cast: Cast) -> None:
    page = visitor.sign_in(cast.administrator).page
    visitor.goto(URL)
    table = page.get_by_role("table", name="Overdue over time")
    assert not table.is_visible()
    for width in (703, 725):  # the room on A4 and on Letter
        page.set_viewport_size({"width": width, "height": 1000})
        page.emulate_media(media="print", color_scheme="dark")
        for name in ("Overdue over time", "Requirement by month", "Reactions"):
            box = page.get_by_role("table", name=name).bounding_box()
            assert box is not None
            assert box["height"] > 100
            assert box["x"] + box["width"] <= width
        assert not page.get_by_role("link", name="24 months").is_visible()
        assert visitor.overflow() == 0
        assert page.evaluate(CROSSING) == []
        assert page.evaluate(OUTSIDE) == []
        assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"

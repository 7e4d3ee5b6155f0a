"""The administrator's page of the chairs."""

import pytest

from clinic_tracker.queries.chairs import chairs
from tests.booked import add_chairs


@pytest.fixture
def scope(cast, scope_for):
    return scope_for(cast.administrator)


@pytest.fixture
def administrator(page, cast):
    return page.sign_in(cast.administrator)


def names(page):
    return [row[0] for row in page.get("/admin/chairs").rows()]


def press(page, action):
    """Press the only button that leads there."""
    page.post(action)
    return page.follow()


def test_without_a_chair_the_page_says_what_to_do_next(administrator):
    answer = administrator.get("/admin/chairs")

    assert "No chair yet" in answer.words
    assert "No chair yet" in administrator.get("/admin/").words


def test_a_chair_is_added_renamed_moved_and_taken_out_of_use(administrator, scope):
    for name in ("1", "2"):
        administrator.submit("/admin/chairs/new", name=name)
    first, second = chairs(scope)

    administrator.submit(f"/admin/chairs/{first.public_id}", name="Window")
    assert names(administrator) == ["Window", "2"]
    press(administrator, f"/admin/chairs/{second.public_id}/up")
    assert names(administrator) == ["2", "Window"]
    assert "No longer in use." in press(administrator, f"/admin/chairs/{second.public_id}/retire").text
    assert [row[:2] for row in administrator.get("/admin/chairs").rows()] == [
        ["Window", "In use"],
        ["2", "No longer in use"],
    ]
    press(administrator, f"/admin/chairs/{second.public_id}/reactivate")
    assert names(administrator) == ["Window", "2"]


def test_a_form_sent_twice_adds_one_chair(administrator):
    sent = administrator.get("/admin/chairs/new").fields() | {"name": "1"}

    administrator.post("/admin/chairs/new", sent)
    administrator.post("/admin/chairs/new", sent)

    assert names(administrator) == ["1"]


@pytest.mark.parametrize(
    "name, message",
    [
        ("", "Enter the name of the chair."),
        ("BED a", "There is a chair with the name Bed A. Choose another name."),
        ("x" * 21, "Name must be 20 characters or fewer"),
    ],
)
def test_a_name_that_will_not_do_is_shown_with_the_words_typed(administrator, scope, name, message):
    add_chairs(scope, "Bed A")

    answer = administrator.submit("/admin/chairs/new", 400, name=name)

    assert answer.errors == [message]
    assert answer.fields()["name"] == name


def test_an_auditor_sees_the_chairs_and_no_button(page, cast, scope):
    add_chairs(scope, "1", "2")
    page.sign_in(cast.auditor)

    answer = page.get("/admin/chairs")

    assert [row[0] for row in answer.rows()] == ["1", "2"]
    assert "Take out of use" not in answer.words
    assert "Add a chair" not in answer.words

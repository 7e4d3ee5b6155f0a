"""The browser of the tests sees the application, its clock, and what axe objects to."""

import pytest


def test_the_server_answers_the_browser(visitor):
    assert visitor.goto("/healthz").json() == {"status": "ok"}


def test_the_browser_shows_the_time_of_the_test(visitor, clock):
    visitor.goto("/healthz")
    shown = visitor.page.evaluate("() => Date.now()")
    assert abs(shown - clock.now.timestamp() * 1000) < 60_000


def test_axe_objects_to_a_bad_page(visitor):
    visitor.goto("/healthz")
    visitor.page.set_content("<html lang='en'><title>A</title><main><h1>A</h1><img src=''></main>")
    with pytest.raises(AssertionError, match="image-alt"):
        visitor.check_axe()

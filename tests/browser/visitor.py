"""A person with a browser: signs in, goes places, and has every page judged by axe."""

from importlib.resources import files
from typing import Any

from flask import Flask
from playwright.sync_api import Page, Response

from clinic_tracker.models.base import db
from tests.fixtures.clock import Clock
from tests.fixtures.people import Person, open_session

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


class Visitor:
    """``visitor.page`` is the Playwright page; the rest are the few things that every journey does."""

    def __init__(self, page: Page, app: Flask, clock: Clock, url: str) -> None:
        self.page, self.app, self.clock, self.url = page, app, clock, url

    def sign_in(self, person: Person) -> "Visitor":
        """Have the cookie of a signed-in person, without the pages of signing in."""
        token = open_session(person, self.clock)
        name = self.app.config["SESSION_COOKIE_NAME"]
        serializer: Any = self.app.session_interface.get_signing_serializer(self.app)
        value = serializer.dumps({"_user_id": token, "_fresh": True})
        self.page.context.add_cookies([{"name": name, "value": value, "url": self.url, "httpOnly": True}])
        return self

    def goto(self, path: str, status: int = 200) -> Response:
        """Open a page of the application and wait until it is there."""
        db.session.rollback()
        response = self.page.goto(path)
        assert response is not None
        assert response.status == status, f"{path} answered {response.status}: {self.page.title()}"
        return response

    def check_axe(self, *left_out: str, schemes: tuple[str, ...] = ("light", "dark")) -> None:
        """Fail on any finding of axe, in the light and in the dark theme. ``left_out`` names rules, with a reason
        beside the call; the theme of the first scheme stays.
        """
        for scheme in schemes:
            self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            found = self._axe(left_out)
            assert found == [], f"axe, {scheme}, {self.page.url}:\n" + "\n".join(found)
        if len(schemes) > 1:
            self.page.emulate_media(color_scheme=schemes[0])  # type: ignore[arg-type]

    def _axe(self, left_out: tuple[str, ...]) -> list[str]:
        self.page.evaluate(AXE)
        options = {
            "runOnly": {"type": "tag", "values": RULES},
            "rules": {rule: {"enabled": False} for rule in left_out},
            "resultTypes": ["violations"],
        }
        outcome = self.page.evaluate("options => axe.run(document, options)", options)
        return [
            f"{violation['id']}: {violation['help']}: {node['html'][:200]} {node.get('failureSummary', '')}"
            for violation in outcome["violations"]
            for node in violation["nodes"]
        ]

    def overflow(self) -> int:
        """How many pixels the page is wider than the window (0 where nothing scrolls sideways)."""
        width: int = self.page.evaluate("() => document.scrollingElement.scrollWidth - window.innerWidth")
        return max(width, 0)

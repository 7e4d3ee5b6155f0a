"""The screenshots of the README: ``.venv/bin/python -m tests.browser.screenshots``.

The demonstration of a fixed seed and day, in a database of its own that is thrown away. The same code makes the same
pictures. CHROMIUM may name the browser.
"""

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from flask_migrate import upgrade
from playwright.sync_api import Browser, Page, sync_playwright

from clinic_tracker import create_app
from clinic_tracker.cli.support import system_scope
from clinic_tracker.models.base import db
from clinic_tracker.services.demo.load import ACTOR, load_demo
from clinic_tracker.services.demo.people import NORTHSIDE, PASSWORD
from config import Config
from tests.browser.conftest import FLAGS, HOW_TO, TABLET, Server
from tests.fixtures.clock import Clock
from tests.fixtures.tools import find_chromium

FOLDER = Path(__file__).resolve().parent.parent.parent / "docs" / "screenshots"
MOMENT, PATIENTS, SEED = "2026-01-22 13:40", 60, 1
WIDE: Any = {"width": 1440, "height": 900}
MOST_BYTES = 250_000
STEADY = ["--num-raster-threads=1", "--disable-partial-raster", "--disable-skia-runtime-opts"]  # one way of drawing
NURSE, NEUROLOGIST, ADMINISTRATOR = (person.email for person in NORTHSIDE.people[:3])
PICTURED = "ODUYA"  # late with a few things, in the second year of a second course


@dataclass(frozen=True)
class Studio:
    """The browser and the application that sit for the pictures."""

    browser: Browser
    url: str
    clock: Clock

    def page(self, viewport: Any, email: str) -> Page:
        """A window of that size, with somebody signed in."""
        context = self.browser.new_context(
            base_url=self.url,
            viewport=viewport,
            locale="en-US",
            timezone_id="America/New_York",
            reduced_motion="reduce",
            color_scheme="light",
        )
        context.clock.set_fixed_time(self.clock.now)
        page = context.new_page()
        page.goto("/sign-in")
        page.fill("#email", email)
        page.fill("#password", PASSWORD)
        page.click("main button[type=submit]")
        page.wait_for_url("**/today")
        return page


def main() -> None:
    """Take them all."""
    path = find_chromium()
    if path is None:
        sys.exit(HOW_TO)
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        clock = Clock()
        clock.set(MOMENT)
        app = demonstration(Path(folder), clock)
        server = Server(app)
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=path, args=FLAGS + STEADY)
                take_all(Studio(browser, server.url, clock))
                browser.close()
        finally:
            server.stop()
            with app.app_context():
                db.engine.dispose()


def demonstration(folder: Path, clock: Clock) -> Flask:
    """The application with the demonstration loaded."""
    settings = Config(
        secret_key="only-for-pictures-Xq81hVn3LwPz07Ty",
        database_url=f"sqlite:///{folder / 'pictures.sqlite3'}",
        instance_path=folder,
        secure_cookies=False,
        demo=True,
    )
    app = create_app(settings, clock=clock)
    with app.app_context():
        upgrade()
        load_demo(system_scope(ACTOR), patients=PATIENTS, seed=SEED)
        db.session.remove()
    return app


def take_all(studio: Studio) -> None:
    """Worklist, chart and dashboard as on a desk, the infusion day as on a tablet."""
    page = studio.page(WIDE, NURSE)
    page.goto("/worklists")
    take(page, "worklist")
    page.context.close()
    page = studio.page(WIDE, NEUROLOGIST)
    page.goto("/worklists")
    page.locator(".patient-link", has_text=PICTURED).first.click()
    page.wait_for_selector(".timeline")
    take(page, "chart")
    page.context.close()
    page = studio.page({**WIDE, "height": 1200}, ADMINISTRATOR)
    page.goto("/reports/dashboard")
    take(page, "dashboard")
    page.context.close()
    page = studio.page(TABLET, NURSE)
    page.goto("/infusions")
    page.get_by_role("table", name="In observation", exact=True).locator(".patient-link").first.click()
    page.wait_for_selector("main [role=timer]")
    take(page, "infusion-day")
    page.context.close()


def take(page: Page, name: str) -> None:
    """Take what is in the window; it must load fast in a README."""
    page.wait_for_load_state("networkidle")
    path = FOLDER / f"{name}.png"
    path.write_bytes(settled(page))
    size = path.stat().st_size
    print(f"{path.name}: {size / 1000:.0f} kB")  # noqa: T201 - a script
    if size > MOST_BYTES:
        sys.exit(f"{path.name} is larger than {MOST_BYTES / 1000:.0f} kB")


def settled(page: Page) -> bytes:
    """The picture once it no longer changes: what is drawn late comes a moment after the page."""
    picture = page.screenshot(animations="disabled", caret="hide")
    for _ in range(10):
        before, picture = picture, page.screenshot(animations="disabled", caret="hide")
        if before == picture:
            break
    return picture


if __name__ == "__main__":
    main()

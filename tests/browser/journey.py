"""A person's work through pages: every page that comes up is judged by axe, and must fit the window."""

from collections.abc import Callable
from typing import Any, Self

from playwright.sync_api import Locator, expect

from clinic_tracker.models.base import db
from tests.browser.visitor import Visitor
from tests.fixtures.people import Person

# What a page is built of: axe finds the same in two pages that differ in words alone.
STRUCTURE = """() => [...document.querySelectorAll("*")].map(element => element.tagName + element.className
    + (element.getAttribute("role") ?? "") + element.hasAttribute("disabled") + !element.textContent.trim()).join()"""
judged: set[int] = set()


class Journey:
    """Words for what people do with pages: open, press, fill, choose, tick; ``reads`` says what they then see.

    Things are found by what they say: labels, and the names of links and buttons. ``within`` is where to look, the
    main part of the page unless told.
    """

    def __init__(
        self, visitor: Visitor, person: Person | None = None, scheme: str = "light", *, axe: bool = True
    ) -> None:
        self.visitor, self.page, self.clock = visitor, visitor.page, visitor.clock
        self.scheme, self.axe = scheme, axe
        self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        self.person = person
        if person is not None:
            visitor.sign_in(person)

    @property
    def main(self) -> Locator:
        """The main part of the page."""
        return self.page.locator("main")

    @property
    def path(self) -> str:
        """The address without the server."""
        return self.page.url.removeprefix(self.visitor.url)

    def open(self, path: str, status: int = 200) -> Self:
        """Go to an address."""
        self.visitor.goto(path, status)
        return self.judge()

    def press(self, name: str, within: Locator | None = None) -> Self:
        """Press a link or a button that leads to another page."""
        return self.follow(self.find(name, within).click)

    def follow(self, act: Callable[[], object]) -> Self:
        """Do what leads to another page, and judge that page."""
        with self.page.expect_navigation():
            act()
        db.session.rollback()
        return self.judge()

    def find(self, name: str, within: Locator | None = None) -> Locator:
        """The one link or button of that name."""
        place = within or self.main
        link, button = (place.get_by_role(role, name=name, exact=True) for role in ("link", "button"))  # type: ignore[arg-type]
        return link.or_(button)

    def row(self, *words: str) -> Locator:
        """The row of a table that says all of the words."""
        found = self.main.get_by_role("row")
        for text in words:
            found = found.filter(has_text=text)
        return found.first

    def fill(self, **values: str) -> Self:
        """Type into fields, by the names of the fields: ``fill(mrn="5", started_at_time="09:00")``."""
        for name, value in values.items():
            self.field(name).fill(value)
        return self

    def field(self, name: str) -> Locator:
        """The input with that id; parts of dates and times are ``started_at_time``."""
        for part in ("_date", "_time", "_month", "_day", "_year"):
            if name.endswith(part):
                split = f"#{name.removesuffix(part)}-{part[1:]}"
                return self.main.locator(f"#{name}, {split}").first
        return self.main.locator(f"#{name}")

    def choose(self, name: str, option: str) -> Self:
        """Choose from a list, by its words, or the radio button that says it."""
        field = self.main.locator(f"select#{name}")
        if field.count():
            field.select_option(label=option)
        else:
            self.main.locator(f"input[name={name}]").locator("..").get_by_label(option, exact=True).check()
        return self

    def tick(self, *labels: str) -> Self:
        """Tick boxes."""
        for label in labels:
            self.main.get_by_label(label, exact=True).check()
        return self

    def reads(self, *texts: str) -> Self:
        """The main part of the page says all of this."""
        for text in texts:
            expect(self.main).to_contain_text(text)
        return self

    def reads_not(self, *texts: str) -> Self:
        """The main part of the page says nothing of this."""
        for text in texts:
            expect(self.main).not_to_contain_text(text)
        return self

    def refused(self, text: str) -> Self:
        """The page came back with a problem, told at the top and in its title."""
        expect(self.page.locator(".error-summary")).to_contain_text(text)
        assert self.page.title().startswith("Error: ")
        return self

    def judge(self) -> Self:
        """Have the page judged by axe, unless one of the same structure was; nothing may stick out sideways."""
        built = hash((self.page.evaluate(STRUCTURE), self.scheme, str(self.page.viewport_size)))
        if self.axe and built not in judged:
            self.visitor.check_axe(schemes=(self.scheme,))
            judged.add(built)
        assert self.visitor.overflow() == 0, f"{self.path} is wider than the window"
        return self

    def at(self, moment: str) -> Self:
        """Come back at a time on the clinic's wall, signed in anew, as after a pause longer than a session."""
        self.page.goto("about:blank")
        self.clock.set(moment)
        self.page.clock.set_system_time(self.clock.now)
        if self.person is not None:
            self.visitor.sign_in(self.person)
        return self

    def tab_to(self, target: Locator, most: int = 150) -> Self:
        """Press the tabulator until something has the focus."""
        wanted = target.element_handle()
        for _ in range(most):
            if self.page.evaluate("element => element === document.activeElement", wanted):
                return self
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{target} cannot be reached with the tabulator")

    def type(self, *keys: str, then: str = "Tab") -> Self:
        """Type texts, each followed by a key."""
        for text in keys:
            self.page.keyboard.type(text)
            self.page.keyboard.press(then)
        return self

    def ask(self, method: str, path: str, **options: Any) -> int:
        """Ask the server without a page, with the cookies of the person; return the status."""
        csrf = self.page.locator("meta[name=csrf-token]").get_attribute("content") or ""
        headers = {"X-CSRFToken": csrf, "Referer": self.visitor.url}
        answer = self.page.request.fetch(path, method=method, headers=headers, max_redirects=0, **options)
        return answer.status

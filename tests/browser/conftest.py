"""A real browser against a real server, in one process with the test, so that both see one clock and one database."""

import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from tests.browser.visitor import Visitor
from tests.fixtures.clock import Clock
from tests.fixtures.tools import find_chromium

HOW_TO = "No Chromium: apt install chromium, or set CHROMIUM to the path of one"
FLAGS = [
    "--no-sandbox",  # as root, in a container
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
DESKTOP, TABLET = {"width": 1280, "height": 900}, {"width": 820, "height": 1180}
# A test may bring about an error page or take the network away; the browser notes that on the console.
EXPECTED = (
    "Failed to load resource: the server responded with a status of 4",
    "Failed to load resource: net::ERR_INTERNET_DISCONNECTED",
    "Failed to load resource: net::ERR_FAILED",
)


class QuietHandler(WSGIRequestHandler):
    """Serves without writing a log."""

    protocol_version = "HTTP/1.1"

    def log(self, *_arguments: Any) -> None:
        """Say nothing."""


class Server:
    """The application on a free port, in threads of this process."""

    def __init__(self, app: Flask) -> None:
        self.app, self.active, self.idle = app, 0, threading.Condition()
        self.server: BaseWSGIServer = make_server(
            "127.0.0.1", 0, self._count, threaded=True, request_handler=QuietHandler
        )
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def _count(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        with self.idle:
            self.active += 1
        try:
            answer = self.app(environ, start_response)
            body = list(answer)
            if hasattr(answer, "close"):
                answer.close()
            return body
        finally:
            with self.idle:
                self.active -= 1
                self.idle.notify_all()

    def wait_until_idle(self) -> None:
        """Let the last requests end before the database is emptied."""
        with self.idle:
            assert self.idle.wait_for(lambda: self.active == 0, timeout=20), "a request does not end"

    def stop(self) -> None:
        """Stop serving."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(timeout=5)


@pytest.fixture(scope="session")
def live_server(shared_app: Flask) -> Iterator[Server]:
    """The server of this worker."""
    server = Server(shared_app)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser of this worker."""
    path = find_chromium()
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail(HOW_TO)
        pytest.skip(HOW_TO)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def new_context(
    app: Flask, clock: Clock, live_server: Server, chromium: Browser
) -> Iterator[Callable[..., BrowserContext]]:
    """Open further browser windows, each with its own cookies; their clock shows the time of the test."""
    opened: list[BrowserContext] = []

    def open_context(**options: Any) -> BrowserContext:
        context = chromium.new_context(
            **{
                "base_url": live_server.url,
                "viewport": DESKTOP,
                "locale": "en-US",
                "timezone_id": "America/New_York",
                "reduced_motion": "reduce",
                **options,
            }
        )
        context.set_default_timeout(15_000)
        context.clock.set_system_time(clock.now)
        opened.append(context)
        return context

    yield open_context
    for context in opened:
        context.close()
    live_server.wait_until_idle()


@pytest.fixture
def new_visitor(
    app: Flask, clock: Clock, live_server: Server, new_context: Callable[..., BrowserContext]
) -> Iterator[Callable[..., Visitor]]:
    """People with a browser: ``new_visitor()``, ``new_visitor(viewport=TABLET)``. Any error on the console fails."""
    told: list[str] = []

    def listen(page: Page) -> None:
        page.on("pageerror", lambda error: told.append(f"error in a script: {error}"))
        page.on("console", lambda message: told.append(message.text) if message.type == "error" else None)

    def arrive(**options: Any) -> Visitor:
        context = new_context(**options)
        context.on("page", listen)
        return Visitor(context.new_page(), app, clock, live_server.url)

    yield arrive
    assert [text for text in told if not text.startswith(EXPECTED)] == []


@pytest.fixture
def visitor(new_visitor: Callable[..., Visitor]) -> Visitor:
    """Somebody with a desktop browser, not signed in yet."""
    return new_visitor()


@pytest.fixture
def tablet_visitor(new_visitor: Callable[..., Visitor]) -> Visitor:
    """Somebody with a tablet that is touched."""
    return new_visitor(viewport=TABLET, has_touch=True)


@pytest.fixture
def visitor_without_scripts(new_visitor: Callable[..., Visitor]) -> Visitor:
    """Somebody whose browser runs no scripts."""
    return new_visitor(java_script_enabled=False)

"""The answer to a screen for which nothing has changed, given before the application is asked at all.

A hundred boards that ask every few seconds must leave the server to the people who work. Where a question has the tag
of a board, and one statement says that the session is good and the tag is current, the answer is 304. Anything else,
and anything doubtful, goes on to the application: the gate shows nobody anything and lets nobody in.
"""

import hashlib
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from flask import Flask
from itsdangerous import BadSignature
from werkzeug.http import parse_cookie, parse_etags

from clinic_tracker.domain.permissions import ROLE_PERMISSIONS, Permission
from clinic_tracker.domain.vocabulary import Role
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.suite_version import Screen, screens
from clinic_tracker.web.infusions.suite_tags import is_current, screen_version, sent_tag
from clinic_tracker.web.security import HEADERS

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

BOARDS = {"/infusions/board": "list", "/infusions/wall/board": "wall"}
ALWAYS = [*HEADERS.items(), ("Cache-Control", "no-store"), ("Vary", "Cookie")]


def init_app(app: Flask) -> None:
    """Put the gate before the application."""
    app.wsgi_app = Gate(app, app.wsgi_app)  # type: ignore[method-assign]


class Gate:
    """A WSGI application before another."""

    def __init__(self, app: Flask, then: "WSGIApplication") -> None:
        self.app, self.then = app, then
        self.serializer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
        self.clock: Callable[[], datetime] = app.extensions["clock"]
        with app.app_context():
            self.find = screens(_nobody(self.clock()))
        # What a cookie says never changes; whether its session still stands is asked each time.
        self.token_of = lru_cache(maxsize=1024)(self._token_of)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """304, or whatever the application answers."""
        if environ["REQUEST_METHOD"] == "GET" and "HTTP_X_BACKGROUND" in environ and environ["PATH_INFO"] in BOARDS:
            headers = self._unchanged(environ)
            if headers is not None:
                start_response("304 NOT MODIFIED", headers)
                return []
        return self.then(environ, start_response)

    def _unchanged(self, environ: "WSGIEnvironment") -> list[tuple[str, str]] | None:
        """The headers of the answer where the screen has what there is; None for the application to look closer."""
        had = sent_tag(parse_etags(environ.get("HTTP_IF_NONE_MATCH")))
        cookie = parse_cookie(environ.get("HTTP_COOKIE", "")).get(self.app.config["SESSION_COOKIE_NAME"])
        token = self.token_of(cookie) if had is not None and cookie else None
        if had is None or token is None:
            return None
        now = self.clock()
        screen = self.find(_nobody(now), hashlib.sha256(token.encode()).hexdigest())
        if screen is None or not self._may_watch(screen, now):
            return None
        if not is_current(had, screen_version(screen.version, _layout(environ), screen.role), now):
            return None
        return [*ALWAYS, ("ETag", f'"{had}"'), ("X-Now", now.isoformat())]

    def _token_of(self, cookie: str) -> str | None:
        """The secret of the session in a cookie that we signed, or None."""
        try:
            found: str | None = self.serializer.loads(cookie).get("_user_id")
        except (BadSignature, AttributeError):
            return None
        return found

    def _may_watch(self, screen: Screen, now: datetime) -> bool:
        """As for every other page: the session has not idled too long or grown too old, and its role may look."""
        config = self.app.config
        is_over = (
            screen.last_seen_at + config["SESSION_IDLE"] <= now or screen.created_at + config["SESSION_LIFETIME"] <= now
        )
        return not is_over and Permission.VIEW_PATIENTS in ROLE_PERMISSIONS[Role(screen.role)]


def _layout(environ: "WSGIEnvironment") -> str:
    default = BOARDS[environ["PATH_INFO"]]
    query = environ.get("QUERY_STRING")
    return parse_qs(query).get("layout", [default])[0] if query and default != "wall" else default


def _nobody(now: datetime) -> Scope:
    return Scope(
        clinic_id=0,
        clinic_slug="",
        clinic_name="",
        time_zone="UTC",
        protocol_id="",
        role=Role.AUDITOR,
        actor_name="screen",
        now=now,
        system_actor="screen",
    )

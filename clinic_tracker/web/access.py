"""Default deny: every endpoint is public by a literal list, or states its permission."""

import uuid
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Any, TypeVar

from flask import Flask, Response, abort, current_app, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import UserMixin, current_user, logout_user

from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import Role
from clinic_tracker.queries.accounts import CurrentSession, scope_of_session
from clinic_tracker.queries.patients import patient_key
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.accounts import resume_session
from clinic_tracker.services.audit import record_access
from clinic_tracker.web.extensions import login_manager

PUBLIC_ENDPOINTS = frozenset({"static", "auth.sign_in", "home.index", "health.healthz"})
SIGNED_IN_ENDPOINTS = frozenset({"auth.sign_out", "auth.choose_clinic", "auth.keep_alive", "auth.change_password"})
TOKEN_ENDPOINTS = frozenset({"api.results"})  # a system signs in by its token, and no person by a cookie

View = TypeVar("View", bound=Callable[..., Any])


class SessionUser(UserMixin):  # type: ignore[misc]
    """What Flask-Login keeps of a signed-in person: the token of the session, nothing else in the cookie."""

    def __init__(self, token: str, session: CurrentSession | None = None) -> None:
        self.id = token
        self.session = session


def requires(*permissions: Permission) -> Callable[[View], View]:
    """State the permissions that an endpoint needs (all of them)."""

    def decorate(view: View) -> View:
        view.permissions = permissions  # type: ignore[attr-defined]
        return view

    return decorate


def current_scope() -> Scope:
    """The scope of this request. Aborts with 401 where nobody is signed in."""
    scope: Scope | None = g.get("scope")
    if scope is None:
        abort(HTTPStatus.UNAUTHORIZED)
    return scope


def visitor_scope() -> Scope:
    """The scope of a request before anybody is known: no clinic, no permission, the clock read once."""
    if "visitor" not in g:
        clock: Callable[[], datetime] = current_app.extensions["clock"]
        g.visitor = Scope(
            clinic_id=0,
            clinic_slug="",
            clinic_name="",
            time_zone="UTC",
            protocol_id="",
            role=Role.AUDITOR,
            actor_name="visitor",
            now=clock(),
            system_actor="visitor",
            request_id=uuid.uuid4().hex,
            ip=request.remote_addr,
        )
    visitor: Scope = g.visitor
    return visitor


def is_background() -> bool:
    """Whether a page asks by itself, which is no sign that anybody is there: by a script, or without one."""
    return "X-Background" in request.headers or "background" in request.args


def shown_patients(patient_ids: list[int], page: str | None = None) -> None:
    """Tell the access log which patients this page lists; ``page`` names it where its endpoint serves many."""
    g.shown_patients = patient_ids
    g.shown_on = page


def init_app(app: Flask) -> None:
    """Guard every request, and log every look at a patient."""

    @login_manager.user_loader  # type: ignore[untyped-decorator]
    def load_user(token: str) -> SessionUser | None:
        config = current_app.config
        session = resume_session(
            visitor_scope(), token, config["SESSION_IDLE"], config["SESSION_LIFETIME"], by_person=not is_background()
        )
        return SessionUser(token, session) if session is not None else None

    app.before_request(guard)
    app.after_request(log_access)


def guard() -> ResponseReturnValue | None:
    """Refuse by default; then build the scope and check the permission of the endpoint."""
    endpoint = request.endpoint
    g.scope = None
    if endpoint is None or endpoint == "static" or endpoint in TOKEN_ENDPOINTS:
        return None
    if current_user.is_authenticated:
        g.scope = scope_of_session(visitor_scope(), current_user.session)
        return None if endpoint in PUBLIC_ENDPOINTS | SIGNED_IN_ENDPOINTS else _check(endpoint)
    return None if endpoint in PUBLIC_ENDPOINTS else _sign_in_first()


def _check(endpoint: str) -> ResponseReturnValue | None:
    """A person with a role in a clinic, and with every permission that the endpoint states."""
    if current_user.session.must_change_password:
        return redirect(url_for("auth.change_password"), 303)
    if current_user.session.role is None:
        return redirect(url_for("auth.choose_clinic"), 303)
    permissions = getattr(current_app.view_functions[endpoint], "permissions", None)
    if permissions is None:
        abort(HTTPStatus.FORBIDDEN)
    for permission in permissions:
        g.scope.require(permission)
    return None


def _sign_in_first() -> ResponseReturnValue:
    logout_user()
    # Only the page asked for by GET is worth returning to; its address holds no patient data.
    after = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("auth.sign_in", next=after), 303)


def log_access(response: Response) -> Response:
    """Note the charts and lists that an answered GET (or a search) showed."""
    scope: Scope | None = g.get("scope")
    if scope is None or response.status_code != HTTPStatus.OK or not scope.clinic_id:
        return response
    patient = (request.view_args or {}).get("patient")
    listed: list[int] | None = g.get("shown_patients")
    if patient is not None:
        record_access(scope, request.endpoint or "", patient_id=patient_key(scope, patient))
    elif listed:
        record_access(scope, g.get("shown_on") or request.endpoint or "", patient_ids=listed)
    return response

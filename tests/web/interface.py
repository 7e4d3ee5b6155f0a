"""The design system alone: an application with the frame, filters and forms, without a database."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import html5lib
from flask import Flask, g
from flask_wtf import CSRFProtect
from jinja2 import StrictUndefined
from werkzeug.datastructures import MultiDict

from clinic_tracker.domain.permissions import ROLE_PERMISSIONS
from clinic_tracker.domain.vocabulary import Role
from clinic_tracker.queries.scope import Scope
from clinic_tracker.web import errors, filters, navigation, security
from clinic_tracker.web.forms import Form
from tests.fixtures.html_rules import problems_of

ROOT = Path(__file__).resolve().parents[2]
NOON = datetime(2026, 1, 22, 17, 0, tzinfo=UTC)  # noon in New York
SCOPE = Scope(
    clinic_id=1,
    clinic_slug="north",
    clinic_name="Northside MS Center",
    time_zone="America/New_York",
    protocol_id="lemtrada-us",
    role=Role.STAFF,
    actor_name="Robin Lee",
    now=NOON,
    user_id=1,
    permissions=ROLE_PERMISSIONS[Role.STAFF],
)


def scope_of(role: Role) -> Scope:
    """The same clinic seen by another role."""
    return replace(SCOPE, role=role, permissions=ROLE_PERMISSIONS[role])


def make_interface() -> Flask:
    """An application with every page of the menu as an empty answer."""
    app = Flask(
        "interface",
        template_folder=str(ROOT / "templates"),
        static_folder=str(ROOT / "clinic_tracker" / "static"),
    )
    app.config.update(SECRET_KEY="only-for-tests-" + "x" * 32, TESTING=True, DEMO=True, PROPAGATE_EXCEPTIONS=False)
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = app.jinja_env.autoescape = True
    CSRFProtect(app)
    for part in (filters, security, errors, navigation):
        part.init_app(app)
    for item in navigation.MENU:
        app.add_url_rule(f"/{item.icon}", item.endpoint, lambda: "")
    for key, _text, endpoint in navigation.PATIENT_TABS:
        app.add_url_rule(f"/patients/<patient>/{key}", endpoint, lambda patient: patient)
    for endpoint in ("patients.search", "auth.sign_out", "auth.keep_alive"):
        app.add_url_rule(f"/{endpoint}", endpoint, lambda: "", methods=["POST"])
    app.add_url_rule("/auth.sign_in", "auth.sign_in", lambda: "")
    return app


def render(app: Flask, source: str, scope: Scope | None = SCOPE, cookie: str = "", **context: object) -> str:
    """A template given as text, within a request of that scope."""
    with app.test_request_context("/page", headers={"Cookie": cookie} if cookie else {}):
        g.scope = scope
        app.jinja_env.globals.update(scope=None)  # replaced by the context of each page
        template = app.jinja_env.from_string(source)
        values = dict(context)
        app.update_template_context(values)
        return template.render(values)


def problems(html: str) -> list[str]:
    """What the rules for all pages find wrong with it."""
    return problems_of(html5lib.HTMLParser(namespaceHTMLElements=False).parse(html))


def posted(app: Flask, form_class: type[Form], **values: object) -> Form:
    """The form as it arrives from a browser, validated. Names are written with ``__`` for ``-``."""
    given = MultiDict({name.replace("__", "-"): value for name, value in values.items()})
    with app.test_request_context("/page", method="POST", data=given):
        g.scope = SCOPE
        form = form_class(meta={"csrf": False})
        form.validate()
        return form

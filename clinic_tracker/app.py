"""The composition root: the only module that knows everything."""

import gc
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from flask import Flask
from flask_migrate import Migrate
from jinja2 import ChoiceLoader, PackageLoader, StrictUndefined
from werkzeug.middleware.proxy_fix import ProxyFix

from clinic_tracker import cli, web
from clinic_tracker.models.base import db
from clinic_tracker.models.engine import prepare
from clinic_tracker.queries.scope import utc_now

ROOT = Path(__file__).resolve().parent.parent
MOST_UPLOAD = 16 * 1024 * 1024
#: How seldom circles of objects are looked for, so that the parts of a large file are not looked through over and over.
SELDOM = (50_000, 20, 50)


class Settings(Protocol):
    """What ``create_app`` needs to be told."""

    @property
    def secret_key(self) -> str: ...
    @property
    def database_url(self) -> str: ...
    @property
    def instance_path(self) -> Path: ...
    @property
    def demo(self) -> bool: ...
    @property
    def debug(self) -> bool: ...
    @property
    def testing(self) -> bool: ...
    @property
    def secure_cookies(self) -> bool: ...
    @property
    def trusted_proxies(self) -> int: ...
    @property
    def session_idle(self) -> timedelta: ...
    @property
    def session_lifetime(self) -> timedelta: ...
    @property
    def reports_kept(self) -> timedelta: ...
    @property
    def mail_url(self) -> str | None: ...
    @property
    def mail_from(self) -> str: ...
    @property
    def public_url(self) -> str: ...


def create_app(settings: Settings, clock: Callable[[], datetime] = utc_now) -> Flask:
    """Build the application. ``clock`` gives the present instant (tests pass their own)."""
    settings.instance_path.mkdir(parents=True, exist_ok=True)
    app = Flask(
        "clinic_tracker",
        template_folder=str(ROOT / "templates"),
        static_folder=str(ROOT / "clinic_tracker" / "static"),
        instance_path=str(settings.instance_path),
    )
    gc.set_threshold(*SELDOM)
    app.config.update(_configuration(settings))
    app.extensions["clock"] = clock
    _prepare_templates(app)
    _prepare_database(app)
    if settings.trusted_proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=settings.trusted_proxies, x_proto=settings.trusted_proxies
        )
    web.init_app(app)
    cli.init_app(app)
    return app


def _configuration(settings: Settings) -> dict[str, object]:
    return {
        "SECRET_KEY": settings.secret_key,
        "SQLALCHEMY_DATABASE_URI": settings.database_url,
        "SQLALCHEMY_ENGINE_OPTIONS": {"hide_parameters": True},  # an error in the log names no patient
        "DEBUG": settings.debug,
        "TESTING": settings.testing,
        "DEMO": settings.demo,
        "SESSION_IDLE": settings.session_idle,
        "SESSION_IDLE_MINUTES": int(settings.session_idle.total_seconds() // 60),
        "SESSION_LIFETIME": settings.session_lifetime,
        "REPORTS_KEPT": settings.reports_kept,
        "REPORTS_FOLDER": settings.instance_path / "reports",
        "MAIL_URL": settings.mail_url,
        "MAIL_FROM": settings.mail_from,
        "PUBLIC_URL": settings.public_url,
        "SESSION_COOKIE_NAME": "clinic_tracker",
        "SESSION_COOKIE_SECURE": settings.secure_cookies,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "MAX_CONTENT_LENGTH": MOST_UPLOAD,
        "WTF_CSRF_TIME_LIMIT": None,  # a form left open over lunch is still good; it ends with the session
    }


def _prepare_templates(app: Flask) -> None:
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.autoescape = True
    assert app.jinja_loader is not None
    app.jinja_env.loader = ChoiceLoader([app.jinja_loader, PackageLoader("govuk_frontend_jinja")])


def _prepare_database(app: Flask) -> None:
    db.init_app(app)
    Migrate(app, db, directory=str(ROOT / "migrations"), render_as_batch=True, compare_type=True)
    with app.app_context():
        prepare(db.engine)

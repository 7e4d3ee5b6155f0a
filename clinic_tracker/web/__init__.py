"""The pages. ``init_app`` registers one blueprint per task of the people who use them."""

from importlib import import_module

from flask import Flask

from clinic_tracker.web import access, errors, filters, navigation, security
from clinic_tracker.web.extensions import csrf, login_manager

BLUEPRINTS = ("health", "auth", "home", "patients", "infusions", "labs", "rems", "worklists", "reports", "admin")


def init_app(app: Flask) -> None:
    """Register extensions, guards, filters and blueprints."""
    csrf.init_app(app)
    login_manager.init_app(app)
    access.init_app(app)
    for part in (filters, security, errors, navigation):
        part.init_app(app)
    for name in BLUEPRINTS:
        app.register_blueprint(import_module(f"clinic_tracker.web.{name}.views").blueprint)

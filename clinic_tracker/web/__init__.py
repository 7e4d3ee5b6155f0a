"""The pages. ``init_app`` registers one blueprint per task of the people who use them."""

from importlib import import_module

from flask import Flask

from clinic_tracker.web.access import init_app as init_access
from clinic_tracker.web.errors import init_app as init_errors
from clinic_tracker.web.extensions import csrf, login_manager
from clinic_tracker.web.filters import init_app as init_filters
from clinic_tracker.web.infusions.suite_gate import init_app as init_suite_gate
from clinic_tracker.web.kept_forms import init_app as init_kept_forms
from clinic_tracker.web.navigation import init_app as init_navigation
from clinic_tracker.web.security import init_app as init_security

BLUEPRINTS = (
    "health",
    "auth",
    "home",
    "patients",
    "infusions",
    "labs",
    "inbound",
    "rems",
    "worklists",
    "tasks",
    "dashboard",
    "reports",
    "report_files",
    "admin",
    "api",
)


def init_app(app: Flask) -> None:
    """Register extensions, guards, filters and blueprints."""
    csrf.init_app(app)
    login_manager.init_app(app)
    for init_part in (init_access, init_filters, init_security, init_errors, init_navigation, init_kept_forms):
        init_part(app)
    for name in BLUEPRINTS:
        app.register_blueprint(import_module(f"clinic_tracker.web.{name}.views").blueprint)
    init_suite_gate(app)

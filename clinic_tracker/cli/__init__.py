"""The ``flask`` commands."""

from importlib import import_module

from flask import Flask

GROUPS = (
    "schedule",
    "clinics",
    "users",
    "histories",
    "clinic_sheet",
    "results",
    "mllp",
    "worklist",
    "readiness",
    "reports",
    "report_worker",
    "demo",
    "assets",
)


def init_app(app: Flask) -> None:
    """Register the command groups."""
    for name in GROUPS:
        app.cli.add_command(import_module(f"clinic_tracker.cli.{name}").group)

"""What the frame of a page shows: the menu for what the person may do, the tabs of a patient, the theme."""

from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app, g, has_request_context, request, url_for

from clinic_tracker.domain.permissions import ROLE_TITLES, Permission
from clinic_tracker.queries.scope import Scope

THEMES = frozenset({"light", "dark"})
CHART_BLUEPRINTS = frozenset({"patients", "infusions", "rems"})


@dataclass(frozen=True)
class Item:
    """A place in the menu, seen by those who hold the permission."""

    text: str
    endpoint: str
    permission: Permission
    icon: str
    blueprints: frozenset[str] = frozenset()


MENU = (
    Item("Today", "home.today", Permission.VIEW_PATIENTS, "today", frozenset({"home"})),
    Item("Worklists", "worklists.index", Permission.VIEW_PATIENTS, "list", frozenset({"worklists", "tasks"})),
    Item("Infusion suite", "infusions.suite", Permission.VIEW_PATIENTS, "drop", frozenset({"infusions"})),
    Item("Patients", "patients.index", Permission.VIEW_PATIENTS, "people", CHART_BLUEPRINTS),
    Item("Results", "labs.review_queue", Permission.VIEW_PATIENTS, "tube", frozenset({"labs", "inbound"})),
    Item(
        "Reports",
        "reports.index",
        Permission.VIEW_REPORTS,
        "chart",
        frozenset({"reports", "dashboard", "report_files"}),
    ),
    Item("Admin", "admin.index", Permission.VIEW_ADMINISTRATION, "gear", frozenset({"admin"})),
)

PATIENT_TABS = (
    ("overview", "Overview", "patients.chart"),
    ("results", "Results", "labs.patient_results"),
    ("courses", "Courses and infusions", "infusions.courses"),
    ("exams", "Exams and screening", "patients.exams"),
    ("forms", "Forms", "rems.forms"),
    ("contacts", "Contacts", "patients.contacts"),
    ("details", "Details", "patients.details"),
    ("changes", "Access and changes", "patients.changes"),
)


@dataclass(frozen=True)
class Link:
    """A link of the menu or the tabs, and whether it is where one is."""

    text: str
    href: str
    current: bool
    icon: str = ""


def init_app(app: Flask) -> None:
    """Give every template the menu, the tabs and the frame."""
    app.add_template_global(link_to)
    app.add_template_global(menu)
    app.add_template_global(patient_tabs)
    app.context_processor(frame)


def link_to(endpoint: str, **values: Any) -> str | None:
    """Address of an endpoint; None where this installation has no such page."""
    return url_for(endpoint, **values) if endpoint in current_app.view_functions else None


def frame() -> dict[str, Any]:
    """What the layouts need besides the page."""
    scope: Scope | None = g.get("scope")
    theme = request.cookies.get("theme", "") if has_request_context() else ""
    return {
        "scope": scope,
        "demo": bool(current_app.config.get("DEMO", False)),
        "idle_seconds": int(current_app.config.get("SESSION_IDLE_MINUTES", 15)) * 60,
        "role_title": ROLE_TITLES[scope.role] if scope is not None and scope.clinic_id else "",
        "theme": theme if theme in THEMES else "",
    }


def menu() -> list[Link]:
    """The menu of this person, with the place where the page belongs marked."""
    scope: Scope | None = g.get("scope")
    if scope is None or not scope.clinic_id:
        return []
    places = [item for item in MENU if item.permission in scope.permissions]
    here = _current(places)
    links = [(item, link_to(item.endpoint)) for item in places]
    return [Link(item.text, href, item is here, item.icon) for item, href in links if href is not None]


def _current(places: list[Item]) -> Item | None:
    """The place of this page: its own, else that of charts for a page of one patient, else that of its blueprint."""
    blueprint = "patients" if "patient" in (request.view_args or {}) else request.blueprint
    exact = [item for item in places if item.endpoint == request.endpoint]
    in_area = [item for item in places if blueprint in item.blueprints]
    return next(iter(exact + in_area), None)


def patient_tabs(patient: Any, current: str) -> list[Link]:
    """The tabs of a patient's pages."""
    links = [(key, text, link_to(endpoint, patient=patient)) for key, text, endpoint in PATIENT_TABS]
    return [Link(text, href, key == current) for key, text, href in links if href is not None]

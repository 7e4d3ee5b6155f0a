"""Pages of the administrator: the overview; the rest is in the modules imported here."""

from flask import render_template
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.permissions import DESCRIPTIONS, ROLE_PERMISSIONS, ROLE_TITLES, Permission
from clinic_tracker.domain.vocabulary import Role
from clinic_tracker.queries.administration import certifications, clinic_details, members, prescribers
from clinic_tracker.queries.chairs import chairs
from clinic_tracker.queries.settings import setting_changes
from clinic_tracker.web.access import current_scope, requires
from clinic_tracker.web.admin import (
    chair_views,
    clinic_views,
    people_views,
    protocol_views,
    sheet_views,
    threshold_views,
    trail_views,
)
from clinic_tracker.web.admin.blueprint import blueprint

__all__ = [
    "blueprint",
    "chair_views",
    "clinic_views",
    "people_views",
    "protocol_views",
    "sheet_views",
    "threshold_views",
    "trail_views",
]


@blueprint.get("/")
@requires(Permission.VIEW_ADMINISTRATION)
def index() -> ResponseReturnValue:
    """What an administrator looks after."""
    scope = current_scope()
    return render_template(
        "admin/index.html",
        clinic=clinic_details(scope),
        people=[row for row in members(scope) if row.ended_on is None],
        prescribers=[row for row in prescribers(scope) if row.is_active],
        certification=next((row for row in certifications(scope) if row.withdrawn_at is None), None),
        chairs=chairs(scope),
        changes=setting_changes(scope)[:3],
    )


@blueprint.get("/roles")
@requires(Permission.VIEW_ADMINISTRATION)
def roles() -> ResponseReturnValue:
    """Who may do what: the table that the access check reads."""
    return render_template(
        "admin/roles.html",
        roles=[(role, ROLE_TITLES[role]) for role in Role],
        permissions=[(DESCRIPTIONS[permission], permission) for permission in Permission],
        granted=ROLE_PERMISSIONS,
    )

"""The way in, and My clinic today."""

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from clinic_tracker.domain.permissions import Permission
from clinic_tracker.web.access import current_scope, requires, shown_patients
from clinic_tracker.web.home.presenters import today_page

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """To My clinic today, or to the sign-in."""
    target = "home.today" if current_user.is_authenticated else "auth.sign_in"
    return redirect(url_for(target), code=303)


@blueprint.get("/today")
@requires(Permission.VIEW_PATIENTS)
def today() -> ResponseReturnValue:
    """What matters today to the person's role, worst first."""
    scope = current_scope()
    page = today_page(scope)
    listed = [shown.row.patient_id for section in page.sections for shown in section.rows]
    shown_patients(listed + [row.report.patient_id for row in page.red])
    return render_template("home/today.html", page=page, may=Permission)

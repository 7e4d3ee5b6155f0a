"""Readiness of a course for a day, and what another day would change."""

from uuid import UUID

from flask import request
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.permissions import Permission
from clinic_tracker.queries.treatment import find_course
from clinic_tracker.web.access import requires
from clinic_tracker.web.forms import DateField, Form, status_of
from clinic_tracker.web.infusions.blueprint import blueprint
from clinic_tracker.web.infusions.readiness_presenters import readiness_page
from clinic_tracker.web.patients.pages import open_chart

TAB = "courses"


class DayForm(Form):
    """The day that the list is about, and a day to compare it with; asked for by address, so that it can be kept."""

    on = DateField("Day")
    to = DateField("Another day")


@blueprint.get("/patients/<uuid:patient>/courses/<uuid:course>/readiness")
@requires(Permission.VIEW_PATIENTS)
def readiness(patient: UUID, course: UUID) -> ResponseReturnValue:
    """Every check before an infusion on a day: how it stands, the evidence, who can clear it and where."""
    chart = open_chart(patient)
    row = find_course(chart.scope, chart.header.id, course)
    form = DayForm(request.args, scope=chart.scope, meta={"csrf": False})
    form.validate()
    page = readiness_page(chart, row, form.on.data, form.to.data)
    return chart.render("infusions/readiness.html", TAB, page=page, form=form), status_of(form)

"""The overview of a chart, and the explanation of one obligation."""

from uuid import UUID

from flask import redirect, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.errors import NotFound
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.queries.monitoring_case import load_case
from clinic_tracker.web.access import requires
from clinic_tracker.web.patients.blueprint import blueprint
from clinic_tracker.web.patients.chart_presenter import head_words, overview
from clinic_tracker.web.patients.contact_forms import OUTCOME_WORDS
from clinic_tracker.web.patients.obligation_presenter import obligation_page
from clinic_tracker.web.patients.pages import open_chart


@blueprint.get("/patients/<uuid:patient>")
@requires(Permission.VIEW_PATIENTS)
def chart(patient: UUID) -> ResponseReturnValue:
    """What is owed and since when, the months of monitoring, and a summary of every tab; prints on one page."""
    opened = open_chart(patient)
    if opened.header.merged_into is not None:
        return redirect(url_for(".details", patient=patient), code=303)
    page = overview(opened.scope, opened.header)
    return opened.render(
        "patients/chart.html",
        "overview",
        page=page,
        head=head_words(page.owed),
        outcomes=OUTCOME_WORDS,
        may=Permission,
    )


@blueprint.get("/patients/<uuid:patient>/schedule/<requirement>/<int:anchor>/<int:occurrence>")
@requires(Permission.VIEW_PATIENTS)
def obligation(patient: UUID, requirement: str, anchor: int, occurrence: int) -> ResponseReturnValue:
    """One occurrence of one requirement: its dates, its status today, and why."""
    opened = open_chart(patient)
    case = load_case(opened.scope, opened.header.id)
    key = (requirement, anchor, occurrence)
    found = next((item for item in case.forecast.obligations if item[:3] == key), None)
    if found is None:
        raise NotFound("obligation")
    page = obligation_page(opened.scope, opened.header, case, found)
    return opened.render("patients/obligation.html", "overview", page=page, may=Permission)

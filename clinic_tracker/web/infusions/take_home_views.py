"""The sheet that the patient takes home after an infusion: to print from the page, or as a PDF."""

from uuid import UUID

from flask import Response, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.course_forms.take_home import LANGUAGE, TakeHome, take_home
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.exports.form_sheets import take_home_document
from clinic_tracker.queries.infusion_day import infusion_row
from clinic_tracker.queries.take_home import take_home_facts
from clinic_tracker.services.exporting import note_document
from clinic_tracker.web.access import requires
from clinic_tracker.web.documents import pdf_answer
from clinic_tracker.web.filters import person_name_text
from clinic_tracker.web.infusions.blueprint import blueprint
from clinic_tracker.web.patients.pages import OpenChart, open_chart

TAB = "courses"
ADDRESS = "/patients/<uuid:patient>/infusions/<uuid:infusion>/take-home"


@blueprint.get(ADDRESS)
@requires(Permission.VIEW_PATIENTS)
def take_home_sheet(patient: UUID, infusion: UUID) -> ResponseReturnValue:
    """The sheet, in large print."""
    chart = open_chart(patient)
    return chart.render(
        "infusions/take_home.html",
        TAB,
        sheet=_sheet(chart, infusion),
        language=LANGUAGE,
        day=url_for(".day", patient=patient, infusion=infusion),
        pdf=url_for(".take_home_pdf", patient=patient, infusion=infusion),
    )


@blueprint.get(f"{ADDRESS}.pdf")
@requires(Permission.VIEW_PATIENTS, Permission.EXPORT_DATA)
def take_home_pdf(patient: UUID, infusion: UUID) -> Response:
    """The same as a tagged PDF."""
    chart = open_chart(patient)
    sheet, scope = _sheet(chart, infusion), chart.scope
    content = take_home_document(sheet, person=person_name_text(chart.header), clinic=scope.clinic_name)
    note_document(scope, chart.header.id, "take_home", {"infusion": str(infusion)})
    return pdf_answer(content, f"{str(chart.header.public_id)[:8]}-take-home-{scope.today.isoformat()}")


def _sheet(chart: OpenChart, infusion: UUID) -> TakeHome:
    header = chart.header
    row = infusion_row(chart.scope, header.id, infusion)
    return take_home(take_home_facts(chart.scope, header.id, header.protocol_id, row))

"""The check of patient, product, dose and expiry before the start, by people with names."""

from uuid import UUID

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.permissions import Permission
from clinic_tracker.queries.drug_checks import checks_waiting, people_needed
from clinic_tracker.queries.treatment import find_course, regimen_of
from clinic_tracker.services import drug_checks as services
from clinic_tracker.web.access import requires
from clinic_tracker.web.forms import accepted, status_of
from clinic_tracker.web.infusions.blueprint import blueprint
from clinic_tracker.web.infusions.forms_parts import COLLEAGUE, SELF, DrugCheckForm
from clinic_tracker.web.patients.pages import OpenChart, open_chart

TAB = "courses"


@blueprint.route("/patients/<uuid:patient>/courses/<uuid:course>/check", methods=["GET", "POST"])
@requires(Permission.RECORD_TREATMENT)
def check_drug(patient: UUID, course: UUID) -> ResponseReturnValue:
    """Check today's drug: the person who is signed in, or a colleague at the same screen."""
    chart = open_chart(patient)
    row = find_course(chart.scope, chart.header.id, course)
    checks = checks_waiting(chart.scope, row.id, chart.scope.today)
    form = _form(chart, has_checked=any(check.checked_by_id == chart.scope.user_id for check in checks))
    if form.validate_on_submit() and accepted(
        form,
        services.record_drug_check,
        chart.scope,
        patient,
        course,
        form.product,
        patient_confirmed=form.patient_confirmed.data,
        colleague=form.colleague,
        form_token=form.token.data,
    ):
        flash("Check recorded.", "success")
        return redirect(url_for(".record", patient=patient, course=course), code=303)
    needed = people_needed(chart.scope, chart.header.protocol_id)
    page = chart.render("infusions/check_drug.html", TAB, form=form, course=row, checks=checks, needed=needed)
    return page, status_of(form)


def _form(chart: OpenChart, *, has_checked: bool) -> DrugCheckForm:
    """The lot is never prefilled: each person reads it off the vial."""
    start = {"dose_mg": regimen_of(chart.scope, chart.header.protocol_id).dose_mg}
    form = DrugCheckForm(scope=chart.scope, data=start | {"who": COLLEAGUE if has_checked else SELF})
    own = [] if has_checked else [(SELF, f"I do: {chart.scope.actor_name}")]
    form.who.choices = [*own, (COLLEAGUE, "A colleague at this screen, with their own password")]
    return form

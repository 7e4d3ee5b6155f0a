"""Authorization of a course by the neurologist, its verification by the facility, its withdrawal."""

from uuid import UUID

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.errors import NotFound
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.queries.treatment import find_course, treatment_of
from clinic_tracker.queries.treatment_rows import AuthorizationRow
from clinic_tracker.services import authorizations as services
from clinic_tracker.web.access import requires
from clinic_tracker.web.forms import accepted, status_of
from clinic_tracker.web.infusions.authorization_presenters import baseline_page
from clinic_tracker.web.infusions.blueprint import blueprint
from clinic_tracker.web.infusions.forms import AuthorizeForm, ReasonForm, VerifyForm, own_prescriber
from clinic_tracker.web.patients.pages import OpenChart, open_chart, prescriber_options

TAB = "courses"


@blueprint.route("/patients/<uuid:patient>/courses/<uuid:course>/authorize", methods=["GET", "POST"])
@requires(Permission.AUTHORIZE_COURSES)
def authorize(patient: UUID, course: UUID) -> ResponseReturnValue:
    """Authorize a course, with the baseline set and the validity of each of its dates before one's eyes."""
    chart = open_chart(patient)
    row = find_course(chart.scope, chart.header.id, course)
    start = {"authorized_on": chart.scope.today, "prescriber": own_prescriber(chart.scope)}
    form = AuthorizeForm(scope=chart.scope, data=start)
    form.prescriber.choices = prescriber_options(chart.scope)
    if form.validate_on_submit() and accepted(
        form, services.authorize_course, chart.scope, patient, course, form_token=form.token.data, **form.values
    ):
        flash("Course authorized.", "success")
        return redirect(url_for(".courses", patient=patient), code=303)
    page = baseline_page(chart, row)
    return chart.render("infusions/authorize.html", TAB, form=form, course=row, page=page), status_of(form)


@blueprint.route("/patients/<uuid:patient>/authorizations/<uuid:authorization>/verify", methods=["GET", "POST"])
@requires(Permission.RECORD_TREATMENT)
def verify_authorization(patient: UUID, authorization: UUID) -> ResponseReturnValue:
    """Record that the facility verified the authorization with the REMS."""
    chart = open_chart(patient)
    row = _find(chart, authorization)
    form = VerifyForm(scope=chart.scope, data={"verified_on": chart.scope.today})
    if form.validate_on_submit() and accepted(
        form,
        services.verify_authorization,
        chart.scope,
        patient,
        authorization,
        verified_on=form.verified_on.data,
        method=form.method.data,
    ):
        flash("Verification recorded.", "success")
        return redirect(url_for(".courses", patient=patient), code=303)
    return chart.render("infusions/verify_authorization.html", TAB, form=form, authorization=row), status_of(form)


@blueprint.route("/patients/<uuid:patient>/authorizations/<uuid:authorization>/withdraw", methods=["GET", "POST"])
@requires(Permission.AUTHORIZE_COURSES)
def withdraw_authorization(patient: UUID, authorization: UUID) -> ResponseReturnValue:
    """Take an authorization back."""
    chart = open_chart(patient)
    row = _find(chart, authorization)
    form = ReasonForm(scope=chart.scope)
    if form.validate_on_submit() and accepted(
        form, services.withdraw_authorization, chart.scope, patient, authorization, reason=form.reason.data
    ):
        flash("Authorization withdrawn.", "success")
        return redirect(url_for(".courses", patient=patient), code=303)
    return chart.render("infusions/withdraw_authorization.html", TAB, form=form, authorization=row), status_of(form)


def _find(chart: OpenChart, authorization: UUID) -> AuthorizationRow:
    for row in treatment_of(chart.scope, chart.header.id).authorizations:
        if row.public_id == authorization:
            return row
    raise NotFound("authorization")

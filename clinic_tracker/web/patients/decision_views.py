"""A prescriber's decisions: waive a requirement, extend or close monitoring, change its protocol, withdraw one."""

from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.permissions import Permission
from clinic_tracker.queries.chart import WAIVED, find_decision
from clinic_tracker.queries.monitoring_case import load_case, sign_off_warnings
from clinic_tracker.queries.protocols import packaged_protocols
from clinic_tracker.services.monitoring_decisions import close_monitoring, extend_monitoring, withdraw_decision
from clinic_tracker.services.patients import change_protocol
from clinic_tracker.services.waivers import waive_requirement, withdraw_waiver
from clinic_tracker.web.access import requires
from clinic_tracker.web.forms import accepted, status_of
from clinic_tracker.web.patients.blueprint import blueprint
from clinic_tracker.web.patients.decision_forms import CloseForm, ExtendForm, ProtocolForm, WaiveForm
from clinic_tracker.web.patients.decision_presenters import decision_words, due_lines, first_day
from clinic_tracker.web.patients.forms import ReasonForm
from clinic_tracker.web.patients.pages import open_chart
from clinic_tracker.web.patients.protocol_presenters import other_protocols, previews
from clinic_tracker.web.requirement_words import requirement_options


@blueprint.route("/patients/<uuid:patient>/waivers/new", methods=["GET", "POST"])
@requires(Permission.DECIDE_MONITORING)
def waive(patient: UUID) -> ResponseReturnValue:
    """Waive one requirement for a span of days."""
    chart = open_chart(patient)
    lines = due_lines(load_case(chart.scope, chart.header.id), chart.scope.today)
    wanted = request.args.get("requirement")
    form = WaiveForm(scope=chart.scope, requirement=wanted, from_on=first_day(lines, wanted))
    form.requirement.choices = requirement_options(chart.header.protocol_id, "Choose")
    if form.validate_on_submit() and accepted(form, waive_requirement, chart.scope, patient, **form.answers):
        flash("Requirement waived. The lists show it at once.", "success")
        return redirect(url_for(".chart", patient=patient), code=303)
    return chart.render("patients/waive.html", "overview", form=form, lines=lines), status_of(form)


@blueprint.route("/patients/<uuid:patient>/monitoring/extend", methods=["GET", "POST"])
@requires(Permission.DECIDE_MONITORING)
def extend(patient: UUID) -> ResponseReturnValue:
    """Move the end of monitoring later."""
    chart = open_chart(patient)
    form = ExtendForm(scope=chart.scope)
    if form.validate_on_submit() and accepted(form, extend_monitoring, chart.scope, patient, **form.answers):
        flash("Monitoring extended.", "success")
        return redirect(url_for(".chart", patient=patient), code=303)
    return chart.render("patients/extend.html", "overview", form=form), status_of(form)


@blueprint.route("/patients/<uuid:patient>/monitoring/close", methods=["GET", "POST"])
@requires(Permission.DECIDE_MONITORING)
def close(patient: UUID) -> ResponseReturnValue:
    """Sign monitoring off; what speaks against it is said before and needs a tick."""
    chart = open_chart(patient)
    form = CloseForm(scope=chart.scope, decided_on=chart.scope.today)
    if form.validate_on_submit() and accepted(form, close_monitoring, chart.scope, patient, **form.answers):
        flash("Monitoring closed. Nothing is owed any more.", "success")
        return redirect(url_for(".chart", patient=patient), code=303)
    warnings = sign_off_warnings(chart.scope, load_case(chart.scope, chart.header.id))
    return chart.render("patients/close.html", "overview", form=form, warnings=warnings), status_of(form)


@blueprint.route("/patients/<uuid:patient>/protocol", methods=["GET", "POST"])
@requires(Permission.DECIDE_MONITORING)
def change_protocol_page(patient: UUID) -> ResponseReturnValue:
    """Monitor the patient by another protocol; what it would change is said before."""
    chart = open_chart(patient)
    form = ProtocolForm(scope=chart.scope, version=chart.header.version)
    form.protocol_id.choices = [("", "Choose"), *other_protocols(chart.header.protocol_id)]
    if form.validate_on_submit() and accepted(form, change_protocol, chart.scope, patient, **form.answers):
        flash("Protocol changed. The schedule follows it.", "success")
        return redirect(url_for(".chart", patient=patient), code=303)
    present = packaged_protocols()[chart.header.protocol_id].title
    page = chart.render(
        "patients/change_protocol.html",
        "overview",
        form=form,
        present=present,
        previews=previews(chart.scope, chart.header),
    )
    return page, status_of(form)


@blueprint.route("/patients/<uuid:patient>/decisions/<uuid:decision>/withdraw", methods=["GET", "POST"])
@requires(Permission.DECIDE_MONITORING)
def withdraw_decision_page(patient: UUID, decision: UUID) -> ResponseReturnValue:
    """End a waiver, an extension or a sign-off that was entered in error."""
    chart = open_chart(patient)
    found = find_decision(chart.scope, chart.header.id, decision)
    form = ReasonForm(scope=chart.scope)
    end = withdraw_waiver if found.kind == WAIVED else withdraw_decision
    if form.validate_on_submit() and accepted(form, end, chart.scope, patient, decision, form.reason.data):
        flash("Decision withdrawn. The schedule is as if it had not been made.", "success")
        return redirect(url_for(".chart", patient=patient), code=303)
    words = decision_words(found)
    return chart.render("patients/withdraw_decision.html", "overview", form=form, words=words), status_of(form)

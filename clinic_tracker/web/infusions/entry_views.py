"""Infusions as facts: started, recorded after the fact, corrected, entered in error."""

from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.queries.infusion_day import day_version, infusion_row, open_infusion
from clinic_tracker.queries.treatment import find_course
from clinic_tracker.services import infusions as services
from clinic_tracker.web.access import requires
from clinic_tracker.web.forms import accepted, status_of
from clinic_tracker.web.infusions.before_presenters import before_page
from clinic_tracker.web.infusions.blueprint import blueprint
from clinic_tracker.web.infusions.forms import ReasonForm
from clinic_tracker.web.infusions.forms_day import BackEntryForm, CorrectForm, StartForm
from clinic_tracker.web.infusions.past_presenters import past_values
from clinic_tracker.web.patients.pages import open_chart

TAB = "courses"


@blueprint.route("/patients/<uuid:patient>/courses/<uuid:course>/start", methods=["GET", "POST"])
@requires(Permission.RECORD_TREATMENT)
def record(patient: UUID, course: UUID) -> ResponseReturnValue:
    """The day before its start: what is ready, what is missing, and the start itself. A running day opens instead."""
    chart = open_chart(patient)
    row = find_course(chart.scope, chart.header.id, course)
    if request.method == "GET" and (running := open_infusion(chart.scope, row.id)):
        return redirect(url_for(".day", patient=patient, infusion=running))
    page = before_page(chart, row)
    form = StartForm(scope=chart.scope, data=page.start, notes=page.notes)
    form.ask(page.asked, pregnancy=page.asks_pregnancy)
    if form.validate_on_submit():
        try:
            infusion = services.start_infusion(
                chart.scope,
                patient,
                course,
                form.facts,
                answers=form.confirmed,
                given=form.reasons,
                form_token=form.token.data,
            )
        except RuleViolation as violation:
            form.refuse(violation)
        else:
            flash("Infusion started.", "success")
            return redirect(url_for(".day", patient=patient, infusion=infusion), code=303)
    return chart.render("infusions/record.html", TAB, form=form, page=page), status_of(form)


@blueprint.route("/patients/<uuid:patient>/courses/<uuid:course>/back-entry", methods=["GET", "POST"])
@requires(Permission.RECORD_TREATMENT)
def back_entry(patient: UUID, course: UUID) -> ResponseReturnValue:
    """Several days of a course after the fact, marked as such."""
    chart = open_chart(patient)
    row = find_course(chart.scope, chart.header.id, course)
    form = BackEntryForm(scope=chart.scope, data={"days": past_values(chart, row)})
    if form.validate_on_submit():
        try:
            recorded = services.record_past_infusions(
                chart.scope, patient, course, form.given_days, given=form.reasons, form_token=form.token.data
            )
        except RuleViolation as violation:
            form.refuse(violation)
        else:
            flash("Days recorded after the fact." if len(recorded) > 1 else "Day recorded after the fact.", "success")
            return redirect(url_for(".courses", patient=patient), code=303)
    return chart.render("infusions/back_entry.html", TAB, form=form, course=row), status_of(form)


@blueprint.route("/patients/<uuid:patient>/infusions/<uuid:infusion>/correct", methods=["GET", "POST"])
@requires(Permission.RECORD_TREATMENT)
def correct(patient: UUID, infusion: UUID) -> ResponseReturnValue:
    """Replace an infusion by a corrected one; its parts follow."""
    chart = open_chart(patient)
    row = infusion_row(chart.scope, chart.header.id, infusion)
    form = CorrectForm(scope=chart.scope, data=row._asdict() | {"version": day_version(row)})
    if form.validate_on_submit():
        try:
            replacement = services.correct_infusion(
                chart.scope,
                patient,
                infusion,
                form.facts,
                reason=form.reason.data,
                version=form.version.data,
                given=form.reasons,
            )
        except RuleViolation as violation:
            form.refuse(violation)
        else:
            flash("Infusion corrected.", "success")
            return redirect(url_for(".day", patient=patient, infusion=replacement), code=303)
    return chart.render("infusions/correct.html", TAB, form=form, row=row), status_of(form)


@blueprint.route("/patients/<uuid:patient>/infusions/<uuid:infusion>/withdraw", methods=["GET", "POST"])
@requires(Permission.RECORD_TREATMENT)
def withdraw(patient: UUID, infusion: UUID) -> ResponseReturnValue:
    """Mark an infusion as entered in error."""
    chart = open_chart(patient)
    row = infusion_row(chart.scope, chart.header.id, infusion)
    form = ReasonForm(scope=chart.scope)
    if form.validate_on_submit() and accepted(
        form, services.withdraw_infusion, chart.scope, patient, infusion, reason=form.reason.data
    ):
        flash("Infusion marked as entered in error.", "success")
        return redirect(url_for(".courses", patient=patient), code=303)
    return chart.render("infusions/withdraw.html", TAB, form=form, row=row), status_of(form)

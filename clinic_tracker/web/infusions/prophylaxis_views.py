"""Antiviral prophylaxis: started, stopped, corrected, entered in error."""

from uuid import UUID

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.errors import NotFound
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.prophylaxis import explain_stop
from clinic_tracker.queries.prophylaxis import cd4_counts, prophylaxis_rule
from clinic_tracker.queries.treatment import Treatment, treatment_of
from clinic_tracker.queries.treatment_rows import ProphylaxisRow
from clinic_tracker.services import prophylaxis as services
from clinic_tracker.web.access import requires
from clinic_tracker.web.forms import accepted, status_of
from clinic_tracker.web.infusions.blueprint import blueprint
from clinic_tracker.web.infusions.forms import (
    CorrectProphylaxisForm,
    ProphylaxisForm,
    ReasonForm,
    StopProphylaxisForm,
)
from clinic_tracker.web.patients.pages import open_chart

TAB = "courses"
ADDRESS = "/patients/<uuid:patient>/prophylaxis/<uuid:prophylaxis>"


@blueprint.route("/patients/<uuid:patient>/prophylaxis/new", methods=["GET", "POST"])
@requires(Permission.RECORD_TREATMENT)
def start_prophylaxis(patient: UUID) -> ResponseReturnValue:
    """Record that an antiviral was started."""
    chart = open_chart(patient)
    treatment = treatment_of(chart.scope, chart.header.id)
    latest = str(treatment.courses[-1].public_id) if treatment.courses else None
    form = ProphylaxisForm(scope=chart.scope, data={"started_on": chart.scope.today, "course": latest})
    form.course.choices = _course_options(treatment)
    if form.validate_on_submit() and accepted(
        form,
        services.start_prophylaxis,
        chart.scope,
        patient,
        form.facts,
        given=form.reasons,
        form_token=form.token.data,
    ):
        flash("Prophylaxis recorded.", "success")
        return redirect(url_for(".courses", patient=patient), code=303)
    return chart.render("infusions/start_prophylaxis.html", TAB, form=form), status_of(form)


@blueprint.route(f"{ADDRESS}/stop", methods=["GET", "POST"])
@requires(Permission.RECORD_TREATMENT)
def stop_prophylaxis(patient: UUID, prophylaxis: UUID) -> ResponseReturnValue:
    """Record that an antiviral was stopped; the page says when it may be, and why."""
    chart = open_chart(patient)
    row = _find(treatment_of(chart.scope, chart.header.id), prophylaxis)
    form = StopProphylaxisForm(scope=chart.scope, data={"stopped_on": chart.scope.today})
    if form.validate_on_submit() and accepted(
        form,
        services.stop_prophylaxis,
        chart.scope,
        patient,
        prophylaxis,
        stopped_on=form.stopped_on.data,
        given=form.reasons,
    ):
        flash("Stop recorded.", "success")
        return redirect(url_for(".courses", patient=patient), code=303)
    rule = prophylaxis_rule(chart.scope, chart.header.id, chart.header.protocol_id)
    answer = explain_stop(rule, cd4_counts(chart.scope, chart.header.id), chart.scope.today) if rule else None
    return chart.render("infusions/stop_prophylaxis.html", TAB, form=form, row=row, answer=answer), status_of(form)


@blueprint.route(f"{ADDRESS}/correct", methods=["GET", "POST"])
@requires(Permission.RECORD_TREATMENT)
def correct_prophylaxis(patient: UUID, prophylaxis: UUID) -> ResponseReturnValue:
    """Replace a prophylaxis by a corrected one."""
    chart = open_chart(patient)
    treatment = treatment_of(chart.scope, chart.header.id)
    row = _find(treatment, prophylaxis)
    own = next((str(one.public_id) for one in treatment.courses if one.id == row.course_id), None)
    form = CorrectProphylaxisForm(scope=chart.scope, data=row._asdict() | {"course": own})
    form.course.choices = _course_options(treatment)
    if form.validate_on_submit() and accepted(
        form,
        services.correct_prophylaxis,
        chart.scope,
        patient,
        prophylaxis,
        form.facts,
        reason=form.reason.data,
        given=form.reasons,
    ):
        flash("Prophylaxis corrected.", "success")
        return redirect(url_for(".courses", patient=patient), code=303)
    return chart.render("infusions/correct_prophylaxis.html", TAB, form=form, row=row), status_of(form)


@blueprint.route(f"{ADDRESS}/withdraw", methods=["GET", "POST"])
@requires(Permission.RECORD_TREATMENT)
def withdraw_prophylaxis(patient: UUID, prophylaxis: UUID) -> ResponseReturnValue:
    """Mark a prophylaxis as entered in error."""
    chart = open_chart(patient)
    row = _find(treatment_of(chart.scope, chart.header.id), prophylaxis)
    form = ReasonForm(scope=chart.scope)
    if form.validate_on_submit() and accepted(
        form, services.withdraw_prophylaxis, chart.scope, patient, prophylaxis, reason=form.reason.data
    ):
        flash("Prophylaxis marked as entered in error.", "success")
        return redirect(url_for(".courses", patient=patient), code=303)
    return chart.render("infusions/withdraw_prophylaxis.html", TAB, form=form, row=row), status_of(form)


def _find(treatment: Treatment, prophylaxis: UUID) -> ProphylaxisRow:
    for row in treatment.prophylaxis:
        if row.public_id == prophylaxis:
            return row
    raise NotFound("prophylaxis")


def _course_options(treatment: Treatment) -> list[tuple[str, str]]:
    courses = [(str(course.public_id), f"Course {course.number}") for course in reversed(treatment.courses)]
    return [("", "No course"), *courses]

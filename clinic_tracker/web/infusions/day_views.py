"""The infusion day, live: the page and its steps."""

from uuid import UUID

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.permissions import Permission
from clinic_tracker.queries.infusion_day import infusion_row, replaced_by
from clinic_tracker.services import infusion_day as services
from clinic_tracker.web.access import requires
from clinic_tracker.web.forms import accepted, status_of
from clinic_tracker.web.infusions.blueprint import blueprint
from clinic_tracker.web.infusions.day_presenters import day_page, present_minute
from clinic_tracker.web.infusions.forms_parts import DischargeForm, EndForm, PauseForm, ResumeForm
from clinic_tracker.web.patients.pages import open_chart

TAB = "courses"
ADDRESS = "/patients/<uuid:patient>/infusions/<uuid:infusion>"


@blueprint.get(ADDRESS)
@requires(Permission.VIEW_PATIENTS)
def day(patient: UUID, infusion: UUID) -> ResponseReturnValue:
    """One infusion day. The address of a corrected infusion leads to the one that replaced it."""
    chart = open_chart(patient)
    row = infusion_row(chart.scope, chart.header.id, infusion)
    standing = replaced_by(chart.scope, row.id)
    if standing is not None:
        return redirect(url_for(".day", patient=patient, infusion=standing))
    return chart.render("infusions/day.html", TAB, page=day_page(chart, row))


@blueprint.route(f"{ADDRESS}/pause", methods=["GET", "POST"])
@requires(Permission.RECORD_TREATMENT)
def pause(patient: UUID, infusion: UUID) -> ResponseReturnValue:
    """Interrupt the infusion."""
    chart = open_chart(patient)
    row = infusion_row(chart.scope, chart.header.id, infusion)
    form = PauseForm(scope=chart.scope, data={"paused_at": present_minute(chart.scope.now)})
    if form.validate_on_submit() and accepted(
        form,
        services.pause_infusion,
        chart.scope,
        patient,
        infusion,
        paused_at=form.paused_at.data,
        reason=form.reason.data,
        form_token=form.token.data,
    ):
        flash("Infusion paused.", "success")
        return redirect(url_for(".day", patient=patient, infusion=infusion), code=303)
    return chart.render("infusions/pause.html", TAB, form=form, row=row), status_of(form)


@blueprint.route(f"{ADDRESS}/resume", methods=["GET", "POST"])
@requires(Permission.RECORD_TREATMENT)
def resume(patient: UUID, infusion: UUID) -> ResponseReturnValue:
    """Let the infusion run again."""
    chart = open_chart(patient)
    row = infusion_row(chart.scope, chart.header.id, infusion)
    form = ResumeForm(scope=chart.scope, data={"resumed_at": present_minute(chart.scope.now)})
    if form.validate_on_submit() and accepted(
        form, services.resume_infusion, chart.scope, patient, infusion, resumed_at=form.resumed_at.data
    ):
        flash("Infusion resumed.", "success")
        return redirect(url_for(".day", patient=patient, infusion=infusion), code=303)
    return chart.render("infusions/resume.html", TAB, form=form, row=row), status_of(form)


@blueprint.route(f"{ADDRESS}/end", methods=["GET", "POST"])
@requires(Permission.RECORD_TREATMENT)
def end(patient: UUID, infusion: UUID) -> ResponseReturnValue:
    """Record the end of the infusion; the observation runs from then."""
    chart = open_chart(patient)
    row = infusion_row(chart.scope, chart.header.id, infusion)
    form = EndForm(scope=chart.scope, data={"ended_at": present_minute(chart.scope.now), "dose_mg": row.dose_mg})
    if form.validate_on_submit() and accepted(
        form,
        services.end_infusion,
        chart.scope,
        patient,
        infusion,
        ended_at=form.ended_at.data,
        dose_mg=float(form.dose_mg.data),
        given=form.reasons,
    ):
        flash("Infusion ended. The observation runs.", "success")
        return redirect(url_for(".day", patient=patient, infusion=infusion), code=303)
    return chart.render("infusions/end.html", TAB, form=form, page=day_page(chart, row)), status_of(form)


@blueprint.route(f"{ADDRESS}/discharge", methods=["GET", "POST"])
@requires(Permission.RECORD_TREATMENT)
def discharge(patient: UUID, infusion: UUID) -> ResponseReturnValue:
    """Sign the discharge by name."""
    chart = open_chart(patient)
    row = infusion_row(chart.scope, chart.header.id, infusion)
    form = DischargeForm(scope=chart.scope, data={"discharged_at": present_minute(chart.scope.now)})
    if form.validate_on_submit() and accepted(
        form,
        services.discharge_patient,
        chart.scope,
        patient,
        infusion,
        discharged_at=form.discharged_at.data,
        stroke_advice_given=form.stroke_advice_given.data,
        late_reaction_advice_given=form.late_reaction_advice_given.data,
        given=form.reasons,
    ):
        flash("Discharge signed.", "success")
        return redirect(url_for(".day", patient=patient, infusion=infusion), code=303)
    return chart.render("infusions/discharge.html", TAB, form=form, page=day_page(chart, row)), status_of(form)

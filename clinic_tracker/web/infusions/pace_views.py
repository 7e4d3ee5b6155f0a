"""What changes the course of a running day: slowed, stopped early, observed longer."""

from uuid import UUID

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.local_time import local_date
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.queries.infusion_day import infusion_row
from clinic_tracker.services import infusion_pace as services
from clinic_tracker.services.courses import EarlyEnd
from clinic_tracker.web.access import requires
from clinic_tracker.web.forms import accepted, status_of
from clinic_tracker.web.infusions.blueprint import blueprint
from clinic_tracker.web.infusions.day_presenters import day_page, present_minute
from clinic_tracker.web.infusions.forms_parts import StopForm
from clinic_tracker.web.infusions.forms_reactions import ObservationForm, PaceForm
from clinic_tracker.web.patients.pages import open_chart

TAB = "courses"
DURING = "/patients/<uuid:patient>/infusions/<uuid:infusion>"


@blueprint.route(f"{DURING}/pace", methods=["GET", "POST"])
@requires(Permission.RECORD_TREATMENT)
def pace(patient: UUID, infusion: UUID) -> ResponseReturnValue:
    """Say when a slowed infusion is now expected to end."""
    chart = open_chart(patient)
    page = day_page(chart, infusion_row(chart.scope, chart.header.id, infusion))
    form = PaceForm(scope=chart.scope, data={"ends_at": page.expected_end_at})
    if form.validate_on_submit() and accepted(
        form,
        services.change_planned_minutes,
        chart.scope,
        patient,
        infusion,
        ends_at=form.ends_at.data,
        reason=form.reason.data,
    ):
        flash("Expected end changed.", "success")
        return redirect(url_for(".day", patient=patient, infusion=infusion), code=303)
    return chart.render("infusions/pace.html", TAB, form=form, page=page), status_of(form)


@blueprint.route(f"{DURING}/observation", methods=["GET", "POST"])
@requires(Permission.RECORD_TREATMENT)
def observation(patient: UUID, infusion: UUID) -> ResponseReturnValue:
    """Let the observation last longer."""
    chart = open_chart(patient)
    page = day_page(chart, infusion_row(chart.scope, chart.header.id, infusion))
    form = ObservationForm(scope=chart.scope)
    if form.validate_on_submit() and accepted(
        form,
        services.extend_observation,
        chart.scope,
        patient,
        infusion,
        minutes=form.minutes.data,
        until=form.until.data,
        reason=form.reason.data,
    ):
        flash("Observation changed.", "success")
        return redirect(url_for(".day", patient=patient, infusion=infusion), code=303)
    return chart.render("infusions/observation.html", TAB, form=form, page=page), status_of(form)


@blueprint.route(f"{DURING}/stop", methods=["GET", "POST"])
@requires(Permission.RECORD_TREATMENT)
def stop(patient: UUID, infusion: UUID) -> ResponseReturnValue:
    """End the infusion early, and with it the course."""
    chart = open_chart(patient)
    page = day_page(chart, infusion_row(chart.scope, chart.header.id, infusion))
    form = StopForm(scope=chart.scope, data={"ended_at": present_minute(chart.scope.now)})
    if form.validate_on_submit() and accepted(
        form,
        services.stop_early,
        chart.scope,
        patient,
        infusion,
        early_end(form, chart.scope.time_zone),
        ended_at=form.ended_at.data,
        dose_mg=float(form.dose_mg.data),
        given=form.reasons,
    ):
        flash("Infusion and course ended. The observation runs.", "success")
        return redirect(url_for(".day", patient=patient, infusion=infusion), code=303)
    return chart.render("infusions/stop.html", TAB, form=form, page=page), status_of(form)


def early_end(form: StopForm, time_zone: str) -> EarlyEnd:
    """What was stated about the course."""
    return EarlyEnd(
        on=local_date(form.ended_at.data, time_zone),
        reason=form.reason.data,
        unused_vials=form.unused_vials.data,
        vials_disposition=form.vials_disposition.data,
    )

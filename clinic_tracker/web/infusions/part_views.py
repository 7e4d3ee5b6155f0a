"""What belongs to an infusion day: vital signs, premedication; before the start and after it."""

from uuid import UUID

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.errors import NotFound
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import PremedicationKind
from clinic_tracker.queries.infusion_day import infusion_row, parts_of_infusion, waiting_parts
from clinic_tracker.queries.treatment import find_course
from clinic_tracker.services import infusion_parts as services
from clinic_tracker.services.infusion_parts import PART_KINDS, Target
from clinic_tracker.web.access import requires
from clinic_tracker.web.forms import accepted, status_of
from clinic_tracker.web.infusions.blueprint import blueprint
from clinic_tracker.web.infusions.day_presenters import present_minute
from clinic_tracker.web.infusions.forms import ReasonForm
from clinic_tracker.web.infusions.forms_parts import (
    STEROID,
    STEROID_DOSE,
    PremedicationForm,
    VitalsForm,
)
from clinic_tracker.web.infusions.vitals_presenters import VitalsView, vitals_view
from clinic_tracker.web.patients.pages import OpenChart, open_chart

TAB = "courses"
BEFORE = "/patients/<uuid:patient>/courses/<uuid:course>"
DURING = "/patients/<uuid:patient>/infusions/<uuid:infusion>"
PART_WORDS = {
    "vitals": "set of vital signs",
    "premedication": "premedication",
    "reaction": "reaction",
    "pause": "pause",
    "check": "check of the drug",
}


@blueprint.route(f"{BEFORE}/vitals", methods=["GET", "POST"], endpoint="vitals_before")
@blueprint.route(f"{DURING}/vitals", methods=["GET", "POST"])
@requires(Permission.RECORD_TREATMENT)
def vitals(patient: UUID, infusion: UUID | None = None, course: UUID | None = None) -> ResponseReturnValue:
    """Record a set of vital signs."""
    chart = open_chart(patient)
    target = _target(chart, infusion, course)
    form = VitalsForm(scope=chart.scope, data={"taken_at": present_minute(chart.scope.now)})
    if form.validate_on_submit() and accepted(
        form,
        services.record_vital_signs,
        chart.scope,
        target,
        form.vitals,
        confirmed=form.confirmed.data,
        form_token=form.token.data,
    ):
        typed = " The temperature was typed in °F and is kept in °C." if form.temperature.was_fahrenheit else ""
        flash(f"Vital signs recorded.{typed}", "success")
        return redirect(back_to(target), code=303)
    view = vitals_before(chart, target)
    return chart.render("infusions/vitals.html", TAB, form=form, back=back_to(target), view=view), status_of(form)


@blueprint.route(f"{BEFORE}/premedication", methods=["GET", "POST"], endpoint="premedication_before")
@blueprint.route(f"{DURING}/premedication", methods=["GET", "POST"])
@requires(Permission.RECORD_TREATMENT)
def premedication(patient: UUID, infusion: UUID | None = None, course: UUID | None = None) -> ResponseReturnValue:
    """Record a drug given around the infusion."""
    chart = open_chart(patient)
    target = _target(chart, infusion, course)
    start = {"given_at": present_minute(chart.scope.now)} | (_STEROID if infusion is None else {})
    form = PremedicationForm(scope=chart.scope, data=start)
    if form.validate_on_submit() and accepted(form, services.record_premedication, chart.scope, target, **form.values):
        flash("Premedication recorded.", "success")
        return redirect(back_to(target), code=303)
    return chart.render("infusions/premedication.html", TAB, form=form, back=back_to(target)), status_of(form)


@blueprint.route(f"{BEFORE}/<kind>/<uuid:part>/withdraw", methods=["GET", "POST"], endpoint="withdraw_part_before")
@blueprint.route(f"{DURING}/<kind>/<uuid:part>/withdraw", methods=["GET", "POST"])
@requires(Permission.RECORD_TREATMENT)
def withdraw_part(
    patient: UUID, kind: str, part: UUID, infusion: UUID | None = None, course: UUID | None = None
) -> ResponseReturnValue:
    """Mark a part as entered in error."""
    if kind not in PART_KINDS:
        raise NotFound(kind)
    chart = open_chart(patient)
    target = _target(chart, infusion, course)
    form = ReasonForm(scope=chart.scope)
    if form.validate_on_submit() and accepted(
        form, services.withdraw_part, chart.scope, target, kind, part, reason=form.reason.data
    ):
        flash("Marked as entered in error.", "success")
        return redirect(back_to(target), code=303)
    words = PART_WORDS[kind]
    return chart.render("infusions/withdraw_part.html", TAB, form=form, words=words, back=back_to(target)), status_of(
        form
    )


_STEROID = {"kind": PremedicationKind.STEROID.value, "drug": STEROID, "dose": STEROID_DOSE}


def back_to(target: Target) -> str:
    """The page that the part belongs to."""
    if target.infusion is not None:
        return url_for("infusions.day", patient=target.patient, infusion=target.infusion)
    return url_for("infusions.record", patient=target.patient, course=target.course)


def vitals_before(chart: OpenChart, target: Target) -> VitalsView:
    """The sets that were taken so far, to compare with while typing."""
    if target.infusion is not None:
        row = infusion_row(chart.scope, chart.header.id, target.infusion)
        rows, is_open = parts_of_infusion(chart.scope, row.id).vitals, row.discharged_at is None
        return vitals_view(
            chart.scope, chart.header.protocol_id, rows, row.started_at, row.observed_until, is_open=is_open
        )
    assert target.course is not None
    course = find_course(chart.scope, chart.header.id, target.course)
    rows = waiting_parts(chart.scope, course.id, chart.scope.today).vitals
    return vitals_view(chart.scope, chart.header.protocol_id, rows)


def _target(chart: OpenChart, infusion: UUID | None, course: UUID | None) -> Target:
    """Where the part belongs; NotFound when it is not of this patient."""
    if infusion is not None:
        infusion_row(chart.scope, chart.header.id, infusion)
    elif course is not None:
        find_course(chart.scope, chart.header.id, course)
    return Target(chart.header.public_id, infusion, course)

"""Enroll a patient, correct an enrollment, mark it as entered in error, end it."""

from typing import Any
from uuid import UUID

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.permissions import Permission
from clinic_tracker.queries.enrollments import EnrollmentRow, find_enrollment
from clinic_tracker.queries.patients import patient_record
from clinic_tracker.services import enrollment as services
from clinic_tracker.web.access import current_scope, requires
from clinic_tracker.web.forms import accepted, status_of
from clinic_tracker.web.patients.blueprint import blueprint
from clinic_tracker.web.patients.forms import CorrectEnrollmentForm, EndEnrollmentForm, EnrollmentForm, ReasonForm
from clinic_tracker.web.patients.pages import OpenChart, chart_url, open_chart, prescriber_options, with_present

COPIED = (
    "enrolled_on",
    "counseled_on",
    "guide_given_on",
    "card_given_on",
    "patient_signed_on",
    "prescriber_signed_on",
    "copy_given",
    "rems_reference",
    "ended_on",
    "end_reason",
)


@blueprint.route("/patients/<uuid:patient>/enrollments/new", methods=["GET", "POST"])
@requires(Permission.MANAGE_PATIENTS)
def enroll(patient: UUID) -> ResponseReturnValue:
    """Record what the enrollment form says."""
    scope = current_scope()
    record = patient_record(scope, patient)
    given = {"prescriber": str(record.prescriber or ""), "rems_patient_id": record.header.rems_patient_id}
    form = EnrollmentForm(scope=scope, data=given)
    form.prescriber.choices = prescriber_options(scope)
    if form.validate_on_submit() and accepted(
        form,
        services.enroll_patient,
        scope,
        patient,
        form.details(),
        reason=form.deviation_reason.data,
        form_token=form.token.data,
    ):
        flash("Enrollment recorded.", "success")
        return redirect(chart_url(patient), code=303)
    chart = OpenChart(scope, record.header)
    return chart.render("patients/enroll.html", "details", form=form), status_of(form)


@blueprint.route("/patients/<uuid:patient>/enrollments/<uuid:enrollment>/correct", methods=["GET", "POST"])
@requires(Permission.MANAGE_PATIENTS)
def correct_enrollment(patient: UUID, enrollment: UUID) -> ResponseReturnValue:
    """Replace an enrollment by a corrected one, with a reason."""
    chart = open_chart(patient)
    row = find_enrollment(chart.scope, chart.header.id, enrollment)
    form = CorrectEnrollmentForm(scope=chart.scope, data=_values(chart, row))
    form.prescriber.choices = with_present(prescriber_options(chart.scope), row.prescriber, row.prescriber_name)
    if form.validate_on_submit() and accepted(
        form,
        services.correct_enrollment,
        chart.scope,
        patient,
        enrollment,
        form.details(),
        reason=form.reason.data or "",
    ):
        flash("Enrollment corrected.", "success")
        return redirect(url_for(".details", patient=patient), code=303)
    return chart.render("patients/correct_enrollment.html", "details", form=form, row=row), status_of(form)


@blueprint.route("/patients/<uuid:patient>/enrollments/<uuid:enrollment>/withdraw", methods=["GET", "POST"])
@requires(Permission.MANAGE_PATIENTS)
def withdraw_enrollment(patient: UUID, enrollment: UUID) -> ResponseReturnValue:
    """Mark an enrollment as entered in error, with a reason."""
    chart = open_chart(patient)
    row = find_enrollment(chart.scope, chart.header.id, enrollment)
    form = ReasonForm(scope=chart.scope)
    if form.validate_on_submit() and accepted(
        form, services.withdraw_enrollment, chart.scope, patient, enrollment, reason=form.reason.data or ""
    ):
        flash("Enrollment marked as entered in error.", "success")
        return redirect(url_for(".details", patient=patient), code=303)
    return chart.render("patients/withdraw_enrollment.html", "details", form=form, row=row), status_of(form)


@blueprint.route("/patients/<uuid:patient>/enrollments/<uuid:enrollment>/end", methods=["GET", "POST"])
@requires(Permission.MANAGE_PATIENTS)
def end_enrollment(patient: UUID, enrollment: UUID) -> ResponseReturnValue:
    """End an enrollment; the monitoring stays open until a neurologist closes it."""
    chart = open_chart(patient)
    row = find_enrollment(chart.scope, chart.header.id, enrollment)
    form = EndEnrollmentForm(scope=chart.scope)
    if form.validate_on_submit() and accepted(
        form, services.end_enrollment, chart.scope, patient, enrollment, ended_on=form.ended_on.data, reason=form.reason
    ):
        flash("Enrollment ended. What the schedule asks for is still owed.", "info")
        return redirect(url_for(".details", patient=patient), code=303)
    return chart.render("patients/end_enrollment.html", "details", form=form, row=row), status_of(form)


def _values(chart: OpenChart, row: EnrollmentRow) -> dict[str, Any]:
    return {
        **{name: getattr(row, name) for name in COPIED},
        "prescriber": str(row.prescriber),
        "rems_patient_id": chart.header.rems_patient_id,
    }

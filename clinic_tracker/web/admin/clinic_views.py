"""The clinic's particulars and its certification."""

from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.errors import NotFound
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.queries import administration
from clinic_tracker.queries.protocols import packaged_protocols
from clinic_tracker.services.clinics import certify_facility, edit_clinic, withdraw_certification
from clinic_tracker.web.access import current_scope, requires
from clinic_tracker.web.admin.blueprint import blueprint
from clinic_tracker.web.admin.forms import CertificationForm, ClinicForm, ReasonForm
from clinic_tracker.web.forms import accepted, status_of


@blueprint.route("/clinic", methods=["GET", "POST"])
@requires(Permission.MANAGE_CLINIC)
def clinic() -> ResponseReturnValue:
    """Change the particulars of the clinic."""
    scope = current_scope()
    form = ClinicForm(obj=administration.clinic_details(scope))
    form.offer(packaged_protocols())
    if form.validate_on_submit() and accepted(form, edit_clinic, scope, **form.answers):
        flash("Clinic changed.", "success")
        return redirect(url_for("admin.index"), 303)
    return render_template("admin/clinic.html", form=form), status_of(form)


@blueprint.get("/certification")
@requires(Permission.VIEW_ADMINISTRATION)
def certification() -> ResponseReturnValue:
    """Every certification of the facility."""
    return render_template("admin/certification.html", rows=administration.certifications(current_scope()))


@blueprint.route("/certification/new", methods=["GET", "POST"])
@requires(Permission.MANAGE_CLINIC)
def new_certification() -> ResponseReturnValue:
    """Record a certification or re-certification."""
    form = CertificationForm()
    if form.validate_on_submit() and accepted(form, certify_facility, current_scope(), **form.answers):
        flash("Certification recorded.", "success")
        return redirect(url_for("admin.certification"), 303)
    return render_template("admin/new_certification.html", form=form), status_of(form)


@blueprint.route("/certification/<uuid:certification>/withdraw", methods=["GET", "POST"])
@requires(Permission.MANAGE_CLINIC)
def withdraw_certification_page(certification: UUID) -> ResponseReturnValue:
    """Mark a certification as entered in error."""
    scope = current_scope()
    rows = (row for row in administration.certifications(scope) if row.public_id == certification)
    row = next(rows, None)
    if row is None or row.withdrawn_at is not None:
        raise NotFound("certification")
    form = ReasonForm()
    if form.validate_on_submit() and accepted(
        form, withdraw_certification, scope, certification, reason=form.reason.data
    ):
        flash("Marked as entered in error.", "success")
        return redirect(url_for("admin.certification"), 303)
    return render_template("admin/withdraw_certification_page.html", form=form, row=row), status_of(form)

"""People and their roles; prescribers."""

from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.permissions import ROLE_TITLES, Permission
from clinic_tracker.domain.vocabulary import Role
from clinic_tracker.queries import administration
from clinic_tracker.services import people as people_service
from clinic_tracker.services.prescribers import add_prescriber, edit_prescriber
from clinic_tracker.web.access import current_scope, requires
from clinic_tracker.web.admin.blueprint import blueprint
from clinic_tracker.web.admin.forms import EditPrescriberForm, InviteForm, PrescriberForm, ReasonForm, RoleForm
from clinic_tracker.web.forms import accepted, status_of


@blueprint.get("/people")
@requires(Permission.VIEW_ADMINISTRATION)
def people() -> ResponseReturnValue:
    """Everybody with a role here, and who left."""
    rows = administration.members(current_scope())
    return render_template("admin/people.html", rows=rows, titles=ROLE_TITLES)


@blueprint.route("/people/new", methods=["GET", "POST"])
@requires(Permission.MANAGE_CLINIC)
def invite() -> ResponseReturnValue:
    """Give a person a role; the one-time password is shown once."""
    form = InviteForm()
    if form.validate_on_submit():
        try:
            invited = people_service.invite(
                current_scope(), email=form.email.data, name=form.name.data, role=Role(form.role.data)
            )
        except RuleViolation as violation:
            form.refuse(violation)
        else:
            if invited.one_time_password is None:
                flash("They have an account already and can work in this clinic from now on.", "success")
                return redirect(url_for("admin.people"), 303)
            return _one_time(form.email.data, invited.one_time_password)
    return render_template("admin/invite.html", form=form), status_of(form)


@blueprint.route("/people/<uuid:person>", methods=["GET", "POST"])
@requires(Permission.MANAGE_CLINIC)
def member(person: UUID) -> ResponseReturnValue:
    """One person: change the role, and what else can be done."""
    scope = current_scope()
    row = administration.member(scope, person)
    form = RoleForm(role=row.role.value)
    if form.validate_on_submit() and accepted(form, people_service.set_role, scope, person, Role(form.role.data)):
        flash("Role changed.", "success")
        return redirect(url_for("admin.people"), 303)
    return render_template("admin/member.html", form=form, row=row), status_of(form)


@blueprint.route("/people/<uuid:person>/end", methods=["GET", "POST"])
@requires(Permission.MANAGE_CLINIC)
def end_membership(person: UUID) -> ResponseReturnValue:
    """Take a person out of the clinic."""
    scope = current_scope()
    row = administration.member(scope, person)
    form = ReasonForm()
    if form.validate_on_submit() and accepted(
        form, people_service.end_membership, scope, person, reason=form.reason.data
    ):
        flash("They no longer have access to this clinic. What they recorded stays.", "success")
        return redirect(url_for("admin.people"), 303)
    return render_template("admin/end_membership.html", form=form, row=row), status_of(form)


@blueprint.post("/people/<uuid:person>/password")
@requires(Permission.MANAGE_CLINIC)
def reset_password(person: UUID) -> ResponseReturnValue:
    """A new one-time password, shown once."""
    scope = current_scope()
    row = administration.member(scope, person)
    return _one_time(row.email, people_service.reset_password(scope, person))


@blueprint.post("/people/<uuid:person>/sessions")
@requires(Permission.MANAGE_CLINIC)
def end_sessions(person: UUID) -> ResponseReturnValue:
    """Sign a person out everywhere."""
    people_service.end_sessions(current_scope(), person)
    flash("Signed out everywhere.", "success")
    return redirect(url_for("admin.member", person=person), 303)


@blueprint.get("/prescribers")
@requires(Permission.VIEW_ADMINISTRATION)
def prescribers() -> ResponseReturnValue:
    """The prescribers, their certification, how many patients each has."""
    return render_template("admin/prescribers.html", rows=administration.prescribers(current_scope()))


@blueprint.route("/prescribers/new", methods=["GET", "POST"])
@requires(Permission.MANAGE_CLINIC)
def new_prescriber() -> ResponseReturnValue:
    """Add a prescriber."""
    scope = current_scope()
    form = PrescriberForm()
    form.offer(administration.members(scope))
    if form.validate_on_submit() and accepted(form, add_prescriber, scope, **form.answers):
        flash("Prescriber added.", "success")
        return redirect(url_for("admin.prescribers"), 303)
    return render_template("admin/prescriber.html", form=form, row=None), status_of(form)


@blueprint.route("/prescribers/<uuid:prescriber>", methods=["GET", "POST"])
@requires(Permission.MANAGE_CLINIC)
def prescriber(prescriber: UUID) -> ResponseReturnValue:
    """Change a prescriber."""
    scope = current_scope()
    row = administration.prescriber(scope, prescriber)
    form = EditPrescriberForm(data=EditPrescriberForm.values_of(row))
    form.offer(administration.members(scope))
    if form.validate_on_submit() and accepted(form, edit_prescriber, scope, prescriber, **form.answers):
        flash("Prescriber changed.", "success")
        return redirect(url_for("admin.prescribers"), 303)
    return render_template("admin/prescriber.html", form=form, row=row), status_of(form)


def _one_time(email: str, password: str) -> ResponseReturnValue:
    """Show a one-time password, once; the page must not be kept."""
    page = render_template("admin/one_time_password.html", email=email, password=password)
    return page, 200, {"Cache-Control": "no-store"}

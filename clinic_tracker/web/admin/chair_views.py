"""The chairs of the infusion suite."""

from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.permissions import Permission
from clinic_tracker.queries.chairs import chairs as chairs_of
from clinic_tracker.queries.chairs import find_chair
from clinic_tracker.services.chairs import (
    LONGEST_NAME,
    add_chair,
    move_chair,
    reactivate_chair,
    rename_chair,
    retire_chair,
)
from clinic_tracker.web.access import current_scope, requires
from clinic_tracker.web.admin.blueprint import blueprint
from clinic_tracker.web.forms import Form, IdempotencyField, StringField, accepted, status_of


class ChairForm(Form):
    """A chair."""

    name = StringField(
        "Name", required="Enter the name of the chair.", max_length=LONGEST_NAME, width=10, hint="1, 2 or Bed A."
    )
    token = IdempotencyField()


@blueprint.get("/chairs")
@requires(Permission.VIEW_ADMINISTRATION)
def chairs() -> ResponseReturnValue:
    """The chairs in their order, those no longer in use last."""
    return render_template("admin/chairs.html", rows=chairs_of(current_scope()))


@blueprint.route("/chairs/new", methods=["GET", "POST"])
@requires(Permission.MANAGE_CLINIC)
def new_chair() -> ResponseReturnValue:
    """Add a chair."""
    form = ChairForm()
    if form.validate_on_submit() and accepted(
        form, add_chair, current_scope(), name=form.name.data, form_token=form.token.data
    ):
        flash("Chair added.", "success")
        return redirect(url_for("admin.chairs"), 303)
    return render_template("admin/chair.html", form=form, row=None), status_of(form)


@blueprint.route("/chairs/<uuid:chair>", methods=["GET", "POST"])
@requires(Permission.MANAGE_CLINIC)
def chair(chair: UUID) -> ResponseReturnValue:
    """Rename a chair."""
    scope = current_scope()
    row = find_chair(scope, chair)
    form = ChairForm(data={"name": row.name})
    if form.validate_on_submit() and accepted(form, rename_chair, scope, chair, name=form.name.data):
        flash("Chair renamed.", "success")
        return redirect(url_for("admin.chairs"), 303)
    return render_template("admin/chair.html", form=form, row=row), status_of(form)


@blueprint.post("/chairs/<uuid:chair>/<any(up, down):direction>")
@requires(Permission.MANAGE_CLINIC)
def move_chair_one_step(chair: UUID, direction: str) -> ResponseReturnValue:
    """Put a chair one place up or down in the order."""
    move_chair(current_scope(), chair, up=direction == "up")
    return redirect(url_for("admin.chairs"), 303)


@blueprint.post("/chairs/<uuid:chair>/retire")
@requires(Permission.MANAGE_CLINIC)
def retire_chair_now(chair: UUID) -> ResponseReturnValue:
    """Take a chair out of use; what is booked in it is told."""
    scope = current_scope()
    retire_chair(scope, chair)
    if find_chair(scope, chair).ahead:
        flash("No longer in use. The schedule shows what is still booked in it.", "warning")
    else:
        flash("No longer in use.", "success")
    return redirect(url_for("admin.chairs"), 303)


@blueprint.post("/chairs/<uuid:chair>/reactivate")
@requires(Permission.MANAGE_CLINIC)
def reactivate_chair_now(chair: UUID) -> ResponseReturnValue:
    """Take a chair back into use."""
    reactivate_chair(current_scope(), chair)
    flash("In use again, as the last of the chairs.", "success")
    return redirect(url_for("admin.chairs"), 303)

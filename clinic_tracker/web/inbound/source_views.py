"""The laboratories and files that results come from, and the tokens that their systems sign in with."""

import uuid

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import InboundKind
from clinic_tracker.queries.inbound import Origin, source_row
from clinic_tracker.queries.inbound import sources as sources_of
from clinic_tracker.queries.inbound_tokens import tokens
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.inbound_sources import add_source, create_token, edit_source, revoke_token
from clinic_tracker.web.access import current_scope, requires
from clinic_tracker.web.forms import accepted, status_of
from clinic_tracker.web.inbound.blueprint import blueprint
from clinic_tracker.web.inbound.forms import KIND_WORDS, RenameSourceForm, SourceForm, TokenForm


@blueprint.get("/admin/sources")
@requires(Permission.VIEW_ADMINISTRATION)
def sources() -> str:
    """The sources with what came from each, and the tokens."""
    scope = current_scope()
    return render_template(
        "inbound/sources.html", rows=sources_of(scope), tokens=tokens(scope), kinds=KIND_WORDS, may=Permission
    )


@blueprint.route("/admin/sources/new", methods=["GET", "POST"])
@requires(Permission.MANAGE_CLINIC)
def new_source() -> ResponseReturnValue:
    """Take results from somewhere new."""
    form = SourceForm()
    if form.validate_on_submit() and accepted(
        form, add_source, current_scope(), form.name.data, InboundKind(form.kind.data)
    ):
        flash("Source added.", "success")
        return redirect(url_for("inbound.sources"), 303)
    return render_template("inbound/source.html", form=form, row=None), status_of(form)


@blueprint.route("/admin/sources/<uuid:source>", methods=["GET", "POST"])
@requires(Permission.MANAGE_CLINIC)
def source(source: uuid.UUID) -> ResponseReturnValue:
    """Rename a source."""
    scope = current_scope()
    row = source_row(scope, source)
    form = RenameSourceForm(data={"name": row.name})
    if form.validate_on_submit() and accepted(form, edit_source, scope, source, name=form.name.data):
        flash("Source renamed.", "success")
        return redirect(url_for("inbound.sources"), 303)
    return render_template("inbound/source.html", form=form, row=row), status_of(form)


@blueprint.post("/admin/sources/<uuid:source>/<any(retire, reactivate):change>")
@requires(Permission.MANAGE_CLINIC)
def change_source(source: uuid.UUID, change: str) -> ResponseReturnValue:
    """Take a source out of use, or into use again."""
    edit_source(current_scope(), source, is_active=change == "reactivate")
    flash("In use again." if change == "reactivate" else "No longer in use: nothing is taken from it.", "success")
    return redirect(url_for("inbound.sources"), 303)


@blueprint.route("/admin/sources/<uuid:source>/tokens/new", methods=["GET", "POST"])
@requires(Permission.MANAGE_CLINIC)
def new_token(source: uuid.UUID) -> ResponseReturnValue:
    """Make a token. It is shown once, in the answer to the form, and kept nowhere: not in a cookie either."""
    scope = current_scope()
    row = source_row(scope, source)
    form = TokenForm(scope=scope)
    if form.validate_on_submit() and (secret := _make(scope, row, form)):
        return render_template("inbound/token.html", row=row, secret=secret)
    return render_template("inbound/new_token.html", form=form, row=row), status_of(form)


@blueprint.post("/admin/tokens/<uuid:token>/revoke")
@requires(Permission.MANAGE_CLINIC)
def revoke(token: uuid.UUID) -> ResponseReturnValue:
    """Take a token out of use at once."""
    revoke_token(current_scope(), token)
    flash("Token revoked.", "success")
    return redirect(url_for("inbound.sources"), 303)


def _make(scope: Scope, row: Origin, form: TokenForm) -> str | None:
    """The words of a token whose name no other token in use has, so that a form sent twice makes one."""
    name = " ".join((form.name.data or "").split())
    if any(one.name == name and one.source == row.public_id and one.revoked_at is None for one in tokens(scope)):
        form.name.errors = ["There is a token of that name. Revoke it if its words were not kept"]
        return None
    try:
        return create_token(scope, row.public_id, name, expires_on=form.expires_on.data).secret
    except RuleViolation as violation:
        form.refuse(violation)
        return None

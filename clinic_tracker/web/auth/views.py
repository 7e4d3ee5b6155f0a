"""Signing in and out, choosing the clinic, changing the password."""

from urllib.parse import urlsplit

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_user, logout_user

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.queries.accounts import clinics_of_user
from clinic_tracker.services import accounts
from clinic_tracker.web.access import SessionUser, current_scope, visitor_scope
from clinic_tracker.web.auth.forms import ChangePasswordForm, ChooseClinicForm, SignInForm
from clinic_tracker.web.forms import accepted, status_of

blueprint = Blueprint("auth", __name__)

OPEN_FORMS = "csrf_token"  # where Flask-WTF keeps the secret of all forms of a session


@blueprint.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> ResponseReturnValue:
    """Ask for e-mail address and password; go on to the page that was asked for."""
    if current_user.is_authenticated:
        return redirect(url_for("home.today"), 303)
    form = SignInForm()
    if form.validate_on_submit():
        try:
            opened = accounts.sign_in(visitor_scope(), form.email.data, form.password.data)
        except RuleViolation as violation:
            form.refuse(violation)
        else:
            after = _safe(request.args.get("next"))
            session.clear()
            login_user(SessionUser(opened.token))
            return redirect(after or url_for("home.today"), 303)
    return render_template("auth/sign_in.html", form=form), status_of(form)


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End the session."""
    accounts.sign_out(current_scope(), current_user.get_id())
    logout_user()
    session.clear()
    flash("You have signed out.", "info")
    return redirect(url_for("auth.sign_in"), 303)


@blueprint.route("/clinic", methods=["GET", "POST"])
def choose_clinic() -> ResponseReturnValue:
    """Choose the clinic to work in."""
    scope = current_scope()
    clinics = clinics_of_user(scope)
    form = ChooseClinicForm()
    form.offer(clinics)
    if form.validate_on_submit() and accepted(
        form, accounts.choose_clinic, scope, current_user.get_id(), form.clinic.data
    ):
        # A form that another tab still shows was filled in for the clinic left behind: it has expired now.
        session.pop(OPEN_FORMS, None)
        return redirect(url_for("home.today"), 303)
    return render_template("auth/choose_clinic.html", form=form, clinics=clinics), status_of(form)


@blueprint.route("/password", methods=["GET", "POST"])
def change_password() -> ResponseReturnValue:
    """Change one's own password; asked for at the first sign-in with a one-time password."""
    form = ChangePasswordForm()
    if form.validate_on_submit() and accepted(
        form, accounts.change_password, current_scope(), current_user.get_id(), form.current.data, form.new.data
    ):
        flash("Password changed. Your other sessions have ended.", "success")
        return redirect(url_for("home.today"), 303)
    must = current_user.session.must_change_password
    return render_template("auth/change_password.html", form=form, must=must), status_of(form)


@blueprint.post("/keep-alive")
def keep_alive() -> ResponseReturnValue:
    """A person is still there: the request itself keeps the session."""
    return "", 204


def _safe(target: str | None) -> str | None:
    """A path of this application, or None: never another site's address."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return None
    parts = urlsplit(target)
    return target if not parts.scheme and not parts.netloc else None

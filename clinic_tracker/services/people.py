"""People and their roles in a clinic."""

import secrets
import uuid
from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import func, select, update

from clinic_tracker.domain.errors import NotFound, RuleViolation
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import Role
from clinic_tracker.models.access import Membership, User, UserSession
from clinic_tracker.models.base import db
from clinic_tracker.queries.scope import PermissionDenied, Scope
from clinic_tracker.services import audit
from clinic_tracker.services.accounts import check_password, hash_password
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.unit_of_work import unit_of_work


@dataclass(frozen=True, slots=True)
class Invited:
    """A person given a role. ``one_time_password`` is None for somebody who had an account already."""

    user: uuid.UUID
    one_time_password: str | None


def invite(scope: Scope, *, email: str, name: str, role: Role, password: str | None = None) -> Invited:
    """Give a person a role in the clinic; make the account if there is none.

    Without a ``password`` a one-time password is made, to be changed at the first sign-in. RuleViolation for a bad
    address, an empty name, a weak password, or a person who has a role here already.
    """
    scope.require(Permission.MANAGE_CLINIC)
    address = _address(email)
    if not name.strip():
        raise RuleViolation("name", "name", "Enter the person's name.")
    if password is not None:
        check_password(scope, password, address, name)
    with unit_of_work(scope):
        user = db.session.execute(select(User).where(User.email == address).with_for_update()).scalar_one_or_none()
        one_time = None
        if user is None:
            one_time = None if password is not None else secrets.token_urlsafe(12)
            user = _add_user(scope, address, name.strip(), password or one_time or "", one_time=one_time is not None)
        elif _membership(scope, user.id) is not None:
            raise RuleViolation("member", "email", f"{address} has a role in this clinic already.")
        membership = Membership(clinic_id=scope.clinic_id, user_id=user.id, role=role.value, started_on=scope.today)
        db.session.add(membership)
        audit.record(scope, AuditAction.ROLE_SET, membership)
    return Invited(user.public_id, one_time)


def set_role(scope: Scope, person: uuid.UUID, role: Role) -> None:
    """Change a person's role: the old membership ends today and a new one begins, so that the past is explained."""
    scope.require(Permission.MANAGE_CLINIC)
    with unit_of_work(scope):
        user, membership = _member(scope, person)
        if membership.role == role.value:
            return
        if user.id == scope.user_id:
            raise RuleViolation("own_role", "role", "Ask another administrator to change your own role.")
        _keep_an_administrator(scope, membership)
        membership.ended_on = scope.today
        db.session.flush()
        new = Membership(clinic_id=scope.clinic_id, user_id=user.id, role=role.value, started_on=scope.today)
        db.session.add(new)
        audit.record(scope, AuditAction.ROLE_SET, new, before={"role": membership.role})


def end_membership(scope: Scope, person: uuid.UUID, *, reason: str) -> None:
    """Take a person out of the clinic; their sessions there end at once. What they recorded stays theirs."""
    scope.require(Permission.MANAGE_CLINIC)
    if not reason.strip():
        raise RuleViolation("reason", "reason", "Enter the reason.")
    with unit_of_work(scope):
        user, membership = _member(scope, person)
        if user.id == scope.user_id:
            raise RuleViolation("own_role", None, "Ask another administrator to remove you.")
        _keep_an_administrator(scope, membership)
        before = audit.snapshot(membership)
        membership.ended_on = scope.today
        _end_sessions(scope, user.id)
        audit.record(scope, AuditAction.MEMBERSHIP_ENDED, membership, before=before, reason=reason.strip())


def reset_password(scope: Scope, person: uuid.UUID) -> str:
    """Give a person a new one-time password and unlock the account; every session of theirs ends.

    RuleViolation for somebody who works in another clinic too: the password would open that clinic as well.
    """
    scope.require(Permission.MANAGE_CLINIC)
    with unit_of_work(scope):
        user, _membership_row = _member(scope, person)
        _refuse_shared(scope, user)
        return _set_one_time_password(scope, user)


def reset_password_anywhere(scope: Scope, email: str) -> str:
    """The same for whoever has this address, whatever their clinics: for whoever runs the server, not for people.

    RuleViolation for an unknown address.
    """
    if scope.system_actor is None:
        raise PermissionDenied(Permission.MANAGE_CLINIC)
    with unit_of_work(scope):
        address = email.strip().lower()
        user = db.session.execute(select(User).where(User.email == address).with_for_update()).scalar_one_or_none()
        if user is None:
            raise RuleViolation("unknown", "email", f"Nobody signs in with {address}.")
        return _set_one_time_password(scope, user)


def end_sessions(scope: Scope, person: uuid.UUID) -> None:
    """Sign a person out everywhere."""
    scope.require(Permission.MANAGE_CLINIC)
    with unit_of_work(scope):
        user, _membership_row = _member(scope, person)
        _end_sessions(scope, user.id)
        audit.note(scope, AuditAction.SESSIONS_ENDED, subject_type="user_account", subject_id=user.id)


def _set_one_time_password(scope: Scope, user: User) -> str:
    one_time = secrets.token_urlsafe(12)
    user.password_hash = hash_password(scope, one_time)
    user.must_change_password = True
    user.failed_sign_ins = 0
    user.locked_until = None
    _end_sessions(scope, user.id)
    audit.note(scope, AuditAction.PASSWORD_RESET, subject_type="user_account", subject_id=user.id)
    return one_time


def _refuse_shared(scope: Scope, user: User) -> None:
    """An administrator decides about one clinic only, and an account opens all of its clinics."""
    elsewhere = select(Membership.id).where(
        Membership.user_id == user.id, Membership.clinic_id != scope.clinic_id, Membership.ended_on.is_(None)
    )
    if db.session.execute(elsewhere).first() is not None:
        message = (
            "This person also works in another clinic, which a new password would open too. "
            "Ask whoever runs the server for it."
        )
        raise RuleViolation("other_clinic", None, message)


def _address(email: str) -> str:
    try:
        # ``.example`` is what demonstration clinics use.
        return validate_email(email.strip(), check_deliverability=False, test_environment=True).normalized.lower()
    except EmailNotValidError as error:
        raise RuleViolation("email", "email", f"{email!r} is not an e-mail address.") from error


def _add_user(scope: Scope, email: str, name: str, password: str, *, one_time: bool) -> User:
    user = User(
        email=email,
        name=name,
        password_hash=hash_password(scope, password),
        must_change_password=one_time,
        created_at=scope.now,
    )
    db.session.add(user)
    audit.record(scope, AuditAction.USER_INVITED, user)
    return user


def _membership(scope: Scope, user_id: int) -> Membership | None:
    return db.session.execute(
        select(Membership).where(
            Membership.clinic_id == scope.clinic_id, Membership.user_id == user_id, Membership.ended_on.is_(None)
        )
    ).scalar_one_or_none()


def _member(scope: Scope, person: uuid.UUID) -> tuple[User, Membership]:
    """A person with a current role in this clinic; NotFound otherwise."""
    user = db.session.execute(select(User).where(User.public_id == person).with_for_update()).scalar_one_or_none()
    membership = _membership(scope, user.id) if user is not None else None
    if user is None or membership is None:
        raise NotFound("person")
    return user, membership


def _keep_an_administrator(scope: Scope, membership: Membership) -> None:
    others = db.session.execute(
        select(func.count())
        .select_from(Membership)
        .where(
            Membership.clinic_id == scope.clinic_id,
            Membership.role == Role.ADMINISTRATOR.value,
            Membership.ended_on.is_(None),
            Membership.id != membership.id,
        )
    ).scalar_one()
    if membership.role == Role.ADMINISTRATOR.value and not others:
        raise RuleViolation("last_administrator", None, "A clinic keeps at least one administrator.")


def _end_sessions(scope: Scope, user_id: int) -> None:
    db.session.execute(
        update(UserSession)
        .where(UserSession.user_id == user_id, UserSession.ended_at.is_(None))
        .values(ended_at=scope.now)
    )

"""Signing in and out: passwords, sessions that can be ended, lock-out after wrong passwords."""

import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import timedelta

import zxcvbn
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select, update

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.permissions import ROLE_PERMISSIONS, Permission
from clinic_tracker.domain.vocabulary import Role
from clinic_tracker.models.access import Clinic, Membership, User, UserSession
from clinic_tracker.models.base import db
from clinic_tracker.queries.accounts import CurrentSession, find_session
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.unit_of_work import begin_write, unit_of_work

MOST_FAILURES = 5
LOCKED_FOR = timedelta(minutes=30)
SHORTEST_PASSWORD = 12
WEAKEST_SCORE = 3  # of 0 to 4
LOCKED = "Too many wrong passwords. Wait 30 minutes, or ask an administrator."
NOT_SIGNED_IN = "The e-mail address or the password is not right."
_SEEN_EVERY = timedelta(seconds=60)

_hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
_NOBODY = _hasher.hash(secrets.token_urlsafe(16))


@dataclass(frozen=True, slots=True)
class SignIn:
    """A new session: the secret token for the cookie, and whether the one-time password must be changed."""

    token: str
    must_change_password: bool


def hash_password(_scope: Scope, password: str) -> str:
    """The argon2id hash of a password."""
    return _hasher.hash(password)


def sign_in(scope: Scope, email: str, password: str) -> SignIn:
    """Check a password and open a session.

    Raises RuleViolation with the same words for an unknown address, a wrong password and an inactive person; with
    code ``locked`` after five wrong passwords in a row, for half an hour.
    """
    failure: RuleViolation | None = None
    outcome: SignIn | None = None
    with unit_of_work(scope):
        user = db.session.execute(
            select(User).where(User.email == email.strip().lower()).with_for_update()
        ).scalar_one_or_none()
        if user is not None and user.locked_until is not None and user.locked_until > scope.now:
            failure = RuleViolation("locked", None, LOCKED)
            _note_refusal(scope, AuditAction.SIGN_IN_FAILED, user)
        elif not _password_matches(user, password) or user is None or not user.is_active:
            failure = RuleViolation("not_signed_in", None, NOT_SIGNED_IN)
            _note_failure(scope, user)
        else:
            outcome = _open_session(scope, user, password)
    if failure is not None:
        raise failure
    assert outcome is not None
    return outcome


def verify_colleague(scope: Scope, email: str, password: str) -> int:
    """The key of a colleague who confirms something at this screen with their own password; opens no session.

    RuleViolation on ``password`` with the same words for an unknown address, a wrong password, an inactive person and
    one who may not record treatment in this clinic; with code ``locked`` as for signing in, whose count it shares.
    """
    failure: RuleViolation | None = None
    with unit_of_work(scope):
        user = db.session.execute(
            select(User).where(User.email == email.strip().lower()).with_for_update()
        ).scalar_one_or_none()
        if user is not None and user.locked_until is not None and user.locked_until > scope.now:
            failure = RuleViolation("locked", "password", LOCKED)
            _note_refusal(scope, AuditAction.SIGN_IN_FAILED, user)
        elif not _password_matches(user, password) or user is None or not _may_treat(scope, user):
            failure = RuleViolation("not_verified", "password", NOT_SIGNED_IN)
            _note_failure(scope, user)
        elif user.must_change_password:
            message = "This password was given for one use: sign in with it once and choose your own."
            failure = RuleViolation("one_time_password", "password", message)
        else:
            user.failed_sign_ins, user.locked_until = 0, None
    if failure is not None:
        raise failure
    assert user is not None
    return user.id


def sign_out(scope: Scope, token: str) -> None:
    """End a session; harmless when it has ended already."""
    with unit_of_work(scope):
        _end(scope, UserSession.token_hash == token_hash(scope, token))
        audit.note(scope, AuditAction.SIGN_OUT, subject_type="user_account", subject_id=scope.user_id)


def choose_clinic(scope: Scope, token: str, slug: str) -> None:
    """Make one of the person's clinics the clinic of the session. RuleViolation if it is not theirs."""
    with unit_of_work(scope):
        clinic_id = db.session.execute(
            select(Clinic.id)
            .join(Membership, Membership.clinic_id == Clinic.id)
            .where(Clinic.slug == slug, Membership.user_id == scope.user_id, Membership.ended_on.is_(None))
        ).scalar_one_or_none()
        if clinic_id is None:
            raise RuleViolation("not_a_member", "clinic", "Choose one of your clinics.")
        db.session.execute(
            update(UserSession).where(UserSession.token_hash == token_hash(scope, token)).values(clinic_id=clinic_id)
        )
        audit.note(
            replace(scope, clinic_id=clinic_id), AuditAction.CLINIC_CHOSEN, subject_type="clinic", subject_id=clinic_id
        )


def change_password(scope: Scope, token: str, current: str, new: str) -> None:
    """Change one's own password; the person's other sessions end. RuleViolation for a wrong or a weak password."""
    with unit_of_work(scope):
        user = db.session.execute(select(User).where(User.id == scope.user_id).with_for_update()).scalar_one()
        if not _password_matches(user, current):
            raise RuleViolation("wrong_password", "current", "The current password is not right.")
        check_password(scope, new, user.email, user.name)
        if current == new:
            raise RuleViolation("same_password", "new", "Choose a password that differs from the current one.")
        user.password_hash = _hasher.hash(new)
        user.must_change_password = False
        _end(scope, (UserSession.user_id == user.id) & (UserSession.token_hash != token_hash(scope, token)))
        audit.note(scope, AuditAction.PASSWORD_CHANGED, subject_type="user_account", subject_id=user.id)


def check_password(_scope: Scope, password: str, *words: str) -> None:
    """Refuse a short or a guessable password (RuleViolation on field ``new``); any characters are welcome."""
    if len(password) < SHORTEST_PASSWORD:
        raise RuleViolation("short_password", "new", f"Use at least {SHORTEST_PASSWORD} characters.")
    # zxcvbn refuses more than 72 characters; what follows them can only make a password stronger.
    verdict = zxcvbn.zxcvbn(password[:72], user_inputs=[*words, "lemtrada", "alemtuzumab", "clinic", "tracker"])
    if verdict["score"] < WEAKEST_SCORE:
        hint = " ".join(verdict["feedback"]["suggestions"]) or "Use several unrelated words."
        raise RuleViolation("weak_password", "new", f"This password is easy to guess. {hint}")


def resume_session(
    scope: Scope, token: str, idle: timedelta, lifetime: timedelta, *, by_person: bool = True
) -> CurrentSession | None:
    """Who a session belongs to, or None once it has ended, idled too long or grown too old.

    A page that refreshes itself is no sign of a person (``by_person=False``): it does not put off the idle sign-out.
    """
    current = find_session(scope, token_hash(scope, token))
    if current is None or current.last_seen_at + idle <= scope.now or current.created_at + lifetime <= scope.now:
        return None
    if by_person and current.last_seen_at + _SEEN_EVERY <= scope.now:
        begin_write(scope)
        db.session.execute(
            update(UserSession).where(UserSession.id == current.session_id).values(last_seen_at=scope.now)
        )
        db.session.commit()
    return current


def token_hash(_scope: Scope, token: str) -> str:
    """What the database keeps of a session token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _password_matches(user: User | None, password: str) -> bool:
    """Compare in the same time whether or not there is such a person."""
    try:
        return _hasher.verify(user.password_hash if user is not None else _NOBODY, password) and user is not None
    except (VerificationError, InvalidHashError):
        return False


def _may_treat(scope: Scope, user: User) -> bool:
    role = db.session.execute(
        select(Membership.role).where(
            Membership.user_id == user.id, Membership.clinic_id == scope.clinic_id, Membership.ended_on.is_(None)
        )
    ).scalar_one_or_none()
    return user.is_active and role is not None and Permission.RECORD_TREATMENT in ROLE_PERMISSIONS[Role(role)]


def _note_failure(scope: Scope, user: User | None) -> None:
    if user is not None:
        user.failed_sign_ins += 1
        if user.failed_sign_ins >= MOST_FAILURES:
            user.failed_sign_ins = 0
            user.locked_until = scope.now + LOCKED_FOR
            _note_refusal(scope, AuditAction.SIGN_IN_LOCKED, user)
    _note_refusal(scope, AuditAction.SIGN_IN_FAILED, user)


def _note_refusal(scope: Scope, action: AuditAction, user: User | None) -> None:
    """In the trail of each clinic where the person has a role; of no clinic where there is none, or no such person."""
    clinics = _clinics_of(user) if user is not None else []
    for clinic_id in clinics or [0]:
        audit.note(
            replace(scope, clinic_id=clinic_id),
            action,
            subject_type="user_account",
            subject_id=user.id if user is not None else None,
            after={"account": user.email} if user is not None else None,
        )


def _clinics_of(user: User) -> list[int]:
    """The keys of the clinics where a person has a role now."""
    current = select(Membership.clinic_id).where(Membership.user_id == user.id, Membership.ended_on.is_(None))
    return list(db.session.scalars(current.order_by(Membership.clinic_id)))


def _open_session(scope: Scope, user: User, password: str) -> SignIn:
    token = secrets.token_urlsafe(32)
    user.failed_sign_ins = 0
    user.locked_until = None
    if _hasher.check_needs_rehash(user.password_hash):
        user.password_hash = _hasher.hash(password)
    clinics = _clinics_of(user)
    only_clinic = clinics[0] if len(clinics) == 1 else None
    db.session.add(
        UserSession(
            token_hash=token_hash(scope, token),
            user_id=user.id,
            clinic_id=only_clinic,
            created_at=scope.now,
            last_seen_at=scope.now,
        )
    )
    signed_in = replace(scope, user_id=user.id, system_actor=None, clinic_id=only_clinic or 0)
    audit.note(signed_in, AuditAction.SIGN_IN, subject_type="user_account", subject_id=user.id)
    return SignIn(token, user.must_change_password)


def _end(scope: Scope, condition: object) -> None:
    db.session.execute(
        update(UserSession).where(condition, UserSession.ended_at.is_(None)).values(ended_at=scope.now)  # type: ignore[arg-type]
    )

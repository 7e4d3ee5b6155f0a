"""Signing in, sessions, lock-out, passwords."""

from collections import Counter
from datetime import timedelta

import pytest

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.models.access import Membership, User
from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.queries.audit_trail import TrailFilter, changes
from clinic_tracker.services import accounts
from clinic_tracker.services.accounts import MOST_FAILURES, resume_session, sign_in
from tests.fixtures.people import LONG_AGO, PASSWORD

IDLE, LIFETIME = timedelta(minutes=15), timedelta(hours=12)


@pytest.fixture
def visitor(scope_for, cast):
    """The scope of somebody who has not signed in."""
    return lambda: scope_for(cast.staff, user_id=None, system_actor="visitor", clinic_id=0, permissions=frozenset())


def resumed(scope, token):
    return resume_session(scope, token, IDLE, LIFETIME)


def fail(visitor, email, times=1):
    for _ in range(times):
        with pytest.raises(RuleViolation):
            sign_in(visitor(), email, "not the password")


def actions():
    return list(db.session.scalars(db.select(AuditEvent.action).order_by(AuditEvent.id)))


def test_the_right_password_opens_a_session_in_the_only_clinic(visitor, cast):
    opened = sign_in(visitor(), cast.staff.email.upper(), PASSWORD)

    session = resumed(visitor(), opened.token)
    assert session.user_id == cast.staff.user_id
    assert session.clinic_slug == "northside"
    assert actions() == ["session.sign_in"]


def test_an_unknown_address_and_a_wrong_password_are_told_the_same(visitor, cast):
    messages = set()
    for email, password in ((cast.staff.email, "wrong"), ("nobody@nowhere.example", PASSWORD)):
        with pytest.raises(RuleViolation) as refused:
            sign_in(visitor(), email, password)
        messages.add(refused.value.message)

    assert len(messages) == 1


def test_five_wrong_passwords_lock_the_account_for_half_an_hour(visitor, cast, clock):
    fail(visitor, cast.staff.email, MOST_FAILURES)

    with pytest.raises(RuleViolation) as refused:
        sign_in(visitor(), cast.staff.email, PASSWORD)
    assert refused.value.code == "locked"
    clock.forward(minutes=31)
    assert sign_in(visitor(), cast.staff.email, PASSWORD).token
    assert "session.locked" in actions()


def test_wrong_passwords_stand_in_the_trail_of_each_clinic_of_the_person(visitor, cast, scope_for):
    db.session.add(
        Membership(
            clinic_id=cast.southside.id,
            user_id=cast.staff.user_id,
            role="staff",
            started_on=scope_for(cast.staff).today,
        )
    )
    db.session.commit()
    fail(visitor, cast.staff.email, MOST_FAILURES + 1)  # the last of them while the account is locked

    for person in (cast.administrator, cast.stranger):
        rows = changes(scope_for(person), TrailFilter())
        told = Counter((row.actor, row.action, row.after["account"]) for row in rows)
        assert told == {
            ("visitor", "session.sign_in_failed", cast.staff.email): MOST_FAILURES + 1,
            ("visitor", "session.locked", cast.staff.email): 1,
        }


def test_wrong_passwords_of_nobody_and_of_who_has_left_stand_in_no_clinic(visitor, cast, scope_for):
    db.session.scalars(db.select(Membership).filter_by(user_id=cast.staff.user_id)).one().ended_on = LONG_AGO
    db.session.commit()
    fail(visitor, cast.staff.email)
    fail(visitor, "nobody@nowhere.example")

    assert changes(scope_for(cast.administrator), TrailFilter()) == []
    assert actions() == ["session.sign_in_failed"] * 2


def test_a_success_forgets_the_wrong_passwords_before(visitor, cast):
    fail(visitor, cast.staff.email, MOST_FAILURES - 1)
    sign_in(visitor(), cast.staff.email, PASSWORD)

    fail(visitor, cast.staff.email, MOST_FAILURES - 1)

    assert sign_in(visitor(), cast.staff.email, PASSWORD).token


def test_a_session_ends_after_idling_and_at_the_latest_after_its_lifetime(visitor, cast, clock):
    token = sign_in(visitor(), cast.staff.email, PASSWORD).token
    clock.forward(minutes=14)
    assert resumed(visitor(), token)
    clock.forward(minutes=14)
    assert resumed(visitor(), token)
    clock.forward(minutes=15)
    assert resumed(visitor(), token) is None

    token = sign_in(visitor(), cast.staff.email, PASSWORD).token
    for _ in range(int(LIFETIME / timedelta(minutes=10)) - 1):
        clock.forward(minutes=10)
        assert resumed(visitor(), token)
    clock.forward(minutes=10)
    assert resumed(visitor(), token) is None


def test_signing_out_ends_the_session_at_once(visitor, cast, scope_for):
    token = sign_in(visitor(), cast.staff.email, PASSWORD).token

    accounts.sign_out(scope_for(cast.staff), token)

    assert resumed(visitor(), token) is None


def test_an_inactive_person_cannot_sign_in_or_go_on(visitor, cast):
    token = sign_in(visitor(), cast.staff.email, PASSWORD).token
    db.session.get(User, cast.staff.user_id).is_active = False
    db.session.commit()

    assert resumed(visitor(), token) is None
    with pytest.raises(RuleViolation):
        sign_in(visitor(), cast.staff.email, PASSWORD)


def test_a_changed_password_ends_the_other_sessions(visitor, cast, scope_for):
    here, there = (sign_in(visitor(), cast.staff.email, PASSWORD).token for _ in range(2))

    accounts.change_password(scope_for(cast.staff), here, PASSWORD, "walnut-signal-orbit-77")

    assert resumed(visitor(), here)
    assert resumed(visitor(), there) is None
    assert sign_in(visitor(), cast.staff.email, "walnut-signal-orbit-77").token


@pytest.mark.parametrize(
    "current, new, code",
    [
        ("not the password", "walnut-signal-orbit-77", "wrong_password"),
        (PASSWORD, "short", "short_password"),
        (PASSWORD, "passwordpassword", "weak_password"),
        (PASSWORD, PASSWORD, "same_password"),
    ],
)
def test_a_password_that_will_not_do_is_refused(visitor, cast, scope_for, current, new, code):
    token = sign_in(visitor(), cast.staff.email, PASSWORD).token

    with pytest.raises(RuleViolation) as refused:
        accounts.change_password(scope_for(cast.staff), token, current, new)

    assert refused.value.code == code
    assert sign_in(visitor(), cast.staff.email, PASSWORD).token


def test_a_clinic_of_others_cannot_be_chosen(visitor, cast, scope_for):
    token = sign_in(visitor(), cast.staff.email, PASSWORD).token

    with pytest.raises(RuleViolation):
        accounts.choose_clinic(scope_for(cast.staff), token, "southside")

    assert resumed(visitor(), token).clinic_slug == "northside"

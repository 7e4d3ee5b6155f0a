"""One transaction, begun for writing: it waits its turn, and what somebody else recorded first is told in words."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.models.access import Clinic, Prescriber
from clinic_tracker.models.audit import AccessEvent
from clinic_tracker.models.base import db
from clinic_tracker.services import accounts
from clinic_tracker.services.audit import record_access
from clinic_tracker.services.unit_of_work import unit_of_work
from tests.fixtures.people import open_session

IDLE, LIFETIME = timedelta(minutes=15), timedelta(hours=12)


def elsewhere(app: Any, act: Callable[[], Any]) -> None:
    """Do something in a session of its own, as another request does."""

    def run() -> None:
        with app.app_context():
            act()
            db.session.remove()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


def new_prescriber(scope, npi):
    return Prescriber(clinic_id=scope.clinic_id, name="Dr. Nour Adel", npi=npi)


@pytest.fixture
def write(scope_for, cast):
    """What another person records meanwhile."""
    scope = scope_for(cast.administrator)

    def act():
        with unit_of_work(scope):
            db.session.add(new_prescriber(scope, None))

    return act


def test_a_look_is_noted_although_somebody_wrote_while_the_page_was_read(app, cast, scope_for, write):
    scope = scope_for(cast.staff)
    db.session.commit()
    db.session.execute(select(Clinic.id)).all()
    elsewhere(app, write)
    record_access(scope, "worklists.index", patient_ids=[1])
    assert len(db.session.execute(select(AccessEvent)).all()) == 1


def test_a_session_goes_on_although_somebody_wrote_meanwhile(app, cast, scope_for, clock, write, monkeypatch):
    token = open_session(cast.staff, clock)
    clock.forward(minutes=5)
    scope, find = scope_for(cast.staff), accounts.find_session

    def find_and_be_overtaken(*arguments):
        found = find(*arguments)
        elsewhere(app, write)
        return found

    monkeypatch.setattr(accounts, "find_session", find_and_be_overtaken)
    assert accounts.resume_session(scope, token, IDLE, LIFETIME) is not None
    assert find(scope, accounts.token_hash(scope, token)).last_seen_at == scope.now


def test_what_somebody_recorded_in_the_same_moment_is_told_in_words(cast, scope_for):
    scope = scope_for(cast.administrator)
    with pytest.raises(RuleViolation) as refused, unit_of_work(scope):
        db.session.add_all([new_prescriber(scope, "1003000999"), new_prescriber(scope, "1003000999")])
    assert refused.value.code == "recorded_meanwhile"
    assert "nothing was saved" in refused.value.message
    assert db.session.scalar(select(Prescriber).where(Prescriber.npi == "1003000999")) is None

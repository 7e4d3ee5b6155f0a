"""Two people do the same thing in the same moment: one wins, the other is told. Run on both databases."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.readiness import Answers
from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.treatment import Infusion
from clinic_tracker.services.infusion_day import discharge_patient
from clinic_tracker.services.infusions import start_infusion
from tests.treated import Treated, add_patient


@pytest.fixture
def treated(cast, scope_for) -> Treated:
    ready = add_patient(cast, scope_for)
    ready.make_ready()
    ready.prepare()
    return ready


def both(app, *acts: Callable[[], Any]) -> list[Any]:
    """Do all acts at the same moment, each in a thread with a session of its own; results or refusals in order."""
    gate, results = threading.Barrier(len(acts)), [None] * len(acts)

    def run(index: int, act: Callable[[], Any]) -> None:
        with app.app_context():
            gate.wait()
            try:
                results[index] = act()
            except RuleViolation as violation:
                results[index] = violation
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_of_two_signatures_one_wins_and_the_other_is_told_who_and_when(app, treated, clock, cast, scope_for):
    infusion = treated.start()
    clock.forward(minutes=245)
    treated.end(infusion)
    clock.forward(minutes=121)
    scopes = [scope_for(cast.staff), scope_for(cast.neurologist)]
    db.session.commit()

    def sign(scope):
        return lambda: discharge_patient(
            scope,
            treated.patient,
            infusion,
            discharged_at=scope.now,
            stroke_advice_given=True,
            late_reaction_advice_given=True,
        )

    results = both(app, *(sign(scope) for scope in scopes))
    refused = [result for result in results if result is not None]
    assert [violation.code for violation in refused] == ["already_discharged"]
    winner = scopes[results.index(None)]
    assert winner.actor_name in refused[0].message
    assert "22-Jan-2026 16:36" in refused[0].message
    db.session.expire_all()
    row = db.session.execute(select(Infusion)).scalar_one()
    assert row.discharged_by_id == winner.user_id
    signed = select(AuditEvent).where(AuditEvent.action == "infusion.discharged")
    assert len(db.session.execute(signed).all()) == 1


@pytest.mark.parametrize("same_form", [True, False])
def test_a_double_start_makes_one_infusion(app, treated, cast, scope_for, same_form):
    scope = scope_for(cast.staff)
    facts = treated.facts()
    db.session.commit()

    def start(token):
        return lambda: start_infusion(
            scope,
            treated.patient,
            treated.course,
            facts,
            answers=Answers(True, True, True, True),
            form_token=token,
        )

    results = both(app, start("one"), start("one" if same_form else "two"))
    db.session.expire_all()
    rows = db.session.execute(select(Infusion)).scalars().all()
    assert len(rows) == 1
    if same_form:
        assert results == [rows[0].public_id] * 2
    else:
        refused = [result for result in results if isinstance(result, RuleViolation)]
        assert [violation.code for violation in refused] == ["day_already_recorded"]

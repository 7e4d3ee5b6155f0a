"""Two neurologists review the same results in the same moment: each is signed and answered once. On both databases."""

from datetime import date

import pytest

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.vocabulary import FindingAction, Panel, Role
from clinic_tracker.models.base import db
from clinic_tracker.services.acknowledgements import Answer, acknowledge
from clinic_tracker.services.reviews import review_reports
from tests.factories import register
from tests.fixtures.people import add_person
from tests.reviewed import answers, reports, tasks
from tests.services.test_two_at_once import both

DRAWN = date(2026, 1, 12)


@pytest.fixture
def doctors(cast, clock, scope_for):
    second = add_person(clock, cast.northside, "Vera Lund", Role.NEUROLOGIST)
    db.session.commit()
    return [scope_for(cast.neurologist), scope_for(second)]


def test_each_result_is_signed_once(app, cast, scope_for, doctors):
    register(scope_for(cast.staff)).results(DRAWN)
    ids = [row.public_id for row in reports()]
    db.session.commit()
    done = both(app, *(lambda scope=scope: review_reports(scope, ids) for scope in doctors))
    db.session.expire_all()
    assert sorted(result.reviewed for result in done) == [0, 5]
    assert sorted(result.already for result in done) == [0, 5]
    assert len({row.reviewed_by_id for row in reports()}) == 1


def test_each_finding_is_answered_once_and_followed_up_once(app, cast, scope_for, doctors):
    chart = register(scope_for(cast.staff)).results(DRAWN, Panel.CBC_DIFF, platelets="48")
    (report,) = [row.public_id for row in reports()]
    answer = Answer("platelets_very_low", FindingAction.REPEAT_ORDERED, None, date(2026, 1, 24))
    db.session.commit()
    done = both(
        app, *(lambda scope=scope: acknowledge(scope, chart.id, report, [answer], signed=True) for scope in doctors)
    )
    db.session.expire_all()
    (refused,) = [result for result in done if isinstance(result, RuleViolation)]
    winner = doctors[done.index(None)]
    assert refused.code == "already_answered"
    assert winner.actor_name in refused.message
    assert (len(answers()), len(tasks()), reports()[0].reviewed_by_id) == (1, 1, winner.user_id)


def test_a_result_that_comes_while_normals_are_signed_is_not_signed_unseen(app, cast, scope_for, doctors):
    chart = register(scope_for(cast.staff)).results(DRAWN, Panel.CREATININE)
    (report,) = [row.public_id for row in reports()]
    db.session.commit()
    both(
        app,
        lambda: review_reports(doctors[0], [report], seen={report: "what it looked like"}),
        lambda: chart.results(date(2025, 12, 1), Panel.CREATININE, creatinine="0.4"),
    )
    db.session.expire_all()
    row = reports(public_id=report)[0]
    assert (row.worst_level, row.reviewed_at) == ("red", None)

"""Cover for a prescriber who is away: arranged with dates, never twice, withdrawn, kept."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from clinic_tracker.domain.errors import NotFound, RuleViolation
from clinic_tracker.domain.vocabulary import Role
from clinic_tracker.models.access import User
from clinic_tracker.models.base import db
from clinic_tracker.queries.cover import covering_today, covers, prescribers_to_cover, reviewers
from clinic_tracker.queries.scope import PermissionDenied, Scope
from clinic_tracker.services.cover import arrange_cover, withdraw_cover
from tests.fixtures.clock import Clock
from tests.fixtures.people import Cast, Person, add_person, add_prescriber

TODAY = date(2026, 1, 22)


@pytest.fixture
def second(cast: Cast, clock: Clock) -> Person:
    person = add_person(clock, cast.northside, "Vera Lund", Role.NEUROLOGIST)
    add_prescriber(person, "1003000142")
    db.session.commit()
    return person


@pytest.fixture
def administrator(cast: Cast, scope_for: Callable[..., Scope]) -> Scope:
    return scope_for(cast.administrator)


def key(person: Person) -> UUID:
    return db.session.query(User).filter_by(id=person.user_id).one().public_id


def arrange(scope: Scope, cast: Cast, by: Person, **values: Any) -> UUID:
    given = {"prescriber": cast.prescriber.public_id, "covered_by": key(by), "from_on": TODAY, "to_on": TODAY, **values}
    return arrange_cover(scope, **given)


def test_cover_holds_from_its_first_to_its_last_day(
    administrator: Scope, cast: Cast, second: Person, clock: Clock, scope_for: Callable[..., Scope]
) -> None:
    arrange(administrator, cast, second, from_on=TODAY + timedelta(days=1), to_on=TODAY + timedelta(days=2))
    held = []
    for _ in range(4):
        held.append(covering_today(scope_for(cast.staff)))
        clock.forward(days=1)
    assert held == [{}, {"Dr. Tomas Rey": "Vera Lund"}, {"Dr. Tomas Rey": "Vera Lund"}, {}]


def test_a_prescriber_arranges_it_for_oneself_only(cast: Cast, second: Person, scope_for: Callable[..., Scope]) -> None:
    own = scope_for(cast.neurologist)
    assert [name for _, name in prescribers_to_cover(own)] == ["Dr. Tomas Rey"]
    assert [name for _, name in prescribers_to_cover(scope_for(cast.administrator))] == [
        "Dr. Tomas Rey",
        "Dr. Vera Lund",
    ]
    assert [name for _, name in reviewers(own)] == ["Tomas Rey", "Vera Lund"]
    cover = arrange(own, cast, second)
    with pytest.raises(PermissionDenied):
        arrange(scope_for(second), cast, second)
    with pytest.raises(PermissionDenied):
        withdraw_cover(scope_for(second), cover)
    withdraw_cover(own, cover)
    assert covers(own)[0].withdrawn_at == own.now
    with pytest.raises(RuleViolation, match="withdrawn already"):
        withdraw_cover(own, cover)


def test_what_makes_no_sense_is_refused(administrator: Scope, cast: Cast, second: Person) -> None:
    for values, code in [
        ({"to_on": TODAY - timedelta(days=1)}, "order"),
        ({"from_on": TODAY - timedelta(days=9), "to_on": TODAY - timedelta(days=1)}, "past_date"),
        ({"covered_by": key(cast.neurologist)}, "same_person"),
        ({"covered_by": key(cast.staff)}, "covered_by"),
        ({"covered_by": key(cast.stranger_neurologist)}, "covered_by"),
        ({"covered_by": None}, "covered_by"),
        ({"prescriber": cast.other_prescriber.public_id}, "prescriber"),
        ({"prescriber": None}, "prescriber"),
    ]:
        with pytest.raises(RuleViolation) as refused:
            arrange(administrator, cast, second, **values)
        assert refused.value.code == code
    assert covers(administrator) == []


def test_nobody_is_covered_twice_on_a_day_and_a_form_counts_once(
    administrator: Scope, cast: Cast, second: Person
) -> None:
    first = arrange(administrator, cast, second, form_token="one")
    assert arrange(administrator, cast, second, form_token="one") == first
    with pytest.raises(RuleViolation, match="22-Jan-2026 to 22-Jan-2026 already"):
        arrange(administrator, cast, second)
    withdraw_cover(administrator, first)
    arrange(administrator, cast, second)


def test_only_administrators_and_neurologists_arrange_it(
    cast: Cast, second: Person, scope_for: Callable[..., Scope]
) -> None:
    with pytest.raises(PermissionDenied):
        arrange(scope_for(cast.staff), cast, second)
    with pytest.raises(NotFound):
        withdraw_cover(scope_for(cast.administrator), uuid4())

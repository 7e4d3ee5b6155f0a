"""Chairs of the suite: names that are unique, an order, and no use of a retired one."""

import pytest

from clinic_tracker.domain.errors import NotFound, RuleViolation
from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.queries.chairs import chairs
from clinic_tracker.queries.scope import PermissionDenied
from clinic_tracker.services.chairs import add_chair, move_chair, reactivate_chair, rename_chair, retire_chair
from tests.booked import add_chairs


@pytest.fixture
def scope(cast, scope_for):
    return scope_for(cast.administrator)


def names(scope):
    return [row.name for row in chairs(scope, in_use=True)]


def actions():
    return list(db.session.scalars(db.select(AuditEvent.action).order_by(AuditEvent.id)))


def test_chairs_come_in_the_order_in_which_they_were_added(scope):
    add_chairs(scope, "10", "2", " Bed   A ")

    assert names(scope) == ["10", "2", "Bed A"]
    assert actions() == ["chair.added"] * 3


def test_the_same_form_sent_twice_adds_one_chair(scope):
    first = add_chair(scope, name="1", form_token="once")
    again = add_chair(scope, name="1", form_token="once")

    assert first == again
    assert names(scope) == ["1"]


@pytest.mark.parametrize(
    "name, code", [("  ", "name"), ("bed a", "name_taken"), ("x" * 21, "name_too_long"), ("BED  A", "name_taken")]
)
def test_a_name_that_will_not_do(scope, name, code):
    add_chairs(scope, "Bed A")

    with pytest.raises(RuleViolation) as refused:
        add_chair(scope, name=name)

    assert (refused.value.code, refused.value.field) == (code, "name")


def test_a_chair_is_renamed_and_may_keep_its_own_name(scope):
    one, _other = add_chairs(scope, "1", "2")

    rename_chair(scope, one, name="1")
    rename_chair(scope, one, name="Window")
    with pytest.raises(RuleViolation, match="There is a chair with the name 2"):
        rename_chair(scope, one, name="2")

    assert names(scope) == ["Window", "2"]
    assert actions() == ["chair.added", "chair.added", "chair.renamed"]


def test_the_order_is_changed_step_by_step_and_ends_at_the_ends(scope):
    one, two, three = add_chairs(scope, "1", "2", "3")

    move_chair(scope, three, up=True)
    assert names(scope) == ["1", "3", "2"]
    move_chair(scope, one, up=True)
    move_chair(scope, two, up=False)
    assert names(scope) == ["1", "3", "2"]


def test_a_retired_chair_keeps_its_name_and_comes_back_as_the_last(scope):
    one, _two = add_chairs(scope, "1", "2")

    retire_chair(scope, one)
    retire_chair(scope, one)
    assert names(scope) == ["2"]
    with pytest.raises(RuleViolation, match="can be taken back into use"):
        add_chair(scope, name="1")
    with pytest.raises(RuleViolation, match="not in use"):
        move_chair(scope, one, up=True)
    reactivate_chair(scope, one)

    assert names(scope) == ["2", "1"]
    assert actions()[2:] == ["chair.retired", "chair.reactivated"]


def test_only_who_manages_the_clinic_manages_its_chairs(cast, scope_for):
    for person in (cast.staff, cast.neurologist, cast.auditor):
        with pytest.raises(PermissionDenied):
            add_chair(scope_for(person), name="1")


def test_a_chair_of_another_clinic_does_not_exist(cast, scope, scope_for):
    (theirs,) = add_chairs(scope_for(cast.stranger, permissions=scope.permissions), "1")

    for change in (retire_chair, reactivate_chair):
        with pytest.raises(NotFound):
            change(scope, theirs)
    with pytest.raises(NotFound):
        rename_chair(scope, theirs, name="2")
    assert names(scope) == []
    add_chairs(scope, "1")

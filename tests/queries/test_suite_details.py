"""What the board tells of each patient, in a fixed number of statements; and whether anything happened at all."""

from datetime import timedelta

import pytest
from sqlalchemy import event

from clinic_tracker.models.base import db
from clinic_tracker.queries.suite import suite
from clinic_tracker.queries.suite_details import suite_details
from clinic_tracker.queries.suite_version import clinic_version
from tests.suite_parts import add_chair, book, check_drug, note_change, pause, react
from tests.treated import Treated, add_patient


@pytest.fixture
def ready(cast, scope_for):
    def make(name: str) -> Treated:
        treated = add_patient(cast, scope_for, family_name=name)
        treated.make_ready()
        treated.prepare()
        return treated

    return make


def details_of(scope):
    found = suite(scope)
    return found, suite_details(scope, found)


def statements_of(act):
    seen = []

    def note(_connection, _cursor, statement, *_rest):
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        act()
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    return [text for text in seen if text.startswith("SELECT")]


def test_what_waits_for_the_start_is_told_of_the_planned_patient(ready, cast, clock):
    one = ready("Adams")
    chair = add_chair(one.scope, "4")
    book(one, chair, clock.now + timedelta(minutes=30), "Robin Lee, RN")
    check_drug(one, cast.staff.user_id)
    found, details = details_of(one.scope)
    place = found.planned[0].place
    assert details.vitals[place].taken_at == clock.now - timedelta(minutes=20)
    assert place in details.steroids
    assert details.drug_checks == {place: 1}
    assert details.bookings[place[0]].chair_name == "4"
    assert details.chairs == ("4",)


def test_the_parts_of_a_running_infusion_are_told(ready, cast, clock):
    one = ready("Adams")
    infusion = one.start()
    clock.forward(minutes=30)
    pause(one, infusion, clock.now)
    react(one, infusion, is_serious=True)
    check_drug(one, cast.staff.user_id, infusion)
    check_drug(one, cast.neurologist.user_id, infusion)
    found, details = details_of(one.scope)
    row = found.infusing[0]
    assert details.pauses[row.infusion_id][0].ended_at is None
    assert details.reactions[row.infusion_id][0].is_serious
    assert details.drug_checks == {row.place: 2}
    assert details.vitals[row.place].systolic == 118


def test_the_details_take_as_many_statements_for_one_patient_as_for_many(ready):
    first = ready("Adams")
    alone = statements_of(lambda: details_of(first.scope))
    others = [ready(f"Patient{number}") for number in range(4)]
    for one in others[:2]:
        one.start()
    assert len(statements_of(lambda: details_of(first.scope))) == len(alone) == 9


def test_another_clinics_chairs_and_parts_are_not_told(ready, cast, scope_for, clock):
    one = ready("Adams")
    book(one, add_chair(one.scope, "4"), clock.now)
    one.start()
    found, details = details_of(scope_for(cast.stranger))
    assert found.started == found.planned == ()
    assert (details.chairs, details.bookings, details.vitals) == ((), {}, {})


def test_somebody_signed_out_after_midnight_is_among_the_discharged(ready, clock):
    clock.set("2026-01-22 18:00")
    one = ready("Adams")
    infusion = one.start()
    clock.set("2026-01-22 22:30")
    one.end(infusion)
    clock.set("2026-01-23 00:40")
    one.discharge(infusion)
    assert [row.family_name for row in suite(one.scope).discharged] == ["Adams"]
    clock.set("2026-01-24 08:00")
    assert suite(one.scope).discharged == ()


def test_the_version_of_a_clinic_is_one_statement_and_changes_with_each_event(cast, scope_for, clock):
    scope = scope_for(cast.staff)
    before = clinic_version(scope)
    assert len(statements_of(lambda: clinic_version(scope))) == 1
    assert clinic_version(scope) == before
    note_change(scope)
    assert clinic_version(scope) != before


def test_an_event_that_began_earlier_and_committed_later_changes_the_version(cast, scope_for, clock):
    scope = scope_for(cast.staff)
    note_change(scope)
    before = clinic_version(scope)
    note_change(scope, clock.now - timedelta(minutes=2))
    assert clinic_version(scope) != before


def test_the_version_is_the_clinics_own_and_changes_with_the_day(cast, scope_for, clock):
    scope, other = scope_for(cast.staff), scope_for(cast.stranger)
    before = clinic_version(other)
    note_change(scope)
    assert clinic_version(other) == before != clinic_version(scope)
    clock.forward(days=1)
    assert clinic_version(scope_for(cast.stranger)) != before

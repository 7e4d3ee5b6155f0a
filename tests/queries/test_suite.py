"""The board of the suite: who is where, the earliest end first, nobody lost."""

from datetime import date, timedelta

import pytest
from sqlalchemy import event, update

from clinic_tracker.models.base import db
from clinic_tracker.models.treatment import Infusion, TreatmentCourse
from clinic_tracker.queries.suite import suite
from clinic_tracker.services.infusions import withdraw_infusion
from tests.suite_parts import add_chair, book
from tests.treated import Treated, add_patient


@pytest.fixture
def ready(cast, scope_for):
    def make(name: str) -> Treated:
        treated = add_patient(cast, scope_for, family_name=name)
        treated.make_ready()
        treated.prepare()
        return treated

    return make


def names(rows):
    return [row.family_name for row in rows]


def test_a_patient_passes_from_group_to_group_and_never_disappears(ready, clock):
    one = ready("Adams")
    assert names(suite(one.scope).planned) == ["Adams"]
    infusion = one.start()
    board = suite(one.scope)
    assert (names(board.planned), names(board.infusing), board.present) == ([], ["Adams"], 1)
    clock.forward(minutes=245)
    one.end(infusion)
    board = suite(one.scope)
    assert names(board.observing) == ["Adams"]
    assert board.next_out_at == clock.now + timedelta(minutes=120)
    clock.forward(minutes=120)
    assert names(suite(one.scope).observed) == ["Adams"]
    one.discharge(infusion)
    board = suite(one.scope)
    assert (names(board.discharged), board.present) == (["Adams"], 0)


def test_the_earliest_end_of_observation_comes_first(ready, clock):
    late, early = ready("Late"), ready("Early")
    first, second = late.start(), early.start()
    clock.forward(minutes=240)
    early.end(second)
    clock.forward(minutes=20)
    late.end(first)
    assert names(suite(late.scope).observing) == ["Early", "Late"]


def test_somebody_who_was_not_signed_out_yesterday_is_shown_until_it_is_done(ready, clock):
    one = ready("Adams")
    infusion = one.start()
    clock.forward(minutes=245)
    one.end(infusion)
    clock.forward(days=9)
    board = suite(one.scope)
    assert names(board.never_signed_out) == ["Adams"]
    one.discharge(infusion)
    assert suite(one.scope).never_signed_out == ()


def test_an_observation_past_midnight_is_still_an_observation(ready, clock):
    clock.set("2026-01-22 18:00")
    one = ready("Adams")
    infusion = one.start()
    clock.set("2026-01-22 22:30")
    one.end(infusion)
    clock.set("2026-01-23 00:10")
    board = suite(one.scope)
    assert (names(board.observing), names(board.planned)) == (["Adams"], [])


def test_the_next_day_of_a_course_is_planned_on_the_day_after(ready, clock):
    one = ready("Adams")
    infusion = one.start()
    clock.forward(minutes=245)
    one.end(infusion)
    clock.forward(minutes=120)
    one.discharge(infusion)
    assert suite(one.scope).planned == ()
    clock.set("2026-01-23 08:00")
    planned = suite(one.scope).planned
    assert [(row.day_number, row.expected_on) for row in planned] == [(2, date(2026, 1, 23))]
    clock.set("2026-01-25 08:00")
    assert suite(one.scope).planned[0].expected_on == date(2026, 1, 23)


def test_a_day_for_which_a_chair_is_booked_is_planned_however_long_ago_the_one_before_was(ready, clock):
    one = ready("Adams")
    infusion = one.start()
    clock.forward(minutes=245)
    one.end(infusion)
    clock.forward(minutes=120)
    one.discharge(infusion)
    clock.set("2026-02-05 07:00")
    assert suite(one.scope).planned == ()
    book(one, add_chair(one.scope, "1"), one.at("08:00"))
    assert [(row.day_number, row.expected_on) for row in suite(one.scope).planned] == [(2, date(2026, 2, 5))]


def test_a_booked_patient_is_planned_before_the_planned_start_and_without_one(ready):
    one = ready("Adams")
    book(one, add_chair(one.scope, "1"), one.at("08:00"))
    for planned_on in (one.scope.today + timedelta(days=3), None):
        db.session.execute(update(TreatmentCourse).values(planned_start_on=planned_on))
        db.session.commit()
        assert [row.expected_on for row in suite(one.scope).planned] == [one.scope.today]
    one.start()
    assert suite(one.scope).planned == ()


def test_days_after_the_fact_and_imported_days_sit_in_no_chair(cast, scope_for, clock):
    one = add_patient(cast, scope_for, baseline_on=date(2026, 1, 5))
    one.plan(date(2026, 1, 19))
    one.record_past(one.past(1, date(2026, 1, 19), discharged_at=None), reason="Paper")
    board = suite(one.scope)
    assert board.never_signed_out == board.infusing == board.observing == ()
    row = db.session.query(Infusion).one()
    row.is_back_entry, row.recorded_via, row.ended_at = False, "history import", None
    db.session.commit()
    assert suite(one.scope).never_signed_out == ()


def test_an_infusion_entered_in_error_leaves_the_board(ready):
    one = ready("Adams")
    infusion = one.start()
    withdraw_infusion(one.scope, one.patient, infusion, reason="Other patient")
    board = suite(one.scope)
    assert (board.infusing, names(board.planned)) == ((), ["Adams"])


def test_another_clinic_sees_its_own_board_only(ready, cast, scope_for):
    ready("Adams").start()
    board = suite(scope_for(cast.stranger))
    assert board.patient_ids == []


def test_the_board_takes_two_statements_whatever_the_number_of_patients(ready):
    patients = [ready(f"Patient{number}") for number in range(4)]
    for one in patients[:2]:
        one.start()
    scope, statements = patients[0].scope, []

    def note(_connection, _cursor, statement, *_rest):
        statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        suite(scope)
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    assert len([text for text in statements if text.startswith("SELECT")]) == 2

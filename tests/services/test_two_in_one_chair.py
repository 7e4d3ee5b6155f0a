"""Two people book the same chair in the same moment: one wins, the other is told. Run on both databases."""

from datetime import date

import pytest

from clinic_tracker.domain.errors import RuleViolation, StaleVersion
from clinic_tracker.models.base import db
from clinic_tracker.models.suite import ChairBooking
from clinic_tracker.services.booking_moves import Move, move_booking
from clinic_tracker.services.bookings import BookingPlan, book_days, cancel_booking
from tests.booked import LENGTH, add_chairs, book, days_from
from tests.services.test_two_at_once import both
from tests.treated import add_patient

MONDAY = date(2026, 1, 26)


@pytest.fixture
def chairs(cast, scope_for):
    return add_chairs(scope_for(cast.administrator), "1", "2")


@pytest.fixture
def pair(cast, scope_for, chairs):
    people = [add_patient(cast, scope_for, family_name=name) for name in ("Adams", "Ruiz")]
    for one in people:
        one.plan(MONDAY)
    return people


def booking(one, days, form_token=None):
    scope, patient, course = one.scope, one.patient, one.course
    plan = BookingPlan(days=days, minutes=LENGTH)
    return lambda: book_days(scope, patient, course, plan, form_token=form_token)


def standing():
    db.session.expire_all()
    return db.session.execute(db.select(ChairBooking).where(ChairBooking.cancelled_at.is_(None))).scalars().all()


def test_of_two_who_want_one_chair_one_wins_and_the_other_is_told_what_is_free(app, pair, chairs):
    acts = [booking(one, days_from(one, MONDAY, 3, chair=chairs[0])) for one in pair]
    db.session.commit()

    results = both(app, *acts)

    refused = [result for result in results if isinstance(result, RuleViolation)]
    assert [violation.code for violation in refused] == ["chair_taken"]
    assert "Free at the time wanted: Chair 2." in refused[0].message
    rows = standing()
    assert len(rows) == 3
    assert len({row.patient_id for row in rows}) == 1


def test_two_who_take_any_chair_get_two_chairs(app, pair):
    acts = [booking(one, days_from(one, MONDAY, 3)) for one in pair]
    db.session.commit()

    both(app, *acts)

    rows = standing()
    assert len(rows) == 6
    assert len({(row.booked_on, row.chair_id) for row in rows}) == 6


@pytest.mark.parametrize("same_form", [True, False])
def test_a_double_click_books_a_course_once(app, pair, same_form):
    one = pair[0]
    days = days_from(one, MONDAY)
    acts = [booking(one, days, "first"), booking(one, days, "first" if same_form else "second")]
    db.session.commit()

    results = both(app, *acts)

    assert len(standing()) == 5
    refused = [result for result in results if isinstance(result, RuleViolation)]
    assert [violation.code for violation in refused] == ([] if same_form else ["too_many_days"])


def test_of_two_who_move_and_cancel_one_day_one_wins(app, pair):
    one = pair[0]
    (made,) = book(one, *days_from(one, MONDAY, 1))
    scope, version = one.scope, standing()[0].version
    move = Move(starts_at=one.at("10:00", MONDAY), minutes=LENGTH)
    db.session.commit()

    def told(act):
        def run():
            try:
                act()
            except StaleVersion as stale:
                return stale
            return "done"

        return run

    results = both(
        app,
        told(lambda: move_booking(scope, one.patient, made, move, reason="Later", version=version)),
        told(lambda: cancel_booking(scope, one.patient, made, reason="A cold", version=version)),
    )

    assert results.count("done") == 1
    loser = next(result for result in results if result != "done")
    assert isinstance(loser, StaleVersion | RuleViolation)
    assert len(standing()) == (results[0] == "done")


def test_two_who_exchange_into_each_others_time_never_share_a_chair(app, pair, chairs):
    first, second = pair
    (one,) = book(first, *days_from(first, MONDAY, 1, at="07:00", chair=chairs[0]), minutes=300)
    (other,) = book(second, *days_from(second, MONDAY, 1, at="13:00", chair=chairs[0]), minutes=300)
    wanted = Move(starts_at=first.at("18:00", MONDAY), minutes=300, chair=chairs[0])
    scope = first.scope
    db.session.commit()

    results = both(
        app,
        lambda: move_booking(scope, first.patient, one, wanted, reason="x"),
        lambda: move_booking(scope, second.patient, other, wanted, reason="x"),
    )

    assert sum(isinstance(result, RuleViolation) for result in results) == 1
    assert len({row.starts_at for row in standing()}) == 2

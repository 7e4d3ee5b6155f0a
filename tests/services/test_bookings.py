"""Chairs for the days of a course: booked together or not at all, moved without loss, given back with a reason."""

from datetime import date, timedelta

import pytest

from clinic_tracker.domain.errors import NotFound, RuleViolation, StaleVersion
from clinic_tracker.domain.local_time import to_local
from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.suite import ChairBooking
from clinic_tracker.models.treatment import TreatmentCourse
from clinic_tracker.queries.chairs import bookings_of_patient
from clinic_tracker.queries.scope import PermissionDenied
from clinic_tracker.services.booking_moves import Move, move_booking
from clinic_tracker.services.bookings import DayWanted, cancel_booking, cancel_days
from clinic_tracker.services.chairs import retire_chair
from clinic_tracker.services.courses import discontinue_course
from tests.booked import LENGTH, add_chairs, book, days_from
from tests.treated import add_patient

MONDAY = date(2026, 1, 26)


@pytest.fixture
def chairs(cast, scope_for):
    return add_chairs(scope_for(cast.administrator), "1", "2", "3")


@pytest.fixture
def treated(cast, scope_for, chairs):
    ready = add_patient(cast, scope_for)
    ready.plan(MONDAY)
    return ready


@pytest.fixture
def other(cast, scope_for, chairs):
    ready = add_patient(cast, scope_for, family_name="Ruiz")
    ready.plan(MONDAY)
    return ready


def rows(treated):
    """Date, clock time and chair of every booking that stands."""
    zone = treated.scope.time_zone
    return [
        (row.booked_on, f"{to_local(row.starts_at, zone):%H:%M}", row.chair_name)
        for row in bookings_of_patient(treated.scope, treated.patient_id)
    ]


def move(treated, booking, starts_at, reason="The patient asked for it", **values):
    options = {name: values.pop(name) for name in ("version", "given") if name in values}
    wanted = Move(starts_at=starts_at, **{"minutes": LENGTH, **values})
    return move_booking(treated.scope, treated.patient, booking, wanted, reason=reason, **options)


def refusal(act, *arguments, **values):
    with pytest.raises(RuleViolation) as refused:
        act(*arguments, **values)
    return refused.value


def test_a_whole_course_is_booked_in_one_chair(treated):
    book(treated, *days_from(treated, MONDAY))

    assert rows(treated) == [(MONDAY + timedelta(days=day), "08:00", "1") for day in range(5)]
    events = list(db.session.scalars(db.select(AuditEvent).where(AuditEvent.action == "booking.made")))
    assert len(events) == 5
    assert events[0].after["chair"] == "1"


def test_who_takes_any_chair_gets_the_first_that_is_free_on_all_days(treated, other, chairs):
    book(other, *days_from(other, MONDAY + timedelta(days=2), 1, chair=chairs[0]))
    book(treated, *days_from(treated, MONDAY))

    assert {row[2] for row in rows(treated)} == {"2"}


def test_the_same_form_sent_twice_books_once(treated):
    booked = book(treated, *days_from(treated, MONDAY, 3), form_token="once")

    assert len(booked) == 3
    assert book(treated, *days_from(treated, MONDAY, 3), form_token="once") == []
    assert len(rows(treated)) == 3


def test_a_taken_chair_is_refused_with_what_is_free_and_nothing_is_booked(treated, other, chairs):
    book(other, *days_from(other, MONDAY + timedelta(days=1), 1, at="10:00", chair=chairs[1]))

    violation = refusal(book, treated, *days_from(treated, MONDAY, chair=chairs[1]))

    assert (violation.code, violation.field) == ("chair_taken", "days-1-chair")
    assert violation.message == (
        "Chair 2 is taken on 27-Jan-2026 from 10:00 to 18:00. Free at the time wanted: Chair 1, Chair 3."
    )
    assert "RUIZ" not in violation.message.upper()
    assert rows(treated) == []


def test_one_may_begin_when_the_other_leaves(treated, other, chairs):
    book(other, *days_from(other, MONDAY, 1, at="07:00", chair=chairs[0]), minutes=360)
    book(treated, *days_from(treated, MONDAY, 1, at="13:00", chair=chairs[0]), minutes=360)

    assert rows(treated) == [(MONDAY, "13:00", "1")]


def test_when_every_chair_is_taken_it_is_said(treated, other, chairs):
    for chair in chairs:
        someone = add_patient(treated.cast, treated.scope_for)
        someone.plan(MONDAY)
        book(someone, *days_from(someone, MONDAY, 1, chair=chair))

    violation = refusal(book, treated, *days_from(treated, MONDAY, 1))

    assert violation.code == "no_chair_free"
    assert violation.message == "No chair is free on 26-Jan-2026 from 08:00 to 16:00."


@pytest.mark.parametrize(
    "first, count, code",
    [(date(2026, 1, 21), 1, "past"), (date(2028, 2, 1), 1, "far_future"), (MONDAY, 6, "too_many_days")],
)
def test_days_that_cannot_be_booked(treated, first, count, code):
    assert refusal(book, treated, *days_from(treated, first, count)).code == code


def test_a_patient_has_one_chair_a_day(treated):
    book(treated, *days_from(treated, MONDAY, 1))

    assert refusal(book, treated, *days_from(treated, MONDAY, 1, at="14:00")).code == "day_taken"
    twice = [
        DayWanted(treated.at("08:00", MONDAY + timedelta(1))),
        DayWanted(treated.at("16:00", MONDAY + timedelta(1))),
    ]
    assert refusal(book, treated, *twice, minutes=60).code == "day_taken"


def test_a_retired_or_unknown_chair_is_not_booked(cast, treated, scope_for, chairs):
    retire_chair(scope_for(cast.administrator), chairs[0])

    violation = refusal(book, treated, *days_from(treated, MONDAY, 1, chair=chairs[0]))

    assert violation.code == "chair_retired"
    assert refusal(book, treated, *days_from(treated, MONDAY, 1, chair=treated.patient)).code == "unknown_chair"
    book(treated, *days_from(treated, MONDAY, 1))
    assert rows(treated)[0][2] == "2"


def test_a_course_that_ended_is_not_booked(treated):
    discontinue_course(
        treated.scope, treated.patient, treated.course, discontinued_on=treated.scope.today, reason="x", unused_vials=0
    )

    assert refusal(book, treated, *days_from(treated, MONDAY)).code == "course_discontinued"


@pytest.mark.parametrize("minutes", [0, 29, 1441])
def test_a_length_that_no_day_has(treated, minutes):
    assert refusal(book, treated, *days_from(treated, MONDAY, 1), minutes=minutes).code == "length"


def test_the_planned_start_follows_where_it_is_wished(treated):
    book(treated, *days_from(treated, MONDAY + timedelta(days=7)), start_too=True)

    course = db.session.execute(db.select(TreatmentCourse)).scalar_one()
    assert course.planned_start_on == MONDAY + timedelta(days=7)


def test_without_the_wish_the_planned_start_stays(treated):
    book(treated, *days_from(treated, MONDAY + timedelta(days=7)))

    assert db.session.execute(db.select(TreatmentCourse.planned_start_on)).scalar_one() == MONDAY


# ------------------------------------------------------------------------------------------------------ moves


def test_a_day_is_moved_to_another_time_and_chair_with_its_reason(treated, chairs):
    first, *_rest = book(treated, *days_from(treated, MONDAY, 2))

    assert move(treated, first, treated.at("09:30", MONDAY), chair=chairs[2], nurse_name="Lee, RN") == 1

    assert rows(treated)[0] == (MONDAY, "09:30", "3")
    event = db.session.scalars(db.select(AuditEvent).where(AuditEvent.action == "booking.moved")).one()
    assert event.reason == "The patient asked for it"
    assert (event.before["chair"], event.after["chair"]) == ("1", "3")


@pytest.mark.parametrize("by", [-2, -1, 1, 3])
def test_the_later_days_come_along_and_none_is_lost(treated, by):
    first, *_rest = book(treated, *days_from(treated, MONDAY))
    start = MONDAY + timedelta(days=by)

    moved = move(treated, first, treated.at("10:00", start), later_too=True, start_too=True)

    assert moved == 5
    assert rows(treated) == [(start + timedelta(days=day), "10:00", "1") for day in range(5)]
    assert db.session.execute(db.select(TreatmentCourse.planned_start_on)).scalar_one() == start


def test_a_move_onto_another_day_of_the_course_is_refused(treated):
    first, *_rest = book(treated, *days_from(treated, MONDAY))

    assert refusal(move, treated, first, treated.at("08:00", MONDAY + timedelta(days=1))).code == "day_taken"


def test_a_move_to_where_somebody_sits_is_refused_and_nothing_moves(treated, other, chairs):
    book(other, *days_from(other, MONDAY + timedelta(days=6), 1, chair=chairs[0]))
    first, *_rest = book(treated, *days_from(treated, MONDAY, 3))
    before = rows(treated)

    violation = refusal(
        move, treated, first, treated.at("08:00", MONDAY + timedelta(days=5)), chair=chairs[0], later_too=True
    )

    assert violation.code == "chair_taken"
    assert "01-Feb-2026" in violation.message
    assert rows(treated) == before


@pytest.mark.parametrize("reason", ["", "  ", None])
def test_a_move_and_a_cancellation_need_a_reason(treated, reason):
    first, *_rest = book(treated, *days_from(treated, MONDAY, 1))

    assert refusal(move, treated, first, treated.at("09:00", MONDAY), reason=reason).code == "reason_required"
    assert refusal(cancel_booking, treated.scope, treated.patient, first, reason=reason).code == "reason_required"
    assert len(rows(treated)) == 1


def test_who_moves_what_was_moved_meanwhile_is_told_by_whom(treated):
    first, *_rest = book(treated, *days_from(treated, MONDAY, 1))
    seen = bookings_of_patient(treated.scope, treated.patient_id)[0].version
    move(treated, first, treated.at("09:00", MONDAY))

    with pytest.raises(StaleVersion) as stale:
        move(treated, first, treated.at("10:00", MONDAY), version=seen)

    assert stale.value.changed_by == treated.scope.actor_name


def test_a_day_that_was_given_is_history(treated, clock):
    clock.set("2026-01-26 09:00")
    first, *_rest = book(treated, *days_from(treated, MONDAY, 2))
    treated.record_past(
        treated.past(1, MONDAY, start="08:00", hours=0.5, discharged_at=None), reason="Trial", decided_by="Dr. Rey"
    )

    assert refusal(cancel_booking, treated.scope, treated.patient, first, reason="x").code == "already_given"
    assert refusal(move, treated, first, treated.at("09:00", MONDAY + timedelta(days=3))).code == "already_given"
    assert cancel_days(treated.scope, treated.patient, treated.course, reason="Moved away") == 1
    assert [row[0] for row in rows(treated)] == [MONDAY]


# ----------------------------------------------------------------------------------------------- cancellation


def test_a_cancelled_day_frees_the_chair_and_the_date(treated, other, chairs):
    first, *_rest = book(treated, *days_from(treated, MONDAY, 1, chair=chairs[0]))

    cancel_booking(treated.scope, treated.patient, first, reason="A cold")

    assert rows(treated) == []
    book(other, *days_from(other, MONDAY, 1, chair=chairs[0]))
    book(treated, *days_from(treated, MONDAY, 1, chair=chairs[1]))
    row = db.session.execute(db.select(ChairBooking).where(ChairBooking.public_id == first)).scalar_one()
    assert (row.cancelled_reason, row.cancelled_by_id) == ("A cold", treated.scope.user_id)
    assert refusal(cancel_booking, treated.scope, treated.patient, first, reason="x").code == "already_cancelled"


def test_there_must_be_something_to_cancel(treated):
    assert refusal(cancel_days, treated.scope, treated.patient, treated.course, reason="x").code == "nothing_booked"


# ---------------------------------------------------------------------------------------- clocks and borders


def test_a_day_is_dated_on_the_clock_of_the_clinic(treated):
    book(treated, DayWanted(treated.at("23:30", MONDAY)), minutes=60)

    row = db.session.execute(db.select(ChairBooking)).scalar_one()
    assert (row.booked_on, row.starts_at.date()) == (MONDAY, MONDAY + timedelta(days=1))


@pytest.mark.parametrize("day, ends", [(date(2026, 3, 8), "04:00"), (date(2026, 11, 1), "02:00")])
def test_a_length_passes_on_the_nights_when_the_clocks_change(treated, day, ends):
    book(treated, DayWanted(treated.at("00:00", day)), minutes=180)

    row = db.session.execute(db.select(ChairBooking)).scalar_one()
    assert row.ends_at - row.starts_at == timedelta(hours=3)
    assert f"{to_local(row.ends_at, treated.scope.time_zone):%H:%M}" == ends


def test_only_who_records_treatment_books(cast, treated, scope_for):
    for person in (cast.administrator, cast.auditor):
        treated.cast = cast
        scope = scope_for(person)
        with pytest.raises(PermissionDenied):
            cancel_days(scope, treated.patient, treated.course, reason="x")


def test_another_clinic_sees_neither_patient_nor_booking(cast, treated, scope_for):
    first, *_rest = book(treated, *days_from(treated, MONDAY, 1))

    with pytest.raises(NotFound):
        cancel_booking(scope_for(cast.stranger), treated.patient, first, reason="x")
    assert bookings_of_patient(scope_for(cast.stranger), treated.patient_id) == []

"""Contacts after a course: recorded once, corrected with a reason, and owed again when withdrawn."""

import uuid
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from clinic_tracker.domain.errors import NotFound, RuleViolation
from clinic_tracker.domain.follow_up import FollowUpState
from clinic_tracker.domain.vocabulary import OutreachChannel
from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.treatment import CourseFollowUp
from clinic_tracker.queries.follow_ups import CourseCall, call_state, course_calls, owed_count, owed_of, patient_calls
from clinic_tracker.queries.scope import PermissionDenied, Scope
from clinic_tracker.services.courses import discontinue_course
from clinic_tracker.services.follow_ups import CallMade, correct_call, record_call, withdraw_call
from clinic_tracker.services.monitoring_decisions import close_monitoring
from tests.factories import Chart, at, register
from tests.fixtures.people import Cast

FIRST = date(2026, 1, 15)  # five days: the last one ends on 19 January at 13:00, three days before the clinic's today
LAST = date(2026, 1, 19)


@pytest.fixture
def chart(cast: Cast, scope_for: Callable[..., Scope]) -> Chart:
    return register(scope_for(cast.staff)).enroll(cast.prescriber, date(2025, 12, 20)).infuse(FIRST)


def made(chart: Chart, on: date = date(2026, 1, 21), hour: int = 10, **changed: Any) -> CallMade:
    values = {"contacted_at": at(chart.scope, on, hour), "channel": OutreachChannel.PHONE, "reached": True}
    return CallMade(**{**values, **changed})


def record(chart: Chart, call: CallMade, token: str | None = None) -> uuid.UUID:
    return record_call(chart.scope, chart.id, chart.courses[-1], call, form_token=token)


def judged(chart: Chart) -> CourseCall:
    return call_state(chart.scope, chart.row.id, chart.courses[-1])


def owed(scope: Scope) -> list[CourseCall]:
    return owed_of(scope, course_calls(scope))


def test_a_course_that_ended_owes_a_call_until_it_is_made(chart: Chart) -> None:
    found = owed(chart.scope)
    assert [(row.course_number, row.days_given, row.planned_days) for row in found] == [(1, 5, 5)]
    assert found[0].last_ended_at == at(chart.scope, LAST, 13)
    record(chart, made(chart))
    assert owed(chart.scope) == []
    assert judged(chart).follow_up.state is FollowUpState.DONE


def test_not_reached_is_kept_and_the_call_stays_owed(chart: Chart) -> None:
    record(chart, made(chart, reached=False))
    assert [row.follow_up.tries for row in owed(chart.scope)] == [1]
    row = db.session.query(AuditEvent).filter_by(action="course_follow_up.recorded").one()
    assert row.patient_id == chart.row.id


def test_counts_say_how_many_are_late(chart: Chart, cast: Cast, scope_for: Callable[..., Scope]) -> None:
    assert owed_count(chart.scope) == (1, 0)
    register(scope_for(cast.staff)).enroll(cast.prescriber, date(2025, 12, 20)).infuse(date(2026, 1, 5))
    assert owed_count(chart.scope) == (2, 1)
    first = owed(chart.scope)[0]
    assert first.follow_up.state is FollowUpState.LATE, "the late one comes first"
    assert owed_count(scope_for(cast.stranger)) == (0, 0)


def test_a_stopped_course_owes_a_call_and_one_in_progress_only_after_72_hours(
    cast: Cast, scope_for: Callable[..., Scope]
) -> None:
    chart = register(scope_for(cast.staff)).enroll(cast.prescriber, date(2025, 12, 20)).infuse(date(2026, 1, 19), 2)
    assert judged(chart).follow_up.state is FollowUpState.NOT_YET
    discontinue_course(chart.scope, chart.id, chart.courses[-1], discontinued_on=date(2026, 1, 21), reason="Rash",
                       unused_vials=3)  # fmt: skip
    assert judged(chart).follow_up.state is FollowUpState.DUE
    older = register(scope_for(cast.staff)).enroll(cast.prescriber, date(2025, 12, 20)).infuse(date(2026, 1, 12), 3)
    assert judged(older).follow_up.state is FollowUpState.LATE


def test_history_entered_long_after_is_not_asked_for(cast: Cast, scope_for: Callable[..., Scope]) -> None:
    chart = register(scope_for(cast.staff)).enroll(cast.prescriber, date(2025, 1, 20)).infuse(date(2025, 2, 3))
    assert owed(chart.scope) == []
    assert judged(chart).follow_up.state is FollowUpState.HISTORY


@pytest.mark.parametrize(
    "changed, code, field",
    [
        ({"on": date(2026, 1, 22), "hour": 20}, "future_contact", "contacted_at"),
        ({"on": LAST, "hour": 12}, "before_course_end", "contacted_at"),
        ({"reached": False, "symptoms": ("rash",)}, "not_reached", "symptoms"),
        ({"symptoms": ("rash",)}, "advice_required", "advice"),
        ({"symptoms": ("gout",), "advice": "Rest"}, "unknown_symptom", "symptoms"),
    ],
)
def test_what_cannot_be_is_refused(chart: Chart, changed: dict[str, Any], code: str, field: str) -> None:
    with pytest.raises(RuleViolation) as refused:
        record(chart, made(chart, **changed))
    assert (refused.value.code, refused.value.field) == (code, field)
    assert db.session.query(CourseFollowUp).count() == 0


def test_a_course_without_infusions_is_not_called_about(chart: Chart) -> None:
    chart.plan(None)
    with pytest.raises(RuleViolation) as refused:
        record(chart, made(chart))
    assert refused.value.code == "course_not_given"
    with pytest.raises(NotFound):
        judged(chart)


def test_the_same_form_twice_records_once(chart: Chart) -> None:
    first = record(chart, made(chart), "t")
    assert record(chart, made(chart), "t") == first
    assert db.session.query(CourseFollowUp).count() == 1


def test_a_correction_replaces_and_the_second_one_is_told(
    chart: Chart, cast: Cast, scope_for: Callable[..., Scope]
) -> None:
    old = record(chart, made(chart))
    new = correct_call(scope_for(cast.neurologist), chart.id, old, made(chart, reached=False), reason="Was a message")
    assert judged(chart).follow_up.state is FollowUpState.DUE
    row = db.session.query(CourseFollowUp).filter_by(public_id=new).one()
    assert row.replaces_id is not None
    with pytest.raises(RuleViolation, match="already corrected"):
        correct_call(chart.scope, chart.id, old, made(chart), reason="x")
    with pytest.raises(RuleViolation, match="reason"):
        correct_call(chart.scope, chart.id, new, made(chart), reason=" ")


def test_a_withdrawn_call_is_owed_again(chart: Chart) -> None:
    call = record(chart, made(chart))
    withdraw_call(chart.scope, chart.id, call, reason="Other patient")
    assert judged(chart).follow_up.state is FollowUpState.DUE
    assert judged(chart).calls == ()
    with pytest.raises(RuleViolation, match="entered in error"):
        withdraw_call(chart.scope, chart.id, call, reason="Again")


def test_who_may_not_and_whose_patient_it_is_not(chart: Chart, cast: Cast, scope_for: Callable[..., Scope]) -> None:
    with pytest.raises(PermissionDenied):
        record_call(scope_for(cast.auditor), chart.id, chart.courses[-1], made(chart))
    with pytest.raises(NotFound):
        record_call(scope_for(cast.stranger), chart.id, chart.courses[-1], made(chart))
    other = register(chart.scope)
    with pytest.raises(NotFound):
        record_call(chart.scope, other.id, chart.courses[-1], made(chart))
    call = record(chart, made(chart))
    with pytest.raises(NotFound):
        withdraw_call(chart.scope, other.id, call, reason="x")


def test_a_further_course_owes_its_own_call(cast: Cast, scope_for: Callable[..., Scope]) -> None:
    chart = register(scope_for(cast.staff)).enroll(cast.prescriber, date(2024, 12, 1)).infuse(date(2025, 1, 6))
    chart.infuse(date(2026, 1, 17))
    states = [row.follow_up.state for row in patient_calls(chart.scope, chart.row.id)]
    assert states == [FollowUpState.DUE, FollowUpState.HISTORY]


def test_a_patient_who_was_signed_off_is_called_no_more(
    chart: Chart, cast: Cast, scope_for: Callable[..., Scope]
) -> None:
    sign_off = {"decided_on": date(2026, 1, 21), "reason": "Died", "confirmed": True}
    close_monitoring(scope_for(cast.neurologist), chart.id, **sign_off)
    assert owed(chart.scope) == []
    assert judged(chart).follow_up.state is FollowUpState.CLOSED


def test_the_list_takes_as_many_statements_for_one_course_as_for_many(
    chart: Chart, cast: Cast, scope_for: Callable[..., Scope]
) -> None:
    few = statements(chart.scope)
    for _ in range(4):
        register(scope_for(cast.staff)).enroll(cast.prescriber, date(2025, 12, 20)).infuse(FIRST)
    assert statements(chart.scope) == few <= 4


def statements(scope: Scope) -> int:
    told: list[int] = []

    def note(*_args: object) -> None:
        told.append(1)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        course_calls(scope)
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    return len(told)


def test_the_clock_of_the_scope_is_what_counts(chart: Chart, clock: Any) -> None:
    assert isinstance(chart.scope.now, datetime)
    assert judged(chart).follow_up.closes_at == at(chart.scope, LAST, 13) + timedelta(hours=72)

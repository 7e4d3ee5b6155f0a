"""The call after a course: owed from 24 to 72 elapsed hours after its last infusion, and never forgotten."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from clinic_tracker.domain.follow_up import (
    Call,
    FollowUp,
    FollowUpFacts,
    FollowUpHours,
    FollowUpState,
    follow_up,
    is_emergency,
    symptom_words,
)

pytestmark = pytest.mark.no_database

HOURS = FollowUpHours(24, 72)
ENDED = datetime(2026, 1, 16, 18, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")


def judged(hours: float, *calls: tuple[float, bool], over: bool = True, ended: datetime = ENDED) -> FollowUp:
    """The call so many hours after the end, with contacts at so many hours."""
    made = [Call(ended + timedelta(hours=at), reached) for at, reached in calls]
    facts = FollowUpFacts(ended, over, ended - timedelta(days=4), made)
    return follow_up(facts, HOURS, ended + timedelta(hours=hours))


@pytest.mark.parametrize(
    "hours, state",
    [(0, "not_yet"), (23.99, "not_yet"), (24, "due"), (72, "due"), (72.01, "late"), (24 * 400, "late")],
)
def test_it_is_due_from_24_to_72_hours_and_late_for_ever_after(hours, state):
    assert judged(hours).state == state


@pytest.mark.parametrize("hours, state", [(24, "not_yet"), (72, "not_yet"), (72.01, "late"), (2000, "late")])
def test_a_course_with_days_pending_is_called_when_72_hours_have_passed(hours, state):
    assert judged(hours, over=False).state == state


def test_a_contact_that_reached_the_patient_does_it():
    done = judged(80, (30, True))
    assert (done.state, done.done_late) == (FollowUpState.DONE, False)
    assert done.done_at == ENDED + timedelta(hours=30)


def test_a_late_call_does_it_too_and_says_so():
    done = judged(200, (100, True))
    assert (done.state, done.done_late) == (FollowUpState.DONE, True)


def test_the_first_call_that_counts_is_the_one_that_did_it():
    assert not judged(200, (100, True), (50, True)).done_late


def test_tries_are_counted_and_do_nothing():
    owed = judged(60, (26, False), (40, False))
    assert (owed.state, owed.tries) == (FollowUpState.DUE, 2)


@pytest.mark.parametrize("at", [-1, 0, 23.9])
def test_a_call_before_the_window_is_too_early_to_tell(at):
    assert judged(30, (at, True)).state is FollowUpState.DUE


def test_a_try_before_the_end_of_the_course_belongs_to_something_else():
    assert judged(30, (-3, False)).tries == 0


@pytest.mark.parametrize(
    "month, day, due_on_the_wall",
    [(3, 7, "16:00"), (10, 31, "14:00"), (1, 16, "15:00")],
)
def test_hours_are_elapsed_hours_in_the_nights_when_the_clocks_change(month, day, due_on_the_wall):
    ended = datetime(2026, month, day, 15, tzinfo=NEW_YORK).astimezone(UTC)
    found = judged(24, ended=ended)
    assert found.state is FollowUpState.DUE
    assert found.opens_at.astimezone(NEW_YORK).strftime("%H:%M") == due_on_the_wall
    assert found.closes_at - found.opens_at == timedelta(hours=48)


def test_a_wall_clock_instant_is_compared_as_an_instant():
    """Two datetimes of one zone subtract by wall clock: an hour short in the night when the clocks go forward."""
    ended = datetime(2026, 3, 7, 15, tzinfo=NEW_YORK)
    facts = FollowUpFacts(ended, over=True, first_told_at=ended, calls=())
    assert follow_up(facts, HOURS, datetime(2026, 3, 8, 15, 30, tzinfo=NEW_YORK)).state is FollowUpState.NOT_YET


def test_a_course_entered_more_than_a_month_later_is_history():
    def told(days: float) -> FollowUpState:
        facts = FollowUpFacts(ENDED, over=True, first_told_at=ENDED + timedelta(days=days))
        return follow_up(facts, HOURS, ENDED + timedelta(days=60)).state

    assert told(29) is FollowUpState.LATE, "entered after the fact: the patient can still be asked"
    assert told(31) is FollowUpState.HISTORY


def test_a_sign_off_of_the_prescriber_ends_what_is_owed_and_not_what_was_done():
    def closed(*calls: Call) -> FollowUpState:
        facts = FollowUpFacts(ENDED, over=True, first_told_at=ENDED, calls=calls, closed=True)
        return follow_up(facts, HOURS, ENDED + timedelta(days=60)).state

    assert closed() is FollowUpState.CLOSED
    assert closed(Call(ENDED + timedelta(hours=30), reached=True)) is FollowUpState.DONE


def test_symptoms_have_words_and_some_are_emergencies():
    assert symptom_words(["face", "unheard_of"]) == ("One side of the face droops", "unheard_of")
    assert is_emergency(["rash", "speech"])
    assert not is_emergency(["rash", "fever"])

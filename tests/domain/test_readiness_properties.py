"""What holds of readiness whatever is on file: windows include both ends, and time only lets things lapse."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_tracker.domain.baseline import ExamDone, LabDraw, VaccineDose
from clinic_tracker.domain.dosing import InfusionDay
from clinic_tracker.domain.readiness import (
    AuthorizationFact,
    ReadinessFacts,
    Span,
    State,
    Stop,
    compare,
    moved_to,
    readiness,
)
from clinic_tracker.domain.vocabulary import ExamKind, Panel, Sex
from tests.ready import EU, PANELS, US

pytestmark = pytest.mark.no_database

TODAY = date(2026, 1, 22)
LABS = {panel.value for panel in PANELS}
SETTLED = {State.MET, State.NOT_APPLICABLE}


def near(least: int, most: int) -> st.SearchStrategy[date]:
    return st.integers(least, most).map(lambda days: TODAY + timedelta(days=days))


spans = st.builds(Span, st.none() | near(-400, 60), st.none() | near(-30, 200))
draws = st.builds(
    LabDraw, st.sampled_from([panel for panel in Panel if panel is not Panel.OTHER]), near(-60, 0), st.booleans()
)
done = st.builds(
    ExamDone, st.sampled_from(list(ExamKind)), near(-800, 0), st.sampled_from(["negative", "positive", "normal", ""])
)
doses = st.builds(VaccineDose, st.sampled_from(["vzv", "influenza"]), near(-90, 0))
authorizations = st.builds(AuthorizationFact, near(-60, 0), st.none() | near(0, 60), st.none() | near(-60, 0))


@st.composite
def facts(draw: st.DrawFn) -> ReadinessFacts:
    """A course that is planned, or under way, of a patient with anything on file, asked about some day from today."""
    given_days = draw(st.integers(0, 3))
    first = draw(st.integers(-20, -3))
    recorded = tuple(InfusionDay(1, number + 1, TODAY + timedelta(days=first + number)) for number in range(given_days))
    return ReadinessFacts(
        on=draw(near(0, 60)),
        as_of=TODAY,
        course_number=1,
        planned_days=5,
        birth_date=draw(st.dates(date(1940, 1, 1), date(2012, 1, 1))),
        sex=draw(st.sampled_from(list(Sex))),
        rules=draw(st.sampled_from([US, EU])),
        planned_start_on=draw(st.none() | near(-10, 60)),
        recorded=recorded,
        enrollments=tuple(draw(st.lists(spans, max_size=2))),
        facility=tuple(draw(st.lists(spans, max_size=2))),
        prescriber=draw(st.none() | spans),
        authorization=draw(st.none() | authorizations),
        labs=tuple(draw(st.lists(draws, max_size=8))),
        exams=tuple(draw(st.lists(done, max_size=6))),
        vaccines=tuple(draw(st.lists(doses, max_size=2))),
    )


@given(facts(), st.integers(0, 90))
def test_a_later_day_never_makes_a_lapsed_test_good_again(asked, days):
    later = replace(asked, on=asked.on + timedelta(days=days))
    after = readiness(later)
    for item in readiness(asked).items:
        if item.code in LABS and item.state in {State.EXPIRED, State.EXPIRES_BEFORE_START}:
            assert after.item(item.code).state is not State.MET


@given(facts(), st.integers(0, 90))
def test_moving_a_course_never_makes_a_lapsed_test_good_again(asked, days):
    moved = moved_to(asked, asked.on)
    before = readiness(moved)
    # A draw of the first day itself does not count before it is reviewed, and does on the next: it has not lapsed.
    lapsed = {item.code for item in before.items if item.state in {State.EXPIRED, State.EXPIRES_BEFORE_START}}
    move = compare(before, readiness(moved_to(moved, moved.on + timedelta(days=days))))
    assert not {item.code for item in move.becomes_met} & LABS & lapsed


@given(facts())
def test_what_is_met_holds_on_its_last_day_and_no_longer_on_the_next(asked):
    asked = replace(asked, recorded=())
    for item in readiness(moved_to(asked, asked.on)).items:
        if item.code in LABS and item.state is State.MET and item.expires_on is not None:
            last = readiness(moved_to(asked, item.expires_on)).item(item.code)
            assert last.state is State.MET
            assert readiness(moved_to(asked, item.expires_on + timedelta(days=1))).item(item.code).state in {
                State.EXPIRED,
                State.EXPIRES_BEFORE_START,
            }


@given(facts())
def test_the_answer_follows_from_the_list(asked):
    found = readiness(asked)
    assert found.is_ready is not bool(found.blockers)
    assert found.is_ready == (found.summary == "Ready")
    assert found.is_stopped == any(item.hard for item in found.blockers)
    assert [item.hard for item in found.blockers] == sorted((item.hard for item in found.blockers), reverse=True)
    assert len({item.code for item in found.items}) == len(found.items)
    for item in found.items:
        assert item.words.endswith(".")
        assert not (item.stops and item.state in SETTLED | {State.TO_CONFIRM})
        assert item.stops <= (item.weight in {Stop.HARD, Stop.SOFT})


@given(facts())
def test_a_day_of_the_course_lies_in_the_course_and_not_before_its_start(asked):
    found = readiness(asked)
    assert 1 <= found.day_number <= asked.planned_days
    assert found.start_on <= found.on


@given(facts(), st.integers(1, 60))
def test_what_a_move_names_is_open_after_it_and_was_met_before(asked, days):
    before, after = readiness(asked), readiness(moved_to(asked, asked.on + timedelta(days=days)))
    move = compare(before, after)
    for item in move.lapses:
        assert before.item(item.code).state is State.MET
        assert item.is_open
    for item in move.becomes_met:
        assert before.item(item.code).is_open

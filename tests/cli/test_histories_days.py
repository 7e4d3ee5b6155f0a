"""Importing days of a course between and before those on the chart: every day finds its place by its date."""

import json
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.treatment import (
    Deviation,
    Infusion,
    InfusionPause,
    Premedication,
    TreatmentCourse,
    VitalSigns,
)
from clinic_tracker.queries.infusion_day import replaced_by
from clinic_tracker.services.infusions import correct_infusion, withdraw_infusion
from tests.imports import engine, plain, worklist
from tests.treated import add_patient

OKAFOR = {"mrn": "77", "family_name": "Okafor", "given_name": "Ada", "birth_date": "1984-07-14"}
PAUSED = [{"paused_at": "2025-11-05T10:00-05:00", "resumed_at": "2025-11-05T10:20-05:00"}]


def given(*days: int, month: str = "2025-11", number: int = 1, **more) -> dict:
    """A course with infusions on days of a month."""
    infusions = [{"started_at": f"{month}-{day:02}T09:00-05:00", **more} for day in days]
    return {"number": number, "infusions": infusions}


def of(*courses: dict, **changes) -> dict:
    return plain(courses=list(courses), **changes)


def on_chart(number: int = 1) -> list[tuple[int, int]]:
    """Day number and day of the month of the infusions that stand in a course."""
    rows = db.session.execute(
        select(Infusion.day_number, Infusion.infused_on)
        .join(TreatmentCourse, TreatmentCourse.id == Infusion.course_id)
        .where(TreatmentCourse.number == number, Infusion.state == "recorded")
        .order_by(Infusion.infused_on)
    )
    return [(day, on.day) for day, on in rows]


def told() -> list[str]:
    """The departures that stand, as sentences."""
    statement = select(Deviation.message).where(Deviation.withdrawn_at.is_(None)).order_by(Deviation.id)
    return list(db.session.execute(statement).scalars())


def standing(day: int) -> Infusion:
    return db.session.execute(
        select(Infusion).where(Infusion.infused_on == date(2025, 11, day), Infusion.state == "recorded")
    ).scalar_one()


@pytest.mark.parametrize(
    "first, then, expected",
    [
        ((4,), (3, 4), [(1, 3), (2, 4)]),
        ((3, 5), (3, 4, 5), [(1, 3), (2, 4), (3, 5)]),
        ((3,), (4, 5), [(1, 3), (2, 4), (3, 5)]),
        ((5,), (3, 4), [(1, 3), (2, 4), (3, 5)]),
        ((4, 6), (3, 5, 7), [(1, 3), (2, 4), (3, 5), (4, 6), (5, 7)]),
        ((3,), (5, 3, 4), [(1, 3), (2, 4), (3, 5)]),
    ],
)
def test_days_before_and_between_those_on_the_chart_take_their_place(run, load, first, then, expected):
    load([of(given(*first))])

    status, report, complaint = load([of(given(*then))])

    assert (status, complaint) == (0, "")
    added = len(set(then) - set(first))
    assert report["patients"][0] | {"mrn": ""} == {
        "position": 0,
        "mrn": "",
        "outcome": "updated",
        "facts": added,
        "reason": None,
    }
    assert on_chart() == expected
    whole = of(given(*sorted({*first, *then})))
    assert worklist(run) == engine(run, [whole])
    assert engine(run, json.loads(run("histories", "export", "--clinic", "northside")[1])) == engine(run, [whole])
    assert run("schedule", "check")[0] == 0
    for again in (of(given(*then)), of(given(*first)), whole):
        assert load([again])[1]["unchanged"] == 1
    assert on_chart() == expected


def test_a_dry_run_numbers_nothing_anew(load):
    load([of(given(4))])

    assert load([of(given(3, 4))], "--dry-run")[1]["updated"] == 1
    assert on_chart() == [(1, 4)]


def test_a_day_that_is_numbered_anew_is_corrected_and_says_why(load):
    load([of(given(5, ended_at="2025-11-05T13:30-05:00", pauses=PAUSED))])
    former = standing(5)

    load([of(given(3, 4))])

    db.session.refresh(former)
    new = standing(5)
    assert (former.state, former.day_number, new.replaces_id) == ("corrected", 1, former.id)
    assert former.withdrawn_reason.startswith("Numbered anew")
    assert (new.ended_at, new.recorded_via, new.is_back_entry) == (former.ended_at, "history import", True)
    assert db.session.execute(select(InfusionPause.infusion_id)).scalars().all() == [new.id]
    event = db.session.execute(select(AuditEvent).where(AuditEvent.action == "infusion.corrected")).scalar_one()
    assert (event.subject_id, event.before["day_number"], event.after["day_number"]) == (new.id, 1, 3)
    assert event.system_actor == "history import"
    assert event.reason == former.withdrawn_reason


@pytest.fixture
def treated(cast, scope_for):
    """A course of two days recorded on screen, the 4th and the 6th, with premedication and vital signs."""
    found = add_patient(cast, scope_for, baseline_on=date(2025, 10, 20), **OKAFOR | {"birth_date": date(1984, 7, 14)})
    found.plan(date(2025, 11, 4))
    days = (found.past(1, date(2025, 11, 4)), found.past(2, date(2025, 11, 6)))
    found.record_past(*days, reason="Paper chart", decided_by="Dr. Rey")
    return found


def test_what_was_recorded_on_screen_stays_with_its_infusion(run, load, treated, scope_for, cast):
    before = {day: standing(day) for day in (4, 6)}
    readiness = told()

    status, report, _complaint = load([of(given(3, 4, 5, 6), identity=OKAFOR)])

    assert (status, report["patients"][0]["facts"]) == (0, 2)
    assert on_chart() == [(1, 3), (2, 4), (3, 5), (4, 6)]
    for day, was in before.items():
        new = standing(day)
        assert replaced_by(scope_for(cast.staff), was.id) == new.public_id
        for name in ("started_at", "ended_at", "discharged_at", "lot_number", "dose_mg", "recorded_via"):
            assert getattr(new, name) == getattr(was, name)
        for part in (Premedication, VitalSigns):
            rows = db.session.execute(select(part).where(part.infusion_id == new.id)).scalars().all()
            assert [(row.for_on, row.withdrawn_at) for row in rows] == [(date(2025, 11, day), None)]
    assert db.session.scalar(select(func.count()).select_from(VitalSigns)) == 2
    gap = [words for words in readiness if "not consecutive" in words]
    assert len(gap) == 1
    assert not [words for words in told() if "not consecutive" in words]
    assert run("schedule", "check")[0] == 0


def test_a_gap_that_the_import_fills_is_no_departure_any_more(load):
    load([of(given(3, 5))])
    assert ["consecutive" in words for words in told()] == [True]

    load([of(given(3, 4, 5))])

    assert told() == []


def test_a_gap_is_told_once_with_the_numbers_that_hold_now(load):
    load([of(given(6, 8))])
    assert ["Day 1 (06-Nov-2025) and day 2 (08-Nov-2025)" in words for words in told()] == [True]

    load([of(given(3))])

    words = told()
    assert len(words) == 2
    assert any("Day 1 (03-Nov-2025) and day 2 (06-Nov-2025)" in one for one in words)
    assert any("Day 2 (06-Nov-2025) and day 3 (08-Nov-2025)" in one for one in words)


def test_a_later_last_day_makes_the_next_course_early(load):
    load([of(given(4, month="2024-11"), given(4, number=2))])
    assert told() == []

    load([of(given(4, 6, month="2024-11"))])

    assert len([words for words in told() if "Course 2 may start from" in words]) == 1


@pytest.mark.parametrize(
    "second, field",
    [
        (given(2, number=2), "courses[0].infusions"),
        (given(4, number=2), "courses[0].infusions"),
        (given(6, month="2025-12"), None),
    ],
)
def test_courses_follow_each_other_also_with_the_chart(run, load, second, field):
    load([of(given(3, 5))])

    status, _report, complaint = load([of(second)])

    assert status == (2 if field else 0)
    assert complaint.startswith(f"[0].{field}: " if field else "")
    assert len(complaint.splitlines()) == (1 if field else 0)
    assert run("schedule", "check")[0] == 0
    assert load(json.loads(run("histories", "export", "--clinic", "northside")[1]))[1]["unchanged"] == 1


def test_another_infusion_on_a_day_of_the_chart_is_refused_by_its_course(load):
    load([of(given(3, 4))])
    other = {"number": 1, "infusions": [{"started_at": "2025-11-04T10:00-05:00"}]}

    status, report, complaint = load([of({"number": 2}, other), plain(identity={**OKAFOR, "mrn": "78"})])

    assert status == 2
    assert complaint == "[0].courses[1].infusions: The chart has another infusion on 2025-11-04.\n"
    assert report["loaded"] == 1


def test_what_somebody_put_right_is_not_brought_back(load, treated):
    infusion = standing(6).public_id
    moved = treated.facts(2, treated.at("09:00", date(2025, 11, 5)))
    correct_infusion(treated.scope, treated.patient, infusion, moved, reason="The 5th", given=None)
    withdraw_infusion(treated.scope, treated.patient, standing(4).public_id, reason="Somebody else's")

    _status, report, _complaint = load([of(given(4, 6), identity=OKAFOR)])

    assert report["unchanged"] == 1
    assert on_chart() == [(2, 5)]


def test_a_day_left_out_on_the_chart_stays_one_until_it_is_added(load, treated):
    correct = treated.facts(3, treated.at("09:00", date(2025, 11, 6)))
    correct_infusion(treated.scope, treated.patient, standing(6).public_id, correct, reason="It was the third day")
    untouched = standing(6).id

    load([of(given(5, 7), identity=OKAFOR)])

    assert on_chart() == [(1, 4), (2, 5), (3, 6), (4, 7)]
    assert standing(6).id == untouched


def test_many_random_updates_leave_the_chart_as_if_all_came_at_once(run, load):
    days = [date(2025, 11, 3) + timedelta(days=offset) for offset in (0, 1, 2, 4, 7, 8)]
    for seed in range(12):
        identity = {**OKAFOR, "mrn": f"R{seed}"}
        for part in range(3):
            some = [on.day for place, on in enumerate(days) if (place * 7 + seed * 5) % 3 == part]
            assert load([of(given(*some), identity=identity)])[0] == 0
    everything = [of(given(*(on.day for on in days)), identity={**OKAFOR, "mrn": f"R{seed}"}) for seed in range(12)]
    assert load(everything)[1]["unchanged"] == 12
    assert worklist(run) == engine(run, everything)
    numbers = db.session.execute(select(Infusion.day_number).where(Infusion.state == "recorded")).scalars()
    assert sorted(numbers) == sorted(list(range(1, 7)) * 12)

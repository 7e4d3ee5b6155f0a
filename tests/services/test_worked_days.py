"""Whole days and courses as they happen, minute by minute on the clock of the clinic, on both databases."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from clinic_tracker.domain.infusion_day import Pause, active_minutes, expected_end_at
from clinic_tracker.domain.reactions import PAUSED
from clinic_tracker.domain.vocabulary import ReactionEnding, ReactionGrade
from clinic_tracker.models.base import db
from clinic_tracker.models.schedule import Obligation
from clinic_tracker.models.treatment import Deviation, Infusion
from clinic_tracker.queries.infusion_day import infusion_row, parts_of_infusion
from clinic_tracker.queries.treatment import treatment_of
from clinic_tracker.services.courses import EarlyEnd
from clinic_tracker.services.deviations import ReasonNeeded, Reasons
from clinic_tracker.services.infusion_day import pause_infusion, resume_infusion
from clinic_tracker.services.infusion_pace import stop_early
from clinic_tracker.services.infusion_parts import Target, VitalsTaken, record_vital_signs
from clinic_tracker.services.reactions import ReactionEnd, ReactionSeen, record_reaction, resolve_reaction
from tests.treated import Treated, add_patient

NEW_YORK, HONOLULU = "America/New_York", "Pacific/Honolulu"


@pytest.fixture
def ready(cast, scope_for, clock):
    """A patient who may be infused at that local time, vital signs and steroid just before it."""

    def prepare(local: str, zone: str = NEW_YORK) -> Treated:
        cast.northside.time_zone = zone
        db.session.commit()
        clock.set(local, zone)
        treated = add_patient(cast, scope_for)
        treated.make_ready()
        treated.prepare()
        return treated

    return prepare


def row_of(treated, infusion):
    db.session.expire_all()
    return infusion_row(treated.scope, treated.patient_id, infusion)


def deviations():
    return list(db.session.execute(select(Deviation.code).where(Deviation.withdrawn_at.is_(None))).scalars())


def whole_day(treated, clock, day, minutes=240):
    infusion = treated.start(day)
    clock.forward(minutes=minutes)
    treated.end(infusion)
    clock.forward(minutes=120)
    treated.discharge(infusion)
    return infusion


def test_across_midnight_with_a_pause(ready, clock):
    treated = ready("2026-01-22 21:30")
    infusion = treated.start()
    clock.set("2026-01-22 23:50")
    pause_infusion(treated.scope, treated.patient, infusion, paused_at=treated.scope.now)
    clock.set("2026-01-23 00:20")
    resume_infusion(treated.scope, treated.patient, infusion, resumed_at=treated.scope.now)
    pauses = [
        Pause(one.paused_at, one.resumed_at)
        for one in parts_of_infusion(treated.scope, row_of(treated, infusion).id).pauses
    ]
    due = expected_end_at(row_of(treated, infusion).started_at, 240, pauses, treated.scope.now)
    assert due == treated.at("02:00", date(2026, 1, 23))
    clock.now = due
    treated.end(infusion)
    clock.set("2026-01-23 04:00")
    treated.discharge(infusion)
    row = row_of(treated, infusion)
    assert row.infused_on == date(2026, 1, 22)
    assert active_minutes(row.started_at, row.ended_at, pauses) == 240
    assert deviations() == []


@pytest.mark.parametrize(
    "started, ended, too_early, over",
    [
        # 23 hours: at 02:00 the clocks show 03:00; a wall clock would call 04:30 two hours after 02:30
        ("2026-03-07 21:30", "2026-03-08 01:30", "2026-03-08 04:29", "2026-03-08 04:30"),
        # 25 hours: 01:30 comes twice; the second time is 60 minutes after the first
        ("2026-10-31 20:30", "2026-11-01 00:30", "2026-11-01 01:29", "2026-11-01 01:30"),
    ],
)
def test_the_nights_on_which_the_clocks_change_have_elapsed_minutes(ready, clock, started, ended, too_early, over):
    treated = ready(started)
    infusion = treated.start()
    clock.set(ended)
    treated.end(infusion)
    ended_at = clock.now
    clock.now = datetime.fromisoformat(too_early).replace(tzinfo=ZoneInfo(NEW_YORK), fold=1).astimezone(UTC)
    assert clock.now - ended_at == timedelta(minutes=119)
    with pytest.raises(ReasonNeeded, match="Discharged 1 minute before 2 hours"):
        treated.discharge(infusion)
    clock.now = datetime.fromisoformat(over).replace(tzinfo=ZoneInfo(NEW_YORK), fold=1).astimezone(UTC)
    treated.discharge(infusion)
    row = row_of(treated, infusion)
    assert row.discharged_at - row.ended_at == timedelta(minutes=120)
    assert row.ended_at - row.started_at == timedelta(hours=4)
    assert deviations() == []


def test_honolulu_knows_no_change_of_clocks(ready, clock):
    treated = ready("2026-03-07 21:30", HONOLULU)
    infusion = treated.start()
    clock.set("2026-03-08 01:30", HONOLULU)
    treated.end(infusion)
    clock.set("2026-03-08 03:30", HONOLULU)
    treated.discharge(infusion)
    assert row_of(treated, infusion).infused_on == date(2026, 3, 7)
    assert deviations() == []


def test_a_restart_after_a_reaction_stands_in_order(ready, clock):
    treated = ready("2026-01-22 09:00")
    infusion = treated.start()
    clock.forward(minutes=40)
    seen = ReactionSeen(
        onset_at=treated.scope.now, grade=ReactionGrade.MODERATE, ticked=("urticaria",), actions=(PAUSED,)
    )
    reaction = record_reaction(treated.scope, treated.patient, infusion, seen)
    clock.forward(minutes=25)
    over = ReactionEnd(ending=ReactionEnding.RECOVERED, resolved_at=treated.scope.now)
    resolve_reaction(treated.scope, treated.patient, infusion, reaction, over)
    clock.forward(minutes=5)
    resume_infusion(treated.scope, treated.patient, infusion, resumed_at=treated.scope.now)
    for _ in range(6):
        clock.forward(minutes=30)
        target = Target(treated.patient, infusion=infusion)
        record_vital_signs(treated.scope, target, VitalsTaken(taken_at=treated.scope.now, pulse=80))
    clock.forward(minutes=20)
    treated.end(infusion)
    clock.forward(minutes=120)
    treated.discharge(infusion)
    row, parts = row_of(treated, infusion), parts_of_infusion(treated.scope, row_of(treated, infusion).id)
    (pause,), (told,) = parts.pauses, parts.reactions
    assert told.onset_at == pause.paused_at < told.resolved_at < pause.resumed_at < row.ended_at
    assert active_minutes(row.started_at, row.ended_at, [Pause(pause.paused_at, pause.resumed_at)]) == 240


def test_three_of_five_days_and_the_schedule_starts_from_the_third(ready, clock):
    treated = ready("2026-01-19 09:00")
    for day, on in enumerate(("2026-01-19", "2026-01-20"), 1):
        clock.set(f"{on} 09:00")
        if day > 1:
            treated.prepare()
        whole_day(treated, clock, day)
    clock.set("2026-01-21 09:00")
    treated.prepare()
    third = treated.start(3)
    clock.forward(minutes=100)
    end = EarlyEnd(on=treated.scope.today, reason="Generalized rash", unused_vials=2, vials_disposition="returned")
    stop_early(treated.scope, treated.patient, third, end, ended_at=treated.scope.now, dose_mg=5.0)
    clock.forward(minutes=120)
    treated.discharge(third)
    course = treatment_of(treated.scope, treated.patient_id).courses[0]
    assert (course.discontinued_on, course.unused_vials) == (date(2026, 1, 21), 2)
    first_blood_count = db.session.execute(
        select(Obligation.due_on).where(Obligation.requirement == "cbc_diff", Obligation.occurrence == 1)
    ).scalar_one()
    assert first_blood_count == date(2026, 2, 21)
    assert "course_incomplete" in deviations()


def test_days_resumed_after_two_weeks_belong_to_the_same_course_with_a_reason(ready, clock):
    treated = ready("2026-01-19 09:00")
    whole_day(treated, clock, 1)
    clock.set("2026-02-02 09:00")
    treated.prepare()
    with pytest.raises(ReasonNeeded):
        treated.start(2)
    second = treated.start(2, given=Reasons("Chest infection in between, now well", "Dr. Tomas Rey"))
    clock.forward(minutes=240)
    treated.end(second)
    clock.forward(minutes=120)
    treated.discharge(second)
    days = treatment_of(treated.scope, treated.patient_id).days
    assert [(one.course, one.day_number, one.on.day) for one in days] == [(1, 1, 19), (1, 2, 2)]


@pytest.mark.parametrize("minutes", [119, 120])
def test_119_minutes_are_refused_with_the_minute_left_and_120_are_enough(ready, clock, minutes):
    treated = ready("2026-01-22 09:00")
    infusion = treated.start()
    clock.forward(minutes=240)
    treated.end(infusion)
    clock.forward(minutes=minutes)
    if minutes < 120:
        with pytest.raises(ReasonNeeded, match="1 minute before 2 hours of observation"):
            treated.discharge(infusion)
        treated.discharge(infusion, given=Reasons("Ambulance is waiting"))
        assert deviations() == ["early_discharge"]
    else:
        treated.discharge(infusion)
        assert deviations() == []
    assert db.session.execute(select(Infusion.discharged_at)).scalar_one() == treated.scope.now

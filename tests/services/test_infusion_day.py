"""The steps of a day: pause, end, observation of two really elapsed hours, one signature."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from clinic_tracker.domain.errors import NotFound, RuleViolation
from clinic_tracker.domain.vocabulary import PremedicationKind, ReactionGrade
from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.treatment import Deviation, Infusion, InfusionPause, InfusionReaction, VitalSigns
from clinic_tracker.queries.infusion_day import infusion_row, parts_of_infusion
from clinic_tracker.services.deviations import ReasonNeeded, Reasons
from clinic_tracker.services.infusion_day import pause_infusion, resume_infusion
from clinic_tracker.services.infusion_parts import (
    Target,
    VitalsTaken,
    record_premedication,
    record_vital_signs,
    withdraw_part,
)
from clinic_tracker.services.reactions import ReactionSeen, record_reaction
from tests.treated import Treated, add_patient


@pytest.fixture
def treated(cast, scope_for) -> Treated:
    ready = add_patient(cast, scope_for)
    ready.make_ready()
    ready.prepare()
    return ready


def row(public_id):
    return db.session.execute(select(Infusion).where(Infusion.public_id == public_id)).scalar_one()


def codes():
    return list(db.session.execute(select(Deviation.code).where(Deviation.withdrawn_at.is_(None))).scalars())


def run_to_end(treated, clock, minutes=250):
    infusion = treated.start()
    clock.forward(minutes=minutes)
    treated.end(infusion)
    return infusion


def test_a_whole_day_leaves_no_deviation_and_the_signature_of_a_named_person(treated, clock, cast):
    infusion = run_to_end(treated, clock)
    clock.forward(minutes=120)
    treated.discharge(infusion)
    found = row(infusion)
    assert found.discharged_by_id == cast.staff.user_id
    assert found.discharged_at - found.ended_at == timedelta(minutes=120)
    assert codes() == []


def test_at_119_minutes_a_discharge_tells_the_minute_left_and_needs_a_reason(treated, clock):
    infusion = run_to_end(treated, clock)
    clock.forward(minutes=119)
    with pytest.raises(ReasonNeeded, match="1 minute"):
        treated.discharge(infusion)
    assert row(infusion).discharged_at is None
    treated.discharge(infusion, given=Reasons("Last bus; brother drives, phone checked"))
    assert codes() == ["early_discharge"]
    assert row(infusion).early_discharge_reason == "Last bus; brother drives, phone checked"


def test_nothing_ends_by_itself(treated, clock):
    infusion = run_to_end(treated, clock)
    clock.forward(hours=30)
    assert row(infusion).discharged_at is None


def test_a_discharge_without_the_advice_is_a_deviation(treated, clock):
    infusion = run_to_end(treated, clock)
    clock.forward(minutes=125)
    with pytest.raises(ReasonNeeded) as refused:
        treated.discharge(infusion, stroke_advice_given=False)
    assert [note.code for note in refused.value.notes] == ["no_stroke_counseling"]


def test_a_discharge_before_the_end_of_the_infusion_is_refused(treated, clock):
    infusion = run_to_end(treated, clock)
    clock.forward(minutes=125)
    with pytest.raises(RuleViolation) as refused:
        treated.discharge(infusion, at=treated.scope.now - timedelta(minutes=126), given=Reasons("x"))
    assert refused.value.field == "discharged_at"


def test_a_running_infusion_cannot_be_discharged(treated, clock):
    infusion = treated.start()
    clock.forward(minutes=30)
    with pytest.raises(RuleViolation, match="end of the infusion"):
        treated.discharge(infusion)


def test_the_second_signature_is_told_who_signed_and_when(treated, clock, cast, scope_for):
    infusion = run_to_end(treated, clock)
    clock.forward(minutes=121)
    treated.discharge(infusion)
    with pytest.raises(RuleViolation, match=r"signed by Nia Brandt, for 22-Jan-2026 16:41"):
        treated.discharge(infusion, scope=scope_for(cast.neurologist))


def test_an_end_that_is_not_after_the_start_is_refused(treated, clock):
    infusion = treated.start()
    clock.forward(minutes=5)
    with pytest.raises(RuleViolation) as refused:
        treated.end(infusion, at=treated.scope.now - timedelta(minutes=5))
    assert (refused.value.code, refused.value.field) == ("end_before_start", "ended_at")


def test_an_infusion_ends_once(treated, clock):
    infusion = run_to_end(treated, clock)
    with pytest.raises(RuleViolation, match="ended already, at 22-Jan-2026 14:40"):
        treated.end(infusion)


def test_stopped_early_with_less_than_the_dose_needs_a_reason(treated, clock):
    infusion = treated.start()
    clock.forward(minutes=90)
    with pytest.raises(ReasonNeeded, match="7 mg"):
        treated.end(infusion, dose_mg=7.0)
    treated.end(infusion, dose_mg=7.0, given=Reasons("Hypotension"))
    assert codes() == ["dose_differs"]
    assert row(infusion).dose_mg == 7.0


def test_a_pause_is_resumed_and_both_are_audited(treated, clock):
    infusion = treated.start()
    clock.forward(minutes=60)
    pause_infusion(treated.scope, treated.patient, infusion, paused_at=treated.scope.now, reason="Rash")
    clock.forward(minutes=20)
    resume_infusion(treated.scope, treated.patient, infusion, resumed_at=treated.scope.now)
    found = db.session.execute(select(InfusionPause)).scalar_one()
    assert found.resumed_at - found.paused_at == timedelta(minutes=20)
    actions = db.session.execute(select(AuditEvent.action).order_by(AuditEvent.id)).scalars().all()
    assert actions[-2:] == ["infusion.paused", "infusion.resumed"]


def test_an_infusion_is_paused_once_at_a_time_and_resumed_only_when_paused(treated, clock):
    infusion = treated.start()
    clock.forward(minutes=60)
    with pytest.raises(RuleViolation, match="not paused"):
        resume_infusion(treated.scope, treated.patient, infusion, resumed_at=treated.scope.now)
    pause_infusion(treated.scope, treated.patient, infusion, paused_at=treated.scope.now)
    clock.forward(minutes=5)
    with pytest.raises(RuleViolation, match="paused already"):
        pause_infusion(treated.scope, treated.patient, infusion, paused_at=treated.scope.now)
    with pytest.raises(RuleViolation) as refused:
        resume_infusion(treated.scope, treated.patient, infusion, resumed_at=treated.scope.now - timedelta(minutes=9))
    assert refused.value.field == "resumed_at"


def test_a_pause_before_the_start_is_refused_at_its_field(treated, clock):
    infusion = treated.start()
    clock.forward(minutes=5)
    with pytest.raises(RuleViolation) as refused:
        pause_infusion(treated.scope, treated.patient, infusion, paused_at=treated.scope.now - timedelta(minutes=30))
    assert refused.value.field == "paused_at"


def test_ending_in_a_pause_ends_the_pause_too(treated, clock):
    infusion = treated.start()
    clock.forward(minutes=60)
    pause_infusion(treated.scope, treated.patient, infusion, paused_at=treated.scope.now, reason="Chest pain")
    clock.forward(minutes=30)
    treated.end(infusion, dose_mg=3.0, given=Reasons("Chest pain"))
    assert db.session.execute(select(InfusionPause)).scalar_one().resumed_at == row(infusion).ended_at


def test_an_infusion_across_midnight_keeps_the_date_of_its_start(treated, clock):
    clock.set("2026-01-22 21:30")
    treated.prepare()
    infusion = treated.start()
    clock.set("2026-01-22 23:50")
    pause_infusion(treated.scope, treated.patient, infusion, paused_at=treated.scope.now)
    clock.set("2026-01-23 00:20")
    resume_infusion(treated.scope, treated.patient, infusion, resumed_at=treated.scope.now)
    clock.set("2026-01-23 02:00")
    treated.end(infusion)
    clock.set("2026-01-23 04:00")
    treated.discharge(infusion)
    assert row(infusion).infused_on == date(2026, 1, 22)
    assert codes() == []


@pytest.mark.parametrize(
    "night, ended, wrong, right",
    [
        # Clocks go forward at 2:00: 1:30 to 3:30 on the wall is one hour.
        ("2026-03-08", "01:30", "03:30", "04:30"),
        # Clocks go back at 2:00: 0:30 EDT to 1:30 EST on the wall is two hours.
        ("2026-11-01", "00:30", None, None),
    ],
)
def test_two_hours_are_elapsed_hours_when_the_clocks_change(cast, scope_for, clock, night, ended, wrong, right):
    clock.set(f"{night} 00:10")
    evening = clock.now - timedelta(hours=4)
    clock.now = evening
    treated = add_patient(cast, scope_for)
    treated.make_ready()
    treated.prepare()
    infusion = treated.start()
    clock.set(f"{night} {ended}")
    treated.end(infusion)
    if wrong:
        clock.set(f"{night} {wrong}")
        with pytest.raises(ReasonNeeded, match="60 minutes"):
            treated.discharge(infusion)
        clock.set(f"{night} {right}")
    else:
        clock.forward(minutes=120)  # 1:30 on the wall, for the second time
    treated.discharge(infusion)
    assert codes() == []


def test_honolulu_has_its_own_midnight_and_no_change_of_clocks(cast, scope_for, clock):
    cast.northside.time_zone = "Pacific/Honolulu"
    db.session.commit()
    clock.set("2026-03-07 21:00", "Pacific/Honolulu")
    treated = add_patient(cast, scope_for)
    treated.make_ready()
    treated.prepare()
    infusion = treated.start()
    clock.forward(hours=4)
    treated.end(infusion)
    clock.forward(minutes=120)
    treated.discharge(infusion)
    assert row(infusion).infused_on == date(2026, 3, 7)
    assert codes() == []


def test_vital_signs_need_a_value_and_a_time_near_the_infusion(treated, clock):
    infusion = treated.start()
    clock.forward(minutes=30)
    target = Target(treated.patient, infusion=infusion)
    now = treated.scope.now
    for vitals, field in [
        (VitalsTaken(taken_at=now), "systolic"),
        (VitalsTaken(taken_at=now, systolic=80, diastolic=120), "diastolic"),
        (VitalsTaken(taken_at=now + timedelta(minutes=1), pulse=80), "taken_at"),
        (VitalsTaken(taken_at=now - timedelta(days=3), pulse=80), "taken_at"),
    ]:
        with pytest.raises(RuleViolation) as refused:
            record_vital_signs(treated.scope, target, vitals)
        assert refused.value.field == field


def test_the_same_vital_signs_sent_twice_are_recorded_once(treated):
    infusion = treated.start()
    target = Target(treated.patient, infusion=infusion)
    for _ in range(2):
        record_vital_signs(
            treated.scope, target, VitalsTaken(taken_at=treated.scope.now, pulse=81), form_token="tapped"
        )
    assert len(db.session.execute(select(VitalSigns).where(VitalSigns.pulse == 81)).all()) == 1


def test_vital_signs_entered_in_error_leave_the_page_with_a_reason(treated):
    infusion = treated.start()
    key = infusion_row(treated.scope, treated.patient_id, infusion).id
    only = parts_of_infusion(treated.scope, key).vitals[0]
    target = Target(treated.patient, infusion=infusion)
    with pytest.raises(RuleViolation, match="reason"):
        withdraw_part(treated.scope, target, "vitals", only.public_id, reason=" ")
    withdraw_part(treated.scope, target, "vitals", only.public_id, reason="Other patient")
    assert parts_of_infusion(treated.scope, key).vitals == ()
    assert codes() == ["no_vitals_before"]
    with pytest.raises(RuleViolation, match="already"):
        withdraw_part(treated.scope, target, "vitals", only.public_id, reason="Again")


def test_a_part_of_another_infusion_is_not_found(treated, cast, scope_for):
    infusion = treated.start()
    key = infusion_row(treated.scope, treated.patient_id, infusion).id
    vitals = parts_of_infusion(treated.scope, key).vitals[0]
    other = add_patient(cast, scope_for)
    other.make_ready()
    other.prepare()
    target = Target(other.patient, infusion=other.start())
    with pytest.raises(NotFound):
        withdraw_part(treated.scope, target, "vitals", vitals.public_id, reason="Wrong")


def test_a_step_asks_only_about_what_it_changes(treated, clock):
    infusion = run_to_end(treated, clock)
    row(infusion).lot_number = None
    db.session.commit()
    clock.forward(minutes=121)
    treated.discharge(infusion)
    assert codes() == []


def test_a_corticosteroid_given_after_the_start_needs_a_reason(cast, scope_for, clock):
    treated = add_patient(cast, scope_for)
    treated.make_ready()
    infusion = treated.start(given=Reasons("Sheet to follow", "Dr. Rey"))
    clock.forward(minutes=10)
    late = {
        "kind": PremedicationKind.STEROID,
        "drug": "Methylprednisolone",
        "dose": None,
        "given_at": treated.scope.now,
        "ended_at": None,
    }
    target = Target(treated.patient, infusion=infusion)
    with pytest.raises(ReasonNeeded, match="not finished before"):
        record_premedication(treated.scope, target, **late)
    record_premedication(treated.scope, target, given=Reasons("Pump failed"), **late)
    assert sorted(codes()) == ["no_vitals_before", "steroid_late"]


@pytest.mark.parametrize("given, ended, field", [(-10, -20, "ended_at"), (5, None, "given_at"), (-10, 5, "ended_at")])
def test_the_times_of_a_premedication_are_checked(treated, given, ended, field):
    target, now = Target(treated.patient, course=treated.course), treated.scope.now
    stated = {"kind": PremedicationKind.ANTIHISTAMINE, "drug": "Diphenhydramine", "dose": None}
    stated["given_at"] = now + timedelta(minutes=given)
    stated["ended_at"] = now + timedelta(minutes=ended) if ended else None
    with pytest.raises(RuleViolation) as refused:
        record_premedication(treated.scope, target, **stated)
    assert refused.value.field == field


def test_before_the_start_only_what_was_done_today_is_recorded(treated):
    target = Target(treated.patient, course=treated.course)
    yesterday = VitalsTaken(taken_at=treated.scope.now - timedelta(days=1), pulse=70)
    with pytest.raises(RuleViolation, match="today"):
        record_vital_signs(treated.scope, target, yesterday)


def test_what_was_recorded_before_the_start_can_be_withdrawn_before_it(treated):
    vitals = db.session.execute(select(VitalSigns.public_id)).scalar_one()
    target = Target(treated.patient, course=treated.course)
    withdraw_part(treated.scope, target, "vitals", vitals, reason="Other patient")
    with pytest.raises(ReasonNeeded, match="vital signs"):
        treated.start()
    with pytest.raises(NotFound):
        withdraw_part(treated.scope, target, "nonsense", vitals, reason="x")


def test_parts_sent_twice_are_recorded_once(treated, clock):
    infusion = treated.start()
    clock.forward(minutes=30)
    target, now = Target(treated.patient, infusion=infusion), treated.scope.now
    drug = {"kind": PremedicationKind.ANTIPYRETIC, "drug": "Paracetamol", "dose": None, "given_at": now}
    seen = ReactionSeen(onset_at=now, signs="Rash", grade=ReactionGrade.MILD)
    for _ in range(2):
        record_premedication(treated.scope, target, ended_at=None, form_token="drug", **drug)
        record_reaction(treated.scope, treated.patient, infusion, seen, form_token="seen")
        pause_infusion(treated.scope, treated.patient, infusion, paused_at=now, form_token="pause")
    assert len(db.session.execute(select(InfusionReaction)).all()) == 1
    assert len(db.session.execute(select(InfusionPause)).all()) == 1


def test_what_was_typed_before_a_start_that_came_meanwhile_belongs_to_the_infusion(treated, clock):
    target = Target(treated.patient, course=treated.course)
    infusion = treated.start()
    clock.forward(minutes=2)
    record_vital_signs(treated.scope, target, VitalsTaken(taken_at=treated.scope.now, pulse=88))
    drug = {"kind": PremedicationKind.ANTIHISTAMINE, "drug": "Cetirizine", "dose": None, "ended_at": None}
    record_premedication(treated.scope, target, given_at=treated.scope.now, **drug)
    parts = parts_of_infusion(treated.scope, row(infusion).id)
    assert [one.pulse for one in parts.vitals] == [70, 88]
    assert [one.drug for one in parts.premedications] == ["Methylprednisolone", "Cetirizine"]

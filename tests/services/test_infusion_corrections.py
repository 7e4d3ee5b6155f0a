"""Infusions recorded after the fact, corrected, entered in error: the schedule follows, the audit shows both."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from clinic_tracker.domain.errors import NotFound, RuleViolation, StaleVersion
from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.schedule import Obligation, PatientSchedule
from clinic_tracker.models.treatment import Deviation, Infusion, Premedication, VitalSigns
from clinic_tracker.queries.infusion_day import day_version, replaced_by
from clinic_tracker.services import projection
from clinic_tracker.services.deviations import ReasonNeeded, Reasons
from clinic_tracker.services.infusions import PastDay, correct_infusion, record_past_infusions, withdraw_infusion
from tests.treated import Treated, add_patient

MONDAY = date(2026, 1, 12)
SHEET = "Transcribed from the paper sheet"


@pytest.fixture
def treated(cast, scope_for) -> Treated:
    found = add_patient(cast, scope_for, baseline_on=date(2026, 1, 5))
    found.plan(MONDAY)
    return found


def row(public_id):
    return db.session.execute(select(Infusion).where(Infusion.public_id == public_id)).scalar_one()


def codes(infusion=None):
    statement = select(Deviation.code).where(Deviation.withdrawn_at.is_(None)).order_by(Deviation.id)
    if infusion is not None:
        statement = statement.where(Deviation.infusion_id == row(infusion).id)
    return list(db.session.execute(statement).scalars())


def heads():
    return db.session.execute(select(PatientSchedule)).scalar_one()


def days(treated, *numbers, **values):
    return [treated.past(number, MONDAY + timedelta(days=number - 1), **values) for number in numbers]


def test_three_of_five_days_in_one_go_are_marked_as_recorded_after_the_fact(treated):
    treated.record_past(*days(treated, 1, 2, 3), reason=SHEET)
    rows = db.session.execute(select(Infusion).order_by(Infusion.day_number)).scalars().all()
    assert [one.infused_on.day for one in rows] == [12, 13, 14]
    assert all(one.is_back_entry and one.discharged_by_id is None for one in rows)
    assert (heads().first_infusion_on, heads().last_infusion_on) == (MONDAY, date(2026, 1, 14))
    assert projection.check(treated.scope) == []


def test_steroid_and_vital_signs_of_a_day_after_the_fact_belong_to_it(treated):
    first = treated.record_past(*days(treated, 1), reason=SHEET)[0]
    for table in (Premedication, VitalSigns):
        part = db.session.execute(select(table)).scalar_one()
        assert (part.infusion_id, part.for_on) == (row(first).id, MONDAY)


def test_days_after_the_fact_are_taken_together_or_not_at_all(treated):
    first, second = days(treated, 1, 2)
    wrong = treated.past(3, MONDAY + timedelta(days=2), hours=-1)
    with pytest.raises(RuleViolation) as refused:
        treated.record_past(first, second, wrong, reason=SHEET)
    assert (refused.value.code, refused.value.field) == ("end_before_start", "days-2-ended_at")
    assert db.session.execute(select(Infusion)).first() is None


def test_a_sixth_day_is_refused_also_after_the_fact(treated):
    treated.record_past(*days(treated, 1, 2, 3, 4, 5), reason=SHEET)
    with pytest.raises(RuleViolation) as refused:
        treated.record_past(treated.past(6, date(2026, 1, 17)), reason=SHEET)
    assert refused.value.code == "day_beyond_course"


def test_the_same_page_sent_twice_records_the_days_once(treated):
    for _ in range(2):
        record_past_infusions(
            treated.scope,
            treated.patient,
            treated.course,
            days(treated, 1, 2),
            given=Reasons(SHEET),
            form_token="one-page",
        )
    assert len(db.session.execute(select(Infusion)).all()) == 2


def test_what_happened_before_the_enrollment_is_taken_with_a_reason(cast, scope_for):
    treated = add_patient(cast, scope_for, enrolled=False, baseline_on=date(2026, 1, 5))
    treated.plan(MONDAY)
    with pytest.raises(ReasonNeeded, match="not enrolled"):
        treated.record_past(*days(treated, 1))
    treated.record_past(*days(treated, 1), reason="Treated before the chart was opened")
    assert "not_enrolled" in codes()


def test_a_gap_between_days_is_a_deviation(treated):
    treated.record_past(*days(treated, 1, 2), reason=SHEET)
    with pytest.raises(ReasonNeeded) as refused:
        treated.record_past(treated.past(3, date(2026, 1, 16)))
    assert [note.code for note in refused.value.notes] == ["days_not_consecutive"]


def test_a_course_resumed_after_two_weeks_goes_on_with_a_reason(cast, scope_for, clock):
    treated = add_patient(cast, scope_for, baseline_on=date(2026, 1, 5))
    treated.plan(date(2026, 1, 6))
    start = date(2026, 1, 6)
    treated.record_past(treated.past(1, start), treated.past(2, start + timedelta(days=1)), reason=SHEET)
    treated.record_past(treated.past(3, start + timedelta(days=15)), reason="Fever, sent home for two weeks")
    assert heads().last_infusion_on == date(2026, 1, 21)
    assert codes()[-1] == "days_not_consecutive"


def test_after_more_than_thirty_days_a_prescriber_decides(cast, scope_for):
    treated = add_patient(cast, scope_for, baseline_on=date(2025, 12, 1))
    start = date(2025, 12, 8)
    treated.plan(start)
    treated.record_past(treated.past(1, start), reason=SHEET)
    late = treated.past(2, start + timedelta(days=31))
    with pytest.raises(ReasonNeeded) as refused:
        treated.record_past(late, reason="Patient traveled")
    assert refused.value.field == "decided_by"
    treated.record_past(late, reason="Patient traveled", decided_by="Dr. Rey")
    assert "resumed_late" in codes()
    # What was missing at the start was explained then; after the gap it is needed anew.
    assert codes().count("not_authorized") == 2
    assert "baseline_tsh" in codes()
    treated.record_past(treated.past(3, start + timedelta(days=32)), reason="The day after")
    assert codes().count("not_authorized") == 2


def test_a_reason_for_the_planned_start_does_not_hold_for_an_earlier_one(cast, scope_for):
    treated = add_patient(cast, scope_for, birth_date=date(2009, 2, 1))
    treated.plan(date(2026, 1, 26), reason="No other treatment left", decided_by="Dr. Rey")
    treated.record_past(*days(treated, 1), reason="Given elsewhere", decided_by="Dr. Rey")
    assert codes().count("too_young") == 2
    treated.record_past(*days(treated, 2), reason="Given elsewhere")
    assert codes().count("too_young") == 2


def test_a_correction_replaces_the_row_and_the_schedule_follows(treated):
    first = treated.record_past(*days(treated, 1), reason=SHEET)[0]
    before = {one.slot: one.due_on for one in db.session.execute(select(Obligation)).scalars()}
    moved = treated.past(1, date(2026, 1, 13)).facts
    corrected = correct_infusion(treated.scope, treated.patient, first, moved, reason="Date misread")
    old, new = row(first), row(corrected)
    assert (old.state, new.state, new.replaces_id) == ("corrected", "recorded", old.id)
    assert (old.withdrawn_reason, new.infused_on, new.is_back_entry) == ("Date misread", date(2026, 1, 13), True)
    assert heads().first_infusion_on == date(2026, 1, 13)
    after = {one.slot: one.due_on for one in db.session.execute(select(Obligation)).scalars()}
    assert after["C1M1"] == before["C1M1"] + timedelta(days=1)
    assert replaced_by(treated.scope, old.id) == corrected
    vitals = db.session.execute(select(VitalSigns).order_by(VitalSigns.id)).scalars().all()
    assert [one.withdrawn_at is None for one in vitals] == [False, True]
    assert vitals[1].taken_at - vitals[0].taken_at == timedelta(days=1)
    assert projection.check(treated.scope) == []


def test_the_audit_trail_shows_what_was_and_what_is(treated, cast):
    first = treated.record_past(*days(treated, 1), reason=SHEET)[0]
    facts = treated.past(1, MONDAY, lot_number="B777").facts
    correct_infusion(treated.scope, treated.patient, first, facts, reason="Lot misread")
    event = db.session.execute(select(AuditEvent).where(AuditEvent.action == "infusion.corrected")).scalar_one()
    assert (event.before["lot_number"], event.after["lot_number"]) == ("A1234", "B777")
    assert (event.reason, event.user_id) == ("Lot misread", cast.staff.user_id)


def test_parts_and_deviations_follow_a_correction(treated):
    short = treated.past(1, MONDAY, discharged_at=treated.at("15:00", MONDAY))
    first = treated.record_past(short, reason="Left early")[0]
    assert "early_discharge" in codes(first)
    facts = treated.past(1, MONDAY).facts
    corrected = correct_infusion(treated.scope, treated.patient, first, facts, reason="Discharge time misread")
    assert "early_discharge" not in codes(corrected)
    assert "not_authorized" in codes(corrected)
    assert row(corrected).early_discharge_reason is None
    assert db.session.execute(select(VitalSigns.infusion_id)).scalars().all() == [row(corrected).id]


def test_a_deviation_that_reads_differently_after_a_correction_keeps_its_reason(treated):
    short = treated.past(1, MONDAY, discharged_at=treated.at("15:00", MONDAY))
    first = treated.record_past(short, reason="Left early")[0]
    facts = treated.past(1, MONDAY, discharged_at=treated.at("14:50", MONDAY)).facts
    corrected = correct_infusion(treated.scope, treated.patient, first, facts, reason="Misread")
    found = db.session.execute(
        select(Deviation).where(Deviation.code == "early_discharge", Deviation.withdrawn_at.is_(None))
    ).scalar_one()
    assert (found.infusion_id, found.reason) == (row(corrected).id, "Left early")
    assert "25 minutes" in found.message


def test_a_correction_needs_a_reason_and_obeys_the_rules(treated):
    first, second = treated.record_past(*days(treated, 1, 2), reason=SHEET)
    facts = treated.past(1, MONDAY).facts
    with pytest.raises(RuleViolation, match="reason"):
        correct_infusion(treated.scope, treated.patient, first, facts, reason="")
    same_day = treated.past(1, MONDAY + timedelta(days=1)).facts
    with pytest.raises(RuleViolation) as refused:
        correct_infusion(treated.scope, treated.patient, first, same_day, reason="Moved")
    assert refused.value.code == "date_already_infused"
    assert row(first).state == row(second).state == "recorded"


def test_a_row_is_corrected_once_and_the_second_person_is_told_by_whom(treated, cast, scope_for):
    first = treated.record_past(*days(treated, 1), reason=SHEET)[0]
    facts = treated.past(1, MONDAY, lot_number="B777").facts
    correct_infusion(treated.scope, treated.patient, first, facts, reason="Lot misread")
    with pytest.raises(RuleViolation, match=r"already corrected by Nia Brandt on 22-Jan-2026 10:30"):
        correct_infusion(scope_for(cast.neurologist), treated.patient, first, facts, reason="Lot misread")


def test_an_infusion_entered_in_error_counts_for_nothing_and_its_day_can_be_recorded_again(treated):
    first = treated.record_past(*days(treated, 1), reason=SHEET)[0]
    withdraw_infusion(treated.scope, treated.patient, first, reason="Other patient")
    assert row(first).state == "entered_in_error"
    assert heads().first_infusion_on is None
    assert codes(first) == []
    treated.record_past(*days(treated, 1), reason=SHEET)
    assert heads().first_infusion_on == MONDAY


def test_another_clinic_cannot_correct_or_withdraw(treated, cast, scope_for):
    first = treated.record_past(*days(treated, 1), reason=SHEET)[0]
    stranger = scope_for(cast.stranger)
    with pytest.raises(NotFound):
        withdraw_infusion(stranger, treated.patient, first, reason="Mine")
    with pytest.raises(NotFound):
        correct_infusion(stranger, treated.patient, first, treated.past(1, MONDAY).facts, reason="Mine")


def test_a_correction_opened_before_the_end_does_not_take_it_back(cast, scope_for, clock):
    treated = add_patient(cast, scope_for)
    treated.make_ready()
    treated.prepare()
    running = treated.start()
    opened = day_version(row(running))
    clock.forward(hours=5)
    treated.end(running)
    with pytest.raises(StaleVersion, match=treated.cast.staff.name):
        correct_infusion(
            treated.neurologist, treated.patient, running, treated.facts(chair="4"), reason="Chair", version=opened
        )
    assert row(running).ended_at is not None
    now = replace(treated.facts(chair="4"), started_at=row(running).started_at, ended_at=row(running).ended_at)
    correct_infusion(treated.scope, treated.patient, running, now, reason="Chair", version=day_version(row(running)))


def test_an_infusion_without_an_end_is_no_day_after_the_fact(cast, scope_for):
    treated = add_patient(cast, scope_for, enrolled=False)
    treated.plan()
    now = treated.facts(1, treated.scope.now - timedelta(hours=1))
    with pytest.raises(RuleViolation) as refused:
        treated.record_past(PastDay(facts=now), reason="Begun already")
    assert (refused.value.code, refused.value.field) == ("still_running", "days-0-ended_at")
    treated.record_past(PastDay(facts=replace(now, ended_at=treated.scope.now)), reason="Stopped: not enrolled")
    assert "not_enrolled" in codes()

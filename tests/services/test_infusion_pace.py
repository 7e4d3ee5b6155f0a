"""Slowed, stopped early, observed longer: by a named person, never below the protocol."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.treatment import Infusion, TreatmentCourse
from clinic_tracker.queries.history import load_history
from clinic_tracker.services.courses import EarlyEnd, reopen_course
from clinic_tracker.services.deviations import ReasonNeeded, Reasons
from clinic_tracker.services.infusion_day import pause_infusion, resume_infusion
from clinic_tracker.services.infusion_pace import change_planned_minutes, extend_observation, stop_early
from clinic_tracker.services.infusions import correct_infusion
from tests.treated import Treated, add_patient


@pytest.fixture
def treated(cast, scope_for) -> Treated:
    ready = add_patient(cast, scope_for)
    ready.make_ready()
    ready.prepare()
    return ready


@pytest.fixture
def running(treated, clock):
    infusion = treated.start()
    clock.forward(minutes=60)
    return infusion


def only(table):
    return db.session.execute(select(table).execution_options(populate_existing=True)).scalars().one()


def slow(treated, infusion, minutes, reason="Slower after flushing"):
    change_planned_minutes(
        treated.scope,
        treated.patient,
        infusion,
        ends_at=treated.scope.now + timedelta(minutes=minutes),
        reason=reason,
    )


def extend(treated, infusion, minutes=None, until=None, reason="Rash at the end"):
    extend_observation(treated.scope, treated.patient, infusion, minutes=minutes, until=until, reason=reason)


def stop(treated, infusion, given=None, **values):
    stated = {"on": treated.scope.today, "reason": "Anaphylaxis", "unused_vials": 4, "vials_disposition": "returned"}
    stop_early(
        treated.scope,
        treated.patient,
        infusion,
        EarlyEnd(**stated | values),
        ended_at=treated.scope.now,
        dose_mg=5.0,
        given=given,
    )


def test_a_new_expected_end_counts_the_minutes_without_the_pauses(treated, running, clock):
    pause_infusion(treated.scope, treated.patient, running, paused_at=treated.scope.now)
    clock.forward(minutes=20)
    resume_infusion(treated.scope, treated.patient, running, resumed_at=treated.scope.now)
    slow(treated, running, 240)
    assert only(Infusion).planned_minutes == 300
    event = db.session.execute(select(AuditEvent).order_by(AuditEvent.id.desc()).limit(1)).scalar_one()
    assert (event.action, event.reason) == ("infusion.pace_changed", "Slower after flushing")


@pytest.mark.parametrize("minutes, code", [(0, "end_not_ahead"), (-5, "end_not_ahead"), (24 * 60, "too_long")])
def test_an_expected_end_in_the_past_or_tomorrow_is_refused(treated, running, minutes, code):
    with pytest.raises(RuleViolation) as refused:
        slow(treated, running, minutes)
    assert (refused.value.code, refused.value.field) == (code, "ends_at")


def test_an_infusion_that_ended_has_no_expected_end(treated, running):
    treated.end(running)
    with pytest.raises(RuleViolation, match="ended already"):
        slow(treated, running, 60)


def test_an_extended_observation_holds_the_discharge_back(treated, running, clock):
    clock.forward(minutes=190)
    treated.end(running)
    extend(treated, running, minutes=180)
    clock.forward(minutes=179)
    with pytest.raises(ReasonNeeded, match="1 minute before 3 hours"):
        treated.discharge(running)
    clock.forward(minutes=1)
    treated.discharge(running)
    assert only(Infusion).observation_reason == "Rash at the end"


def test_an_observation_may_be_extended_until_a_time(treated, running, clock):
    clock.forward(minutes=190)
    treated.end(running)
    extend(treated, running, until=treated.scope.now + timedelta(minutes=150, seconds=30))
    assert only(Infusion).observation_minutes == 151


@pytest.mark.parametrize("minutes, code", [(119, "observation_too_short"), (1441, "observation_too_long")])
def test_an_observation_is_never_shorter_than_the_protocols(treated, running, minutes, code):
    with pytest.raises(RuleViolation) as refused:
        extend(treated, running, minutes=minutes)
    assert (refused.value.code, refused.value.field) == (code, "minutes")


def test_a_longer_observation_may_be_taken_back_to_the_protocols(treated, running):
    extend(treated, running, minutes=240)
    extend(treated, running, minutes=120, reason="Rash gone")
    assert only(Infusion).observation_minutes == 120


def test_an_extension_needs_words_and_a_length(treated, running):
    with pytest.raises(RuleViolation) as refused:
        extend(treated, running, minutes=240, reason="")
    assert refused.value.field == "reason"
    with pytest.raises(RuleViolation) as refused:
        extend(treated, running)
    assert refused.value.field == "minutes"


def test_until_when_can_only_be_said_once_the_infusion_has_ended(treated, running):
    with pytest.raises(RuleViolation, match="has not ended"):
        extend(treated, running, until=treated.scope.now + timedelta(hours=5))


def test_after_the_signature_nothing_is_extended(treated, running, clock):
    clock.forward(minutes=190)
    treated.end(running)
    clock.forward(minutes=121)
    treated.discharge(running)
    with pytest.raises(RuleViolation, match="already signed by you"):
        extend(treated, running, minutes=240)


def test_a_correction_keeps_pace_and_extension(treated, running):
    slow(treated, running, 240)
    extend(treated, running, minutes=240)
    correct_infusion(treated.scope, treated.patient, running, treated.facts(chair="4"), reason="Chair")
    row = db.session.execute(select(Infusion).where(Infusion.state == "recorded")).scalar_one()
    assert (row.planned_minutes, row.observation_minutes, row.observation_reason) == (300, 240, "Rash at the end")


def test_stopping_early_ends_infusion_and_course_in_one_step(treated, running):
    stop(treated, running)
    infusion, course = only(Infusion), only(TreatmentCourse)
    assert (infusion.dose_mg, infusion.ended_at) == (5.0, treated.scope.now)
    assert (course.discontinued_reason, course.unused_vials) == ("Anaphylaxis", 4)
    assert course.vials_disposition == "returned"
    assert infusion.discharged_at is None  # the observation still runs
    history = load_history(treated.scope, [treated.patient_id])[treated.patient_id]
    assert history.courses[0].infusion_days == (treated.scope.today.toordinal(),)


def test_a_stop_that_does_not_fit_changes_nothing(treated, running):
    with pytest.raises(RuleViolation) as refused:
        stop(treated, running, unused_vials=9)
    assert refused.value.field == "unused_vials"
    assert only(Infusion).ended_at is None


def test_a_stopped_course_can_be_reopened_and_its_next_day_given(treated, running, clock):
    stop(treated, running, given=Reasons("Anaphylaxis"))
    clock.forward(minutes=125)
    treated.discharge(running)
    reopen_course(treated.scope, treated.patient, treated.course, reason="Neurologist: go on slowly")
    assert only(TreatmentCourse).vials_disposition is None
    clock.forward(days=1)
    treated.prepare()
    assert treated.start(2)

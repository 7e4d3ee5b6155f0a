"""A reaction is recorded, answered, corrected and ended; a serious one waits for its report."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from clinic_tracker.domain.errors import NotFound, RuleViolation
from clinic_tracker.domain.vocabulary import FormKind, ReactionEnding, ReactionGrade
from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import FormSubmission
from clinic_tracker.models.treatment import Infusion, InfusionPause, InfusionReaction
from clinic_tracker.queries.adverse_events import Show, open_reports, serious_reactions
from clinic_tracker.queries.scope import PermissionDenied
from clinic_tracker.services.deviations import Reasons
from clinic_tracker.services.infusion_day import pause_infusion, resume_infusion
from clinic_tracker.services.infusions import correct_infusion, withdraw_infusion
from clinic_tracker.services.reactions import (
    ReactionEnd,
    ReactionSeen,
    Response,
    correct_reaction,
    record_reaction,
    resolve_reaction,
)
from tests.treated import Treated, add_patient

SERIOUS = {"grade": ReactionGrade.SEVERE, "seriousness": ("hospitalization",)}


@pytest.fixture
def treated(cast, scope_for) -> Treated:
    ready = add_patient(cast, scope_for)
    ready.make_ready()
    ready.prepare()
    return ready


@pytest.fixture
def running(treated, clock):
    infusion = treated.start()
    clock.forward(minutes=45)
    return infusion


def seen(treated, minutes_ago=0, **values):
    values = {"grade": ReactionGrade.MODERATE, "ticked": ("rash",), **values}
    return ReactionSeen(onset_at=treated.scope.now - timedelta(minutes=minutes_ago), **values)


def record(treated, infusion, **values):
    response = values.pop("response", None)
    return record_reaction(treated.scope, treated.patient, infusion, seen(treated, **values), response=response)


def only(table):
    return db.session.execute(select(table).execution_options(populate_existing=True)).scalars().one()


def actions():
    return list(db.session.execute(select(AuditEvent.action).order_by(AuditEvent.id)).scalars())


def test_a_reaction_keeps_what_was_ticked_and_done(treated, running):
    record(treated, running, ticked=("rash", "pruritus"), actions=("drugs",), drugs="Cetirizine 10 mg")
    row = only(InfusionReaction)
    assert (row.ticked, row.actions, row.drugs) == (["rash", "pruritus"], ["drugs"], "Cetirizine 10 mg")
    assert not row.is_serious


@pytest.mark.parametrize(
    "values, code",
    [
        ({"minutes_ago": 120}, "before_start"),
        ({"minutes_ago": -10}, "future_time"),
        ({"ticked": ()}, "no_signs"),
    ],
)
def test_an_impossible_reaction_is_refused(treated, running, values, code):
    with pytest.raises(RuleViolation) as refused:
        record(treated, running, **values)
    assert refused.value.code == code


def test_pausing_is_one_step_with_the_reaction_and_counts_from_the_onset(treated, running):
    record(treated, running, minutes_ago=5, actions=("paused",))
    assert only(InfusionPause).paused_at == treated.scope.now - timedelta(minutes=5)


def test_the_pause_may_have_its_own_time(treated, running):
    at = treated.scope.now - timedelta(minutes=3)
    record(treated, running, minutes_ago=5, actions=("paused",), response=Response(paused_at=at))
    assert only(InfusionPause).paused_at == at


def test_a_running_pause_is_not_recorded_twice(treated, running):
    pause_infusion(treated.scope, treated.patient, running, paused_at=treated.scope.now)
    record(treated, running, actions=("paused",))
    assert only(InfusionPause).resumed_at is None


def test_a_refused_pause_leaves_no_half_recorded_reaction(treated, running, clock):
    early = treated.scope.now - timedelta(minutes=200)
    with pytest.raises(RuleViolation) as refused:
        record(treated, running, actions=("paused",), response=Response(paused_at=early))
    assert refused.value.field == "paused_at"
    assert db.session.execute(select(InfusionReaction)).all() == []


def test_slowing_and_a_longer_observation_come_with_the_reaction(treated, running):
    ends_at = treated.scope.now + timedelta(minutes=255)
    record(treated, running, actions=("slowed",), response=Response(ends_at=ends_at, observation_minutes=240))
    row = only(Infusion)
    assert (row.planned_minutes, row.observation_minutes) == (300, 240)
    assert row.observation_reason == "Reaction: Rash"


def test_a_second_reaction_makes_an_extended_observation_no_shorter(treated, running):
    record(treated, running, response=Response(observation_minutes=240))
    with pytest.raises(RuleViolation, match="240 minutes") as refused:
        record(treated, running, response=Response(observation_minutes=150))
    assert refused.value.field == "observation_minutes"
    record(treated, running, response=Response(observation_minutes=300))
    assert only(Infusion).observation_minutes == 300


def test_a_restart_after_a_reaction_runs_on(treated, running, clock):
    record(treated, running, actions=("paused",))
    clock.forward(minutes=30)
    resume_infusion(treated.scope, treated.patient, running, resumed_at=treated.scope.now)
    clock.forward(minutes=195)
    treated.end(running)
    clock.forward(minutes=121)
    treated.discharge(running)
    assert only(Infusion).discharged_at is not None


def test_a_correction_replaces_the_reaction_and_keeps_its_report(treated, running):
    first = record(treated, running, **SERIOUS)
    report(treated, first)
    changed = seen(treated, ticked=("urticaria",), **SERIOUS)
    second = correct_reaction(treated.scope, treated.patient, running, first, changed, reason="It was urticaria")
    (listed,) = serious_reactions(treated.scope)
    assert (listed.row.reaction, listed.told, listed.is_reported) == (second, "Urticaria (hives)", True)
    assert "reaction.corrected" in actions()
    with pytest.raises(RuleViolation) as refused:
        correct_reaction(treated.scope, treated.patient, running, first, changed, reason="Again")
    assert refused.value.code == "already_changed"


def test_a_correction_needs_a_reason(treated, running):
    first = record(treated, running)
    with pytest.raises(RuleViolation) as refused:
        correct_reaction(treated.scope, treated.patient, running, first, seen(treated), reason=" ")
    assert refused.value.field == "reason"


def test_how_it_ended_is_filled_in_later(treated, running, clock):
    reaction = record(treated, running)
    clock.forward(minutes=40)
    over = ReactionEnd(ending=ReactionEnding.RECOVERED, resolved_at=treated.scope.now)
    resolve_reaction(treated.scope, treated.patient, running, reaction, over)
    row = only(InfusionReaction)
    assert (row.ending, row.resolved_at) == ("recovered", treated.scope.now)
    assert actions()[-1] == "reaction.resolved"


@pytest.mark.parametrize(
    "ending, minutes, code",
    [
        (None, None, "no_ending"),
        (ReactionEnding.RECOVERED, -10, "resolved_before_onset"),
        (ReactionEnding.RECOVERED, 600, "future_time"),
        (ReactionEnding.NOT_RECOVERED, 0, "not_over"),
    ],
)
def test_an_end_that_does_not_fit_is_refused(treated, running, clock, ending, minutes, code):
    reaction = record(treated, running)
    at = None if minutes is None else treated.scope.now + timedelta(minutes=minutes)
    with pytest.raises(RuleViolation) as refused:
        resolve_reaction(treated.scope, treated.patient, running, reaction, ReactionEnd(ending=ending, resolved_at=at))
    assert refused.value.code == code


def test_a_fatal_end_makes_it_serious(treated, running):
    reaction = record(treated, running)
    assert open_reports(treated.scope) == (0, 0)
    resolve_reaction(treated.scope, treated.patient, running, reaction, ReactionEnd(ending=ReactionEnding.FATAL))
    assert open_reports(treated.scope) == (1, 0)


# ------------------------------------------------------------------------------------------- reports of serious ones


def report(treated, reaction, **values):
    row = db.session.execute(select(InfusionReaction).where(InfusionReaction.public_id == reaction)).scalar_one()
    scope = treated.scope
    db.session.add(
        FormSubmission(
            clinic_id=scope.clinic_id,
            patient_id=treated.patient_id,
            reaction_id=row.id,
            kind=FormKind.ADVERSE_EVENT_FORM.value,
            submitted_on=scope.today,
            recorded_at=scope.now,
            **values,
        )
    )
    db.session.commit()


def test_a_serious_reaction_is_listed_with_the_business_day_of_its_report(treated, running, clock):
    record(treated, running, **SERIOUS)
    (listed,) = serious_reactions(treated.scope)
    assert listed.due_on == date(2026, 1, 23)  # the onset was on a Thursday
    assert listed.criteria == ("Hospital stay, new or longer",)
    assert listed.days_late(treated.scope.today) == 0
    clock.forward(days=4)
    assert listed.days_late(treated.scope.today) == 3
    assert open_reports(treated.scope) == (1, 1)


def test_a_report_that_was_sent_ends_the_debt(treated, running):
    report(treated, record(treated, running, **SERIOUS))
    assert serious_reactions(treated.scope, Show.OPEN) == ()
    (listed,) = serious_reactions(treated.scope, Show.REPORTED)
    assert listed.row.reported_on == date(2026, 1, 22)


def test_only_serious_ones_of_infusions_that_stand_are_listed(treated, running):
    record(treated, running)
    record(treated, running, **SERIOUS)
    assert len(serious_reactions(treated.scope)) == 1
    withdraw_infusion(treated.scope, treated.patient, running, reason="Other patient")
    assert serious_reactions(treated.scope) == ()


def test_a_day_moved_to_another_date_takes_reaction_and_report_along(treated, running, clock):
    report(treated, record(treated, running, **SERIOUS))
    yesterday = treated.facts(at=treated.at("10:30", treated.scope.today - timedelta(days=1)))
    why = Reasons("Dates were mixed up", "Dr. Tomas Rey")
    correct_infusion(treated.scope, treated.patient, running, yesterday, reason="It was yesterday", given=why)
    (listed,) = serious_reactions(treated.scope, Show.REPORTED)
    assert listed.row.onset_at == treated.at("11:15", treated.scope.today - timedelta(days=1))


def test_another_clinic_sees_and_changes_nothing(treated, running, cast, scope_for):
    reaction = record(treated, running, **SERIOUS)
    stranger = scope_for(cast.stranger)
    assert serious_reactions(stranger) == ()
    with pytest.raises(NotFound):
        resolve_reaction(stranger, treated.patient, running, reaction, ReactionEnd(ending=ReactionEnding.RECOVERED))


def test_who_may_only_look_records_no_reaction(treated, running, cast, scope_for):
    with pytest.raises(PermissionDenied):
        record_reaction(scope_for(cast.auditor), treated.patient, running, seen(treated))

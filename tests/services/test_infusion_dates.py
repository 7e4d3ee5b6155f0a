"""What depends on when an infusion began: readiness on the date, the evening before, the onset of reactions."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.vocabulary import PremedicationKind, ReactionGrade
from clinic_tracker.models.base import db
from clinic_tracker.models.treatment import (
    Deviation,
    Infusion,
    InfusionReaction,
    Premedication,
    TreatmentCourse,
    VitalSigns,
)
from clinic_tracker.queries.infusion_day import waiting_parts
from clinic_tracker.services.deviations import Reasons
from clinic_tracker.services.infusion_parts import Target, VitalsTaken, record_premedication, record_vital_signs
from clinic_tracker.services.infusions import correct_infusion
from clinic_tracker.services.reactions import ReactionSeen, record_reaction
from tests.treated import add_patient

MONDAY = date(2026, 1, 12)
WHY = Reasons("Transcribed from the paper sheet", "Dr. Tomas Rey")


@pytest.fixture
def treated(cast, scope_for):
    found = add_patient(cast, scope_for, baseline_on=date(2026, 1, 5))
    found.plan(MONDAY)
    return found


def codes():
    statement = select(Deviation.code).where(Deviation.withdrawn_at.is_(None))
    return set(db.session.execute(statement).scalars())


def move(treated, infusion, day, start="09:00"):
    facts = treated.past(1, day, start=start).facts
    return correct_infusion(treated.scope, treated.patient, infusion, facts, reason="Misread", given=WHY)


def test_what_was_missing_before_the_start_is_judged_for_the_date_that_an_infusion_moves_to(treated):
    (infusion,) = treated.record_past(treated.past(1, MONDAY), reason=WHY.reason, decided_by=WHY.decided_by)
    assert "not_authorized" in codes()
    treated.authorize(authorized_on=date(2026, 1, 20), override_reason="Late")
    infusion = move(treated, infusion, MONDAY, "10:00")
    assert "not_authorized" in codes(), "another time of the same date changes nothing"
    infusion = move(treated, infusion, date(2026, 1, 21))
    assert "not_authorized" not in codes()
    move(treated, infusion, MONDAY)
    assert "not_authorized" in codes()


def test_what_was_done_in_the_evening_joins_a_start_after_midnight(cast, scope_for, clock):
    treated = add_patient(cast, scope_for)
    tomorrow = treated.scope.today + timedelta(days=1)
    treated.make_ready(tomorrow)
    clock.set("2026-01-22 23:50")
    target = Target(treated.patient, course=treated.course)
    now = treated.scope.now
    record_vital_signs(treated.scope, target, VitalsTaken(taken_at=now, pulse=70))
    steroid = {"kind": PremedicationKind.STEROID, "drug": "Methylprednisolone", "dose": "1,000 mg"}
    record_premedication(treated.scope, target, given_at=now - timedelta(hours=1), ended_at=now, **steroid)
    clock.set("2026-01-23 00:10")
    course = db.session.execute(select(TreatmentCourse.id)).scalar_one()
    waiting = waiting_parts(treated.scope, course, tomorrow)
    assert (len(waiting.vitals), len(waiting.premedications)) == (1, 1), "the page of the day shows them"
    treated.start()
    infusion = db.session.execute(select(Infusion)).scalar_one()
    for table in (VitalSigns, Premedication):
        part = db.session.execute(select(table)).scalar_one()
        assert (part.infusion_id, part.for_on) == (infusion.id, tomorrow)
    assert not codes() & {"no_vitals_before", "no_steroid"}


def test_what_was_done_in_the_morning_of_another_date_does_not(cast, scope_for, clock):
    treated = add_patient(cast, scope_for)
    treated.make_ready()
    target = Target(treated.patient, course=treated.course)
    record_vital_signs(treated.scope, target, VitalsTaken(taken_at=treated.scope.now, pulse=70))
    clock.set("2026-01-23 00:10")
    treated.start(given=WHY)
    assert db.session.execute(select(VitalSigns)).scalar_one().infusion_id is None
    assert "no_vitals_before" in codes()


def test_a_start_is_not_corrected_to_after_the_onset_of_a_reaction(treated):
    (infusion,) = treated.record_past(treated.past(1, MONDAY), reason=WHY.reason, decided_by=WHY.decided_by)
    seen = ReactionSeen(onset_at=treated.at("09:30", MONDAY), grade=ReactionGrade.MILD, ticked=("urticaria",))
    record_reaction(treated.scope, treated.patient, infusion, seen)
    with pytest.raises(RuleViolation, match=r"A reaction began at 12-Jan-2026 09:30, before this start") as refused:
        move(treated, infusion, MONDAY, "10:00")
    assert (refused.value.code, refused.value.field) == ("reaction_before_start", "started_at")
    infusion = move(treated, infusion, MONDAY, "09:30")
    move(treated, infusion, MONDAY + timedelta(days=1), "09:45")
    onsets = db.session.execute(select(InfusionReaction.onset_at).where(InfusionReaction.withdrawn_at.is_(None)))
    assert onsets.scalars().all() == [treated.at("09:45", MONDAY + timedelta(days=1))]

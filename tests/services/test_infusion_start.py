"""An infusion is started: everything in place, or a reason, or not at all."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from clinic_tracker.domain.errors import NotFound, RuleViolation
from clinic_tracker.domain.readiness import Answers
from clinic_tracker.domain.vocabulary import PremedicationKind
from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import Exam, LabReport, Vaccination
from clinic_tracker.models.schedule import PatientSchedule
from clinic_tracker.models.treatment import Deviation, Infusion, Premedication, VitalSigns
from clinic_tracker.queries.scope import PermissionDenied
from clinic_tracker.services import infusions
from clinic_tracker.services.authorizations import withdraw_authorization
from clinic_tracker.services.clinics import change_setting
from clinic_tracker.services.deviations import ReasonNeeded, Reasons
from clinic_tracker.services.infusion_parts import Target, record_premedication
from clinic_tracker.services.infusions import start_infusion
from tests.treated import Treated, add_patient


@pytest.fixture
def treated(cast, scope_for) -> Treated:
    return add_patient(cast, scope_for)


def codes(treated):
    rows = db.session.execute(select(Deviation.code).where(Deviation.withdrawn_at.is_(None)).order_by(Deviation.id))
    return list(rows.scalars())


def add_fact(treated, table, **values):
    scope = treated.scope
    db.session.add(table(clinic_id=scope.clinic_id, patient_id=treated.patient_id, recorded_at=scope.now, **values))
    db.session.commit()


def infusion(public_id):
    return db.session.execute(select(Infusion).where(Infusion.public_id == public_id)).scalar_one()


def test_with_everything_in_place_an_infusion_starts_without_a_reason(treated):
    treated.make_ready()
    treated.prepare()
    row = infusion(treated.start())
    assert (row.day_number, row.infused_on, row.observation_minutes) == (1, date(2026, 1, 22), 120)
    assert row.is_back_entry is False
    assert codes(treated) == []


def test_what_was_recorded_before_the_start_belongs_to_the_infusion_then(treated):
    treated.make_ready()
    treated.prepare()
    row = infusion(treated.start())
    for table in (Premedication, VitalSigns):
        assert db.session.execute(select(table.infusion_id)).scalars().all() == [row.id]


def test_the_schedule_follows_the_first_infusion(treated):
    treated.make_ready()
    treated.prepare()
    treated.start()
    heads = db.session.execute(select(PatientSchedule)).scalar_one()
    assert heads.first_infusion_on == heads.last_infusion_on == date(2026, 1, 22)
    assert heads.monitoring_ends_on == date(2030, 1, 22)


def test_the_start_is_audited_by_name(treated, cast):
    treated.make_ready()
    treated.prepare()
    treated.start()
    event = db.session.execute(select(AuditEvent).where(AuditEvent.action == "infusion.recorded")).scalar_one()
    assert event.user_id == cast.staff.user_id
    assert event.after["dose_mg"] == 12.0


def test_a_missing_steroid_and_missing_vital_signs_need_one_reason_and_are_two_deviations(treated):
    treated.make_ready()
    with pytest.raises(ReasonNeeded) as refused:
        treated.start()
    assert {note.code for note in refused.value.notes} == {"no_steroid", "no_vitals_before"}
    assert db.session.execute(select(Infusion)).first() is None
    with pytest.raises(ReasonNeeded) as refused:
        treated.start(given=Reasons("Given on the ward, sheet to follow"))
    assert refused.value.field == "decided_by"
    treated.start(given=Reasons("Given on the ward, sheet to follow", "Dr. Rey"))
    assert sorted(codes(treated)) == ["no_steroid", "no_vitals_before"]


def test_a_steroid_written_down_later_ends_its_deviation(treated):
    treated.make_ready()
    started = treated.start(given=Reasons("Sheet to follow", "Dr. Rey"))
    before = treated.scope.now - timedelta(minutes=50)
    record_premedication(
        treated.scope,
        Target(treated.patient, infusion=started),
        kind=PremedicationKind.STEROID,
        drug="Methylprednisolone",
        dose="1,000 mg",
        given_at=before,
        ended_at=before + timedelta(minutes=30),
    )
    assert codes(treated) == ["no_vitals_before"]


@pytest.mark.parametrize("withdrawn", [False, True])
def test_without_authorization_nothing_is_started_whatever_the_reason(treated, withdrawn):
    treated.plan()
    if withdrawn:
        authorization = treated.authorize()
        withdraw_authorization(treated.neurologist, treated.patient, authorization, reason="Wrong course")
    treated.prepare()
    with pytest.raises(RuleViolation, match="Not authorized") as refused:
        treated.start(given=Reasons("Authorized by phone, form on its way", "Dr. Rey"))
    assert refused.value.code == "not_authorized"
    assert not isinstance(refused.value, ReasonNeeded)


def test_an_authorization_that_has_lapsed_starts_nothing(treated, clock):
    treated.make_ready()
    clock.set("2026-02-12 10:30")
    treated.prepare()
    with pytest.raises(RuleViolation, match="lapsed") as refused:
        treated.start(given=Reasons("The slot moved", "Dr. Rey"))
    assert refused.value.code == "authorization_expired"


def test_what_happened_without_an_authorization_is_recorded_after_the_fact_with_a_reason(treated):
    treated.plan()
    day = treated.past(1, treated.scope.today - timedelta(days=1))
    with pytest.raises(ReasonNeeded, match="Not authorized"):
        treated.record_past(day)
    treated.record_past(day, reason="Given at the other site")
    assert sorted(codes(treated)) == ["not_authorized", "not_verified"]


def test_a_reason_given_for_the_course_is_not_asked_again_on_the_next_day(treated, clock):
    treated.plan()
    treated.authorize()
    treated.prepare()
    first = treated.start(given=Reasons("Verified by phone, the line was down", "Dr. Rey"))
    clock.forward(minutes=250)
    treated.end(first)
    clock.forward(minutes=121)
    treated.discharge(first)
    clock.set("2026-01-23 10:30")
    treated.prepare()
    treated.start(2)
    assert codes(treated) == ["not_verified"]


def test_an_authorization_that_nobody_verified_needs_a_reason(treated):
    treated.plan()
    treated.authorize()
    treated.prepare()
    with pytest.raises(ReasonNeeded, match="verified"):
        treated.start()


def test_results_missing_from_the_baseline_need_a_prescribers_reason_naming_each(treated):
    treated.make_ready()
    treated.prepare()
    panels = LabReport.panel.in_(["tsh", "cbc_diff"])
    db.session.execute(update(LabReport).where(panels).values(result_status="preliminary"))
    db.session.commit()
    with pytest.raises(ReasonNeeded) as refused:
        treated.start(given=Reasons("The laboratory repeats them today"))
    assert refused.value.field == "decided_by"
    assert {note.code for note in refused.value.notes} == {"baseline_cbc_diff", "baseline_tsh"}
    treated.start(given=Reasons("The laboratory repeats them today", "Dr. Rey"))
    assert sorted(codes(treated)) == ["baseline_cbc_diff", "baseline_tsh"]


def test_what_was_explained_when_the_course_was_authorized_is_not_asked_again(cast, scope_for):
    treated = add_patient(cast, scope_for, baseline_on=date(2025, 12, 20))
    treated.plan()
    treated.authorize(override_reason="The laboratory repeats them today")
    treated.prepare()
    with pytest.raises(ReasonNeeded) as refused:
        treated.start()
    assert {note.code for note in refused.value.notes} == {"not_verified"}


def test_a_varicella_vaccine_six_weeks_before_is_a_hard_stop_and_the_past_a_deviation(treated):
    treated.make_ready()
    treated.prepare()
    add_fact(treated, Vaccination, vaccine="varicella", is_varicella=True, given_on=date(2025, 12, 12))
    with pytest.raises(RuleViolation, match="23-Jan-2026") as refused:
        treated.start(given=Reasons("Urgent", "Dr. Rey"))
    assert refused.value.code == "baseline_vzv_vaccine"
    treated.record_past(treated.past(1, treated.scope.today - timedelta(days=1)), reason="Given elsewhere")
    assert "baseline_vzv_vaccine" in codes(treated)


def test_a_positive_hiv_test_that_comes_after_the_first_day_stops_the_second_one(treated, clock):
    treated.make_ready()
    treated.prepare()
    first = treated.start()
    clock.forward(hours=5)
    treated.end(first)
    clock.forward(hours=19)
    add_fact(treated, Exam, kind="hiv_test", performed_on=treated.scope.today, outcome="positive")
    treated.prepare()
    with pytest.raises(RuleViolation, match="HIV infection is a contraindication") as refused:
        treated.start(2, given=Reasons("Urgent", "Dr. Rey"))
    assert refused.value.code == "baseline_hiv_test_positive"


def test_a_patient_who_is_not_enrolled_is_not_infused_live(cast, scope_for):
    treated = add_patient(cast, scope_for, enrolled=False)
    treated.plan()
    treated.prepare()
    with pytest.raises(RuleViolation, match="not enrolled") as refused:
        treated.start(given=Reasons("Urgent"))
    assert refused.value.code == "not_enrolled"


def test_a_patient_with_hiv_is_not_infused_live_whatever_the_reason(treated):
    treated.make_ready()
    treated.prepare()
    add_fact(treated, Exam, kind="hiv_test", performed_on=date(2026, 1, 20), outcome="positive")
    with pytest.raises(RuleViolation) as refused:
        treated.start(given=Reasons("Prescriber insists"))
    assert refused.value.code.startswith("baseline_hiv")
    assert not isinstance(refused.value, ReasonNeeded)


QUESTIONS = {
    "infection_excluded": "infection",
    "contraindications_excluded": "contraindication",
    "pregnancy_excluded": "pregnancy",
}


@pytest.mark.parametrize("answer", [False, None])
@pytest.mark.parametrize("question, field", QUESTIONS.items())
def test_a_contraindication_or_a_question_not_answered_stops_the_start_whatever_the_reason(
    treated, question, field, answer
):
    treated.make_ready()
    treated.prepare()
    with pytest.raises(RuleViolation) as refused:
        treated.start(**{question: answer}, given=Reasons("Mild cold", "Dr. Rey"))
    assert refused.value.field == field
    assert not isinstance(refused.value, ReasonNeeded)
    assert db.session.execute(select(Infusion)).first() is None


def test_pregnancy_is_not_asked_about_where_it_does_not_apply(cast, scope_for):
    treated = add_patient(cast, scope_for, sex_at_birth="male")
    treated.make_ready()
    treated.prepare()
    assert infusion(treated.start(pregnancy_excluded=None)).pregnancy_excluded is None


def test_the_answers_are_kept_with_the_infusion_and_with_its_correction(treated):
    treated.make_ready()
    treated.prepare()
    row = infusion(treated.start())
    assert [getattr(row, name) for name in Answers._fields] == [True, True, True, True]
    corrected = infusions.correct_infusion(
        treated.scope, treated.patient, row.public_id, treated.facts(dose_mg=12.0, chair="4"), reason="Chair"
    )
    assert [getattr(infusion(corrected), name) for name in Answers._fields] == [True, True, True, True]


def test_equipment_that_nobody_attested_is_for_a_prescriber_to_decide(treated):
    treated.make_ready()
    treated.prepare()
    with pytest.raises(ReasonNeeded) as refused:
        treated.start(equipment_ready=False, given=Reasons("Cart at the next bed"))
    assert refused.value.field == "decided_by"
    treated.start(equipment_ready=False, given=Reasons("Cart at the next bed", "Dr. Rey"))
    reason = db.session.execute(select(Deviation.reason)).scalar_one()
    assert reason == "Cart at the next bed (decided by Dr. Rey)"


def test_a_drug_that_nobody_checked_is_for_a_prescriber_where_the_clinic_wants_it_checked(treated):
    administrator = treated.scope_for(treated.cast.administrator)
    today = treated.scope.today
    change_setting(administrator, name="drug_check_people", value=1, effective_from=today, reason="Wanted")
    treated.make_ready()
    treated.prepare()
    with pytest.raises(ReasonNeeded, match="Drug checked by one person"):
        treated.start()
    treated.start(given=Reasons("One nurse on shift", "Dr. Rey"))
    assert codes(treated) == ["drug_not_checked"]


@pytest.mark.parametrize(
    "values, field",
    [
        ({"dose_mg": 0.0}, "dose_mg"),
        ({"lot_expires_on": date(2025, 12, 31)}, "deviation_reason"),
        ({"dose_mg": 10.0}, "deviation_reason"),
        ({"lot_number": None}, "deviation_reason"),
    ],
)
def test_dose_and_lot_are_checked(treated, values, field):
    treated.make_ready()
    treated.prepare()
    with pytest.raises(RuleViolation) as refused:
        treated.start(**values)
    assert refused.value.field == field


def test_a_start_in_the_future_is_refused(treated):
    treated.make_ready()
    treated.prepare()
    with pytest.raises(RuleViolation) as refused:
        treated.start(at=treated.scope.now + timedelta(minutes=2))
    assert refused.value.code == "future_time"


def test_a_start_of_yesterday_belongs_on_the_page_for_days_after_the_fact(treated):
    treated.make_ready()
    with pytest.raises(RuleViolation, match="after the fact"):
        treated.start(at=treated.scope.now - timedelta(hours=20))


def test_two_infusions_on_one_day_are_refused_by_the_rule_and_by_the_index_alike(treated, monkeypatch):
    treated.make_ready()
    treated.prepare()
    treated.start()
    with pytest.raises(RuleViolation) as by_rule:
        treated.start(2, at=treated.scope.now)
    real, calls = infusions.judge, []

    def blind_once(*arguments, **options):
        calls.append(1)
        return infusions.Verdict() if len(calls) == 1 else real(*arguments, **options)

    monkeypatch.setattr(infusions, "judge", blind_once)
    with pytest.raises(RuleViolation) as by_index:
        treated.start(2, at=treated.scope.now)
    assert (by_rule.value.code, by_rule.value.message) == (by_index.value.code, by_index.value.message)
    assert by_rule.value.code == "date_already_infused"


def test_the_same_form_sent_twice_records_one_infusion(treated):
    treated.make_ready()
    treated.prepare()
    first = treated.start(form_token="tapped-twice")
    assert treated.start(form_token="tapped-twice") == first
    assert len(db.session.execute(select(Infusion)).all()) == 1


def test_another_clinic_does_not_find_the_patient(treated, cast, scope_for):
    treated.make_ready()
    with pytest.raises(NotFound):
        start_infusion(
            scope_for(cast.stranger),
            treated.patient,
            treated.course,
            treated.facts(),
            answers=Answers(True, True, True, True),
        )


@pytest.mark.parametrize("role", ["administrator", "auditor"])
def test_only_those_who_treat_may_start_an_infusion(treated, cast, scope_for, role):
    treated.make_ready()
    with pytest.raises(PermissionDenied):
        start_infusion(
            scope_for(cast.person(role)),
            treated.patient,
            treated.course,
            treated.facts(),
            answers=Answers(True, True, True, True),
        )

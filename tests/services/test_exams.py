"""Recording, correcting and withdrawing exams, screenings and vaccinations."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from clinic_tracker.domain.errors import NotFound, RuleViolation
from clinic_tracker.domain.vocabulary import ExamKind
from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import Exam, Vaccination
from clinic_tracker.models.schedule import Standing
from clinic_tracker.models.treatment import Deviation
from clinic_tracker.queries.scope import PermissionDenied, Scope
from clinic_tracker.services.deviations import ReasonNeeded
from clinic_tracker.services.exams import (
    ExamEntry,
    correct_exam,
    record_exam,
    record_screening,
    record_vaccination,
    withdraw_exam,
)
from clinic_tracker.services.vaccinations import VaccinationEntry, correct_vaccination, withdraw_vaccination
from tests.factories import Chart, register
from tests.fixtures.people import Cast

DAY = date(2026, 1, 12)
SKIN = ExamEntry(ExamKind.SKIN_EXAM, DAY, "normal", examiner="Dr. Kim", row="skin_exam")
FLU = VaccinationEntry("influenza_inactivated", DAY, row="dose_1")
MMR = VaccinationEntry("mmr", DAY, row="dose_1")
ScopeFor = Callable[..., Scope]


@pytest.fixture
def staff(cast: Cast, scope_for: ScopeFor) -> Scope:
    return scope_for(cast.staff)


@pytest.fixture
def chart(staff: Scope) -> Chart:
    return register(staff, birth_date=date(1980, 5, 5))


@pytest.fixture
def treated(staff: Scope, cast: Cast) -> Chart:
    return register(staff).enroll(cast.prescriber, date(2024, 12, 1)).infuse(date(2025, 1, 6))


def exams(chart: Chart) -> list[Exam]:
    return db.session.query(Exam).filter_by(patient_id=chart.row.id).order_by(Exam.id).populate_existing().all()


def doses(chart: Chart) -> list[Vaccination]:
    found = db.session.query(Vaccination).filter_by(patient_id=chart.row.id)
    return found.order_by(Vaccination.id).populate_existing().all()


def alerts(chart: Chart) -> list[Deviation]:
    found = db.session.query(Deviation).filter_by(patient_id=chart.row.id, code="live_vaccine_after_course")
    return found.filter(Deviation.withdrawn_at.is_(None)).populate_existing().all()


def standing(chart: Chart, requirement: str) -> Standing:
    found = db.session.query(Standing).filter_by(patient_id=chart.row.id, requirement=requirement)
    return found.populate_existing().one()


def refusal(call: Callable[[], object]) -> RuleViolation:
    with pytest.raises(RuleViolation) as caught:
        call()
    return caught.value


def test_several_entries_are_recorded_at_once_each_with_its_audit_event(chart, staff):
    tb = ExamEntry(ExamKind.TB_SCREEN, DAY, "negative", method="IGRA")
    assert len(record_screening(staff, chart.id, [SKIN, tb], [FLU])) == 3
    assert [(row.kind, row.outcome, row.recorded_by_id) for row in exams(chart)] == [
        ("skin_exam", "normal", staff.user_id),
        ("tb_screen", "negative", staff.user_id),
    ]
    actions = [event.action for event in db.session.query(AuditEvent).filter_by(patient_id=chart.row.id)]
    assert actions.count("exam.recorded") == 2
    assert actions.count("vaccination.recorded") == 1


def test_one_bad_entry_keeps_all_of_them_out(chart, staff):
    bad = ExamEntry(ExamKind.HIV_TEST, date(2026, 1, 23), "negative", row="hiv_test")
    violation = refusal(lambda: record_screening(staff, chart.id, [SKIN, bad], [FLU]))
    assert (violation.code, violation.field) == ("future_date", "hiv_test-performed_on")
    assert exams(chart) == []
    assert doses(chart) == []


@pytest.mark.parametrize(
    "entry,code,field",
    [
        (replace(SKIN, performed_on=date(2026, 1, 23)), "future_date", "skin_exam-performed_on"),
        (replace(SKIN, performed_on=date(1980, 5, 4)), "before_birth", "skin_exam-performed_on"),
        (replace(SKIN, outcome="positive"), "unknown_outcome", "skin_exam-outcome"),
        (replace(FLU, given_on=date(1980, 5, 4)), "before_birth", "dose_1-given_on"),
        (replace(FLU, vaccine="elixir"), "unknown_vaccine", "dose_1-vaccine"),
    ],
)
def test_entries_that_cannot_be_are_refused_in_their_row(chart, staff, entry, code, field):
    given = ([entry], []) if isinstance(entry, ExamEntry) else ([], [entry])
    violation = refusal(lambda: record_screening(staff, chart.id, *given))
    assert (violation.code, violation.field) == (code, field)


def test_nothing_at_all_is_refused(chart, staff):
    assert refusal(lambda: record_screening(staff, chart.id)).code == "nothing_entered"


def test_the_same_result_of_a_day_is_recorded_once_another_result_again(chart, staff):
    hiv = ExamEntry(ExamKind.HIV_TEST, DAY, "indeterminate")
    record_exam(staff, chart.id, hiv)
    assert refusal(lambda: record_exam(staff, chart.id, hiv)).code == "already_recorded"
    record_exam(staff, chart.id, replace(hiv, outcome="negative"))
    record_vaccination(staff, chart.id, FLU)
    assert refusal(lambda: record_vaccination(staff, chart.id, FLU)).code == "already_recorded"


def test_the_same_form_sent_twice_records_once(chart, staff):
    assert len(record_screening(staff, chart.id, [SKIN], [FLU], form_token="form-1")) == 2
    assert record_screening(staff, chart.id, [SKIN], [FLU], form_token="form-1") == ()
    assert record_vaccination(staff, chart.id, replace(FLU, given_on=date(2025, 1, 1)), form_token="form-2")
    assert record_vaccination(staff, chart.id, replace(FLU, given_on=date(2025, 1, 1)), form_token="form-2") is None
    assert (len(exams(chart)), len(doses(chart))) == (1, 2)


def test_a_skin_exam_is_evidence_at_once_until_it_is_withdrawn(treated, staff):
    before = standing(treated, "skin_exam").next_due_on
    exam = record_exam(staff, treated.id, SKIN)
    assert standing(treated, "skin_exam").last_done_on == DAY
    withdraw_exam(staff, treated.id, exam, reason="Other patient")
    assert standing(treated, "skin_exam").next_due_on == before
    assert exams(treated)[0].state == "entered_in_error"


def test_a_correction_replaces_the_exam_and_the_schedule_follows(treated, staff):
    exam = record_exam(staff, treated.id, SKIN)
    correct_exam(staff, treated.id, exam, replace(SKIN, performed_on=date(2026, 1, 15)), reason="Misread")
    first, second = exams(treated)
    assert (first.state, first.withdrawn_reason) == ("corrected", "Misread")
    assert (second.replaces_id, second.performed_on) == (first.id, date(2026, 1, 15))
    assert standing(treated, "skin_exam").last_done_on == date(2026, 1, 15)
    event = db.session.query(AuditEvent).filter_by(action="exam.corrected").one()
    assert (event.before["performed_on"], event.after["performed_on"]) == ("2026-01-12", "2026-01-15")


def test_what_was_changed_before_is_not_changed_again(chart, staff):
    exam = record_exam(staff, chart.id, SKIN)
    dose = record_vaccination(staff, chart.id, FLU)
    withdraw_exam(staff, chart.id, exam, reason="Other patient")
    withdraw_vaccination(staff, chart.id, dose, reason="Other patient")
    for call in (
        lambda: withdraw_exam(staff, chart.id, exam, reason="Again"),
        lambda: correct_exam(staff, chart.id, exam, SKIN, reason="Again"),
        lambda: withdraw_vaccination(staff, chart.id, dose, reason="Again"),
        lambda: correct_vaccination(staff, chart.id, dose, FLU, reason="Again"),
    ):
        violation = refusal(call)
        assert violation.code == "already_changed"
        assert "by you on 22-Jan-2026 10:30" in violation.message


def test_corrections_need_a_reason(chart, staff):
    exam = record_exam(staff, chart.id, SKIN)
    assert refusal(lambda: correct_exam(staff, chart.id, exam, SKIN, reason=" ")).code == "reason_required"
    assert refusal(lambda: withdraw_exam(staff, chart.id, exam, reason="")).code == "reason_required"
    assert exams(chart)[0].state == "recorded"


def test_an_hpv_screen_without_a_cervix_is_taken_for_the_wrong_patient(staff):
    man = register(staff, sex_at_birth="male")
    screen = ExamEntry(ExamKind.HPV_SCREEN, DAY, "negative", row="hpv_screen")
    assert refusal(lambda: record_exam(staff, man.id, screen)).code == "no_cervix"
    assert record_exam(staff, register(staff, sex_at_birth="male", has_cervix=True).id, screen)


def test_a_live_vaccine_after_a_course_needs_a_reason_and_stays_as_a_safety_alert(treated, staff):
    with pytest.raises(ReasonNeeded, match="live vaccine"):
        record_vaccination(staff, treated.id, MMR)
    assert doses(treated) == []
    dose = record_vaccination(staff, treated.id, MMR, reason="Given elsewhere")
    assert [(alert.requirement, alert.reason) for alert in alerts(treated)] == [("R-30", "Given elsewhere")]
    withdraw_vaccination(staff, treated.id, dose, reason="It was another patient")
    assert alerts(treated) == []


def test_correcting_a_live_vaccine_to_another_one_ends_its_alert(treated, staff):
    dose = record_vaccination(staff, treated.id, MMR, reason="Given elsewhere")
    correct_vaccination(staff, treated.id, dose, FLU, reason="It was influenza")
    assert alerts(treated) == []
    assert [row.state for row in doses(treated)] == ["corrected", "recorded"]


def test_correcting_the_day_of_a_live_vaccine_moves_its_alert(treated, staff):
    dose = record_vaccination(staff, treated.id, MMR, reason="Given elsewhere")
    correct_vaccination(staff, treated.id, dose, replace(MMR, given_on=date(2026, 1, 5)), reason="Misread")
    assert [alert.occurred_on for alert in alerts(treated)] == [date(2026, 1, 5)]


def test_before_the_first_infusion_a_live_vaccine_needs_no_reason(chart, staff):
    record_vaccination(staff, chart.id, VaccinationEntry("varicella", DAY))
    dose = doses(chart)[0]
    assert (dose.is_live, dose.is_varicella) == (True, True)
    assert alerts(chart) == []


def test_other_clinics_other_patients_and_auditors_cannot_touch_an_exam(chart, staff, cast, scope_for: ScopeFor):
    exam = record_exam(staff, chart.id, SKIN)
    dose = record_vaccination(staff, chart.id, FLU)
    with pytest.raises(NotFound):
        record_exam(scope_for(cast.stranger), chart.id, SKIN)
    with pytest.raises(NotFound):
        withdraw_exam(staff, register(staff).id, exam, reason="x")
    auditor = scope_for(cast.auditor)
    for call in (
        lambda: record_exam(auditor, chart.id, SKIN),
        lambda: correct_exam(auditor, chart.id, exam, SKIN, reason="x"),
        lambda: withdraw_exam(auditor, chart.id, exam, reason="x"),
        lambda: correct_vaccination(auditor, chart.id, dose, FLU, reason="x"),
        lambda: withdraw_vaccination(auditor, chart.id, dose, reason="x"),
    ):
        with pytest.raises(PermissionDenied):
            call()

"""What was done about each finding is said before a result is signed off; follow-ups become tasks."""

from collections.abc import Callable
from datetime import date
from uuid import uuid4

import pytest

from clinic_tracker.domain.errors import NotFound, RuleViolation
from clinic_tracker.domain.vocabulary import FindingAction, Panel
from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.queries.lab_reports import patient_report
from clinic_tracker.queries.scope import PermissionDenied, Scope
from clinic_tracker.services.acknowledgements import Answer, acknowledge, withdraw_acknowledgement
from clinic_tracker.services.lab_reports import correct_report, record_reports
from clinic_tracker.services.lab_sheets import Sheet
from clinic_tracker.services.reviews import Reviewed, review_reports
from tests.factories import Chart, register, typed
from tests.fixtures.people import Cast
from tests.reviewed import WHY, answered, answers, reports, tasks

EARLIER, DRAWN, REPEAT = date(2025, 12, 15), date(2026, 1, 12), date(2026, 1, 24)


@pytest.fixture
def chart(cast: Cast, scope_for: Callable[..., Scope]) -> Chart:
    return register(scope_for(cast.staff)).results(DRAWN, Panel.CBC_DIFF, platelets="48")


@pytest.fixture
def doctor(cast: Cast, scope_for: Callable[..., Scope]) -> Scope:
    return scope_for(cast.neurologist)


def said(action: FindingAction = FindingAction.NO_ACTION, **values: object) -> Answer:
    return Answer(values.pop("rule", "platelets_very_low"), action, values.pop("words", WHY), **values)


def refused(scope: Scope, chart: Chart, *given: Answer, **options: object) -> RuleViolation:
    with pytest.raises(RuleViolation) as caught:
        acknowledge(scope, chart.id, reports()[-1].public_id, given, **options)
    return caught.value


def test_a_result_with_a_finding_is_not_signed_before_somebody_says_what_was_done(chart: Chart, doctor: Scope) -> None:
    with pytest.raises(RuleViolation) as caught:
        review_reports(doctor, [reports()[0].public_id])
    assert caught.value.code == "unacknowledged"
    assert "Platelets 48 K/uL: very low (below 50)" in caught.value.message
    assert refused(doctor, chart, signed=True).code == "unacknowledged"
    assert reports()[0].reviewed_at is None


def test_an_answer_and_the_sign_off_go_together(chart: Chart, doctor: Scope) -> None:
    acknowledge(doctor, chart.id, reports()[0].public_id, [said()], signed=True, note="Seen")
    (row,) = answers()
    assert (row.rule, row.action, row.words, row.recorded_by_id) == (
        "platelets_very_low", "no_action", WHY, doctor.user_id,
    )  # fmt: skip
    assert (reports()[0].reviewed_by_id, reports()[0].review_note) == (doctor.user_id, "Seen")
    assert db.session.query(AuditEvent).filter_by(action="finding.acknowledged").count() == 1


def test_an_answer_alone_leaves_the_result_waiting_and_lets_it_be_signed_later(chart: Chart, doctor: Scope) -> None:
    acknowledge(doctor, chart.id, reports()[0].public_id, [said()])
    assert reports()[0].reviewed_at is None
    assert review_reports(doctor, [reports()[0].public_id]) == Reviewed(1, 0)


def test_a_repeat_becomes_a_task_of_its_panel(chart: Chart, doctor: Scope) -> None:
    answer = said(FindingAction.REPEAT_ORDERED, words="In the citrate tube", due_on=REPEAT)
    acknowledge(doctor, chart.id, reports()[0].public_id, [answer], signed=True)
    (task,) = tasks()
    assert (task.panel, task.due_on) == ("cbc_diff", REPEAT)
    assert task.words == "Repeat CBC with differential: In the citrate tube"
    assert (task.acknowledgement_id, task.lab_report_id) == (answers()[0].id, reports()[0].id)


def test_a_repeat_may_be_of_another_panel(chart: Chart, doctor: Scope) -> None:
    answer = said(FindingAction.REPEAT_ORDERED, due_on=REPEAT, panel=Panel.URINALYSIS_CELLS)
    acknowledge(doctor, chart.id, reports()[0].public_id, [answer])
    assert tasks()[0].panel == "urinalysis_cells"


@pytest.mark.parametrize(
    "action, words, expected",
    [
        (FindingAction.REFERRAL, "Hematology", "Check that the referral was kept: Hematology"),
        (FindingAction.PATIENT_CALLED, None, "Call again"),
        (FindingAction.TREATMENT, "Prednisone", "Check the effect: Prednisone"),
    ],
)
def test_any_other_answer_with_a_day_becomes_a_task_that_no_result_closes(
    chart: Chart, doctor: Scope, action: FindingAction, words: str | None, expected: str
) -> None:
    acknowledge(doctor, chart.id, reports()[0].public_id, [said(action, words=words, due_on=REPEAT)])
    assert [(task.words, task.panel) for task in tasks()] == [(expected, None)]


def test_no_action_plans_nothing_whatever_day_is_given(chart: Chart, doctor: Scope) -> None:
    acknowledge(doctor, chart.id, reports()[0].public_id, [said(due_on=REPEAT)])
    assert tasks() == []


@pytest.mark.parametrize(
    "answer, code, field",
    [
        (said(words=" "), "words_required", "platelets_very_low_words"),
        (said(FindingAction.REFERRAL, words=None), "words_required", "platelets_very_low_words"),
        (said(FindingAction.TREATMENT, words=None), "words_required", "platelets_very_low_words"),
        (said(words="x" * 2001), "words_too_long", "platelets_very_low_words"),
        (said(FindingAction.REPEAT_ORDERED), "day_required", "platelets_very_low_due_on"),
        (said(FindingAction.PATIENT_CALLED, due_on=date(2026, 1, 21)), "past_date", "platelets_very_low_due_on"),
        (said(rule="thyroid"), "no_such_finding", None),
    ],
)
def test_an_answer_without_what_it_needs_is_refused_at_its_field(
    chart: Chart, doctor: Scope, answer: Answer, code: str, field: str | None
) -> None:
    violation = refused(doctor, chart, answer)
    assert (violation.code, violation.field) == (code, field)
    assert answers() == []


def test_saying_nothing_is_refused(chart: Chart, doctor: Scope) -> None:
    assert refused(doctor, chart).code == "nothing_said"


def test_a_result_that_changed_since_it_was_seen_is_not_answered(chart: Chart, doctor: Scope) -> None:
    (report,) = reports()
    seen = patient_report(doctor, chart.row.id, report.public_id).digest
    chart.results(EARLIER, Panel.CBC_DIFF, platelets="251")
    acknowledge(doctor, chart.id, report.public_id, [said()], seen=seen)

    chart.results(date(2026, 1, 13), Panel.CBC_DIFF, platelets="140")
    later = reports()[-1]
    seen = patient_report(doctor, chart.row.id, later.public_id).digest
    chart.results(date(2026, 1, 13), Panel.CREATININE)
    chart.results(date(2026, 1, 12), Panel.TSH)
    record_reports(chart.scope, chart.id, Sheet(date(2026, 1, 13), (typed(Panel.LIVER_PANEL, {}),)))
    assert patient_report(doctor, chart.row.id, later.public_id).digest == seen, "other panels leave it as it was"
    correct_report(
        chart.scope, chart.id, report.public_id,
        Sheet(DRAWN, (typed(Panel.CBC_DIFF, {"platelets": "300"}),)), reason="Typing error",
    )  # fmt: skip
    assert patient_report(doctor, chart.row.id, later.public_id).digest != seen, "it fell by half now"
    with pytest.raises(RuleViolation) as caught:
        acknowledge(doctor, chart.id, later.public_id, [said(rule="platelets_halved")], seen=seen)
    assert caught.value.code == "changed_since"


def test_what_somebody_else_answered_before_is_told_with_who_and_when(
    chart: Chart, doctor: Scope, cast: Cast, scope_for: Callable[..., Scope]
) -> None:
    acknowledge(doctor, chart.id, reports()[0].public_id, [said()])
    violation = refused(doctor, chart, said())
    assert violation.code == "already_answered"
    assert violation.message.startswith("You said on 22-Jan-2026")


def test_the_same_form_counts_once(chart: Chart, doctor: Scope) -> None:
    answer = said(FindingAction.REPEAT_ORDERED, due_on=REPEAT)
    for _ in range(2):
        acknowledge(doctor, chart.id, reports()[0].public_id, [answer], signed=True, form_token="one")
    assert (len(answers()), len(tasks())) == (1, 1)


def test_a_finding_that_two_reports_share_is_answered_once(cast: Cast, scope_for: Callable[..., Scope]) -> None:
    chart = register(scope_for(cast.staff)).results(EARLIER, Panel.CREATININE, creatinine="0.6")
    chart.results(DRAWN, Panel.CREATININE, Panel.URINALYSIS_CELLS, creatinine="1.0", urine_rbc="12")
    creatinine, urine = reports(collected_on=DRAWN)
    answered(scope_for(cast.neurologist), chart, creatinine)
    assert {(row.lab_report_id, row.rule) for row in answers()} == {
        (creatinine.id, "kidney_with_blood"), (urine.id, "kidney_with_blood"),
    }  # fmt: skip
    assert review_reports(scope_for(cast.neurologist), [urine.public_id]) == Reviewed(1, 0)


def test_an_answer_is_taken_back_with_its_open_tasks_and_the_sign_off(chart: Chart, doctor: Scope) -> None:
    answer = said(FindingAction.REPEAT_ORDERED, due_on=REPEAT)
    acknowledge(doctor, chart.id, reports()[0].public_id, [answer], signed=True)
    with pytest.raises(RuleViolation, match="reason"):
        withdraw_acknowledgement(doctor, chart.id, answers()[0].public_id, reason=" ")
    withdraw_acknowledgement(doctor, chart.id, answers()[0].public_id, reason="Another patient")
    assert answers()[0].state == "entered_in_error"
    assert tasks()[0].state == "entered_in_error"
    assert reports()[0].reviewed_at is None
    acknowledge(doctor, chart.id, reports()[0].public_id, [said()], signed=True)
    assert reports()[0].reviewed_at is not None


def test_a_corrected_result_is_answered_anew(chart: Chart, doctor: Scope) -> None:
    answered(doctor, chart, reports()[0])
    sheet = Sheet(DRAWN, (typed(Panel.CBC_DIFF, {"platelets": "47"}),))
    correct_report(chart.scope, chart.id, reports()[0].public_id, sheet, reason="Typing error")
    assert refused(doctor, chart, signed=True).code == "unacknowledged"
    with pytest.raises(RuleViolation, match="already corrected"):
        acknowledge(doctor, chart.id, reports()[0].public_id, [said()])


@pytest.mark.parametrize("role", ["staff", "administrator", "auditor"])
def test_only_those_who_may_review_answer(chart: Chart, cast: Cast, scope_for: Callable[..., Scope], role: str) -> None:
    with pytest.raises(PermissionDenied):
        acknowledge(scope_for(cast.person(role)), chart.id, reports()[0].public_id, [said()])


def test_another_clinics_result_does_not_exist(chart: Chart, cast: Cast, scope_for: Callable[..., Scope]) -> None:
    with pytest.raises(NotFound):
        acknowledge(scope_for(cast.stranger_neurologist), chart.id, reports()[0].public_id, [said()])
    with pytest.raises(NotFound):
        withdraw_acknowledgement(scope_for(cast.neurologist), chart.id, uuid4(), reason="x")


def test_results_that_changed_since_they_were_shown_are_not_signed_unseen(chart: Chart, doctor: Scope) -> None:
    chart.results(DRAWN, Panel.TSH, Panel.CREATININE)
    tsh, creatinine = reports()[1:]
    seen = {row.public_id: patient_report(doctor, chart.row.id, row.public_id).digest for row in (tsh, creatinine)}
    chart.results(EARLIER, Panel.CREATININE, creatinine="0.4")
    assert review_reports(doctor, seen, seen=seen) == Reviewed(1, 0, 1)
    assert reports(public_id=creatinine.public_id)[0].reviewed_at is None
    assert review_reports(doctor, [creatinine.public_id], seen={}) == Reviewed(0, 0, 1), "nothing was shown of it"

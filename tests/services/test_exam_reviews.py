"""Exams are reviewed like reports: what a laboratory sends, and what a person enters that somebody must act on."""

from collections.abc import Callable
from datetime import date

import pytest

from clinic_tracker.domain.errors import NotFound, RuleViolation
from clinic_tracker.domain.vocabulary import ExamKind, FindingAction, Panel
from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import InboundSource
from clinic_tracker.models.monitoring import Exam
from clinic_tracker.queries.exams import find_exam
from clinic_tracker.queries.review_queue import QueueFilter, review_queue, unseen_reds, waiting_count
from clinic_tracker.queries.scope import PermissionDenied, Scope
from clinic_tracker.queries.tasks import patient_tasks
from clinic_tracker.services.acknowledgements import Answer, acknowledge, withdraw_acknowledgement
from clinic_tracker.services.exams import ExamEntry, correct_exam, withdraw_exam
from clinic_tracker.services.reviews import Reviewed, review_reports, undo_review
from clinic_tracker.services.tasks import TaskDetails, close_task, correct_task, reopen_task
from tests.factories import Chart, register
from tests.fixtures.clock import Clock
from tests.fixtures.people import Cast
from tests.inbound import add_source, exam_line, message, report, send
from tests.reviewed import WHY, answers, exams, tasks

TESTED, LATER, REPEAT = date(2026, 1, 12), date(2026, 1, 20), date(2026, 1, 24)
HIV = "hiv_test_positive"


@pytest.fixture
def staff(cast: Cast, scope_for: Callable[..., Scope]) -> Scope:
    return scope_for(cast.staff)


@pytest.fixture
def chart(staff: Scope) -> Chart:
    return register(staff)


@pytest.fixture
def doctor(cast: Cast, scope_for: Callable[..., Scope]) -> Scope:
    return scope_for(cast.neurologist)


@pytest.fixture
def source(staff: Scope) -> InboundSource:
    return add_source(staff)


def sent(staff: Scope, source: InboundSource, chart: Chart, kind: str, text: str, **values: object) -> Exam:
    send(staff, source, message(chart.row, report(exam_line(kind, text), **values)))
    return exams()[-1]


def listed(scope: Scope, **chosen: object) -> list[tuple[bool, str | None]]:
    return [(row.is_exam, row.report.worst_level) for row in review_queue(scope, QueueFilter(**chosen)).rows]


def said(action: FindingAction = FindingAction.NO_ACTION, **values: object) -> Answer:
    return Answer(values.pop("rule", HIV), action, values.pop("words", WHY), **values)


def test_exams_of_a_laboratory_wait_among_the_reports_the_worst_first(
    staff: Scope, source: InboundSource, chart: Chart, doctor: Scope
) -> None:
    chart.results(TESTED, "tsh").results(TESTED, "cbc_diff", platelets="48")
    sent(staff, source, chart, "tb_screen", "Indeterminate")
    sent(staff, source, chart, "hepatitis_c", "Non-Reactive")
    sent(staff, source, chart, "hiv_test", "Reactive")
    assert listed(doctor) == [(False, "red"), (True, "red"), (True, "amber"), (False, None), (True, None)]
    assert waiting_count(doctor) == {"red": 2, "amber": 1, "normal": 2}
    assert listed(doctor, exams=True) == [(True, "red"), (True, "amber"), (True, None)]
    assert listed(doctor, panel=Panel.TSH) == [(False, None)]
    assert listed(doctor, level="red") == [(False, "red"), (True, "red")]


def test_pages_list_reports_and_exams_once(staff: Scope, source: InboundSource, chart: Chart, doctor: Scope) -> None:
    chart.results(TESTED, "tsh", "creatinine")
    for kind, text in [("tb_screen", "Positive"), ("hepatitis_c", "Negative"), ("hiv_test", "Negative")]:
        sent(staff, source, chart, kind, text)
    seen, after = [], None
    for _ in range(6):
        page = review_queue(doctor, QueueFilter(), after=after, limit=1)
        seen += [row.report.public_id for row in page.rows]
        after = page.next
        if after is None:
            break
    assert seen == [row.report.public_id for row in review_queue(doctor, QueueFilter()).rows]
    assert len(set(seen)) == 5


def test_of_what_a_person_enters_only_a_finding_waits(chart: Chart, doctor: Scope) -> None:
    """Whoever entered a normal exam has read it; a positive one is for a neurologist to see."""
    chart.exam(ExamKind.HIV_TEST, TESTED, "negative").exam(ExamKind.PREGNANCY_TEST, TESTED, "positive")
    chart.exam(ExamKind.SKIN_EXAM, TESTED, "abnormal").exam(ExamKind.VZV_HISTORY, TESTED, "positive")
    assert [row.report.kind for row in review_queue(doctor, QueueFilter()).rows] == ["pregnancy_test", "skin_exam"]
    assert [row.worst_level for row in exams()] == [None, "red", "amber", None]


def test_a_red_exam_that_nobody_saw_on_its_day_is_counted(
    staff: Scope, source: InboundSource, chart: Chart, clock: Clock, cast: Cast, scope_for: Callable[..., Scope]
) -> None:
    positive = sent(staff, source, chart, "hiv_test", "Reactive")
    assert unseen_reds(scope_for(cast.neurologist), mine=False) == 0
    clock.forward(days=1)
    doctor = scope_for(cast.neurologist)
    assert unseen_reds(doctor, mine=False) == 1
    assert listed(doctor, late=True) == [(True, "red")]
    acknowledge(doctor, chart.id, positive.public_id, [said()])
    assert unseen_reds(doctor, mine=False) == 0


def test_a_finding_is_answered_before_the_exam_is_signed_off(chart: Chart, doctor: Scope) -> None:
    chart.exam(ExamKind.HIV_TEST, TESTED, "positive")
    (exam,) = exams()
    with pytest.raises(RuleViolation, match=r"Say first what was done about: HIV test of 12-Jan-2026: positive\."):
        review_reports(doctor, [exam.public_id])
    acknowledge(doctor, chart.id, exam.public_id, [said()], signed=True, note="Seen")
    (answer,) = answers()
    assert (answer.exam_id, answer.lab_report_id, answer.rule, answer.words) == (exam.id, None, HIV, WHY)
    signed = find_exam(doctor, chart.row.id, exam.public_id)
    assert (signed.reviewed_at, signed.review.note) == (doctor.now, "Seen")
    assert listed(doctor) == []
    event = db.session.query(AuditEvent).filter_by(action="exam.reviewed").one()
    assert (event.patient_id, event.user_id) == (chart.row.id, doctor.user_id)


def test_a_finding_is_answered_once_and_only_if_it_is_there(chart: Chart, doctor: Scope) -> None:
    chart.exam(ExamKind.HIV_TEST, TESTED, "positive")
    exam = exams()[0].public_id
    acknowledge(doctor, chart.id, exam, [said()], form_token="one")
    acknowledge(doctor, chart.id, exam, [said()], form_token="one")
    assert len(answers()) == 1
    with pytest.raises(RuleViolation, match="what was done about this finding"):
        acknowledge(doctor, chart.id, exam, [said()])
    with pytest.raises(RuleViolation, match="no longer there"):
        acknowledge(doctor, chart.id, exam, [said(rule="tb_screen_positive")])


def test_normal_exams_and_reports_are_signed_off_together(
    staff: Scope, source: InboundSource, chart: Chart, doctor: Scope
) -> None:
    chart.results(TESTED, "tsh")
    sent(staff, source, chart, "hepatitis_c", "Non-Reactive")
    shown = {row.report.public_id: row.report.digest for row in review_queue(doctor, QueueFilter()).rows}
    assert review_reports(doctor, shown, seen=shown) == Reviewed(2, 0)
    assert listed(doctor) == []
    assert review_reports(doctor, shown, seen=shown) == Reviewed(0, 2)


def test_an_exam_that_changed_since_it_was_shown_is_not_signed(
    staff: Scope, source: InboundSource, chart: Chart, doctor: Scope
) -> None:
    sent(staff, source, chart, "hepatitis_c", "Non-Reactive")
    exam = exams()[0].public_id
    assert review_reports(doctor, [exam], seen={exam: "another"}) == Reviewed(0, 0, 1)
    assert listed(doctor) == [(True, None)]


def test_only_who_may_review_signs_and_only_in_the_clinic(
    chart: Chart, cast: Cast, scope_for: Callable[..., Scope]
) -> None:
    chart.exam(ExamKind.HIV_TEST, TESTED, "positive")
    exam = exams()[0].public_id
    with pytest.raises(PermissionDenied):
        acknowledge(chart.scope, chart.id, exam, [said()])
    with pytest.raises(NotFound):
        review_reports(scope_for(cast.stranger_neurologist), [exam])
    other = register(chart.scope)
    with pytest.raises(NotFound):
        acknowledge(scope_for(cast.neurologist), other.id, exam, [said()])


def test_a_sign_off_and_an_answer_are_taken_back(chart: Chart, doctor: Scope) -> None:
    chart.exam(ExamKind.HIV_TEST, TESTED, "positive")
    exam = exams()[0].public_id
    repeat = said(FindingAction.REPEAT_ORDERED, due_on=REPEAT, words=None)
    acknowledge(doctor, chart.id, exam, [repeat], signed=True)
    undo_review(doctor, chart.id, exam, reason="Too early")
    assert exams()[0].reviewed_at is None
    review_reports(doctor, [exam])
    withdraw_acknowledgement(doctor, chart.id, answers()[0].public_id, reason="Another patient")
    assert (exams()[0].reviewed_at, tasks()[0].state) == (None, "entered_in_error")
    assert db.session.query(AuditEvent).filter_by(action="exam.review_withdrawn").count() == 2


def test_a_repeat_of_an_exam_is_a_task_that_a_later_one_closes(
    staff: Scope, source: InboundSource, chart: Chart, doctor: Scope
) -> None:
    positive = sent(staff, source, chart, "hiv_test", "Reactive")
    repeat = said(FindingAction.REPEAT_ORDERED, due_on=REPEAT, words="Western blot")
    acknowledge(doctor, chart.id, positive.public_id, [repeat], signed=True)
    (task,) = tasks()
    assert (task.words, task.panel, task.exam_kind, task.exam_id) == (
        "Repeat HIV test: Western blot", None, "hiv_test", positive.id,
    )  # fmt: skip
    chart.exam(ExamKind.HEPATITIS_C, LATER, "negative").exam(ExamKind.HIV_TEST, date(2026, 1, 5), "negative")
    assert tasks()[0].done_at is None, "of another kind, or earlier"
    sent(staff, source, chart, "hiv_test", "Non-Reactive", on=LATER)
    (row,) = patient_tasks(doctor, chart.row.id)
    assert (row.done_at, row.evidence_exam, row.evidence_exam_on) == (staff.now, exams()[-1].public_id, LATER)
    withdraw_exam(staff, chart.id, exams()[-1].public_id, reason="Another patient")
    assert (tasks()[0].done_at, tasks()[0].evidence_exam_id) == (None, None), "it is to be done again"


def test_a_repeat_may_be_of_a_panel(chart: Chart, doctor: Scope) -> None:
    chart.exam(ExamKind.PREGNANCY_TEST, TESTED, "positive")
    answer = said(
        FindingAction.REPEAT_ORDERED, rule="pregnancy_test_positive", due_on=REPEAT, words=None, panel=Panel.TSH
    )
    acknowledge(doctor, chart.id, exams()[0].public_id, [answer])
    assert [(task.words, task.panel, task.exam_kind) for task in tasks()] == [("Repeat Thyroid function", "tsh", None)]
    chart.results(LATER, "tsh")
    assert tasks()[0].done_at is not None


def test_a_panel_that_an_exam_asks_for_is_of_its_day_or_later(chart: Chart, doctor: Scope) -> None:
    chart.exam(ExamKind.HIV_TEST, TESTED, "positive")
    repeat = said(FindingAction.REPEAT_ORDERED, due_on=REPEAT, panel=Panel.CD4)
    acknowledge(doctor, chart.id, exams()[0].public_id, [repeat], signed=True)
    chart.results(date(2025, 12, 1), Panel.CD4)
    assert tasks()[0].done_at is None, "drawn before the exam, however late it comes"
    chart.results(TESTED, Panel.CD4)
    assert tasks()[0].done_at is not None


def test_a_correction_does_not_answer_the_task_of_the_exam_that_it_replaces(chart: Chart, doctor: Scope) -> None:
    chart.exam(ExamKind.HIV_TEST, TESTED, "positive")
    exam = exams()[0].public_id
    acknowledge(doctor, chart.id, exam, [said(FindingAction.REPEAT_ORDERED, due_on=REPEAT)], signed=True)
    correct_exam(chart.scope, chart.id, exam, ExamEntry(ExamKind.HIV_TEST, LATER, "indeterminate"), reason="Typing")
    assert tasks()[0].done_at is None
    assert listed(doctor) == [(True, "amber")], "what it says now was not reviewed"


def test_a_task_of_an_exam_is_closed_opened_and_changed_like_any(chart: Chart, doctor: Scope) -> None:
    chart.exam(ExamKind.HIV_TEST, TESTED, "positive")
    repeat = said(FindingAction.REPEAT_ORDERED, due_on=REPEAT)
    acknowledge(doctor, chart.id, exams()[0].public_id, [repeat], signed=True)
    close_task(chart.scope, chart.id, tasks()[0].public_id, reason="Done elsewhere")
    chart.exam(ExamKind.HIV_TEST, LATER, "negative")
    reopen_task(chart.scope, chart.id, tasks()[0].public_id, reason="Not so")
    assert tasks()[0].evidence_exam_id == exams()[-1].id
    withdraw_exam(chart.scope, chart.id, exams()[-1].public_id, reason="Another patient")
    later = TaskDetails(FindingAction.REPEAT_ORDERED, date(2026, 2, 2), "Repeat it", None, ExamKind.HIV_TEST)
    correct_task(chart.scope, chart.id, tasks()[0].public_id, later, reason="Away")
    changed = tasks()[-1]
    assert (changed.exam_kind, changed.exam_id, changed.due_on) == ("hiv_test", exams()[0].id, later.due_on)
    chart.exam(ExamKind.HIV_TEST, LATER, "negative")
    assert tasks()[-1].evidence_exam_id == exams()[-1].id

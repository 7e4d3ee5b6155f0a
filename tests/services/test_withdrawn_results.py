"""A result that is taken off a chart takes along what was said and planned because of it; its order waits again."""

from collections.abc import Callable
from datetime import date

import pytest

from clinic_tracker.domain.messages import Identifier, Identity, ReportState
from clinic_tracker.domain.vocabulary import ExamKind, FindingAction, Panel, Sex
from clinic_tracker.models.inbound import InboundSource
from clinic_tracker.models.monitoring import Exam, LabReport
from clinic_tracker.queries.chart_changes import changes_of
from clinic_tracker.queries.lab_orders import open_orders
from clinic_tracker.queries.review_queue import QueueFilter, review_queue
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.acknowledgements import Answer, acknowledge
from clinic_tracker.services.exams import ExamEntry, correct_exam, withdraw_exam
from clinic_tracker.services.inbound_resolve import match_result, undo_match
from clinic_tracker.services.lab_orders import Order, record_orders
from clinic_tracker.services.lab_reports import correct_report, withdraw_report
from clinic_tracker.services.lab_sheets import Sheet
from clinic_tracker.services.tasks import close_task
from tests.factories import Chart, register, typed
from tests.fixtures.people import Cast
from tests.inbound import CBC, DAY, add_source, at, exam_line, line, message, report, results, send
from tests.reviewed import answers, exams, reports, tasks

REPEAT = date(2026, 1, 24)
LOW, HIV = "platelets_very_low", "hiv_test_positive"
REASON = "Of another patient"
WITHDRAWN = f"The result was withdrawn: {REASON}"


@pytest.fixture
def staff(cast: Cast, scope_for: Callable[..., Scope]) -> Scope:
    return scope_for(cast.staff)


@pytest.fixture
def doctor(cast: Cast, scope_for: Callable[..., Scope]) -> Scope:
    return scope_for(cast.neurologist)


@pytest.fixture
def chart(staff: Scope) -> Chart:
    return register(staff)


@pytest.fixture
def source(staff: Scope) -> InboundSource:
    return add_source(staff)


def cbc(platelets: str = "48", key: str = "R", day: int = 13, **values: object):
    return report(line("platelets", platelets), *CBC[1:], key=key, issued_at=at(day), **values)


def hiv(text: str = "Reactive", key: str = "H", day: int = 13, **values: object):
    return report(exam_line("hiv_test", text), key=key, issued_at=at(day), **values)


def take(staff: Scope, source: InboundSource, chart: Chart, *sent: object) -> None:
    send(staff, source, message(chart.row, *sent))


def repeat_of(doctor: Scope, chart: Chart, item: LabReport | Exam, rule: str) -> None:
    answer = Answer(rule, FindingAction.REPEAT_ORDERED, None, REPEAT)
    acknowledge(doctor, chart.id, item.public_id, [answer], signed=True)


def gone(chart: Chart) -> None:
    """Nothing that was said or planned stands, and the chart tells why."""
    assert {row.state for row in (*answers(), *tasks())} == {"entered_in_error"}
    told = {(row.action, row.reason) for row in changes_of(chart.scope, chart.row.id).rows}
    reasons = {
        reason for action, reason in told if action in ("task.entered_in_error", "finding.acknowledgement_withdrawn")
    }
    assert len(reasons) == 1
    assert reasons.pop().startswith("The result was withdrawn: ")


def test_a_match_undone_leaves_nothing_on_the_wrong_chart_and_is_reviewed_anew_on_the_right_one(
    staff: Scope, doctor: Scope, source: InboundSource, chart: Chart
) -> None:
    right = register(staff)
    take(staff, source, chart, cbc(), hiv())
    repeat_of(doctor, chart, reports()[0], LOW)
    repeat_of(doctor, chart, exams()[0], HIV)
    assert review_queue(doctor, QueueFilter()).rows == ()
    for result in results()[:2]:
        undo_match(staff, result.public_id, reason=REASON, to=right.id)
    gone(chart)
    assert {row.withdrawn_reason for row in tasks()} == {WITHDRAWN}
    waiting = review_queue(doctor, QueueFilter()).rows
    assert [(row.patient, row.is_exam, row.report.worst_level) for row in waiting] == [
        (right.id, False, "red"), (right.id, True, "red"),
    ]  # fmt: skip
    there = {row.action for row in changes_of(staff, right.row.id).rows}
    assert {"inbound_result.matched", "lab_report.recorded", "exam.recorded"} <= there
    assert "inbound_result.match_undone" in {row.action for row in changes_of(staff, chart.row.id).rows}


def test_a_match_undone_takes_what_a_person_corrected_of_it_along(
    staff: Scope, doctor: Scope, source: InboundSource, chart: Chart
) -> None:
    take(staff, source, chart, cbc(), hiv())
    repeat_of(doctor, chart, reports()[0], LOW)
    sheet = Sheet(DAY, (typed(Panel.CBC_DIFF, {"platelets": "47"}),))
    correct_report(staff, chart.id, reports()[0].public_id, sheet, reason="Read again")
    entry = ExamEntry(ExamKind.HIV_TEST, DAY, "indeterminate")
    correct_exam(staff, chart.id, exams()[0].public_id, entry, reason="Read again")
    for result in results()[:2]:
        undo_match(staff, result.public_id, reason=REASON)
    assert {row.state for row in (*reports(), *exams())} == {"corrected", "entered_in_error"}
    gone(chart)


def test_a_report_that_the_laboratory_cancels_takes_its_follow_up_along(
    staff: Scope, doctor: Scope, source: InboundSource, chart: Chart
) -> None:
    take(staff, source, chart, cbc())
    repeat_of(doctor, chart, reports()[0], LOW)
    take(staff, source, chart, report(key="R", issued_at=at(14), state=ReportState.CANCELLED))
    gone(chart)
    assert tasks()[0].withdrawn_reason == "The result was withdrawn: The laboratory cancelled it."


def test_an_exam_that_the_laboratory_cancels_takes_its_follow_up_along(
    staff: Scope, doctor: Scope, source: InboundSource, chart: Chart
) -> None:
    take(staff, source, chart, hiv())
    repeat_of(doctor, chart, exams()[0], HIV)
    take(staff, source, chart, report(key="H", issued_at=at(14), state=ReportState.CANCELLED))
    assert exams()[0].state == "entered_in_error"
    gone(chart)


def test_a_task_that_somebody_closed_stays_as_it_was(
    staff: Scope, doctor: Scope, source: InboundSource, chart: Chart
) -> None:
    take(staff, source, chart, cbc())
    repeat_of(doctor, chart, reports()[0], LOW)
    close_task(staff, chart.id, tasks()[0].public_id, reason="Drawn at the hospital")
    undo_match(staff, results()[0].public_id, reason=REASON)
    assert (tasks()[0].state, tasks()[0].done_reason) == ("recorded", "Drawn at the hospital")


def test_what_follows_from_other_results_stays(
    staff: Scope, doctor: Scope, source: InboundSource, chart: Chart
) -> None:
    take(staff, source, chart, cbc(), hiv())
    repeat_of(doctor, chart, reports()[0], LOW)
    repeat_of(doctor, chart, exams()[0], HIV)
    undo_match(staff, results()[1].public_id, reason=REASON)
    assert [(row.exam_id is None, row.state) for row in tasks()] == [(True, "recorded"), (False, "entered_in_error")]


def test_a_correction_of_the_laboratory_keeps_the_tasks(
    staff: Scope, doctor: Scope, source: InboundSource, chart: Chart
) -> None:
    take(staff, source, chart, cbc(), hiv())
    repeat_of(doctor, chart, reports()[0], LOW)
    repeat_of(doctor, chart, exams()[0], HIV)
    take(staff, source, chart, cbc("49", day=14), hiv("Indeterminate", day=14))
    assert {row.state for row in tasks()} == {"recorded"}
    assert {row.done_at for row in tasks()} == {None}


def test_a_report_withdrawn_by_hand_lets_its_order_wait_again(staff: Scope, doctor: Scope, chart: Chart) -> None:
    source = add_source(staff)
    record_orders(staff, chart.id, Order((Panel.CBC_DIFF,), date(2026, 1, 9)))
    take(staff, source, chart, cbc())
    assert open_orders(staff, [chart.row.id]) == []
    repeat_of(doctor, chart, reports()[0], LOW)
    withdraw_report(staff, chart.id, reports()[0].public_id, reason=REASON)
    assert len(open_orders(staff, [chart.row.id])) == 1
    gone(chart)


def test_an_exam_withdrawn_by_hand_takes_its_follow_up_along(staff: Scope, doctor: Scope, chart: Chart) -> None:
    chart.exam(ExamKind.HIV_TEST, DAY, "positive")
    repeat_of(doctor, chart, exams()[0], HIV)
    withdraw_exam(staff, chart.id, exams()[0].public_id, reason=REASON)
    gone(chart)


def test_a_newer_version_of_an_exam_takes_the_place_of_the_old_one_and_is_reviewed_anew(
    staff: Scope, doctor: Scope, source: InboundSource, chart: Chart
) -> None:
    take(staff, source, chart, hiv("Non-Reactive"))
    repeated = message(chart.row, hiv("Non-Reactive"))
    assert len(review_queue(doctor, QueueFilter()).rows) == 1
    send(staff, source, repeated)
    assert len(exams()) == 1
    take(staff, source, chart, hiv("Reactive", day=14))
    old, new = exams()
    assert (old.state, new.state, new.replaces_id, new.worst_level) == ("corrected", "recorded", old.id, "red")
    assert [row.report.public_id for row in review_queue(doctor, QueueFilter()).rows] == [new.public_id]


def test_an_exam_corrected_by_hand_is_replaced_by_a_later_version_and_not_doubled(
    staff: Scope, source: InboundSource, chart: Chart
) -> None:
    take(staff, source, chart, hiv("Reactive"))
    entry = ExamEntry(ExamKind.HIV_TEST, DAY, "indeterminate")
    correct_exam(staff, chart.id, exams()[0].public_id, entry, reason="Read again")
    assert (exams()[1].external_id, exams()[1].inbound_result_id) == (exams()[0].external_id, results()[0].id)
    take(staff, source, chart, hiv("Non-Reactive", day=14))
    assert [(row.outcome, row.state) for row in exams()] == [
        ("positive", "corrected"), ("indeterminate", "corrected"), ("negative", "recorded"),
    ]  # fmt: skip


def test_an_exam_typed_from_paper_follows_the_laboratory(staff: Scope, source: InboundSource, chart: Chart) -> None:
    chart.exam(ExamKind.HIV_TEST, DAY, "positive")
    take(staff, source, chart, hiv("Reactive"))
    assert (len(exams()), results()[0].state) == (1, "duplicate")
    take(staff, source, chart, hiv("Non-Reactive", day=14))
    assert [(row.outcome, row.state) for row in exams()] == [("positive", "corrected"), ("negative", "recorded")]
    take(staff, source, chart, report(key="H", issued_at=at(15), state=ReportState.CANCELLED))
    assert exams()[-1].state == "entered_in_error"


def test_an_exam_that_comes_under_two_numbers_at_once_is_one(staff: Scope, source: InboundSource, chart: Chart) -> None:
    take(staff, source, chart, hiv(key="H1"), hiv(key="H2"))
    assert [row.state for row in results()] == ["recorded", "duplicate"]
    assert len(exams()) == 1


def test_an_exam_of_a_match_that_a_person_made_waits_like_any(
    staff: Scope, doctor: Scope, source: InboundSource, chart: Chart
) -> None:
    unknown = Identity((Identifier("L-7", "LAB", "PI"),), "Maidenname", "Ada", chart.row.birth_date, Sex.FEMALE)
    send(staff, source, message(unknown, hiv()))
    match_result(staff, results()[0].public_id, chart.id)
    assert [row.report.worst_level for row in review_queue(doctor, QueueFilter()).rows] == ["red"]

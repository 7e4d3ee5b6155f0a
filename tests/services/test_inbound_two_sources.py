"""One report that comes through two sources: either may correct it, and neither takes away what the other affirms."""

import itertools

import pytest

from clinic_tracker.domain.messages import ReportState
from clinic_tracker.domain.vocabulary import Panel
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import LabValue
from clinic_tracker.queries.review_queue import QueueFilter, review_queue
from clinic_tracker.services.inbound_confirmed import STILL_SENT
from clinic_tracker.services.inbound_resolve import undo_match
from clinic_tracker.services.reviews import review_reports
from tests.factories import register
from tests.inbound import CBC, DAY, add_source, at, exam_line, line, message, report, reports_of, results, send
from tests.reviewed import exams

FINAL, CORRECTED, CANCELLED = ReportState.FINAL, ReportState.CORRECTED, ReportState.CANCELLED
PRELIMINARY, REJECTED = ReportState.PRELIMINARY, ReportState.REJECTED


@pytest.fixture
def scope(scope_for, cast):
    return scope_for(cast.staff)


@pytest.fixture
def doctor(scope_for, cast):
    return scope_for(cast.neurologist)


@pytest.fixture
def first(scope):
    return add_source(scope)


@pytest.fixture
def second(scope):
    return add_source(scope, "Folder")


@pytest.fixture
def chart(scope):
    return register(scope)


@pytest.fixture
def tell(scope, chart, first, second):
    """Have a source send a TSH under its number of it, each time an hour later."""
    hours = itertools.count()
    keys = {first.id: "T", second.id: "T9"}

    def sent(source, value="1.9", state=FINAL):
        lines = () if state in (CANCELLED, REJECTED) else (line("tsh", value),)
        newest = report(*lines, key=keys[source.id], issued_at=at(13, next(hours)), state=state)
        send(scope, source, message(chart.row, newest))

    return sent


def tsh(chart, state=None):
    """State and value of each TSH of a chart."""
    values = dict(db.session.query(LabValue.lab_report_id, LabValue.number).filter_by(analyte="tsh").all())
    return [(row.state, values[row.id]) for row in reports_of(chart.row, state)]


def states():
    return [row.state for row in results()]


def test_a_correction_by_either_replaces_what_both_said(doctor, chart, first, second, tell):
    tell(first)
    tell(second)
    (seen,) = reports_of(chart.row)
    assert results()[1].report["confirmed"] == {"tsh": seen.id}
    review_reports(doctor, [seen.public_id])
    tell(second, "9.9", CORRECTED)
    assert tsh(chart) == [("corrected", 1.9), ("recorded", 9.9)]
    newer = reports_of(chart.row)[0]
    assert (newer.replaces_id, newer.external_id, newer.reviewed_at) == (seen.id, "T9:tsh", None)
    assert newer.findings
    assert states() == ["recorded", "duplicate", "recorded"]


def test_when_the_other_corrects_it_too_it_is_recorded_once(chart, first, second, tell):
    for source, value, state in [
        (first, "1.9", FINAL),
        (second, "1.9", FINAL),
        (second, "9.9", CORRECTED),
        (first, "9.9", CORRECTED),
        (first, "9.8", CORRECTED),
    ]:
        tell(source, value, state)
    assert tsh(chart) == [("corrected", 1.9), ("corrected", 9.9), ("recorded", 9.8)]
    assert states() == ["recorded", "duplicate", "recorded", "duplicate", "recorded"]


def test_where_both_correct_it_otherwise_both_stand(chart, first, second, tell):
    tell(first)
    tell(second)
    tell(first, "2.5", CORRECTED)
    tell(second, "9.9", CORRECTED)
    assert tsh(chart, "recorded") == [("recorded", 2.5), ("recorded", 9.9)]


def test_a_preliminary_report_ends_with_the_final_one_of_either(chart, first, second, tell):
    tell(first, state=PRELIMINARY)
    tell(second, state=PRELIMINARY)
    tell(second)
    tell(first)
    assert [(row.state, row.result_status) for row in reports_of(chart.row, None)] == [
        ("corrected", "preliminary"),
        ("recorded", "final"),
    ]


def test_what_was_typed_and_sent_by_two_follows_each(chart, first, second, tell):
    chart.results(DAY, Panel.TSH)
    tell(first)
    tell(second)
    tell(second, "9.9", CORRECTED)
    assert [state for state, _ in tsh(chart)] == ["corrected", "recorded"]


def test_a_report_of_another_patient_or_one_that_was_taken_back_is_not_replaced(scope, chart, first, second, tell):
    tell(first)
    tell(second)
    tell(second, state=CANCELLED)
    tell(second, "9.9", CORRECTED)
    assert tsh(chart, "recorded") == [("recorded", 1.9), ("recorded", 9.9)]
    other = register(scope)
    moved = report(line("tsh", "8.8"), key="T9", state=CORRECTED, issued_at=at(14))
    send(scope, second, message(other.row, moved))
    assert (tsh(chart, "recorded"), tsh(other)) == ([("recorded", 1.9)], [("recorded", 8.8)])


def test_the_schedule_and_the_inbox_follow(doctor, scope, chart, first, second):
    send(scope, first, message(chart.row, report(*CBC, key="C", issued_at=at(13))))
    send(scope, second, message(chart.row, report(*CBC, key="C9", issued_at=at(13))))
    assert review_queue(doctor, QueueFilter()).counts["red"] == 0
    few = report(line("platelets", "30"), *CBC[1:], key="C9", issued_at=at(14), state=CORRECTED)
    send(scope, second, message(chart.row, few))
    assert review_queue(doctor, QueueFilter()).counts["red"] == 1
    unread = report(line("platelets", "see letter"), *CBC[1:], key="C9", issued_at=at(15), state=CORRECTED)
    send(scope, second, message(chart.row, unread))
    assert review_queue(doctor, QueueFilter()).counts["red"] == 1


def test_a_value_of_the_other_stays_while_the_newer_one_cannot_be_read(doctor, scope, chart, first, second):
    few = (line("platelets", "30"), *CBC[1:])
    send(scope, first, message(chart.row, report(*few, key="C", issued_at=at(13))))
    send(scope, second, message(chart.row, report(*few, key="C9", issued_at=at(13))))
    unread = report(line("platelets", "see letter"), *CBC[1:], key="C9", issued_at=at(15), state=CORRECTED)
    send(scope, second, message(chart.row, unread))
    assert [row.worst_level for row in reports_of(chart.row)] == ["red"]


@pytest.mark.parametrize("state", [CANCELLED, REJECTED])
@pytest.mark.parametrize("begins", [0, 1])
def test_what_one_takes_back_stays_while_the_other_affirms_it_and_is_looked_at(
    doctor, chart, first, second, tell, state, begins
):
    tell(first)
    tell(second)
    review_reports(doctor, [reports_of(chart.row)[0].public_id])
    one, other = (first, second) if begins == 0 else (second, first)
    tell(one, state=state)
    assert [(row.state, row.reviewed_at) for row in reports_of(chart.row, None)] == [("recorded", None)]
    assert [problem["message"] for problem in results()[2].problems] == [STILL_SENT]
    tell(other, state=state)
    assert tsh(chart) == [("entered_in_error", 1.9)]


def test_what_stays_on_the_word_of_the_other_follows_it(chart, first, second, tell):
    tell(first)
    tell(second)
    tell(first, state=CANCELLED)
    assert [row.external_id for row in reports_of(chart.row)] == ["T9:tsh"]
    tell(second, "9.9", CORRECTED)
    assert tsh(chart) == [("corrected", 1.9), ("recorded", 9.9)]


def test_what_the_other_has_taken_back_before_goes(chart, first, second, tell):
    for source, state in [(first, FINAL), (second, FINAL), (second, CANCELLED), (first, CANCELLED)]:
        tell(source, state=state)
    assert tsh(chart) == [("entered_in_error", 1.9)]


def test_a_panel_that_a_newer_version_no_longer_has_stays_while_the_other_affirms_it(scope, chart, first, second, tell):
    both = report("tsh", "creatinine", key="T", issued_at=at(12))
    send(scope, first, message(chart.row, both))
    tell(second)
    send(scope, first, message(chart.row, report("creatinine", key="T", issued_at=at(14), state=CORRECTED)))
    assert [(row.panel, row.external_id) for row in reports_of(chart.row) if row.panel == "tsh"] == [("tsh", "T9:tsh")]


@pytest.fixture
def hiv(scope, chart):
    """Have a source send an HIV test."""

    def sent(source, text, day, state=FINAL):
        lines = () if state is CANCELLED else (exam_line("hiv_test", text),)
        send(scope, source, message(chart.row, report(*lines, key=f"H{source.id}", issued_at=at(day), state=state)))

    return sent


def test_an_exam_that_two_sent_follows_the_correction_of_either(doctor, chart, first, second, hiv):
    hiv(first, "Negative", 13)
    hiv(second, "Non-reactive", 13)
    review_reports(doctor, [exams()[0].public_id])
    hiv(second, "Reactive", 14, CORRECTED)
    assert [(row.outcome, row.state) for row in exams()] == [("negative", "corrected"), ("positive", "recorded")]
    assert exams()[1].replaces_id == exams()[0].id
    assert review_queue(doctor, QueueFilter()).counts["red"] == 1


@pytest.mark.parametrize("begins", [0, 1])
def test_an_exam_that_one_takes_back_stays_while_the_other_affirms_it(doctor, chart, first, second, hiv, begins):
    hiv(first, "Negative", 13)
    hiv(second, "Negative", 13)
    review_reports(doctor, [exams()[0].public_id])
    one, other = (first, second) if begins == 0 else (second, first)
    hiv(one, "", 14, CANCELLED)
    assert [(row.state, row.reviewed_at) for row in exams()] == [("recorded", None)]
    hiv(other, "", 14, CANCELLED)
    assert [row.state for row in exams()] == ["entered_in_error"]


def test_a_match_of_the_one_that_was_wrong_leaves_what_the_other_sent(scope, chart, first, second, tell):
    other = register(scope)
    tell(first)
    tell(second)
    undo_match(scope, results()[1].public_id, reason="Wrong person", to=other.id)
    assert (tsh(chart), tsh(other)) == ([("recorded", 1.9)], [("recorded", 1.9)])
    corrected = report(line("tsh", "9.9"), key="T9", issued_at=at(15), state=CORRECTED)
    send(scope, second, message(chart.row, corrected))
    assert (tsh(chart), tsh(other, "recorded")) == ([("recorded", 1.9)], [("recorded", 9.9)])


@pytest.mark.parametrize("typed", [True, False])
def test_what_a_wrong_match_had_replaced_stands_again(scope, chart, first, second, tell, typed):
    other = register(scope)
    if typed:
        chart.results(DAY, Panel.TSH)
    tell(first)
    tell(second)
    tell(second, "9.9", CORRECTED)
    undo_match(scope, results()[2].public_id, reason="Wrong person", to=other.id)
    assert tsh(chart) == [("corrected", 1.9), ("entered_in_error", 9.9), ("recorded", 1.9)]
    assert [row.external_id for row in reports_of(chart.row)] == ["T:tsh"]
    assert tsh(other, "recorded") == [("recorded", 9.9)]
    tell(first, "2.5", CORRECTED)
    assert tsh(chart, "recorded") == [("recorded", 2.5)]


def test_an_exam_that_a_wrong_match_had_replaced_stands_again(scope, chart, first, second, hiv):
    other = register(scope)
    hiv(first, "Reactive", 13)
    hiv(second, "Reactive", 13)
    hiv(second, "Negative", 14, CORRECTED)
    undo_match(scope, results()[2].public_id, reason="Wrong person", to=other.id)
    assert [(row.outcome, row.state) for row in exams(patient_id=chart.row.id)] == [
        ("positive", "corrected"),
        ("negative", "entered_in_error"),
        ("positive", "recorded"),
    ]
    assert [row.outcome for row in exams(patient_id=other.row.id, state="recorded")] == ["negative"]

"""A newer version that does not say yet what is true takes nothing away, and somebody looks at it."""

from datetime import date, timedelta

import pytest

from clinic_tracker.domain.messages import LOINC, Coded, Observed, ReportState
from clinic_tracker.domain.vocabulary import FindingAction
from clinic_tracker.queries.review_queue import QueueFilter, review_queue
from clinic_tracker.services.acknowledgements import Answer, acknowledge
from tests.factories import register
from tests.inbound import DAY, add_source, at, exam_line, message, report, results, send
from tests.reviewed import exams, tasks

REPEATED = Answer("hiv_test_positive", FindingAction.REPEAT_ORDERED, None, date(2026, 2, 5), None)


@pytest.fixture
def scope(scope_for, cast):
    return scope_for(cast.staff)


@pytest.fixture
def doctor(scope_for, cast):
    return scope_for(cast.neurologist)


@pytest.fixture
def source(scope):
    return add_source(scope)


@pytest.fixture
def chart(scope):
    return register(scope)


def hiv(text, **values):
    """A line of an HIV test with notes, or with a state of its own."""
    line = exam_line("hiv_test", text)
    return Observed(line.codes, line.text, line.unit, **values)


PRELIMINARY, FINAL, CORRECTED = ReportState.PRELIMINARY, ReportState.FINAL, ReportState.CORRECTED
NOT_SETTLED = [
    (hiv("Reactive"), PRELIMINARY),
    (hiv("Reactive", state=PRELIMINARY), FINAL),
    (hiv("Negative", state=PRELIMINARY), FINAL),
    (hiv("Repeatedly reactive (EIA), WB to follow"), CORRECTED),
    (hiv("", notes=("See the letter",)), CORRECTED),
]


@pytest.mark.parametrize("line, state", NOT_SETTLED)
def test_a_positive_exam_stays_until_a_newer_version_says_otherwise(scope, doctor, source, chart, line, state):
    send(scope, source, message(chart.row, report(exam_line("hiv_test", "Reactive"), key="H", issued_at=at(13))))
    acknowledge(doctor, chart.id, exams()[0].public_id, [REPEATED], signed=False)
    send(scope, source, message(chart.row, report(line, key="H", issued_at=at(14), state=state)))
    assert [(exam.outcome, exam.state) for exam in exams()] == [("positive", "recorded")]
    assert [task.state for task in tasks()] == ["recorded"]
    assert review_queue(doctor, QueueFilter()).counts["red"] == 1
    send(scope, source, message(chart.row, report(exam_line("hiv_test", "Negative"), key="H", issued_at=at(15))))
    assert [(exam.outcome, exam.state) for exam in exams()] == [("positive", "corrected"), ("negative", "recorded")]


def test_one_type_that_is_negative_does_not_replace_a_positive_while_another_is_open(scope, source, chart):
    types = [Observed((Coded(code, LOINC),), "Detected") for code in ("59263-4", "59264-2")]
    send(scope, source, message(chart.row, report(*types, key="P", issued_at=at(13))))
    types = [Observed((Coded("59263-4", LOINC),), "see letter"), Observed((Coded("59264-2", LOINC),), "Negative")]
    send(scope, source, message(chart.row, report(*types, key="P", issued_at=at(14), state=CORRECTED)))
    assert [(exam.outcome, exam.state) for exam in exams()] == [("positive", "recorded")]


def test_an_exam_that_the_newer_version_does_not_speak_of_is_gone(scope, source, chart):
    both = [exam_line("hiv_test", "Reactive"), exam_line("hepatitis_c", "Negative")]
    send(scope, source, message(chart.row, report(*both, key="H", issued_at=at(13))))
    send(scope, source, message(chart.row, report(both[1], key="H", issued_at=at(14), state=CORRECTED)))
    assert [exam.kind for exam in exams(state="recorded")] == ["hepatitis_c"]


def test_an_exam_of_a_report_that_moved_does_not_stay_where_it_was(scope, source, chart):
    other = register(scope)
    send(scope, source, message(chart.row, report(exam_line("hiv_test", "Reactive"), key="H", issued_at=at(13))))
    line = exam_line("hiv_test", "see letter")
    send(scope, source, message(other.row, report(line, key="H", issued_at=at(14), state=CORRECTED)))
    assert exams(state="recorded") == []


@pytest.mark.parametrize(
    "kind, text, state",
    [
        ("pregnancy_test", "Positive", "not_understood"),
        ("hepatitis_c", "Equivocal", "not_understood"),
        ("pregnancy_test", "Negative", "noted"),
    ],
)
def test_a_preliminary_exam_with_a_finding_waits_for_a_person(scope, source, chart, kind, text, state):
    line = exam_line(kind, text)
    send(scope, source, message(chart.row, report(line, key="H", state=PRELIMINARY, on=DAY - timedelta(days=1))))
    assert (exams(), [row.state for row in results()]) == ([], [state])
    assert [one["kind"] for one in results()[0].problems] == (["preliminary"] if state == "not_understood" else [])

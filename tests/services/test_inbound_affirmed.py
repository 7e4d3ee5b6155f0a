"""The same result under several numbers: whatever comes in one file or alone, nothing that is still affirmed goes."""

import itertools

import pytest

from clinic_tracker.domain.messages import ReportState
from clinic_tracker.domain.vocabulary import Panel
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import LabValue
from clinic_tracker.services.inbound_resolve import undo_match
from tests.factories import register
from tests.inbound import CBC, DAY, add_source, at, exam_line, line, message, report, reports_of, results, send
from tests.reviewed import exams

CORRECTED, CANCELLED = ReportState.CORRECTED, ReportState.CANCELLED
PRELIMINARY = ReportState.PRELIMINARY
TOGETHER = pytest.mark.parametrize("together", [False, True])


@pytest.fixture
def scope(scope_for, cast):
    return scope_for(cast.staff)


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
def tell(scope, first, chart):
    """Have the first source send reports, in one file or each alone."""

    def sent(*reports, together):
        parts = [message(chart.row, one, position=place) for place, one in enumerate(reports)]
        for some in [parts] if together else [[part] for part in parts]:
            send(scope, first, *some)

    return sent


def reactive(key, hour=1, state=ReportState.FINAL):
    return report(exam_line("hiv_test", "Reactive"), key=key, issued_at=at(13, hour), state=state)


def tsh(value, key, hour, state=ReportState.FINAL):
    lines = () if state is CANCELLED else (line("tsh", value),)
    return report(*lines, key=key, issued_at=at(13, hour), state=state)


def standing(chart):
    """The numbers on a chart."""
    keys = [row.id for row in reports_of(chart.row)]
    return [row.number for row in db.session.query(LabValue).filter(LabValue.lab_report_id.in_(keys))]


@TOGETHER
def test_a_positive_exam_under_two_numbers_outlives_the_end_of_one(tell, chart, together):
    tell(reactive("H1"), reactive("H2"), together=together)
    tell(report(key="H1", issued_at=at(14), state=CANCELLED), together=False)
    assert [(exam.outcome, exam.state) for exam in exams()] == [("positive", "recorded")]


@TOGETHER
def test_a_correction_of_the_second_number_replaces_the_exam(tell, chart, together):
    negative = [report(exam_line("hiv_test", "Negative"), key=key, issued_at=at(13)) for key in ("H1", "H2")]
    tell(*negative, together=together)
    tell(reactive("H2", 20, CORRECTED), together=False)
    assert sorted((exam.outcome, exam.state) for exam in exams()) == [
        ("negative", "corrected"),
        ("positive", "recorded"),
    ]


@TOGETHER
def test_what_was_typed_and_taken_back_by_one_number_comes_again_by_another(tell, chart, together):
    chart.results(DAY, Panel.TSH, tsh="9.9")
    tell(tsh("9.9", "T1", 1), tsh("", "T1", 2, CANCELLED), tsh("9.9", "T2", 3), together=together)
    assert standing(chart) == [9.9]


@TOGETHER
def test_what_was_typed_and_corrected_by_one_number_comes_again_by_another(tell, chart, together):
    chart.results(DAY, Panel.TSH, tsh="99")
    tell(tsh("99", "T1", 1), tsh("2", "T1", 2, CORRECTED), tsh("99", "T2", 3), together=together)
    assert sorted(standing(chart)) == [2, 99]


def test_an_older_final_exam_affirms_what_another_source_takes_back(scope, first, second, chart):
    send(scope, second, message(chart.row, reactive("H9")))
    send(scope, first, message(chart.row, reactive("H1", 2, PRELIMINARY)))
    send(scope, first, message(chart.row, reactive("H1")))
    send(scope, second, message(chart.row, report(key="H9", issued_at=at(15), state=CANCELLED)))
    assert [(exam.outcome, exam.state) for exam in exams()] == [("positive", "recorded")]


def test_undoing_the_match_takes_along_what_another_source_has_handed_over(scope, first, second, chart):
    send(scope, first, message(chart.row, tsh("99", "T1", 1)))
    send(scope, second, message(chart.row, tsh("99", "T9", 2)))
    send(scope, first, message(chart.row, tsh("", "T1", 3, CANCELLED)))
    count = [line(name) for name in CBC]
    send(scope, second, message(chart.row, report(line("tsh", "99"), *count, key="T9", issued_at=at(13, 4))))
    assert len(reports_of(chart.row)) == 2
    undo_match(scope, results()[3].public_id, reason="another patient")
    assert reports_of(chart.row) == []


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_value_counts_until_its_correction_can_be_read_whichever_comes_first(tell, chart, order):
    versions = [tsh("99", "T1", 1), tsh("see note", "T1", 2, CORRECTED)]
    tell(*[versions[place] for place in order], together=False)
    assert standing(chart) == [99]
    assert [row.worst_level for row in reports_of(chart.row)] == ["amber"]
    assert "not_understood" in {row.state for row in results()}
    tell(tsh("2", "T1", 3, CORRECTED), together=False)
    assert standing(chart) == [2]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_of_older_versions_the_newest_counts_until_the_correction_can_be_read(tell, chart, order):
    versions = [tsh("98", "T1", 1), tsh("99", "T1", 2, CORRECTED), tsh("see note", "T1", 3, CORRECTED)]
    tell(*[versions[place] for place in order], together=False)
    assert standing(chart) == [99]


def test_older_and_unreadable_versions_that_come_again_change_nothing(tell, chart):
    tell(tsh("see note", "T1", 2, CORRECTED), tsh("99", "T1", 1), together=True)
    before = [(row.id, row.state) for row in reports_of(chart.row, None)]
    tell(tsh("99", "T1", 1), tsh("see note", "T1", 2, CORRECTED), together=False)
    assert [(row.id, row.state) for row in reports_of(chart.row, None)] == before
    assert standing(chart) == [99]


def test_undoing_the_match_of_one_source_leaves_what_another_one_sent_too(scope, first, second, chart):
    both = [reactive("1", 1), tsh("99", "2", 1)]
    send(scope, first, *[message(chart.row, one, position=place) for place, one in enumerate(both)])
    send(scope, second, *[message(chart.row, one, position=place) for place, one in enumerate(both)])
    for place in (0, 1):
        undo_match(scope, results()[place].public_id, reason="another patient")
    assert sorted((exam.outcome, exam.state) for exam in exams()) == [
        ("positive", "entered_in_error"),
        ("positive", "recorded"),
    ]
    assert standing(chart) == [99]
    assert [row.state for row in results()] == ["unmatched", "unmatched", "recorded", "recorded"]

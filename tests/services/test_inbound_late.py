"""An older version that comes after a newer one is kept on the chart as what it would have become."""

import itertools
from datetime import UTC, datetime

import pytest

from clinic_tracker.domain.messages import LOINC, Coded, Observed, ReportState
from clinic_tracker.domain.vocabulary import FactState, Panel
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import LabValue
from clinic_tracker.queries.review_queue import QueueFilter, review_queue
from clinic_tracker.services.inbound_corrections import CANCELLED, LATE
from clinic_tracker.services.inbound_resolve import undo_match
from tests.factories import register
from tests.inbound import DAY, add_source, at, exam_line, line, message, report, reports_of, results, send
from tests.reviewed import exams, tasks

CORRECTED, PRELIMINARY = ReportState.CORRECTED, ReportState.PRELIMINARY
DRAWN = {"specimen": "S1", "collected_at": datetime(2026, 1, 12, 13, tzinfo=UTC)}


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


@pytest.fixture
def hiv(scope, source, chart):
    """Have the laboratory send an HIV test, issued on a day of January."""

    def sent(text, day, **values):
        lines = () if values.get("state") is ReportState.CANCELLED else (exam_line("hiv_test", text),)
        send(scope, source, message(chart.row, report(*lines, key="H", issued_at=at(day), **values)))

    return sent


VERSIONS = [("Reactive", 13, ReportState.FINAL), ("Indeterminate", 14, CORRECTED), ("Negative", 15, CORRECTED)]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_in_whatever_order_versions_of_an_exam_come_the_newest_stands_and_all_are_visible(hiv, order):
    for place in order:
        text, day, state = VERSIONS[place]
        hiv(text, day, state=state)
    assert {row.outcome: row.state for row in exams()} == {
        "positive": "corrected",
        "indeterminate": "corrected",
        "negative": "recorded",
    }
    (newest,) = exams(state="recorded")
    assert newest.replaces_id in {row.id for row in exams(state="corrected")}


def test_an_exam_that_comes_late_is_seen_but_counts_for_nothing(doctor, hiv):
    hiv("Negative", 14, state=CORRECTED)
    hiv("Reactive", 13)
    late = exams()[1]
    assert (late.outcome, late.state, late.withdrawn_reason) == ("positive", "corrected", LATE)
    assert (exams()[0].replaces_id, results()[1].state) == (late.id, "superseded")
    assert (review_queue(doctor, QueueFilter()).counts["red"], tasks()) == (0, [])


def test_an_exam_that_comes_after_it_was_cancelled_is_entered_in_error(hiv):
    hiv("", 14, state=ReportState.CANCELLED)
    hiv("Reactive", 13)
    assert [(row.state, row.withdrawn_reason) for row in exams()] == [("entered_in_error", CANCELLED)]


def test_a_preliminary_exam_that_comes_late_is_not_recorded(hiv):
    hiv("Negative", 14)
    hiv("Reactive", 13, state=PRELIMINARY)
    assert [row.outcome for row in exams()] == ["negative"]


@pytest.mark.parametrize("unclear", [{"text": "see letter"}, {"text": "Reactive", "state": PRELIMINARY}])
def test_what_comes_late_stands_while_the_newest_does_not_say_what_is_true(doctor, hiv, unclear):
    hiv(day=20, **unclear)
    hiv("Negative", 14)
    hiv("Reactive", 15, state=CORRECTED)
    hiv("Indeterminate", 13)
    assert {row.outcome: row.state for row in exams()} == {
        "negative": "corrected",
        "positive": "recorded",
        "indeterminate": "corrected",
    }
    assert [row.state for row in results()] == ["not_understood", "recorded", "recorded", "superseded"]
    assert review_queue(doctor, QueueFilter()).counts["red"] == 1
    hiv("Negative", 21, state=CORRECTED)
    assert [row.outcome for row in exams(state="recorded")] == ["negative"]


def test_an_hpv_screen_is_not_kept_on_a_chart_without_a_cervix(scope, source):
    chart = register(scope, sex_at_birth="male")
    screen = Observed((Coded("59263-4", LOINC),), "Negative")
    send(scope, source, message(chart.row, report("tsh", key="P", issued_at=at(14), state=CORRECTED)))
    send(scope, source, message(chart.row, report("tsh", screen, key="P", issued_at=at(13))))
    assert (exams(), len(reports_of(chart.row, None))) == ([], 2)


def platelets(row):
    rows = db.session.query(LabValue.number).filter_by(lab_report_id=row.id, analyte="platelets")
    return rows.scalar()


def test_a_part_of_a_panel_that_comes_late_is_kept_with_the_other_part(scope, source, chart):
    newest = report(line("platelets", "90"), "wbc", key="C", issued_at=at(14), state=CORRECTED, **DRAWN)
    rest = report("neutrophils", "lymphocytes", "tsh", key="D", issued_at=at(13), **DRAWN)
    late = report(line("platelets", "95"), "wbc", key="C", issued_at=at(12), **DRAWN)
    for one in (newest, rest, late):
        send(scope, source, message(chart.row, one))
    found = [row for row in reports_of(chart.row, None) if row.panel == Panel.CBC_DIFF and row.is_complete]
    assert [(platelets(row), row.state) for row in found] == [(90, "recorded"), (95, "corrected")]
    assert [row.state for row in reports_of(chart.row, None) if row.panel == Panel.TSH] == ["recorded"]


def test_typed_paper_is_nothing_that_a_late_version_came_before(scope, source, chart):
    chart.results(DAY, Panel.TSH)
    send(scope, source, message(chart.row, report("tsh", key="T", issued_at=at(14))))
    send(scope, source, message(chart.row, report(line("tsh", "9.9"), key="T", issued_at=at(13))))
    assert [row.state for row in reports_of(chart.row, None)] == ["recorded", "corrected"]
    undo_match(scope, results()[0].public_id, reason="Wrong person")
    assert [row.recorded_via for row in reports_of(chart.row)] == ["screen"]


def test_one_of_which_the_newer_version_confirmed_another_source_is_replaced(scope, source, chart):
    other = add_source(scope, "Folder")
    send(scope, source, message(chart.row, report("tsh", key="T", issued_at=at(14))))
    send(scope, other, message(chart.row, report("tsh", key="T9", issued_at=at(14))))
    send(scope, other, message(chart.row, report(line("tsh", "9.9"), key="T9", issued_at=at(13))))
    assert [(row.state, row.withdrawn_reason) for row in reports_of(chart.row, None)] == [
        (FactState.RECORDED, None),
        (FactState.CORRECTED, LATE),
    ]

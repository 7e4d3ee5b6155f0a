"""What came beside a result is read from the message that brought it, with the local codes of its source."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from clinic_tracker.domain.messages import LOINC, Coded, Observed, ReportState
from clinic_tracker.domain.vocabulary import LocalCodeKind
from clinic_tracker.models.inbound import InboundSource
from clinic_tracker.queries.other_lines import also_sent
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.inbound_resolve import undo_match
from clinic_tracker.services.local_codes import map_code
from tests.factories import Chart, register
from tests.fixtures.people import Cast
from tests.inbound import CBC, add_source, at, exam_line, message, report, results, send
from tests.reviewed import exams, reports

POTASSIUM = Observed((Coded("2823-3", LOINC, "Potassium"),), "7.2", "mmol/L", low="3.5", high="5.1", flag="HH")
BLASTS = Observed((Coded("26446-5", LOINC, "Blasts"),), "8", "%", flag="A")
SODIUM = Observed((Coded("2951-2", LOINC, "Sodium"),), "118", "mmol/L", flag="LL")
OWN = Observed((Coded("K9", "L", "Own test"),), "12")


@pytest.fixture
def staff(cast: Cast, scope_for: Callable[..., Scope]) -> Scope:
    return scope_for(cast.staff)


@pytest.fixture
def chart(staff: Scope) -> Chart:
    return register(staff)


@pytest.fixture
def source(staff: Scope) -> InboundSource:
    return add_source(staff)


def beside(scope: Scope, row: object) -> list[str]:
    key = row.inbound_result_id
    return [line.title for line in also_sent(scope, [key]).get(key, ())]


def test_each_panel_and_exam_of_a_report_shows_what_came_with_it(
    staff: Scope, source: InboundSource, chart: Chart
) -> None:
    send(staff, source, message(chart.row, report("creatinine", "tsh", exam_line("hiv_test", "Reactive"), POTASSIUM)))
    assert {row.panel: beside(staff, row) for row in reports()} == {"creatinine": ["Potassium"], "tsh": ["Potassium"]}
    assert beside(staff, exams()[0]) == ["Potassium"]


def test_parts_of_one_panel_are_read_together(staff: Scope, source: InboundSource, chart: Chart) -> None:
    count, differential = (
        report(*CBC[:2], POTASSIUM, key="C", specimen="S"),
        report(*CBC[2:], BLASTS, key="D", specimen="S"),
    )
    send(staff, source, message(chart.row, count, differential))
    (row,) = reports()
    assert sorted(beside(staff, row)) == ["Blasts", "Potassium"]


def test_a_newer_version_shows_its_own(staff: Scope, source: InboundSource, chart: Chart) -> None:
    send(staff, source, message(chart.row, report("tsh", POTASSIUM, key="T", issued_at=at(13))))
    send(staff, source, message(chart.row, report("creatinine", BLASTS, key="T", issued_at=at(14))))
    assert beside(staff, reports(state="recorded")[0]) == ["Blasts"]


def test_local_codes_that_stand_for_something_are_left_out(staff: Scope, source: InboundSource, chart: Chart) -> None:
    send(staff, source, message(chart.row, report("tsh", OWN)))
    assert beside(staff, reports()[0]) == ["Own test"]
    map_code(staff, source.public_id, LocalCodeKind.ANALYTE, "L", "K9", "Own test", "cd4")
    assert beside(staff, reports(panel="tsh")[0]) == []


def test_nothing_is_told_of_typed_results_and_of_another_clinic(
    staff: Scope, source: InboundSource, chart: Chart, cast: Cast, scope_for: Callable[..., Scope]
) -> None:
    send(staff, source, message(chart.row, report("tsh", POTASSIUM)))
    assert also_sent(staff, [None]) == {}
    assert beside(scope_for(cast.stranger), reports()[0]) == []


def test_what_was_taken_off_a_chart_still_shows_what_came_with_it(
    staff: Scope, source: InboundSource, chart: Chart
) -> None:
    send(staff, source, message(chart.row, report("tsh", POTASSIUM)))
    undo_match(staff, results()[0].public_id, reason="Another patient")
    assert beside(staff, reports()[0]) == ["Potassium"]


def test_a_report_of_nothing_that_is_followed_waits_for_review_where_the_laboratory_flagged_it(
    staff: Scope, source: InboundSource, chart: Chart
) -> None:
    send(staff, source, message(chart.row, report(POTASSIUM, key="K", state=ReportState.PRELIMINARY)))
    send(staff, source, message(chart.row, report(POTASSIUM, key="K", issued_at=at(21))))
    first, second = reports()
    assert (first.state, second.state) == ("corrected", "recorded")
    assert (second.panel, second.result_status, second.reviewed_at) == ("other", "final", None)
    assert beside(staff, second) == ["Potassium"]
    assert [row.state for row in results()] == ["recorded", "recorded"]


def test_a_report_of_nothing_that_is_followed_and_nothing_flagged_is_only_noted(
    staff: Scope, source: InboundSource, chart: Chart
) -> None:
    send(staff, source, message(chart.row, report(POTASSIUM._replace(text="4.1", flag="N"))))
    assert reports() == []
    assert [row.state for row in results()] == ["noted"]


def test_a_correction_within_the_range_takes_the_flagged_report_off_the_chart(
    staff: Scope, source: InboundSource, chart: Chart
) -> None:
    send(staff, source, message(chart.row, report(POTASSIUM, key="K")))
    mended = report(POTASSIUM._replace(text="4.2", flag="N"), key="K", state=ReportState.CORRECTED)
    send(staff, source, message(chart.row, replace(mended, issued_at=at(21, 18))))
    assert [row.state for row in reports()] == ["entered_in_error"]


def test_two_flagged_reports_of_a_day_stay_two(staff: Scope, source: InboundSource, chart: Chart) -> None:
    send(staff, source, message(chart.row, report(POTASSIUM, key="K", specimen="S")))
    send(staff, source, message(chart.row, report(SODIUM, key="N", specimen="S")))
    assert [row.state for row in reports()] == ["recorded", "recorded"]
    assert sorted(beside(staff, row)[0] for row in reports()) == ["Potassium", "Sodium"]

"""A result that is typed from paper answers its order, as one that the laboratory sends does."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from clinic_tracker.domain.panels import SpecimenProblem
from clinic_tracker.domain.vocabulary import Panel, ResultStatus
from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.queries.lab_orders import OrderState, nothing_back, open_orders
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.lab_orders import Order, mark_rejected, record_orders
from clinic_tracker.services.lab_reports import correct_report, record_reports, withdraw_report
from clinic_tracker.services.lab_sheets import Sheet
from tests.factories import Chart, register, typed
from tests.fixtures.people import Cast
from tests.inbound import add_source, message, report, results, send
from tests.reviewed import reports

DRAWN = date(2026, 1, 12)


@pytest.fixture
def scope(cast: Cast, scope_for: Callable[..., Scope]) -> Scope:
    return scope_for(cast.staff)


@pytest.fixture
def chart(scope: Scope) -> Chart:
    """A patient of whom a specimen was drawn and nothing is back."""
    chart = register(scope)
    record_orders(scope, chart.id, Order((Panel.TSH,), DRAWN, DRAWN))
    assert len(nothing_back(scope)) == 1
    return chart


def type_in(chart: Chart, on: date = DRAWN, **changed: Any) -> None:
    record_reports(chart.scope, chart.id, Sheet(on, (typed(Panel.TSH, {})._replace(**changed),)))


def waiting(chart: Chart) -> list[OrderState]:
    return [one.state for one in open_orders(chart.scope, [chart.row.id])]


def test_it_is_closed_and_opens_again_where_the_result_is_withdrawn(chart: Chart) -> None:
    type_in(chart)
    assert (waiting(chart), nothing_back(chart.scope)) == ([], [])
    assert db.session.query(AuditEvent).filter_by(action="lab_order.changed").count() == 1
    withdraw_report(chart.scope, chart.id, reports()[0].public_id, reason="Another patient")
    assert waiting(chart) == [OrderState.COLLECTED]


def test_another_panel_another_day_or_a_preliminary_result_leaves_it_open(chart: Chart) -> None:
    chart.results(DRAWN, Panel.CREATININE)
    type_in(chart, DRAWN - timedelta(days=2))
    type_in(chart, DRAWN + timedelta(days=2))
    type_in(chart, status=ResultStatus.PRELIMINARY)
    assert waiting(chart) == [OrderState.COLLECTED]
    final = Sheet(DRAWN, (typed(Panel.TSH, {}),))
    correct_report(chart.scope, chart.id, reports()[-1].public_id, final, reason="The final result came")
    assert waiting(chart) == []


def test_a_correction_closes_no_second_order(chart: Chart) -> None:
    type_in(chart)
    record_orders(chart.scope, chart.id, Order((Panel.TSH,), DRAWN, DRAWN))
    corrected = Sheet(DRAWN, (typed(Panel.TSH, {"tsh": "2.5"}),))
    correct_report(chart.scope, chart.id, reports()[0].public_id, corrected, reason="Misread")
    assert waiting(chart) == [OrderState.COLLECTED]


def test_a_spoiled_specimen_is_to_be_drawn_again(chart: Chart) -> None:
    type_in(chart, problem=SpecimenProblem.HEMOLYZED)
    assert waiting(chart) == [OrderState.REJECTED]


def test_the_order_of_the_new_specimen_is_closed_before_the_one_that_was_rejected(chart: Chart) -> None:
    first = open_orders(chart.scope, [chart.row.id])[0].public_id
    mark_rejected(chart.scope, chart.id, first, DRAWN, "Hemolyzed")
    again = DRAWN + timedelta(days=1)
    record_orders(chart.scope, chart.id, Order((Panel.TSH,), again, again))
    type_in(chart, again)
    assert waiting(chart) == [OrderState.REJECTED]


def test_a_result_of_the_laboratory_that_confirms_it_closes_an_order_that_was_noted_later(chart: Chart) -> None:
    type_in(chart)
    record_orders(chart.scope, chart.id, Order((Panel.TSH,), DRAWN, DRAWN))
    send(chart.scope, add_source(chart.scope), message(chart.row, report("tsh", on=DRAWN)))
    assert [row.state for row in results()] == ["duplicate"]
    assert waiting(chart) == []
    withdraw_report(chart.scope, chart.id, reports()[0].public_id, reason="Another patient")
    assert waiting(chart) == [OrderState.COLLECTED] * 2

"""A match that is undone leaves the chart as it was before, and what is there on its own stays."""

from datetime import date

import pytest

from clinic_tracker.domain.messages import Coded, Observed, ReportState
from clinic_tracker.domain.vocabulary import Panel
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import LabOrder
from clinic_tracker.queries.other_lines import also_sent
from clinic_tracker.services.inbound_resolve import match_result, undo_match
from clinic_tracker.services.lab_orders import Order, record_orders
from clinic_tracker.services.reviews import review_reports
from tests.factories import register
from tests.inbound import DAY, add_source, at, exam_line, line, message, report, reports_of, results, send
from tests.reviewed import exams

REASON = "Wrong person"


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
def other(scope):
    return register(scope).row


@pytest.fixture
def confirmed(scope, source):
    """A chart on which a TSH was typed from paper, and the laboratory sent the same."""
    chart = register(scope).results(DAY, Panel.TSH)
    send(scope, source, message(chart.row, report("tsh", key="T", issued_at=at(13))))
    return chart.row


def test_what_was_typed_stays_where_the_result_goes_to_another_chart(scope, source, confirmed, other):
    undo_match(scope, results()[0].public_id, reason=REASON, to=other.public_id)
    assert [(row.state, row.source, row.external_id) for row in reports_of(confirmed, None)] == [
        ("recorded", "typed", None)
    ]
    assert [row.external_id for row in reports_of(other)] == ["T:tsh"]
    corrected = report(line("tsh", "9.9"), key="T", state=ReportState.CORRECTED, issued_at=at(14))
    send(scope, source, message(other, corrected))
    assert [row.state for row in reports_of(confirmed, None)] == ["recorded"]
    assert [row.state for row in reports_of(other, None)] == ["corrected", "recorded"]


@pytest.mark.parametrize("back", [True, False])
def test_a_result_that_confirmed_what_was_typed_can_be_matched_again(scope, confirmed, other, back):
    undo_match(scope, results()[0].public_id, reason=REASON)
    match_result(scope, results()[0].public_id, (confirmed if back else other).public_id)
    assert [row.state for row in results()] == ["duplicate" if back else "recorded"]
    assert [row.external_id for row in reports_of(confirmed)] == ["T:tsh" if back else None]
    assert len(reports_of(other)) == (0 if back else 1)


def test_an_exam_that_a_person_entered_stays_and_only_the_other_follows_the_laboratory(scope, source, other):
    chart = register(scope).exam("hiv_test", DAY, "negative")
    send(scope, source, message(chart.row, report(exam_line("hiv_test", "Non-Reactive"), key="H", issued_at=at(13))))
    undo_match(scope, results()[0].public_id, reason=REASON, to=other.public_id)
    reactive = report(exam_line("hiv_test", "Reactive"), key="H", state=ReportState.CORRECTED, issued_at=at(14))
    send(scope, source, message(other, reactive))
    (mine,) = exams(patient_id=chart.row.id)
    assert (mine.state, mine.outcome, mine.external_id) == ("recorded", "negative", None)
    assert [(row.state, row.outcome) for row in exams(patient_id=other.id)] == [
        ("corrected", "negative"),
        ("recorded", "positive"),
    ]


def unfinished(state=ReportState.PENDING, **values):
    """What a laboratory says of a TSH before it has a result."""
    codes = (Coded("3016-3", "http://loinc.org", "TSH"),)
    return report(key="T", order_key="P9", state=state, codes=codes, **values)


def orders_of(patient):
    rows = db.session.query(LabOrder).filter_by(patient_id=patient.id).populate_existing().order_by(LabOrder.id)
    return [(row.state, row.external_id, row.collected_on, row.pending_since, row.rejected_on) for row in rows]


def test_an_order_that_came_with_the_result_goes_with_it(scope, source, other):
    patient = register(scope).row
    send(scope, source, message(patient, unfinished()))
    undo_match(scope, results()[0].public_id, reason=REASON, to=other.public_id)
    assert [state for state, *_ in orders_of(patient)] == ["entered_in_error"]
    assert orders_of(other) == [("recorded", "P9", DAY, DAY, None)]


def test_an_order_that_the_result_only_took_further_is_as_it_was(scope, source, other):
    patient = register(scope).row
    record_orders(scope, patient.public_id, Order((Panel.TSH,), date(2026, 1, 10)))
    send(scope, source, message(patient, unfinished(issued_at=at(13))))
    send(scope, source, message(patient, unfinished(ReportState.REJECTED, issued_at=at(14))))
    for _ in range(2):  # undone, made again, and undone again
        assert orders_of(patient) == [("recorded", "P9", DAY, DAY, date(2026, 1, 14))]
        undo_match(scope, results()[0].public_id, reason=REASON)
        assert orders_of(patient) == [("recorded", None, None, None, None)]
        match_result(scope, results()[0].public_id, patient.public_id)
    undo_match(scope, results()[0].public_id, reason=REASON, to=other.public_id)
    assert orders_of(patient) == [("recorded", None, None, None, None)]
    assert [row[0] for row in orders_of(other)] == ["recorded"]


def test_an_order_that_its_own_report_has_answered_stays(scope, source, other):
    patient = register(scope).row
    record_orders(scope, patient.public_id, Order((Panel.TSH,), date(2026, 1, 10)))
    send(scope, source, message(patient, unfinished()))
    send(scope, source, message(patient, report("tsh", key="OWN", order_key="P9")))
    undo_match(scope, results()[0].public_id, reason=REASON, to=other.public_id)
    assert [state for state, *_ in orders_of(patient)] == ["recorded"]
    assert db.session.query(LabOrder.lab_report_id).filter_by(patient_id=patient.id).scalar() is not None


POTASSIUM = Observed((Coded("2823-3", "http://loinc.org", "Potassium"),), "7.2", "mmol/L", flag="HH")


@pytest.mark.parametrize("others, waits", [((POTASSIUM,), True), ((), False)])
def test_what_is_flagged_beside_typed_paper_brings_it_back_to_the_inbox(scope, source, doctor, others, waits):
    chart = register(scope).results(DAY, Panel.TSH)
    review_reports(doctor, [reports_of(chart.row)[0].public_id])
    send(scope, source, message(chart.row, report("tsh", *others, key="T")))
    (row,) = reports_of(chart.row)
    assert [one.state for one in results()] == ["duplicate"]
    assert (row.reviewed_at is None) is waits
    also = also_sent(scope, [row.inbound_result_id]).get(row.inbound_result_id, ())
    assert [line.is_flagged for line in also] == [True] * len(others)
    undo_match(scope, results()[0].public_id, reason=REASON)
    assert [(one.state, one.inbound_result_id) for one in reports_of(chart.row, None)] == [("recorded", None)]

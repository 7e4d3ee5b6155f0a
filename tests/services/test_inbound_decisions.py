"""What a person decided about a result holds against what comes later by itself."""

from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from clinic_tracker.domain.messages import Coded, Observed, ReportState
from clinic_tracker.domain.vocabulary import LocalCodeKind, Panel
from clinic_tracker.models.base import db
from clinic_tracker.queries.inbound import unmatched
from clinic_tracker.queries.lab_orders import open_orders
from clinic_tracker.services.auto_review import begin_auto_review
from clinic_tracker.services.inbound_resolve import match_result, undo_match
from clinic_tracker.services.lab_orders import Order, record_orders
from clinic_tracker.services.lab_reports import correct_report, record_reports, withdraw_report
from clinic_tracker.services.lab_sheets import SameDay, SameDayAnswer, Sheet
from clinic_tracker.services.local_codes import map_code
from tests.factories import register, typed
from tests.inbound import CBC, DAY, add_source, at, line, message, report, reports_of, results, send

REASON = "Wrong person"
STRANGE = Observed((Coded("FOO", "L", "Foo"),), "7", "mg/dL")


@pytest.fixture
def scope(scope_for, cast):
    return scope_for(cast.staff)


@pytest.fixture
def source(scope):
    return add_source(scope)


@pytest.fixture
def patient(scope):
    return register(scope).row


def test_a_correction_follows_the_chart_that_a_person_chose(scope, source, patient):
    other = register(scope).row
    send(scope, source, message(patient, report("tsh", key="V", issued_at=at(13))))
    undo_match(scope, results()[0].public_id, reason=REASON, to=other.public_id)
    corrected = report(line("tsh", "2.5"), key="V", state=ReportState.CORRECTED, issued_at=at(14))
    send(scope, source, message(patient, corrected))
    assert reports_of(patient) == []
    assert [row.state for row in reports_of(other, None)] == ["corrected", "recorded"]


def test_a_correction_of_a_result_that_was_taken_off_a_chart_waits_with_it(scope, source, patient):
    other = register(scope).row
    send(scope, source, message(patient, report("tsh", key="V", issued_at=at(13))))
    undo_match(scope, results()[0].public_id, reason=REASON)
    corrected = report(line("tsh", "2.5"), key="V", state=ReportState.CORRECTED, issued_at=at(14))
    send(scope, source, message(patient, corrected), message(patient, report("creatinine", key="N"), position=1))
    assert [row.state for row in results()] == ["unmatched", "unmatched", "recorded"]
    assert [row.panel for row in reports_of(patient)] == ["creatinine"]
    assert match_result(scope, unmatched(scope)[0].public_id, other.public_id) == 2
    assert [row.result_status for row in reports_of(other)] == ["corrected"]


def test_what_was_withdrawn_by_hand_does_not_come_back_with_a_mapped_code(scope, source, patient):
    send(scope, source, message(patient, report("tsh", STRANGE)))
    withdraw_report(scope, patient.public_id, reports_of(patient)[0].public_id, reason=REASON)
    map_code(scope, source.public_id, LocalCodeKind.IGNORED, "L", "FOO", "Foo", "")
    assert reports_of(patient) == []
    assert results()[0].state == "recorded"


def test_what_was_corrected_by_hand_stays_when_a_code_is_mapped(scope, source, patient):
    send(scope, source, message(patient, report("tsh", STRANGE)))
    sheet = Sheet(DAY, (typed(Panel.TSH, {"tsh": "3.3"}),))
    correct_report(scope, patient.public_id, reports_of(patient)[0].public_id, sheet, reason="Typing error")
    (by_hand,) = reports_of(patient)
    map_code(scope, source.public_id, LocalCodeKind.ANALYTE, "L", "FOO", "Foo", "creatinine")
    assert {row.panel for row in reports_of(patient)} == {"tsh", "creatinine"}
    assert by_hand.id in {row.id for row in reports_of(patient)}
    newer = report(line("tsh", "2.5"), key=results()[0].external_id, issued_at=at(14))
    send(scope, source, message(patient, newer))
    assert [row.panel for row in reports_of(patient)].count("tsh") == 1


def test_a_code_is_read_after_a_match_that_was_undone_was_made_again(scope_for, cast, clock, source, patient):
    strange = Observed((Coded("PLTX", "L", "Thrombocytes"),), "30", "10*3/uL")
    send(scope_for(cast.staff), source, message(patient, report(strange, *CBC[1:], key="C")))
    clock.forward(minutes=1)
    undo_match(scope_for(cast.staff), results()[0].public_id, reason=REASON)
    clock.forward(minutes=1)
    match_result(scope_for(cast.staff), results()[0].public_id, patient.public_id)
    code = (LocalCodeKind.ANALYTE, "L", "PLTX", "Thrombocytes", "platelets")
    map_code(scope_for(cast.staff), source.public_id, *code)
    assert [(row.is_complete, row.worst_level) for row in reports_of(patient)] == [(True, "red")]


@pytest.fixture
def _closing(scope_for, cast, monkeypatch):
    monkeypatch.setattr("clinic_tracker.services.auto_review.is_in_sample", lambda *_: False)
    words = "Complete final results without a finding."
    begin_auto_review(scope_for(cast.neurologist), criteria=words, sample_percent=5)


def ranged(**values):
    return line("creatinine", low="0.5", high="1.1", **values)


@pytest.mark.usefixtures("_closing")
@pytest.mark.parametrize(
    "more, closes",
    [
        ((), True),
        ((STRANGE,), False),
        ((Observed((Coded("2823-3", "http://loinc.org", "Potassium"),), "4.1", "mmol/L", flag="N"),), True),
        ((Observed((Coded("2823-3", "http://loinc.org", "Potassium"),), "7.2", "mmol/L", flag="HH"),), False),
    ],
)
def test_a_result_closes_by_itself_only_where_all_that_came_with_it_is_understood(scope, source, patient, more, closes):
    send(scope, source, message(patient, report(ranged(), *more)))
    (row,) = reports_of(patient)
    assert row.auto_reviewed is closes


@pytest.mark.parametrize("value", ["1,900", "0,900"])
def test_a_comma_that_may_be_a_decimal_point_is_asked_about(scope, source, patient, value):
    send(scope, source, message(patient, report(line("tsh", value))))
    assert results()[0].state == "not_understood"
    assert [row.is_complete for row in reports_of(patient)] in ([], [False])


@pytest.mark.parametrize("code", ["9317-9", "776-5"])
def test_clumps_told_in_a_line_of_their_own_spoil_the_count(scope, source, patient, code):
    smear = Observed((Coded(code, "http://loinc.org", "Platelet morphology"),), "Platelet clumps present")
    send(scope, source, message(patient, report(*CBC, smear, on=date(2026, 1, 10))))
    (row,) = reports_of(patient)
    assert (row.specimen_problem, row.is_complete) == ("clumped", False)


def test_a_correction_that_does_not_say_when_it_was_issued_is_not_taken_for_an_old_one(scope, source, patient):
    send(scope, source, message(patient, report("tsh", key="T", issued_at=at(13))))
    corrected = report(line("tsh", "9.9"), key="T", state=ReportState.CORRECTED)
    for _ in range(2):
        send(scope, source, message(patient, corrected))
        assert [row.result_status for row in reports_of(patient)] == ["corrected"]
    assert [row.state for row in results()] == ["recorded", "recorded", "duplicate"]


def test_a_cancelled_report_leaves_its_order_without_a_result(scope, source, patient):
    record_orders(scope, patient.public_id, Order((Panel.CBC_DIFF,), DAY, DAY))
    send(scope, source, message(patient, report(*CBC, key="T", issued_at=at(13))))
    send(scope, source, message(patient, report(line("platelets", "300"), *CBC[1:], key="T", issued_at=at(14))))
    assert open_orders(scope, [patient.id]) == []
    cancelled = report(key="T", state=ReportState.CANCELLED, issued_at=at(15))
    send(scope, source, message(patient, cancelled))
    assert [row.panel for row in open_orders(scope, [patient.id])] == ["cbc_diff"]


def test_a_report_that_is_sent_again_under_a_new_number_answers_the_order_of_the_cancelled_one(scope, source, patient):
    record_orders(scope, patient.public_id, Order((Panel.TSH,), DAY, DAY))
    send(scope, source, message(patient, report("tsh", key="T", issued_at=at(13))))
    cancelled = message(patient, report(key="T", state=ReportState.CANCELLED, issued_at=at(14)))
    send(scope, source, cancelled, message(patient, report("tsh", key="T2", issued_at=at(14)), position=1))
    assert open_orders(scope, [patient.id]) == []


def test_an_error_of_the_database_names_no_patient(scope, patient):
    with pytest.raises(SQLAlchemyError) as failed:
        db.session.execute(text("select :name from nowhere"), {"name": patient.family_name})
    db.session.rollback()
    assert "nowhere" in str(failed.value)
    assert patient.family_name not in str(failed.value)


@pytest.fixture
def chart(scope):
    """A chart on which a TSH was typed from paper."""
    return register(scope).results(DAY, Panel.TSH)


def test_what_was_typed_ends_when_the_laboratory_cancels_it(scope, source, chart):
    send(scope, source, message(chart.row, report("tsh", key="V", issued_at=at(13))))
    assert [row.state for row in results()] == ["duplicate"]
    send(scope, source, message(chart.row, report("tsh", key="V", state=ReportState.CANCELLED, issued_at=at(14))))
    assert [row.state for row in reports_of(chart.row, None)] == ["entered_in_error"]


def test_what_was_typed_is_replaced_by_the_laboratory_s_correction(scope, source, chart):
    send(scope, source, message(chart.row, report("tsh", key="V", issued_at=at(13))))
    corrected = report(line("tsh", "9.5"), key="V", state=ReportState.CORRECTED, issued_at=at(14))
    send(scope, source, message(chart.row, corrected))
    assert [row.state for row in reports_of(chart.row, None)] == ["corrected", "recorded"]


@pytest.fixture
def mended(scope, source, patient):
    """A chart on which the sheet of the day corrects what the laboratory sent."""
    send(scope, source, message(patient, report("tsh", key="V", issued_at=at(13))))
    answer = {Panel.TSH: SameDayAnswer(SameDay.CORRECTION, "Misread")}
    record_reports(scope, patient.public_id, Sheet(DAY, (typed(Panel.TSH, {"tsh": "9.9"}),), same_day=answer))
    return patient


def test_a_correction_on_the_sheet_of_the_day_is_replaced_by_the_laboratory_s(scope, source, mended):
    corrected = report(line("tsh", "2.5"), key="V", state=ReportState.CORRECTED, issued_at=at(14))
    send(scope, source, message(mended, corrected))
    assert [row.state for row in reports_of(mended, None)] == ["corrected", "corrected", "recorded"]


def test_a_correction_on_the_sheet_of_the_day_ends_when_the_laboratory_cancels_it(scope, source, mended):
    send(scope, source, message(mended, report(key="V", state=ReportState.CANCELLED, issued_at=at(14))))
    assert [row.state for row in reports_of(mended, None)] == ["corrected", "entered_in_error"]


def test_a_correction_on_the_sheet_of_the_day_goes_with_the_match(scope, mended):
    undo_match(scope, results()[0].public_id, reason=REASON)
    assert reports_of(mended) == []

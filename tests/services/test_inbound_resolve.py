"""A person decides whose a result is, what a code means, and that a match was wrong; everything follows."""

from datetime import date

import pytest

from clinic_tracker.domain.errors import NotFound, RuleViolation
from clinic_tracker.domain.messages import Coded, Identifier, Identity, Observed, ReportState
from clinic_tracker.domain.vocabulary import InboundState, LocalCodeKind, Panel, Sex
from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import LabOrder, PatientIdentifier
from clinic_tracker.models.monitoring import LabValue
from clinic_tracker.models.schedule import Standing
from clinic_tracker.queries.inbound import not_understood, unmatched, waiting_counts
from clinic_tracker.queries.inbound_codes import affected_by, current_codes
from clinic_tracker.queries.inbound_likely import likely_charts
from clinic_tracker.queries.lab_orders import OrderState, nothing_back, open_orders
from clinic_tracker.queries.scope import PermissionDenied
from clinic_tracker.services import projection
from clinic_tracker.services.inbound_resolve import dismiss_result, match_result, undo_match
from clinic_tracker.services.lab_orders import (
    Order,
    mark_collected,
    mark_pending,
    mark_rejected,
    record_orders,
    withdraw_order,
)
from clinic_tracker.services.local_codes import map_code, withdraw_code
from tests.factories import register
from tests.inbound import CBC, DAY, add_source, at, line, message, report, reports_of, results, send
from tests.monitored import add_course

REASON = "Wrong person"


@pytest.fixture
def scope(scope_for, cast):
    return scope_for(cast.staff)


@pytest.fixture
def source(scope):
    return add_source(scope)


@pytest.fixture
def patient(scope):
    return register(scope).row


def stranger(patient, **values):
    """The patient under a name that the clinic does not know, with the laboratory's own number."""
    return Identity(
        (Identifier("L-77", "LAB", "PI"),), "Maidenname", patient.given_name, patient.birth_date, Sex.FEMALE, **values
    )


def events(action, patient):
    return db.session.query(AuditEvent).filter_by(action=action, patient_id=patient.id).count()


def test_an_unmatched_result_is_recorded_where_a_person_says(scope, source, patient):
    send(scope, source, message(stranger(patient), report(*CBC), report("tsh")))
    waiting = unmatched(scope)
    assert [row.state for row in waiting] == [InboundState.UNMATCHED] * 2
    (likely,) = likely_charts(scope, waiting[0].identity)
    assert likely.patient == patient.public_id
    assert "family_name" in likely.likely.differs
    assert match_result(scope, waiting[0].public_id, patient.public_id) == 2
    assert {row.panel for row in reports_of(patient)} == {"cbc_diff", "tsh"}
    assert waiting_counts(scope)[InboundState.UNMATCHED] == 0
    assert events("inbound_result.matched", patient) == 2
    with pytest.raises(RuleViolation, match="decided"):
        match_result(scope, waiting[0].public_id, patient.public_id)


def test_a_learned_number_matches_the_next_message_by_itself(scope, source, patient):
    send(scope, source, message(stranger(patient), report("tsh")))
    match_result(scope, unmatched(scope)[0].public_id, patient.public_id, learn=True)
    send(scope, source, message(stranger(patient), report("creatinine")))
    assert results()[-1].matched_how == "identifier"
    assert len(reports_of(patient)) == 2


def test_without_learning_the_next_one_is_asked_about_and_a_correction_is_not(scope, source, patient):
    first = report("tsh", key="T", issued_at=at(13))
    send(scope, source, message(stranger(patient), first))
    match_result(scope, unmatched(scope)[0].public_id, patient.public_id)
    corrected = report(line("tsh", "2.5"), key="T", state=ReportState.CORRECTED, issued_at=at(14))
    send(scope, source, message(stranger(patient), corrected, report("creatinine", key="C")))
    assert [row.state for row in results()][1:] == ["recorded", "recorded"]
    send(scope, source, message(stranger(patient), report("creatinine", key="D", on=date(2026, 1, 11))))
    assert results()[-1].state == "unmatched"


def test_a_number_of_another_patient_is_not_learned(scope, source, patient):
    other = register(scope).row
    send(scope, source, message(stranger(patient), report("tsh")))
    match_result(scope, unmatched(scope)[0].public_id, patient.public_id, learn=True)
    namesake = Identity((Identifier("L-77", "LAB", "PI"),), "Other", "Person", date(1950, 1, 1), Sex.MALE)
    send(scope, source, message(namesake, report("tsh")))
    (waiting,) = unmatched(scope)
    with pytest.raises(RuleViolation, match="another patient"):
        match_result(scope, waiting.public_id, other.public_id, learn=True)
    assert reports_of(other) == []


def test_a_wrong_match_is_undone_and_everything_follows(scope, source, patient):
    other = register(scope).row
    add_course(scope, patient, date(2025, 12, 8))
    db.session.commit()
    send(scope, source, message(patient, report(line("platelets", "42"), *CBC[1:], key="W", on=date(2026, 1, 10))))
    (row,) = results()
    assert undo_match(scope, row.public_id, reason=REASON, to=other.public_id) == 1
    assert reports_of(patient) == []
    (wrong,) = reports_of(patient, None)
    assert (wrong.state, wrong.withdrawn_reason) == ("entered_in_error", REASON)
    (right,) = reports_of(other)
    assert right.worst_level == "red"
    standing = db.session.query(Standing).filter_by(patient_id=patient.id, requirement="cbc_diff").one()
    assert standing.last_done_on is None
    assert events("inbound_result.match_undone", patient) == 1
    assert events("inbound_result.matched", other) == 1
    assert projection.check(scope) == []


def test_undoing_forgets_what_was_learned_and_waits_again(scope, source, patient):
    send(scope, source, message(stranger(patient), report("tsh")))
    match_result(scope, unmatched(scope)[0].public_id, patient.public_id, learn=True)
    undo_match(scope, results()[0].public_id, reason=REASON)
    assert [row.state for row in results()] == ["unmatched"]
    assert db.session.query(PatientIdentifier).filter_by(state="recorded").count() == 0


def test_undoing_takes_every_version_along(scope, source, patient):
    other = register(scope).row
    send(scope, source, message(patient, report("tsh", key="V", issued_at=at(13))))
    send(scope, source, message(patient, report(line("tsh", "2.5"), key="V", issued_at=at(14))))
    assert undo_match(scope, results()[0].public_id, reason=REASON, to=other.public_id) == 2
    assert reports_of(patient) == []
    assert [row.state for row in reports_of(other, None)] == ["corrected", "recorded"]


@pytest.mark.parametrize("reason", ["", "   "])
def test_undoing_and_dismissing_need_a_reason(scope, source, patient, reason):
    send(scope, source, message(patient, report("tsh")), message(stranger(patient), report("tsh"), position=1))
    with pytest.raises(RuleViolation, match="reason"):
        undo_match(scope, results()[0].public_id, reason=reason)
    with pytest.raises(RuleViolation, match="reason"):
        dismiss_result(scope, results()[1].public_id, reason=reason)


def test_a_dismissed_result_leaves_the_queue_and_does_not_come_back(scope, source, patient):
    sent = message(stranger(patient), report("tsh", key="S"))
    send(scope, source, sent)
    dismiss_result(scope, unmatched(scope)[0].public_id, reason="Not a patient of ours")
    send(scope, source, sent)
    assert [row.state for row in results()] == ["dismissed", "duplicate"]


def test_a_code_is_mapped_once_and_what_waits_is_read_anew(scope, source, patient):
    local = Observed((Coded("PLT", "L", "Platelets"),), "251", "K/uL")
    send(scope, source, message(patient, report(local, *CBC[1:], key="A")))
    assert [row.is_complete for row in reports_of(patient)] == [False]
    assert [row.problems[0]["code"] for row in not_understood(scope)] == ["PLT"]
    code = (LocalCodeKind.ANALYTE, "L", "PLT")
    assert len(affected_by(scope, source.public_id, *code)) == 1
    done = map_code(scope, source.public_id, *code, "Platelets", "platelets")
    assert done.changed == 1
    (row,) = reports_of(patient)
    assert (row.is_complete, row.replaces_id is not None) == (True, True)
    assert not_understood(scope) == []
    send(scope, source, message(patient, report(local, *CBC[1:], key="B", on=date(2026, 1, 11))))
    assert results()[-1].state == "recorded"
    assert [one.code for one in current_codes(scope)] == ["PLT"]
    withdraw_code(scope, done.public_id)
    assert [row.is_complete for row in reports_of(patient)] == [False, False]
    assert len(not_understood(scope)) == 2


def test_a_unit_is_mapped_for_one_source_only(scope, source, patient):
    other = add_source(scope, "Other Lab")
    map_code(scope, source.public_id, LocalCodeKind.UNIT, "", "Giga", "Giga", "10*3/uL")
    for one in (source, other):
        send(scope, one, message(patient, report(line("platelets", unit="Giga"), *CBC[1:])))
    assert [row.state for row in results()] == ["recorded", "not_understood"]


def test_a_target_that_there_is_not_is_refused(scope, source):
    with pytest.raises(RuleViolation):
        map_code(scope, source.public_id, LocalCodeKind.ANALYTE, "L", "PLT", "", "unicorns")


def test_the_results_of_another_clinic_do_not_exist(scope, source, patient, scope_for, cast):
    send(scope, source, message(stranger(patient), report("tsh")))
    with pytest.raises(NotFound):
        match_result(scope_for(cast.stranger), results()[0].public_id, patient.public_id)


def test_who_may_not_record_evidence_decides_nothing(scope, source, patient, scope_for, cast):
    send(scope, source, message(stranger(patient), report("tsh")))
    with pytest.raises(PermissionDenied):
        match_result(scope_for(cast.auditor), results()[0].public_id, patient.public_id)


def test_an_order_is_followed_until_its_report_comes(scope, source, patient):
    (order,) = record_orders(scope, patient.public_id, Order((Panel.TSH,), DAY))
    (row,) = open_orders(scope, [patient.id])
    assert row.state is OrderState.ORDERED
    mark_collected(scope, patient.public_id, order, DAY)
    mark_pending(scope, patient.public_id, order, DAY)
    assert open_orders(scope, [patient.id])[0].state is OrderState.PENDING
    assert [one.public_id for one in nothing_back(scope)] == [order]
    send(scope, source, message(patient, report("tsh")))
    assert open_orders(scope, [patient.id]) == []


def test_a_specimen_is_missed_after_three_days_and_not_before(scope, patient):
    today = scope.today
    for days in (2, 3):
        day = date.fromordinal(today.toordinal() - days)
        record_orders(scope, patient.public_id, Order((Panel.CREATININE,), day, collected_on=day))
    assert [one.collected_on for one in nothing_back(scope)] == [date.fromordinal(today.toordinal() - 3)]


def test_a_rejected_order_and_a_withdrawn_one_say_why(scope, patient):
    orders = record_orders(scope, patient.public_id, Order((Panel.TSH, Panel.CREATININE), DAY))
    mark_rejected(scope, patient.public_id, orders[0], DAY, "Hemolyzed")
    withdraw_order(scope, patient.public_id, orders[1], reason="Not needed")
    (row,) = open_orders(scope, [patient.id])
    assert (row.state, row.rejected_reason) == (OrderState.REJECTED, "Hemolyzed")
    with pytest.raises(RuleViolation):
        mark_rejected(scope, patient.public_id, orders[0], DAY, " ")


def test_the_same_form_twice_and_a_doubled_order_are_one(scope, patient):
    first = record_orders(scope, patient.public_id, Order((Panel.TSH,), DAY), form_token="f1")
    assert record_orders(scope, patient.public_id, Order((Panel.TSH,), DAY), form_token="f1") == first
    with pytest.raises(RuleViolation, match="already"):
        record_orders(scope, patient.public_id, Order((Panel.TSH,), DAY))
    assert db.session.query(LabOrder).count() == 1


def test_the_laboratory_rejects_a_specimen(scope, source, patient):
    codes = (Coded("3016-3", "http://loinc.org", "TSH"),)
    send(scope, source, message(patient, report("tsh", key="T", issued_at=at(13))))
    rejected = report(key="T", codes=codes, state=ReportState.REJECTED, notes=("Mislabeled",), issued_at=at(14))
    send(scope, source, message(patient, rejected))
    assert reports_of(patient) == []
    (order,) = open_orders(scope, [patient.id])
    assert (order.state, order.rejected_reason) == (OrderState.REJECTED, "Mislabeled")
    assert db.session.query(LabValue).count() == 1

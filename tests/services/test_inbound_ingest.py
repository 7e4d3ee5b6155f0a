"""Results of laboratories land in the right chart once, whatever the order in which they come."""

import itertools
from datetime import date, timedelta

import pytest

from clinic_tracker.domain.messages import LOINC, Coded, Identity, Observed, ReportState, Unreadable
from clinic_tracker.domain.vocabulary import Panel, Sex
from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import LabOrder
from clinic_tracker.models.monitoring import LabReport, LabValue
from clinic_tracker.models.schedule import Standing
from clinic_tracker.services import projection
from tests.factories import register
from tests.inbound import CBC, DAY, add_source, at, identity_of, line, message, report, reports_of, results, send
from tests.monitored import add_course


@pytest.fixture
def scope(scope_for, cast):
    return scope_for(cast.staff)


@pytest.fixture
def source(scope):
    return add_source(scope)


@pytest.fixture
def patient(scope):
    return register(scope).row


def states():
    return [row.state for row in results()]


def test_a_final_report_of_a_known_patient_is_recorded_with_its_origin(scope, source, patient):
    done = send(scope, source, message(patient, report(*CBC, key="A1", issued_at=at(13))))
    (row,) = reports_of(patient)
    assert (row.panel, row.collected_on, row.is_complete, row.result_status) == ("cbc_diff", DAY, True, "final")
    assert (row.external_id, row.issued_at, row.laboratory) == ("A1:cbc_diff", at(13), "City Lab")
    (log,) = results()
    assert row.inbound_result_id == log.id
    assert (log.state, log.patient_id, log.matched_how) == ("recorded", patient.id, "mrn")
    assert done.counts == {"recorded": 1}
    assert done.outcomes[0].taken
    assert db.session.query(LabValue).filter_by(lab_report_id=row.id).count() == 4
    assert db.session.query(AuditEvent).filter_by(action="lab_report.recorded", patient_id=patient.id).count() == 1


def test_one_report_may_hold_several_panels(scope, source, patient):
    send(scope, source, message(patient, report("creatinine", "alt", "ast", "bilirubin_total")))
    assert {row.panel for row in reports_of(patient)} == {"creatinine", "liver_panel"}
    assert all(row.is_complete for row in reports_of(patient))


def test_the_schedule_follows(scope, source, patient):
    add_course(scope, patient, date(2025, 12, 8))
    db.session.commit()
    projection.reproject(scope, [patient.id])
    db.session.commit()
    send(scope, source, message(patient, report(*CBC, on=date(2026, 1, 10))))
    standing = db.session.query(Standing).filter_by(patient_id=patient.id, requirement="cbc_diff").one()
    assert standing.last_done_on == date(2026, 1, 10)
    assert projection.check(scope) == []


def test_findings_are_judged(scope, source, patient):
    send(scope, source, message(patient, report(line("platelets", "42"), *CBC[1:])))
    (row,) = reports_of(patient)
    assert row.worst_level == "red"


def test_count_and_differential_in_two_reports_of_one_draw_are_one_complete_panel(scope, source, patient):
    count = report("platelets", "wbc", key="C1", collected_at=at(12))
    differential = report("neutrophils", "lymphocytes", key="D1", collected_at=at(12))
    send(scope, source, message(patient, count, differential))
    (row,) = reports_of(patient)
    assert row.is_complete
    corrected = report(line("neutrophils", "0.3"), "lymphocytes", key="D1", collected_at=at(12), issued_at=at(14))
    send(scope, source, message(patient, corrected))
    (row,) = reports_of(patient)
    assert row.is_complete
    values = {value.analyte: value.number for value in db.session.query(LabValue).filter_by(lab_report_id=row.id)}
    assert values == {"platelets": 251.0, "wbc": 6.1, "neutrophils": 0.3, "lymphocytes": 1.4}


def test_an_unknown_code_waits_and_the_rest_goes_on(scope, source, patient):
    odd = Observed((Coded("GIANT", "L", "Giant platelets"),), "few")
    done = send(scope, source, message(patient, report(*CBC, odd)))
    assert [row.is_complete for row in reports_of(patient)] == [True]
    (log,) = results()
    assert log.state == "not_understood"
    assert log.problems[0]["code"] == "GIANT"
    assert log.problems[0]["value"] == "few"
    assert done.outcomes[0].taken


def test_somebody_unknown_waits_for_a_person(scope, source, patient):
    stranger = Identity(family_name="Nobody", given_name="Here", birth_date=date(1970, 1, 1), sex=Sex.MALE)
    send(scope, source, message(stranger, report(*CBC)))
    assert states() == ["unmatched"]
    assert reports_of(patient) == []


@pytest.mark.parametrize("on", [None, date(2026, 1, 23), date(1950, 1, 1)])
def test_impossible_dates_of_collection_are_refused_with_the_reason(scope, source, patient, on):
    done = send(scope, source, message(patient, report(*CBC, on=on)))
    assert states() == ["refused"]
    assert not done.outcomes[0].taken
    assert "date of collection" in done.outcomes[0].problems[0].message
    assert reports_of(patient) == []


def test_the_same_report_from_two_files_is_recorded_once(scope, source, patient):
    sent = report(*CBC, key="A1", issued_at=at(13))
    send(scope, source, message(patient, sent))
    send(scope, source, message(patient, sent))
    assert states() == ["recorded", "duplicate"]
    assert len(reports_of(patient, None)) == 1


def test_a_report_without_a_number_is_known_by_what_it_says(scope, source, patient):
    send(scope, source, message(patient, report(*CBC, key="")))
    send(scope, source, message(patient, report(*CBC, key="")))
    send(scope, source, message(patient, report(line("platelets", "180"), *CBC[1:], key="")))
    assert states() == ["recorded", "duplicate", "recorded"]


def test_what_was_typed_from_paper_is_not_recorded_again(scope, source, patient):
    chart = register(scope)
    chart.results(DAY, Panel.TSH)
    send(scope, source, message(chart.row, report("tsh")))
    assert states() == ["duplicate"]


VERSIONS = {
    "preliminary": report(line("platelets", "90"), key="V", state=ReportState.PRELIMINARY, issued_at=at(13)),
    "final": report(line("platelets", "95"), *CBC[1:], key="V", issued_at=at(14)),
    "corrected": report(*CBC, key="V", state=ReportState.CORRECTED, issued_at=at(15)),
}


@pytest.mark.parametrize("order", list(itertools.permutations(VERSIONS)))
@pytest.mark.parametrize("together", [True, False])
def test_in_whatever_order_versions_come_the_newest_stands_and_all_are_visible(scope, source, patient, order, together):
    sent = [message(patient, VERSIONS[name], position=place) for place, name in enumerate(order)]
    if together:
        send(scope, source, *sent)
    else:
        for one in sent:
            send(scope, source, one)
    (row,) = reports_of(patient)
    assert row.result_status == "corrected"
    assert row.worst_level is None
    assert [old.state for old in reports_of(patient, None) if old.id != row.id] == ["corrected", "corrected"]
    assert projection.check(scope) == []


@pytest.mark.parametrize("first", ["final", "cancelled"])
def test_a_cancelled_report_counts_for_nothing_whichever_comes_first(scope, source, patient, first):
    cancelled = report(key="X", state=ReportState.CANCELLED, issued_at=at(15))
    both = [report(*CBC, key="X", issued_at=at(14)), cancelled]
    for sent in both if first == "final" else reversed(both):
        send(scope, source, message(patient, sent))
    assert reports_of(patient) == []
    assert [row.state for row in reports_of(patient, None)] == ["entered_in_error"]


def test_two_reports_of_one_message_with_one_number_are_versions(scope, source, patient):
    send(scope, source, message(patient, VERSIONS["final"], VERSIONS["corrected"]))
    (row,) = reports_of(patient)
    assert row.result_status == "corrected"


def test_a_report_that_moves_to_another_patient_leaves_the_first_chart(scope, source, patient):
    other = register(scope).row
    send(scope, source, message(patient, report(*CBC, key="M", issued_at=at(13))))
    corrected = report(*CBC, key="M", issued_at=at(14), state=ReportState.CORRECTED)
    send(scope, source, message(other, corrected))
    assert reports_of(patient) == []
    assert [row.external_id for row in reports_of(other)] == ["M:cbc_diff"]


def test_what_cannot_be_read_is_told_and_the_others_are_taken(scope, source, patient):
    bad = Unreadable(1, "M9", "PID-3", "There is no patient in it.")
    done = send(scope, source, message(patient, report("tsh")), bad, message(patient, report("creatinine"), position=2))
    assert [outcome.taken for outcome in done.outcomes] == [True, False, True]
    assert len(reports_of(patient)) == 2


def test_work_goes_on_where_it_was_left(scope, source, patient):
    sent = [
        message(patient, report("tsh", key=f"T{place}", on=DAY - timedelta(days=place)), position=place)
        for place in range(5)
    ]
    send(scope, source, *sent, at_once=2)
    assert len(reports_of(patient)) == 5
    assert [row.position for row in results()] == [0, 1, 2, 3, 4]


def test_another_clinic_has_none_of_it(scope, source, patient, scope_for, cast):
    theirs = scope_for(cast.stranger)
    their_source = add_source(theirs)
    send(theirs, their_source, message(patient, report(*CBC)))
    assert states() == ["unmatched"]


def test_a_twin_with_the_number_of_the_other_is_asked_about(scope, source):
    born = date(1985, 3, 2)
    one = register(scope, family_name="Abara", given_name="Ife", birth_date=born).row
    other = register(scope, family_name="Abara", given_name="Ola", birth_date=born).row
    mixed = identity_of(other, identifiers=identity_of(one).identifiers)
    send(scope, source, message(mixed, report(*CBC)))
    assert states() == ["unmatched"]


def test_a_pending_order_is_closed_by_its_report(scope, source, patient):
    codes = (Coded("57021-8", LOINC, "CBC"),)
    send(scope, source, message(patient, report(key="P", codes=codes, state=ReportState.PENDING)))
    (order,) = db.session.query(LabOrder).all()
    assert (order.panel, order.collected_on, order.lab_report_id) == ("cbc_diff", DAY, None)
    send(scope, source, message(patient, report(*CBC, key="P")))
    db.session.refresh(order)
    assert order.lab_report_id == reports_of(patient)[0].id
    assert db.session.query(LabReport).count() == 1

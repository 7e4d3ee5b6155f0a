"""The antiviral starts with the course and stops when it may, or when a prescriber says so."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import LabReport, LabValue
from clinic_tracker.models.treatment import Deviation, Prophylaxis
from clinic_tracker.queries.prophylaxis import cd4_counts, prophylaxis_rule
from clinic_tracker.services import projection
from clinic_tracker.services.deviations import ReasonNeeded, Reasons
from clinic_tracker.services.prophylaxis import (
    ProphylaxisFacts,
    correct_prophylaxis,
    start_prophylaxis,
    stop_prophylaxis,
    withdraw_prophylaxis,
)
from tests.treated import Treated, add_patient

START = date(2025, 10, 6)


@pytest.fixture
def treated(cast, scope_for) -> Treated:
    found = add_patient(cast, scope_for, baseline_on=date(2025, 10, 1))
    found.plan(START)
    found.record_past(*(found.past(day, START + timedelta(days=day - 1)) for day in range(1, 6)), reason="Paper")
    return found


def begin(treated, **values):
    facts = ProphylaxisFacts(drug="Aciclovir", dose="200 mg twice daily", started_on=START, course=treated.course)
    return start_prophylaxis(treated.scope, treated.patient, replace(facts, **values))


def add_cd4(treated, on, value):
    scope = treated.scope
    report = LabReport(
        clinic_id=scope.clinic_id, patient_id=treated.patient_id, panel="cd4", collected_on=on, recorded_at=scope.now
    )
    db.session.add(report)
    db.session.flush()
    db.session.add(LabValue(clinic_id=scope.clinic_id, lab_report_id=report.id, analyte="cd4", number=value))
    projection.reproject(scope, [treated.patient_id])
    db.session.commit()


def row(public_id):
    return db.session.execute(select(Prophylaxis).where(Prophylaxis.public_id == public_id)).scalar_one()


def codes():
    return [
        code
        for code in db.session.execute(select(Deviation.code).where(Deviation.withdrawn_at.is_(None))).scalars()
        if code in {"not_on_first_day", "stopped_too_early"}
    ]


def test_the_rule_and_the_counts_are_read_from_the_schedule_and_the_laboratory(treated):
    add_cd4(treated, date(2026, 1, 12), 240)
    rule = prophylaxis_rule(treated.scope, treated.patient_id, "lemtrada-us")
    assert (rule.minimum_until, rule.earliest_stop_on) == (date(2025, 12, 10), date(2026, 1, 12))
    assert [count.value for count in cd4_counts(treated.scope, treated.patient_id)] == [240]


def test_it_stops_without_a_reason_once_two_months_and_the_count_are_there(treated):
    antiviral = begin(treated)
    add_cd4(treated, date(2026, 1, 12), 240)
    stop_prophylaxis(treated.scope, treated.patient, antiviral, stopped_on=date(2026, 1, 20))
    assert row(antiviral).stopped_on == date(2026, 1, 20)
    assert codes() == []


def test_an_earlier_stop_is_a_prescribers_decision(treated, cast, scope_for):
    antiviral = begin(treated)
    with pytest.raises(ReasonNeeded, match="CD4"):
        stop_prophylaxis(treated.scope, treated.patient, antiviral, stopped_on=date(2026, 1, 20))
    with pytest.raises(ReasonNeeded) as unsigned:
        stop_prophylaxis(treated.scope, treated.patient, antiviral, stopped_on=date(2026, 1, 20), given=Reasons("Rash"))
    assert unsigned.value.field == "decided_by"
    stop_prophylaxis(
        scope_for(cast.neurologist),
        treated.patient,
        antiviral,
        stopped_on=date(2026, 1, 20),
        given=Reasons("Rash"),
    )
    assert codes() == ["stopped_too_early"]
    assert row(antiviral).stop_reason == "Rash"


def test_it_is_stopped_once_and_the_second_person_is_told(treated):
    antiviral = begin(treated)
    add_cd4(treated, date(2026, 1, 12), 240)
    stop_prophylaxis(treated.scope, treated.patient, antiviral, stopped_on=date(2026, 1, 20))
    with pytest.raises(RuleViolation, match="already stopped on 20-Jan-2026, recorded by you"):
        stop_prophylaxis(treated.scope, treated.patient, antiviral, stopped_on=date(2026, 1, 21))


@pytest.mark.parametrize("on, code", [(date(2026, 1, 23), "future_date"), (date(2025, 10, 1), "stopped_before_start")])
def test_a_stop_in_the_future_or_before_the_start_is_refused(treated, on, code):
    antiviral = begin(treated)
    with pytest.raises(RuleViolation) as refused:
        stop_prophylaxis(treated.scope, treated.patient, antiviral, stopped_on=on, given=Reasons("x", "Dr. Rey"))
    assert refused.value.code == code


def test_a_start_on_another_day_than_the_first_of_the_course_needs_a_reason(treated):
    with pytest.raises(ReasonNeeded, match="first day of the course"):
        begin(treated, started_on=START + timedelta(days=1))


def test_two_antivirals_at_once_are_refused(treated):
    begin(treated)
    with pytest.raises(RuleViolation, match="Stop or correct it first"):
        begin(treated, drug="Valaciclovir")


def test_a_correction_replaces_it_and_withdraws_what_no_longer_applies(treated, cast, scope_for):
    late = ProphylaxisFacts(drug="Aciclovir", started_on=START + timedelta(days=1), course=treated.course)
    antiviral = start_prophylaxis(treated.scope, treated.patient, late, given=Reasons("Pharmacy closed"))
    assert codes() == ["not_on_first_day"]
    corrected = correct_prophylaxis(
        treated.scope, treated.patient, antiviral, replace(late, started_on=START), reason="Misread"
    )
    assert (row(antiviral).state, row(corrected).replaces_id) == ("corrected", row(antiviral).id)
    assert codes() == []


def test_one_entered_in_error_counts_for_nothing(treated):
    antiviral = begin(treated)
    withdraw_prophylaxis(treated.scope, treated.patient, antiviral, reason="Other patient")
    with pytest.raises(RuleViolation, match="already marked as entered in error by you"):
        withdraw_prophylaxis(treated.scope, treated.patient, antiviral, reason="Again")
    begin(treated)


def test_the_same_form_sent_twice_records_one(treated):
    facts = ProphylaxisFacts(drug="Aciclovir", started_on=START, course=treated.course)
    first = start_prophylaxis(treated.scope, treated.patient, facts, form_token="twice")
    assert start_prophylaxis(treated.scope, treated.patient, facts, form_token="twice") == first

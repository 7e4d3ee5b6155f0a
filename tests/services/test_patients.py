"""Registering patients, editing who they are, changing their prescriber."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from uuid import uuid4

import pytest

from clinic_tracker.domain.errors import NotFound, RuleViolation, StaleVersion
from clinic_tracker.domain.vocabulary import ExamKind, Sex
from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.schedule import Standing
from clinic_tracker.queries.scope import PermissionDenied, Scope
from clinic_tracker.services import patients
from clinic_tracker.services.patients import PatientDetails, change_prescriber, edit_patient, register_patient
from tests.factories import register
from tests.fixtures.people import Cast

ADA = PatientDetails(
    mrn="10233",
    family_name="Okafor",
    given_name="Ada",
    birth_date=date(1984, 3, 2),
    sex_at_birth=Sex.FEMALE,
    rems_patient_id="R-55012",
)
ScopeFor = Callable[..., Scope]


@pytest.fixture
def staff(cast: Cast, scope_for: ScopeFor) -> Scope:
    return scope_for(cast.staff)


def row(public_id) -> Patient:
    return db.session.query(Patient).filter_by(public_id=public_id).populate_existing().one()


def refusal(call: Callable[[], object]) -> RuleViolation:
    with pytest.raises(RuleViolation) as caught:
        call()
    return caught.value


def test_a_patient_is_registered_with_trimmed_details_and_the_protocol_of_the_clinic(staff: Scope):
    patient = row(register_patient(staff, replace(ADA, mrn=" 10233 ", family_name=" Okafor ", phone="  ")))
    assert (patient.mrn, patient.family_name, patient.phone) == ("10233", "Okafor", None)
    assert patient.protocol_id == "lemtrada-us"
    assert patient.has_cervix is None
    event = db.session.query(AuditEvent).filter_by(patient_id=patient.id).one()
    assert (event.action, event.user_id) == ("patient.registered", staff.user_id)


@pytest.mark.parametrize(
    "changes,code,field",
    [
        ({"mrn": "  "}, "missing", "mrn"),
        ({"family_name": ""}, "missing", "family_name"),
        ({"given_name": "x" * 201}, "too_long", "given_name"),
        ({"birth_date": date(2026, 1, 23)}, "born_in_future", "birth_date"),
        ({"birth_date": date(1899, 12, 31)}, "born_too_early", "birth_date"),
        ({"prescriber": uuid4()}, "unknown_prescriber", "prescriber"),
    ],
)
def test_details_that_cannot_be_are_refused_and_nothing_is_stored(staff: Scope, changes, code, field):
    violation = refusal(lambda: register_patient(staff, replace(ADA, **changes)))
    assert (violation.code, violation.field) == (code, field)
    assert db.session.query(Patient).count() == 0


@pytest.mark.parametrize("number", ["mrn", "rems_patient_id"])
def test_a_number_is_unique_in_the_clinic_whatever_the_case_of_its_letters(staff: Scope, number):
    register_patient(staff, replace(ADA, **{number: "ab-7"}))
    other = replace(ADA, mrn="2", rems_patient_id="R-2", family_name="Bauer", given_name="Uwe")
    violation = refusal(lambda: register_patient(staff, replace(other, **{number: "AB-7"})))
    assert (violation.code, violation.field) == (f"{number}_taken", number)


@pytest.mark.parametrize("number", ["mrn", "rems_patient_id"])
def test_a_number_taken_in_the_same_moment_is_the_same_message(staff: Scope, monkeypatch, number):
    register_patient(staff, ADA)
    monkeypatch.setattr(patients, "_refuse_taken", lambda *_arguments: None)  # the other one was not there yet
    other = replace(ADA, mrn="2", rems_patient_id="R-2", family_name="Bauer", given_name="Uwe")
    taken = replace(other, **{number: getattr(ADA, number)})
    violation = refusal(lambda: register_patient(staff, taken, different_person=True))
    assert (violation.code, violation.field) == (f"{number}_taken", number)
    assert db.session.query(Patient).count() == 1


def test_two_clinics_may_use_the_same_numbers(staff: Scope, cast: Cast, scope_for: ScopeFor):
    register_patient(staff, ADA)
    assert register_patient(scope_for(cast.stranger), ADA)


def test_somebody_much_alike_has_to_be_confirmed_as_a_different_person(staff: Scope):
    register_patient(staff, ADA)
    alike = replace(ADA, mrn="10999", rems_patient_id=None, family_name="Okafer")
    violation = refusal(lambda: register_patient(staff, alike))
    assert (violation.code, violation.field) == ("possible_duplicate", "different_person")
    assert register_patient(staff, alike, different_person=True)


def test_the_same_form_sent_twice_opens_one_chart(staff: Scope):
    first = register_patient(staff, ADA, form_token="form-1")
    assert register_patient(staff, ADA, form_token="form-1") == first
    assert db.session.query(Patient).count() == 1


def test_an_inactive_prescriber_or_one_of_another_clinic_cannot_be_chosen(staff: Scope, cast: Cast):
    assert refusal(lambda: register_patient(staff, replace(ADA, prescriber=cast.other_prescriber.public_id))).code == (
        "unknown_prescriber"
    )
    cast.prescriber.is_active = False
    db.session.commit()
    violation = refusal(lambda: register_patient(staff, replace(ADA, prescriber=cast.prescriber.public_id)))
    assert violation.code == "inactive_prescriber"


@pytest.mark.parametrize("role", ["auditor"])
def test_an_auditor_cannot_register_or_edit(cast: Cast, scope_for: ScopeFor, staff: Scope, role):
    patient = register_patient(staff, ADA)
    auditor = scope_for(cast.person(role))
    with pytest.raises(PermissionDenied):
        register_patient(auditor, replace(ADA, mrn="2"))
    with pytest.raises(PermissionDenied):
        edit_patient(auditor, patient, ADA)
    with pytest.raises(PermissionDenied):
        change_prescriber(auditor, patient, cast.prescriber.public_id)


def test_an_edit_keeps_what_was_there_before_in_the_audit_trail(staff: Scope):
    patient = register_patient(staff, ADA)
    edit_patient(staff, patient, replace(ADA, phone="+1 555 0102"), row(patient).version)
    event = db.session.query(AuditEvent).filter_by(action="patient.edited").one()
    assert event.before["phone"] is None
    assert event.after["phone"] == "+1 555 0102"
    assert "mrn" not in event.after


def test_an_edit_that_changes_nothing_leaves_no_trace(staff: Scope):
    patient = register_patient(staff, ADA)
    edit_patient(staff, patient, ADA, row(patient).version)
    assert db.session.query(AuditEvent).filter_by(action="patient.edited").count() == 0


def test_the_second_of_two_editors_is_told_who_was_first_and_overwrites_nothing(
    staff: Scope, cast: Cast, scope_for: ScopeFor
):
    patient = register_patient(staff, ADA)
    opened_with = row(patient).version
    edit_patient(staff, patient, replace(ADA, phone="111"), opened_with)
    with pytest.raises(StaleVersion) as caught:
        edit_patient(scope_for(cast.neurologist), patient, replace(ADA, phone="222"), opened_with)
    assert caught.value.changed_by == "Nia Brandt"
    assert caught.value.changed_at == "22-Jan-2026 10:30"
    assert row(patient).phone == "111"


def test_a_birth_date_after_something_on_record_is_refused(staff: Scope):
    chart = register(staff, birth_date=date(1990, 5, 5)).exam(ExamKind.SKIN_EXAM, date(2020, 1, 7))
    details = PatientDetails("1", "Oster", "Ida", date(2021, 1, 1), Sex.FEMALE)
    violation = refusal(lambda: edit_patient(staff, chart.id, details))
    assert (violation.code, violation.field) == ("born_after_fact", "birth_date")


def test_a_patient_of_another_clinic_is_not_found(staff: Scope, cast: Cast, scope_for: ScopeFor):
    patient = register_patient(staff, ADA)
    stranger = scope_for(cast.stranger)
    with pytest.raises(NotFound):
        edit_patient(stranger, patient, ADA)
    with pytest.raises(NotFound):
        change_prescriber(stranger, patient, cast.other_prescriber.public_id)


@pytest.mark.parametrize("has_cervix,owed", [(None, True), (True, True), (False, False)])
def test_the_hpv_screen_follows_the_cervix_and_not_the_sex(staff: Scope, cast: Cast, has_cervix, owed):
    chart = register(staff).enroll(cast.prescriber, date(2025, 5, 1)).infuse(date(2025, 6, 2))
    patient = chart.row
    details = PatientDetails(
        patient.mrn, patient.family_name, patient.given_name, patient.birth_date, Sex.FEMALE, has_cervix=has_cervix
    )
    edit_patient(staff, chart.id, details)
    screens = db.session.query(Standing).filter_by(patient_id=patient.id, requirement="hpv_screen").count()
    assert bool(screens) is owed


def test_a_new_prescriber_is_recorded_with_the_reason(staff: Scope, cast: Cast):
    patient = register_patient(staff, ADA)
    change_prescriber(staff, patient, cast.prescriber.public_id, reason="Dr. Lund retired")
    assert row(patient).prescriber_id == cast.prescriber.id
    assert db.session.query(AuditEvent).filter_by(action="patient.edited").one().reason == "Dr. Lund retired"
    again = refusal(lambda: change_prescriber(staff, patient, cast.prescriber.public_id))
    assert again.code == "same_prescriber"


def test_a_chart_may_keep_its_prescriber_who_is_no_longer_active(staff: Scope, cast: Cast):
    patient = register_patient(staff, replace(ADA, prescriber=cast.prescriber.public_id))
    cast.prescriber.is_active = False
    db.session.commit()
    edit_patient(staff, patient, replace(ADA, prescriber=cast.prescriber.public_id, phone="5"))
    assert row(patient).prescriber_id == cast.prescriber.id

"""A patient whose first result came before the chart: registered from what the message says, and matched by it."""

import uuid

import pytest

from clinic_tracker.domain.messages import Identifier, Identity
from clinic_tracker.domain.vocabulary import Sex
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.services.inbound_resolve import dismiss_result
from tests.factories import register
from tests.inbound import add_source, message, report, reports_of, results, send

QUIST = {"family_name": "QUIST", "given_name": "ADA MAE", "sex": Sex.FEMALE}


@pytest.fixture
def scope(scope_for, cast):
    return scope_for(cast.staff)


@pytest.fixture
def lab(scope):
    return add_source(scope)


@pytest.fixture
def staff(page, cast):
    return page.sign_in(cast.staff)


def waiting(scope, lab, **values):
    """A result of somebody who has no chart; its address of registering."""
    numbers = (Identifier("M-77", "NORTHSIDE", "MR"), Identifier("L-9", "CITY", "PI"))
    identity = Identity(**{"identifiers": numbers, "birth_date": scope.today.replace(year=1984), **QUIST, **values})
    send(scope, lab, message(identity, report("tsh")), message(identity, report("alt"), position=1))
    return f"/patients/new?result={results()[0].public_id}"


def test_the_form_begins_with_what_the_message_says_and_no_name_is_in_an_address(staff, scope, lab):
    address = waiting(scope, lab)
    page = staff.get(f"/results/unmatched/{results()[0].public_id}")
    assert page.links()["Register a new patient"] == address
    fields = staff.get(address).fields()
    assert (fields["family_name"], fields["given_name"], fields["mrn"]) == ("Quist", "Ada Mae", "M-77")
    assert fields["sex_at_birth"] == "female"
    assert "1984" in str(fields)


def test_once_registered_the_results_are_on_the_new_chart(staff, scope, lab):
    address = waiting(scope, lab)
    form = staff.get(address)
    check = staff.post(form.form().get("action"), {**form.fields(), "family_name": "Quist-Rey"}, status=200)
    assert "Quist-Rey" in check.words
    sent = {**check.fields(), "step": "confirm"}
    staff.post(check.form().get("action"), sent)
    assert "is on this chart" in staff.follow().text
    chart = db.session.query(Patient).filter_by(family_name="Quist-Rey").one()
    assert len(reports_of(chart)) == 2
    assert {row.state for row in results()} == {"recorded"}
    staff.post(check.form().get("action"), sent)
    assert db.session.query(Patient).filter_by(family_name="Quist-Rey").count() == 1


def test_of_two_record_numbers_none_is_chosen(staff, scope, lab):
    numbers = (Identifier("M-77", "NORTHSIDE", "MR"), Identifier("M-78", "ELSEWHERE", "MR"))
    fields = staff.get(waiting(scope, lab, identifiers=numbers, birth_date=None, sex=Sex.UNKNOWN)).fields()
    assert fields["mrn"] == ""
    assert "sex_at_birth" not in fields


def test_a_result_that_is_settled_or_of_another_clinic_fills_nothing_in(staff, scope, lab, page, cast):
    address = waiting(scope, lab)
    page.sign_in(cast.stranger)
    assert page.get(address).fields()["family_name"] == ""
    page.sign_in(cast.staff)
    dismiss_result(scope, results()[0].public_id, reason="A test of the line")
    assert page.get(address).fields()["family_name"] == ""
    assert page.get(f"/patients/new?result={uuid.uuid4()}").fields()["family_name"] == ""
    assert page.get("/patients/new?result=x").fields()["family_name"] == ""


def test_a_chart_much_alike_is_shown_before_and_the_result_still_goes_along(staff, scope, lab):
    register(scope, family_name="Quist", given_name="Ada", birth_date=scope.today.replace(year=1984))
    form = staff.get(waiting(scope, lab, sex=Sex.MALE))
    check = staff.post(form.form().get("action"), {**form.fields(), "mrn": "M-90"}, status=200)
    assert "much alike" in check.words
    staff.post(check.form().get("action"), {**check.fields(), "step": "confirm", "different_person": "y"})
    assert len(reports_of(db.session.query(Patient).filter_by(mrn="M-90").one())) == 2

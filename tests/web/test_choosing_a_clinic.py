"""Somebody who works in two clinics: what was begun in the one is never recorded in the other."""

from clinic_tracker.domain.vocabulary import Role
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.services.people import invite

ANSWERS = {
    "mrn": "4711",
    "family_name": "Okafor",
    "given_name": "Ada",
    "birth_date": "14-Jul-1984",
    "sex_at_birth": "female",
    "step": "confirm",
}


def test_a_form_that_was_opened_in_one_clinic_is_not_taken_in_another(page, cast, scope_for, clock):
    southside = scope_for(cast.stranger, permissions=scope_for(cast.administrator).permissions)
    invite(southside, email=cast.staff.email, name=cast.staff.name, role=Role.STAFF)
    page.sign_in(cast.staff)
    opened = page.get("/patients/new").fields("/patients/new")

    page.submit("/clinic", action="/clinic", clinic="southside")
    refused = page.post("/patients/new", {**opened, **ANSWERS}, status=400)

    assert refused.h1 == "This form has expired"
    assert db.session.query(Patient).count() == 0
    page.post("/patients/new", {**page.get("/patients/new").fields("/patients/new"), **ANSWERS})
    assert db.session.query(Patient).one().clinic_id == cast.southside.id

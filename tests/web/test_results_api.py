"""POST /api/v1/results: systems sign in by token, and are answered after the commit."""

import json
from datetime import timedelta

import pytest
from flask import g

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.vocabulary import InboundKind
from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import ApiToken, InboundMessage
from clinic_tracker.services.inbound_sources import add_source, create_token, edit_source, revoke_token
from tests.factories import register
from tests.inbound import reports_of
from tests.inbound_texts import bundle, oru

HL7, FHIR = "application/hl7-v2", "application/fhir+json"


@pytest.fixture
def scope(scope_for, cast):
    return scope_for(cast.administrator)


@pytest.fixture
def lab(scope):
    return add_source(scope, "City Lab", InboundKind.HL7)


@pytest.fixture
def token(scope, lab):
    return create_token(scope, lab, "City Lab interface")


@pytest.fixture
def patient(scope_for, cast):
    return register(scope_for(cast.staff)).row


def post(client, body, secret, content_type=HL7):
    g.pop("visitor", None)  # the tests keep one application context, and the clock is read once in each
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    return client.post("/api/v1/results", data=body, content_type=content_type, headers=headers)


def test_a_message_is_recorded_and_acknowledged(client, token, patient):
    answer = post(client, oru(patient), token.secret)
    assert answer.status_code == 200
    assert answer.content_type.startswith(HL7)
    assert b"MSA|AA|M1" in answer.data
    (row,) = reports_of(patient)
    assert (row.panel, row.is_complete) == ("cbc_diff", True)
    event = db.session.query(AuditEvent).filter_by(action="lab_report.recorded").one()
    assert (event.user_id, event.system_actor) == (None, "token: City Lab interface")


def test_the_same_message_again_is_answered_the_same_and_recorded_once(client, token, patient):
    first, second = (post(client, oru(patient), token.secret) for _ in range(2))
    assert first.data.split(b"\r")[1:] == second.data.split(b"\r")[1:]
    assert len(reports_of(patient, None)) == 1
    assert db.session.query(InboundMessage).count() == 1


@pytest.mark.parametrize("secret", [None, "wrong", "ctr_" + "x" * 43])
def test_without_a_good_token_nothing_is_taken(client, token, patient, secret):
    answer = post(client, oru(patient), secret)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert reports_of(patient) == []


def test_a_token_that_expired_or_was_revoked_opens_nothing(client, clock, scope, lab, token, patient):
    short = create_token(scope, lab, "short", expires_on=scope.today)
    assert post(client, oru(patient), short.secret).status_code == 200
    clock.forward(days=1)
    assert post(client, oru(patient), short.secret).status_code == 401
    revoke_token(scope, token.public_id)
    assert post(client, oru(patient), token.secret).status_code == 401


def test_a_source_out_of_use_is_forbidden(client, scope, lab, token, patient):
    edit_source(scope, lab, is_active=False)
    assert post(client, oru(patient), token.secret).status_code == 403
    assert reports_of(patient) == []


def test_only_the_hash_is_kept_and_the_use_is_noted(client, clock, token, patient):
    clock.forward(minutes=5)
    post(client, oru(patient), token.secret)
    row = db.session.query(ApiToken).populate_existing().one()
    assert token.secret not in row.token_hash
    assert row.last_used_at == clock.now


def test_another_format_than_the_source_sends_is_refused(client, token):
    answer = post(client, b"{}", token.secret, FHIR)
    assert answer.status_code == 415
    assert answer.json["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("body", [b"", b"nothing of the kind", b"MSH|^~\\&|"])
def test_what_cannot_be_read_is_told_in_the_format_that_was_sent(client, token, body):
    answer = post(client, body, token.secret)
    assert answer.status_code == 422
    assert b"MSA|A" in answer.data
    assert b"MSA|AA" not in answer.data


def test_too_much_is_refused(app, client, token, monkeypatch):
    monkeypatch.setitem(app.config, "MAX_CONTENT_LENGTH", 100)
    answer = post(client, b"x" * 200, token.secret)
    assert answer.status_code == 413
    assert b"MSA|A" in answer.data


def test_a_bundle_is_answered_entry_by_entry(client, scope, patient):
    source = add_source(scope, "Hospital", InboundKind.FHIR)
    secret = create_token(scope, source, "Hospital").secret
    answer = post(client, json.dumps(bundle(patient)), secret, FHIR)
    assert answer.status_code == 200, answer.data
    assert answer.json["type"] == "transaction-response"
    assert [row.panel for row in reports_of(patient)] == ["creatinine"]


def test_a_token_of_one_clinic_reaches_no_other(client, scope_for, cast, patient):
    theirs = scope_for(cast.stranger, permissions=scope_for(cast.administrator).permissions)
    secret = create_token(theirs, add_source(theirs, "City Lab", InboundKind.HL7), "theirs").secret
    assert post(client, oru(patient), secret).status_code == 200
    assert reports_of(patient) == []


def test_a_session_is_no_token(app, cast, page):
    page.sign_in(cast.staff)
    assert page.request("POST", "/api/v1/results").status == 401


def test_an_expiry_in_the_past_is_refused(scope, lab):
    with pytest.raises(RuleViolation):
        create_token(scope, lab, "late", expires_on=scope.today - timedelta(days=1))

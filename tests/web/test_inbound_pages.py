"""Results of laboratories as pages: sources, uploads, messages, the unmatched, the not understood, orders."""

import io
import uuid
from datetime import timedelta

import pytest

from clinic_tracker.domain.messages import Coded, Identifier, Identity, Observed
from clinic_tracker.domain.vocabulary import InboundKind, Sex
from clinic_tracker.models.audit import AccessEvent, AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import ApiToken, InboundMessage, InboundSource, LocalCode
from clinic_tracker.services.inbound_sources import add_source
from tests.factories import register
from tests.inbound import CBC, identity_of, line, message, report, reports_of, results, send
from tests.inbound import add_source as lab_of
from tests.inbound_texts import oru


@pytest.fixture
def scope(scope_for, cast):
    return scope_for(cast.staff)


@pytest.fixture
def patient(scope):
    return register(scope).row


@pytest.fixture
def lab(scope):
    return lab_of(scope)


@pytest.fixture
def staff(page, cast):
    return page.sign_in(cast.staff)


@pytest.fixture
def office(page, cast):
    return page.sign_in(cast.administrator)


def doubtful(patient):
    """The patient with another birth date and a number that nobody knows."""
    numbers = (Identifier("L-778", "CITY", "PI"),)
    return identity_of(patient, identifiers=numbers, birth_date=patient.birth_date + timedelta(days=1))


def unknown(code="PLTX", unit="10*3/uL", value="212"):
    """A line with a code of the laboratory's own."""
    return Observed((Coded(code, "L", "Plt count auto"),), value, unit)


def wait_unmatched(scope, lab, patient):
    send(scope, lab, message(doubtful(patient), report(*CBC)))
    return results()[-1]


def wait_unread(scope, lab, patient, *lines):
    send(scope, lab, message(patient, report("wbc", *(lines or (unknown(),)))))
    return results()[-1]


def uploaded(*raws):
    return [(io.BytesIO(raw), f"results{number}.hl7") for number, raw in enumerate(raws)]


# Sources and tokens


def test_an_administrator_adds_renames_and_retires_a_source(office):
    assert "No source yet" in office.get("/admin/sources").words
    office.submit("/admin/sources/new", name="City Lab", kind="hl7")
    row = db.session.query(InboundSource).one()
    office.submit(f"/admin/sources/{row.public_id}", name="City Laboratory")
    office.post(f"/admin/sources/{row.public_id}/retire")
    assert office.get("/admin/sources").rows()[0][:3] == ["City Laboratory", "HL7 v2 messages", "No longer in use"]
    office.post(f"/admin/sources/{row.public_id}/reactivate")
    assert office.get("/admin/sources").rows()[0][2] == "In use"


def test_a_name_that_is_taken_adds_nothing_and_keeps_what_was_typed(office, lab):
    answer = office.submit("/admin/sources/new", status=400, name="City Lab", kind="hl7")
    assert answer.errors == ["There is a source called “City Lab” already."]
    assert answer.fields()["name"] == "City Lab"
    assert db.session.query(InboundSource).count() == 1
    assert office.submit("/admin/sources/new", status=400, name=" ", kind=None).errors


def test_a_token_is_shown_once_and_a_form_sent_twice_makes_one(office, lab):
    address = f"/admin/sources/{lab.public_id}/tokens/new"
    sent = {**office.get(address).fields(), "name": "Interface"}
    shown = office.post(address, sent, status=200)
    secret = shown.one("input", id="secret").get("value")
    assert secret.startswith("ctr_")
    assert "secret" not in shown.title
    assert shown.response.headers["Cache-Control"] == "no-store"
    assert secret not in office.get("/admin/sources").text
    assert "There is a token of that name" in office.post(address, sent, status=400).errors[0]
    assert db.session.query(ApiToken).count() == 1


def test_a_new_token_is_in_no_cookie_and_nowhere_in_the_database(office, lab, app):
    shown = office.submit(f"/admin/sources/{lab.public_id}/tokens/new", 200, name="Interface")
    secret = shown.one("input", id="secret").get("value")
    serializer = app.session_interface.get_signing_serializer(app)
    for cookie in office.client._cookies.values():
        said = serializer.loads(cookie.value) if cookie.key == app.config["SESSION_COOKIE_NAME"] else cookie.value
        assert secret not in str(said)
    assert secret not in str(db.session.query(ApiToken.token_hash, ApiToken.name).all())
    assert secret not in str([event.after for event in db.session.query(AuditEvent)])


def test_a_token_is_revoked(office, lab):
    office.submit(f"/admin/sources/{lab.public_id}/tokens/new", 200, name="Interface")
    token = db.session.query(ApiToken).one()
    office.post(f"/admin/tokens/{token.public_id}/revoke")
    assert "revoked" in office.get("/admin/sources").rows(1)[0][3]


def test_sources_are_for_administrators(staff, lab):
    staff.get("/admin/sources", status=403)
    staff.get("/admin/sources/new", status=403)


# Uploads and messages


def test_an_uploaded_message_is_recorded_and_told(staff, lab, patient):
    staff.submit("/results/upload", files=uploaded(oru(patient)))
    answer = staff.follow()
    assert answer.rows()[0][1] == "recorded"
    assert patient.family_name.upper() in answer.words
    assert len(reports_of(patient)) == 1
    assert db.session.query(AccessEvent).filter_by(endpoint="inbound.received").count() == 1


def test_the_same_file_again_records_nothing_twice(staff, lab, patient):
    for _ in range(2):
        staff.submit("/results/upload", files=uploaded(oru(patient)))
    assert "Received before" in staff.follow().words
    assert db.session.query(InboundMessage).count() == 1
    assert len(reports_of(patient, None)) == 1


def test_several_files_are_told_one_by_one(staff, lab, patient):
    staff.submit("/results/upload", files=uploaded(oru(patient), b"nothing of the kind"))
    rows = staff.follow().rows()
    assert [row[2] for row in rows] == ["done", "refused"]


def test_bad_uploads_say_why(staff, lab, monkeypatch):
    assert staff.submit("/results/upload", status=400).errors == ["Choose at least one file"]
    assert "empty" in staff.submit("/results/upload", status=400, files=uploaded(b"  ")).errors[0]
    monkeypatch.setattr("clinic_tracker.web.inbound.upload_views.MOST_BYTES", 10)
    assert "larger" in staff.submit("/results/upload", status=400, files=uploaded(b"x" * 11)).errors[0]
    assert db.session.query(InboundMessage).count() == 0
    unknown_source = {"source": str(uuid.uuid4()), "files": uploaded(b"MSH")}
    assert staff.submit("/results/upload", status=400, **unknown_source).errors


def test_without_a_source_an_upload_says_what_comes_first(staff):
    assert "No source sends messages" in staff.get("/results/upload").words


def test_messages_are_listed_with_filters(staff, lab, patient, scope):
    assert "Nothing was received yet" in staff.get("/results/messages").words
    staff.submit("/results/upload", files=uploaded(oru(patient)))
    assert len(staff.get("/results/messages").rows()) == 1
    assert len(staff.get(f"/results/messages?source={lab.public_id}&state=done").rows()) == 1
    assert "Nothing of that kind" in staff.get("/results/messages?state=refused").words
    assert "Nothing of that kind" in staff.get("/results/messages?until=1-Jan-2020").words
    assert "not a date" in staff.get("/results/messages?until=soon").words


def test_messages_are_paged(staff, lab, scope, monkeypatch):
    monkeypatch.setattr("clinic_tracker.web.inbound.message_views.PAGE", 2)
    for _ in range(3):
        send(scope, lab)
    first = staff.get("/results/messages")
    assert len(first.rows()) == 2
    assert len(staff.get(first.one("a", rel="next").get("href")).rows()) == 1


def test_a_long_message_shows_first_what_waits_and_is_paged(staff, lab, scope, patient, monkeypatch):
    monkeypatch.setattr("clinic_tracker.web.inbound.message_views.MOST_SHOWN", 2)
    send(scope, lab, message(patient, report("tsh"), report("creatinine"), report("wbc", unknown())))
    where = f"/results/messages/{db.session.query(InboundMessage).one().public_id}"
    first = staff.get(where)
    assert [row[1] for row in first.rows()] == ["not understood", "recorded"]
    assert len(staff.get(first.one("a", rel="next").get("href")).rows()) == 1


def test_the_message_as_received_is_for_administrators_and_noted(page, cast, lab, scope, patient):
    page.sign_in(cast.staff).submit("/results/upload", files=uploaded(oru(patient)))
    row = db.session.query(InboundMessage).one()
    page.get(f"/admin/messages/{row.public_id}/raw", status=403)
    answer = page.sign_in(cast.administrator).get(f"/admin/messages/{row.public_id}/raw")
    assert "PID|1||" in answer.words
    assert db.session.query(AuditEvent).filter_by(action="data.exported").count() == 1
    assert db.session.query(AccessEvent).filter_by(endpoint="inbound.raw").count() == 1


def test_a_message_is_worked_off_again_without_doubling(staff, lab, scope, patient):
    row = wait_unread(scope, lab, patient)
    where = f"/results/messages/{db.session.query(InboundMessage).one().public_id}"
    assert "Work off again" in staff.get(where).words
    staff.post(f"{where}/replay")
    assert [one.id for one in results()] == [row.id]
    assert len(reports_of(patient)) == 1


# Unmatched


def test_an_unmatched_result_is_compared_chosen_and_remembered(staff, lab, scope, patient):
    row = wait_unmatched(scope, lab, patient)
    listed = staff.get("/results/unmatched")
    assert len(listed.rows()) == 1
    answer = staff.get(f"/results/unmatched/{row.public_id}")
    verdicts = {cells[0]: cells[-1] for cells in answer.rows()}
    assert "✓ agrees" in verdicts["Family name"]
    assert "✗ differs" in verdicts["Date of birth"]
    choose = f"/results/unmatched/{row.public_id}/charts/{patient.public_id}"
    assert "One of the details differs" in staff.get(choose).words
    staff.submit(choose, learn="1")
    assert len(reports_of(patient)) == 1
    assert results()[0].matched_how == "person"
    send(scope, lab, message(doubtful(patient), report("alt", "ast", "bilirubin_total")))
    assert (results()[-1].state, results()[-1].matched_how) == ("recorded", "identifier")


def test_who_was_shown_beside_a_message_is_logged(staff, lab, scope, patient):
    row = wait_unmatched(scope, lab, patient)
    staff.get(f"/results/unmatched/{row.public_id}")
    event = db.session.query(AccessEvent).filter_by(endpoint="inbound.unmatched_result").one()
    assert event.patient_ids == [patient.id]


def test_a_choice_sent_twice_changes_nothing_more(staff, lab, scope, patient):
    row = wait_unmatched(scope, lab, patient)
    choose = f"/results/unmatched/{row.public_id}/charts/{patient.public_id}"
    staff.submit(choose)
    staff.post(choose, {})
    assert "Somebody has decided" in staff.follow().words
    assert len(reports_of(patient, None)) == 1


def test_another_patient_is_searched_and_no_name_stands_in_an_address(staff, lab, scope, patient):
    nobody = Identity((Identifier("9", "X", "PI"),), "Nobody", "At All", patient.birth_date, Sex.MALE)
    send(scope, lab, message(nobody, report(*CBC)))
    where = f"/results/unmatched/{results()[0].public_id}"
    assert "No chart is like it" in staff.get(where).words
    answer = staff.submit(where, status=200, query=patient.family_name)
    assert patient.family_name.upper() in answer.words
    assert "No chart found" in staff.submit(where, status=200, query="zzzz").words


def test_an_unmatched_result_is_dismissed_with_a_reason(staff, lab, scope, patient):
    row = wait_unmatched(scope, lab, patient)
    where = f"/results/received/{row.public_id}/dismiss"
    assert staff.submit(where, status=400, reason=" ").errors == ["Give the reason"]
    staff.submit(where, reason="Not a patient of this clinic")
    assert "Every result has its chart" in staff.get("/results/unmatched").words
    staff.post(where, {"reason": "again"})
    assert results()[0].closed_reason == "Not a patient of this clinic"


def test_a_wrong_match_is_undone_from_the_report(staff, lab, scope, patient):
    send(scope, lab, message(patient, report(*CBC)))
    (row,) = reports_of(patient)
    links = staff.get(f"/patients/{patient.public_id}/results/{row.public_id}").links()
    undo = links["Not this patient’s: undo the match"]
    assert staff.submit(undo, status=400, reason="").errors == ["Give the reason"]
    staff.submit(undo, reason="Two people of one name")
    assert reports_of(patient) == []
    assert results()[0].state == "unmatched"
    staff.post(undo, {"reason": "again"})
    assert "Somebody has decided" in staff.follow().words


# Not understood


def test_an_unknown_code_is_grouped_mapped_once_and_read_anew(staff, lab, scope, patient):
    wait_unread(scope, lab, patient)
    row = wait_unread(scope, lab, patient, unknown(value="198"))
    answer = staff.get("/results/not-understood")
    assert answer.rows()[0][3] == "2"
    assert "212 10*3/uL; 198 10*3/uL" in answer.rows()[0][4]
    where = f"/results/not-understood/{row.public_id}/0"
    shown = staff.get(where)
    assert "2 results of 1 patient" in shown.words
    assert staff.submit(where, status=400, target="").errors == ["Choose what it means"]
    staff.submit(where, target="analyte:platelets")
    assert "Everything was understood" in staff.get("/results/not-understood").words
    assert {one.state for one in results()} == {"recorded"}
    staff.post(where, {"target": "analyte:platelets"})
    assert db.session.query(LocalCode).count() == 1
    assert "Platelet" in staff.get("/results/codes").rows()[0][3]


def test_a_mapping_is_withdrawn_with_what_followed(staff, lab, scope, patient):
    row = wait_unread(scope, lab, patient)
    staff.submit(f"/results/not-understood/{row.public_id}/0", target="ignored:")
    code = db.session.query(LocalCode).one().public_id
    staff.post(f"/results/codes/{code}/withdraw")
    assert results()[0].state == "not_understood"
    staff.post(f"/results/codes/{code}/withdraw")
    assert "No code was mapped" in staff.get("/results/codes").words


def test_an_unknown_unit_is_mapped_to_a_unit(staff, lab, scope, patient):
    row = wait_unread(scope, lab, patient, line("platelets", unit="thou/mcl-x"))
    staff.submit(f"/results/not-understood/{row.public_id}/0", target="unit:10*3/uL")
    assert results()[0].state == "recorded"


def test_what_no_mapping_explains_is_listed_by_itself(staff, lab, scope, patient):
    row = wait_unread(scope, lab, patient, line("platelets", "a lot"))
    assert "is not understood" in staff.get(f"/patients/{patient.public_id}/results").words
    answer = staff.get("/results/not-understood")
    assert "Results that no mapping explains" in answer.words
    assert "a lot" in staff.get(f"/results/not-understood/{row.public_id}").words
    staff.submit(f"/results/received/{row.public_id}/dismiss", reason="Repeated by phone")
    assert "Everything was understood" in staff.get("/results/not-understood").words


# Other clinics


def test_nothing_of_another_clinic_is_there(page, cast, scope, lab, patient):
    wait_unmatched(scope, lab, patient)
    row = wait_unread(scope, lab, patient)
    sent = db.session.query(InboundMessage).first().public_id
    page.sign_in(cast.stranger)
    for where in (
        f"/results/messages/{sent}",
        f"/results/unmatched/{results()[0].public_id}",
        f"/results/not-understood/{row.public_id}",
        f"/results/not-understood/{row.public_id}/0",
        f"/results/received/{row.public_id}/undo",
        f"/results/received/{row.public_id}/dismiss",
    ):
        assert page.request("GET", where).status in {403, 404}, where
    assert "Every result has its chart" in page.get("/results/unmatched").words


def test_a_source_of_another_clinic_is_not_found(office, scope_for, cast):
    theirs = lab_of(scope_for(cast.stranger))
    office.get(f"/admin/sources/{theirs.public_id}", status=404)
    assert add_source(scope_for(cast.administrator), "City Lab", InboundKind.HL7)


def test_today_counts_what_waits(staff, lab, scope, patient):
    assert "Unmatched results" not in staff.get("/today").words
    wait_unmatched(scope, lab, patient)
    wait_unread(scope, lab, patient)
    day = (scope.today - timedelta(days=4)).strftime("%d-%b-%Y")
    staff.submit(f"/patients/{patient.public_id}/orders/new", panels=["tsh"], ordered_on=day, collected_on=day)
    told = staff.get("/today").words
    for words in ("Unmatched results 1", "Results not understood 1", "No result back 1 oldest collected 4 d ago"):
        assert words in told
    assert "No result back (1)" in staff.get("/worklists").words

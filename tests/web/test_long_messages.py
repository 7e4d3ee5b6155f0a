"""Messages of thousands of reports: a page reads what it shows, counts what is there now, and logs whom it showed."""

import io

import pytest

from clinic_tracker.domain.messages import Coded, Observed
from clinic_tracker.models.audit import AccessEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import InboundMessage
from clinic_tracker.services import inbound_ingest
from tests.factories import register
from tests.inbound import add_source, identity_of, message, report, reports_of, results, send
from tests.inbound_texts import oru

VIEWS = "clinic_tracker.web.inbound.message_views"


@pytest.fixture
def scope(scope_for, cast):
    return scope_for(cast.staff)


@pytest.fixture
def people(scope):
    return [register(scope, family_name=name).row for name in ("Quist", "Rowan", "Sayles")]


@pytest.fixture
def lab(scope):
    return add_source(scope)


@pytest.fixture
def staff(page, cast, lab):
    return page.sign_in(cast.staff)


def address():
    return f"/results/messages/{db.session.query(InboundMessage).one().public_id}"


def logged(endpoint):
    return [set(row.patient_ids) for row in db.session.query(AccessEvent).filter_by(endpoint=endpoint)]


def test_a_page_of_a_message_reads_and_logs_what_it_shows(staff, scope, lab, people, monkeypatch):
    monkeypatch.setattr(f"{VIEWS}.MOST_SHOWN", 2)
    send(scope, lab, *(message(one, report("tsh"), position=place) for place, one in enumerate(people)))
    page = staff.get(address())
    assert "1 to 2 of 3 reports" in page.words
    assert len(page.rows()) == 2
    rest = staff.get(page.one("a", rel="next").get("href"))
    assert [len(rest.rows()), "rel" in rest.one("a", rel="prev").attrib] == [1, True]
    assert logged("inbound.received") == [{people[0].id, people[1].id}, {people[2].id}]
    assert len(staff.get(f"{address()}?begin=999999").rows()) == 2


def test_how_many_became_what_is_told_as_it_is_now(staff, scope, lab, people):
    someone = identity_of(people[0], identifiers=())
    wrong = identity_of(people[1], identifiers=(), given_name="Nobody")
    send(scope, lab, message(someone, report("tsh")), message(wrong, report("alt"), position=1))
    assert "1 unmatched" in staff.get(address()).words
    staff.submit(f"/results/unmatched/{results()[-1].public_id}/charts/{people[1].public_id}")
    assert {row[1] for row in staff.get(address()).rows()} == {"recorded"}
    assert "2 recorded" in staff.get(address()).words
    assert staff.get("/results/messages").rows()[0][3] == "2 recorded"


def test_whose_results_the_shown_part_of_the_bytes_holds_is_noted(page, cast, scope, lab, people, monkeypatch):
    page.sign_in(cast.staff)
    texts = [oru(one, control=f"M{one.id}", filler=f"F{one.id}") for one in people]
    sent = {"files": [(io.BytesIO(b"".join(texts)), "all.hl7")]}
    page.submit("/results/upload", **sent)
    assert [len(reports_of(one)) for one in people] == [1, 1, 1]
    page.sign_in(cast.administrator)
    where = f"/admin{address().removeprefix('/results')}/raw"
    page.get(where)
    monkeypatch.setattr(f"{VIEWS}.MOST_RAW", len(texts[0]))
    page.get(where)
    assert logged("inbound.raw") == [{one.id for one in people}, {people[0].id}]


def test_reading_a_long_message_again_is_done_in_turns(staff, scope, lab, people, monkeypatch):
    monkeypatch.setattr("clinic_tracker.services.inbound_refile.AT_ONCE", 2)
    unknown = Observed((Coded("PLTX", "L", "Plt count auto"),), "212", "10*3/uL")
    send(scope, lab, *(message(one, report(unknown), position=place) for place, one in enumerate(people)))
    assert {row.state for row in results()} == {"not_understood"}
    staff.post(f"{address()}/replay")
    assert "0 changed" in staff.follow().words


def test_an_upload_is_recorded_in_turns_so_that_others_write_in_between(staff, people, monkeypatch):
    monkeypatch.setattr("clinic_tracker.web.inbound.upload_views.AT_ONCE", 1)
    told = []
    record = inbound_ingest._record
    monkeypatch.setattr(inbound_ingest, "_record", lambda *given: told.append(len(given[-1])) or record(*given))
    texts = [oru(one, control=f"M{one.id}", filler=f"F{one.id}") for one in people]
    staff.submit("/results/upload", files=[(io.BytesIO(b"".join(texts)), "all.hl7")])
    assert told == [1, 1, 1]
    assert {row.state for row in results()} == {"recorded"}

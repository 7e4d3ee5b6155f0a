"""Whatever goes wrong with one message, the rest of the file is recorded, and the log names nobody."""

import pytest
from sqlalchemy.exc import OperationalError

from clinic_tracker.domain.lab_reading import LabReader
from clinic_tracker.domain.vocabulary import InboundKind
from clinic_tracker.integrations import hl7v2, inbox
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import InboundMessage
from clinic_tracker.services import inbound_chunk
from clinic_tracker.services.inbound import store
from clinic_tracker.services.inbound_ingest import ingest, rehearse
from tests.factories import register
from tests.inbound import CBC, add_source, message, report, reports_of, results, send
from tests.inbound_texts import oru

SECRET = "Ottilie"


@pytest.fixture
def scope(scope_for, cast):
    return scope_for(cast.staff)


@pytest.fixture
def source(scope):
    return add_source(scope)


@pytest.fixture
def patients(scope):
    return [register(scope, given_name=SECRET).row for _ in range(7)]


@pytest.fixture
def stumbling(monkeypatch):
    """A reader that stumbles over every report whose number begins with BAD."""
    usual = LabReader.understand

    def understand(self, report, sex):
        if report.key.startswith("BAD"):
            raise KeyError(SECRET)
        return usual(self, report, sex)

    monkeypatch.setattr(LabReader, "understand", understand)


def sent_to(patients, bad=(3,)):
    return [
        message(patient, report(*CBC, key=f"{'BAD' if place in bad else 'F'}{place}"), position=place)
        for place, patient in enumerate(patients)
    ]


def states():
    return [row.state for row in results()]


@pytest.mark.parametrize("bad", [(0,), (3,), (6,), (2, 3, 5)])
def test_a_message_that_upsets_the_program_is_refused_and_the_others_are_recorded(
    scope, source, patients, stumbling, caplog, bad
):
    done = send(scope, source, *sent_to(patients, bad))
    expected = ["refused" if place in bad else "recorded" for place in range(7)]
    assert states() == expected
    assert [outcome.taken for outcome in done.outcomes] == [state == "recorded" for state in expected]
    assert done.counts == {"recorded": 7 - len(bad), "refused": len(bad)}
    assert [len(reports_of(patient)) for patient in patients] == [state == "recorded" for state in expected]
    assert "cannot be recorded" in results()[bad[0]].problems[0]["message"]


def test_the_log_tells_the_place_and_nothing_of_the_message(scope, source, patients, stumbling, caplog):
    send(scope, source, *sent_to(patients))
    (record,) = caplog.records
    assert "part 4 of a file" in record.getMessage()
    assert "KeyError at inbound_ingest.py" in record.getMessage()
    assert SECRET not in caplog.text
    assert record.exc_info is None


def test_one_that_cannot_be_judged_is_refused_too(scope, source, patients, monkeypatch):
    usual, odd = inbound_chunk.judge_results, patients[4].id

    def judge(scope, changed):
        if odd in changed:
            raise ZeroDivisionError
        usual(scope, changed)

    monkeypatch.setattr(inbound_chunk, "judge_results", judge)
    send(scope, source, *sent_to(patients, bad=()))
    assert states() == ["recorded"] * 4 + ["refused"] + ["recorded"] * 2
    assert reports_of(patients[4], None) == []


def test_what_went_wrong_once_is_tried_once_more(scope, source, patients, monkeypatch):
    usual, failures = LabReader.understand, [RuntimeError(), RuntimeError()]

    def understand(self, report, sex):
        if report.key == "F3" and failures:
            raise failures.pop()
        return usual(self, report, sex)

    monkeypatch.setattr(LabReader, "understand", understand)
    send(scope, source, *sent_to(patients, bad=()))
    assert states() == ["recorded"] * 7


def test_a_rehearsal_tells_the_same(scope, source, patients, stumbling):
    done = rehearse(scope, source.public_id, b"x", sent_to(patients))
    assert done.counts == {"recorded": 6, "refused": 1}
    assert results() == []


def test_a_database_that_is_away_refuses_nothing_and_the_file_is_left_for_later(scope, source, patients, monkeypatch):
    usual, sent = inbound_chunk.judge_results, sent_to(patients, bad=())

    def away(*_):
        raise OperationalError("SELECT 1", None, Exception("the database is away"))

    monkeypatch.setattr(inbound_chunk, "judge_results", away)
    kept = store(scope, source.public_id, b"later")
    with pytest.raises(OperationalError):
        ingest(scope, kept.id, sent)
    assert (states(), db.session.get(InboundMessage, kept.id).state) == ([], "received")
    db.session.rollback()
    monkeypatch.setattr(inbound_chunk, "judge_results", usual)
    ingest(scope, kept.id, sent)
    assert states() == ["recorded"] * 7


def test_work_is_gone_on_with_after_a_part_that_was_refused(scope, source, patients, stumbling):
    kept = store(scope, source.public_id, b"again")
    ingest(scope, kept.id, sent_to(patients)[:4], at_once=2)
    ingest(scope, kept.id, sent_to(patients), at_once=2)
    assert states() == ["recorded"] * 3 + ["refused"] + ["recorded"] * 3


def test_a_file_that_upsets_a_parser_is_refused_and_those_after_it_are_replayed(
    scope, patients, monkeypatch, runner, caplog
):
    source = add_source(scope, "Old Lab", InboundKind.HL7)
    for patient in patients[:2]:
        store(scope, source.public_id, oru(patient))
    usual, first = hl7v2.parse, [True]

    def parse(raw, zone):
        if first:
            first.clear()
            raise IndexError(SECRET)
        return usual(raw, zone)

    monkeypatch.setattr(hl7v2, "parse", parse)
    done = runner.invoke(args=["results", "replay"])
    assert done.exit_code == 0, done.output
    assert sorted(row.state for row in db.session.query(InboundMessage)) == ["done", "refused"]
    assert sum(len(reports_of(patient)) for patient in patients) == 1
    assert SECRET not in caplog.text
    assert inbox.UPSETTING in {row.error for row in db.session.query(InboundMessage)}

"""What a sender of HL7 is told: AA, AE or AR for each message, with what was wrong and where."""

from datetime import UTC, datetime

import hl7
import pytest

from clinic_tracker.domain.messages import Outcome, Parsed, Problem, Reason, Unreadable, not_read
from clinic_tracker.integrations.hl7v2 import acknowledge, parse
from tests.integrations.hl7_corpus import BATCH, CBC, CORPUS, PID, msh, obr, obx, oru

pytestmark = pytest.mark.no_database
NOW = datetime(2026, 1, 22, 15, 30, tzinfo=UTC)


def outcome_of(part: Parsed, *problems: Problem) -> Outcome:
    return not_read(part) if isinstance(part, Unreadable) else Outcome(part.position, True, problems, part.entries)


def answer_to(raw: bytes, *problems: Problem) -> list[list[str]]:
    outcomes = [outcome_of(part, *problems) for part in parse(raw, "UTC")]
    return [line.split("|") for line in acknowledge(raw, outcomes, NOW).decode("latin-1").split("\r") if line]


def codes(raw: bytes) -> list[tuple[str, str]]:
    return [(row[1], row[2]) for row in answer_to(raw) if row[0] == "MSA"]


def test_a_message_that_was_taken():
    header, acknowledged = answer_to(CBC)
    assert header[2:6] == ["TRACKER", "CLINIC", "LIS", "NORTHLAB"]
    assert (header[6], header[8], header[10], header[11]) == ("20260122153000+0000", "ACK^R01^ACK", "P", "2.5.1")
    assert header[9] not in ("", "M1")
    assert acknowledged == ["MSA", "AA", "M1"]


def test_the_answer_is_a_message_that_the_library_reads():
    answer = hl7.parse(acknowledge(CBC, [Outcome(0, True, entries=(0,))], NOW).decode())
    assert str(answer["MSA.F1"]) == "AA"


def test_the_same_bytes_get_the_same_answer():
    outcomes = [Outcome(0, True, entries=(0,))]
    assert acknowledge(CBC, outcomes, NOW) == acknowledge(CBC, outcomes, NOW)


@pytest.mark.parametrize(
    "name,code",
    [
        ("blood count", "AA"),
        ("no patient", "AE"),
        ("training", "AR"),
        ("an order", "AR"),
        ("header alone", "AR"),
        ("not hl7", "AE"),
        ("nothing", "AE"),
    ],
)
def test_codes(name, code):
    ((given, _control_id),) = codes(CORPUS[name])
    assert given == code


def test_an_error_says_where_and_why():
    _header, acknowledged, error = answer_to(CORPUS["no patient"])
    assert acknowledged[1:3] == ["AE", "M1"]
    assert error[2:5] == ["PID^1^^1", "101^Required field missing^HL70357", "E"]
    assert error[8] == "PID of message 1: The segment that says who the patient is is missing."


def test_what_waits_for_a_person_is_taken_with_a_warning():
    remark = Problem("OBX[2]-3 of message 1", "This code is not known here.")
    _header, acknowledged, error = answer_to(CBC, remark)
    assert acknowledged == ["MSA", "AA", "M1"]
    assert error[2:5] == ["OBX^2^3^1", "102^Data type error^HL70357", "W"]


def test_old_versions_have_the_old_form():
    header, _acknowledged, error = answer_to(oru(PID, header=msh(version="2.3")))
    assert header[8] == "ACK^R01"
    assert error == ["ERR", "OBR^1^^101&Required field missing&HL70357"]


def test_what_could_not_be_kept_is_to_be_sent_again():
    lost = Outcome(0, False, (Problem("", "The database is not available.", Reason.NOT_STORED),), (0,))
    assert b"\rMSA|AR|M1|" in acknowledge(CBC, [lost], NOW)
    assert b"\rMSA|AE|M1" in acknowledge(CBC, [], NOW)


def test_every_message_of_a_batch_is_answered():
    rows = answer_to(BATCH.replace(b"|B2|", b"|B2|T|2.5.1\r").replace(b"BTS|2", b"BTS|3"))
    assert [row[:3] for row in rows if row[0] == "MSA"] == [["MSA", "AA", "B1"], ["MSA", "AR", "B2"]]
    assert rows[0][0] == "BHS"
    assert rows[-1][:2] == ["BTS", "2"]
    assert "part of the file may be missing" in rows[-1][2]


def test_messages_one_after_the_other_are_answered_as_a_batch():
    raw = oru(obr(), obx("1"), header=msh("B1")) + oru(obr(), obx("2"), header=msh("B2"))
    assert codes(raw) == [("AA", "B1"), ("AA", "B2")]
    own_ids = [row[9] for row in answer_to(raw) if row[0] == "MSH"]
    assert len(set(own_ids)) == 2


def test_two_patients_in_one_message_are_one_answer():
    raw = CORPUS["two patients"]
    assert codes(raw) == [("AA", "M1")]
    good, bad = (outcome_of(part) for part in parse(raw, "UTC"))
    half = [good, Outcome(bad.position, False, (Problem("PID", "no"),), bad.entries)]
    assert b"MSA|AE|M1|PID: no" in acknowledge(raw, half, NOW)


@pytest.mark.parametrize("control_id", ["M\xfc1", r"a\T\b", "x&y", " 7"])
def test_the_control_id_comes_back_as_it_was_sent(control_id):
    raw = oru(obr(), obx("1"), header=msh(control_id), encoding="latin-1")
    assert codes(raw) == [("AA", control_id.strip())]


def test_delimiters_are_those_of_the_sender_and_texts_are_escaped():
    answer = acknowledge(
        CORPUS["own delimiters"], [Outcome(0, False, (Problem("here", "a*b!c\n\xe4"),), (0,))], NOW
    ).decode()
    assert answer.startswith("MSH!*`\\&!TRACKER!")
    assert r"MSA!AE!M1!here: a\S\b\F\c ?" in answer

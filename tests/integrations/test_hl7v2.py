"""What must come out of results in HL7 version 2, and what is refused with its place."""

from datetime import UTC, date, datetime

import hl7
import pytest

from clinic_tracker.domain.messages import LOINC, Coded, Identifier, Reason, ReportState, ResultMessage, Unreadable
from clinic_tracker.domain.vocabulary import Sex
from clinic_tracker.integrations.hl7v2 import parse
from tests.integrations.hl7_corpus import BATCH, CBC, CORPUS, PID, msh, obr, obx, oru

pytestmark = pytest.mark.no_database
NEW_YORK = "America/New_York"


def one(raw: bytes, zone: str = NEW_YORK) -> ResultMessage:
    (message,) = parse(raw, zone)
    assert isinstance(message, ResultMessage), message
    return message


def refused(raw: bytes) -> Unreadable:
    (found,) = parse(raw, NEW_YORK)
    assert isinstance(found, Unreadable), found
    return found


def report(*segments: str, **more: str):
    (only,) = one(oru(*segments, **more)).reports
    return only


def value(*arguments: str, **more: str):
    (only,) = report(obr(), obx(*arguments, **more)).values
    return only


def test_a_blood_count_is_read_whole():
    message = one(CBC)
    assert message.control_id == "M1"
    assert message.laboratory == "NORTHLAB"
    assert message.sent_at == datetime(2026, 1, 20, 17, tzinfo=UTC)
    assert message.notes == ("Fasting",)
    assert message.identity.identifiers == (Identifier("MRN-77", "NORTHLAB", "MR"),)
    assert (message.identity.family_name, message.identity.given_name) == ("Test", "Tina")
    assert (message.identity.birth_date, message.identity.sex) == (date(1950, 5, 17), Sex.FEMALE)
    (count,) = message.reports
    assert (count.key, count.order_key, count.specimen) == ("A100", "O1", "S9")
    assert count.codes == (Coded("58410-2", LOINC, "CBC"),)
    assert count.state is ReportState.FINAL
    assert (count.collected_on, count.collected_at) == (date(2026, 1, 20), datetime(2026, 1, 20, 13, tzinfo=UTC))
    assert count.issued_at == datetime(2026, 1, 20, 16, tzinfo=UTC)
    assert count.notes == ("Drawn at home",)
    assert count.problems == message.problems == ()
    platelets, _white, neutrophils, lymphocytes = count.values
    assert (platelets.text, platelets.unit, platelets.low, platelets.high) == ("145", "10*3/uL", "150", "450")
    assert (platelets.flag, platelets.notes, platelets.range_text) == ("L", ("Checked by hand",), "150-450")
    assert neutrophils.codes == (Coded("751-8", LOINC, "Neutrophils"), Coded("NEUT", "L", "Neutrophils abs"))
    assert neutrophils.unit == "10^3/uL"
    assert lymphocytes.unit == "10^3/uL"  # sent without escaping the power


@pytest.mark.parametrize("name", ["framed", "lines of unix", "lines of windows", "own delimiters"])
def test_lines_frames_and_delimiters_make_no_difference(name):
    message = one(CORPUS[name])
    assert [line.text for line in message.reports[0].values] == ["145", "6.1", "3.4", "0.4"]
    assert message.identity == one(CBC).identity


def test_a_batch_is_as_many_messages_as_it_has():
    first, second = parse(BATCH, NEW_YORK)
    assert (first.control_id, second.control_id) == ("B1", "B2")
    assert (first.position, second.position) == (0, 1)
    assert (first.entries, second.entries) == ((0,), (1,))


def test_a_batch_with_fewer_messages_than_it_announces_is_told():
    *messages, truncated = parse(BATCH.replace(b"BTS|2", b"BTS|5"), NEW_YORK)
    assert len(messages) == 2
    assert (truncated.where, truncated.entries) == ("BTS-1", ())


def test_several_patients_in_one_message_are_several_messages_with_its_control_id():
    tina, paul = parse(CORPUS["two patients"], NEW_YORK)
    assert (tina.control_id, tina.position, tina.reports[0].key) == ("M1", 0, "A1")
    assert (paul.control_id, paul.position, paul.reports[0].key) == ("M1", 1, "A2")
    assert paul.identity.family_name == "Probe"
    assert tina.entries == paul.entries == (0,)


def test_several_ordered_tests_keep_their_lines_and_notes():
    first, second = one(
        oru(obr("A1"), obx("1"), "NTE|1||of the line", obr("A2"), "NTE|1||of the test", obx("2"), obx("3"))
    ).reports
    assert [line.text for line in first.values] == ["1"]
    assert first.values[0].notes == ("of the line",)
    assert second.notes == ("of the test",)
    assert [line.text for line in second.values] == ["2", "3"]


@pytest.mark.parametrize(
    "kind,sent,text",
    [
        ("NM", "145", "145"),
        ("NM", " 1.20 ", "1.20"),
        ("ST", "<0.1", "<0.1"),
        ("ST", ">200", ">200"),
        ("SN", "^1^:^64", "1:64"),
        ("SN", "<^0.1", "<0.1"),
        ("SN", ">=^10", ">=10"),
        ("SN", "=^5", "5"),
        ("SN", "^0^-^2", "0-2"),
        ("SN", "^3^+", "3+"),
        ("CE", "NEG^Negative^L", "Negative"),
        ("CWE", "Negative", "Negative"),
        ("CWE", "^^^^^^^^Not detected", "Not detected"),
        ("CWE", "260385009^^SCT", "260385009 (SCT)"),
        ("TX", "one~two", "one\ntwo"),
        ("FT", r"one\.br\two\.sp\three", "one\ntwo\nthree"),
        ("ST", r"5 \T\ 6 \F\ 7 \S\ 8 \R\ 9 \E\ 10", "5 & 6 | 7 ^ 8 ~ 9 \\ 10"),
        ("ST", "\\X48656C6C6F\\", "Hello"),
        ("ST", r"\X0D0A\x\X00\y", "x\N{REPLACEMENT CHARACTER}y"),
        ("ST", r"\H\high\N\ light", "high light"),
        ("ST", r"\C2842\ and \Zx\ ", "\N{REPLACEMENT CHARACTER} and \\Zx\\"),
        ("ST", r"C:\temp\file", r"C:\temp\file"),
        ("ST", '""', ""),
        ("", "7", "7"),
        ("ED", "^application^pdf^Base64^JVBERi0=", ""),
    ],
)
def test_values_keep_what_was_printed(kind, sent, text):
    assert value(sent, kind).text == text


def test_a_concept_keeps_its_codes():
    assert value("260415000^Not detected^SCT^ND^none^L", "CWE").value_codes == (
        Coded("260415000", "http://snomed.info/sct", "Not detected"),
        Coded("ND", "L", "none"),
    )


def test_an_unknown_type_of_value_keeps_its_text_and_is_noted():
    found = report(obr(), obx("5^6", "XAD"))
    assert found.values[0].text == "5^6"
    assert [(one.where, one.reason) for one in found.problems] == [("OBX-2 of message 1", Reason.UNSUPPORTED)]


@pytest.mark.parametrize(
    "printed,low,high",
    [
        ("150-450", "150", "450"),
        ("4.5 - 11.0", "4.5", "11.0"),
        ("<5", "", "5"),
        (">=60", "60", ""),
        ("up to 5", "", "5"),
        ("(0.4-4.5)", "0.4", "4.5"),
        ("150-450 10*3/uL", "150", "450"),
        ("150-450 mg/dL", "", ""),
        ("450-150", "", ""),
        ("Negative", "", ""),
        ("M: 13-17, F: 12-15", "", ""),
        ("", "", ""),
    ],
)
def test_ranges(printed, low, high):
    found = value("5", reference=printed)
    assert (found.low, found.high, found.range_text) == (low, high, printed)


@pytest.mark.parametrize(
    "sent,unit,other",
    [
        ("mg/dL", "mg/dL", ""),
        ("10*3/uL^thousand per microliter^UCUM", "10*3/uL", "thousand per microliter"),
        ("^K/uL", "K/uL", ""),
        ("x10^3/uL", "x10^3/uL", ""),
        (r"10\S\9/L", "10^9/L", ""),
        ("", "", ""),
    ],
)
def test_units(sent, unit, other):
    found = value("5", unit=sent)
    assert (found.unit, found.unit_text) == (unit, other)


@pytest.mark.parametrize(
    "of_report,of_line,state,line",
    [
        ("F", "F", ReportState.FINAL, ReportState.FINAL),
        ("P", "P", ReportState.PRELIMINARY, ReportState.PRELIMINARY),
        ("C", "C", ReportState.CORRECTED, ReportState.CORRECTED),
        ("F", "C", ReportState.CORRECTED, ReportState.CORRECTED),
        ("", "C", ReportState.CORRECTED, ReportState.CORRECTED),
        ("", "P", ReportState.PRELIMINARY, ReportState.PRELIMINARY),
        ("", "", ReportState.FINAL, ReportState.FINAL),
        ("P", "", ReportState.PRELIMINARY, ReportState.PRELIMINARY),
        ("X", "X", ReportState.CANCELLED, ReportState.REJECTED),
        ("F", "D", ReportState.FINAL, ReportState.CANCELLED),
        ("F", "W", ReportState.FINAL, ReportState.CANCELLED),
        ("I", "I", ReportState.PENDING, ReportState.PENDING),
        ("O", "O", ReportState.ORDERED, ReportState.ORDERED),
        ("S", "S", ReportState.ORDERED, ReportState.PRELIMINARY),
        ("R", "R", ReportState.PRELIMINARY, ReportState.PRELIMINARY),
        ("f", "f", ReportState.FINAL, ReportState.FINAL),
    ],
)
def test_states(of_report, of_line, state, line):
    found = report(obr(state=of_report), obx("5", state=of_line))
    assert (found.state, found.values[0].state) == (state, line)


def test_an_unknown_state_is_never_final():
    found = report(obr(state="Q"), obx("5", state="J"))
    assert (found.state, found.values[0].state) == (ReportState.PRELIMINARY, ReportState.PRELIMINARY)
    assert [one.where for one in found.problems] == ["OBR-25 of message 1", "OBX-11 of message 1"]


def test_a_test_without_values_is_waited_for():
    assert report(obr(state="")).state is ReportState.PENDING
    assert report("ORC|SC|O1|||SC", obr(state="")).state is ReportState.ORDERED
    assert report(obr(state=""), "SPM|1|S1").state is ReportState.COLLECTED


def test_a_specimen_that_the_laboratory_refused_is_a_rejection_with_its_words():
    found = report(obr(state="X"), "SPM|1|S1||BLD" + "|" * 16 + "N|QS^^HL70490~RH|||CLOT^^HL70493")
    assert found.state is ReportState.REJECTED
    assert found.notes == (
        "Specimen rejected: Quantity not sufficient, Hemolyzed",
        "Specimen condition: Clotted",
    )


def test_what_is_observed_of_the_specimen_is_a_note_and_no_result():
    found = report(obr(), obx("5"), "SPM|1|S1", obx("slight", "ST", "HEM^Hemolysis^L"), "NTE|1||by eye")
    assert [line.text for line in found.values] == ["5"]
    assert found.notes == ("Specimen, Hemolysis: slight", "by eye")
    before = report(obr(), "SPM|1|S1", obx("5"), obx("6"))
    assert [line.text for line in before.values] == ["5", "6"]


def test_the_key_is_the_laboratorys_number_or_the_next_best():
    assert report(obr("A1^LIS"), obx("5")).key == "A1^LIS"
    assert report("ORC|RE|O2|F2", obr("", order="O1"), obx("5")).key == "F2"
    assert report(obr("", order="O1"), obx("5")).key == "O1"
    assert report(obr("", order=""), obx("5")).key == ""


@pytest.mark.parametrize(
    "sent,on,at",
    [
        ("20260120", date(2026, 1, 20), None),
        ("202601200800", date(2026, 1, 20), datetime(2026, 1, 20, 13, tzinfo=UTC)),
        ("2026012008", date(2026, 1, 20), datetime(2026, 1, 20, 13, tzinfo=UTC)),
        ("20260120080000.1234", date(2026, 1, 20), datetime(2026, 1, 20, 13, 0, 0, 123400, tzinfo=UTC)),
        ("202601200200+0100", date(2026, 1, 19), datetime(2026, 1, 20, 1, tzinfo=UTC)),
        ("2026-01-20T08:00:00-05:00", date(2026, 1, 20), datetime(2026, 1, 20, 13, tzinfo=UTC)),
        ("202603080230", date(2026, 3, 8), datetime(2026, 3, 8, 7, 30, tzinfo=UTC)),  # skipped by the clocks
        ("202611010130", date(2026, 11, 1), datetime(2026, 11, 1, 5, 30, tzinfo=UTC)),  # the first of two
    ],
)
def test_times_of_collection(sent, on, at):
    found = report(obr(collected=sent), obx("5"), header=msh(sent="20260120120000"))
    assert (found.collected_on, found.collected_at, found.problems) == (on, at, ())


@pytest.mark.parametrize("sent", ["", "2026", "202601", "20261301", "20260230", "yesterday", "18990101", "2026012025"])
def test_a_date_of_collection_that_is_none_is_left_empty_and_noted(sent):
    found = report(obr(collected=sent), obx("5"))
    assert (found.collected_on, found.collected_at) == (None, None)
    assert [one.where for one in found.problems] == ["OBR-7 of message 1"]
    assert not sent or sent not in found.problems[0].message


def test_the_specimen_tells_the_time_where_the_request_does_not():
    found = report(obr(collected=""), obx("5"), "SPM|1|S1" + "|" * 15 + "20260119^20260119")
    assert found.collected_on == date(2026, 1, 19)


def test_the_offset_of_the_header_holds_for_times_without_one():
    far = report(obr(collected="20260120080000"), obx("5"), header=msh(sent="20260120120000+0900"))
    assert far.collected_at == datetime(2026, 1, 19, 23, tzinfo=UTC)
    # Sent in summer from the clinic's own zone, about a draw in winter: the zone is meant, not the offset of the day.
    same = report(obr(collected="20260120080000"), obx("5"), header=msh(sent="20260720120000-0400"))
    assert same.collected_at == datetime(2026, 1, 20, 13, tzinfo=UTC)


def test_a_patient_with_several_numbers_and_names():
    person = (
        "PID|1|OLD9|MRN-77^^^NORTHLAB^MR~88^^^&1.2.840&ISO^PI~999-00-1111^^^SSA^SS~V1^^^NORTHLAB^VN"
        "||Maiden^Tina^^^^^M~Test&van^Tina^^^^^L||19500517120000|f"
    )
    identity = one(oru(person, obr(), obx("5"))).identity
    assert identity.identifiers == (
        Identifier("MRN-77", "NORTHLAB", "MR"),
        Identifier("88", "1.2.840", "PI"),
        Identifier("OLD9"),
    )
    assert (identity.family_name, identity.given_name) == ("Test", "Tina")
    assert (identity.birth_date, identity.sex) == (date(1950, 5, 17), Sex.FEMALE)


def test_a_birth_date_that_is_none_is_left_empty_and_noted():
    message = one(oru("PID|1||7||Test^Tina||19501399|X", obr(), obx("5")))
    assert (message.identity.birth_date, message.identity.sex) == (None, Sex.UNKNOWN)
    assert [one.where for one in message.problems] == ["PID-7 of message 1"]


@pytest.mark.parametrize(
    "characters,encoding", [("8859/1", "latin-1"), ("UNICODE UTF-8", "utf-8"), ("", "utf-8"), ("", "latin-1")]
)
def test_characters_of_either_kind(characters, encoding):
    person = "PID|1||7||M\xfcller^Zo\xeb||19500517|F"
    raw = oru(person, obr(), obx("5"), header=msh(characters=characters), encoding=encoding)
    assert (one(raw).identity.family_name, one(raw).identity.given_name) == ("M\xfcller", "Zo\xeb")


def test_byte_order_marks_are_no_part_of_the_message():
    assert one(b"\xef\xbb\xbf" + CBC) == one(CBC)
    assert one(CBC.decode().encode("utf-16")) == one(CBC)


def test_text_broken_into_lines_without_escaping_belongs_to_its_line():
    raw = oru(obr(), obx("5")).replace(b"||5|", b"||first\nsecond line|")
    found = one(raw).reports[0].values[0]
    assert (found.text, found.state) == ("first\nsecond line", ReportState.FINAL)


def test_a_value_before_any_ordered_test_is_noted():
    message = one(oru(obx("4"), obr(), obx("5")))
    assert [line.text for line in message.reports[0].values] == ["5"]
    assert [one.where for one in message.problems] == ["OBX-3 of message 1"]


@pytest.mark.parametrize(
    "raw,where,reason",
    [
        (b"", "line 1", Reason.MISSING),
        (b"Dear colleague,", "line 1", Reason.MISSING),
        (CORPUS["no patient"], "PID of message 1", Reason.MISSING),
        (oru(PID), "OBR of message 1", Reason.MISSING),
        (oru(obr(), obx("1"), header=msh(kind="")), "MSH-9 of message 1", Reason.MISSING),
        (CORPUS["an order"], "MSH-9 of message 1", Reason.UNSUPPORTED),
        (oru(obr(), header=msh(kind="ORU^R40")), "MSH-9 of message 1", Reason.UNSUPPORTED),
        (CORPUS["training"], "MSH-11 of message 1", Reason.UNSUPPORTED),
        (oru(obr(), header=msh(version="3.0")), "MSH-12 of message 1", Reason.UNSUPPORTED),
        (b"MSH", "MSH-2 of message 1", Reason.INVALID),
        (b"MSH||||", "MSH-9 of message 1", Reason.MISSING),
        (b"MSH|^^^^|LIS", "MSH-2 of message 1", Reason.INVALID),
        (b"MSHabcdef", "MSH-2 of message 1", Reason.INVALID),
        (oru(obr(), "obx|1|NM|777-3||5||||||F"), "line 4 of message 1", Reason.INVALID),
        (oru(obr(), "and so on"), "line 4 of message 1", Reason.INVALID),
        (oru(obr(), obx("1"), "DSC|next"), "DSC of message 1", Reason.UNSUPPORTED),
    ],
)
def test_what_is_refused_and_where(raw, where, reason):
    found = refused(raw)
    assert (found.where, found.reason) == (where, reason)


def test_one_bad_message_of_a_batch_does_not_keep_the_others_out():
    raw = oru(obr(), header=msh("B1")) + CORPUS["no patient"] + b"\r" + oru(obr(), header=msh("B3"))
    first, second, third = parse(raw, NEW_YORK)
    assert (first.control_id, third.control_id) == ("B1", "B3")
    assert (second.control_id, second.where, second.position) == ("M1", "PID of message 2", 1)


def test_places_count_segments():
    found = report(obr(), obx("1"), obx("2", state="?"))
    assert found.problems[0].where == "OBX[2]-11 of message 1"


@pytest.mark.parametrize("version", ["2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.8", ""])
def test_versions(version):
    assert one(oru(obr(), obx("5"), header=msh(version=version))).reports[0].values[0].text == "5"


def test_fields_are_divided_as_the_library_divides_them():
    library = hl7.parse(CBC.decode())
    message = one(CBC)
    lines = message.reports[0].values
    assert [line.text for line in lines] == [str(row[5]) for row in library.segments("OBX")]
    assert [line.codes[0].code for line in lines] == [str(row[3][0][0]) for row in library.segments("OBX")]
    assert message.identity.family_name == str(library.segment("PID")[5][0][0])

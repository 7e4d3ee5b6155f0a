"""What is refused of FHIR, with its path, and what its sender is told."""

import json

import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.operationoutcome import OperationOutcome

from clinic_tracker.domain.messages import Outcome, Problem, Reason, ResultMessage, Unreadable, not_read
from clinic_tracker.integrations.fhir import answer, parse
from clinic_tracker.integrations.fhir.bundle import Contents
from clinic_tracker.integrations.wire import LARGEST_FILE
from tests.integrations.fhir_corpus import COUNT, bundle, dump, entry, observation, patient, report

pytestmark = pytest.mark.no_database


def refused(raw: bytes) -> Unreadable:
    (found,) = parse(raw, "UTC")
    assert isinstance(found, Unreadable), found
    return found


def outcomes(raw: bytes) -> list[Outcome]:
    return [
        not_read(part) if isinstance(part, Unreadable) else Outcome(part.position, True, (), part.entries)
        for part in parse(raw, "UTC")
    ]


def deep(levels: int) -> bytes:
    return dump(observation(extension=["HERE"])).replace(
        b'"HERE"', b'{"url":"x","extension":[' * levels + b'{"url":"x"}' + b"]}" * levels
    )


@pytest.mark.parametrize(
    "raw,where,reason",
    [
        (b"", "line 1, column 1", Reason.INVALID),
        (b'{"a": 1,\n]', "line 2, column 1", Reason.INVALID),
        (b"<Bundle/>", "file", Reason.UNSUPPORTED),
        (b"\xff\xfe{\x00", "file", Reason.INVALID),
        (b"[]", "file", Reason.INVALID),
        (b"null", "file", Reason.INVALID),
        (b'{"a": NaN}', "file", Reason.INVALID),
        (b'{"a": 1e99999999999999999999}', "file", Reason.INVALID),
        (b'{"a": ' + b"9" * 5000 + b"}", "file", Reason.INVALID),
        (b"[" * 100_000, "file", Reason.INVALID),
        (deep(30_000), "file", Reason.INVALID),
        (b" " * (LARGEST_FILE + 1), "file", Reason.TOO_LARGE),
        (dump(patient()), "Patient", Reason.UNSUPPORTED),
        (b"{}", "file", Reason.INVALID),
        (dump({**observation(), "resourceType": " Observation"}), "resourceType", Reason.INVALID),
        (dump(bundle(kind="history")), "Bundle.type", Reason.UNSUPPORTED),
        (dump({"resourceType": "Bundle"}), "Bundle.type", Reason.UNSUPPORTED),
        (dump({"resourceType": "Bundle", "type": []}), "Bundle.type", Reason.UNSUPPORTED),
        (dump({**COUNT, "entry": {}}), "Bundle.entry", Reason.INVALID),
        (dump(bundle(patient())), "Bundle.entry", Reason.MISSING),
        (b'{"resourceType": "Bundle", "type": "batch", "type": "batch"}', "Bundle.type", Reason.INVALID),
    ],
)
def test_files_that_are_refused_whole(raw, where, reason):
    found = refused(raw)
    assert (found.where, found.reason, found.entries) == (where, reason, ())


@pytest.mark.parametrize("levels", [40, 200, 600])
def test_deeply_nested_resources_end_in_an_answer(levels):
    assert len(parse(deep(levels), "UTC")) == 1


@pytest.mark.parametrize(
    "bad,place,reason",
    [
        (observation(status="FINAL"), "resource.status", Reason.INVALID),
        (observation(drop="status"), "resource.status", Reason.MISSING),
        (observation(drop="code"), "resource.code", Reason.MISSING),
        ({**observation(), "code": {"coding": [{"system": "urn:lab"}]}}, "resource.code", Reason.MISSING),
        (observation(valueQuantity={"value": "much"}), "resource.valueQuantity.value", Reason.INVALID),
        (
            observation(valueQuantity={"value": 1, "comparator": "~"}),
            "resource.valueQuantity.comparator",
            Reason.INVALID,
        ),
        (observation(valueInteger=1, valueString="1"), "resource", Reason.INVALID),
        (observation(effectiveDateTime="2026-13-01"), "resource.effectiveDateTime", Reason.INVALID),
        (observation(effectiveDateTime="2026-01-20T08:00:00"), "resource.effectiveDateTime", Reason.INVALID),
        (observation(flavor="sweet"), "resource.flavor", Reason.INVALID),
        (observation(component=[{"valueString": "x"}]), "resource.component[0].code", Reason.MISSING),
        (observation(drop="subject"), "resource.subject", Reason.MISSING),
        (observation(subject={"reference": "Group/1"}), "resource.subject", Reason.MISSING),
        (observation(subject={"display": "Tina"}), "resource.subject", Reason.MISSING),
        (observation(contained=[{"resourceType": "Nothing"}]), "resource", Reason.INVALID),
        (report(status="done"), "resource.status", Reason.INVALID),
        ({"id": "x"}, "resource", Reason.MISSING),
        ({**observation(), "resourceType": " observation"}, "resource.resourceType", Reason.INVALID),
        (entry(observation(), method="DELETE"), "request.method", Reason.UNSUPPORTED),
        ({"resource": None}, "request.method", Reason.UNSUPPORTED),
    ],
)
def test_one_bad_entry_does_not_keep_the_others_out(bad, place, reason):
    found = parse(dump(bundle(patient(), observation("good"), bad)), "UTC")
    (wrong,) = [part for part in found if isinstance(part, Unreadable)]
    (good,) = [part for part in found if isinstance(part, ResultMessage)]
    assert (wrong.where, wrong.reason, wrong.entries) == (f"Bundle.entry[2].{place}", reason, (2,))
    assert good.reports[0].key == "Observation/good"
    assert {wrong.position, good.position} == {0, 1}


def test_a_name_that_stands_twice_is_refused_where_it_stands():
    raw = dump(bundle(patient(), observation("good"), observation("bad", valueString="x")))
    raw = raw.replace(b'"valueString": "x"', b'"valueString": "x", "valueString": "y"')
    bad, good = parse(raw, "UTC")
    assert (bad.where, bad.message) == (
        "Bundle.entry[2].resource.valueString",
        "This name stands twice in one object.",
    )
    assert good.reports[0].key == "Observation/good"


def test_a_report_with_a_value_of_another_patient_is_refused_whole():
    tree = bundle(
        patient(),
        patient("p2", birthDate="1961-01-01"),
        report("Observation/o1"),
        observation("o1", subject={"reference": "Patient/p2"}),
    )
    found = refused(dump(tree))
    assert (found.where, found.entries) == ("Bundle.entry[3].resource.subject", (2, 3))


def test_reports_that_name_the_same_results_without_end_are_refused(monkeypatch):
    monkeypatch.setattr(Contents.__init__, "__defaults__", (*Contents.__init__.__defaults__[:-1], 3))
    tree = bundle(patient(), *(report("Observation/o1", identifier=f"r{n}") for n in range(5)), observation("o1"))
    found = parse(dump(tree), "UTC")
    assert [part.reason for part in found if isinstance(part, Unreadable)] == [Reason.TOO_LARGE] * 2


def test_two_entries_with_one_address_cannot_be_told_apart():
    tree = bundle(patient(), observation("o1"), observation("o1", valueString="9"))
    bad, good = parse(dump(tree), "UTC")
    assert (bad.entries, good.entries) == ((2,), (1,))


def test_what_a_server_says_of_a_search_is_no_result():
    remark = {"resource": {"resourceType": "OperationOutcome"}, "search": {"mode": "outcome"}}
    (message,) = parse(dump(bundle(patient(), remark, observation(), kind="searchset")), "UTC")
    assert message.entries == (2,)


def test_messages_quote_nothing_of_a_patient():
    bad = patient(birthDate="17 May 1950 (Tina)")
    wrong, _kept = parse(dump(bundle(bad, observation())), "UTC")
    assert "1950" not in wrong.message + wrong.where


@pytest.mark.parametrize("kind", ["transaction", "batch"])
def test_every_entry_gets_its_response(kind):
    raw = dump(bundle(patient(), observation("o1"), observation("o2", status="x"), kind=kind))
    told = answer(raw, outcomes(raw))
    Bundle.model_validate(told)
    assert told["type"] == f"{kind}-response"
    assert [one["response"]["status"] for one in told["entry"]] == [
        "201 Created",
        "201 Created",
        "422 Unprocessable Entity",
    ]
    (issue,) = told["entry"][2]["response"]["outcome"]["issue"]
    assert (issue["severity"], issue["code"]) == ("error", "invalid")
    assert issue["expression"] == ["Bundle.entry[2].resource.status"]


def test_a_result_that_was_lost_is_to_be_sent_again():
    raw = dump(COUNT)
    told = answer(raw, [])
    Bundle.model_validate(told)
    assert [one["response"]["status"][:3] for one in told["entry"]] == ["201", "500", "500", "500"]
    OperationOutcome.model_validate(answer(dump(observation()), []))


def test_a_remark_is_a_warning():
    raw = dump(COUNT)
    remark = Problem("Bundle.entry[2].resource.code", "This code is not known here.")
    told = answer(raw, [Outcome(0, True, (remark,), (1, 2, 3))])
    assert told["entry"][2]["response"]["status"] == "201 Created"
    assert told["entry"][2]["response"]["outcome"]["issue"][0]["severity"] == "warning"


@pytest.mark.parametrize(
    "raw,severities",
    [
        (dump(observation()), ["information"]),
        (dump(observation(status="x")), ["error"]),
        (dump(bundle(patient(), observation("o1"), observation("o2", status="x"), kind="searchset")), None),
        (b"{", ["error"]),
        (b"[" * 100_000, ["error"]),
    ],
)
def test_everything_else_gets_an_operation_outcome(raw, severities):
    told = answer(raw, outcomes(raw))
    OperationOutcome.model_validate(told)
    assert [issue["severity"] for issue in told["issue"]] == (severities or ["error", "information"])
    json.dumps(told)

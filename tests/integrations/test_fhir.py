"""What must come out of results in FHIR."""

import json
from datetime import UTC, date, datetime

import pytest

from clinic_tracker.domain.messages import LOINC, Coded, Identifier, Identity, Reason, ReportState, ResultMessage
from clinic_tracker.domain.vocabulary import Sex
from clinic_tracker.integrations.fhir import parse
from tests.integrations.fhir_corpus import (
    COUNT,
    LOOSE,
    TAKEN,
    bundle,
    concept,
    dump,
    entry,
    observation,
    patient,
    quantity,
    report,
)

pytestmark = pytest.mark.no_database
NEW_YORK = "America/New_York"
BIRTH_SEX = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex"


def one(tree) -> ResultMessage:
    (message,) = parse(dump(tree), NEW_YORK)
    assert isinstance(message, ResultMessage), message
    return message


def line(drop="", **more):
    (only,) = one(observation(drop=drop, **more)).reports[0].values
    return only


def test_a_report_holds_its_observations():
    message = one(COUNT)
    assert (message.position, message.control_id, message.entries) == (0, "b1", (1, 2, 3))
    assert message.identity == Identity(
        (Identifier("MRN-77", "urn:oid:1.2.3", "MR"),), "Test", "Tina", date(1950, 5, 17), Sex.FEMALE
    )
    (count,) = message.reports
    assert (count.key, count.state, count.problems) == ("A100^urn:lab", ReportState.FINAL, ())
    assert count.codes == (Coded("58410-2", LOINC, "CBC"),)
    assert (count.collected_on, count.collected_at) == (date(2026, 1, 20), datetime(2026, 1, 20, 13, tzinfo=UTC))
    assert count.issued_at == datetime(2026, 1, 20, 16, tzinfo=UTC)
    assert [(value.codes[0].code, value.text, value.unit) for value in count.values] == [
        ("777-3", "145", "10*3/uL"),
        ("6690-2", "6.1", "10*3/uL"),
    ]


@pytest.mark.parametrize("kind", ["transaction", "batch", "collection", "searchset", "document", "message"])
def test_kinds_of_bundles(kind):
    resources = [one["resource"] for one in COUNT["entry"]]
    assert len(one(bundle(*resources, kind=kind)).reports[0].values) == 2


def test_observations_of_one_draw_without_a_report_stay_together():
    together, alone = parse(dump(LOOSE), NEW_YORK)
    assert [value.codes[0].code for value in together.reports[0].values] == ["777-3", "6690-2"]
    assert (together.reports[0].key, together.entries) == ("set:Observation/o1", (1, 2))
    assert (alone.reports[0].key, alone.entries) == ("Observation/o3", (3,))


def test_observations_of_a_day_without_a_time_stay_apart():
    first, second = parse(
        dump(bundle(patient(), *(observation(name, effectiveDateTime="2026-01-20") for name in ("o1", "o2")))), NEW_YORK
    )
    assert first.reports[0].collected_on == second.reports[0].collected_on == date(2026, 1, 20)
    assert first.reports[0].collected_at is None


def test_reports_of_one_draw_are_one_message():
    other = report("Observation/o2", identifier="r2", code=concept("57023-4", "Differential"))
    tree = bundle(patient(), report("Observation/o1"), other, observation("o1"), observation("o2", "751-8"))
    message = one(tree)
    assert [found.codes[0].code for found in message.reports] == ["58410-2", "57023-4"]
    assert message.entries == (1, 2, 3, 4)


def test_observations_that_group_others():
    panel = observation("o9", "58410-2", drop="valueQuantity", hasMember=[{"reference": "Observation/o1"}])
    message = one(bundle(patient(), panel, observation("o1")))
    assert [value.text for value in message.reports[0].values] == ["145"]
    assert message.reports[0].codes[0].code == "58410-2"


def test_observations_that_group_each_other_in_a_circle_are_read_once():
    first = observation("o1", hasMember=[{"reference": "Observation/o2"}])
    second = observation("o2", hasMember=[{"reference": "Observation/o1"}])
    message = one(bundle(patient(), first, second))
    assert len(message.reports[0].values) == 2


def test_contained_resources():
    inner = observation("o1", subject={"reference": "#p1"})
    message = one(report("#o1", contained=[inner, patient()], subject={"reference": "#p1"}))
    assert message.identity.family_name == "Test"
    assert [value.text for value in message.reports[0].values] == ["145"]


def test_copies_of_one_patient_within_resources_are_the_same_patient():
    parts = [
        report("Observation/o1", contained=[patient()], subject={"reference": "#p1"}),
        observation("o1", contained=[patient()], subject={"reference": "#p1"}),
    ]
    assert one(bundle(*parts)).identity.family_name == "Test"


def test_components_are_lines():
    pressure = one(
        observation(
            drop="valueQuantity",
            component=[
                {"code": concept("8480-6"), "valueQuantity": quantity(120, "mm[Hg]")},
                {"code": concept("8462-4"), "dataAbsentReason": concept("error", "Error", "x")},
            ],
        )
    )
    upper, lower = pressure.reports[0].values
    assert (upper.codes[0].code, upper.text, upper.state) == ("8480-6", "120", ReportState.FINAL)
    assert (lower.text, lower.state, lower.notes) == ("", ReportState.REJECTED, ("No value: Error",))


@pytest.mark.parametrize(
    "value,text,unit",
    [
        ({"valueQuantity": quantity(1.5)}, "1.5", "10*3/uL"),
        ({"valueQuantity": quantity(0.1, comparator="<")}, "<0.1", "10*3/uL"),
        ({"valueQuantity": {"value": 3, "unit": "/HPF"}}, "3", "/HPF"),
        ({"valueQuantity": {"unit": "mg/dL"}}, "", "mg/dL"),
        ({"valueString": ">200"}, ">200", ""),
        ({"valueInteger": 7}, "7", ""),
        ({"valueBoolean": False}, "false", ""),
        ({"valueCodeableConcept": {"text": "Not detected"}}, "Not detected", ""),
        ({"valueCodeableConcept": concept("260385009", "Negative", "x")}, "Negative", ""),
        ({"valueCodeableConcept": concept("260385009", "", "x")}, "260385009 (x)", ""),
        ({"valueRange": {"low": {"value": 0}, "high": {"value": 2}}}, "0-2", ""),
        ({"valueRange": {"low": {"value": 5}}}, ">=5", ""),
        ({"valueRatio": {"numerator": {"value": 1}, "denominator": {"value": 64}}}, "1:64", ""),
        (
            {"valueRatio": {"numerator": {"value": 150, "unit": "mg"}, "denominator": {"value": 1, "unit": "g"}}},
            "150 mg / 1 g",
            "",
        ),
        ({"valueDateTime": "2026-01-20"}, "2026-01-20", ""),
        ({"valueTime": "08:00:00"}, "08:00:00", ""),
    ],
)
def test_values(value, text, unit):
    found = line(**value)
    assert (found.text, found.unit) == (text, unit)


def test_digits_stay_as_they_were_sent():
    for sent, text in (("1.50", "1.50"), ("150.0", "150.0"), ("1.5e2", "150"), ("1e400000", "1E+400000")):
        raw = dump(observation()).replace(b'"value": 145', f'"value": {sent}'.encode())
        (message,) = parse(raw, NEW_YORK)
        assert message.reports[0].values[0].text == text


def test_a_unit_in_two_spellings_keeps_both():
    found = line(valueQuantity={"value": 1, "unit": "mg/g", "system": "http://unitsofmeasure.org", "code": "mg/mg"})
    assert (found.unit, found.unit_text) == ("mg/mg", "mg/g")
    own = line(valueQuantity={"value": 1, "unit": "mg/g", "system": "urn:lab", "code": "U12"})
    assert (own.unit, own.unit_text) == ("mg/g", "U12")


@pytest.mark.parametrize(
    "ranges,low,high,text",
    [
        ([{"low": {"value": 150}, "high": {"value": 450}}], "150", "450", "150-450"),
        ([{"high": {"value": 5}, "text": "below 5"}], "", "5", "below 5"),
        ([{"text": "negative"}], "", "", "negative"),
        ([{"low": {"value": 150, "unit": "mg/dL"}}], "", "", ">=150 mg/dL"),
        (
            [{"low": {"value": 1}, "type": concept("normal")}, {"low": {"value": 2}, "type": concept("treatment")}],
            "1",
            "",
            ">=1; >=2",
        ),
        ([{"low": {"value": 1}}, {"low": {"value": 2}}], "", "", ">=1; >=2"),
    ],
)
def test_ranges(ranges, low, high, text):
    found = line(referenceRange=ranges)
    assert (found.low, found.high, found.range_text) == (low, high, text)


def test_interpretation_and_notes():
    found = line(interpretation=[concept("L"), concept("A")], note=[{"text": "Checked"}])
    assert (found.flag, found.notes) == ("L,A", ("Checked",))


@pytest.mark.parametrize(
    "status,state",
    [
        ("registered", ReportState.PENDING),
        ("partial", ReportState.PRELIMINARY),
        ("preliminary", ReportState.PRELIMINARY),
        ("final", ReportState.FINAL),
        ("amended", ReportState.CORRECTED),
        ("corrected", ReportState.CORRECTED),
        ("appended", ReportState.CORRECTED),
        ("cancelled", ReportState.CANCELLED),
        ("entered-in-error", ReportState.CANCELLED),
        ("unknown", ReportState.PRELIMINARY),
    ],
)
def test_states_of_reports(status, state):
    resources = [patient(), report("Observation/o1", status=status), observation("o1")]
    assert one(bundle(*resources)).reports[0].state is state


def test_states_of_lines():
    assert line(status="amended").state is ReportState.CORRECTED
    assert line(status="cancelled").state is ReportState.REJECTED
    assert line(status="entered-in-error").state is ReportState.CANCELLED
    assert one(observation(status="entered-in-error")).reports[0].state is ReportState.CANCELLED
    waiting = line(drop="valueQuantity", dataAbsentReason=concept("temp-unknown", "", "x"))
    assert waiting.state is ReportState.PENDING
    corrected = bundle(patient(), report("Observation/o1"), observation("o1", status="corrected"))
    assert one(corrected).reports[0].state is ReportState.CORRECTED


@pytest.mark.parametrize(
    "effective,on,at",
    [
        ({"effectiveDateTime": "2026-01-20"}, date(2026, 1, 20), None),
        ({"effectiveDateTime": "2026-01-20T02:00:00Z"}, date(2026, 1, 19), datetime(2026, 1, 20, 2, tzinfo=UTC)),
        ({"effectiveInstant": TAKEN}, date(2026, 1, 20), datetime(2026, 1, 20, 13, tzinfo=UTC)),
        ({"effectivePeriod": {"start": "2026-01-19", "end": "2026-01-20"}}, date(2026, 1, 19), None),
    ],
)
def test_times_of_collection(effective, on, at):
    found = one(observation(drop="effectiveDateTime" if "effectiveDateTime" not in effective else "", **effective))
    assert (found.reports[0].collected_on, found.reports[0].collected_at) == (on, at)


@pytest.mark.parametrize("sent", ["2026", "2026-01"])
def test_a_time_without_a_day_is_left_empty_and_noted(sent):
    found = one(observation(effectiveDateTime=sent)).reports[0]
    assert found.collected_on is None
    assert {one.where for one in found.problems} == {"Observation.effectiveDateTime"}


def test_the_specimen_tells_the_time_and_its_condition():
    specimen = {
        "resourceType": "Specimen",
        "id": "s1",
        "accessionIdentifier": {"value": "S-9"},
        "status": "unsatisfactory",
        "collection": {"collectedDateTime": "2026-01-18"},
        "condition": [{"text": "Hemolyzed"}],
    }
    taken = observation(drop="effectiveDateTime", specimen={"reference": "Specimen/s1"})
    found = one(bundle(patient(), specimen, taken)).reports[0]
    assert (found.collected_on, found.specimen) == (date(2026, 1, 18), "S-9")
    assert found.notes == ("Specimen: unsatisfactory", "Specimen condition: Hemolyzed")


def test_the_sex_at_birth_goes_before_the_administrative_one():
    born = patient(gender="female", extension=[{"url": BIRTH_SEX, "valueCode": "M"}])
    assert one(bundle(born, observation())).identity.sex is Sex.MALE
    assert one(bundle(patient(gender="other"), observation())).identity.sex is Sex.UNKNOWN


@pytest.mark.parametrize(
    "reference",
    ["urn:uuid:patient-p1", "Patient/p1", "https://ehr.test/fhir/Patient/p1", "Patient/p1/_history/3"],
)
def test_references_to_the_patient(reference):
    url = reference if reference.startswith("https") else "urn:uuid:patient-p1"
    message = one(bundle(entry(patient(), fullUrl=url), observation(subject={"reference": reference})))
    assert message.identity.family_name == "Test"


def test_a_relative_reference_is_completed_by_the_server_of_its_entry():
    here = entry(patient(), fullUrl="https://ehr.test/fhir/Patient/p1")
    there = entry(patient(name=[{"family": "Other"}]), fullUrl="https://other.test/fhir/Patient/p1")
    result = entry(observation(), fullUrl="https://ehr.test/fhir/Observation/o1")
    assert one(bundle(there, here, result)).identity.family_name == "Test"
    elsewhere = entry(observation(), fullUrl="https://third.test/fhir/Observation/o1")
    message = one(bundle(there, here, elsewhere))
    assert message.identity == Identity((Identifier("p1", "https://third.test/fhir/Patient"),))


def test_a_patient_known_by_number_alone():
    number = {"identifier": {"system": "urn:oid:1.2.3", "value": "MRN-77"}}
    assert one(observation(subject=number)).identity == Identity((Identifier("MRN-77", "urn:oid:1.2.3"),))
    search = {"reference": "Patient?identifier=urn:oid:1.2.3|MRN%2D77"}
    assert one(observation(subject=search)).identity == Identity((Identifier("MRN-77", "urn:oid:1.2.3"),))


def test_a_relative_address_of_nobody_in_the_file_is_no_number():
    message = one(observation())
    assert message.identity == Identity()
    assert message.problems[0].message == "The patient is not in the file."


def test_a_patient_who_cannot_be_read_leaves_the_results_without_a_name():
    bad, message = parse(dump(bundle(patient(gender="F"), observation())), NEW_YORK)
    assert (bad.where, bad.entries) == ("Bundle.entry[0].resource.gender", (0,))
    assert message.identity == Identity()
    assert message.problems[0].where == "Bundle.entry[0].resource.gender"


def test_a_result_that_is_not_in_the_file_is_noted():
    found = one(bundle(patient(), report("Observation/o1", "Observation/o2"), observation("o1"))).reports[0]
    assert [(problem.where, problem.reason) for problem in found.problems] == [
        ("Bundle.entry[1].resource.result[1]", Reason.MISSING)
    ]


def test_the_laboratory_by_its_name():
    laboratory = {"resourceType": "Organization", "id": "lab", "name": "North Lab"}
    message = one(bundle(patient(), laboratory, observation(performer=[{"reference": "Organization/lab"}])))
    assert message.laboratory == "North Lab"
    assert one(observation(performer=[{"display": "South Lab"}])).laboratory == "South Lab"


def test_text_that_cannot_be_stored_is_marked_and_not_dropped():
    raw = json.dumps(observation(valueString="1XX5")).replace("XX", r"\u0001").encode()
    assert parse(raw, NEW_YORK)[0].reports[0].values[0].text == "1\N{REPLACEMENT CHARACTER}5"

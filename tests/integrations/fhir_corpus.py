"""Resources as hospitals send them, about patients who do not exist."""

import json
from typing import Any

Json = dict[str, Any]
LOINC_SYSTEM = "http://loinc.org"
TAKEN, ISSUED = "2026-01-20T08:00:00-05:00", "2026-01-20T16:00:00Z"


def patient(identifier: str = "p1", **more: Any) -> Json:
    """Tina Test, in the shape of US Core."""
    made = {
        "resourceType": "Patient",
        "id": identifier,
        "identifier": [
            {"system": "urn:oid:1.2.3", "value": "MRN-77", "type": {"coding": [{"code": "MR"}]}},
            {"system": "http://hl7.org/fhir/sid/us-ssn", "value": "999-00-1111"},
        ],
        "name": [
            {"use": "maiden", "family": "Maiden", "given": ["Tina"]},
            {"use": "official", "family": "Test", "given": ["Tina", "Q"]},
        ],
        "birthDate": "1950-05-17",
        "gender": "female",
    }
    return {**made, **more}


def concept(code: str, display: str = "", system: str = LOINC_SYSTEM) -> Json:
    """A concept with one coding."""
    coding = {"system": system, "code": code}
    return {"coding": [{**coding, "display": display} if display else coding]}


def quantity(value: Any, unit: str = "10*3/uL", **more: Any) -> Json:
    """A quantity in a unit of UCUM."""
    return {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit, **more}


def observation(identifier: str = "o1", code: str = "777-3", drop: str = "", **more: Any) -> Json:
    """A platelet count of 145; ``drop`` leaves out an element."""
    made = {
        "resourceType": "Observation",
        "id": identifier,
        "status": "final",
        "code": concept(code),
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": TAKEN,
        "issued": ISSUED,
        "valueQuantity": quantity(145),
    }
    if any(name.startswith("value") for name in more):
        del made["valueQuantity"]
    return {name: value for name, value in {**made, **more}.items() if name != drop}


def report(*results: str, identifier: str = "r1", **more: Any) -> Json:
    """A blood count of these Observations."""
    return {
        "resourceType": "DiagnosticReport",
        "id": identifier,
        "identifier": [{"system": "urn:lab", "value": "A100"}],
        "status": "final",
        "code": concept("58410-2", "CBC"),
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": TAKEN,
        "issued": ISSUED,
        "result": [{"reference": one} for one in results],
        **more,
    }


def entry(resource: Json, method: str = "POST", **more: Any) -> Json:
    """An entry of a transaction, with an address that only this file knows."""
    kind = resource.get("resourceType", "")
    url = f"urn:uuid:{kind}-{resource.get('id', '')}".lower()
    return {"fullUrl": url, "resource": resource, "request": {"method": method, "url": kind}, **more}


def bundle(*resources: Json, kind: str = "transaction", **more: Any) -> Json:
    """A bundle; resources become entries."""
    listed = [one if "resource" in one else entry(one) for one in resources]
    if kind not in ("transaction", "batch"):
        listed = [{name: value for name, value in one.items() if name != "request"} for one in listed]
    return {"resourceType": "Bundle", "id": "b1", "type": kind, "timestamp": ISSUED, "entry": listed, **more}


def dump(tree: Any) -> bytes:
    """As bytes."""
    return json.dumps(tree).encode()


COUNT = bundle(
    patient(),
    report("Observation/o1", "urn:uuid:observation-o2"),
    observation("o1"),
    observation("o2", "6690-2", valueQuantity=quantity(6.1)),
)
LOOSE = bundle(
    patient(),
    observation("o1"),
    observation("o2", "6690-2"),
    observation("o3", "2160-0", effectiveDateTime="2026-01-19T08:00:00-05:00"),
    kind="searchset",
)
CORPUS = {
    "blood count": dump(COUNT),
    "loose": dump(LOOSE),
    "one observation": dump(observation(contained=[patient()], subject={"reference": "#p1"})),
    "one report": dump(report("#o1", contained=[observation("o1"), patient()], subject={"reference": "#p1"})),
    "pressure": dump(
        observation(
            drop="valueQuantity",
            code="85354-9",
            component=[
                {"code": concept("8480-6"), "valueQuantity": quantity(120, "mm[Hg]")},
                {"code": concept("8462-4"), "valueQuantity": quantity(80, "mm[Hg]")},
            ],
        )
    ),
    "a bad entry": dump(bundle(patient(), observation("o1"), observation("o2", valueQuantity={"value": "much"}))),
    "not json": b"{",
    "xml": b"<Bundle/>",
    "nothing": b"",
}

"""Messages as bytes, as laboratories write them."""

from typing import Any

DAY = "20260112"
CBC = (
    ("777-3", "251", "10*3/uL"),
    ("6690-2", "6.1", "10*3/uL"),
    ("751-8", "3.9", "10*3/uL"),
    ("731-0", "1.4", "10*3/uL"),
)


def oru(
    patient: Any, *, control: str = "M1", filler: str = "F1", day: str = DAY, lines: Any = CBC, code: str = "57021-8"
) -> bytes:
    """A result of one test in HL7 2.5.1."""
    name = f"{patient.family_name}^{patient.given_name}"
    rows = [
        f"MSH|^~\\&|LIS|CITY LAB|TRACKER|CLINIC|{day}120000-0500||ORU^R01^ORU_R01|{control}|P|2.5.1",
        f"PID|1||{patient.mrn}^^^NORTHSIDE^MR||{name}||{patient.birth_date:%Y%m%d}|{patient.sex_at_birth[0].upper()}",
        f"OBR|1|P{filler}|{filler}|{code}^Panel^LN|||{day}080000-0500|||||||||||||||{day}110000-0500|||F",
        *(
            f"OBX|{number}|NM|{loinc}^Name^LN||{value}|{unit}|||||F"
            for number, (loinc, value, unit) in enumerate(lines, start=1)
        ),
    ]
    return "\r".join([*rows, ""]).encode()


def bundle(patient: Any) -> dict[str, Any]:
    """A creatinine as a FHIR transaction."""
    person = {
        "resourceType": "Patient",
        "id": "p1",
        "identifier": [{"system": "urn:oid:1.2.3", "value": patient.mrn, "type": {"coding": [{"code": "MR"}]}}],
        "name": [{"family": patient.family_name, "given": [patient.given_name]}],
        "birthDate": patient.birth_date.isoformat(),
        "gender": patient.sex_at_birth,
    }
    observation = {
        "resourceType": "Observation",
        "id": "o1",
        "identifier": [{"value": "OBS-1"}],
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "2160-0", "display": "Creatinine"}]},
        "subject": {"reference": "urn:uuid:6a1f0a52-41cd-4f5e-8bd0-4f9e6b3d6a10"},
        "effectiveDateTime": "2026-01-12T08:00:00-05:00",
        "issued": "2026-01-12T11:00:00-05:00",
        "valueQuantity": {"value": 0.8, "unit": "mg/dL", "system": "http://unitsofmeasure.org", "code": "mg/dL"},
    }
    post = {"method": "POST", "url": ""}
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": "urn:uuid:6a1f0a52-41cd-4f5e-8bd0-4f9e6b3d6a10",
                "resource": person,
                "request": {**post, "url": "Patient"},
            },
            {
                "fullUrl": "urn:uuid:0f5b8c3c-9d0e-4a53-8f0a-2f3a5c1d7e22",
                "resource": observation,
                "request": {**post, "url": "Observation"},
            },
        ],
    }

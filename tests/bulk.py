"""Many patients with a course behind them, and files of many results, in every format."""

import csv
import io
import json
from datetime import date, timedelta
from typing import Any

from sqlalchemy import insert, select

from clinic_tracker.domain.messages import (
    LOINC,
)
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.treatment import Infusion, TreatmentCourse
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import projection

LINES = (
    ("CBC", "777-3", "251", "10*3/uL"),
    ("CBC", "6690-2", "6.1", "10*3/uL"),
    ("CBC", "751-8", "3.9", "10*3/uL"),
    ("CBC", "731-0", "1.4", "10*3/uL"),
    ("CBC", "718-7", "13.8", "g/dL"),
    ("CMP", "2160-0", "0.8", "mg/dL"),
    ("CMP", "1742-6", "22", "U/L"),
    ("CMP", "1920-8", "19", "U/L"),
    ("CMP", "1975-2", "0.5", "mg/dL"),
    ("CMP", "6768-6", "60", "U/L"),
    ("CMP", "2951-2", "140", "mmol/L"),
)


def varied(value: str, number: int) -> str:
    """The value of a line for one patient: no two neighbors have the same."""
    return f"{float(value) * (1 + number % 97 / 500):.2f}"


def patient_rows(scope: Scope, count: int) -> list[dict[str, Any]]:
    """Patients of the clinic, each with another name and birth date."""
    return [
        {
            "clinic_id": scope.clinic_id,
            "mrn": f"{100000 + number}",
            "family_name": f"Family{number:06}",
            "given_name": f"Given{number % 977}",
            "birth_date": date(1960, 1, 1) + timedelta(days=number % 14000),
            "sex_at_birth": "female" if number % 3 else "male",
            "protocol_id": "lemtrada-us",
            "registered_at": scope.now,
            "version": 1,
        }
        for number in range(count)
    ]


def fill(scope: Scope, count: int) -> None:
    """Patients with one course of five days that ended about three months ago, and their schedules."""
    db.session.execute(insert(Patient), patient_rows(scope, count))
    keys = list(db.session.execute(select(Patient.id).order_by(Patient.id)).scalars())
    first = scope.today - timedelta(days=100)
    courses = [
        {"clinic_id": scope.clinic_id, "patient_id": key, "number": 1, "planned_days": 5, "planned_at": scope.now}
        for key in keys
    ]
    db.session.execute(insert(TreatmentCourse), courses)
    by_patient = dict(db.session.execute(select(TreatmentCourse.patient_id, TreatmentCourse.id)).all())
    infusions = [
        {
            "clinic_id": scope.clinic_id,
            "patient_id": key,
            "course_id": by_patient[key],
            "day_number": day + 1,
            "infused_on": first + timedelta(days=day),
            "dose_mg": 12,
            "observation_minutes": 120,
            "ended_at": scope.now - timedelta(days=100 - day, hours=-4),
            "discharged_at": scope.now - timedelta(days=100 - day, hours=-6),
            "started_at": scope.now - timedelta(days=100 - day),
            "recorded_at": scope.now,
            "state": "recorded",
        }
        for key in keys
        for day in range(5)
    ]
    db.session.execute(insert(Infusion), infusions)
    db.session.commit()
    projection.reproject(scope, keys)
    db.session.commit()


COLUMNS = {
    "layout": "long",
    "dates": "ymd",
    "names": "family_first",
    "columns": {
        "mrn": "mrn",
        "family": "family_name",
        "given": "given_name",
        "born": "birth_date",
        "sex": "sex",
        "collected": "collected",
        "accession": "order",
        "test": "test",
        "loinc": "loinc",
        "value": "value",
        "unit": "unit",
    },
    "tests": {},
}


def csv_file(scope: Scope, count: int) -> bytes:
    """One line for each value, as a laboratory exports them."""
    out = io.StringIO()
    writer = csv.writer(out)
    who = ["mrn", "family", "given", "born", "sex"]
    writer.writerow([*who, "collected", "accession", "test", "loinc", "value", "unit"])
    day = (scope.today - timedelta(days=5)).isoformat()
    for number, row in enumerate(patient_rows(scope, count)):
        who = [row["mrn"], row["family_name"], row["given_name"], row["birth_date"].isoformat(), row["sex_at_birth"]]
        for panel, loinc, value, unit in LINES:
            writer.writerow([*who, day, f"{panel}{number}", panel, loinc, varied(value, number), unit])
    return out.getvalue().encode()


def hl7_file(scope: Scope, count: int, *, of: int | None = None) -> bytes:
    """One ORU^R01 for each patient, or that many messages about the first ``of`` patients."""
    day = f"{scope.today - timedelta(days=5):%Y%m%d}"
    parts: list[str] = []
    people = patient_rows(scope, of or count)
    for number in range(count):
        row = people[number % len(people)]
        sex = row["sex_at_birth"][0].upper()
        parts += [
            f"MSH|^~\\&|LIS|LAB|||{day}120000||ORU^R01|M{number}|P|2.5.1",
            f"PID|1||{row['mrn']}^^^HOSP^MR||{row['family_name']}^{row['given_name']}||{row['birth_date']:%Y%m%d}|{sex}",
        ]
        for place, panel in enumerate(("CBC", "CMP"), start=1):
            code = "57021-8" if panel == "CBC" else "24323-8"
            parts.append(f"OBR|{place}||{panel}{number}|{code}^{panel}^LN|||{day}0800|||||||||||||||{day}1100|||F")
            parts += [
                f"OBX|{line}|NM|{loinc}^Test^LN||{varied(value, number)}|{unit}|||||F"
                for line, (of_panel, loinc, value, unit) in enumerate(LINES, start=1)
                if of_panel == panel
            ]
    return "\r".join([*parts, ""]).encode()


def fhir_file(scope: Scope, count: int, first: int = 0) -> bytes:
    """A collection with a patient and observations for each from the first on."""
    day = (scope.today - timedelta(days=5)).isoformat()
    entries: list[Any] = []
    for number, row in enumerate(patient_rows(scope, count)[first:], start=first):
        who = f"urn:uuid:00000000-0000-4000-8000-{number:012}"
        patient = {
            "resourceType": "Patient",
            "identifier": [{"system": "urn:hosp", "value": row["mrn"], "type": {"coding": [{"code": "MR"}]}}],
            "name": [{"family": row["family_name"], "given": [row["given_name"]]}],
            "birthDate": row["birth_date"].isoformat(),
            "gender": row["sex_at_birth"],
        }
        entries.append({"fullUrl": who, "resource": patient})
        for panel in ("CBC", "CMP"):
            links = []
            for loinc, value, unit in (line[1:] for line in LINES if line[0] == panel):
                digits = loinc.replace("-", "").zfill(12)
                url = f"urn:uuid:{number:08x}-0000-4000-8000-{digits}"
                links.append({"reference": url})
                entries.append({"fullUrl": url, "resource": observation(who, loinc, varied(value, number), unit, day)})
            report = {
                "resourceType": "DiagnosticReport",
                "identifier": [{"value": f"{panel}{number}"}],
                "status": "final",
                "code": {"coding": [{"system": LOINC, "code": "57021-8" if panel == "CBC" else "24323-8"}]},
                "subject": {"reference": who},
                "effectiveDateTime": f"{day}T08:00:00-05:00",
                "issued": f"{day}T11:00:00-05:00",
                "result": links,
            }
            entries.append({"fullUrl": f"{who}{panel}", "resource": report})
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()


def observation(who: str, loinc: str, value: str, unit: str, day: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": loinc, "display": "Test"}]},
        "subject": {"reference": who},
        "effectiveDateTime": f"{day}T08:00:00-05:00",
        "valueQuantity": {"value": float(value), "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
    }

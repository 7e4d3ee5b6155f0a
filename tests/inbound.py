"""Messages of a laboratory for tests, as a parser would make them, and the pipeline that takes them."""

import itertools
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from clinic_tracker.domain.messages import (
    LOINC,
    Coded,
    Identifier,
    Identity,
    Observed,
    Parsed,
    ReportState,
    ResultMessage,
    SentReport,
)
from clinic_tracker.domain.vocabulary import InboundKind, Sex
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import InboundResult, InboundSource
from clinic_tracker.models.monitoring import LabReport
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.inbound import store
from clinic_tracker.services.inbound_ingest import Ingested, ingest

DAY = date(2026, 1, 12)
LINES = {
    "platelets": ("777-3", "251", "10*3/uL"),
    "wbc": ("6690-2", "6.1", "10*3/uL"),
    "neutrophils": ("751-8", "3.9", "10*3/uL"),
    "lymphocytes": ("731-0", "1.4", "10*3/uL"),
    "hemoglobin": ("718-7", "13.8", "g/dL"),
    "creatinine": ("2160-0", "0.8", "mg/dL"),
    "tsh": ("3016-3", "1.9", "m[IU]/L"),
    "alt": ("1742-6", "22", "U/L"),
    "ast": ("1920-8", "19", "U/L"),
    "bilirubin_total": ("1975-2", "0.5", "mg/dL"),
    "urine_rbc": ("13945-1", "1", "/HPF"),
    "urine_wbc": ("5821-4", "2", "/HPF"),
    "upcr": ("2890-2", "90", "mg/g"),
    "cd4": ("24467-3", "420", "/uL"),
}
CBC = ("platelets", "wbc", "neutrophils", "lymphocytes")
_numbers = itertools.count(1)


def add_source(scope: Scope, name: str = "City Lab", kind: InboundKind = InboundKind.HL7) -> InboundSource:
    """A laboratory that the clinic takes results from."""
    row = InboundSource(clinic_id=scope.clinic_id, name=name, kind=kind.value, created_at=scope.now)
    db.session.add(row)
    db.session.commit()
    return row


def line(name: str, text: str | None = None, unit: str | None = None, **values: Any) -> Observed:
    """One line by the name of its analyte, normal unless told otherwise."""
    loinc, usual, its_unit = LINES[name]
    code = Coded(loinc, LOINC, name.replace("_", " ").title())
    return Observed((code,), usual if text is None else text, its_unit if unit is None else unit, **values)


def report(*names: str | Observed, key: str | None = None, on: date | None = DAY, **values: Any) -> SentReport:
    """A final report of some analytes."""
    lines = tuple(line(name) if isinstance(name, str) else name for name in names)
    given = {"codes": (Coded("LAB", "L", "Panel"),), "state": ReportState.FINAL, **values}
    return SentReport(key=f"R{next(_numbers)}" if key is None else key, collected_on=on, values=lines, **given)


def identity_of(patient: Any, **values: Any) -> Identity:
    """The patient as the laboratory knows them."""
    given = {
        "identifiers": (Identifier(patient.mrn, "NORTHSIDE", "MR"),),
        "family_name": patient.family_name.upper(),
        "given_name": patient.given_name.upper(),
        "birth_date": patient.birth_date,
        "sex": Sex(patient.sex_at_birth),
        **values,
    }
    return Identity(**given)


def message(patient: Any, *reports: SentReport, **values: Any) -> ResultMessage:
    """A message about a patient (a row, or an identity)."""
    identity = patient if isinstance(patient, Identity) else identity_of(patient)
    number = next(_numbers)
    given = {"position": 0, "control_id": f"M{number}", "laboratory": "City Lab", **values}
    return ResultMessage(identity=identity, reports=reports, **given)


def send(scope: Scope, source: InboundSource, *parsed: Parsed, **values: Any) -> Ingested:
    """Store bytes that nobody sent before, and have what was parsed of them recorded."""
    stored = store(scope, source.public_id, f"message {next(_numbers)}".encode())
    return ingest(scope, stored.id, list(parsed), **values)


def reports_of(patient: Any, state: str | None = "recorded") -> list[LabReport]:
    """The reports of a patient, in the order of their keys."""
    query = db.session.query(LabReport).filter_by(patient_id=patient.id).populate_existing()
    rows: Iterable[LabReport] = query.order_by(LabReport.id)
    return [row for row in rows if state is None or row.state == state]


def results() -> list[InboundResult]:
    """The log, in the order of arrival."""
    return db.session.query(InboundResult).populate_existing().order_by(InboundResult.id).all()


def at(day: int, hour: int = 12) -> datetime:
    """An instant in January 2026."""
    return datetime(2026, 1, day, hour, tzinfo=UTC)


TESTED = {
    "hiv_test": ("56888-1", "HIV 1/2"),
    "tb_screen": ("71773-6", "QuantiFERON"),
    "hepatitis_c": ("13955-0", "HCV antibodies"),
    "pregnancy_test": ("2118-8", "hCG"),
}


def exam_line(kind: str, text: str) -> Observed:
    """One line of a test that is kept as an exam."""
    loinc, title = TESTED[kind]
    return Observed((Coded(loinc, LOINC, title),), text, "")

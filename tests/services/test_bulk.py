"""Rows added many at a time are the very rows that single inserts would leave, and errors are those of an INSERT."""

import traceback
import uuid
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import columns_of, db
from clinic_tracker.models.bulk import add_rows
from clinic_tracker.models.monitoring import LabReport, LabValue
from clinic_tracker.models.patients import Patient
from tests.factories import register

ODD_TEXTS = ("plain", "", "a\tb\nc\rd", r"\N \t \\ \.", "Ωß “quoted” 'x' \"y\"", "\N{GRINNING FACE}", "  blank  ")
NOW = datetime(2026, 3, 8, 23, 59, 59, 999999, tzinfo=timezone(timedelta(hours=-5)))


@pytest.fixture
def patient(scope_for, cast):
    return register(scope_for(cast.staff)).row


def report_row(patient, number, **values):
    return {
        "public_id": uuid.uuid4(),
        "clinic_id": patient.clinic_id,
        "patient_id": patient.id,
        "state": "recorded",
        "recorded_via": "hl7",
        "recorded_at": NOW,
        "panel": "tsh",
        "source": "Lab",
        "external_id": f"number {number}",
        "collected_on": date(2024, 2, 29),
        "collected_at": NOW.astimezone(UTC) if number % 2 else None,
        "result_status": "final",
        "is_complete": number % 2 == 0,
        "findings": [{"rule": "r", "text": ODD_TEXTS[2], "number": 1.5}] if number % 2 else [],
        "note": ODD_TEXTS[number % len(ODD_TEXTS)],
        "laboratory": None,
        "auto_reviewed": False,
        "in_sample": True,
        **values,
    }


def kept(table):
    """The rows of a table without their keys, by the order in which they were added."""
    rows = db.session.execute(select(table).order_by(table.c.id)).mappings()
    return [{name: value for name, value in row.items() if name != "id"} for row in rows]


def test_the_rows_are_those_of_an_insert(patient):
    rows = [report_row(patient, number) for number in range(len(ODD_TEXTS))]
    table = LabReport.__table__
    add_rows(db.session.connection(), table, rows)
    added = kept(table)
    db.session.rollback()
    db.session.execute(insert(table), rows)
    assert added == kept(table)
    assert [row["note"] for row in added] == list(ODD_TEXTS)
    assert added[1]["recorded_at"] == NOW


def test_values_of_numbers_and_of_json_that_is_nothing_are_kept_as_they_are(patient):
    rows = [report_row(patient, 1)]
    add_rows(db.session.connection(), LabReport.__table__, rows)
    report = db.session.query(LabReport).one()
    common = {"clinic_id": patient.clinic_id, "lab_report_id": report.id, "analyte": "tsh", "unit": "mIU/L"}
    numbers = [0.1, 1e-9, 123456789.123, None]
    values = [{**common, "analyte": f"tsh{place}", "number": number} for place, number in enumerate(numbers)]
    add_rows(db.session.connection(), LabValue.__table__, values)
    assert [row.number for row in db.session.query(LabValue).order_by(LabValue.id)] == numbers
    event = {"at": NOW, "clinic_id": patient.clinic_id, "system_actor": "test", "action": "lab_report.recorded"}
    noted = [{**event, "subject_type": "lab_report", "subject_id": 1, "before": None, "after": {"a": [None, True]}}]
    first = db.session.query(AuditEvent).count()
    add_rows(db.session.connection(), AuditEvent.__table__, noted)
    row = db.session.query(AuditEvent).order_by(AuditEvent.id).offset(first).one()
    assert (row.before, row.after) == (None, {"a": [None, True]})


def test_a_row_that_is_there_already_is_an_integrity_error_that_shows_no_value(patient):
    db.session.commit()
    row = {column.name: getattr(patient, column.name) for column in Patient.__table__.columns}
    row |= {"id": patient.id + 1000, "public_id": uuid.uuid4(), "family_name": "Quillfeather"}
    with pytest.raises(IntegrityError) as caught:
        add_rows(db.session.connection(), Patient.__table__, [row])
    told = "".join(traceback.format_exception(caught.value)) + str(caught.value) + repr(caught.value.orig)
    assert patient.mrn not in told
    assert "Quillfeather" not in told
    assert str(caught.value.orig).count("\n") == 0
    db.session.rollback()
    assert columns_of(db.session.get_one(Patient, patient.id))["family_name"] != "Quillfeather"


def test_a_column_that_only_python_fills_is_asked_for(patient):
    row = report_row(patient, 1)
    del row["recorded_via"]
    with pytest.raises(ValueError, match="lab_report: recorded_via"):
        add_rows(db.session.connection(), LabReport.__table__, [row])

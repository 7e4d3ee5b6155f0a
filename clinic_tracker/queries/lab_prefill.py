"""What a person who enters results need not type again: the laboratory and the ranges that it prints."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select

from clinic_tracker.domain.vocabulary import FactState, Sex
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import LabReport, LabValue
from clinic_tracker.models.patients import Patient
from clinic_tracker.queries.scope import Scope

#: How many reports are looked back at: ranges and names of longer ago are typed again.
RECENT = 500


@dataclass(frozen=True, slots=True)
class PrintedRange:
    """The range that a laboratory printed last for an analyte, in the unit of the rules."""

    unit: str
    low: float | None
    high: float | None


def laboratories(scope: Scope) -> list[str]:
    """The laboratories that the clinic has had results from lately, for completion."""
    recent = (
        select(LabReport.laboratory)
        .where(LabReport.clinic_id == scope.clinic_id, LabReport.laboratory.is_not(None))
        .order_by(LabReport.id.desc())
        .limit(RECENT)
        .subquery()
    )
    names = db.session.execute(select(recent.c.laboratory).distinct().order_by(recent.c.laboratory)).scalars()
    return [name for name in names if name]


def usual_laboratory(scope: Scope, patient_id: int) -> str | None:
    """The laboratory of the patient's latest result; of the clinic's where the patient has none."""
    latest = (
        select(LabReport.laboratory)
        .where(LabReport.clinic_id == scope.clinic_id, LabReport.laboratory.is_not(None))
        .order_by(LabReport.id.desc())
        .limit(1)
    )
    own = db.session.execute(latest.where(LabReport.patient_id == patient_id)).scalar_one_or_none()
    return own or db.session.execute(latest).scalar_one_or_none()


def printed_ranges(scope: Scope, laboratory: str | None, sex: Sex) -> Mapping[str, PrintedRange]:
    """The ranges that a laboratory printed last, by analyte, for patients of that sex; none for no laboratory."""
    if not laboratory:
        return {}
    recent = (
        select(LabReport.id)
        .join(Patient, Patient.id == LabReport.patient_id)
        .where(
            LabReport.clinic_id == scope.clinic_id,
            LabReport.state == FactState.RECORDED.value,
            LabReport.laboratory == laboratory,
            Patient.sex_at_birth == sex.value,
        )
        .order_by(LabReport.id.desc())
        .limit(RECENT)
    )
    latest = (
        select(func.max(LabValue.id).label("id"))
        .where(LabValue.lab_report_id.in_(recent), LabValue.low.is_not(None) | LabValue.high.is_not(None))
        .group_by(LabValue.analyte)
        .subquery()
    )
    rows = db.session.execute(
        select(LabValue.analyte, LabValue.unit, LabValue.low, LabValue.high).join(latest, latest.c.id == LabValue.id)
    )
    return {analyte: PrintedRange(unit or "", low, high) for analyte, unit, low, high in rows}


def patient_by_mrn(scope: Scope, mrn: str) -> uuid.UUID | None:
    """The chart with this medical record number, whatever the case of its letters; None if there is none."""
    return db.session.execute(
        select(Patient.public_id).where(
            Patient.clinic_id == scope.clinic_id,
            func.lower(Patient.mrn) == mrn.strip().lower(),
            Patient.merged_into_id.is_(None),
        )
    ).scalar_one_or_none()

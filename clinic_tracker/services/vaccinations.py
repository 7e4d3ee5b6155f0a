"""Record, correct and withdraw vaccinations; a live vaccine after a course is a safety event (R-30)."""

import uuid
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.notes import Note
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.screening import VACCINES_BY_CODE, Vaccine, check_vaccination
from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import Vaccination
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.treatment import Deviation
from clinic_tracker.queries.exams import treatment_dates
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.settings import setting
from clinic_tracker.services import audit, facts
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.deviations import Reasons, record_deviation, settle
from clinic_tracker.services.unit_of_work import unit_of_work

LIVE_VACCINE = "live_vaccine_after_course"


@dataclass(frozen=True, slots=True)
class VaccinationEntry:
    """One dose of a vaccine as typed; ``vaccine`` is a code of the list of vaccines."""

    vaccine: str
    given_on: date
    dose_label: str | None = None
    note: str | None = None
    row: str = ""


def add_vaccination(
    scope: Scope, row: Patient, entry: VaccinationEntry, reason: str | None, token: str | None
) -> Vaccination:
    """Add one dose to a locked chart, inside the caller's unit of work."""
    notes = _check_vaccination(scope, row, entry, reason, None)
    dose = _vaccination(scope, row, entry, token)
    db.session.add(dose)
    audit.record(scope, AuditAction.VACCINATION_RECORDED, dose, reason=reason if notes else None)
    _keep_alert(scope, row, entry, notes, reason)
    return dose


def correct_vaccination(
    scope: Scope, patient: uuid.UUID, vaccination: uuid.UUID, entry: VaccinationEntry, *, reason: str
) -> uuid.UUID:
    """Replace a vaccination by a corrected one; the old one stays, struck through. The public id of the new one."""
    scope.require(Permission.RECORD_EVIDENCE)
    with unit_of_work(scope) as work:
        row = work.lock_patient(patient)
        old = facts.find_fact(scope, Vaccination, row.id, vaccination)
        facts.check_unchanged(scope, old)
        notes = _check_vaccination(scope, row, entry, reason, old.id)
        before = audit.snapshot(old)
        new = facts.supersede(scope, old, _vaccination(scope, row, entry, None), reason)
        audit.record(scope, AuditAction.VACCINATION_CORRECTED, new, before=before, reason=reason)
        _withdraw_alert(scope, old)
        _keep_alert(scope, row, entry, notes, reason)
    return new.public_id


def withdraw_vaccination(scope: Scope, patient: uuid.UUID, vaccination: uuid.UUID, *, reason: str) -> None:
    """Mark a vaccination as entered in error; it stays, struck through, and its safety alert ends."""
    scope.require(Permission.RECORD_EVIDENCE)
    with unit_of_work(scope) as work:
        row = work.lock_patient(patient)
        old = facts.find_fact(scope, Vaccination, row.id, vaccination)
        before = audit.snapshot(old)
        facts.withdraw(scope, old, reason)
        audit.record(scope, AuditAction.VACCINATION_WITHDRAWN, old, before=before, reason=reason)
        _withdraw_alert(scope, old)


def _vaccination(scope: Scope, row: Patient, entry: VaccinationEntry, token: str | None) -> Vaccination:
    vaccine = VACCINES_BY_CODE[entry.vaccine]
    return Vaccination(
        clinic_id=scope.clinic_id,
        patient_id=row.id,
        vaccine=vaccine.code,
        given_on=entry.given_on,
        is_live=vaccine.is_live,
        is_varicella=vaccine.is_varicella,
        dose_label=entry.dose_label,
        note=entry.note,
        recorded_by_id=scope.user_id,
        recorded_at=scope.now,
        form_token=token,
    )


def _check_vaccination(
    scope: Scope, row: Patient, entry: VaccinationEntry, reason: str | None, replaced: int | None
) -> tuple[Note, ...]:
    """The safety alert that the reason accounts for; RuleViolation for what cannot be."""
    vaccine: Vaccine | None = VACCINES_BY_CODE.get(entry.vaccine)
    if vaccine is None:
        raise RuleViolation(
            "unknown_vaccine", row_field(scope, entry.row, "vaccine"), "Choose the vaccine from the list."
        )
    check_day(scope, row, entry.given_on, row_field(scope, entry.row, "given_on"), vaccine.title)
    same = select(Vaccination.id).where(
        Vaccination.patient_id == row.id,
        Vaccination.state == FactState.RECORDED.value,
        Vaccination.vaccine == vaccine.code,
        Vaccination.given_on == entry.given_on,
        Vaccination.id != (replaced if replaced is not None else -1),
    )
    if db.session.execute(same).first() is not None:
        message = f"{vaccine.title} of {show_date(entry.given_on)} is on record already."
        raise RuleViolation("already_recorded", row_field(scope, entry.row, "given_on"), message)
    first, planned = treatment_dates(scope, row.id)
    gap = setting(scope, "vaccine_gap_days", row.protocol_id)
    return settle(scope, check_vaccination(vaccine, entry.given_on, first, planned, gap), Reasons(reason))


def check_day(scope: Scope, row: Patient, day: date, field: str, name: str) -> None:
    """RuleViolation for a day in the future or before the patient was born."""
    facts.check_not_future(scope, day, field, f"The date of {name}")
    if day < row.birth_date:
        message = f"The date of {name} is before the patient was born, {show_date(row.birth_date)}."
        raise RuleViolation("before_birth", field, message)


def _keep_alert(
    scope: Scope, row: Patient, entry: VaccinationEntry, notes: tuple[Note, ...], reason: str | None
) -> None:
    for note in notes:
        record_deviation(scope, row.id, note, (reason or "").strip(), entry.given_on)


def _withdraw_alert(scope: Scope, dose: Vaccination) -> None:
    """End the safety alert of a dose that was not given as recorded."""
    alerts = db.session.execute(
        select(Deviation).where(
            Deviation.clinic_id == scope.clinic_id,
            Deviation.patient_id == dose.patient_id,
            Deviation.code == LIVE_VACCINE,
            Deviation.occurred_on == dose.given_on,
            Deviation.withdrawn_at.is_(None),
        )
    ).scalars()
    for alert in alerts:
        alert.withdrawn_at = scope.now


def row_field(_scope: Scope, row: str, name: str) -> str:
    """The name of a field in a row of the page: ``skin_exam-performed_on``."""
    return f"{row}-{name}" if row else name

"""Import of histories: what happened before this clinic used the tracker, taken as it happened."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.imported_history import ImportedHistory
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.history_chart import ImportChart
from clinic_tracker.services.history_facts import FactImport
from clinic_tracker.services.lab_findings import refresh_findings
from clinic_tracker.services.unit_of_work import UnitOfWork, unit_of_work


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one history: ``outcome`` is loaded, updated or unchanged; how many facts were added."""

    mrn: str
    outcome: str
    facts: int


def import_history(scope: Scope, imported: ImportedHistory, *, dry_run: bool = False) -> Imported:
    """Record one history, all of it or nothing. A second import of the same history changes nothing.

    A patient known by the MRN must have the same name and birth date; only facts that are not there yet are added.
    Departures from the protocol (a day missed in a course, an early second course) are recorded as deviations.
    RuleViolation says why the patient was refused.
    """
    scope.require(Permission.MANAGE_PATIENTS)
    _check_dates(scope, imported)
    with unit_of_work(scope) as work:
        patient, is_new = _patient(scope, work, imported)
        added = FactImport(ImportChart(scope, patient, imported, is_new=is_new)).record()
        if added and not is_new:
            refresh_findings(scope, patient)
        outcome = "loaded" if is_new else "updated" if added else "unchanged"
        if dry_run or outcome == "unchanged":
            work.discard()
        audit.note(
            scope,
            AuditAction.HISTORY_IMPORTED,
            subject_type="patient",
            subject_id=patient.id,
            patient_id=patient.id,
            after={"facts": added},
        )
    return Imported(imported.identity.mrn, outcome, added)


def _check_dates(scope: Scope, imported: ImportedHistory) -> None:
    """No fact may lie in the future or before birth."""
    history, today = imported.history, scope.today.toordinal()
    born = imported.identity.birth_date.toordinal()
    if born > today:
        raise RuleViolation("birth_date", "identity.birth_date", "The birth date must not be in the future.")
    dated = [
        (f"courses[{place}].infusions", day)
        for place, course in enumerate(history.courses)
        for day in course.infusion_days
    ]
    dated += [(f"labs[{place}].collected_on", lab.collected) for place, lab in enumerate(history.labs)]
    dated += [(f"exams[{place}].on", exam.on) for place, exam in enumerate(history.exams)]
    dated += [(f"forms[{place}].submitted_on", form.submitted) for place, form in enumerate(history.forms)]
    if history.monitoring_closed_on is not None:
        dated.append(("monitoring_closed_on", history.monitoring_closed_on))
    for name, day in dated:
        if not born <= day <= today:
            problem = "in the future" if day > today else "before the birth date"
            raise RuleViolation("date", name, f"{date.fromordinal(day).isoformat()} is {problem}.")


def _patient(scope: Scope, work: UnitOfWork, imported: ImportedHistory) -> tuple[Patient, bool]:
    identity = imported.identity
    on_file = db.session.execute(
        select(Patient.id, Patient.merged_into_id).where(
            Patient.clinic_id == scope.clinic_id, Patient.mrn == identity.mrn
        )
    ).one_or_none()
    if on_file is not None:
        if on_file.merged_into_id is not None:
            raise RuleViolation("merged", "identity.mrn", "The chart with this MRN was merged into another one.")
        patient = work.lock_patient(on_file.id)
        _check_same_person(patient, imported)
        return patient, False
    patient = Patient(
        clinic_id=scope.clinic_id,
        mrn=identity.mrn,
        family_name=identity.family_name,
        given_name=identity.given_name,
        birth_date=identity.birth_date,
        sex_at_birth=imported.sex_at_birth,
        has_cervix=imported.has_cervix,
        protocol_id=imported.history.protocol,
        registered_by_id=scope.user_id,
        registered_at=scope.now,
    )
    db.session.add(patient)
    work.touch(patient)
    audit.record(scope, AuditAction.PATIENT_REGISTERED, patient, patient_id=patient.id)
    return patient, True


def _check_same_person(patient: Patient, imported: ImportedHistory) -> None:
    identity = imported.identity
    names = (identity.family_name.casefold(), identity.given_name.casefold())
    if (patient.family_name.casefold(), patient.given_name.casefold()) != names:
        raise RuleViolation("identity", "identity.family_name", "This MRN belongs to a patient with another name.")
    if patient.birth_date != identity.birth_date:
        raise RuleViolation("identity", "identity.birth_date", "This MRN belongs to a patient born on another day.")
    if patient.protocol_id != imported.history.protocol:
        raise RuleViolation("protocol", "protocol", f"This patient is monitored by {patient.protocol_id}.")
    has_cervix = patient.has_cervix if patient.has_cervix is not None else patient.sex_at_birth == "female"
    if patient.sex_at_birth != imported.sex_at_birth or has_cervix != imported.history.has_cervix:
        raise RuleViolation("identity", "patient", "The sex at birth or the cervix differs from the chart.")

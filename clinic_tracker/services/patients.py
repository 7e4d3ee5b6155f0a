"""Register patients, edit who they are, change their prescriber and their protocol."""

import uuid
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from clinic_tracker.domain.duplicates import Person
from clinic_tracker.domain.eligibility import check_birth_date
from clinic_tracker.domain.errors import RuleViolation, StaleVersion
from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import Sex
from clinic_tracker.models.access import Prescriber
from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.queries.duplicates import similar_charts
from clinic_tracker.queries.monitoring_case import load_case
from clinic_tracker.queries.patients import earliest_fact_on
from clinic_tracker.queries.protocols import packaged_protocols
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit, facts
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.lab_findings import refresh_findings
from clinic_tracker.services.unit_of_work import unit_of_work

LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class PatientDetails:
    """Who a patient is, as typed. ``has_cervix`` None follows the sex at birth (decision 24)."""

    mrn: str
    family_name: str
    given_name: str
    birth_date: date
    sex_at_birth: Sex
    rems_patient_id: str | None = None
    has_cervix: bool | None = None
    prescriber: uuid.UUID | None = None
    phone: str | None = None
    email: str | None = None
    language: str | None = None
    contact_note: str | None = None
    alerts: str | None = None


def register_patient(
    scope: Scope,
    details: PatientDetails,
    *,
    different_person: bool = False,
    protocol_id: str | None = None,
    form_token: str | None = None,
) -> uuid.UUID:
    """Open a chart. The public id; that of the chart opened before when the same form is sent twice.

    RuleViolation for a birth date that cannot be, an MRN or REMS id that is taken, an inactive prescriber; with code
    ``possible_duplicate`` when somebody much alike has a chart and ``different_person`` was not confirmed.
    """
    scope.require(Permission.MANAGE_PATIENTS)
    with unit_of_work(scope) as work:
        before = facts.already_recorded(scope, Patient, form_token)
        if before is not None:
            return before.public_id
        _check_details(scope, details, None)
        if not different_person:
            _refuse_duplicate(scope, details)
        row = Patient(
            clinic_id=scope.clinic_id,
            protocol_id=protocol_id or scope.protocol_id,
            prescriber_id=prescriber_key(scope, details.prescriber, None),
            registered_by_id=scope.user_id,
            registered_at=scope.now,
            form_token=form_token,
            **_columns(details),
        )
        db.session.add(row)
        _flush_unique(scope)
        work.touch(row)
        audit.record(scope, AuditAction.PATIENT_REGISTERED, row, patient_id=row.id)
    return row.public_id


def edit_patient(scope: Scope, patient: uuid.UUID, details: PatientDetails, version: int | None = None) -> None:
    """Change who a patient is; the audit trail keeps what was there before.

    StaleVersion when somebody else changed the chart since ``version``; RuleViolation as for registering, and for a
    birth date after something that is on record.
    """
    scope.require(Permission.MANAGE_PATIENTS)
    with unit_of_work(scope) as work:
        row = work.lock_patient(patient)
        refuse_stale(scope, row, version)
        _check_details(scope, details, row)
        earliest = earliest_fact_on(scope, row.id)
        if earliest is not None and details.birth_date > earliest:
            raise RuleViolation(
                "born_after_fact", "birth_date", f"The chart holds an entry of {show_date(earliest)}, before this date."
            )
        before = audit.snapshot(row)
        row.prescriber_id = prescriber_key(scope, details.prescriber, row.prescriber_id)
        for name, value in _columns(details).items():
            setattr(row, name, value)
        _flush_unique(scope)
        if audit.snapshot(row) != before:
            audit.record(scope, AuditAction.PATIENT_EDITED, row, patient_id=row.id, before=before)
        if row.sex_at_birth != before["sex_at_birth"]:
            refresh_findings(scope, row)


def change_prescriber(
    scope: Scope, patient: uuid.UUID, prescriber: uuid.UUID, *, reason: str | None = None, version: int | None = None
) -> None:
    """Make another prescriber of the clinic responsible (R-13); the enrollment stays as it was signed."""
    scope.require(Permission.MANAGE_PATIENTS)
    with unit_of_work(scope) as work:
        row = work.lock_patient(patient)
        refuse_stale(scope, row, version)
        before = audit.snapshot(row)
        row.prescriber_id = prescriber_key(scope, prescriber, row.prescriber_id)
        if row.prescriber_id == before["prescriber_id"]:
            raise RuleViolation("same_prescriber", "prescriber", "Choose a prescriber other than the present one.")
        audit.record(
            scope,
            AuditAction.PATIENT_EDITED,
            row,
            patient_id=row.id,
            before=before,
            reason=(reason or "").strip() or None,
        )


def change_protocol(
    scope: Scope, patient: uuid.UUID, *, protocol_id: str, reason: str | None, version: int | None = None
) -> None:
    """Monitor a patient by another protocol: the whole schedule is worked out anew by it, what is past as well.

    RuleViolation without a reason, for an unknown protocol or the present one, and after the sign-off; StaleVersion
    when somebody else changed the chart since ``version``.
    """
    scope.require(Permission.DECIDE_MONITORING)
    words = facts.check_reason(scope, reason)
    if protocol_id not in packaged_protocols():
        raise RuleViolation("unknown_protocol", "protocol_id", "Choose one of the protocols.")
    with unit_of_work(scope) as work:
        row = work.lock_patient(patient)
        refuse_stale(scope, row, version)
        if row.protocol_id == protocol_id:
            raise RuleViolation("same_protocol", "protocol_id", "Choose a protocol other than the present one.")
        if load_case(scope, row.id).forecast.closed_on is not None:
            message = "Monitoring was signed off. Withdraw the sign-off before changing the protocol."
            raise RuleViolation("closed", None, message)
        before = audit.snapshot(row)
        row.protocol_id = protocol_id
        audit.record(scope, AuditAction.PROTOCOL_CHANGED, row, patient_id=row.id, before=before, reason=words)


def refuse_stale(scope: Scope, row: Patient, version: int | None) -> None:
    """StaleVersion, naming who changed the chart and when, unless ``version`` is the present one."""
    if version is None or version == row.version:
        return
    last = db.session.execute(
        select(AuditEvent.user_id, AuditEvent.at)
        .where(AuditEvent.patient_id == row.id, AuditEvent.subject_type == Patient.__tablename__)
        .order_by(AuditEvent.at.desc(), AuditEvent.id.desc())
        .limit(1)
    ).one_or_none()
    if last is None:
        raise StaleVersion("somebody", "an unknown time")
    raise StaleVersion(facts.user_name(scope, last.user_id), facts.when(scope, last.at))


def set_rems_patient_id(scope: Scope, row: Patient, rems_patient_id: str | None) -> None:
    """Write the REMS id on a locked chart; RuleViolation when another chart has it. Nothing for an empty one."""
    cleaned = (rems_patient_id or "").strip() or None
    if cleaned is None or cleaned == row.rems_patient_id:
        return
    _refuse_taken(scope, "rems_patient_id", cleaned, row.id)
    row.rems_patient_id = cleaned


def _columns(details: PatientDetails) -> dict[str, object]:
    optional = ("rems_patient_id", "phone", "email", "language", "contact_note", "alerts")
    return {
        "mrn": details.mrn.strip(),
        "family_name": details.family_name.strip(),
        "given_name": details.given_name.strip(),
        "birth_date": details.birth_date,
        "sex_at_birth": Sex(details.sex_at_birth).value,
        "has_cervix": details.has_cervix,
        **{name: (getattr(details, name) or "").strip() or None for name in optional},
    }


def _check_details(scope: Scope, details: PatientDetails, row: Patient | None) -> None:
    for field, words in (("mrn", "MRN"), ("family_name", "family name"), ("given_name", "given name")):
        value = getattr(details, field).strip()
        if not value:
            raise RuleViolation("missing", field, f"Enter the {words}.")
        if len(value) > LONGEST_NAME:
            raise RuleViolation("too_long", field, f"The {words} must be {LONGEST_NAME} characters or fewer.")
    check_birth_date(details.birth_date, scope.today).raise_if_refused()
    own = row.id if row is not None else None
    _refuse_taken(scope, "mrn", details.mrn.strip(), own)
    if (details.rems_patient_id or "").strip():
        _refuse_taken(scope, "rems_patient_id", str(details.rems_patient_id).strip(), own)


def _refuse_taken(scope: Scope, column: str, value: str, own: int | None) -> None:
    """RuleViolation when another chart of the clinic has this number, whatever the case of its letters."""
    taken = db.session.execute(
        select(Patient.id).where(
            Patient.clinic_id == scope.clinic_id,
            func.lower(getattr(Patient, column)) == value.lower(),
            Patient.id != (own if own is not None else -1),
        )
    ).first()
    if taken is not None:
        name = "MRN" if column == "mrn" else "REMS patient id"
        raise RuleViolation(f"{column}_taken", column, f"Another chart of this clinic already has this {name}.")


def _refuse_duplicate(scope: Scope, details: PatientDetails) -> None:
    person = Person(None, details.family_name, details.given_name, details.birth_date, details.rems_patient_id)
    if similar_charts(scope, person):
        raise RuleViolation(
            "possible_duplicate",
            "different_person",
            "Somebody much alike has a chart here. Open that chart, or confirm that this is a different person.",
        )


def _flush_unique(_scope: Scope) -> None:
    """Write now: a number that was taken meanwhile is the same message as the check before."""
    try:
        db.session.flush()
    except IntegrityError as error:
        column = "rems_patient_id" if "rems_patient_id" in str(error.orig) else "mrn"
        name = "MRN" if column == "mrn" else "REMS patient id"
        raise RuleViolation(
            f"{column}_taken", column, f"Another chart of this clinic already has this {name}."
        ) from error


def prescriber_key(scope: Scope, prescriber: uuid.UUID | None, present: int | None = None) -> int | None:
    """The key of a prescriber of this clinic. RuleViolation for an unknown one, or an inactive one not ``present``."""
    if prescriber is None:
        return None
    row = db.session.execute(
        select(Prescriber.id, Prescriber.is_active).where(
            Prescriber.public_id == prescriber, Prescriber.clinic_id == scope.clinic_id
        )
    ).one_or_none()
    if row is None:
        raise RuleViolation("unknown_prescriber", "prescriber", "Choose a prescriber of this clinic.")
    if not row.is_active and row.id != present:
        raise RuleViolation("inactive_prescriber", "prescriber", "This prescriber is no longer active: choose another.")
    return int(row.id)

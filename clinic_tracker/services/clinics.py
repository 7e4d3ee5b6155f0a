"""Clinics, their certification and the settings that a clinic may choose itself."""

import re
import uuid
from datetime import date
from typing import Any

from sqlalchemy import select

from clinic_tracker.domain import local_time
from clinic_tracker.domain.errors import NotFound, RuleViolation, StaleVersion
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.models.access import Clinic, ClinicSetting, FacilityCertification
from clinic_tracker.models.base import db
from clinic_tracker.queries.history import clinic_patients
from clinic_tracker.queries.protocols import packaged_protocols
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.settings import protocol_in_force
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.unit_of_work import unit_of_work

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def create_clinic(
    scope: Scope, *, slug: str, name: str, time_zone: str, protocol_id: str, is_demo: bool = False
) -> uuid.UUID:
    """Add a clinic. RuleViolation for a slug that is taken or malformed, an unknown zone or an unknown protocol."""
    if not _SLUG.fullmatch(slug):
        raise RuleViolation("slug", "slug", "The slug takes lower-case letters, digits and single hyphens.")
    if not name.strip():
        raise RuleViolation("name", "name", "Enter the name of the clinic.")
    _check_zone(time_zone)
    _check_protocol(protocol_id)
    with unit_of_work(scope):
        if db.session.execute(select(Clinic.id).where(Clinic.slug == slug)).scalar_one_or_none() is not None:
            raise RuleViolation("slug_taken", "slug", f"There is a clinic with the slug {slug} already.")
        clinic = Clinic(slug=slug, name=name.strip(), time_zone=time_zone, protocol_id=protocol_id, is_demo=is_demo)
        db.session.add(clinic)
        audit.record(scope, AuditAction.CLINIC_CREATED, clinic)
    return clinic.public_id


def edit_clinic(
    scope: Scope,
    *,
    version: int,
    name: str,
    time_zone: str,
    protocol_id: str,
    rems_facility_id: str | None,
    phone: str | None,
) -> None:
    """Change the particulars of the clinic.

    A new protocol holds for patients registered from now on; those in monitoring keep theirs. Raises StaleVersion if
    somebody else changed the clinic meanwhile.
    """
    scope.require(Permission.MANAGE_CLINIC)
    if not name.strip():
        raise RuleViolation("name", "name", "Enter the name of the clinic.")
    _check_zone(time_zone)
    _check_protocol(protocol_id)
    with unit_of_work(scope):
        clinic = lock_clinic(scope)
        if clinic.version != version:
            raise StaleVersion("another administrator", "since you opened this page")
        before = audit.snapshot(clinic)
        clinic.name, clinic.time_zone, clinic.protocol_id = name.strip(), time_zone, protocol_id
        clinic.rems_facility_id, clinic.phone = rems_facility_id, phone
        audit.record(scope, AuditAction.CLINIC_EDITED, clinic, before=before)


def lock_clinic(scope: Scope) -> Clinic:
    """The clinic's row, locked until the commit: who records about the clinic as a whole waits for the one before."""
    return db.session.execute(select(Clinic).where(Clinic.id == scope.clinic_id).with_for_update()).scalar_one()


def change_setting(scope: Scope, *, name: str, value: int, effective_from: date, reason: str) -> None:
    """Choose the clinic's own value of an unconfirmed (R) or conventional (C) setting, from a date not in the future.

    Every schedule of the clinic follows at once. RuleViolation for an official value, one out of its bounds or against
    the clinic's other values, a future date or no reason.
    """
    scope.require(Permission.MANAGE_CLINIC)
    if effective_from > scope.today:
        raise RuleViolation(
            "future", "effective_from", "The date must not be in the future: a schedule follows a setting at once."
        )
    if not reason.strip():
        raise RuleViolation("reason", "reason", "Enter the reason for the change.")
    packaged_protocols()[scope.protocol_id].with_settings({name: value})
    with unit_of_work(scope) as work:
        change = ClinicSetting(
            clinic_id=scope.clinic_id,
            name=name,
            value=value,
            effective_from=effective_from,
            reason=reason.strip(),
            recorded_by_id=scope.user_id,
            recorded_at=scope.now,
        )
        db.session.add(change)
        audit.record(scope, AuditAction.SETTING_CHANGED, change, reason=reason.strip())
        for known in packaged_protocols():
            protocol_in_force(scope, known)  # refuses what does not go together with the other values of the clinic
        for patient in clinic_patients(scope):
            work.lock_patient(patient)


def certify_facility(
    scope: Scope,
    *,
    certified_on: date,
    ends_on: date | None,
    representative_name: str,
    representative_trained_on: date | None,
    note: str | None,
) -> uuid.UUID:
    """Record a certification of the healthcare facility in the REMS (R-03); earlier ones stay for the history.

    Its public id; that of the one on record when the same is recorded twice.
    """
    scope.require(Permission.MANAGE_CLINIC)
    if certified_on > scope.today:
        raise RuleViolation("future", "certified_on", "The date of certification must not be in the future.")
    if ends_on is not None and ends_on < certified_on:
        raise RuleViolation("order", "ends_on", "The certification must not end before it begins.")
    if not representative_name.strip():
        raise RuleViolation("representative", "representative_name", "Enter the name of the authorized representative.")
    if representative_trained_on is not None and representative_trained_on > certified_on:
        raise RuleViolation(
            "order", "representative_trained_on", "The representative completes the training before the certification."
        )
    particulars: dict[str, Any] = {
        "clinic_id": scope.clinic_id,
        "certified_on": certified_on,
        "ends_on": ends_on,
        "representative_name": representative_name.strip(),
        "representative_trained_on": representative_trained_on,
        "note": note,
    }
    with unit_of_work(scope):
        lock_clinic(scope)
        same = select(FacilityCertification.public_id).filter_by(**particulars, withdrawn_at=None).limit(1)
        if (before := db.session.execute(same).scalar_one_or_none()) is not None:
            return before
        certification = FacilityCertification(**particulars, recorded_by_id=scope.user_id, recorded_at=scope.now)
        db.session.add(certification)
        audit.record(scope, AuditAction.FACILITY_CERTIFIED, certification)
    return certification.public_id


def withdraw_certification(scope: Scope, certification: uuid.UUID, *, reason: str) -> None:
    """Mark a certification as entered in error; NotFound if it is not this clinic's or was withdrawn already."""
    scope.require(Permission.MANAGE_CLINIC)
    if not reason.strip():
        raise RuleViolation("reason", "reason", "Enter the reason.")
    with unit_of_work(scope):
        row = db.session.execute(
            select(FacilityCertification).where(
                FacilityCertification.public_id == certification,
                FacilityCertification.clinic_id == scope.clinic_id,
                FacilityCertification.withdrawn_at.is_(None),
            )
        ).scalar_one_or_none()
        if row is None:
            raise NotFound("certification")
        before = audit.snapshot(row)
        row.withdrawn_at = scope.now
        audit.record(scope, AuditAction.FACILITY_CERTIFICATION_WITHDRAWN, row, before=before, reason=reason.strip())


def _check_zone(name: str) -> None:
    try:
        local_time.zone(name)
    except RuleViolation as error:
        raise RuleViolation(
            "time_zone", "time_zone", f"{name!r} is not a time zone: use a name such as America/New_York."
        ) from error


def _check_protocol(name: str) -> None:
    if name not in packaged_protocols():
        known = ", ".join(sorted(packaged_protocols()))
        raise RuleViolation("protocol", "protocol_id", f"{name!r} is not a protocol: choose one of {known}.")

"""Prescribers of a clinic and their certification in the REMS (R-01)."""

import re
import uuid
from datetime import date
from typing import Any

from sqlalchemy import select

from clinic_tracker.domain.errors import NotFound, RuleViolation, StaleVersion
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.models.access import Membership, Prescriber, User
from clinic_tracker.models.base import db
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.clinics import lock_clinic
from clinic_tracker.services.unit_of_work import unit_of_work

_NPI = re.compile(r"[0-9]{10}")


def add_prescriber(
    scope: Scope,
    *,
    name: str,
    npi: str | None,
    rems_prescriber_id: str | None,
    certified_on: date | None,
    certification_ends_on: date | None,
    user: uuid.UUID | None = None,
) -> uuid.UUID:
    """Add a prescriber to the clinic; the public id, that of the one on record when the same is added twice.

    RuleViolation for a bad or a taken NPI and for dates out of order.
    """
    scope.require(Permission.MANAGE_CLINIC)
    _check(scope, name, npi, certified_on, certification_ends_on)
    with unit_of_work(scope):
        lock_clinic(scope)
        particulars: dict[str, Any] = {
            "clinic_id": scope.clinic_id,
            "name": name.strip(),
            "npi": npi,
            "rems_prescriber_id": rems_prescriber_id,
            "certified_on": certified_on,
            "certification_ends_on": certification_ends_on,
            "user_id": _user_id(scope, user),
        }
        same = select(Prescriber.public_id).filter_by(**particulars, is_active=True).limit(1)
        if (before := db.session.execute(same).scalar_one_or_none()) is not None:
            return before
        _check_npi_free(scope, npi, None)
        prescriber = Prescriber(**particulars)
        db.session.add(prescriber)
        audit.record(scope, AuditAction.PRESCRIBER_ADDED, prescriber)
    return prescriber.public_id


def edit_prescriber(
    scope: Scope,
    prescriber: uuid.UUID,
    *,
    version: int,
    name: str,
    npi: str | None,
    rems_prescriber_id: str | None,
    certified_on: date | None,
    certification_ends_on: date | None,
    user: uuid.UUID | None,
    is_active: bool,
) -> None:
    """Change a prescriber; one who left becomes inactive, and their patients show up among the data to check.

    Raises NotFound, StaleVersion, RuleViolation.
    """
    scope.require(Permission.MANAGE_CLINIC)
    _check(scope, name, npi, certified_on, certification_ends_on)
    with unit_of_work(scope):
        row = db.session.execute(
            select(Prescriber)
            .where(Prescriber.public_id == prescriber, Prescriber.clinic_id == scope.clinic_id)
            .with_for_update()
        ).scalar_one_or_none()
        if row is None:
            raise NotFound("prescriber")
        if row.version != version:
            raise StaleVersion("another administrator", "since you opened this page")
        _check_npi_free(scope, npi, row.id)
        before = audit.snapshot(row)
        row.name, row.npi, row.rems_prescriber_id = name.strip(), npi, rems_prescriber_id
        row.certified_on, row.certification_ends_on = certified_on, certification_ends_on
        row.user_id, row.is_active = _user_id(scope, user), is_active
        audit.record(scope, AuditAction.PRESCRIBER_EDITED, row, before=before)


def _check(scope: Scope, name: str, npi: str | None, certified_on: date | None, ends_on: date | None) -> None:
    if not name.strip():
        raise RuleViolation("name", "name", "Enter the prescriber's name.")
    if npi is not None and not _NPI.fullmatch(npi):
        raise RuleViolation("npi", "npi", "The NPI has 10 digits.")
    if certified_on is not None and certified_on > scope.today:
        raise RuleViolation("future", "certified_on", "The date of certification must not be in the future.")
    if ends_on is not None and (certified_on is None or ends_on < certified_on):
        raise RuleViolation("order", "certification_ends_on", "The certification must not end before it begins.")


def _check_npi_free(scope: Scope, npi: str | None, own_id: int | None) -> None:
    if npi is None:
        return
    other = db.session.execute(
        select(Prescriber.id).where(Prescriber.clinic_id == scope.clinic_id, Prescriber.npi == npi)
    ).scalar_one_or_none()
    if other is not None and other != own_id:
        raise RuleViolation("npi_taken", "npi", "Another prescriber of this clinic has this NPI.")


def _user_id(scope: Scope, user: uuid.UUID | None) -> int | None:
    """The key of a person with a role in this clinic; RuleViolation for anybody else."""
    if user is None:
        return None
    found = db.session.execute(
        select(User.id)
        .join(Membership, Membership.user_id == User.id)
        .where(User.public_id == user, Membership.clinic_id == scope.clinic_id, Membership.ended_on.is_(None))
    ).scalar_one_or_none()
    if found is None:
        raise RuleViolation("user", "user", "Choose a person of this clinic.")
    return found

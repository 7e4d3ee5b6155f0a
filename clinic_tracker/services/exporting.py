"""Noting that data left the tracker."""

from collections.abc import Mapping
from typing import Any

from clinic_tracker.domain.permissions import Permission
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.unit_of_work import unit_of_work


def note_export(scope: Scope, name: str, parameters: Mapping[str, Any]) -> None:
    """Note who exported what, with the filters in force."""
    scope.require(Permission.EXPORT_DATA)
    with unit_of_work(scope):
        audit.note(
            scope,
            AuditAction.DATA_EXPORTED,
            subject_type="clinic",
            subject_id=scope.clinic_id,
            after={"export": name, **parameters},
        )


def note_document(scope: Scope, patient_id: int, name: str, parameters: Mapping[str, Any]) -> None:
    """Note who took a document about a patient out of the tracker, and which one."""
    scope.require(Permission.EXPORT_DATA)
    with unit_of_work(scope):
        audit.note(
            scope,
            AuditAction.DATA_EXPORTED,
            subject_type="patient",
            subject_id=patient_id,
            patient_id=patient_id,
            after={"export": name, **parameters},
        )

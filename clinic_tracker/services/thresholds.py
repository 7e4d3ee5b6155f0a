"""The clinic's own thresholds of findings; results are judged anew where one changes."""

from datetime import date

from sqlalchemy import select

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.thresholds import check_thresholds, threshold_rule
from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.access import ClinicSetting
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import LabReport
from clinic_tracker.models.patients import Patient
from clinic_tracker.queries.lab_catalog import lab_catalog
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.thresholds import PREFIX, threshold_changes, thresholds_on
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.clinics import lock_clinic
from clinic_tracker.services.facts import check_reason
from clinic_tracker.services.lab_findings import refresh_many
from clinic_tracker.services.unit_of_work import unit_of_work


def change_threshold(scope: Scope, *, rule: str, value: float, effective_from: date, reason: str | None) -> int:
    """Choose the clinic's own threshold of a rule for specimens collected from a date on, past or to come.

    A result is judged by the thresholds of the day on which it was collected, so those collected from that date on are
    judged anew; the number of results whose findings changed. RuleViolation for a rule of the label or without a
    threshold, a value out of its bounds or against its neighbors, or no reason.
    """
    scope.require(Permission.MANAGE_CLINIC)
    threshold_rule(lab_catalog(scope), rule)
    words = check_reason(scope, reason)
    with unit_of_work(scope) as work:
        lock_clinic(scope)
        _check(scope, rule, value, effective_from)
        change = ClinicSetting(
            clinic_id=scope.clinic_id,
            name=PREFIX + rule,
            value=value,
            effective_from=effective_from,
            reason=words,
            recorded_by_id=scope.user_id,
            recorded_at=scope.now,
        )
        db.session.add(change)
        audit.record(scope, AuditAction.THRESHOLD_CHANGED, change, reason=words)
        patients = [work.lock_patient(patient) for patient in _collected_since(scope, effective_from)]
        return refresh_many(scope, dict.fromkeys(patients, effective_from))


def _check(scope: Scope, rule: str, value: float, effective_from: date) -> None:
    """The value among the others in force on that date, and on every later one on which another one begins."""
    changes = threshold_changes(scope)
    own = sorted(change.effective_from for change in changes if change.rule == rule)
    until = next((day for day in own if day > effective_from), date.max)
    starts = {effective_from, *(item.effective_from for item in changes)}
    for day in sorted(day for day in starts if effective_from <= day < until):
        check_thresholds(lab_catalog(scope), {**thresholds_on(scope, changes, day), rule: value})
    if value == {**_packaged(scope), **thresholds_on(scope, changes, effective_from)}.get(rule) and not own:
        raise RuleViolation("no_change", "value", "This is the value in force. Choose another one, or go back.")


def _packaged(scope: Scope) -> dict[str, float]:
    return {rule.code: rule.threshold for rule in lab_catalog(scope).rules if rule.threshold is not None}


def _collected_since(scope: Scope, day: date) -> list[int]:
    return list(
        db.session.scalars(
            select(LabReport.patient_id)
            .join(Patient, Patient.id == LabReport.patient_id)
            .where(
                LabReport.clinic_id == scope.clinic_id,
                Patient.merged_into_id.is_(None),
                LabReport.collected_on >= day,
                LabReport.state == FactState.RECORDED.value,
            )
            .distinct()
            .order_by(LabReport.patient_id)
        )
    )

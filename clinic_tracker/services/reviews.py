"""The sign-off of results by somebody who may give it; it can be taken back with a reason."""

import uuid
from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import select

from clinic_tracker.domain.errors import NotFound, RuleViolation
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import LabReport
from clinic_tracker.models.patients import Patient
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.facts import check_reason, user_name, when
from clinic_tracker.services.unit_of_work import unit_of_work

LONGEST_NOTE = 2000


class Reviewed(NamedTuple):
    """How many reports were signed off now, and how many somebody else had signed off or changed before."""

    reviewed: int
    already: int


def review_reports(scope: Scope, reports: Collection[uuid.UUID], *, note: str | None = None) -> Reviewed:
    """Sign off one report or many, with one note for all of them.

    NotFound if one is not of this clinic: nothing is signed off then. Reports that were reviewed, corrected or
    withdrawn meanwhile are left as they are and counted. RuleViolation when none is chosen.
    """
    scope.require(Permission.REVIEW_RESULTS)
    wanted = set(reports)
    if not wanted:
        raise RuleViolation("nothing_chosen", "reports", "Choose at least one result.")
    words = (note or "").strip() or None
    if words and len(words) > LONGEST_NOTE:
        raise RuleViolation("note_too_long", "note", f"The note must be {LONGEST_NOTE} characters or fewer.")
    with unit_of_work(scope):
        found = _locked(scope, wanted)
        waiting = [row for row in found if row.reviewed_at is None and row.state == FactState.RECORDED.value]
        for row in waiting:
            before = audit.snapshot(row)
            row.reviewed_by_id, row.reviewed_at, row.review_note = scope.user_id, scope.now, words
            audit.record(scope, AuditAction.LAB_REPORT_REVIEWED, row, before=before)
    return Reviewed(len(waiting), len(found) - len(waiting))


def undo_review(scope: Scope, patient: uuid.UUID, report: uuid.UUID, *, reason: str | None) -> None:
    """Take a sign-off back, with a reason: the report waits for review again.

    RuleViolation ``not_reviewed`` when it was taken back already, ``already_changed`` for a report that was corrected.
    """
    scope.require(Permission.REVIEW_RESULTS)
    with unit_of_work(scope):
        (row,) = _locked(scope, {report}, patient)
        words = check_reason(scope, reason)
        if row.state != FactState.RECORDED.value:
            by, at = user_name(scope, row.withdrawn_by_id), when(scope, row.withdrawn_at)
            raise RuleViolation("already_changed", None, f"This result was changed by {by} on {at}. Look at it again.")
        if row.reviewed_at is None:
            raise RuleViolation("not_reviewed", None, "This result is waiting for review already.")
        before = audit.snapshot(row)
        row.reviewed_by_id = row.reviewed_at = row.review_note = None
        audit.record(scope, AuditAction.LAB_REVIEW_WITHDRAWN, row, before=before, reason=words)


def _locked(scope: Scope, reports: set[uuid.UUID], patient: uuid.UUID | None = None) -> list[LabReport]:
    """The reports of this clinic, locked in the order of their keys so that two people cannot block each other."""
    statement = (
        select(LabReport)
        .where(LabReport.clinic_id == scope.clinic_id, LabReport.public_id.in_(reports))
        .order_by(LabReport.id)
        .with_for_update()
    )
    if patient is not None:
        statement = statement.join(Patient, Patient.id == LabReport.patient_id).where(Patient.public_id == patient)
    found = list(db.session.execute(statement.execution_options(populate_existing=True)).scalars())
    if len(found) != len(reports):
        raise NotFound("lab_report")
    return found

"""The sign-off of results by somebody who may give it; it can be taken back with a reason."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import select

from clinic_tracker.domain.errors import NotFound, RuleViolation
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import LabReport
from clinic_tracker.models.patients import Patient
from clinic_tracker.queries.acknowledgements import acknowledgements_of, unanswered
from clinic_tracker.queries.lab_rows import ReportRow, report_columns, with_values
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.facts import check_reason, user_name, when
from clinic_tracker.services.unit_of_work import unit_of_work

LONGEST_NOTE = 2000


class Reviewed(NamedTuple):
    """How many reports were signed off now, had been signed off or replaced before, and look other than when shown."""

    reviewed: int
    already: int
    changed: int = 0


def review_reports(
    scope: Scope,
    reports: Collection[uuid.UUID],
    *,
    note: str | None = None,
    seen: Mapping[uuid.UUID, str] | None = None,
) -> Reviewed:
    """Sign off one report or many, with one note for all of them.

    NotFound if one is not of this clinic: nothing is signed off then. Reports that were reviewed, corrected or
    withdrawn meanwhile are left as they are and counted, and so are those that look other than the digest that was
    ``seen`` of them. RuleViolation when none is chosen, and when nobody has said what was done about a finding.
    """
    scope.require(Permission.REVIEW_RESULTS)
    wanted = set(reports)
    if not wanted:
        raise RuleViolation("nothing_chosen", "reports", "Choose at least one result.")
    with unit_of_work(scope):
        found = lock_reports(scope, wanted)
        waiting = [row for row in found if row.reviewed_at is None and row.state == FactState.RECORDED.value]
        digests = _digests(scope, waiting) if seen is not None else {}
        fresh = [row for row in waiting if seen is None or digests[row.id] == seen.get(row.public_id)]
        sign(scope, fresh, note)
    return Reviewed(len(fresh), len(found) - len(waiting), len(waiting) - len(fresh))


def undo_review(scope: Scope, patient: uuid.UUID, report: uuid.UUID, *, reason: str | None) -> None:
    """Take a sign-off back, or a closing by itself, with a reason: the report waits for review again.

    RuleViolation ``not_reviewed`` when it was taken back already, ``already_changed`` for a report that was corrected.
    """
    scope.require(Permission.REVIEW_RESULTS)
    with unit_of_work(scope):
        (row,) = lock_reports(scope, {report}, patient)
        words = check_reason(scope, reason)
        if row.state != FactState.RECORDED.value:
            by, at = user_name(scope, row.withdrawn_by_id), when(scope, row.withdrawn_at)
            raise RuleViolation("already_changed", None, f"This result was changed by {by} on {at}. Look at it again.")
        if row.reviewed_at is None:
            raise RuleViolation("not_reviewed", None, "This result is waiting for review already.")
        take_back(scope, row, words)


def sign(scope: Scope, rows: Sequence[LabReport], note: str | None) -> None:
    """Sign off locked reports that wait, inside a unit of work."""
    words = (note or "").strip() or None
    if words and len(words) > LONGEST_NOTE:
        raise RuleViolation("note_too_long", "note", f"The note must be {LONGEST_NOTE} characters or fewer.")
    _check_answered(scope, rows)
    for row in rows:
        if row.reviewed_at is not None:
            by, at = user_name(scope, row.reviewed_by_id), when(scope, row.reviewed_at)
            raise RuleViolation("already_reviewed", None, f"This result was reviewed by {by} on {at}.")
        before = audit.snapshot(row)
        row.reviewed_by_id, row.reviewed_at, row.review_note = scope.user_id, scope.now, words
        row.sample_checked_at = scope.now if row.in_sample else None
        audit.record(scope, AuditAction.LAB_REPORT_REVIEWED, row, before=before)


def take_back(scope: Scope, row: LabReport, reason: str) -> None:
    """Put a reviewed report back into the queue, inside a unit of work."""
    before = audit.snapshot(row)
    row.reviewed_by_id = row.reviewed_at = row.review_note = row.sample_checked_at = None
    row.auto_reviewed = False
    audit.record(scope, AuditAction.LAB_REVIEW_WITHDRAWN, row, before=before, reason=reason)


def check_seen(scope: Scope, row: LabReport, seen: str) -> None:
    """RuleViolation ``changed_since`` for a locked report that looks other than what was seen of it."""
    if _digests(scope, [row])[row.id] != seen:
        message = "This result changed since the page was opened, so nothing was saved. Look at it again."
        raise RuleViolation("changed_since", None, message)


def lock_reports(scope: Scope, reports: set[uuid.UUID], patient: uuid.UUID | None = None) -> list[LabReport]:
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


def _check_answered(scope: Scope, rows: Sequence[LabReport]) -> None:
    """RuleViolation ``unacknowledged`` naming the findings about which nobody has said what was done."""
    told = [row for row in rows if row.findings]
    said = acknowledgements_of(scope, [row.id for row in told]) if told else {}
    words = [
        str(finding["words"])
        for row in told
        for of_rule in unanswered(scope, row.findings, said.get(row.id, [])).values()
        for finding in of_rule
    ]
    if words:
        message = f"Say first what was done about: {'; '.join(dict.fromkeys(words))}."
        raise RuleViolation("unacknowledged", None, message)


def _digests(scope: Scope, rows: Sequence[LabReport]) -> dict[int, str]:
    found = db.session.execute(
        report_columns(scope).where(LabReport.clinic_id == scope.clinic_id, LabReport.id.in_([row.id for row in rows]))
    )
    return {row.id: row.digest for row in with_values(scope, [ReportRow(*row) for row in found])}

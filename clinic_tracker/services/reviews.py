"""The sign-off of results, reports and exams alike, by somebody who may give it; it can be taken back with a reason."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.monitoring import LabReport
from clinic_tracker.queries.acknowledgements import unanswered
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.facts import check_reason, user_name, when
from clinic_tracker.services.review_items import Item, digests, findings_of, lock_items, said_about
from clinic_tracker.services.unit_of_work import unit_of_work

LONGEST_NOTE = 2000


class Reviewed(NamedTuple):
    """How many results were signed off now, had been signed off or replaced before, and look other than when shown."""

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
    """Sign off one report or exam or many, with one note for all of them.

    NotFound if one is not of this clinic: nothing is signed off then. Those that were reviewed, corrected or
    withdrawn meanwhile are left as they are and counted, and so are those that look other than the digest that was
    ``seen`` of them. RuleViolation when none is chosen, and when nobody has said what was done about a finding.
    """
    scope.require(Permission.REVIEW_RESULTS)
    wanted = set(reports)
    if not wanted:
        raise RuleViolation("nothing_chosen", "reports", "Choose at least one result.")
    with unit_of_work(scope):
        found = lock_items(scope, wanted)
        waiting = [row for row in found if row.reviewed_at is None and row.state == FactState.RECORDED.value]
        now = digests(scope, waiting) if seen is not None else {}
        fresh = [row for row in waiting if seen is None or now[row.public_id] == seen.get(row.public_id)]
        sign(scope, fresh, note)
    return Reviewed(len(fresh), len(found) - len(waiting), len(waiting) - len(fresh))


def undo_review(scope: Scope, patient: uuid.UUID, report: uuid.UUID, *, reason: str | None) -> None:
    """Take a sign-off back, or a closing by itself, with a reason: the report waits for review again.

    RuleViolation ``not_reviewed`` when it was taken back already, ``already_changed`` for one that was corrected.
    """
    scope.require(Permission.REVIEW_RESULTS)
    with unit_of_work(scope):
        (row,) = lock_items(scope, {report}, patient)
        words = check_reason(scope, reason)
        if row.state != FactState.RECORDED.value:
            by, at = user_name(scope, row.withdrawn_by_id), when(scope, row.withdrawn_at)
            raise RuleViolation("already_changed", None, f"This result was changed by {by} on {at}. Look at it again.")
        if row.reviewed_at is None:
            raise RuleViolation("not_reviewed", None, "This result is waiting for review already.")
        take_back(scope, row, words)


def sign(scope: Scope, rows: Sequence[Item], note: str | None) -> None:
    """Sign off locked reports and exams that wait, inside a unit of work."""
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
        if isinstance(row, LabReport):
            row.sample_checked_at = scope.now if row.in_sample else None
        reviewed = AuditAction.LAB_REPORT_REVIEWED if isinstance(row, LabReport) else AuditAction.EXAM_REVIEWED
        audit.record(scope, reviewed, row, before=before)


def take_back(scope: Scope, row: Item, reason: str) -> None:
    """Put a reviewed report or exam back into the queue, inside a unit of work."""
    before = audit.snapshot(row)
    row.reviewed_by_id = row.reviewed_at = row.review_note = None
    action = AuditAction.EXAM_REVIEW_WITHDRAWN
    if isinstance(row, LabReport):
        row.sample_checked_at, row.auto_reviewed = None, False
        action = AuditAction.LAB_REVIEW_WITHDRAWN
    audit.record(scope, action, row, before=before, reason=reason)


def check_seen(scope: Scope, row: Item, seen: str) -> None:
    """RuleViolation ``changed_since`` for a locked report or exam that looks other than what was seen of it."""
    if digests(scope, [row])[row.public_id] != seen:
        message = "This result changed since the page was opened, so nothing was saved. Look at it again."
        raise RuleViolation("changed_since", None, message)


def _check_answered(scope: Scope, rows: Sequence[Item]) -> None:
    """RuleViolation ``unacknowledged`` naming the findings about which nobody has said what was done."""
    told = [row for row in rows if findings_of(scope, row)]
    said = said_about(scope, told) if told else {}
    words = [
        str(finding["words"])
        for row in told
        for of_rule in unanswered(scope, findings_of(scope, row), said[row.public_id]).values()
        for finding in of_rule
    ]
    if words:
        message = f"Say first what was done about: {'; '.join(dict.fromkeys(words))}."
        raise RuleViolation("unacknowledged", None, message)

"""Merge two charts of one person, put them back, or note that they are two people.

Every row of the duplicate moves to the surviving chart. The log keeps the key of each and a digest of what it held,
so that an undo can tell whether something was changed since.
"""

import hashlib
import json
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, select, update

from clinic_tracker.domain.errors import NotFound, RuleViolation
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import NotADuplicate, Patient, PatientMerge
from clinic_tracker.queries.merging import MERGED_TABLES, conflicts_between, empty_courses
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit, facts
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.lab_findings import refresh_findings
from clinic_tracker.services.unit_of_work import UnitOfWork, unit_of_work

_NOT_HELD = frozenset({"patient_id", "findings", "worst_level"})


@dataclass(frozen=True, slots=True)
class Pair:
    """Two locked charts of one clinic."""

    survivor: Patient
    duplicate: Patient


def merge_patients(scope: Scope, survivor: uuid.UUID, duplicate: uuid.UUID, *, reason: str) -> uuid.UUID:
    """Move everything of the duplicate to the surviving chart; the public id of the merge.

    RuleViolation in words for what stands against it: one course number on both, two infusions on one day, courses
    out of order, two current enrollments, different protocols. Nothing is moved then.
    """
    scope.require(Permission.MERGE_PATIENTS)
    with unit_of_work(scope) as work:
        pair = _lock(scope, work, survivor, duplicate)
        words = facts.check_reason(scope, reason)
        conflicts = conflicts_between(scope, pair.survivor.id, pair.duplicate.id)
        if conflicts:
            raise RuleViolation("merge_conflict", None, " ".join(conflicts))
        before = audit.snapshot(pair.duplicate)
        merge = PatientMerge(
            clinic_id=scope.clinic_id,
            survivor_id=pair.survivor.id,
            duplicate_id=pair.duplicate.id,
            moved=_move_all(scope, pair),
            reason=words,
            merged_by_id=scope.user_id,
            merged_at=scope.now,
        )
        db.session.add(merge)
        pair.duplicate.merged_into_id = pair.survivor.id
        _audit_both(scope, AuditAction.PATIENT_MERGED, pair, before, words, merge)
    return merge.public_id


def undo_merge(scope: Scope, merge: uuid.UUID, *, reason: str) -> None:
    """Put back what a merge moved. RuleViolation when any of it was changed since, or the merge was undone before."""
    scope.require(Permission.MERGE_PATIENTS)
    with unit_of_work(scope) as work:
        row = _find_merge(scope, merge)
        words = facts.check_reason(scope, reason)
        if row.undone_at is not None:
            by = facts.user_name(scope, row.undone_by_id)
            raise RuleViolation("already_undone", None, f"This merge was undone already, by {by}.")
        pair = _lock_merged(scope, work, row)
        _refuse_changed(scope, row)
        before = audit.snapshot(pair.duplicate)
        for table in MERGED_TABLES:
            _move(table, [int(key) for key in row.moved.get(table.name, {})], pair.duplicate.id)
        for chart in (pair.survivor, pair.duplicate):
            refresh_findings(scope, chart)
        pair.duplicate.merged_into_id = None
        row.undone_by_id, row.undone_at, row.undone_reason = scope.user_id, scope.now, words
        work.touch(pair.duplicate)
        _audit_both(scope, AuditAction.PATIENT_MERGE_UNDONE, pair, before, words, row)


def mark_not_duplicate(scope: Scope, one: uuid.UUID, other: uuid.UUID) -> None:
    """Note that two charts are of two people, so that nobody is asked again. Harmless when it was noted before."""
    scope.require(Permission.MERGE_PATIENTS)
    with unit_of_work(scope) as work:
        pair = _lock(scope, work, one, other)
        first, second = sorted((pair.survivor.id, pair.duplicate.id))
        known = select(NotADuplicate.id).where(NotADuplicate.first_id == first, NotADuplicate.second_id == second)
        if db.session.execute(known).first() is not None:
            return
        note = NotADuplicate(
            clinic_id=scope.clinic_id,
            first_id=first,
            second_id=second,
            recorded_by_id=scope.user_id,
            recorded_at=scope.now,
        )
        db.session.add(note)
        for key in (first, second):
            audit.record(scope, AuditAction.PATIENT_NOT_DUPLICATE, note, patient_id=key)


def _lock(scope: Scope, work: UnitOfWork, survivor: uuid.UUID, duplicate: uuid.UUID) -> Pair:
    """Both charts, locked in the order of their keys."""
    if survivor == duplicate:
        raise RuleViolation("same_chart", None, "Choose two different charts.")
    keys = db.session.execute(
        select(Patient.id, Patient.public_id).where(
            Patient.public_id.in_([survivor, duplicate]), Patient.clinic_id == scope.clinic_id
        )
    )
    rows = {public_id: work.lock_patient(key) for key, public_id in sorted(keys)}
    if len(rows) < len({survivor, duplicate}):
        raise NotFound("patient")
    return Pair(rows[survivor], rows[duplicate])


def _lock_merged(scope: Scope, work: UnitOfWork, merge: PatientMerge) -> Pair:
    """The charts of a merge. RuleViolation when the surviving one was merged itself meanwhile."""
    rows = {
        row.id: row
        for row in db.session.execute(
            select(Patient)
            .where(Patient.id.in_([merge.survivor_id, merge.duplicate_id]), Patient.clinic_id == scope.clinic_id)
            .order_by(Patient.id)
            .with_for_update()
        ).scalars()
    }
    if rows[merge.survivor_id].merged_into_id is not None:
        message = "The surviving chart was merged into another one since. Undo that merge first."
        raise RuleViolation("merged_again", None, message)
    return Pair(work.lock_patient(merge.survivor_id), rows[merge.duplicate_id])


def _find_merge(scope: Scope, merge: uuid.UUID) -> PatientMerge:
    row = db.session.execute(
        select(PatientMerge)
        .where(PatientMerge.public_id == merge, PatientMerge.clinic_id == scope.clinic_id)
        .with_for_update()
    ).scalar_one_or_none()
    if row is None:
        raise NotFound("merge")
    return row


def _move_all(scope: Scope, pair: Pair) -> dict[str, dict[str, str]]:
    """Move the rows of every table; by table, the key of each and the digest of what it holds afterwards.

    What results mean is worked out in between: each chart's are seen in the light of the other's from now on.
    """
    staying = empty_courses(scope, pair.survivor.id, pair.duplicate.id)
    moved: dict[str, list[int]] = {}
    for table in MERGED_TABLES:
        going = table.c.patient_id == pair.duplicate.id
        course = table.c.id if table.name == "treatment_course" else table.c.get("course_id")
        if staying and course is not None:
            going &= course.is_(None) | course.not_in(staying)
        moved[table.name] = list(db.session.execute(select(table.c.id).where(going)).scalars())
        _move(table, moved[table.name], pair.survivor.id)
    refresh_findings(scope, pair.survivor)
    db.session.flush()
    return {table.name: _digests(table, table.c.id.in_(keys)) for table in MERGED_TABLES if (keys := moved[table.name])}


def _move(table: Table, keys: list[int], patient_id: int) -> None:
    if keys:
        db.session.execute(update(table).where(table.c.id.in_(keys)).values(patient_id=patient_id))


def _refuse_changed(_scope: Scope, merge: PatientMerge) -> None:
    """RuleViolation when a moved row holds something else now, or something new hangs on a moved course."""
    changed = []
    for table in MERGED_TABLES:
        moved: dict[str, str] = merge.moved.get(table.name, {})
        mine = table.c.id.in_([int(key) for key in moved]) & (table.c.patient_id == merge.survivor_id)
        if moved and _digests(table, mine) != moved:
            changed.append(table.name)
    courses = [int(key) for key in merge.moved.get("treatment_course", {})]
    for table in MERGED_TABLES if courses else ():
        if "course_id" not in table.c:
            continue
        keys = [int(key) for key in merge.moved.get(table.name, {})]
        added = select(table.c.id).where(table.c.course_id.in_(courses), table.c.id.not_in(keys))
        if db.session.execute(added).first() is not None:
            changed.append(table.name)
    if changed:
        names = ", ".join(name.replace("_", " ") for name in dict.fromkeys(changed))
        message = f"Something that was moved has been changed since ({names}). Correct the charts by hand instead."
        raise RuleViolation("changed_since", None, message)


def _digests(table: Table, condition: Any) -> dict[str, str]:
    """By key, a digest of what a row holds apart from whose it is, and from what is worked out from other rows."""
    rows = db.session.execute(select(table).where(condition)).mappings()
    return {str(row["id"]): _digest({name: row[name] for name in row if name not in _NOT_HELD}) for row in rows}


def _digest(values: dict[str, Any]) -> str:
    text = json.dumps(values, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _audit_both(
    scope: Scope, action: AuditAction, pair: Pair, before: dict[str, Any], reason: str, merge: PatientMerge
) -> None:
    """One event on each chart; each tells how many rows of what were moved."""
    audit.record(scope, action, pair.duplicate, patient_id=pair.duplicate.id, before=before, reason=reason)
    counts = {name: len(keys) for name, keys in sorted(merge.moved.items())}
    audit.note(
        scope,
        action,
        subject_type="patient_merge",
        subject_id=merge.id,
        patient_id=pair.survivor.id,
        after={"rows": counts},
        reason=reason,
    )

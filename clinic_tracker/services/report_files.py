"""The folder with the files of reports: put there whole or not at all, told whole by their hash, removed in time."""

import hashlib
import logging
import os
import re
import uuid
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from sqlalchemy import select

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.reporting.formats import UNFINISHED, ReportFormat, Stored, read_stored_name, stored_name
from clinic_tracker.models.base import db
from clinic_tracker.models.reporting import ReportRun
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.report_runs import find_run, told
from clinic_tracker.services.unit_of_work import unit_of_work

PRUNED_AT_ONCE = 100
log = logging.getLogger(__name__)
_SHA256 = re.compile(r"[0-9a-f]{64}")


class FileState(StrEnum):
    """What became of a file that was made."""

    UNCHANGED = "unchanged"
    CHANGED = "changed"
    MISSING = "missing"
    REMOVED = "removed"  # its time was over
    NOT_MADE = "not_made"


def place_of(_scope: Scope, folder: Path, name: str) -> Path:
    """Where a file is written; the folder is made, for its owner alone, and leftovers of the same name are removed."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{name}{UNFINISHED}"
    path.unlink(missing_ok=True)
    return path


def put_in_place(_scope: Scope, path: Path) -> Path:
    """Give a written file its name, so that a power cut leaves it whole there or not at all."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
    final = path.with_name(path.name.removesuffix(UNFINISHED))
    path.replace(final)
    with suppress(OSError):  # where a folder cannot be opened, as on Windows
        handle = os.open(final.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    return final


def digest_of(_scope: Scope, path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def stored_file(scope: Scope, run: uuid.UUID, folder: Path) -> tuple[FileState, Path]:
    """Whether the file of a run is there and unchanged, and where."""
    row = find_run(scope, run)
    path = folder / stored_name(row.public_id, row.attempts, row.format)
    if row.finished_at is None:
        return FileState.NOT_MADE, path
    if row.removed_at is not None:
        return FileState.REMOVED, path
    try:
        same = path.stat().st_size == row.size and digest_of(scope, path) == row.sha256
    except OSError:
        return FileState.MISSING, path
    return (FileState.UNCHANGED if same else FileState.CHANGED), path


@dataclass(frozen=True, slots=True)
class Comparison:
    """A file that was made again beside the first. ``gone`` and ``new`` count lines, where both are there as CSV."""

    same_bytes: bool
    same_lines: bool
    lines_then: int
    lines_now: int
    gone: int | None = None
    new: int | None = None


def compare(scope: Scope, run: uuid.UUID, first: uuid.UUID, folder: Path) -> Comparison | None:
    """What differs between a file and the first one; None as long as it is not made."""
    now, then = find_run(scope, run), find_run(scope, first)
    if now.finished_at is None or then.finished_at is None:
        return None
    gone = new = None
    if now.checksum != then.checksum and now.format == ReportFormat.CSV:
        with suppress(OSError):
            before, after = (
                Counter((folder / stored_name(row.public_id, row.attempts, row.format)).read_bytes().splitlines())
                for row in (then, now)
            )
            gone, new = (before - after).total(), (after - before).total()
    return Comparison(
        now.sha256 == then.sha256, now.checksum == then.checksum, then.lines or 0, now.lines or 0, gone, new
    )


def read_digest(_scope: Scope, text: str) -> str:
    """A SHA-256 as a program printed it, perhaps with the name of the file behind; RuleViolation for anything else."""
    first = next(iter(text.split()), "").lower()
    if not _SHA256.fullmatch(first):
        raise RuleViolation("no_digest", "digest", "A SHA-256 has 64 characters, 0 to 9 and a to f.")
    return first


def prune(scope: Scope, folder: Path) -> int:
    """Remove the files whose time is over, and what crashed workers left; how many are gone. The rows stay.

    One that cannot be removed is logged and tried again next time; the others go.
    """
    removed, last = 0, 0
    while expired := _expired(scope, last):
        last = expired[-1].id
        gone = [row.id for row in expired if _remove(folder / stored_name(row.public_id, row.attempts, row.format))]
        if gone:
            _note_removed(scope, gone)
        removed += len(gone)
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        stored = read_stored_name(path.name)
        if stored is not None and not _is_wanted(stored):
            removed += _remove(path)
    db.session.rollback()
    return removed


def _remove(path: Path) -> bool:
    """Whether a file is gone."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        log.warning("The file %s cannot be removed: %s", path.name, error.strerror)
        return False
    return True


def _expired(scope: Scope, after: int) -> list[ReportRun]:
    statement = (
        select(ReportRun)
        .where(ReportRun.removed_at.is_(None), ReportRun.finished_at.is_not(None), ReportRun.expires_at <= scope.now)
        .where(ReportRun.id > after)
        .order_by(ReportRun.id)
        .limit(PRUNED_AT_ONCE)
    )
    return list(db.session.scalars(statement))


def _note_removed(scope: Scope, keys: list[int]) -> None:
    with unit_of_work(scope):
        statement = select(ReportRun).where(ReportRun.id.in_(keys), ReportRun.removed_at.is_(None))
        for row in db.session.scalars(statement.order_by(ReportRun.id).with_for_update()):
            row.removed_at = scope.now
            told(replace(scope, clinic_id=row.clinic_id), AuditAction.REPORT_REMOVED, row)


def _is_wanted(stored: Stored) -> bool:
    """Whether a file is the one of its run, or may become it. A whole one of no run may be another database's."""
    row = db.session.execute(
        select(
            ReportRun.attempts,
            ReportRun.claimed_by,
            ReportRun.finished_at,
            ReportRun.failed_at,
            ReportRun.cancelled_at,
            ReportRun.removed_at,
        ).where(ReportRun.public_id == stored.run)
    ).one_or_none()
    if row is None:
        return not stored.unfinished
    if row.attempts != stored.attempt or row.removed_at is not None:
        return False
    if row.finished_at is not None:
        return not stored.unfinished
    return row.claimed_by is not None and row.failed_at is None and row.cancelled_at is None

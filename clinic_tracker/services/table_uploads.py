"""Tables brought in by a person: kept first, checked row by row, corrected cell by cell, then loaded or given up.

Nothing of a table is recorded, and no interrupted work goes on with it, before the person says so.
"""

import hashlib
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import delete, select

from clinic_tracker.domain.errors import NotFound, RuleViolation
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.table_cells import LONGEST_CELL
from clinic_tracker.domain.vocabulary import InboundKind, InboundMessageState
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import InboundContent, InboundMessage, InboundResult, InboundSource, TablePart
from clinic_tracker.queries.inbound_uploads import DRAFT
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.inbound import new_message, source_in_use
from clinic_tracker.services.unit_of_work import unit_of_work

MOST_CHANGES = 2000


def open_upload(scope: Scope, source: uuid.UUID, raw: bytes, file_name: str | None = None) -> uuid.UUID:
    """Keep a table for checking; its message. The same bytes give the message kept before, also a loaded one.

    A table of which nothing could be read is opened again. RuleViolation for a source that sends no tables.
    """
    scope.require(Permission.RECORD_EVIDENCE)
    digest = hashlib.sha256(raw).hexdigest()
    with unit_of_work(scope):
        origin = source_in_use(scope, source)
        if origin.kind != InboundKind.TABLE:
            raise RuleViolation("kind", "source", "This source sends messages, not tables.")
        known = db.session.execute(
            select(InboundMessage).where(InboundMessage.source_id == origin.id, InboundMessage.sha256 == digest)
        ).scalar_one_or_none()
        row = known or new_message(scope, origin, raw, digest, file_name=file_name)
        if known is None:
            row.answer = {DRAFT: _fresh(origin)}
        elif row.state == InboundMessageState.REFUSED:
            _reopen(scope, row, origin)
        db.session.flush()
        message: uuid.UUID = row.public_id
    return message


def keep_columns(scope: Scope, message: uuid.UUID, mapping: Mapping[str, Any]) -> None:
    """Say what the columns of a file mean, and remember it for the files of its source that follow."""
    scope.require(Permission.RECORD_EVIDENCE)
    with unit_of_work(scope):
        row, draft = draft_being_checked(scope, message)
        _put(row, {**draft, "mapping": dict(mapping)})
        origin = db.session.get_one(InboundSource, row.source_id)
        before = audit.snapshot(origin)
        origin.mapping = {**mapping, "sheet": draft["sheet"]} if draft.get("sheet") else dict(mapping)
        if before["mapping"] != origin.mapping:
            audit.record(scope, AuditAction.INBOUND_SOURCE_EDITED, origin, before=before)


def choose_sheet(scope: Scope, message: uuid.UUID, sheet: str) -> None:
    """Say which sheet of a workbook is read. What was corrected on another one, and left out of it, is forgotten."""
    scope.require(Permission.RECORD_EVIDENCE)
    with unit_of_work(scope):
        row, draft = draft_being_checked(scope, message)
        if draft.get("sheet") != sheet:
            _put(row, {**draft, "sheet": sheet, "changes": {}, "dropped": []})
            _note(scope, AuditAction.UPLOAD_CHANGED, row, {"changes": {}, "dropped": []})


def change_cells(
    scope: Scope, message: uuid.UUID, line: int, cells: Mapping[str, str], *, also: Iterable[int] = ()
) -> None:
    """Put other words into cells of a line, and of ``also`` further ones; the file as received stays as it is."""
    scope.require(Permission.RECORD_EVIDENCE)
    for title, text in cells.items():
        if len(text) > LONGEST_CELL:
            raise RuleViolation("too_long", title, f"Use {LONGEST_CELL} characters or fewer.")
    with unit_of_work(scope):
        row, draft = draft_being_checked(scope, message)
        lines = sorted({line, *also})
        before = draft["changes"]
        changes = {**before, **{str(one): {**before.get(str(one), {}), **cells} for one in lines}}
        if len(changes) > MOST_CHANGES:
            words = f"More than {MOST_CHANGES} rows were changed: correct the file and upload it again."
            raise RuleViolation("too_many", None, words)
        _put(row, {**draft, "changes": changes})
        _note(scope, AuditAction.UPLOAD_CHANGED, row, {"lines": lines, "cells": dict(cells)})


def drop_lines(scope: Scope, message: uuid.UUID, lines: Iterable[int], *, back: bool = False) -> None:
    """Leave lines out, or take them in again."""
    scope.require(Permission.RECORD_EVIDENCE)
    chosen = set(lines)
    with unit_of_work(scope):
        row, draft = draft_being_checked(scope, message)
        before = set(draft["dropped"])
        after = before - chosen if back else before | chosen
        _put(row, {**draft, "dropped": sorted(after)})
        if before != after:
            _note(scope, AuditAction.UPLOAD_CHANGED, row, {"dropped": sorted(after)})


def begin_load(scope: Scope, message: uuid.UUID) -> None:
    """End the checking: from now on the file is worked off like any other, also after an interruption."""
    scope.require(Permission.RECORD_EVIDENCE)
    with unit_of_work(scope):
        row, draft = draft_being_checked(scope, message)
        _put(row, {**draft, "loading": True})
        _forget_parts(row)
        _note(scope, AuditAction.UPLOAD_LOADED, row, {"dropped": draft["dropped"]})


def discard(scope: Scope, message: uuid.UUID) -> None:
    """Give up a file of which nothing was recorded: its bytes are not kept."""
    scope.require(Permission.RECORD_EVIDENCE)
    with unit_of_work(scope):
        row, _draft = draft_being_checked(scope, message)
        _note(scope, AuditAction.UPLOAD_DISCARDED, row, {"sha256": row.sha256})
        _forget_parts(row)
        db.session.execute(delete(InboundContent).where(InboundContent.message_id == row.id))
        db.session.delete(row)


def draft_being_checked(scope: Scope, message: uuid.UUID) -> tuple[InboundMessage, dict[str, Any]]:
    """The message, locked, with what was chosen for it; NotFound for one that nobody is checking."""
    row = db.session.execute(
        select(InboundMessage)
        .where(InboundMessage.public_id == message, InboundMessage.clinic_id == scope.clinic_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    draft = row.answer.get(DRAFT) if row is not None else None
    if row is None or draft is None or draft["loading"] or row.state != InboundMessageState.RECEIVED:
        raise NotFound("upload")
    return row, draft


def _fresh(origin: InboundSource) -> dict[str, Any]:
    mapping = {name: value for name, value in origin.mapping.items() if name != "sheet"}
    sheet = origin.mapping.get("sheet")
    return {"mapping": mapping, "changes": {}, "dropped": [], "loading": False, "sheet": sheet}


def _reopen(scope: Scope, row: InboundMessage, origin: InboundSource) -> None:
    """A table of which nothing was read, for another look: what was refused of it goes."""
    db.session.execute(
        delete(InboundResult).where(InboundResult.message_id == row.id, InboundResult.clinic_id == scope.clinic_id)
    )
    row.state, row.done, row.error, row.finished_at = InboundMessageState.RECEIVED.value, 0, None, None
    row.answer = {DRAFT: _fresh(origin)}


def _forget_parts(row: InboundMessage) -> None:
    db.session.execute(delete(TablePart).where(TablePart.clinic_id == row.clinic_id, TablePart.message_id == row.id))


def _put(row: InboundMessage, draft: Mapping[str, Any]) -> None:
    row.answer = {**row.answer, DRAFT: dict(draft)}


def _note(scope: Scope, action: AuditAction, row: InboundMessage, after: Mapping[str, Any]) -> None:
    audit.note(scope, action, subject_type="inbound_message", subject_id=row.id, after=after)

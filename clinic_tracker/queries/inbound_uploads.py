"""Tables that a person is still checking before anything of them is recorded, and what would become of their rows."""

import uuid
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from clinic_tracker.domain.errors import NotFound
from clinic_tracker.domain.vocabulary import InboundKind, InboundMessageState
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import InboundMessage, InboundResult
from clinic_tracker.models.monitoring import Exam, LabReport, LabValue
from clinic_tracker.queries.inbound import MessageRow, message, unfinished
from clinic_tracker.queries.lab_catalog import lab_catalog
from clinic_tracker.queries.scope import Scope

DRAFT = "draft"


@dataclass(frozen=True, slots=True)
class Draft:
    """What a person has chosen for one file: what its columns mean, cells changed by line and title, lines left out.

    ``sheet`` is that of a workbook with several. ``checked`` says for what of all this the rows were checked last.
    """

    mapping: Mapping[str, Any]
    changes: Mapping[str, Mapping[str, str]]
    dropped: tuple[int, ...]
    loading: bool
    sheet: str | None = None
    checked: Mapping[str, Any] = field(default_factory=dict)

    def as_mapping(self) -> dict[str, Any]:
        """All of it as the reader of tables takes it."""
        chosen = {"sheet": self.sheet, "changes": dict(self.changes), "dropped": list(self.dropped)}
        return {**self.mapping, **chosen}


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that waits for a person, and what was chosen for it so far."""

    row: MessageRow
    draft: Draft


def read_draft(_scope: Scope, answer: Mapping[str, Any]) -> Draft | None:
    """What was chosen for a message; ``None`` for one that came without a person."""
    kept = answer.get(DRAFT)
    if kept is None:
        return None
    return Draft(
        kept["mapping"],
        kept["changes"],
        tuple(kept["dropped"]),
        kept["loading"],
        kept.get("sheet"),
        kept.get("checked") or {},
    )


def draft_of(scope: Scope, message_id: int) -> Draft | None:
    """The same by the key of the message."""
    answer = db.session.execute(
        select(InboundMessage.answer).where(
            InboundMessage.id == message_id, InboundMessage.clinic_id == scope.clinic_id
        )
    ).scalar_one_or_none()
    return read_draft(scope, answer or {})


def uploads(scope: Scope) -> list[Upload]:
    """The files that wait for a person, the oldest first."""
    found = [(row, read_draft(scope, row.answer)) for row in unfinished(scope)]
    return [Upload(row, draft) for row, draft in found if draft is not None and not draft.loading]


def ready(scope: Scope) -> list[MessageRow]:
    """The messages that were kept and not worked off, without those that a person is still checking."""
    waiting = {one.row.id for one in uploads(scope)}
    return [row for row in unfinished(scope) if row.id not in waiting]


def is_being_checked(scope: Scope, row: MessageRow) -> bool:
    """Whether a message is a table that a person has not loaded yet."""
    draft = read_draft(scope, row.answer)
    waits = row.kind == InboundKind.TABLE and row.state == InboundMessageState.RECEIVED
    return waits and draft is not None and not draft.loading


def upload(scope: Scope, public_id: uuid.UUID) -> Upload:
    """One file that waits for a person; NotFound for anything else."""
    row = message(scope, public_id)
    draft = read_draft(scope, row.answer)
    if draft is None or not is_being_checked(scope, row):
        raise NotFound("upload")
    return Upload(row, draft)


def recorded_of(scope: Scope, message_id: int) -> dict[int, tuple[str, ...]]:
    """What was recorded of a message, in words, by the number of the report in it."""
    catalog = lab_catalog(scope)
    found: defaultdict[int, list[str]] = defaultdict(list)
    values = db.session.execute(
        select(InboundResult.position, LabValue.analyte, LabValue.number, LabValue.text, LabValue.unit)
        .join(LabReport, LabReport.inbound_result_id == InboundResult.id)
        .join(LabValue, LabValue.lab_report_id == LabReport.id)
        .where(InboundResult.clinic_id == scope.clinic_id, InboundResult.message_id == message_id)
        .order_by(InboundResult.position, LabValue.id)
    )
    for position, analyte, number, text, unit in values:
        said = text if text is not None or number is None else f"{number:g}"
        shown = f" {catalog.show_unit(unit)}" if unit else ""
        found[position].append(f"{catalog.analytes[analyte].title} {said}{shown}")
    for position, missing in db.session.execute(
        select(InboundResult.position, LabReport.missing)
        .join(LabReport, LabReport.inbound_result_id == InboundResult.id)
        .where(InboundResult.message_id == message_id, LabReport.missing.is_not(None))
        .where(InboundResult.clinic_id == scope.clinic_id)
    ):
        found[position].append(f"No evidence: {missing}")
    for position, kind, outcome in db.session.execute(
        select(InboundResult.position, Exam.kind, Exam.outcome)
        .join(Exam, Exam.inbound_result_id == InboundResult.id)
        .where(InboundResult.clinic_id == scope.clinic_id, InboundResult.message_id == message_id)
    ):
        found[position].append(f"{kind.replace('_', ' ')}: {outcome.replace('_', ' ')}")
    return {position: tuple(words) for position, words in found.items()}

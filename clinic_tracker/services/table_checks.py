"""What would become of the rows of a table if it were loaded now, kept until it is loaded or given up.

It is worked out by the pipeline itself, some rows at a time, each in a transaction of its own that is rolled back: on
SQLite nobody can write while one is open. What was worked out for rows that have not changed since is not done again.
"""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import delete, insert, select

from clinic_tracker.domain.message_json import pack_identity
from clinic_tracker.domain.messages import Parsed, ResultMessage, Unreadable
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import InboundState
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import InboundMessage, TablePart
from clinic_tracker.queries.inbound import ResultRow, results_of
from clinic_tracker.queries.inbound_uploads import DRAFT, recorded_of, upload
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.inbound_ingest import rehearse
from clinic_tracker.services.table_uploads import draft_being_checked
from clinic_tracker.services.unit_of_work import unit_of_work

AT_ONCE = 400


class PartToCheck(NamedTuple):
    """What was parsed of some rows, a digest of it, and the cell that could not be read: title, place and text."""

    parsed: Parsed
    said: str
    title: str = ""
    place: int | None = None
    cell: str = ""


class Rehearsal:
    """What would become of each part of a table: its state and chart, and in words what would be recorded."""

    def __init__(self) -> None:
        self.results: list[ResultRow] = []
        self.recorded: dict[int, tuple[str, ...]] = {}


def begin_check(
    scope: Scope, message: uuid.UUID, choices: str, said: Mapping[int, str], *, anew: bool = False
) -> set[int]:
    """Forget what no longer holds of the check of a file; the lines of the parts that are to be checked.

    ``choices`` is the digest of what was chosen when the file was read, ``said`` are those of all its parts. With
    ``anew`` nothing of an earlier check holds.
    """
    scope.require(Permission.RECORD_EVIDENCE)
    with unit_of_work(scope):
        row, draft = draft_being_checked(scope, message)
        checked = {"of": choices, "total": len(said), "at": scope.now.isoformat()}
        row.answer = {**row.answer, DRAFT: {**draft, "checked": checked}}
        known = {} if anew else _known(row)
        kept = {position for position, one in known.items() if said.get(position) == one}
        _forget(row, sorted(known.keys() - kept) if kept else None)
    return said.keys() - kept


def check_parts(scope: Scope, message: uuid.UUID, choices: str, parts: Sequence[PartToCheck]) -> bool:
    """Work out what would become of parts of a file, and keep it. NotFound for a file that nobody checks (any more).

    Nothing is kept, and the answer is no, where somebody has chosen otherwise meanwhile: their check is the newer one.
    """
    scope.require(Permission.RECORD_EVIDENCE)
    source = upload(scope, message).row.source
    sent = [part for part in parts if isinstance(part.parsed, ResultMessage)]
    rehearsal = rehearse_parts(scope, source, [part.parsed for part in sent]) if sent else Rehearsal()
    found = [(part, _foreseen(part, row, rehearsal)) for part, row in zip(sent, rehearsal.results, strict=True)]
    found += [(part, _refused(part, part.parsed)) for part in parts if isinstance(part.parsed, Unreadable)]
    with unit_of_work(scope):
        row, draft = draft_being_checked(scope, message)
        if draft.get("checked", {}).get("of") != choices:
            return False
        common = {"clinic_id": scope.clinic_id, "message_id": row.id}
        _forget(row, [part.parsed.position for part in parts])
        rows = [{**common, "position": part.parsed.position, "said": part.said, **foreseen} for part, foreseen in found]
        if rows:
            db.session.execute(insert(TablePart), rows)
    return True


def rehearse_parts(scope: Scope, source: uuid.UUID, parsed: Sequence[Parsed]) -> Rehearsal:
    """What would become of parts of a table if they were loaded now; nothing is kept."""
    found = Rehearsal()

    def look(message: InboundMessage) -> None:
        found.results = results_of(scope, message.public_id)
        found.recorded = recorded_of(scope, message.id)

    rehearse(scope, source, b"", parsed, look=look)
    return found


def _foreseen(part: PartToCheck, row: ResultRow, rehearsal: Rehearsal) -> dict[str, Any]:
    sent = part.parsed
    assert isinstance(sent, ResultMessage)
    (report,) = sent.reports
    values = rehearsal.recorded.get(row.position, ())
    if not values and row.state is not InboundState.NOT_UNDERSTOOD:  # there the problems tell the values
        lines = report.values
        values = tuple(" ".join((line.codes[0].text or line.codes[0].code, line.text, line.unit)) for line in lines)
    shown = {
        "identity": pack_identity(sent.identity),
        "collected": report.collected_on.isoformat() if report.collected_on else None,
        "values": list(values),
        "problems": list(row.problems),
    }
    return {
        "state": row.state.value,
        "patient_id": row.patient_id,
        "complaint": None,
        "shown": _shown(part, shown),
    }


def _refused(part: PartToCheck, unread: Unreadable) -> dict[str, Any]:
    problem = {"kind": "unreadable", "where": "", "message": unread.message}
    return {
        "state": InboundState.REFUSED.value,
        "patient_id": None,
        "complaint": f"{part.title} {unread.message}" if part.title else None,
        "shown": _shown(part, {"identity": None, "collected": None, "values": [], "problems": [problem]}),
    }


def _shown(part: PartToCheck, shown: dict[str, Any]) -> dict[str, Any]:
    lines = list(part.parsed.entries)
    return {**shown, "lines": lines, "title": part.title, "place": part.place, "cell": part.cell}


def _known(row: InboundMessage) -> dict[int, str]:
    """The digests of what was checked, by line."""
    rows = db.session.execute(
        select(TablePart.position, TablePart.said).where(
            TablePart.clinic_id == row.clinic_id, TablePart.message_id == row.id
        )
    )
    return {part.position: part.said for part in rows}


def _forget(row: InboundMessage, positions: Sequence[int] | None) -> None:
    """Delete parts, or all of them."""
    statement = delete(TablePart).where(TablePart.clinic_id == row.clinic_id, TablePart.message_id == row.id)
    if positions is None:
        db.session.execute(statement)
        return
    for begin in range(0, len(positions), AT_ONCE):
        db.session.execute(statement.where(TablePart.position.in_(positions[begin : begin + AT_ONCE])))

"""Results that are not understood, grouped by the code or the unit that one mapping would explain."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select

from clinic_tracker.domain.lab_doubts import DoubtKind
from clinic_tracker.domain.panels import spelling
from clinic_tracker.domain.vocabulary import InboundState
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import InboundMessage, InboundResult, InboundSource
from clinic_tracker.queries.inbound import MessageRow, ResultRow
from clinic_tracker.queries.scope import Scope

MOST_EXAMPLES = 3


@dataclass(slots=True)
class UnknownCode:
    """A code (or, with ``is_unit``, a unit) of a source that no table holds.

    ``result`` and ``problem`` are the first place where it stands, the file for one that is not recorded yet;
    ``examples`` are values as sent.
    """

    source: uuid.UUID
    source_name: str
    is_unit: bool
    system: str
    code: str
    title: str
    result: uuid.UUID
    problem: int
    since: datetime
    count: int = 0
    examples: list[str] = field(default_factory=list)


class Waiting(NamedTuple):
    """A result that is not understood: where it came from and why, without the report itself."""

    public_id: uuid.UUID
    source: uuid.UUID
    source_name: str
    received_at: datetime
    problems: list[dict[str, Any]]


def unknown_codes(scope: Scope) -> tuple[list[UnknownCode], list[uuid.UUID]]:
    """The unknown codes and units, the most frequent first; and the results that no mapping explains, oldest first."""
    groups: dict[tuple[Any, ...], UnknownCode] = {}
    others = []
    for row in _waiting(scope):
        counted: set[tuple[Any, ...]] = set()
        for place, problem in enumerate(row.problems):
            found = _group_of(row, place, problem)
            if found is None:
                continue
            code = spelling(found.code) if found.is_unit else found.code
            key = (found.source, found.is_unit, found.system, code)
            group = groups.setdefault(key, found)
            group.count += key not in counted
            counted.add(key)
            _add_example(group, problem)
        if not counted:
            others.append(row.public_id)
    return sorted(groups.values(), key=lambda group: (-group.count, group.source_name, group.code)), others


def unknown_code(_scope: Scope, row: ResultRow, place: int) -> UnknownCode | None:
    """The unknown code at one place of a result; None where there is none (any more)."""
    return _group_of(row, place, row.problems[place]) if 0 <= place < len(row.problems) else None


def unknown_code_in(
    _scope: Scope, row: MessageRow, place: int, problems: Sequence[Mapping[str, Any]]
) -> UnknownCode | None:
    """The same at one place of a report of a file that is not recorded yet."""
    return _group_of(row, place, problems[place]) if 0 <= place < len(problems) else None


def _waiting(scope: Scope) -> Iterator[Waiting]:
    rows = db.session.execute(
        select(
            InboundResult.public_id,
            InboundSource.public_id,
            InboundSource.name,
            InboundResult.received_at,
            InboundResult.problems,
        )
        .join(InboundMessage, InboundMessage.id == InboundResult.message_id)
        .join(InboundSource, InboundSource.id == InboundMessage.source_id)
        .where(InboundResult.clinic_id == scope.clinic_id, InboundResult.state == InboundState.NOT_UNDERSTOOD.value)
        .order_by(InboundResult.id)
    )
    return (Waiting(*row) for row in rows)


def _group_of(row: ResultRow | MessageRow | Waiting, place: int, problem: Mapping[str, Any]) -> UnknownCode | None:
    kind, is_unit = problem.get("kind"), problem.get("kind") == DoubtKind.UNKNOWN_UNIT
    code = problem.get("unit" if is_unit else "code") or ""
    if kind not in {DoubtKind.UNKNOWN_CODE, DoubtKind.UNKNOWN_UNIT} or not code:
        return None
    system = "" if is_unit else problem.get("system", "")
    title = problem.get("title") or ""
    return UnknownCode(row.source, row.source_name, is_unit, system, code, title, row.public_id, place, row.received_at)


def _add_example(group: UnknownCode, problem: Mapping[str, Any]) -> None:
    text = " ".join(part for part in (problem.get("value"), problem.get("unit")) if part)
    if text and text not in group.examples and len(group.examples) < MOST_EXAMPLES:
        group.examples.append(text)

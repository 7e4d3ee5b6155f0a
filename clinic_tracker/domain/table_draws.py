"""Rows of a table brought together: those of one patient, day and order number are one report.

Of rows that contradict each other none is taken.
"""

import hashlib
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from typing import NamedTuple

from clinic_tracker.domain.messages import (
    Identity,
    Observed,
    Parsed,
    Reason,
    ReportState,
    ResultMessage,
    SentReport,
    Unreadable,
)
from clinic_tracker.domain.table_cells import Day

MOST_NAMED = 5


class Draw(NamedTuple):
    """What makes rows one report."""

    identity: Identity
    collected: Day
    order: str
    laboratory: str


@dataclass(slots=True)
class ReadRow:
    """A row that could be read: whose, of when, and its values."""

    line: int
    draw: Draw
    issued: Day | None
    state: ReportState
    values: list[Observed] = field(default_factory=list)
    note: str = ""
    repeated: list[int] = field(default_factory=list)  # lines that say the same again


def messages_of(read: Sequence[ReadRow], *, wide: bool) -> list[Parsed]:
    """One message for each draw; rows of it that contradict each other are refused, all of them: none is likelier."""
    draws: dict[Draw, dict[Hashable, list[ReadRow]]] = {}
    last: Draw | None = None
    alike: dict[Hashable, list[ReadRow]] = {}
    for one in read:
        if one.draw != last:  # the rows of a draw mostly follow one another
            last, alike = one.draw, draws.setdefault(one.draw, {})
        about = (() if wide else one.values[0].codes, one.state, one.issued)
        alike.setdefault(about, []).append(one)
    parsed: list[Parsed] = []
    for draw, groups in draws.items():
        kept = []
        for rows in groups.values():
            first, *others = rows
            if any(other.values != first.values for other in others):
                lines = [row.line for row in rows]
                parsed += [_contradiction(one, lines) for one in rows]
                continue
            first.repeated = [other.line for other in others]
            kept.append(first)
        if kept:
            parsed.append(_message(draw, kept))
    return parsed


def unreadable(line: int, title: str, message: str, reason: Reason) -> Unreadable:
    """A row that cannot be read, by its line and the title of the wrong cell."""
    where = f"line {line}, column {title}" if title else f"line {line}"
    return Unreadable(line, "", where, message, reason, (line,))


def _contradiction(one: ReadRow, lines: Sequence[int]) -> Unreadable:
    others = ", ".join([str(line) for line in lines[: MOST_NAMED + 1] if line != one.line][:MOST_NAMED])
    words = f"Line {others} says something else of the same patient, day and test: leave out what is wrong,"
    words += " or tell them apart by the time of day, an order number or the status."
    return unreadable(one.line, "", words, Reason.INVALID)


def _message(draw: Draw, rows: Sequence[ReadRow]) -> ResultMessage:
    states = {row.state for row in rows}
    issued = [_moment(row.issued) for row in rows if row.issued]
    values = tuple(value for row in rows for value in row.values)
    report = SentReport(
        key=_key(draw, values),
        codes=(),
        state=states.pop() if len(states) == 1 else ReportState.FINAL,
        collected_on=draw.collected.on,
        collected_at=draw.collected.at,
        issued_at=max(issued, default=None),
        order_key=draw.order,
        values=values,
        notes=tuple(dict.fromkeys(row.note for row in rows if row.note)),
    )
    lines = tuple(sorted(line for row in rows for line in (row.line, *row.repeated)))
    return ResultMessage(lines[0], draw.order, draw.identity, (report,), draw.laboratory, entries=lines)


def _moment(day: Day) -> datetime:
    return day.at or datetime.combine(day.on, time(12), UTC)


def _key(draw: Draw, values: Sequence[Observed]) -> str:
    """The same number for the same draw in a later file, so that what was corrected there replaces what was sent.

    Numbers kept by hand are used for several patients: the number alone is not enough.
    """
    who = draw.identity
    parts = [*(one.value for one in who.identifiers)] or [who.family_name, who.given_name, str(who.birth_date)]
    parts += [str(draw.collected.at or draw.collected.on), draw.laboratory, draw.order]
    if not draw.order:
        parts += sorted(value.codes[0].code for value in values)
    digest = hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]
    return f"row:{digest}"

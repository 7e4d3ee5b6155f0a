"""The rows of a table as they would be recorded, in words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import request, url_for

from clinic_tracker.domain.matching import Candidate, Doubtful, Exact
from clinic_tracker.domain.messages import Identity
from clinic_tracker.domain.table_cells import Row, Table
from clinic_tracker.domain.table_mapping import TableMapping
from clinic_tracker.domain.table_rows import identities
from clinic_tracker.queries.inbound_candidates import candidates_of, matches
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.table_parts import PartRow
from clinic_tracker.web.access import shown_patients
from clinic_tracker.web.addresses import key_in
from clinic_tracker.web.inbound.presenters import STATE_WORDS, problem_words

MOST_PAGES = 100_000


def place_in_preview() -> dict[str, Any]:
    """Where in the preview a person is, as its address says it: the page, and whether only what is wrong is shown."""
    page = key_in("page")
    place: dict[str, Any] = {"page": page} if page and page <= MOST_PAGES else {}
    return place | {"show": "wrong"} if request.args.get("show") == "wrong" else place


def preview_url(message: UUID) -> str:
    """The address of the preview, where the person was in it."""
    return url_for("inbound.table_preview", message=message, **place_in_preview())


@dataclass(frozen=True, slots=True)
class ShownPart:
    """Rows that are one report, or one row that cannot be read. ``place`` is the column of the wrong cell."""

    lines: tuple[int, ...]
    words: str
    tone: str
    identity: Identity | None
    chart: Candidate | None
    collected: date | None
    values: tuple[str, ...]
    problems: tuple[str, ...]
    title: str
    place: int | None
    cell: str


def shown_parts(scope: Scope, rows: Sequence[PartRow]) -> list[ShownPart]:
    """Parts in words with the charts that they would be on; the access log is told of these, and of likely ones."""
    sure = {row.patient_id for row in rows if row.patient_id is not None}
    charts = candidates_of(scope, sure)
    doubted = [row.identity for row in rows if row.patient_id is None and row.identity is not None]
    shown_patients(sorted(sure | _meant(scope, doubted)))
    return [_shown(row, charts.get(row.patient_id or 0)) for row in rows]


def tell_log(scope: Scope, table: Table, columns: TableMapping, rows: Iterable[Row]) -> None:
    """Tell the access log of whom the cells of rows may be, as far as their columns tell it."""
    named = identities(columns, table.header, list(rows), ZoneInfo(scope.time_zone))
    shown_patients(sorted(_meant(scope, named)))


def _meant(scope: Scope, named: Sequence[Identity]) -> set[int]:
    """The charts of those who are, or may be, named."""
    found: set[int] = set()
    for match in matches(scope, named):
        if isinstance(match, Exact):
            found.add(match.key)
        elif isinstance(match, Doubtful):
            found.update(one.key for one in match.candidates)
    return found


def _shown(row: PartRow, chart: Candidate | None) -> ShownPart:
    words, tone = STATE_WORDS[row.state]
    return ShownPart(
        lines=row.lines,
        words=words,
        tone=tone,
        identity=row.identity,
        chart=chart,
        collected=row.collected,
        values=row.values,
        problems=tuple(_problem(row, problem) for problem in row.problems),
        title=row.title,
        place=row.place,
        cell=row.cell,
    )


def _problem(row: PartRow, problem: dict[str, Any]) -> str:
    return f"{row.title} {problem['message']}" if row.title else problem_words(problem)

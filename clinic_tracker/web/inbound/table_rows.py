"""The rows of a table as they would be recorded, in words."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from clinic_tracker.domain.matching import Candidate
from clinic_tracker.domain.messages import Identity, Parsed, ResultMessage
from clinic_tracker.domain.table_cells import Row, Table
from clinic_tracker.domain.vocabulary import InboundState
from clinic_tracker.integrations.tables import parse, read_table
from clinic_tracker.queries.inbound import ResultRow, raw_of
from clinic_tracker.queries.inbound_candidates import candidates_of
from clinic_tracker.queries.inbound_uploads import Upload
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.table_uploads import Rehearsal, rehearse_upload
from clinic_tracker.web.access import shown_patients
from clinic_tracker.web.inbound.presenters import STATE_WORDS, problem_words

WRONG = frozenset({InboundState.REFUSED, InboundState.NOT_UNDERSTOOD, InboundState.UNMATCHED})


@dataclass(frozen=True, slots=True)
class ShownPart:
    """Rows that are one report, or one row that cannot be read. ``place`` is the column of the wrong cell."""

    lines: tuple[int, ...]
    state: InboundState
    words: str
    tone: str
    identity: Identity | None
    chart: Candidate | None
    collected: object
    values: tuple[str, ...]
    problems: tuple[str, ...]
    title: str
    place: int | None
    cell: str


@dataclass(frozen=True, slots=True)
class Preview:
    """A table with what every row of it would become."""

    table: Table
    parts: tuple[ShownPart, ...]
    counts: tuple[tuple[str, str, int], ...]

    @property
    def wrong(self) -> tuple[ShownPart, ...]:
        """The parts that would not be recorded whole."""
        return tuple(part for part in self.parts if part.state in WRONG)

    @property
    def refused_lines(self) -> tuple[int, ...]:
        """The lines that cannot be read."""
        return tuple(line for part in self.parts if part.state is InboundState.REFUSED for line in part.lines)


def table_of(scope: Scope, upload: Upload) -> Table:
    """The table of a file; TableError if it is none."""
    return read_table(raw_of(scope, upload.row.public_id))


def cells_of(table: Table, upload: Upload, line: int) -> dict[str, str] | None:
    """The cells of a line as they are now, by title; ``None`` for a line that is not in the table."""
    row = next((row for row in table.rows if row.line == line), None)
    return None if row is None else _now(table, upload, row)


def _now(table: Table, upload: Upload, row: Row) -> dict[str, str]:
    padded = (*row.cells, *[""] * (len(table.header) - len(row.cells)))
    return {**dict(zip(table.header, padded, strict=True)), **upload.draft.changes.get(str(row.line), {})}


def preview_of(scope: Scope, upload: Upload) -> Preview:
    """What would become of every row if the table were loaded now."""
    raw = raw_of(scope, upload.row.public_id)
    table = read_table(raw)
    parsed = parse(raw, scope.time_zone, upload.draft.as_mapping(), upload.row.file_name)
    rehearsed = rehearse_upload(scope, upload.row.source, raw, parsed)
    charts = candidates_of(scope, {row.patient_id for row in rehearsed.results if row.patient_id is not None})
    places = {title: place for place, title in enumerate(table.header)}
    cells = _Cells(table, upload, places, {row.line: row for row in table.rows})
    parts = tuple(_part(one, row, rehearsed, charts, cells) for one, row in zip(parsed, rehearsed.results, strict=True))
    counted = Counter(part.state for part in parts)
    return Preview(
        table, parts, tuple((*STATE_WORDS[state], counted[state]) for state in STATE_WORDS if counted[state])
    )


def tell_log(parts: Sequence[ShownPart]) -> None:
    """Tell the access log whose results a page shows."""
    shown_patients([part.chart.key for part in parts if part.chart is not None])


@dataclass(frozen=True, slots=True)
class _Cells:
    table: Table
    upload: Upload
    places: Mapping[str, int]
    rows: Mapping[int, Row]

    def wrong(self, one: Parsed) -> tuple[str, int | None, str]:
        """Title, place and text of the cell that could not be read."""
        if isinstance(one, ResultMessage) or "column " not in one.where:
            return "", None, ""
        title = one.where.partition("column ")[2]
        row = self.rows.get(one.position)
        cells = _now(self.table, self.upload, row) if row else {}
        return title, self.places.get(title), cells.get(title, "")


def _part(
    one: Parsed, row: ResultRow, rehearsed: Rehearsal, charts: Mapping[int, Candidate], cells: _Cells
) -> ShownPart:
    words, tone = STATE_WORDS[row.state]
    title, place, cell = cells.wrong(one)
    values = rehearsed.recorded.get(row.position, ())
    if not values and isinstance(one, ResultMessage):
        lines = [line for report in one.reports for line in report.values]
        values = tuple(" ".join((line.codes[0].text or line.codes[0].code, line.text, line.unit)) for line in lines)
    named = title and f"{title} "
    problems = [f"{named}{one['message']}" if named else problem_words(one) for one in row.problems]
    return ShownPart(
        lines=one.entries,
        state=row.state,
        words=words,
        tone=tone,
        identity=one.identity if isinstance(one, ResultMessage) else None,
        chart=charts.get(row.patient_id or 0),
        collected=one.reports[0].collected_on if isinstance(one, ResultMessage) else None,
        values=values,
        problems=tuple(problems),
        title=title,
        place=place,
        cell=cell,
    )

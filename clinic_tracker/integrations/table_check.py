"""The rows of a table checked before a person loads it: read, and put to the pipeline some at a time."""

import hashlib
import uuid
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from clinic_tracker.domain.lab_meaning import LocalCodes
from clinic_tracker.domain.messages import Parsed, ResultMessage
from clinic_tracker.domain.panels import spelling
from clinic_tracker.domain.table_cells import Row, Table
from clinic_tracker.domain.table_mapping import TableMapping, complaints, from_json
from clinic_tracker.integrations.tables import TableError, parse_table, read_table
from clinic_tracker.queries.inbound import raw_of, source_row
from clinic_tracker.queries.inbound_codes import local_codes
from clinic_tracker.queries.inbound_uploads import Upload, upload
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.table_parts import choices_of
from clinic_tracker.services.table_checks import PartToCheck, begin_check, check_parts

IN_A_TURN = 100  # reports that one transaction takes: others write in between
MOST_AT_ONCE = 3000  # reports that one request checks; the next one goes on


def table_of(scope: Scope, one: Upload) -> Table:
    """The table of a file; TableError if it is none, SeveralSheets while nobody has said which is meant."""
    return read_table(raw_of(scope, one.row.public_id), one.draft.sheet)


def columns_of(one: Upload, table: Table) -> TableMapping | None:
    """What the columns of a file mean, once that was said and fits."""
    mapping = from_json(one.draft.mapping)
    return None if mapping is None or complaints(mapping, table.header) else mapping


def check(scope: Scope, message: uuid.UUID, *, anew: bool = False, most: int = MOST_AT_ONCE) -> None:
    """Check what of a file is not checked yet, as much as fits into a request; nothing while it cannot be read."""
    one = upload(scope, message)
    choices = choices_of(scope, one)
    try:
        table = table_of(scope, one)
    except TableError:
        return
    columns = columns_of(one, table)
    if columns is None:
        return
    parsed = parse_table(table, scope.time_zone, one.draft.as_mapping(), columns)
    codes = local_codes(scope, source_row(scope, one.row.source).id)
    cells = _Cells(table, one)
    parts = {part.position: PartToCheck(part, _said(part, codes), *cells.wrong(part)) for part in parsed}
    left = begin_check(scope, message, choices, {position: part.said for position, part in parts.items()}, anew=anew)
    for turn in turns([parts[position] for position in sorted(left)][:most]):
        if not check_parts(scope, message, choices, turn):
            return


def turns(parts: Sequence[PartToCheck]) -> Iterator[list[PartToCheck]]:
    """Parts for one transaction each. What is of one person goes together: it may be compared with each other."""
    turn: list[PartToCheck] = []
    for _, of_person in groupby(sorted(parts, key=_who), key=_who):
        turn += of_person
        while len(turn) >= IN_A_TURN:
            yield turn[: 2 * IN_A_TURN]
            turn = turn[2 * IN_A_TURN :]
    if turn:
        yield turn


def cells_now(table: Table, one: Upload, row: Row) -> dict[str, str]:
    """The cells of a row as a person left them, by title."""
    padded = (*row.cells, *[""] * (len(table.header) - len(row.cells)))
    return {**dict(zip(table.header, padded, strict=True)), **one.draft.changes.get(str(row.line), {})}


class _Cells:
    """The cells of a table by line and title, to show the one that could not be read."""

    def __init__(self, table: Table, one: Upload) -> None:
        self.table, self.upload = table, one
        self.places: Mapping[str, int] = {title: place for place, title in enumerate(table.header)}
        self.rows: Mapping[int, Row] = {row.line: row for row in table.rows}

    def wrong(self, part: Parsed) -> tuple[str, int | None, str]:
        """Title, place and text of the cell that could not be read."""
        if isinstance(part, ResultMessage) or "column " not in part.where:
            return "", None, ""
        title = part.where.partition("column ")[2]
        row = self.rows.get(part.position)
        cells = cells_now(self.table, self.upload, row) if row else {}
        return title, self.places.get(title), cells.get(title, "")


def _who(part: PartToCheck) -> str:
    return repr(part.parsed.identity) if isinstance(part.parsed, ResultMessage) else ""


def _said(part: Parsed, codes: LocalCodes) -> str:
    """A digest of what a part says, and of what its codes and units are said to mean."""
    known: list[Any] = []
    if isinstance(part, ResultMessage) and (codes.codes or codes.units):
        for line in (line for report in part.reports for line in report.values):
            known += [(one, meaning) for one in line.codes if (meaning := codes.codes.get((one.system, one.code)))]
            known += [(line.unit, unit)] if (unit := codes.units.get(spelling(line.unit))) else []
    return hashlib.sha256(repr((part, known)).encode()).hexdigest()

"""The rows of a table as messages of results: each says what it says, or which cell cannot be read and why.

Rows of one patient, day and order number are one report. Of rows that contradict each other none is taken.
"""

import hashlib
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from enum import StrEnum
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from clinic_tracker.domain.messages import (
    LOINC,
    Coded,
    Identifier,
    Identity,
    Observed,
    Parsed,
    Reason,
    ReportState,
    ResultMessage,
    SentReport,
    Unreadable,
)
from clinic_tracker.domain.table_cells import (
    LONGEST_CELL,
    CellError,
    Day,
    Row,
    Table,
    read_day,
    read_range,
    read_sex,
    read_state,
)
from clinic_tracker.domain.table_mapping import Column, Layout, NameOrder, TableMapping, complaints

Word = TypeVar("Word", bound=StrEnum)
MOST_NAMED = 5


class _Draw(NamedTuple):
    """What makes rows one report."""

    identity: Identity
    collected: Day
    order: str
    laboratory: str


@dataclass(slots=True)
class _Read:
    """A row that could be read: whose, of when, and its values."""

    line: int
    draw: _Draw
    issued: Day | None
    state: ReportState
    values: list[Observed] = field(default_factory=list)
    note: str = ""
    repeated: list[int] = field(default_factory=list)  # lines that say the same again


class _Refused(Exception):
    """A row that cannot be read, with the title of its cell."""

    def __init__(self, title: str, message: str, reason: Reason = Reason.INVALID) -> None:
        super().__init__(message)
        self.title, self.message, self.reason = title, message, reason


def apply(mapping: TableMapping, header: Sequence[str], rows: Sequence[Row], zone: ZoneInfo) -> list[Parsed]:
    """What the rows say, in the order of their lines. The position of a part is the line of its first row.

    ``entries`` of a message are the lines that it was read from. A row that cannot be read is an ``Unreadable`` that
    names line and column and quotes nothing; the other rows go on.
    """
    wrong = complaints(mapping, header)
    if wrong:
        return [Unreadable(0, "", "columns", " ".join(wrong), Reason.UNSUPPORTED)]
    reader = _Reader(mapping, {title: place for place, title in enumerate(header)}, zone)
    parsed: list[Parsed] = []
    read: list[_Read] = []
    for row in rows:
        try:
            read.append(reader.read(row))
        except _Refused as refused:
            parsed.append(_unreadable(row.line, refused.title, refused.message, refused.reason))
    parsed += _messages(read, wide=mapping.layout is Layout.WIDE)
    return sorted(parsed, key=lambda one: one.position)


def changed(table: Table, changes: Mapping[str, Mapping[str, str]], dropped: Collection[int]) -> list[Row]:
    """The rows as a person left them: cells changed, by line and title, and lines dropped."""
    places = {title: place for place, title in enumerate(table.header)}
    out = frozenset(dropped)
    rows = []
    for row in table.rows:
        if row.line in out:
            continue
        cells = [*row.cells, *[""] * (len(table.header) - len(row.cells))]
        for title, text in changes.get(str(row.line), {}).items():
            if title in places:
                cells[places[title]] = text
        rows.append(Row(row.line, tuple(cells)))
    return rows


def _unreadable(line: int, title: str, message: str, reason: Reason) -> Unreadable:
    where = f"line {line}, column {title}" if title else f"line {line}"
    return Unreadable(line, "", where, message, reason, (line,))


@dataclass(slots=True)
class _Reader:
    """Reads one row after the other by the mapping."""

    mapping: TableMapping
    places: dict[str, int]
    zone: ZoneInfo
    titles: dict[Column, str] = field(init=False)
    columns: dict[Column, int] = field(init=False)

    def __post_init__(self) -> None:
        self.titles = {column: title for title, column in self.mapping.columns.items()}
        self.columns = {column: self.places[title] for column, title in self.titles.items()}

    def read(self, row: Row) -> _Read:
        if max(map(len, row.cells), default=0) > LONGEST_CELL:
            for title, place in self.places.items():
                if place >= len(row.cells) or len(row.cells[place]) <= LONGEST_CELL:
                    continue
                raise _Refused(title, f"is longer than {LONGEST_CELL} characters", Reason.TOO_LARGE)
        identity = self._identity(row)
        collected = self._day(row, Column.COLLECTED)
        if collected is None:
            raise _Refused(self.titles[Column.COLLECTED], "is empty", Reason.MISSING)
        draw = _Draw(identity, collected, self._text(row, Column.ORDER), self._text(row, Column.LABORATORY))
        read = _Read(row.line, draw, self._day(row, Column.ISSUED), self._checked(row, Column.STATUS, read_state))
        read.note = self._text(row, Column.NOTE)
        read.values = self._wide(row, read) if self.mapping.layout is Layout.WIDE else [self._long(row, read)]
        return read

    def _long(self, row: Row, read: _Read) -> Observed:
        loinc, test = self._text(row, Column.LOINC), self._text(row, Column.TEST)
        if not loinc and not test:
            raise _Refused(self.titles.get(Column.TEST) or self.titles[Column.LOINC], "is empty", Reason.MISSING)
        text = self._text(row, Column.VALUE)
        if not text and read.state in (ReportState.FINAL, ReportState.CORRECTED, ReportState.PRELIMINARY):
            raise _Refused(self.titles[Column.VALUE], "is empty", Reason.MISSING)
        printed = self._text(row, Column.RANGE)
        low, high = read_range(printed)
        return Observed(
            codes=_codes(loinc, test),
            text=text,
            unit=self._text(row, Column.UNIT),
            low=self._text(row, Column.LOW) or low,
            high=self._text(row, Column.HIGH) or high,
            flag=self._text(row, Column.FLAG),
            state=read.state,
            range_text=printed,
        )

    def _wide(self, row: Row, read: _Read) -> list[Observed]:
        found = [
            Observed(codes=_codes(test.loinc, title), text=text, unit=test.unit, state=read.state)
            for title, test in self.mapping.tests.items()
            if (text := self._cell(row, title))
        ]
        if not found:
            raise _Refused("", "There is no value in this row.", Reason.MISSING)
        return found

    def _identity(self, row: Row) -> Identity:
        mrn = self._text(row, Column.MRN)
        family, given = self._text(row, Column.FAMILY_NAME), self._text(row, Column.GIVEN_NAME)
        if full := self._text(row, Column.FULL_NAME):
            family, given = _split(full, self.mapping.names)
        born = self._day(row, Column.BIRTH_DATE)
        sex = self._checked(row, Column.SEX, read_sex)
        if not mrn and not (family and given and born):
            title = self.titles.get(Column.MRN) or self.titles[Column.BIRTH_DATE]
            raise _Refused(title, "does not say whose result it is", Reason.MISSING)
        numbers = (Identifier(mrn, "", "MR"),) if mrn else ()
        return Identity(numbers, family, given, born.on if born else None, sex)

    def _day(self, row: Row, column: Column) -> Day | None:
        text, order = self._text(row, column), self.mapping.dates
        if not text or order is None:
            return None
        try:
            return read_day(text, order, self.zone)
        except CellError as error:
            raise _Refused(self.titles[column], str(error)) from error

    def _checked(self, row: Row, column: Column, read: Callable[[str], Word]) -> Word:
        try:
            return read(self._text(row, column))
        except CellError as error:
            raise _Refused(self.titles[column], str(error)) from error

    def _text(self, row: Row, column: Column) -> str:
        place = self.columns.get(column, -1)
        return row.cells[place].strip() if 0 <= place < len(row.cells) else ""

    def _cell(self, row: Row, title: str) -> str:
        place = self.places[title]
        return row.cells[place].strip() if place < len(row.cells) else ""


def _codes(loinc: str, name: str) -> tuple[Coded, ...]:
    own = (Coded(name, "", name),) if name else ()
    return (Coded(loinc, LOINC, name), *own) if loinc else own


def _split(full: str, order: NameOrder) -> tuple[str, str]:
    """Family and given name of a full one: a comma tells, or else the order that was chosen."""
    family, comma, given = full.partition(",")
    if comma:
        return family.strip(), given.strip()
    if order is NameOrder.FAMILY_FIRST:
        family, _, given = full.partition(" ")
    else:
        given, _, family = full.rpartition(" ")
    return family.strip(), given.strip()


def _messages(read: Sequence[_Read], *, wide: bool) -> list[Parsed]:
    """One message for each draw; rows of it that contradict each other are refused, all of them: none is likelier."""
    draws: dict[_Draw, dict[Hashable, list[_Read]]] = {}
    for one in read:
        about = (() if wide else one.values[0].codes, one.state, one.issued)
        draws.setdefault(one.draw, {}).setdefault(about, []).append(one)
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


def _contradiction(one: _Read, lines: Sequence[int]) -> Unreadable:
    others = ", ".join([str(line) for line in lines[: MOST_NAMED + 1] if line != one.line][:MOST_NAMED])
    words = f"Line {others} says something else of the same patient, day and test: leave out what is wrong,"
    words += " or tell them apart by the time of day, an order number or the status."
    return _unreadable(one.line, "", words, Reason.INVALID)


def _message(draw: _Draw, rows: Sequence[_Read]) -> ResultMessage:
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


def _key(draw: _Draw, values: Sequence[Observed]) -> str:
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

"""The rows of a table as messages of results: each says what it says, or which cell cannot be read and why."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeVar
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
    Unreadable,
)
from clinic_tracker.domain.table_cells import (
    LONGEST_CELL,
    CellError,
    DateOrder,
    Day,
    Row,
    Table,
    read_day,
    read_range,
    read_sex,
    read_state,
)
from clinic_tracker.domain.table_draws import Draw, ReadRow, messages_of, unreadable
from clinic_tracker.domain.table_mapping import Column, Layout, NameOrder, TableMapping, complaints

Said = Mapping[Column, str]
Word = TypeVar("Word", bound=StrEnum)
_NOTHING = dict.fromkeys(Column, "")
_WHO = (Column.MRN, Column.FAMILY_NAME, Column.GIVEN_NAME, Column.FULL_NAME, Column.BIRTH_DATE, Column.SEX)


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
    read: list[ReadRow] = []
    for row in rows:
        try:
            read.append(reader.read(row))
        except _Refused as refused:
            parsed.append(unreadable(row.line, refused.title, refused.message, refused.reason))
    parsed += messages_of(read, wide=mapping.layout is Layout.WIDE)
    return sorted(parsed, key=lambda one: one.position)


def identities(mapping: TableMapping, header: Sequence[str], rows: Sequence[Row], zone: ZoneInfo) -> list[Identity]:
    """Whom rows may name, as far as their columns tell, to note who was looked at.

    Dates are read in every order while nobody has said in which they are written.
    """
    known = {title: column for title, column in mapping.columns.items() if title in header}
    places = {title: place for place, title in enumerate(header)}
    found = []
    for order in [mapping.dates] if mapping.dates else DateOrder:
        reader = _Reader(replace(mapping, columns=known, dates=order), places, zone)
        found += [identity for row in rows if (identity := reader.named(row))]
    return found


def changed(table: Table, changes: Mapping[str, Mapping[str, str]], dropped: Collection[int]) -> list[Row]:
    """The rows as a person left them: cells changed, by line and title, and lines dropped."""
    if not changes and not dropped:
        return list(table.rows)
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


@dataclass(slots=True)
class _Reader:
    """Reads one row after the other by the mapping."""

    mapping: TableMapping
    places: dict[str, int]
    zone: ZoneInfo
    titles: dict[Column, str] = field(init=False)
    columns: list[tuple[Column, int]] = field(init=False)
    people: dict[tuple[str, ...], Identity] = field(default_factory=dict)  # the rows of one patient name him alike

    def __post_init__(self) -> None:
        self.titles = {column: title for title, column in self.mapping.columns.items()}
        self.columns = [(column, self.places[title]) for column, title in self.titles.items()]

    def read(self, row: Row) -> ReadRow:
        if max(map(len, row.cells), default=0) > LONGEST_CELL:
            for title, place in self.places.items():
                if place >= len(row.cells) or len(row.cells[place]) <= LONGEST_CELL:
                    continue
                raise _Refused(title, f"is longer than {LONGEST_CELL} characters", Reason.TOO_LARGE)
        said = self._said(row)
        identity = self._identity(said)
        collected = self._day(said, Column.COLLECTED)
        if collected is None:
            raise _Refused(self.titles[Column.COLLECTED], "is empty", Reason.MISSING)
        draw = Draw(identity, collected, said[Column.ORDER], said[Column.LABORATORY])
        read = ReadRow(row.line, draw, self._day(said, Column.ISSUED), self._checked(said, Column.STATUS, read_state))
        read.note = said[Column.NOTE]
        read.values = self._wide(row, read) if self.mapping.layout is Layout.WIDE else [self._long(said, read)]
        return read

    def named(self, row: Row) -> Identity | None:
        """Whom a row names; by its MRN alone where the rest cannot be read."""
        said = self._said(row)
        try:
            return self._identity(said)
        except _Refused:
            mrn = said[Column.MRN]
            return Identity((Identifier(mrn, "", "MR"),)) if mrn else None

    def _long(self, said: Said, read: ReadRow) -> Observed:
        loinc, test = said[Column.LOINC], said[Column.TEST]
        if not loinc and not test:
            raise _Refused(self.titles.get(Column.TEST) or self.titles[Column.LOINC], "is empty", Reason.MISSING)
        text = said[Column.VALUE]
        if not text and read.state in (ReportState.FINAL, ReportState.CORRECTED, ReportState.PRELIMINARY):
            raise _Refused(self.titles[Column.VALUE], "is empty", Reason.MISSING)
        printed = said[Column.RANGE]
        low, high = read_range(printed)
        return Observed(
            codes=_codes(loinc, test),
            text=text,
            unit=said[Column.UNIT],
            low=said[Column.LOW] or low,
            high=said[Column.HIGH] or high,
            flag=said[Column.FLAG],
            state=read.state,
            range_text=printed,
        )

    def _wide(self, row: Row, read: ReadRow) -> list[Observed]:
        found = [
            Observed(codes=_codes(test.loinc, title), text=text, unit=test.unit, state=read.state)
            for title, test in self.mapping.tests.items()
            if (text := self._cell(row, title))
        ]
        if not found:
            raise _Refused("", "There is no value in this row.", Reason.MISSING)
        return found

    def _identity(self, said: Said) -> Identity:
        who = tuple([said[column] for column in _WHO])
        if who not in self.people:
            self.people[who] = self._read_identity(said)
        return self.people[who]

    def _read_identity(self, said: Said) -> Identity:
        mrn = said[Column.MRN]
        family, given = said[Column.FAMILY_NAME], said[Column.GIVEN_NAME]
        if full := said[Column.FULL_NAME]:
            family, given = _split(full, self.mapping.names)
        born = self._day(said, Column.BIRTH_DATE)
        sex = self._checked(said, Column.SEX, read_sex)
        if not mrn and not (family and given and born):
            title = self.titles.get(Column.MRN) or self.titles.get(Column.BIRTH_DATE, "")
            raise _Refused(title, "does not say whose result it is", Reason.MISSING)
        numbers = (Identifier(mrn, "", "MR"),) if mrn else ()
        return Identity(numbers, family, given, born.on if born else None, sex)

    def _day(self, said: Said, column: Column) -> Day | None:
        text, order = said[column], self.mapping.dates
        if not text or order is None:
            return None
        try:
            return read_day(text, order, self.zone)
        except CellError as error:
            raise _Refused(self.titles[column], str(error)) from error

    def _checked(self, said: Said, column: Column, read: Callable[[str], Word]) -> Word:
        try:
            return read(said[column])
        except CellError as error:
            raise _Refused(self.titles[column], str(error)) from error

    def _said(self, row: Row) -> Said:
        """What the cells of a row say, by column."""
        cells = row.cells
        return _NOTHING | {column: cells[place].strip() for column, place in self.columns if place < len(cells)}

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

"""What a page places of a chart: title, definition, drawing, legend, and the same numbers as a table."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the table; a link leads to what the number counts."""

    text: str
    href: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """The numbers of a chart. The first column is the head of each line, the others are numbers."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Key:
    """One entry of the legend: the class that colors it, its words, and how it is drawn (bar, line, cell)."""

    name: str
    words: str
    drawn: str = "bar"


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart. ``definition`` is one sentence that says what is drawn; ``svg`` is empty where there is nothing."""

    title: str
    definition: str
    svg: Markup
    table: Table
    legend: tuple[Key, ...] = ()
    latest: str = ""
    note: str = ""


def table_of(columns: Sequence[str], rows: Sequence[Sequence[Cell | str | int]]) -> Table:
    """A table from cells, words and whole numbers."""
    return Table(tuple(columns), tuple(tuple(_cell(value) for value in row) for row in rows))


def _cell(value: Cell | str | int) -> Cell:
    return value if isinstance(value, Cell) else Cell(f"{value:,}" if isinstance(value, int) else value)

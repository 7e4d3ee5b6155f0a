"""How far the cells of a sheet reach, before a reader makes room for all cells up to the last one.

The reader of workbooks takes any address and any XML that is nearly right; memory for what it makes of them would end
the whole process. So a sheet has to be well-formed, with addresses that a spreadsheet can have.
"""

import re
from dataclasses import dataclass
from typing import NoReturn
from xml.parsers.expat import ExpatError, ParserCreate

LAST_ROW, LAST_COLUMN = 1_048_576, 16_384
_ADDRESS = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")
_ROW = re.compile(r"[0-9]{1,7}")


class UnsoundSheetError(ValueError):
    """A sheet that no spreadsheet program writes."""


def cells_within(sheet: bytes) -> int:
    """How many cells there are from the first row and column to the last one; UnsoundSheetError for no sound sheet."""
    extent = _Extent()
    _read(sheet, extent)
    return extent.rows * extent.columns


def longest_text(shared_strings: bytes) -> int:
    """The length of the longest of the texts that the cells of a workbook share; UnsoundSheetError if not sound."""
    texts = _Texts()
    _read(shared_strings, texts)
    return texts.longest


def _read(part: bytes, looking: "_Extent | _Texts") -> None:
    parser = ParserCreate("UTF-8")  # whatever it says of itself: the reader takes it for that
    parser.StartElementHandler, parser.EndElementHandler = looking.begin, looking.end
    if isinstance(looking, _Texts):
        parser.CharacterDataHandler = looking.text
    parser.StartDoctypeDeclHandler = _refuse  # entities may make much out of little
    try:
        parser.Parse(part, True)
    except ExpatError as error:
        raise UnsoundSheetError from error


@dataclass(slots=True)
class _Texts:
    """The length of each text in turn."""

    longest: int = 0
    length: int = 0

    def begin(self, element: str, _attributes: dict[str, str]) -> None:
        if _local(element) == "si":
            self.length = 0

    def text(self, characters: str) -> None:
        self.length += len(characters)
        self.longest = max(self.longest, self.length)

    def end(self, _element: str) -> None:
        pass


@dataclass(slots=True)
class _Extent:
    """The rows and columns so far; a row or cell without an address follows the one before."""

    rows: int = 0
    columns: int = 0
    row: int = 1
    column: int = 1
    in_cell: bool = False

    def begin(self, element: str, attributes: dict[str, str]) -> None:
        name = _local(element)
        if self.in_cell and name in ("row", "c"):  # the reader would not count it
            _refuse()
        if name == "row" and "r" in attributes:
            self.row = _within(attributes["r"], LAST_ROW) if _ROW.fullmatch(attributes["r"]) else _refuse()
        elif name == "c":
            row = self.row
            if "r" in attributes:
                row, self.column = _place(attributes["r"])
            self.rows, self.columns = max(self.rows, row), max(self.columns, self.column)
            self.column += 1
            self.in_cell = True

    def end(self, element: str) -> None:
        name = _local(element)
        if name == "c":
            self.in_cell = False
        elif name == "row":
            self.row, self.column = self.row + 1, 1


def _local(element: str) -> str:
    """The name without its prefix; what has two of them is nothing that a spreadsheet writes."""
    prefix, _, name = element.rpartition(":")
    return name if ":" not in prefix else _refuse()


def _place(address: str) -> tuple[int, int]:
    found = _ADDRESS.fullmatch(address)
    if found is None:
        _refuse()
    column = 0
    for letter in found[1].upper():
        column = column * 26 + ord(letter) - ord("A") + 1
    return _within(found[2], LAST_ROW), _within(str(column), LAST_COLUMN)


def _within(number: str, most: int) -> int:
    return int(number) if 1 <= int(number) <= most else _refuse()


def _refuse(*_: object) -> NoReturn:
    raise UnsoundSheetError

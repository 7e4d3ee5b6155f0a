"""What the columns of a table of results mean: chosen once by a person, remembered for the source, suggested by name.

A long table has a row for each value; a wide one has a column for each test, of which the unit is chosen once.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from clinic_tracker.domain.table_cells import DateOrder


class Column(StrEnum):
    """What a column holds."""

    __hash__ = str.__hash__  # looked up for every cell: that of an Enum is slow

    MRN = "mrn"
    FAMILY_NAME = "family_name"
    GIVEN_NAME = "given_name"
    FULL_NAME = "full_name"
    BIRTH_DATE = "birth_date"
    SEX = "sex"
    COLLECTED = "collected"
    ISSUED = "issued"
    ORDER = "order"
    LABORATORY = "laboratory"
    TEST = "test"
    LOINC = "loinc"
    VALUE = "value"
    UNIT = "unit"
    LOW = "low"
    HIGH = "high"
    RANGE = "range"
    FLAG = "flag"
    STATUS = "status"
    NOTE = "note"


OF_A_VALUE = frozenset(
    {Column.TEST, Column.LOINC, Column.VALUE, Column.UNIT, Column.LOW, Column.HIGH, Column.RANGE, Column.FLAG}
)


class Layout(StrEnum):
    """How a table is laid out."""

    LONG = "long"
    WIDE = "wide"


class NameOrder(StrEnum):
    """In which order a full name is written where no comma tells the family name."""

    FAMILY_FIRST = "family_first"
    GIVEN_FIRST = "given_first"


class MeasuredColumn(NamedTuple):
    """A column of a wide table: the LOINC code of its test ("" for the laboratory's own name), and its unit."""

    loinc: str
    unit: str


@dataclass(frozen=True, slots=True)
class TableMapping:
    """What the columns mean, by their titles. A title in neither is not read."""

    layout: Layout
    dates: DateOrder | None = None
    names: NameOrder = NameOrder.FAMILY_FIRST
    columns: Mapping[str, Column] = field(default_factory=dict)
    tests: Mapping[str, MeasuredColumn] = field(default_factory=dict)

    def title_of(self, meaning: Column) -> str | None:
        """The title of the column with this meaning."""
        return next((title for title, column in self.columns.items() if column is meaning), None)


def to_json(mapping: TableMapping) -> dict[str, Any]:
    """A mapping as it is kept with its source."""
    return {
        "layout": mapping.layout.value,
        "dates": mapping.dates.value if mapping.dates else None,
        "names": mapping.names.value,
        "columns": {title: column.value for title, column in mapping.columns.items()},
        "tests": {title: list(test) for title, test in mapping.tests.items()},
    }


def from_json(kept: Mapping[str, Any]) -> TableMapping | None:
    """The mapping that was kept; ``None`` for a source that has none yet, or one that is no longer known."""
    try:
        return TableMapping(
            layout=Layout(kept["layout"]),
            dates=DateOrder(kept["dates"]) if kept.get("dates") else None,
            names=NameOrder(kept.get("names", NameOrder.FAMILY_FIRST)),
            columns={str(title): Column(name) for title, name in kept.get("columns", {}).items()},
            tests={str(title): MeasuredColumn(str(loinc), str(unit)) for title, (loinc, unit) in kept["tests"].items()},
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def complaints(mapping: TableMapping, header: Sequence[str]) -> list[str]:
    """Why a table with these titles cannot be read by the mapping; empty when it can."""
    found: list[str] = []
    present = {column for title, column in mapping.columns.items() if title in header}
    twice = [column for column in Column if sum(meaning is column for meaning in mapping.columns.values()) > 1]
    found += [f"Two columns are said to be “{WORDS[column]}”. Choose one." for column in twice]
    gone = [title for title in (*mapping.columns, *mapping.tests) if title not in header]
    if gone:
        found.append(f"The file has no column called {', '.join(f'“{title}”' for title in gone[:5])}.")
    named = Column.FULL_NAME in present or {Column.FAMILY_NAME, Column.GIVEN_NAME} <= present
    if Column.MRN not in present and not (named and Column.BIRTH_DATE in present):
        found.append("Say which column is the MRN; or which are the name and the birth date.")
    if Column.COLLECTED not in present:
        found.append("Say which column is the day of collection.")
    if mapping.dates is None:
        found.append("Choose in which order dates are written.")
    return found + _of_layout(mapping, present)


def _of_layout(mapping: TableMapping, present: set[Column]) -> list[str]:
    if mapping.layout is Layout.WIDE:
        return [] if mapping.tests else ["Choose the test of at least one column."]
    found = []
    if not present & {Column.TEST, Column.LOINC}:
        found.append("Say which column is the name of the test or its LOINC code.")
    if Column.VALUE not in present:
        found.append("Say which column is the value.")
    return found


WORDS = {
    Column.MRN: "MRN",
    Column.FAMILY_NAME: "Family name",
    Column.GIVEN_NAME: "Given name",
    Column.FULL_NAME: "Full name",
    Column.BIRTH_DATE: "Birth date",
    Column.SEX: "Sex",
    Column.COLLECTED: "Day of collection",
    Column.ISSUED: "Day of the report",
    Column.ORDER: "Order or report number",
    Column.LABORATORY: "Laboratory",
    Column.TEST: "Name of the test",
    Column.LOINC: "LOINC code",
    Column.VALUE: "Value",
    Column.UNIT: "Unit",
    Column.LOW: "Lower limit",
    Column.HIGH: "Upper limit",
    Column.RANGE: "Reference range",
    Column.FLAG: "Flag",
    Column.STATUS: "Status",
    Column.NOTE: "Comment",
}

_NAMES = {
    Column.MRN: "mrn, medical record number, patient id, patient number, patient mrn, pat id, chart number, chart",
    Column.FAMILY_NAME: "family name, last name, surname, lastname, patient last name",
    Column.GIVEN_NAME: "given name, first name, forename, firstname, patient first name",
    Column.FULL_NAME: "name, patient, patient name, full name",
    Column.BIRTH_DATE: "birth date, date of birth, dob, birthdate, born",
    Column.SEX: "sex, gender, sex at birth",
    Column.COLLECTED: "collected, collected on, collection date, date collected, collection date time, collected date,"
    " specimen date, draw date, drawn, drawn on, sample date, date",
    Column.ISSUED: "reported, report date, result date, resulted, date reported, issued",
    Column.ORDER: "order, order number, order no, order id, accession, accession number, report number, specimen id",
    Column.LABORATORY: "laboratory, lab, performing lab, lab name",
    Column.TEST: "test, test name, analyte, component, component name, observation, test description",
    Column.LOINC: "loinc, loinc code",
    Column.VALUE: "value, result, result value, observation value",
    Column.UNIT: "unit, units, uom, unit of measure, result unit",
    Column.LOW: "low, lower limit, ref low, reference low, normal low, range low",
    Column.HIGH: "high, upper limit, ref high, reference high, normal high, range high",
    Column.RANGE: "range, reference range, ref range, normal range, reference interval",
    Column.FLAG: "flag, abnormal flag, abnormal, interpretation",
    Column.STATUS: "status, result status",
    Column.NOTE: "comment, comments, note, notes, remark",
}
_BY_NAME = {name.strip(): column for column, names in _NAMES.items() for name in names.split(",")}
_WITH_UNIT = re.compile(r"(.+?)\s*[(\[]([^()\[\]]+)[)\]]\s*")


def suggest(header: Sequence[str], tests: Mapping[str, str]) -> TableMapping:
    """A first mapping by the titles alone, for a person to check. ``tests``: LOINC codes by the name of the test.

    The order of dates is never suggested: nothing in a table says it.
    """
    columns: dict[str, Column] = {}
    known = {plain(name): loinc for name, loinc in tests.items()}
    found: dict[str, MeasuredColumn] = {}
    for title in header:
        column = _BY_NAME.get(plain(title))
        with_unit = _WITH_UNIT.fullmatch(title)
        name, unit = (with_unit[1], with_unit[2].strip()) if with_unit else (title, "")
        if column is not None and column not in columns.values():
            columns[title] = column
        elif plain(name) in known:
            found[title] = MeasuredColumn(known[plain(name)], unit)
    wide = bool(found) and not set(columns.values()) & {Column.VALUE, Column.TEST, Column.LOINC}
    return TableMapping(Layout.WIDE if wide else Layout.LONG, columns=columns, tests=found if wide else {})


def plain(title: str) -> str:
    """A title as it is compared: lower case, words apart by one blank."""
    return " ".join(re.split(r"[\W_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", title).lower())).strip()

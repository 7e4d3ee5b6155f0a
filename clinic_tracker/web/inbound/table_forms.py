"""Forms of tables of results: the file, what its columns mean, and the cells of a row."""

from collections.abc import Mapping, Sequence
from typing import Any

from clinic_tracker.domain.lab_entry import panel_title
from clinic_tracker.domain.panels import LabCatalog
from clinic_tracker.domain.screening import EXAM_TYPES, exam_title
from clinic_tracker.domain.table_cells import LONGEST_CELL, DateOrder
from clinic_tracker.domain.table_mapping import WORDS, Column, Layout, MeasuredColumn, NameOrder, TableMapping
from clinic_tracker.web.forms import FileField, Form, RadioField, SelectField, StringField
from clinic_tracker.web.labs.forms import PANELS

TEST = "test:"
LONGEST_UNIT = 40
MOST_TITLES = 6


class TableUploadForm(Form):
    """One table of one source."""

    source = SelectField("From", required="Choose the source")
    file = FileField("File", required="Choose the file", hint="CSV or XLSX, one row of titles above the rows.")


class SheetForm(Form):
    """Which sheet of a workbook is read."""

    sheet = RadioField("Sheet", required="Choose the sheet")


def sheet_form(sheets: Sequence[tuple[str, Sequence[str], int]], chosen: str | None) -> SheetForm:
    """The form for these sheets: name, titles and number of rows; they are chosen by their number."""
    names = [name for name, _titles, _rows in sheets]
    form = SheetForm(data={"sheet": str(names.index(chosen)) if chosen in names else None})
    form.sheet.choices = [
        (str(number), name, f"{rows} rows: {', '.join(titles[:MOST_TITLES])}")
        for number, (name, titles, rows) in enumerate(sheets)
    ]
    return form


class ColumnsForm(Form):
    """How a table is laid out; ``columns_form`` adds two fields for each of its columns."""

    layout = RadioField(
        "Layout",
        required="Choose the layout",
        choices=[
            (Layout.LONG, "A row for each value", "The name of the test, its value and its unit are columns."),
            (Layout.WIDE, "A column for each test", "The unit of each test is entered below."),
        ],
    )
    dates = RadioField(
        "Dates are written",
        required="Choose in which order dates are written",
        choices=[
            (DateOrder.MONTH_FIRST, "Month/day/year"),
            (DateOrder.DAY_FIRST, "Day/month/year"),
            (DateOrder.YEAR_FIRST, "Year/month/day"),
        ],
        hint="2026-01-12 and 12-Jan-2026 are understood in any case.",
    )
    names = RadioField(
        "Full names without a comma begin with",
        required="Choose how full names are written",
        choices=[(NameOrder.FAMILY_FIRST, "The family name"), (NameOrder.GIVEN_FIRST, "The given name")],
    )

    def pairs(self, header: Sequence[str]) -> list[tuple[str, Any, Any]]:
        """Each title with its two fields: what the column means, and its unit."""
        return [(title, self[f"column_{place}"], self[f"unit_{place}"]) for place, title in enumerate(header)]

    def mapping(self, header: Sequence[str]) -> TableMapping:
        """What was chosen."""
        chosen = [(title, str(one.data or ""), str(unit.data or "")) for title, one, unit in self.pairs(header)]
        layout = Layout(self.layout.data)
        tests = {
            title: MeasuredColumn(value.removeprefix(TEST), unit)
            for title, value, unit in chosen
            if value.startswith(TEST) and layout is Layout.WIDE
        }
        columns = {title: Column(value) for title, value, _ in chosen if value and not value.startswith(TEST)}
        return TableMapping(layout, DateOrder(self.dates.data), NameOrder(self.names.data), columns, tests)


def columns_form(header: Sequence[str], catalog: LabCatalog, mapping: TableMapping) -> ColumnsForm:
    """The form for a table with these titles, filled in by a mapping."""
    choices = [("", "Not read"), *((column.value, WORDS[column]) for column in Column), *_tests(catalog)]
    fields: dict[str, Any] = {}
    data: dict[str, Any] = {"layout": mapping.layout, "dates": mapping.dates, "names": mapping.names}
    for place, title in enumerate(header):
        fields[f"column_{place}"] = SelectField(f"What “{title}” means", choices=choices)
        fields[f"unit_{place}"] = StringField(f"Unit of “{title}”", max_length=LONGEST_UNIT, width=10)
        measured = mapping.tests.get(title)
        meaning = mapping.columns.get(title)
        data[f"column_{place}"] = f"{TEST}{measured.loinc}" if measured else meaning.value if meaning else ""
        data[f"unit_{place}"] = measured.unit if measured else ""
    form: ColumnsForm = type("TableColumnsForm", (ColumnsForm,), fields)(data=data)
    return form


def tests_by_name(catalog: LabCatalog) -> dict[str, str]:
    """The LOINC code of each test by its name here."""
    return {analyte.title: analyte.loinc[0] for analyte in catalog.analytes.values() if analyte.loinc}


def _tests(catalog: LabCatalog) -> list[tuple[str, str]]:
    found = [
        (f"{TEST}{one.loinc[0]}", f"Test: {panel_title(catalog, panel)}: {one.title}")
        for panel in PANELS
        for one in catalog.panel_analytes(panel)
        if one.loinc
    ]
    exams = [(kind, catalog.exam_loinc.get(kind, ())) for kind in EXAM_TYPES]
    found += [(f"{TEST}{codes[0]}", f"Test: {exam_title(kind.value)}") for kind, codes in exams if codes]
    return [*found, (TEST, "Test: by the name of the column")]


class RowForm(Form):
    """The cells of one row; ``row_form`` adds a field for each column."""

    def cells(self, header: Sequence[str]) -> dict[str, str]:
        """The cells that were sent, by title."""
        fields = [(title, self[f"cell_{place}"]) for place, title in enumerate(header)]
        return {title: str(one.data or "") for title, one in fields if one.raw_data}


def row_form(header: Sequence[str], cells: Mapping[str, str]) -> RowForm:
    """The form of a row with these cells."""
    fields = {f"cell_{place}": StringField(title, max_length=LONGEST_CELL) for place, title in enumerate(header)}
    data = {f"cell_{place}": cells.get(title, "") for place, title in enumerate(header)}
    form: RowForm = type("TableRowForm", (RowForm,), fields)(data=data)
    return form

"""Forms of the result pages. The grid of a sheet is made from the catalog: five inputs a row, four a panel."""

from functools import lru_cache
from typing import Any

from wtforms.widgets import HiddenInput

from clinic_tracker.domain.lab_entry import panel_title
from clinic_tracker.domain.panels import Analyte, LabCatalog, SpecimenProblem
from clinic_tracker.domain.vocabulary import Panel, ResultStatus
from clinic_tracker.services.lab_sheets import SameDay
from clinic_tracker.web.forms import (
    CheckboxField,
    DateField,
    Form,
    IdempotencyField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)

PANELS = (
    Panel.CBC_DIFF,
    Panel.CREATININE,
    Panel.URINALYSIS_CELLS,
    Panel.UPCR,
    Panel.TSH,
    Panel.LIVER_PANEL,
    Panel.CD4,
    Panel.OTHER,
)
STATUS_CHOICES = (
    (ResultStatus.FINAL, "Final"),
    (ResultStatus.CORRECTED, "Corrected by the laboratory"),
    (ResultStatus.PRELIMINARY, "Preliminary"),
    (ResultStatus.CANCELLED, "Cancelled"),
)
PROBLEM_CHOICES = (
    ("", "Specimen sound"),
    (SpecimenProblem.CLUMPED, "Platelets clumped"),
    (SpecimenProblem.HEMOLYZED, "Hemolyzed"),
    (SpecimenProblem.CLOTTED, "Clotted"),
    (SpecimenProblem.CONTAMINATED, "Contaminated"),
    (SpecimenProblem.QUANTITY_NOT_SUFFICIENT, "Quantity not sufficient"),
)
SAME_DAY_CHOICES = (
    (SameDay.SECOND_SPECIMEN, "A second specimen of that day", "Both stay on record."),
    (SameDay.CORRECTION, "A correction of that report", "It replaces it. What is left empty here is kept from it."),
)


class PrefilledField(StringField):
    """Hidden: the limits that the page was opened with and their unit, to see whether they were typed over."""

    kind = "hidden"
    widget = HiddenInput()

    def _value(self) -> str:
        return str(self.data or "")


class SheetForm(Form):
    """What is said once for a whole sheet. ``sheet_form_class`` adds the rows."""

    collected_on = DateField("Collection date", required="Enter the date of collection")
    laboratory = StringField("Laboratory", max_length=120, width=20)
    note = TextAreaField("Note", max_length=2000)
    token = IdempotencyField()


class ReasonForm(Form):
    """Why something is taken back."""

    reason = TextAreaField("Reason", required="Give the reason", max_length=2000)


class ChartNumberForm(Form):
    """Whose paper comes next. Sent by POST: a record number is no part of an address."""

    mrn = StringField("MRN", required="Enter the medical record number", max_length=40, width=12)


class ReviewForm(Form):
    """Sign-off of the chosen results, with one note for all of them."""

    note = StringField("Note", max_length=2000, width=30)


def sheet_form_class(catalog: LabCatalog, panels: tuple[Panel, ...], *, correcting: bool = False) -> type[SheetForm]:
    """The form for a sheet with these panels; for a correction it asks for the reason."""
    return _sheet_form_class(_Hashed(catalog), panels, correcting)


class _Hashed:
    """A catalog as a key: there is one of each."""

    def __init__(self, catalog: LabCatalog) -> None:
        self.catalog = catalog

    def __hash__(self) -> int:
        return id(self.catalog)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Hashed) and other.catalog is self.catalog


@lru_cache(maxsize=32)
def _sheet_form_class(hashed: _Hashed, panels: tuple[Panel, ...], correcting: bool) -> type[SheetForm]:  # noqa: FBT001
    fields: dict[str, Any] = {}
    for panel in panels:
        for analyte in hashed.catalog.panel_analytes(panel):
            fields |= _row_fields(analyte)
        fields |= _panel_fields(panel, panel_title(hashed.catalog, panel))
    if correcting:
        fields["reason"] = TextAreaField("Reason of the correction", required="Give the reason", max_length=2000)
    return type("ResultsForm", (SheetForm,), fields)


def _row_fields(analyte: Analyte) -> dict[str, Any]:
    title, code = analyte.title, analyte.code
    fields: dict[str, Any] = {f"{code}_value": StringField(title, max_length=60)}
    if analyte.ordinal:
        return fields
    return fields | {
        f"{code}_unit": StringField(f"{title}, unit", max_length=40),
        f"{code}_low": StringField(f"{title}, lower limit", max_length=20),
        f"{code}_high": StringField(f"{title}, upper limit", max_length=20),
        f"{code}_confirmed": CheckboxField(f"{title}: as reported"),
        f"{code}_prefilled": PrefilledField(max_length=100),
    }


def _panel_fields(panel: Panel, title: str) -> dict[str, Any]:
    code = panel.value
    return {
        f"{code}_status": SelectField(f"{title}, status", choices=STATUS_CHOICES, default=ResultStatus.FINAL.value),
        f"{code}_problem": SelectField(f"{title}, specimen", choices=PROBLEM_CHOICES),
        f"{code}_same_day": RadioField(
            f"{title}: one of that date is on record. This one is", choices=SAME_DAY_CHOICES
        ),
        f"{code}_reason": StringField(f"{title}: what was wrong with the report on record", max_length=2000),
    }

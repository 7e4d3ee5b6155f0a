"""Between the grid of a sheet and what the service takes: prefilling, reading back, and the rows to draw."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import wtforms
from flask import request

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.lab_entry import (
    TypedPanel,
    TypedValue,
    default_unit,
    is_unusual,
    number_words,
    panel_title,
)
from clinic_tracker.domain.panels import Analyte, LabCatalog, SpecimenProblem
from clinic_tracker.domain.vocabulary import Panel, ResultStatus, Sex
from clinic_tracker.queries.lab_catalog import lab_catalog
from clinic_tracker.queries.lab_prefill import PrintedRange, printed_ranges, usual_laboratory
from clinic_tracker.queries.lab_rows import ReportRow
from clinic_tracker.queries.patients import PatientHeader
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.lab_sheets import EntryRefused, SameDay, SameDayAnswer, Sheet, report_as_typed
from clinic_tracker.web.forms import RadioField
from clinic_tracker.web.labs.forms import PANELS, SheetForm, sheet_form_class

CONVENTION, PRINTED = "convention", "printed"


@dataclass(frozen=True, slots=True)
class GridRow:
    """One analyte of the grid. ``by_convention``: the limits are ordinary adult ones, printed by no laboratory."""

    code: str
    title: str
    value: wtforms.Field
    unit: wtforms.Field | None
    units: tuple[str, ...]
    low: wtforms.Field | None
    high: wtforms.Field | None
    confirmed: wtforms.Field | None
    asks_again: bool
    by_convention: bool


@dataclass(frozen=True, slots=True)
class GridPanel:
    """One panel of the grid. ``needs`` is what makes it complete, for the live remark."""

    code: str
    title: str
    rows: tuple[GridRow, ...]
    status: wtforms.Field
    problem: wtforms.Field
    same_day: wtforms.Field | None
    reason: wtforms.Field | None
    needs: list[dict[str, Any]]


def was_sent() -> bool:
    """Whether the form came back filled in."""
    return request.method == "POST"


def new_sheet(scope: Scope, header: PatientHeader, **given: Any) -> SheetForm:
    """The form for new results of a patient, with the laboratory's ranges; what was sent stays as typed."""
    catalog = lab_catalog(scope)
    form = sheet_form_class(catalog, PANELS)(scope=scope)
    if not was_sent():
        form.laboratory.data = given.get("laboratory") or usual_laboratory(scope, header.id)
        form.collected_on.process(None, given.get("collected_on"))
        fill_ranges(scope, form, header)
    return form


def fill_ranges(scope: Scope, form: SheetForm, header: PatientHeader) -> None:
    """Put the ranges of the form's laboratory into every row whose limits nobody typed over."""
    catalog, sex = lab_catalog(scope), Sex(header.sex_at_birth)
    printed = printed_ranges(scope, form.laboratory.data, sex)
    for panel in PANELS:
        for analyte in catalog.panel_analytes(panel):
            if not analyte.ordinal and _limits_unchanged(form, analyte.code):
                _fill_row(catalog, form, analyte, printed, sex)


def correction_sheet(scope: Scope, report: ReportRow) -> SheetForm:
    """The form that corrects a report, with everything of the report in it."""
    catalog, panel = lab_catalog(scope), Panel(report.panel)
    form = sheet_form_class(catalog, (panel,), correcting=True)(scope=scope)
    if was_sent():
        return form
    form.collected_on.process(None, report.collected_on)
    form.laboratory.data, form.note.data = report.laboratory, report.note
    form[f"{panel.value}_status"].data = report.result_status
    form[f"{panel.value}_problem"].data = report.specimen_problem
    typed = {row.analyte: row for row in report_as_typed(scope, panel, report.values).values}
    for analyte in catalog.panel_analytes(panel):
        if row := typed.get(analyte.code):
            _fill_typed(catalog, form, analyte, row)
        elif not analyte.ordinal:
            form[f"{analyte.code}_unit"].data = default_unit(catalog, analyte)
    return form


def sheet_of(scope: Scope, form: SheetForm, panels: tuple[Panel, ...] = PANELS) -> Sheet:
    """What the form says, for the service to judge."""
    catalog = lab_catalog(scope)
    return Sheet(
        collected_on=form.collected_on.data,
        panels=tuple(_typed_panel(catalog, form, panel) for panel in panels),
        laboratory=form.laboratory.data,
        note=form.note.data,
        same_day={panel: answer for panel in panels if (answer := _answer(form, panel))},
    )


def refuse_all(form: SheetForm, refused: RuleViolation) -> None:
    """Show everything that is wrong, each at its row."""
    for violation in refused.violations if isinstance(refused, EntryRefused) else [refused]:
        form.refuse(violation)


def grid_of(scope: Scope, form: SheetForm, panels: tuple[Panel, ...] = PANELS) -> list[GridPanel]:
    """The panels and rows to draw."""
    catalog = lab_catalog(scope)
    return [_grid_panel(catalog, form, panel) for panel in panels]


def _fill_row(
    catalog: LabCatalog, form: SheetForm, analyte: Analyte, printed: Mapping[str, PrintedRange], sex: Sex
) -> None:
    unit = default_unit(catalog, analyte)
    kept = analyte.scales[0].unit
    known, usual = printed.get(analyte.code), catalog.default_range(analyte.code, kept, sex)
    low, high, origin = (
        (known.low, known.high, PRINTED)
        if known is not None and known.unit == kept
        else (usual.low, usual.high, CONVENTION)
        if usual is not None
        else (None, None, PRINTED)
    )
    texts = ["" if limit is None else number_words(limit) for limit in (low, high)]
    values = {"low": texts[0], "high": texts[1], "prefilled": "|".join([*texts, unit, origin])}
    if not was_sent():
        values["unit"] = unit
    for part, text in values.items():
        _put(form[f"{analyte.code}_{part}"], text)


def _put(field: wtforms.Field, text: str) -> None:
    field.data = text or None
    field.raw_data = None


def _fill_typed(catalog: LabCatalog, form: SheetForm, analyte: Analyte, row: TypedValue) -> None:
    """A value on record; one that is unusual was confirmed when it was recorded."""
    form[f"{analyte.code}_value"].data = row.value
    if not analyte.ordinal:
        form[f"{analyte.code}_unit"].data = row.unit
        form[f"{analyte.code}_low"].data, form[f"{analyte.code}_high"].data = row.low, row.high
        form[f"{analyte.code}_confirmed"].data = is_unusual(catalog, row)


def _prefilled(form: SheetForm, code: str) -> tuple[str, str, str, str]:
    """Lower limit, upper limit, unit and origin as the page was opened; empty where nothing was filled in."""
    parts = str(form[f"{code}_prefilled"].data or "").split("|")
    low, high, unit, origin = parts if len(parts) == 4 else ("", "", "", "")  # noqa: PLR2004
    return low, high, unit, origin


def _limits_unchanged(form: SheetForm, code: str) -> bool:
    low, high, _, _ = _prefilled(form, code)
    return (form[f"{code}_low"].data or "", form[f"{code}_high"].data or "") == (low, high)


def _typed_panel(catalog: LabCatalog, form: SheetForm, panel: Panel) -> TypedPanel:
    problem = form[f"{panel.value}_problem"].data
    return TypedPanel(
        panel,
        tuple(_typed_value(form, analyte) for analyte in catalog.panel_analytes(panel)),
        ResultStatus(form[f"{panel.value}_status"].data or ResultStatus.FINAL),
        SpecimenProblem(problem) if problem else None,
    )


def _typed_value(form: SheetForm, analyte: Analyte) -> TypedValue:
    def text(part: str) -> str:
        return str(form[f"{analyte.code}_{part}"].data or "")

    if analyte.ordinal:
        return TypedValue(analyte.code, text("value"))
    confirmed = bool(form[f"{analyte.code}_confirmed"].data)
    row = TypedValue(analyte.code, text("value"), text("unit"), text("low"), text("high"), confirmed)
    if not _limits_unchanged(form, analyte.code):
        return row
    _, _, unit, origin = _prefilled(form, analyte.code)
    # An ordinary adult range that nobody typed over is no part of the report.
    return row._replace(low="", high="") if origin == CONVENTION else row._replace(range_unit=unit)


def _answer(form: SheetForm, panel: Panel) -> SameDayAnswer | None:
    chosen = form[f"{panel.value}_same_day"].data
    return SameDayAnswer(SameDay(chosen), form[f"{panel.value}_reason"].data) if chosen else None


def _grid_panel(catalog: LabCatalog, form: SheetForm, panel: Panel) -> GridPanel:
    same_day, reason = form[f"{panel.value}_same_day"], form[f"{panel.value}_reason"]
    asked = bool(same_day.errors or same_day.data or reason.errors)
    cast("RadioField", same_day).required = asked  # once asked it is not optional
    rule = catalog.panels.get(panel)
    return GridPanel(
        code=panel.value,
        title=panel_title(catalog, panel),
        rows=tuple(_grid_row(catalog, form, analyte) for analyte in catalog.panel_analytes(panel)),
        status=form[f"{panel.value}_status"],
        problem=form[f"{panel.value}_problem"],
        same_day=same_day if asked else None,
        reason=reason if asked else None,
        needs=[
            {
                "of": [[code, f"no {catalog.analyte(code).title.lower()}"] for code in part.analytes],
                "none": part.missing,
                "others": part.missing_with_others,
            }
            for part in (rule.parts if rule is not None else ())
        ],
    )


def _grid_row(catalog: LabCatalog, form: SheetForm, analyte: Analyte) -> GridRow:
    def part(name: str) -> wtforms.Field | None:
        return None if analyte.ordinal else form[f"{analyte.code}_{name}"]

    confirmed = part("confirmed")
    by_convention = not analyte.ordinal and _prefilled(form, analyte.code)[3] == CONVENTION
    return GridRow(
        code=analyte.code,
        title=analyte.title,
        value=form[f"{analyte.code}_value"],
        unit=part("unit"),
        units=catalog.accepted_units(analyte.code),
        low=part("low"),
        high=part("high"),
        confirmed=confirmed,
        asks_again=confirmed is not None and bool(confirmed.errors or confirmed.data),
        by_convention=by_convention and _limits_unchanged(form, analyte.code),
    )

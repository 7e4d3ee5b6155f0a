"""A sheet of results as typed, understood against what is on record: everything that is wrong is told at once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import select

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.lab_entry import ReadPanel, ReadValue, TypedPanel, as_typed, panel_title, read_panel
from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.panels import LabCatalog
from clinic_tracker.domain.vocabulary import FactState, Panel, Sex
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import LabReport, LabValue
from clinic_tracker.models.patients import Patient
from clinic_tracker.queries.lab_catalog import lab_catalog
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.facts import check_not_future


class EntryRefused(RuleViolation):
    """Several things are wrong with an entry; ``violations`` are all of them, the first one is this exception."""

    def __init__(self, violations: Sequence[RuleViolation]) -> None:
        first = violations[0]
        super().__init__(first.code, first.field, first.message)
        self.violations = tuple(violations)


class SameDay(StrEnum):
    """What a further report of a panel on the same date is."""

    SECOND_SPECIMEN = "second"
    CORRECTION = "correction"


class SameDayAnswer(NamedTuple):
    """The answer to "this panel is on record for that date": what it is, and why the old one was wrong."""

    is_what: SameDay
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """What came on one sheet of paper: the date of collection once, then panels as typed.

    ``attested`` is for a report without values that is known to be complete: it came with an imported history.
    """

    collected_on: date
    panels: tuple[TypedPanel, ...]
    laboratory: str | None = None
    note: str | None = None
    same_day: Mapping[Panel, SameDayAnswer] = field(default_factory=dict)
    attested: bool = False


def report_as_typed(scope: Scope, panel: Panel, values: Sequence[ReadValue]) -> TypedPanel:
    """A stored panel as somebody would type it, to start a correction from."""
    catalog = lab_catalog(scope)
    return TypedPanel(panel, tuple(as_typed(catalog, value) for value in values))


def on_record(scope: Scope, patient_id: int, day: date, but: int | None = None) -> dict[Panel, LabReport]:
    """The latest recorded report of each panel of a date."""
    reports = db.session.execute(
        select(LabReport)
        .where(
            LabReport.clinic_id == scope.clinic_id,
            LabReport.patient_id == patient_id,
            LabReport.collected_on == day,
            LabReport.state == FactState.RECORDED.value,
            LabReport.panel != Panel.OTHER.value,
            LabReport.id != (but or 0),
        )
        .order_by(LabReport.id)
    ).scalars()
    return {Panel(report.panel): report for report in reports}


def completed(
    scope: Scope, catalog: LabCatalog, typed: TypedPanel, old: LabReport | None, answer: SameDayAnswer | None
) -> TypedPanel:
    """The panel with what was left empty taken from the report that it corrects."""
    if old is None or answer is None or answer.is_what is not SameDay.CORRECTION:
        return typed
    entered = {row.analyte for row in typed.values if row.value.strip()}
    kept = [as_typed(catalog, value) for value in values_of(scope, old) if value.analyte not in entered]
    return typed._replace(values=(*(row for row in typed.values if row.value.strip()), *kept))


def values_of(_scope: Scope, report: LabReport) -> list[ReadValue]:
    """The values of a stored report."""
    rows = db.session.execute(
        select(
            LabValue.analyte,
            LabValue.number,
            LabValue.text,
            LabValue.unit,
            LabValue.low,
            LabValue.high,
            LabValue.flag,
        )
        .where(LabValue.lab_report_id == report.id)
        .order_by(LabValue.id)
    )
    return [ReadValue(*row) for row in rows]


def read_sheet(
    scope: Scope,
    catalog: LabCatalog,
    patient: Patient,
    sheet: Sheet,
    panels: Sequence[TypedPanel],
    there: Mapping[Panel, LabReport],
) -> list[ReadPanel]:
    """The panels of a sheet understood; EntryRefused with everything that is wrong."""
    violations = list(_wrong_date(scope, patient, sheet.collected_on))
    if not panels:
        violations.append(RuleViolation("nothing_entered", None, "Enter at least one value."))
    read: list[ReadPanel] = []
    for typed in panels:
        panel, verdict = read_panel(catalog, typed, Sex(patient.sex_at_birth), attested=sheet.attested)
        read.append(panel)
        violations += [RuleViolation(note.code, note.field, note.message) for note in verdict.refusals]
        if typed.panel in there:
            violations += _unanswered(catalog, sheet, typed.panel)
    if violations:
        raise EntryRefused(violations)
    return read


def _wrong_date(scope: Scope, patient: Patient, day: date) -> Iterator[RuleViolation]:
    try:
        check_not_future(scope, day, "collected_on", "The date of collection")
    except RuleViolation as violation:
        yield violation
    if day < patient.birth_date:
        yield RuleViolation("before_birth", "collected_on", "The date of collection is before the patient was born.")


def _unanswered(catalog: LabCatalog, sheet: Sheet, panel: Panel) -> list[RuleViolation]:
    answer = sheet.same_day.get(panel)
    title = panel_title(catalog, panel)
    if answer is None:
        message = (
            f"{title}: there is one of {show_date(sheet.collected_on)} already. "
            "Say whether this is a second specimen or a correction."
        )
        return [RuleViolation("same_day", f"{panel.value}_same_day", message)]
    if answer.is_what is SameDay.CORRECTION and not (answer.reason or "").strip():
        return [
            RuleViolation("reason_required", f"{panel.value}_reason", f"{title}: give the reason of the correction.")
        ]
    return []

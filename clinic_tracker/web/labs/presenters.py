"""Results in words: values as they are read, what an entry did to the schedule, groups by date."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from clinic_tracker.domain.lab_entry import ABNORMAL, ReadValue, number_words, panel_title, split_text
from clinic_tracker.domain.lab_findings import told_once
from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.panels import LabCatalog
from clinic_tracker.domain.screening import EXAM_TYPES
from clinic_tracker.domain.vocabulary import ExamKind, Panel, ResultStatus
from clinic_tracker.queries.effects import AntiviralStop, Effect
from clinic_tracker.queries.exam_rows import ExamRow
from clinic_tracker.queries.lab_rows import ReportRow
from clinic_tracker.web.effects import EffectLine, effect_line
from clinic_tracker.web.labs.forms import PANELS

STATUS_TONES = {
    ResultStatus.CORRECTED: ("Corrected by the laboratory", "grey"),
    ResultStatus.PRELIMINARY: ("Preliminary", "amber"),
    ResultStatus.CANCELLED: ("Cancelled", "amber"),
}


_ENDED = {"corrected": ("Replaced by a correction", "grey"), "entered_in_error": ("Entered in error", "red")}


@dataclass(frozen=True, slots=True)
class ShownValue:
    """One value as it is read. ``reported``: how the paper put it, where that was in another unit."""

    code: str
    title: str
    text: str
    unit: str
    flag: str | None
    range: str
    reported: str | None


@dataclass(frozen=True, slots=True)
class ShownReport:
    """One report as it is read."""

    row: ReportRow
    title: str
    values: tuple[ShownValue, ...]
    findings: tuple[dict[str, Any], ...]
    tags: tuple[tuple[str, str], ...]
    counts_not: str | None

    @property
    def public_id(self) -> uuid.UUID:
        """The id for addresses."""
        return self.row.public_id


@dataclass(frozen=True, slots=True)
class ShownExam:
    """One exam as it is read, in the shape of a report: its outcome is its only value."""

    row: ExamRow
    title: str
    values: tuple[ShownValue, ...]
    findings: tuple[dict[str, Any], ...]
    tags: tuple[tuple[str, str], ...]
    counts_not: None = None

    @property
    def public_id(self) -> uuid.UUID:
        """The id for addresses."""
        return self.row.public_id


@dataclass(frozen=True, slots=True)
class Day:
    """The reports of one date of collection."""

    on: date
    reports: tuple[ShownReport, ...]


def shown_report(catalog: LabCatalog, row: ReportRow) -> ShownReport:
    """A report in words."""
    panel = Panel(row.panel)
    return ShownReport(
        row=row,
        title=row.title if panel is Panel.OTHER and row.title else panel_title(catalog, panel),
        values=tuple(shown_value(catalog, value) for value in in_order(catalog, panel, row.values)),
        findings=told_once(row.findings),
        tags=tuple(_tags(row)),
        counts_not=counts_not(row),
    )


def in_order(catalog: LabCatalog, panel: Panel, values: Iterable[ReadValue]) -> list[ReadValue]:
    """The values in the order of the panel, what it needs first."""
    codes = [analyte.code for analyte in catalog.panel_analytes(panel)]
    return sorted(values, key=lambda value: codes.index(value.analyte) if value.analyte in codes else len(codes))


def shown_exam(row: ExamRow) -> ShownExam:
    """An exam in words."""
    known = EXAM_TYPES[ExamKind(row.kind)]
    outcome = ShownValue(row.kind, row.method or known.title, known.words(row.outcome), "", None, "", None)
    tags = [] if row.stands else [_ENDED[row.entry.state]]
    if row.replaces_id is not None and row.stands:
        tags.append(("Correction", "grey"))
    return ShownExam(row, known.title, (outcome,), row.told, tuple(tags))


def shown_value(catalog: LabCatalog, value: ReadValue) -> ShownValue:
    """A value in words: the number in the unit of the rules, or the laboratory's own words in that unit."""
    analyte = catalog.analyte(value.analyte)
    unit = catalog.show_unit(value.unit or "")
    text, reported_unit = (value.text or "", "") if value.number is None else split_text(catalog, value)
    elsewhere = value.number is not None and reported_unit != unit
    return ShownValue(
        code=value.analyte,
        title=analyte.title,
        text=number_words(value.number) if elsewhere and value.number is not None else text,
        unit=unit,
        flag=value.flag if value.flag in ("L", "H", ABNORMAL) else None,
        range=range_words(value.low, value.high),
        reported=value.text if elsewhere else None,
    )


def range_words(low: float | None, high: float | None) -> str:
    """A reference range in words: 150 to 450, up to 55, from 0.4; nothing where none is known."""
    if low is not None and high is not None:
        return f"{number_words(low)} to {number_words(high)}"
    if high is not None:
        return f"up to {number_words(high)}"
    return "" if low is None else f"from {number_words(low)}"


def counts_not(row: ReportRow) -> str | None:
    """Why a report is evidence for nothing, None where it is evidence (or no longer stands)."""
    if not row.stands or row.is_evidence:
        return None
    if row.result_status == ResultStatus.CANCELLED:
        return "cancelled by the laboratory"
    if row.result_status == ResultStatus.PRELIMINARY:
        return "preliminary: enter the final result as a correction"
    return row.missing


def by_day(reports: Iterable[ShownReport]) -> list[Day]:
    """Reports in groups by the date of collection, in the order given; those of a date in the order of entry."""
    order = {panel.value: place for place, panel in enumerate(PANELS)}
    return [
        Day(on, tuple(sorted(group, key=lambda report: order[report.row.panel])))
        for on, group in groupby(reports, key=lambda report: report.row.collected_on)
    ]


def effect_lines(
    catalog: LabCatalog, rows: Sequence[ReportRow], effects: dict[int, Effect], stop: AntiviralStop | None = None
) -> list[EffectLine]:
    """What each of the reports just recorded did to the schedule, and what it calls for."""
    return [_effect_line(panel_title(catalog, Panel(row.panel)), row, effects.get(row.id), stop) for row in rows]


def _effect_line(title: str, row: ReportRow, effect: Effect | None, stop: AntiviralStop | None) -> EffectLine:
    findings = told_once(row.findings)
    if row.panel == Panel.OTHER:
        return EffectLine(title, "recorded. They belong to no monitoring requirement.", "info", findings)
    if why := counts_not(row):
        return EffectLine(title, f"recorded, but it does not count: {why}.", "warning", findings)
    if row.panel == Panel.CD4 and stop is not None:
        return EffectLine(title, f"recorded. {antiviral_words(stop)}", "success", findings)
    return effect_line(title, effect, findings)


def antiviral_words(stop: AntiviralStop) -> str:
    """When the antiviral may stop: the later of the floor by time and the first count that allows it."""
    if stop.earliest_stop_on is None:
        return f"The antiviral goes on: no count of {stop.cd4_minimum} or more after the course yet."
    return f"The antiviral may stop from {show_date(stop.earliest_stop_on)} on."


def _tags(row: ReportRow) -> Iterable[tuple[str, str]]:
    if not row.stands:
        yield _ENDED[row.state]
    status = ResultStatus(row.result_status)
    if status in STATUS_TONES:
        yield STATUS_TONES[status]
    if row.replaces_id is not None and row.stands:
        yield "Correction", "grey"

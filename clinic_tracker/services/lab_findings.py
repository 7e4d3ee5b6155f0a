"""What results mean in the light of the ones before them: worked out when recorded, and again when the past changes."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import func, select

from clinic_tracker.domain.history import VALID_STATUSES
from clinic_tracker.domain.lab_entry import comparator_of
from clinic_tracker.domain.lab_findings import Finding, Measured, findings
from clinic_tracker.domain.panels import LabCatalog, Level, SpecimenProblem
from clinic_tracker.domain.vocabulary import FactState, Grade, Panel, ResultStatus, Sex
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import LabReport, LabValue
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.schedule import PatientSchedule
from clinic_tracker.models.treatment import Infusion
from clinic_tracker.queries.lab_catalog import catalogs_by_date
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.auto_review import close_normal_ones
from clinic_tracker.services.task_evidence import match_tasks, waiting_for_results

AT_ONCE = 400
RANK = {Level.RED.value: 0, Level.AMBER.value: 1, None: 2}
#: A count of platelets that stick together is not a count.
_UNCOUNTED = {SpecimenProblem.CLUMPED.value: {"platelets"}, SpecimenProblem.CLOTTED.value: {"platelets"}}
_SAYS_NOTHING = frozenset({ResultStatus.CANCELLED.value, ResultStatus.ENTERED_IN_ERROR.value})
_CHANGED = "The findings changed when something earlier was entered, corrected or withdrawn."

Values = dict[str, Measured]


class _Known(NamedTuple):
    """A report that stands, with what was found before."""

    id: int
    patient_id: int
    panel: str
    collected_on: date
    result_status: str
    specimen_problem: str | None
    findings: list[Any]
    worst_level: str | None


@dataclass(slots=True)
class _Past:
    """The values of a patient by analyte, in the order of their collection."""

    first_infusion_on: date | None
    by_analyte: defaultdict[str, list[tuple[date, Measured]]] = field(default_factory=lambda: defaultdict(list))

    def remember(self, day: date, values: Values) -> None:
        """Take the values of a day."""
        for analyte, value in values.items():
            self.by_analyte[analyte].append((day, value))

    def previous(self) -> Values:
        """The latest value of each analyte so far."""
        return {analyte: values[-1][1] for analyte, values in self.by_analyte.items()}

    def baseline(self) -> Values:
        """The latest value before the first infusion; the first one on record where there is none (C)."""
        return {analyte: self._base_of(values) for analyte, values in self.by_analyte.items()}

    def _base_of(self, values: list[tuple[date, Measured]]) -> Measured:
        start = self.first_infusion_on
        before = [value for day, value in values if start is not None and day <= start]
        return before[-1] if before else values[0][1]


def refresh_findings(scope: Scope, patient: Patient, from_on: date = date.min) -> int:
    """Work out anew the findings of a patient's reports (collected on or after a date); the number that changed.

    Each is judged by the thresholds in force on its day of collection. Runs inside the unit of work of what changed and
    does not commit. A reviewed report that turns out worse than it was when it was reviewed, or has a finding that it
    did not have, goes back to the queue; what was recorded now and is normal closes by the clinic's criteria; follow-up
    tasks that it answers are done.
    """
    return refresh_many(scope, {patient: from_on})


def refresh_many(scope: Scope, changed_from: Mapping[Patient, date]) -> int:
    """The same for many patients, each from the day on that a result of theirs changed."""
    db.session.flush()
    keys = [patient.id for patient in changed_from]
    reports, values = _reports(scope, keys), _values(scope, keys)
    first_infusions = _first_infusions(scope, keys)
    catalog_on = catalogs_by_date(scope)
    changed: dict[int, list[dict[str, Any]]] = {}
    for patient, from_on in changed_from.items():
        sex, past = Sex(patient.sex_at_birth), _Past(first_infusions.get(patient.id))
        for day, of_day in _by_day(reports[patient.id]):
            if day >= from_on:
                for report, found in _judged(catalog_on(day), of_day, values, past, sex):
                    if found != report.findings or _level(found) != report.worst_level:
                        changed[report.id] = found
            valid = [report for report in of_day if report.result_status in VALID_STATUSES]
            past.remember(day, _together(valid, values))
    _write(scope, changed)
    close_normal_ones(scope, keys)
    for key in waiting_for_results(scope, keys):
        match_tasks(scope, key)
    return len(changed)


def follow_first_infusion(scope: Scope, patient: Patient) -> int:
    """Work the findings out anew where the first infusion, up to which values are the baseline, is another one now.

    Runs inside the unit of work, before the schedule is projected: it still tells the first infusion of before.
    """
    before = db.session.execute(
        select(PatientSchedule.first_infusion_on).where(PatientSchedule.patient_id == patient.id)
    ).scalar_one_or_none()
    now = _first_infusions(scope, [patient.id]).get(patient.id)
    return refresh_findings(scope, patient) if now != before else 0


def _reports(scope: Scope, patient_ids: Sequence[int]) -> defaultdict[int, list[_Known]]:
    """Locked: a review in the same moment is either seen here, or comes after and sees what is found here."""
    found: defaultdict[int, list[_Known]] = defaultdict(list)
    for some in _some_at_a_time(patient_ids):
        rows = db.session.execute(
            select(*(getattr(LabReport, name) for name in _Known._fields))
            .where(
                LabReport.clinic_id == scope.clinic_id,
                LabReport.patient_id.in_(some),
                LabReport.state == FactState.RECORDED.value,
            )
            .order_by(LabReport.collected_on, LabReport.id)
            .with_for_update()
        )
        for row in rows:
            report = _Known(*row)
            found[report.patient_id].append(report)
    return found


def _values(scope: Scope, patient_ids: Sequence[int]) -> Mapping[int, Values]:
    """The measured values of each report of the patients, by report key."""
    found: defaultdict[int, Values] = defaultdict(dict)
    for some in _some_at_a_time(patient_ids):
        rows = db.session.execute(
            select(
                LabValue.lab_report_id,
                LabValue.analyte,
                LabValue.number,
                LabValue.unit,
                LabValue.low,
                LabValue.high,
                LabValue.text,
                LabReport.collected_on,
            )
            .join(LabReport, LabReport.id == LabValue.lab_report_id)
            .where(
                LabReport.clinic_id == scope.clinic_id,
                LabReport.patient_id.in_(some),
                LabReport.state == FactState.RECORDED.value,
                LabValue.number.is_not(None),
            )
        )
        for report, analyte, number, unit, low, high, text, on in rows:
            assert number is not None
            found[report][analyte] = Measured(number, unit or "", low, high, comparator_of(text) if text else "", on)
    return found


def _first_infusions(scope: Scope, patient_ids: Sequence[int]) -> dict[int, date]:
    found: dict[int, date] = {}
    for some in _some_at_a_time(patient_ids):
        rows = db.session.execute(
            select(Infusion.patient_id, func.min(Infusion.infused_on))
            .where(
                Infusion.clinic_id == scope.clinic_id,
                Infusion.patient_id.in_(some),
                Infusion.state == FactState.RECORDED.value,
            )
            .group_by(Infusion.patient_id)
        )
        found |= {patient: first for patient, first in rows}  # noqa: C416 - rows are not pairs to mypy
    return found


def _some_at_a_time(keys: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(keys), AT_ONCE):
        yield keys[start : start + AT_ONCE]


def _by_day(reports: Iterable[_Known]) -> Iterator[tuple[date, list[_Known]]]:
    days: dict[date, list[_Known]] = {}
    for report in reports:
        days.setdefault(report.collected_on, []).append(report)
    yield from days.items()


def _counted(report: _Known, values: Mapping[int, Values]) -> Values:
    """The values of a report that mean something."""
    if report.result_status in _SAYS_NOTHING:
        return {}
    measured = values.get(report.id, {})
    left_out = _UNCOUNTED.get(report.specimen_problem or "")
    return {name: value for name, value in measured.items() if name not in left_out} if left_out else measured


def _together(reports: Iterable[_Known], values: Mapping[int, Values]) -> Values:
    """The values of reports of one day, so that creatinine and urine are read together."""
    merged: Values = {}
    for report in reports:
        merged.update(_counted(report, values))
    return merged


def _judged(
    catalog: LabCatalog, of_day: Sequence[_Known], values: Mapping[int, Values], past: _Past, sex: Sex
) -> Iterator[tuple[_Known, list[dict[str, Any]]]]:
    """The reports of a day, each with what is found about it; its own values count where another one has them too."""
    previous, baseline = past.previous(), past.baseline()
    together = _together(of_day, values)
    of_all = findings(catalog, together, previous, baseline, sex)
    for report in of_day:
        own = _counted(report, values)
        merged = {**together, **own}
        found = of_all if merged == together else findings(catalog, merged, previous, baseline, sex)
        yield report, _concerning(catalog, report, merged, found)


def _concerning(catalog: LabCatalog, report: _Known, values: Values, found: Sequence[Finding]) -> list[dict[str, Any]]:
    """The findings that this report has a part in, the worst first; and that a spoiled specimen is to be redrawn."""
    if report.result_status in _SAYS_NOTHING or not (found or report.specimen_problem):
        return []
    own = {analyte.code for analyte in catalog.panel_analytes(Panel(report.panel))} & set(values)
    kept = [item.as_json() for item in found if own.intersection(item.analytes)]
    if report.specimen_problem is not None:
        kept.append(_redraw(catalog, report))
    return sorted(kept, key=lambda item: RANK[item["level"]])


def _redraw(catalog: LabCatalog, report: _Known) -> dict[str, Any]:
    problem = SpecimenProblem(str(report.specimen_problem))
    what, _, remedy = catalog.missing_for_complete(Panel(report.panel), (), problem)[0].partition(": ")
    return {
        "rule": "specimen_problem",
        "level": Level.AMBER.value,
        "words": f"{what[:1].upper()}{what[1:]}",
        "action": f"{remedy[:1].upper()}{remedy[1:]}: this report counts for nothing",
        "analytes": [],
        "source": "Only a final result of a sound specimen is evidence",
        "grade": Grade.C.value,
        "threshold": None,
        "compared": [],
    }


def _level(found: Sequence[Mapping[str, Any]]) -> str | None:
    """How loud the worst one is, the first."""
    return found[0]["level"] if found else None


def _write(scope: Scope, changed: Mapping[int, list[dict[str, Any]]]) -> None:
    """Write the findings that differ, by report."""
    for some in _some_at_a_time(list(changed)):
        rows = db.session.execute(
            select(LabReport)
            .where(LabReport.clinic_id == scope.clinic_id, LabReport.id.in_(some))
            .execution_options(populate_existing=True)
        ).scalars()
        for report in rows:
            _set(scope, report, changed[report.id])


def _set(scope: Scope, report: LabReport, found: list[dict[str, Any]]) -> None:
    worst, known = _level(found), {item["rule"] for item in report.findings}
    worse = RANK[worst] < RANK[report.worst_level] or any(item["rule"] not in known for item in found)
    before = audit.snapshot(report)
    report.findings, report.worst_level = found, worst
    if worse and report.reviewed_at is not None:
        report.reviewed_at = report.reviewed_by_id = report.review_note = report.sample_checked_at = None
        report.auto_reviewed = False
        audit.record(scope, AuditAction.LAB_REVIEW_WITHDRAWN, report, before=before, reason=_CHANGED)

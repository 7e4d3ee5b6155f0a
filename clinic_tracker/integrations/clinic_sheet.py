"""The first load of a clinic from its spreadsheet: a rehearsal or the real thing, patient by patient, with a report."""

from collections import Counter
from dataclasses import dataclass, field

from clinic_tracker.domain.clinic_sheet import CellProblem, SheetPatient, read_sheets
from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.history_json import InvalidHistory
from clinic_tracker.domain.imported_history import read_imported
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.integrations.tables import read_tables
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.histories import import_history

OUTCOMES = ("loaded", "updated", "unchanged", "refused")


@dataclass(frozen=True, slots=True)
class SheetOutcome:
    """What became of one patient: loaded, updated, unchanged or refused; how many facts; what is wrong where."""

    mrn: str
    line: int
    outcome: str
    facts: int
    problems: tuple[CellProblem, ...]


@dataclass(slots=True)
class SheetReport:
    """What became of a workbook. ``orphans`` are rows that belong to no patient of it."""

    dry_run: bool
    patients: list[SheetOutcome] = field(default_factory=list)
    orphans: list[CellProblem] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """How many patients became what."""
        found = Counter(patient.outcome for patient in self.patients)
        return {outcome: found[outcome] for outcome in OUTCOMES}

    @property
    def problems(self) -> list[CellProblem]:
        """Everything that is wrong."""
        return [*self.orphans, *(problem for patient in self.patients for problem in patient.problems)]


def import_sheet(scope: Scope, raw: bytes, *, dry_run: bool = False) -> SheetReport:
    """Load every patient of a workbook whole or not at all; the same workbook again changes nothing.

    TableError for a file that is no workbook.
    """
    scope.require(Permission.MANAGE_PATIENTS)
    patients, orphans = read_sheets(read_tables(raw), scope.time_zone, scope.protocol_id)
    return SheetReport(dry_run, [_import(scope, patient, dry_run=dry_run) for patient in patients], orphans)


def _import(scope: Scope, patient: SheetPatient, *, dry_run: bool) -> SheetOutcome:
    if patient.problems:
        return SheetOutcome(patient.mrn, patient.line, "refused", 0, tuple(patient.problems))
    try:
        done = import_history(scope, read_imported(patient.history), dry_run=dry_run)
    except InvalidHistory as error:
        problem = patient.problem(error.path, error.problem)
    except RuleViolation as violation:
        problem = patient.problem(violation.field or "", violation.message)
    else:
        return SheetOutcome(patient.mrn, patient.line, done.outcome, done.facts, ())
    return SheetOutcome(patient.mrn, patient.line, "refused", 0, (problem,))

"""Making a report: checked, read in one snapshot, and without identity where that is asked for."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from clinic_tracker.domain.errors import NotFound, RuleViolation
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.reporting.columns import Column
from clinic_tracker.domain.reporting.definition import Line, Report
from clinic_tracker.domain.reporting.deidentify import Context, deidentified, order_of
from clinic_tracker.domain.reporting.formats import ReportFormat
from clinic_tracker.domain.reporting.ordering import ordered
from clinic_tracker.domain.reporting.parameters import Identity, Parameters
from clinic_tracker.queries.reports.heads import first_infusions, report_head
from clinic_tracker.queries.reports.registry import REPORTS, Source
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit
from clinic_tracker.services.exporting import note_export
from clinic_tracker.services.unit_of_work import one_snapshot


def report_source(scope: Scope, name: str) -> Source:
    """The report of a name; NotFound if there is none, PermissionDenied unless the person may see it."""
    if name not in REPORTS:
        raise NotFound("report")
    source = REPORTS[name]
    for permission in source.definition.permissions:
        scope.require(permission)
    return source


def reports_for(scope: Scope) -> list[Source]:
    """The reports that the person may see, in the order of the registry."""
    return [source for source in REPORTS.values() if all(scope.may(one) for one in source.definition.permissions)]


def check_format(scope: Scope, name: str, form: ReportFormat) -> None:
    """Raise RuleViolation for a kind of file that the report cannot be had as."""
    formats = report_source(scope, name).definition.formats
    if form not in formats:
        names = ", ".join(one.value for one in formats)
        raise RuleViolation("no_such", "format", f"This report can be had as {names}.")


@contextmanager
def make_report(scope: Scope, name: str, parameters: Parameters) -> Iterator[Report]:
    """A report, to be read once and inside the block: head and lines come from one snapshot of the database.

    Raises NotFound for an unknown name, PermissionDenied, and RuleViolation naming the parameter whose value the
    clinic does not have. Nothing may be written to the database inside the block.
    """
    source = report_source(scope, name)
    with one_snapshot(scope):
        head = report_head(scope, source.definition, parameters)
        expected = source.expected(scope, parameters) if source.expected is not None else None
        columns, lines = _lines(scope, source, parameters)
        yield Report(head, columns, lines, expected)


def note_file(
    scope: Scope, name: str, parameters: Parameters, form: str, checksum: str, patients: Iterable[int]
) -> None:
    """Note that a report left the tracker as a file: in the audit trail, and for its patients in the access log."""
    scope.require(Permission.EXPORT_DATA)
    told = {"format": form, "checksum": checksum, **parameters.as_json()}
    note_export(scope, f"report {name}", told)
    shown = sorted(set(patients))
    if shown:
        audit.record_access(scope, f"reports.{name} as a file", patient_ids=shown)


def _lines(scope: Scope, source: Source, parameters: Parameters) -> tuple[tuple[Column, ...], Iterable[Line]]:
    columns = source.definition.columns_for(parameters.choices)
    lines = source.lines(scope, parameters)
    if parameters.identity is Identity.FULL:
        return columns, lines
    first = first_infusions(scope, parameters.known_at) if parameters.identity is Identity.INTERVALS else {}
    kept, changed = deidentified(columns, lines, Context(parameters.identity, scope.time_zone, first))
    return kept, ordered(changed, order_of(columns))

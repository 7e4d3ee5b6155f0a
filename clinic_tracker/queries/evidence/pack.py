"""The evidence pack of one patient or of the whole site."""

from collections.abc import Iterable, Iterator

from clinic_tracker.domain.reporting import evidence as tables
from clinic_tracker.domain.reporting.definition import Line
from clinic_tracker.domain.reporting.evidence import FilledTable, PackTable
from clinic_tracker.domain.reporting.parameters import Parameters
from clinic_tracker.queries.evidence import papers, treatment
from clinic_tracker.queries.evidence.who import Who, all_patients, one_patient
from clinic_tracker.queries.scope import Scope


def who_of(scope: Scope, parameters: Parameters) -> Who:
    """Of whom a pack is: one patient, or everybody whom the period concerns. NotFound for an unknown patient."""
    from_on, to_on = parameters.period
    if parameters.patient is not None:
        return one_patient(scope, parameters.patient, from_on, to_on)
    return all_patients(scope, from_on, to_on)


def filled_tables(scope: Scope, who: Who) -> Iterator[FilledTable]:
    """Every table of the pack, in the order of the pack, read one after another."""
    yield _filled(tables.FACILITY, papers.facility(scope))
    yield _filled(tables.PRESCRIBERS, papers.prescribers(scope))
    yield _filled(tables.PATIENTS, papers.patients(scope, who))
    yield _filled(tables.ENROLLMENTS, papers.enrollments(scope, who))
    yield _filled(tables.AUTHORIZATIONS, papers.authorizations(scope, who))
    yield _filled(tables.BASELINE, papers.baseline(scope, who))
    yield _filled(tables.INFUSIONS, treatment.infusions(scope, who))
    yield _filled(tables.REACTIONS, treatment.reactions(scope, who))
    yield _filled(tables.DEVIATIONS, treatment.deviations(scope, who))
    yield _filled(tables.FORMS, papers.forms(scope, who))
    yield _filled(tables.DECISIONS, treatment.decisions(scope, who))
    yield _filled(tables.CALENDAR, treatment.calendar(scope, who))


def _filled(table: PackTable, lines: Iterable[Line]) -> FilledTable:
    return FilledTable(table, table.columns, tuple(lines))

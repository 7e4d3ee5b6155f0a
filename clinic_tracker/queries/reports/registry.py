"""Every report by name. A page, a command, a stored request and a schedule all find it here."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from clinic_tracker.domain.reporting.definition import Definition, Line
from clinic_tracker.domain.reporting.parameters import Parameters
from clinic_tracker.queries.reports import (
    access,
    adverse_events,
    baseline,
    compliance,
    deviations,
    differences,
    evidence_pack,
    forms,
    gaps,
    lost,
    obligations,
    observation,
    overdue,
    prophylaxis,
    reviews,
    safety,
    workload,
)
from clinic_tracker.queries.scope import Scope

Lines = Callable[[Scope, Parameters], Iterable[Line]]


class Source(NamedTuple):
    """A kind of report and the query that answers it.

    ``lines`` may be a generator: lines come in a fixed order that does not depend on the database. ``expected`` says
    about how many there will be, at little cost.
    """

    definition: Definition
    lines: Lines
    expected: Callable[[Scope, Parameters], int] | None = None


SOURCES: tuple[Source, ...] = (
    Source(compliance.DEFINITION, compliance.lines),
    Source(obligations.DEFINITION, obligations.lines, obligations.expected),
    Source(differences.DEFINITION, differences.lines),
    Source(overdue.DEFINITION, overdue.lines),
    Source(evidence_pack.DEFINITION, evidence_pack.lines),
    Source(deviations.DEFINITION, deviations.lines),
    Source(observation.DEFINITION, observation.lines),
    Source(adverse_events.DEFINITION, adverse_events.lines),
    Source(reviews.DEFINITION, reviews.lines),
    Source(access.DEFINITION, access.lines),
    Source(gaps.DEFINITION, gaps.lines),
    Source(lost.DEFINITION, lost.lines),
    Source(workload.DEFINITION, workload.lines),
    Source(baseline.DEFINITION, baseline.lines),
    Source(prophylaxis.DEFINITION, prophylaxis.lines),
    Source(forms.DEFINITION, forms.lines),
    Source(safety.DEFINITION, safety.lines),
)
REPORTS: dict[str, Source] = {source.definition.name: source for source in SOURCES}

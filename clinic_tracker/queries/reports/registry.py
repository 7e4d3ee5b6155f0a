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
from clinic_tracker.queries.reports.asked import is_live
from clinic_tracker.queries.scope import Scope

Lines = Callable[[Scope, Parameters], Iterable[Line]]


class Source(NamedTuple):
    """A kind of report and the query that answers it.

    ``lines`` may be a generator: lines come in a fixed order that does not depend on the database. ``expected`` says
    about how many there will be, at little cost. ``is_quick`` says whether stored figures answer it: where they do not,
    the engine is asked about every patient, or all their papers are read.
    """

    definition: Definition
    lines: Lines
    expected: Callable[[Scope, Parameters], int] | None = None
    is_quick: Callable[[Scope, Parameters], bool] = lambda _scope, _parameters: True


def _never(_scope: Scope, _parameters: Parameters) -> bool:
    return False


SOURCES: tuple[Source, ...] = (
    Source(compliance.DEFINITION, compliance.lines, is_quick=is_live),
    Source(obligations.DEFINITION, obligations.lines, obligations.expected, is_live),
    Source(differences.DEFINITION, differences.lines, is_quick=_never),
    Source(overdue.DEFINITION, overdue.lines, is_quick=is_live),
    Source(evidence_pack.DEFINITION, evidence_pack.lines, is_quick=_never),
    Source(deviations.DEFINITION, deviations.lines),
    Source(observation.DEFINITION, observation.lines),
    Source(adverse_events.DEFINITION, adverse_events.lines),
    Source(reviews.DEFINITION, reviews.lines),
    Source(access.DEFINITION, access.lines),
    Source(gaps.DEFINITION, gaps.lines, is_quick=_never),
    Source(lost.DEFINITION, lost.lines),
    Source(workload.DEFINITION, workload.lines),
    Source(baseline.DEFINITION, baseline.lines),
    Source(prophylaxis.DEFINITION, prophylaxis.lines),
    Source(forms.DEFINITION, forms.lines, is_quick=is_live),
    Source(safety.DEFINITION, safety.lines),
)
REPORTS: dict[str, Source] = {source.definition.name: source for source in SOURCES}

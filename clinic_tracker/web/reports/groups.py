"""The reports on the first page, by what they are about."""

from collections.abc import Iterable

from clinic_tracker.domain.reporting.definition import Definition
from clinic_tracker.queries.reports.registry import Source

GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Compliance", ("compliance", "obligations", "differences", "forms", "evidence-pack")),
    ("Who needs attention", ("overdue", "lost", "gaps", "reviews", "workload")),
    (
        "Treatment and safety",
        ("safety", "observation", "deviations", "baseline", "prophylaxis", "adverse-events"),
    ),
    ("Privacy", ("access",)),
)
OTHERS = "Further reports"


def grouped(sources: Iterable[Source]) -> list[tuple[str, list[Definition]]]:
    """The reports that there are, in groups; one that no group names comes last."""
    left = {source.definition.name: source.definition for source in sources}
    groups = [(title, [left.pop(name) for name in names if name in left]) for title, names in GROUPS]
    groups.append((OTHERS, list(left.values())))
    return [(title, definitions) for title, definitions in groups if definitions]

"""What was known on the way: each report as it was saved after an act, and as the finished database tells it."""

from typing import Any

import pytest

from clinic_tracker.domain.reporting.definition import Line
from clinic_tracker.domain.reporting.parameters import read_parameters
from clinic_tracker.queries.reports.registry import REPORTS
from clinic_tracker.queries.scope import Scope
from tests.replay import Clinic

ASKED: tuple[tuple[str, dict[str, str]], ...] = (
    ("compliance", {"by": "requirement_month", "from": "2023-01-01"}),
    ("compliance", {"by": "prescriber", "from": "2023-01-01"}),
    ("compliance", {"by": "year", "from": "2023-01-01"}),
    ("compliance", {"by": "protocol", "from": "2023-01-01"}),
    ("obligations", {"from": "2023-01-01"}),
    ("overdue", {}),
)


@pytest.fixture
def clinic(cast, scope_for, clock) -> Clinic:
    clock.set("2024-01-02 08:00")
    return Clinic(cast, scope_for, clock)


def answers(scope: Scope, **more: str) -> list[list[Line]]:
    """The lines of all reports asked."""
    found: list[list[Line]] = []
    for name, values in ASKED:
        source = REPORTS[name]
        parameters = read_parameters(source.definition, {**values, **more}, scope.now, scope.time_zone)
        found.append(list(source.lines(scope, parameters)))
    return found


def test_the_finished_database_tells_what_was_known_after_each_act(clinic):
    saved: list[tuple[str, dict[str, Any], list[list[Line]]]] = []
    for act in clinic.story():
        scope = clinic.scope
        today, earlier = scope.today, scope.today.replace(day=1)
        then = {"known_at": scope.now.isoformat()}
        saved.append((act, {**then, "as_of": today.isoformat()}, answers(scope)))
        saved.append((act, {**then, "as_of": earlier.isoformat()}, answers(scope, as_of=earlier.isoformat())))
    different = len({str(lines) for _, _, lines in saved})
    assert different > len(saved) * 0.8  # nearly every act changed what is known

    for act, asked, lines in saved:
        again = answers(clinic.scope, **asked)
        for (name, values), one, other in zip(ASKED, lines, again, strict=True):
            first = next((pair for pair in zip(one, other, strict=False) if pair[0] != pair[1]), None)
            assert (first, len(other)) == (None, len(one)), (act, name, values, asked)

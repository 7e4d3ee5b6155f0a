"""The audit of one chart."""

from collections.abc import Callable
from datetime import date

import pytest

from clinic_tracker.queries.chart_changes import changes_of, looks_at, prescriber_names
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.audit import record_access
from tests.factories import register
from tests.fixtures.people import Cast


@pytest.fixture
def staff(cast: Cast, scope_for: Callable[..., Scope]) -> Scope:
    return scope_for(cast.staff)


def test_changes_are_the_latest_first_page_by_page(staff: Scope, cast: Cast):
    chart = register(staff).exam("skin_exam", date(2026, 1, 5)).exam("ecg", date(2026, 1, 6))
    first = changes_of(staff, chart.row.id, limit=2)
    assert [change.action for change in first.rows] == ["exam.recorded", "exam.recorded"]
    rest = changes_of(staff, chart.row.id, first.next_before, limit=2)
    assert [(change.action, change.who) for change in rest.rows] == [("patient.registered", "Nia Brandt")]
    assert rest.next_before is None


def test_a_chart_tells_nothing_of_another_patient_or_to_another_clinic(staff: Scope, cast: Cast, scope_for):
    chart, other = register(staff), register(staff)
    assert len(changes_of(staff, chart.row.id).rows) == 1
    assert changes_of(scope_for(cast.stranger), chart.row.id).rows == []
    record_access(staff, "patients.chart", patient_id=other.row.id)
    assert looks_at(staff, chart.row.id) == []
    assert [look.endpoint for look in looks_at(staff, other.row.id)] == ["patients.chart"]


def test_prescribers_of_the_clinic_have_names(staff: Scope, cast: Cast):
    assert prescriber_names(staff) == {cast.prescriber.id: "Dr. Tomas Rey"}

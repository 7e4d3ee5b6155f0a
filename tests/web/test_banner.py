"""Where the treatment stands, and what stands out, in the banner of a chart."""

from collections.abc import Callable
from datetime import date

import pytest

from clinic_tracker.models.base import db
from clinic_tracker.queries.patients import patient_header
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.merging import merge_patients
from clinic_tracker.web.patients.banner import banner_of
from tests.factories import Chart, register
from tests.fixtures.clock import Clock
from tests.fixtures.people import Cast

ScopeFor = Callable[..., Scope]


@pytest.fixture
def staff(cast: Cast, scope_for: ScopeFor) -> Scope:
    return scope_for(cast.staff)


def phase(scope: Scope, chart: Chart) -> str | None:
    return banner_of(scope, patient_header(scope, chart.id))["phase"]


def alerts(scope: Scope, chart: Chart) -> list[tuple[str, str]]:
    return [(alert["text"], alert["tone"]) for alert in banner_of(scope, patient_header(scope, chart.id))["alerts"]]


def test_who_it_is(staff: Scope, cast: Cast):
    chart = register(
        staff, mrn="1", rems_patient_id="R-1", birth_date=date(1980, 1, 23), prescriber=cast.prescriber.public_id
    )
    banner = banner_of(staff, patient_header(staff, chart.id))
    assert (banner["mrn"], banner["rems_patient_id"], banner["prescriber"]) == ("1", "R-1", "Dr. Tomas Rey")
    assert (banner["age"], banner["sex"]) == (45, "Female")


def test_before_the_first_infusion(staff: Scope, cast: Cast):
    chart = register(staff)
    assert phase(staff, chart) == "Waiting for course 1"
    chart.enroll(cast.prescriber).plan(date(2026, 3, 2))
    assert phase(staff, chart) == "Waiting for course 1, planned for 02-Mar-2026"


@pytest.mark.parametrize(
    "local,words",
    [
        ("2025-06-06 12:00", "Course 1, month 1 of 48; monitoring ends 06-Jun-2029"),
        ("2025-07-05 12:00", "Course 1, month 1 of 48; monitoring ends 06-Jun-2029"),
        ("2025-07-06 12:00", "Course 1, month 2 of 48; monitoring ends 06-Jun-2029"),
        ("2029-06-06 12:00", "Course 1, month 48 of 48; monitoring ends 06-Jun-2029"),
        ("2029-06-07 12:00", "Monitoring ended on 06-Jun-2029, not signed off"),
    ],
)
def test_in_monitoring(staff: Scope, cast: Cast, clock: Clock, scope_for: ScopeFor, local, words):
    chart = register(staff).enroll(cast.prescriber, date(2025, 5, 1)).infuse(date(2025, 6, 2))
    clock.set(local)
    assert phase(scope_for(cast.staff), chart) == words


def test_in_the_middle_of_a_course_and_long_after_it_was_broken_off(staff, cast, clock: Clock, scope_for: ScopeFor):
    chart = register(staff).enroll(cast.prescriber, date(2026, 1, 5)).infuse(date(2026, 1, 19), days=3)
    assert phase(staff, chart) == "Course 1, 3 of 5 days given"
    clock.set("2026-03-01 12:00")
    assert phase(scope_for(cast.staff), chart) == "Course 1, month 2 of 48; monitoring ends 21-Jan-2030"


def test_a_planned_further_course_is_told_beside_the_month(staff: Scope, cast: Cast):
    chart = register(staff).enroll(cast.prescriber, date(2024, 12, 1)).infuse(date(2025, 1, 6)).plan(date(2026, 2, 2))
    assert phase(staff, chart) == "Course 1, month 13 of 48; monitoring ends 10-Jan-2029; course 2 on 02-Feb-2026"


def test_what_is_missing_stands_out(staff: Scope, cast: Cast):
    chart = register(staff, alerts="Penicillin allergy\n\nNeedle phobia")
    assert alerts(staff, chart) == [
        ("Penicillin allergy", "red"),
        ("Needle phobia", "red"),
        ("No prescriber", "amber"),
        ("Not enrolled", "amber"),
    ]
    chart.enroll(cast.prescriber)
    cast.prescriber.is_active = False
    db.session.commit()
    assert ("Prescriber no longer active", "amber") in alerts(staff, chart)
    assert ("Not enrolled", "amber") not in alerts(staff, chart)


def test_the_end_without_a_sign_off_stands_out(staff: Scope, cast: Cast, clock: Clock, scope_for: ScopeFor):
    chart = register(staff).enroll(cast.prescriber, date(2025, 5, 1)).infuse(date(2025, 6, 2))
    clock.set("2029-06-07 12:00")
    assert ("Monitoring to be signed off", "amber") in alerts(scope_for(cast.staff), chart)


def test_a_merged_chart_says_that_and_no_more(staff: Scope, cast: Cast, scope_for: ScopeFor):
    kept, merged = register(staff), register(staff, alerts="Penicillin allergy")
    merge_patients(scope_for(cast.administrator), kept.id, merged.id, reason="Same person")
    assert alerts(staff, merged) == [("Merged into another chart", "grey")]
    assert phase(staff, merged) is None

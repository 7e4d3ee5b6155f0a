"""A clinic's own thresholds: bounded, dated, by the day of collection; results are judged anew."""

from collections.abc import Callable
from datetime import date

import pytest

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.vocabulary import Panel
from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.queries.lab_catalog import catalogs_by_date
from clinic_tracker.queries.scope import PermissionDenied, Scope
from clinic_tracker.queries.settings import setting_changes
from clinic_tracker.services.clinics import change_setting
from clinic_tracker.services.thresholds import change_threshold
from tests.factories import Chart, register
from tests.fixtures.people import Cast
from tests.reviewed import answered, reports

FIRST, SECOND = date(2026, 1, 5), date(2026, 1, 19)


@pytest.fixture
def administrator(cast: Cast, scope_for: Callable[..., Scope]) -> Scope:
    return scope_for(cast.administrator)


@pytest.fixture
def chart(cast: Cast, scope_for: Callable[..., Scope]) -> Chart:
    chart = register(scope_for(cast.staff))
    for day in (FIRST, SECOND):
        chart.results(day, Panel.CBC_DIFF, platelets="110")
    return chart


def levels() -> list[str | None]:
    return [row.worst_level for row in reports()]


def change(scope: Scope, value: float = 120, since: date = SECOND, rule: str = "platelets_low") -> int:
    return change_threshold(scope, rule=rule, value=value, effective_from=since, reason="Agreed on 12 January")


def test_results_collected_from_that_day_on_are_judged_anew(chart: Chart, administrator: Scope) -> None:
    assert levels() == ["amber", "amber"]
    assert change(administrator) == 1
    assert levels() == ["amber", "red"]
    assert "below 120" in reports()[1].findings[0]["words"]
    assert reports()[1].findings[0]["threshold"] == 120
    chart.results(date(2026, 1, 12), Panel.CREATININE)
    assert levels()[:2] == ["amber", "red"], "each by the threshold of its own day"
    event = db.session.query(AuditEvent).filter_by(action="clinic.threshold_changed").one()
    assert event.reason == "Agreed on 12 January"


def test_a_reviewed_result_that_is_worse_now_waits_again(
    chart: Chart, administrator: Scope, cast: Cast, scope_for: Callable[..., Scope]
) -> None:
    answered(scope_for(cast.neurologist), chart, reports()[1])
    change(administrator)
    assert reports()[1].reviewed_at is None


def test_a_threshold_may_begin_in_the_future_and_another_may_follow(chart: Chart, administrator: Scope) -> None:
    assert change(administrator, since=date(2026, 3, 1)) == 0
    change(administrator, 130, since=date(2026, 2, 1))
    on = catalogs_by_date(administrator)
    values = {
        day: next(rule.threshold for rule in on(day).rules if rule.code == "platelets_low")
        for day in (date(2026, 1, 31), date(2026, 2, 1), date(2026, 3, 1))
    }
    assert list(values.values()) == [100, 130, 120]


@pytest.mark.parametrize(
    "rule, value, code",
    [
        ("platelets_low", 99, "out_of_bounds"),
        ("platelets_low", 151, "out_of_bounds"),
        ("platelets_low", 150, "threshold_order"),
        ("transaminases_high", 6, "threshold_order"),
        ("kidney_with_blood", 1, "unknown_threshold"),
        ("thyroid", 1, "unknown_threshold"),
        ("nonsense", 1, "unknown_threshold"),
        ("platelets_low", 100, "no_change"),
    ],
)
def test_values_that_hide_a_graver_finding_and_rules_of_the_label_are_refused(
    administrator: Scope, rule: str, value: float, code: str
) -> None:
    with pytest.raises(RuleViolation) as refused:
        change(administrator, value, rule=rule)
    assert refused.value.code == code


def test_a_value_must_go_together_with_those_that_begin_later(administrator: Scope) -> None:
    change(administrator, 120, since=date(2026, 3, 1), rule="platelets_reduced")
    with pytest.raises(RuleViolation, match="do not go together"):
        change(administrator, 125)


def test_it_is_no_setting_of_the_schedule(administrator: Scope) -> None:
    change(administrator)
    assert setting_changes(administrator) == []
    change_setting(administrator, name="review_business_days", value=3, effective_from=FIRST, reason="Agreed")
    assert [item.name for item in setting_changes(administrator)] == ["review_business_days"]


def test_the_other_clinic_keeps_its_own(administrator: Scope, cast: Cast, scope_for: Callable[..., Scope]) -> None:
    change(administrator)
    theirs = register(scope_for(cast.stranger)).results(SECOND, Panel.CBC_DIFF, platelets="110")
    assert reports(patient_id=theirs.row.id)[0].worst_level == "amber"


@pytest.mark.parametrize("role", ["staff", "neurologist", "auditor"])
def test_only_the_administrator_changes_one(cast: Cast, scope_for: Callable[..., Scope], role: str) -> None:
    with pytest.raises(PermissionDenied):
        change(scope_for(cast.person(role)))

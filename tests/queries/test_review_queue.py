"""The queue: red first, then amber, then the rest; one's own patients first; paged by key; with a clock."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from clinic_tracker.domain.vocabulary import FindingAction, Panel, Role
from clinic_tracker.models.access import User
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import LabReport
from clinic_tracker.queries.review_clock import review_due_dates
from clinic_tracker.queries.review_queue import QueueFilter, review_queue, unseen_reds, waiting_count
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.acknowledgements import Answer, acknowledge
from clinic_tracker.services.cover import arrange_cover, withdraw_cover
from clinic_tracker.services.reviews import review_reports
from tests.factories import Chart, register
from tests.fixtures.clock import Clock
from tests.fixtures.people import Cast, add_person
from tests.reviewed import WHY, answered, reports

DRAWN = date(2026, 1, 12)


@pytest.fixture
def doctor(cast: Cast, scope_for: Callable[..., Scope]) -> Scope:
    return scope_for(cast.neurologist)


@pytest.fixture
def charts(cast: Cast, scope_for: Callable[..., Scope]) -> dict[str, Chart]:
    scope = scope_for(cast.staff)
    return {
        "other": register(scope, family_name="Aarflot"),
        "own": register(scope, family_name="Brzezinski").enroll(cast.prescriber, date(2025, 11, 20)),
    }


def fill(charts: dict[str, Chart]) -> None:
    for chart in charts.values():
        chart.results(DRAWN, "tsh")
        chart.results(DRAWN, "cbc_diff", platelets="140")
        chart.results(DRAWN, "creatinine")
        chart.results(date(2026, 1, 13), "cbc_diff", platelets="48")


def listed(scope: Scope, **chosen: object) -> list[tuple[str, str, str | None]]:
    page = review_queue(scope, QueueFilter(**chosen))
    return [(row.family_name, row.report.panel, row.report.worst_level) for row in page.rows]


def test_the_worst_come_first_and_ones_own_before_others(doctor: Scope, charts: dict[str, Chart]) -> None:
    fill(charts)
    assert [(name[0], level) for name, _, level in listed(doctor)] == [
        ("B", "red"), ("A", "red"), ("B", "amber"), ("A", "amber"), ("B", None), ("B", None), ("A", None), ("A", None),
    ]  # fmt: skip


def test_pages_by_key_list_everything_once(doctor: Scope, charts: dict[str, Chart]) -> None:
    fill(charts)
    whole = [row.report.public_id for row in review_queue(doctor, QueueFilter()).rows]
    seen, after = [], None
    for _ in range(9):
        page = review_queue(doctor, QueueFilter(), after=after, limit=3)
        seen += [row.report.public_id for row in page.rows]
        after = page.next
        if after is None:
            break
    assert seen == whole
    assert len(set(seen)) == 8


def test_filters_and_counts(doctor: Scope, charts: dict[str, Chart]) -> None:
    fill(charts)
    assert {name for name, _, _ in listed(doctor, mine=True)} == {"Brzezinski"}
    assert {panel for _, panel, _ in listed(doctor, panel=Panel.TSH)} == {"tsh"}
    assert {level for _, _, level in listed(doctor, level="normal")} == {None}
    assert review_queue(doctor, QueueFilter(level="red", mine=True)).counts == {"red": 1, "amber": 1, "normal": 2}
    assert waiting_count(doctor) == {"red": 2, "amber": 2, "normal": 4}


def test_what_was_reviewed_or_replaced_is_not_listed(doctor: Scope, charts: dict[str, Chart]) -> None:
    fill(charts)
    review_reports(doctor, [row.public_id for row in db.session.query(LabReport).filter_by(panel="tsh")])
    assert "tsh" not in {panel for _, panel, _ in listed(doctor)}


def test_another_clinics_results_are_not_listed(
    doctor: Scope, charts: dict[str, Chart], scope_for: Callable[..., Scope], cast: Cast
) -> None:
    fill(charts)
    assert listed(scope_for(cast.stranger_neurologist)) == []


def test_the_clock_counts_business_days_of_the_clinic(doctor: Scope) -> None:
    """Recorded on Friday 16 January 2026: Monday is a federal holiday, so two business days end on Wednesday."""
    friday_evening = datetime(2026, 1, 17, 1, 30, tzinfo=UTC)  # 20:30 on Friday in New York
    assert review_due_dates(doctor, [(friday_evening, None), (friday_evening, "amber")]) == [date(2026, 1, 21)] * 2
    assert review_due_dates(doctor, []) == []


def test_an_unknown_place_begins_at_the_start(doctor: Scope, charts: dict[str, Chart]) -> None:
    fill(charts)
    page = review_queue(doctor, QueueFilter(), after=charts["own"].id, limit=2)
    assert len(page.rows) == 2


def test_a_red_result_is_due_on_the_day_it_came_weekends_included(doctor: Scope) -> None:
    saturday = datetime(2026, 1, 17, 15, tzinfo=UTC)
    assert review_due_dates(doctor, [(saturday, "red"), (saturday, "amber")]) == [date(2026, 1, 17), date(2026, 1, 21)]


def test_reds_that_nobody_saw_on_their_day_are_counted_until_somebody_says_something(
    charts: dict[str, Chart], clock: Clock, cast: Cast, scope_for: Callable[..., Scope]
) -> None:
    fill(charts)
    doctor = scope_for(cast.neurologist)
    assert unseen_reds(doctor, mine=False) == 0, "the day is not over"
    clock.forward(days=1)
    doctor = scope_for(cast.neurologist)
    assert (unseen_reds(doctor, mine=False), unseen_reds(doctor, mine=True)) == (2, 1)
    assert {level for _, _, level in listed(doctor, late=True)} == {"red"}
    (red, _) = review_queue(doctor, QueueFilter(late=True)).rows
    answered(doctor, charts["own"], reports(public_id=red.report.public_id)[0], signed=False)
    assert (unseen_reds(doctor, mine=False), unseen_reds(doctor, mine=True)) == (1, 0), "somebody has seen it"


def test_a_red_that_comes_up_on_an_answered_result_is_counted_until_it_is_answered(
    charts: dict[str, Chart], clock: Clock, cast: Cast, scope_for: Callable[..., Scope]
) -> None:
    chart = charts["own"]
    chart.results(DRAWN, "creatinine", creatinine="1.3")
    answered(scope_for(cast.neurologist), chart, reports()[0])
    clock.forward(days=1)
    assert unseen_reds(scope_for(cast.neurologist), mine=False) == 0
    chart.results(date(2025, 12, 12), "creatinine", creatinine="0.5")
    assert reports()[0].worst_level == "red"
    doctor = scope_for(cast.neurologist)
    assert unseen_reds(doctor, mine=False) == 1
    rules = {item["rule"] for item in reports()[0].findings if item["level"] == "red"}
    acknowledge(
        doctor, chart.id, reports()[0].public_id, [Answer(rule, FindingAction.NO_ACTION, WHY) for rule in rules]
    )
    assert unseen_reds(doctor, mine=False) == 0


def test_the_patients_of_a_covered_prescriber_come_after_ones_own(
    charts: dict[str, Chart], cast: Cast, clock: Clock, scope_for: Callable[..., Scope]
) -> None:
    second = add_person(clock, cast.northside, "Vera Lund", Role.NEUROLOGIST)
    db.session.commit()
    fill(charts)
    vera = scope_for(second)
    assert listed(vera, mine=True) == []
    administrator = scope_for(cast.administrator)
    key = db.session.query(User).filter_by(name="Vera Lund").one().public_id
    days = {"from_on": administrator.today, "to_on": administrator.today}
    cover = arrange_cover(administrator, prescriber=cast.prescriber.public_id, covered_by=key, **days)
    assert {name for name, _, _ in listed(vera, mine=True)} == {"Brzezinski"}
    assert [name[0] for name, _, _ in listed(vera)] == list("BABABBAA")
    assert all(row.is_covered for row in review_queue(vera, QueueFilter(mine=True)).rows)
    clock.forward(days=1)
    assert unseen_reds(scope_for(second), mine=True) == 0, "the cover has ended"
    withdraw_cover(administrator, cover)
    assert listed(vera, mine=True) == []

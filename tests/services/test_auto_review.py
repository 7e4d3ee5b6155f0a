"""Normal results close by themselves only where the clinic has written down when, and a sample of them waits."""

import uuid
from collections.abc import Callable
from datetime import date, timedelta

import pytest

from clinic_tracker.domain.auto_review import Printed, all_within_range, is_in_sample
from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.vocabulary import Panel
from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import LabReport
from clinic_tracker.queries.cover import review_criteria
from clinic_tracker.queries.scope import PermissionDenied, Scope
from clinic_tracker.services.auto_review import begin_auto_review, end_auto_review
from clinic_tracker.services.reviews import review_reports, undo_review
from tests.factories import Chart, register
from tests.fixtures.clock import Clock
from tests.fixtures.people import Cast
from tests.reviewed import printed, reports

DRAWN = date(2026, 1, 12)
CRITERIA = "Complete final results without a finding, decided by the neurologists on 5 January."
NORMAL = Printed(1.0, "", 0.5, 1.5, None)


@pytest.fixture
def chart(cast: Cast, scope_for: Callable[..., Scope]) -> Chart:
    return register(scope_for(cast.staff))


@pytest.fixture
def doctor(cast: Cast, scope_for: Callable[..., Scope]) -> Scope:
    return scope_for(cast.neurologist)


@pytest.fixture
def _nobody_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clinic_tracker.services.auto_review.is_in_sample", lambda *_: False)


@pytest.fixture
def in_force(doctor: Scope) -> None:
    begin_auto_review(doctor, criteria=CRITERIA, sample_percent=5)


def closed(report: LabReport) -> bool:
    return report.auto_reviewed and report.reviewed_at is not None and report.reviewed_by_id is None


def test_by_default_every_result_waits(chart: Chart) -> None:
    assert not closed(printed(chart, DRAWN, Panel.CREATININE))


@pytest.mark.usefixtures("in_force", "_nobody_sampled")
def test_a_normal_result_closes_and_says_by_which_criteria(chart: Chart) -> None:
    assert closed(printed(chart, DRAWN, Panel.CREATININE))
    event = db.session.query(AuditEvent).filter_by(action="lab_report.closed_automatically").one()
    assert event.reason == CRITERIA


@pytest.mark.usefixtures("in_force", "_nobody_sampled")
@pytest.mark.parametrize(
    "panel, values",
    [
        (Panel.CREATININE, {"creatinine": "1.3"}),
        (Panel.CBC_DIFF, {"lymphocytes": "0.3"}),
        (Panel.CBC_DIFF, {"neutrophils": ""}),
        (Panel.TSH, {"tsh": "<5"}),
    ],
)
def test_what_is_not_surely_normal_waits(chart: Chart, panel: Panel, values: dict[str, str]) -> None:
    assert not closed(printed(chart, DRAWN, panel, **values))


@pytest.mark.usefixtures("in_force", "_nobody_sampled")
def test_a_result_without_a_printed_range_waits(chart: Chart) -> None:
    chart.results(DRAWN, Panel.CREATININE)
    assert not closed(reports()[0])


@pytest.mark.usefixtures("in_force", "_nobody_sampled")
def test_it_can_be_opened_again_and_stays_open(
    chart: Chart, doctor: Scope, clock: Clock, cast: Cast, scope_for: Callable[..., Scope]
) -> None:
    report = printed(chart, DRAWN, Panel.CREATININE)
    clock.forward(minutes=5)
    chart.scope = scope_for(cast.staff)
    undo_review(doctor, chart.id, report.public_id, reason="I want to see it")
    chart.results(date(2026, 1, 9), Panel.TSH)
    (first, *_) = reports()
    assert (first.auto_reviewed, first.reviewed_at) == (False, None)


@pytest.mark.usefixtures("in_force", "_nobody_sampled")
def test_one_that_turns_out_abnormal_waits_again(chart: Chart) -> None:
    report = printed(chart, DRAWN, Panel.CREATININE, creatinine="0.9")
    assert closed(report)
    printed(chart, DRAWN - timedelta(days=30), Panel.CREATININE, creatinine="0.5")
    again = reports(public_id=report.public_id)[0]
    assert (again.worst_level, again.auto_reviewed, again.reviewed_at) == ("red", False, None)


@pytest.mark.usefixtures("_nobody_sampled")
def test_what_waited_before_keeps_waiting(
    chart: Chart, doctor: Scope, clock: Clock, cast: Cast, scope_for: Callable[..., Scope]
) -> None:
    before = printed(chart, DRAWN, Panel.CREATININE)
    begin_auto_review(doctor, criteria=CRITERIA, sample_percent=5)
    clock.forward(hours=1)
    chart.scope = scope_for(cast.staff)
    after = printed(chart, DRAWN, Panel.TSH)
    assert not closed(reports(public_id=before.public_id)[0])
    assert closed(after)


def test_a_sample_waits_for_a_look(chart: Chart, doctor: Scope) -> None:
    begin_auto_review(doctor, criteria=CRITERIA, sample_percent=100)
    report = printed(chart, DRAWN, Panel.CREATININE)
    assert (report.in_sample, report.reviewed_at, report.sample_checked_at) == (True, None, None)
    review_reports(doctor, [report.public_id])
    assert reports()[0].sample_checked_at == doctor.now


def test_criteria_end_and_are_replaced_with_their_dates(chart: Chart, doctor: Scope, cast: Cast) -> None:
    begin_auto_review(doctor, criteria=CRITERIA, sample_percent=5)
    begin_auto_review(doctor, criteria=CRITERIA, sample_percent=5)
    begin_auto_review(doctor, criteria=CRITERIA, sample_percent=100)
    assert [(row.sample_percent, row.ended_at is None) for row in review_criteria(doctor)] == [(100, True), (5, False)]
    end_auto_review(doctor)
    assert not printed(chart, DRAWN, Panel.CREATININE).in_sample
    with pytest.raises(RuleViolation, match="waits for review"):
        end_auto_review(doctor)


@pytest.mark.parametrize(
    "criteria, percent", [("", 5), ("Normal.", 5), (CRITERIA, 0), (CRITERIA, 101), (CRITERIA, None)]
)
def test_criteria_say_something_and_a_sample_is_looked_at(doctor: Scope, criteria: str, percent: int | None) -> None:
    with pytest.raises(RuleViolation):
        begin_auto_review(doctor, criteria=criteria, sample_percent=percent)


@pytest.mark.parametrize("role", ["staff", "auditor"])
def test_only_administrators_and_neurologists_decide(cast: Cast, scope_for: Callable[..., Scope], role: str) -> None:
    with pytest.raises(PermissionDenied):
        begin_auto_review(scope_for(cast.person(role)), criteria=CRITERIA, sample_percent=5)
    with pytest.raises(PermissionDenied):
        end_auto_review(scope_for(cast.person(role)))


@pytest.mark.parametrize(
    "value, within",
    [
        (NORMAL, True),
        (NORMAL._replace(number=None), False),
        (NORMAL._replace(number=1.6), False),
        (NORMAL._replace(flag="H"), False),
        (NORMAL._replace(flag="N"), True),
        (NORMAL._replace(low=None), True),
        (NORMAL._replace(low=None, high=None), False),
        (NORMAL._replace(comparator="<"), False),
        (NORMAL._replace(comparator="<", low=None), True),
    ],
)
def test_a_value_is_within_range_only_where_that_is_certain(value: Printed, within: bool) -> None:
    assert all_within_range([value]) is within
    assert all_within_range([]) is False


def test_the_sample_is_always_the_same_and_about_as_large_as_told() -> None:
    ids = [uuid.UUID(int=number * 7919) for number in range(4000)]
    sampled = [is_in_sample(one, 10) for one in ids]
    assert sampled == [is_in_sample(one, 10) for one in ids]
    assert 300 < sum(sampled) < 500
    assert all(is_in_sample(one, 100) for one in ids)


def test_a_sample_that_turns_out_worse_after_its_look_waits_for_another(chart: Chart, doctor: Scope) -> None:
    begin_auto_review(doctor, criteria=CRITERIA, sample_percent=100)
    report = printed(chart, DRAWN, Panel.CBC_DIFF, platelets="160")
    review_reports(doctor, [report.public_id])
    printed(chart, DRAWN - timedelta(days=30), Panel.CBC_DIFF, platelets="420")
    after = reports(public_id=report.public_id)[0]
    assert after.findings
    assert (after.reviewed_at, after.sample_checked_at, after.in_sample) == (None, None, True)

"""Follow-up tasks stay until a later result answers them or a reason closes them; nothing ages out."""

from collections.abc import Callable
from datetime import date

import pytest

from clinic_tracker.domain.errors import NotFound, RuleViolation
from clinic_tracker.domain.panels import SpecimenProblem
from clinic_tracker.domain.vocabulary import FindingAction, Panel, ResultStatus
from clinic_tracker.queries.scope import PermissionDenied, Scope
from clinic_tracker.queries.tasks import TaskCounts, TaskView, open_tasks, patient_task, patient_tasks, task_counts
from clinic_tracker.services.acknowledgements import Answer, acknowledge
from clinic_tracker.services.lab_reports import correct_report, record_reports, withdraw_report
from clinic_tracker.services.lab_sheets import Sheet
from clinic_tracker.services.tasks import TaskDetails, close_task, correct_task, reopen_task, withdraw_task
from tests.factories import Chart, register, typed
from tests.fixtures.clock import Clock
from tests.fixtures.people import Cast
from tests.reviewed import reports, tasks

DRAWN, REPEAT, LATER = date(2026, 1, 12), date(2026, 1, 24), date(2026, 1, 20)


@pytest.fixture
def staff(cast: Cast, scope_for: Callable[..., Scope]) -> Scope:
    return scope_for(cast.staff)


@pytest.fixture
def chart(cast: Cast, staff: Scope, scope_for: Callable[..., Scope]) -> Chart:
    """A patient whose blood count is to be repeated."""
    chart = register(staff).enroll(cast.prescriber, date(2025, 11, 20))
    chart.results(DRAWN, Panel.CBC_DIFF, platelets="140")
    plan(scope_for(cast.neurologist), chart)
    return chart


def plan(doctor: Scope, chart: Chart, on: date = REPEAT) -> None:
    answer = Answer("platelets_reduced", FindingAction.REPEAT_ORDERED, None, on)
    acknowledge(doctor, chart.id, reports(patient_id=chart.row.id)[0].public_id, [answer], signed=True)


def test_a_later_result_of_the_panel_closes_it(chart: Chart) -> None:
    chart.results(LATER, Panel.CREATININE)
    assert tasks()[0].done_at is None, "another panel is no answer"
    chart.results(LATER, Panel.CBC_DIFF)
    (task,) = tasks()
    assert task.evidence_id == reports(panel="cbc_diff")[-1].id
    assert (task.done_at, task.done_by_id, task.done_reason) == (chart.scope.now, chart.scope.user_id, None)


def test_an_earlier_result_does_not(chart: Chart) -> None:
    chart.results(date(2026, 1, 9), Panel.CBC_DIFF)
    assert tasks()[0].done_at is None


def test_a_correction_of_the_result_that_asked_for_it_does_not(chart: Chart) -> None:
    sheet = Sheet(DRAWN, (typed(Panel.CBC_DIFF, {"platelets": "141"}),))
    correct_report(chart.scope, chart.id, reports()[0].public_id, sheet, reason="Typing error")
    assert tasks()[0].done_at is None


@pytest.mark.parametrize(
    "changed", [{"problem": SpecimenProblem.CLUMPED}, {"status": ResultStatus.PRELIMINARY}, {"values": ()}]
)
def test_a_result_that_is_no_evidence_does_not(chart: Chart, changed: dict[str, object]) -> None:
    panel = typed(Panel.CBC_DIFF, {"neutrophils": "", "lymphocytes": ""})
    if "values" not in changed:
        panel = typed(Panel.CBC_DIFF, {})._replace(**changed)
    record_reports(chart.scope, chart.id, Sheet(LATER, (panel,)))
    assert tasks()[0].done_at is None


def test_it_opens_again_where_its_evidence_falls_away(chart: Chart) -> None:
    chart.results(LATER, Panel.CBC_DIFF)
    withdraw_report(chart.scope, chart.id, reports()[-1].public_id, reason="Another patient's paper")
    (task,) = tasks()
    assert (task.done_at, task.done_by_id, task.evidence_id) == (None, None, None)
    chart.results(date(2026, 1, 21), Panel.CBC_DIFF)
    assert tasks()[0].done_at is not None


def test_a_reason_closes_it_and_can_be_taken_back(chart: Chart, staff: Scope) -> None:
    (task,) = tasks()
    with pytest.raises(RuleViolation, match="reason"):
        close_task(staff, chart.id, task.public_id, reason=" ")
    close_task(staff, chart.id, task.public_id, reason="Repeated elsewhere")
    assert (tasks()[0].done_reason, tasks()[0].evidence_id) == ("Repeated elsewhere", None)
    with pytest.raises(RuleViolation, match="done by you"):
        close_task(staff, chart.id, task.public_id, reason="Again")
    chart.results(LATER, Panel.CBC_DIFF)
    assert tasks()[0].done_reason == "Repeated elsewhere", "it stays as it was closed"
    reopen_task(staff, chart.id, task.public_id, reason="Wrong patient")
    assert tasks()[0].evidence_id == reports(panel="cbc_diff")[-1].id, "the result answers it now"
    with pytest.raises(RuleViolation, match="not closed with a reason"):
        reopen_task(staff, chart.id, task.public_id, reason="Again")


def test_it_is_corrected_by_replacement(chart: Chart, staff: Scope) -> None:
    (task,) = tasks()
    same = TaskDetails(FindingAction.REPEAT_ORDERED, task.due_on, task.words, Panel.CBC_DIFF)
    for details, code in [(same, "no_change"), (same._replace(due_on=date(2026, 1, 21)), "past_date")]:
        with pytest.raises(RuleViolation) as refused:
            correct_task(staff, chart.id, task.public_id, details, reason="Agreed")
        assert refused.value.code == code
    new = correct_task(staff, chart.id, task.public_id, same._replace(due_on=date(2026, 2, 3)), reason="Agreed")
    old, replacement = tasks()
    assert (old.state, replacement.replaces_id, replacement.public_id) == ("corrected", old.id, new)
    assert replacement.lab_report_id == old.lab_report_id
    with pytest.raises(RuleViolation, match="already corrected"):
        correct_task(staff, chart.id, task.public_id, same, reason="Again")


def test_it_is_withdrawn_and_stays_on_the_chart(chart: Chart, staff: Scope) -> None:
    withdraw_task(staff, chart.id, tasks()[0].public_id, reason="Wrong patient")
    assert open_tasks(staff, TaskView.OPEN) == ([], None)
    (row,) = patient_tasks(staff, chart.row.id)
    assert (row.state, row.withdrawn_reason, row.withdrawn_by) == ("entered_in_error", "Wrong patient", "Nia Brandt")
    assert patient_tasks(staff, chart.row.id, only_open=True) == []


def test_the_list_filters_counts_and_never_forgets(
    chart: Chart, clock: Clock, cast: Cast, scope_for: Callable[..., Scope]
) -> None:
    other = register(chart.scope).results(DRAWN, Panel.CBC_DIFF, platelets="140")
    plan(scope_for(cast.neurologist), other, date(2026, 3, 2))
    clock.forward(days=5)
    staff, doctor = scope_for(cast.staff), scope_for(cast.neurologist)
    assert task_counts(staff) == TaskCounts(open=2, overdue=1, due=0)
    assert [row.patient for row in open_tasks(staff, TaskView.OVERDUE)[0]] == [chart.id]
    clock.forward(days=3000)
    staff = scope_for(cast.staff)
    assert len(open_tasks(staff, TaskView.OVERDUE)[0]) == 2
    assert len(open_tasks(doctor, TaskView.OPEN, mine=True)[0]) == 2, "one's own patient, and what one planned oneself"
    assert open_tasks(staff, TaskView.OPEN, mine=True)[0] == []
    first, after = open_tasks(staff, TaskView.OPEN, limit=1)
    rest, none = open_tasks(staff, TaskView.OPEN, after=after, limit=1)
    assert [row.due_on for row in first + rest] == [REPEAT, date(2026, 3, 2)]
    assert none is None


@pytest.mark.parametrize("role", ["administrator", "auditor"])
def test_only_those_who_record_evidence_change_tasks(
    chart: Chart, cast: Cast, scope_for: Callable[..., Scope], role: str
) -> None:
    with pytest.raises(PermissionDenied):
        close_task(scope_for(cast.person(role)), chart.id, tasks()[0].public_id, reason="x")


def test_another_clinics_tasks_do_not_exist(chart: Chart, cast: Cast, scope_for: Callable[..., Scope]) -> None:
    stranger = scope_for(cast.stranger)
    with pytest.raises(NotFound):
        close_task(stranger, chart.id, tasks()[0].public_id, reason="x")
    assert open_tasks(stranger, TaskView.OPEN) == ([], None)
    with pytest.raises(NotFound):
        patient_task(stranger, chart.row.id, tasks()[0].public_id)


def test_a_correction_to_a_later_day_is_still_the_same_specimen(chart: Chart) -> None:
    sheet = Sheet(date(2026, 1, 13), (typed(Panel.CBC_DIFF, {"platelets": "140"}),))
    correct_report(chart.scope, chart.id, reports()[0].public_id, sheet, reason="Wrong date")
    assert tasks()[0].done_at is None

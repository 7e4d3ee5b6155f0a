"""Follow-up tasks on the worklists: in the row of their patient, in the switch, and above a list that lacks them."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from clinic_tracker.domain.vocabulary import FindingAction, Role
from clinic_tracker.models.audit import AccessEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.reviewing import FollowUpTask
from clinic_tracker.models.schedule import Standing
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.tasks import TaskCounts, TaskView, due_tasks, late_off_list, open_tasks, task_counts
from clinic_tracker.queries.worklist_filter import Band, Grouping, Snoozed, View, WorklistFilter
from clinic_tracker.services.merging import merge_patients
from clinic_tracker.services.tasks import TaskDetails, close_task, correct_task, withdraw_task
from tests.fixtures.people import add_person, add_prescriber
from tests.monitored import add_patient, enroll, project, treated

TODAY = date(2026, 1, 22)
LIST = "/worklists"
LATE = TODAY - timedelta(days=2)
OVERDUE = TaskView.OVERDUE


@pytest.fixture
def staff(cast, scope_for) -> Scope:
    return scope_for(cast.staff)


@pytest.fixture
def late(staff) -> Patient:
    """Overdue since 06-Jan-2026."""
    made = treated(staff, date(2025, 6, 2), labs_until=date(2025, 12, 10), family_name="Okafor", given_name="Ada")
    project(staff)
    return made


@pytest.fixture
def done(staff) -> Patient:
    """Nothing is overdue."""
    made = treated(staff, date(2025, 6, 2), labs_until=TODAY, family_name="Ruiz", given_name="Elena")
    project(staff)
    return made


def add_task(scope: Scope, patient: Patient, due_on: date = LATE, words: str = "Repeat platelets", **values: object):
    row = FollowUpTask(
        clinic_id=scope.clinic_id, patient_id=patient.id, action="repeat_ordered", due_on=due_on, words=words,
        recorded_by_id=scope.user_id, recorded_at=scope.now, **values,
    )  # fmt: skip
    db.session.add(row)
    db.session.commit()
    return row


def owed_cell(page, query: str = "", row: int = 0) -> str:
    return page.get(LIST + query).rows()[row][1]


def switch(page, address: str) -> dict[str, str]:
    """The lists of the switch by their words, with the present one marked."""
    bar = page.get(address).one("nav", aria_label="List")
    links = [(" ".join("".join(link.itertext()).split()), link) for link in bar.iter("a")]
    return {("* " if link.get("aria-current") else "") + text: link.get("href", "") for text, link in links}


class TestRows:
    def test_a_late_task_stands_beside_what_is_owed_and_leads_to_the_tasks(self, page, cast, staff, late):
        add_task(staff, late)
        answer = page.sign_in(cast.staff).get(LIST)
        assert "Task: Repeat platelets, due 20-Jan-2026 2 d late" in answer.rows()[0][1]
        assert answer.links()["Repeat platelets"] == f"/patients/{late.public_id}/tasks"

    @pytest.mark.parametrize("days, shown", [(-400, True), (0, True), (7, True), (8, False)])
    def test_a_task_is_shown_from_a_week_before_its_day_for_good(self, page, cast, staff, late, days, shown):
        add_task(staff, late, TODAY + timedelta(days=days))
        assert ("Repeat platelets" in owed_cell(page.sign_in(cast.staff))) is shown

    def test_a_task_that_is_not_late_is_not_called_so(self, page, cast, staff, late):
        add_task(staff, late, TODAY)
        cell = owed_cell(page.sign_in(cast.staff))
        assert "due 22-Jan-2026" in cell
        assert cell.count("d late") == 1, "what is owed is, the task is not"

    def test_two_are_named_the_longest_late_first_and_the_rest_counted(self, page, cast, staff, late):
        for days in (1, -5, 3, -9, 30):
            add_task(staff, late, TODAY + timedelta(days=days), f"Task of {days}")
        cell = owed_cell(page.sign_in(cast.staff))
        assert cell.index("Task of -9") < cell.index("Task of -5") < cell.index("and 2 more")
        assert "Task of 1" not in cell

    def test_long_words_are_shortened(self, page, cast, staff, late):
        add_task(staff, late, words="Refer " + "and ask again " * 100)
        assert len(owed_cell(page.sign_in(cast.staff))) < 300

    def test_what_is_written_is_text(self, page, cast, staff, late):
        add_task(staff, late, words="<b>Call</b>")
        assert "<b>Call</b>" in owed_cell(page.sign_in(cast.staff))

    def test_one_row_an_item_says_it_once(self, page, cast, staff, late):
        add_task(staff, late)
        rows = page.sign_in(cast.staff).get(f"{LIST}?by=item").rows()
        assert len(rows) > 1
        assert ["Repeat platelets" in row[1] for row in rows] == [True] + [False] * (len(rows) - 1)

    def test_a_closed_a_withdrawn_and_a_replaced_one_are_gone(self, page, cast, staff, late):
        closed, withdrawn, replaced = (add_task(staff, late, words=f"Word{number}") for number in range(3))
        page.sign_in(cast.staff)
        assert "and 1 more" in owed_cell(page)
        close_task(staff, late.public_id, closed.public_id, reason="Drawn elsewhere")
        withdraw_task(staff, late.public_id, withdrawn.public_id, reason="Wrong patient")
        assert owed_cell(page).count("Task: ") == 1
        details = TaskDetails(FindingAction.REPEAT_ORDERED, LATE, "Other words")
        correct_task(staff, late.public_id, replaced.public_id, details, reason="Agreed")
        cell = owed_cell(page)
        assert "Other words" in cell
        assert not any(f"Word{number}" in cell for number in range(3))

    def test_a_snoozed_row_still_shows_it(self, page, cast, staff, late):
        add_task(staff, late)
        page.sign_in(cast.staff)
        address = f"/patients/{late.public_id}/contacts/new"
        page.submit(address, channel="phone", outcome="no_answer", snooze_until="30-Jan-2026")
        assert "snoozed until 30-Jan-2026" in page.get(LIST).words
        assert "Repeat platelets" in owed_cell(page)
        hidden = page.get(f"{LIST}?snoozed=hide").words
        assert "1 late follow-up task belongs to a patient not on this list." in hidden

    def test_a_merged_chart_takes_it_along(self, page, cast, staff, scope_for, late):
        double = add_patient(staff, family_name="Okafo")
        add_task(staff, double)
        project(staff)
        page.sign_in(cast.staff)
        assert "Repeat platelets" not in owed_cell(page)
        assert "1 late follow-up task belongs to a patient not on this list." in page.get(LIST).words
        merge_patients(scope_for(cast.administrator), late.public_id, double.public_id, reason="Same phone")
        assert "Repeat platelets" in owed_cell(page)
        assert "late follow-up" not in page.get(LIST).words

    def test_another_clinic_shows_neither_line_nor_number(self, page, cast, staff, late):
        add_task(staff, late)
        answer = page.sign_in(cast.stranger).get(LIST)
        assert "Repeat platelets" not in answer.words
        assert "late follow-up" not in answer.words
        assert "Follow-up tasks 0" in switch(page, LIST)

    @pytest.mark.parametrize("role", list(Role))
    def test_everybody_who_sees_patients_sees_it_and_is_noted(self, page, cast, staff, late, role):
        add_task(staff, late)
        assert "Repeat platelets" in owed_cell(page.sign_in(cast.person(role)))
        seen = db.session.scalar(sa.select(AccessEvent.patient_ids).order_by(AccessEvent.id.desc()))
        assert seen == [late.id]

    def test_a_page_takes_one_statement_for_all_of_its_tasks(self, staff, late, done):
        add_task(staff, late)
        for days in range(30):
            add_task(staff, done, TODAY - timedelta(days=days))
        asked = []
        note = lambda *event: asked.append(event[2])  # noqa: E731
        sa.event.listen(db.engine, "before_cursor_execute", note)
        try:
            assert len(due_tasks(staff, [late.id, done.id])) == 31
            assert task_counts(staff) == TaskCounts(open=31, overdue=30, due=1)
            assert due_tasks(staff, []) == []
        finally:
            sa.event.remove(db.engine, "before_cursor_execute", note)
        assert len([text for text in asked if text.startswith("SELECT")]) == 2


class TestSwitch:
    def test_the_lists_lead_to_one_another(self, page, cast, staff, late, done):
        add_task(staff, late)
        add_task(staff, done, TODAY + timedelta(days=30))
        there = switch(page.sign_in(cast.staff), f"{LIST}?band=8-30&sort=name")
        assert list(there) == ["* Overdue 1", "Due", "Owed now", "All items", "Follow-up tasks 2, 1 late"]
        assert there["Follow-up tasks 2, 1 late"] == "/tasks"
        back = switch(page, "/tasks")
        assert list(back) == ["Overdue", "Due", "Owed now", "All items", "* Follow-up tasks 2, 1 late"]
        assert back["Overdue"] == LIST
        assert back["Due"] == f"{LIST}?view=due"

    def test_filters_that_both_know_are_taken_along(self, page, cast, staff, late):
        enroll(staff, late, cast.prescriber.id, date(2025, 5, 1))
        add_task(staff, late)
        common = f"prescriber={cast.prescriber.public_id}&mine=1"
        there = switch(page.sign_in(cast.neurologist), f"{LIST}?{common}&requirement=cbc_diff&by=item")
        assert there["Follow-up tasks 1, 1 late"] == f"/tasks?{common}"
        assert switch(page, f"/tasks?{common}&view=overdue")["Due"] == f"{LIST}?view=due&{common}"

    def test_tasks_are_filtered_by_prescriber_on_page_and_in_file(self, page, cast, clock, staff, late, done):
        other = add_prescriber(add_person(clock, cast.northside, "Vera Lund", Role.NEUROLOGIST), "1003000142")
        db.session.flush()
        enroll(staff, late, cast.prescriber.id, date(2025, 5, 1))
        enroll(staff, done, other.id, date(2025, 5, 1))
        add_task(staff, late)
        add_task(staff, done)
        chosen = f"prescriber={other.public_id}"
        answer = page.sign_in(cast.staff).get(f"/tasks?{chosen}&view=overdue")
        assert [done.mrn in row[0] for row in answer.rows()] == [True]
        assert answer.links()["Clear 1 filter"] == "/tasks?view=overdue"
        assert answer.one("option", value=str(other.public_id)).get("selected") is not None
        assert "Follow-up tasks 1, 1 late" in switch(page, f"{LIST}?{chosen}")
        exported = page.get(answer.links()["Export CSV"]).text
        assert done.mrn in exported
        assert late.mrn not in exported
        assert page.get(f"/tasks?prescriber={cast.other_prescriber.public_id}").words.count("No task of that kind") == 1
        assert len(page.get("/tasks?prescriber=x").rows()) == 2

    def test_there_is_no_second_way_to_the_tasks(self, page, cast):
        links = [link.get("href") for link in page.sign_in(cast.staff).get(LIST).all("a")]
        assert links.count("/tasks") == 1


class TestOffTheList:
    def test_somebody_who_owes_nothing_else_is_not_lost(self, page, cast, staff, done):
        add_task(staff, done)
        answer = page.sign_in(cast.staff).get(LIST)
        assert "Nobody is overdue" in answer.words
        assert "1 late follow-up task belongs to a patient not on this list." in answer.words
        assert [done.mrn in row[0] for row in page.get(answer.links()["All late tasks"]).rows()] == [True]

    def test_those_in_the_rows_are_not_counted_again(self, page, cast, staff, late, done):
        add_task(staff, late)
        add_task(staff, done)
        add_task(staff, done)
        add_task(staff, done, TODAY)
        answer = page.sign_in(cast.staff).get(LIST)
        assert "2 of 3 late follow-up tasks belong to patients not on this list." in answer.words
        assert len(page.get(answer.links()["All late tasks"]).rows()) == 3
        assert "late follow-up" not in page.get(f"{LIST}?view=all").words

    @pytest.mark.parametrize(
        "chosen, missing",
        [
            (WorklistFilter(), 1),
            (WorklistFilter(grouping=Grouping.ITEM), 1),
            (WorklistFilter(band=Band.MONTH), 1),
            (WorklistFilter(band=Band.LONGER), 2),
            (WorklistFilter(band=Band.LONGER, grouping=Grouping.ITEM), 2),
            (WorklistFilter(band=Band.MONTH, grouping=Grouping.ITEM), 1),
            (WorklistFilter(requirement="skin_exam"), 2),
            (WorklistFilter(requirement="labs"), 1),
            (WorklistFilter(snoozed=Snoozed.ONLY), 2),
            (WorklistFilter(snoozed=Snoozed.HIDE), 1),
            (WorklistFilter(view=View.ALL), 0),
        ],
    )
    def test_whatever_the_filter_nobody_is_on_neither(self, staff, late, done, chosen, missing):
        add_task(staff, late)
        add_task(staff, done)
        assert late_off_list(staff, chosen) == missing

    def test_it_obeys_the_filters_that_both_lists_know(self, page, cast, staff, scope_for, late, done):
        enroll(staff, done, cast.prescriber.id, date(2025, 5, 1))
        add_task(staff, late)
        add_task(staff, done)
        doctor = scope_for(cast.neurologist)
        assert late_off_list(doctor, WorklistFilter(mine=True)) == 1
        assert late_off_list(staff, WorklistFilter(prescriber=cast.prescriber.public_id)) == 1
        assert late_off_list(staff, WorklistFilter(prescriber=cast.other_prescriber.public_id)) == 0
        answer = page.sign_in(cast.neurologist).get(f"{LIST}?mine=1")
        assert "1 late follow-up task belongs to a patient not on this list." in answer.words
        assert answer.links()["All late tasks"] == "/tasks?mine=1&view=overdue"

    def test_what_one_planned_for_a_colleagues_patient_is_told_among_ones_own(self, cast, scope_for, late):
        doctor = scope_for(cast.neurologist)
        add_task(doctor, late)
        assert late_off_list(doctor, WorklistFilter()) == 0
        assert late_off_list(doctor, WorklistFilter(mine=True)) == len(open_tasks(doctor, OVERDUE, mine=True)[0]) == 1

    def test_a_patient_signed_off_is_told_too(self, staff, late):
        """Monitoring ends, and what was planned because of a result does not."""
        add_task(staff, late)
        db.session.execute(sa.delete(Standing).where(Standing.patient_id == late.id))
        assert late_off_list(staff, WorklistFilter()) == 1

    def test_another_clinics_are_not(self, staff, cast, scope_for, done):
        add_task(staff, done)
        assert late_off_list(scope_for(cast.stranger), WorklistFilter()) == 0
        assert due_tasks(scope_for(cast.stranger), [done.id]) == []

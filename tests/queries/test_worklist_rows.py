"""The exported worklist equals what the engine says, today and for any past date, and what the pages show."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from clinic_tracker.domain.answer import answer
from clinic_tracker.domain.history_json import read_history
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import MonitoringDecision
from clinic_tracker.queries import worklist_pages, worklists
from clinic_tracker.queries.history import load_history
from clinic_tracker.queries.protocols import packaged_protocols
from clinic_tracker.queries.worklist_filter import Grouping, View, WorklistFilter
from clinic_tracker.queries.worklists import listed_rows, worklist_rows
from tests.monitored import add_course, add_lab, add_patient, project, store_history, treated
from tests.strategies import random_history

TODAY = date(2026, 1, 22)


@pytest.fixture
def staff(cast, scope_for):
    return scope_for(cast.staff)


def by_engine(history, as_of, mrn):
    """The lines of one patient, straight from the contract's answer."""
    protocol = packaged_protocols()[history["protocol"]]
    found = answer(read_history(history), protocol, as_of.toordinal())
    return {
        (mrn, row["requirement"]): (
            row["state"], row["next_due_on"], row["missed_in_a_row"], row["last_done_on"],
        )
        for row in found["standings"]
    }  # fmt: skip


def exported(rows):
    return {
        (row.mrn, row.requirement): (
            row.state,
            row.next_due_on.isoformat() if row.next_due_on else None,
            row.missed_in_a_row,
            row.last_done_on.isoformat() if row.last_done_on else None,
        )
        for row in rows
    }


def test_a_sign_off_counts_on_a_past_date_although_another_followed(staff):
    patient = treated(staff, date(2024, 1, 8))
    add_course(staff, patient, date(2025, 6, 2), days=3, number=2)
    for decided_on in (date(2025, 2, 3), date(2025, 12, 1)):
        common = {"clinic_id": staff.clinic_id, "patient_id": patient.id, "recorded_at": staff.now}
        db.session.add(MonitoringDecision(kind="closed", decided_on=decided_on, reason="Done", **common))
    project(staff)

    overdue = {on: len(worklist_rows(staff, on, "overdue")) for on in (date(2025, 2, 2), date(2025, 3, 3))}

    assert overdue[date(2025, 2, 2)] > 0
    assert overdue[date(2025, 3, 3)] == 0, "signed off from 3 February until the second course"


@pytest.mark.parametrize("first_seed", range(0, 40, 10))
def test_today_and_past_dates_equal_the_engine(staff, first_seed):
    histories = {f"M{seed}": random_history(seed, latest=TODAY) for seed in range(first_seed, first_seed + 10)}
    for mrn, history in histories.items():
        store_history(staff, history, mrn=mrn)
    project(staff)
    for as_of in (TODAY, TODAY + timedelta(days=40), TODAY - timedelta(days=1), TODAY - timedelta(days=200)):
        expected = {}
        for mrn, history in histories.items():
            expected.update(by_engine(history, as_of, mrn))
        assert exported(worklist_rows(staff, as_of)) == expected


@pytest.fixture
def random_clinic(staff):
    """Twelve patients with histories that never were."""
    for seed in range(12):
        store_history(staff, random_history(seed, latest=TODAY))
    project(staff)


def test_the_projection_and_the_facts_give_the_same_rows(random_clinic, staff):
    stored = worklist_rows(staff, TODAY)
    assert list(worklists._in_order(worklists._recomputed(staff, TODAY))) == stored
    assert {row.state for row in stored} >= {"overdue", "up_to_date"}


@pytest.mark.parametrize("state", ["overdue", "due"])
def test_a_state_is_a_part_of_all(random_clinic, staff, state):
    everything = worklist_rows(staff, TODAY, "all")
    assert worklist_rows(staff, TODAY, state) == [row for row in everything if row.state == state]


@pytest.mark.parametrize("view", [View.OVERDUE, View.DUE])
def test_the_pages_list_what_the_export_says(random_clinic, staff, view):
    for grouping in Grouping:
        chosen = WorklistFilter(view=view, grouping=grouping)
        page = worklist_pages.worklist_page(staff, chosen, size=500)
        shown = {(row.mrn, item.requirement) for row in page.rows for item in row.listed}
        rows = worklist_rows(staff, TODAY, view.value)
        assert shown == {(row.mrn, row.requirement) for row in rows}
        assert listed_rows(staff, chosen) == rows
        assert worklist_pages.worklist_totals(staff, chosen).items == len(rows)


def test_days_overdue_are_counted_for_overdue_rows_alone(staff):
    treated(staff, date(2025, 6, 2), labs_until=date(2025, 12, 10))
    project(staff)
    for row in worklist_rows(staff, TODAY):
        late = (TODAY - row.next_due_on).days if row.state == "overdue" else 0
        assert row.days_overdue == late
        assert (late > 0) == (row.state == "overdue")


def test_the_longest_overdue_comes_first(random_clinic, staff):
    days = [row.next_due_on or date.max for row in worklist_rows(staff, TODAY)]
    assert days == sorted(days)


def test_a_result_entered_today_does_not_change_yesterday(staff):
    patient = treated(staff, date(2025, 6, 2), labs_until=date(2025, 12, 10))
    project(staff)
    yesterday = TODAY - timedelta(days=1)
    before = worklist_rows(staff, yesterday, "overdue")
    add_lab(staff, patient, "cbc_diff", TODAY)
    project(staff)
    assert worklist_rows(staff, yesterday, "overdue") == before
    assert "cbc_diff" not in {row.requirement for row in worklist_rows(staff, TODAY, "overdue")}


def test_the_clock_of_the_clinic_decides_what_day_it_is(cast, scope_for, clock):
    patient = treated(scope_for(cast.staff), date(2025, 6, 2), labs_until=date(2025, 12, 10))
    add_lab(scope_for(cast.staff), patient, "cbc_diff", date(2026, 1, 2))  # the next is due on 06-Feb
    project(scope_for(cast.staff))
    chosen = WorklistFilter(requirement="cbc_diff")
    clock.set("2026-02-06 23:59")
    assert worklist_pages.worklist_page(scope_for(cast.staff), chosen).rows == ()
    clock.forward(minutes=1)
    (row,) = worklist_pages.worklist_page(scope_for(cast.staff), chosen).rows
    assert row.listed[0].days_overdue(date(2026, 2, 7)) == 1


def test_who_was_never_treated_owes_nothing(staff):
    add_patient(staff)
    project(staff)
    assert worklist_rows(staff, TODAY) == []
    assert load_history(staff, []) == {}


class TestIndex:
    """The lists are found in the covering index alone, on both databases."""

    @pytest.fixture
    def plan(self, staff, random_clinic):  # noqa: ARG002
        engine = db.engine
        if engine.dialect.name == "postgresql":
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("VACUUM ANALYZE standing")

        def explain(chosen):
            statement = worklist_pages._keys(staff, chosen, None).limit(51)
            text = str(statement.compile(engine, compile_kwargs={"literal_binds": True}))
            if engine.dialect.name == "postgresql":
                db.session.execute(sa.text("SET LOCAL enable_seqscan = off"))
                db.session.execute(sa.text("SET LOCAL enable_bitmapscan = off"))
                return "\n".join(row[0] for row in db.session.execute(sa.text(f"EXPLAIN {text}")))
            return "\n".join(row[3] for row in db.session.execute(sa.text(f"EXPLAIN QUERY PLAN {text}")))

        return explain

    @pytest.mark.parametrize("grouping", list(Grouping))
    @pytest.mark.parametrize("view", [View.OVERDUE, View.DUE])
    def test_the_covering_index_is_enough(self, plan, grouping, view):
        told = plan(WorklistFilter(view=view, grouping=grouping))
        assert "ix_standing_worklist" in told
        assert "COVERING INDEX" in told or "Index Only Scan" in told

    def test_one_row_an_item_is_read_in_order(self, plan):
        told = plan(WorklistFilter(grouping=Grouping.ITEM))
        assert "TEMP B-TREE" not in told
        assert "Sort" not in told


def test_a_page_takes_at_most_four_statements(random_clinic, staff):
    asked = []

    def note(*event):
        asked.append(event[2])

    sa.event.listen(db.engine, "before_cursor_execute", note)
    try:
        worklist_pages.worklist_page(staff, WorklistFilter())
        worklist_pages.worklist_totals(staff, WorklistFilter())
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", note)
    assert len([text for text in asked if text.startswith("SELECT")]) == 3

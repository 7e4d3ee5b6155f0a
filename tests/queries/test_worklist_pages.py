"""The lists: who is on them, in which order, page by page. Nothing ages out and nobody is shown twice."""

from datetime import date, timedelta

import pytest

from clinic_tracker.domain.vocabulary import OutreachChannel, OutreachOutcome
from clinic_tracker.models.base import db
from clinic_tracker.queries.worklist_filter import Band, Cursor, Grouping, Snoozed, Sort, View, WorklistFilter
from clinic_tracker.queries.worklist_pages import worklist_page, worklist_totals
from clinic_tracker.queries.worklists import listed_rows
from clinic_tracker.services.outreach import record_contact
from tests.monitored import add_lab, project, treated

TODAY = date(2026, 1, 22)


@pytest.fixture
def staff(cast, scope_for):
    return scope_for(cast.staff)


@pytest.fixture
def clinic(staff):
    """Adds treated patients and projects them: ``clinic(lost=date, ...)`` with the day of their last labs."""

    def build(*people):
        made = [treated(staff, first, labs_until=until) for first, until in people]
        project(staff)
        return made

    return build


def names(page):
    return [row.mrn for row in page.rows]


def walk(scope, chosen, size):
    """Every page from the first to the last, as lists of keys."""
    pages, cursor = [], None
    while True:
        page = worklist_page(scope, chosen, cursor, size)
        pages.append([(row.patient_id, row.items[0].requirement) for row in page.rows])
        if page.next is None:
            return pages
        cursor = Cursor.read(page.next)


def test_a_patient_who_has_not_come_for_five_months_heads_the_list(staff, clinic):
    recent, lost = clinic((date(2025, 6, 2), date(2025, 12, 10)), (date(2025, 3, 3), date(2025, 8, 10)))
    page = worklist_page(staff, WorklistFilter())
    assert names(page) == [lost.mrn, recent.mrn]
    worst = page.rows[0]
    assert (TODAY - worst.worst_due_on).days > 120
    assert max(item.missed_in_a_row for item in worst.items) >= 4


def test_the_longest_overdue_stays_first_for_ever(cast, scope_for, staff, clinic, clock):
    _, lost = clinic((date(2025, 6, 2), date(2025, 12, 10)), (date(2025, 3, 3), date(2025, 8, 10)))
    clock.forward(days=365 * 6)
    page = worklist_page(scope_for(cast.staff), WorklistFilter())
    assert page.rows[0].mrn == lost.mrn


def test_a_row_holds_everything_owed_overdue_or_due(staff, clinic):
    (patient,) = clinic((date(2025, 9, 1), date(2025, 12, 5)))
    row = worklist_page(staff, WorklistFilter()).rows[0]
    states = {item.requirement: item.state(TODAY).value for item in row.items}
    assert states["cbc_diff"] == "overdue"
    assert "up_to_date" not in states.values()
    assert row.mrn == patient.mrn


def test_who_has_done_everything_is_on_no_list_of_work(staff, clinic):
    clinic((date(2025, 9, 1), date(2026, 1, 10)))
    assert worklist_page(staff, WorklistFilter(view=View.OVERDUE)).rows == ()
    assert worklist_totals(staff, WorklistFilter(view=View.OVERDUE)).patients == 0
    assert len(worklist_page(staff, WorklistFilter(view=View.ALL)).rows) == 1


def test_another_clinic_is_never_listed(cast, scope_for, staff, clinic):
    clinic((date(2025, 6, 2), date(2025, 12, 10)))
    stranger = scope_for(cast.stranger)
    for view in View:
        assert worklist_page(stranger, WorklistFilter(view=view)).rows == ()
        assert listed_rows(stranger, WorklistFilter(view=view)) == []


def test_a_result_takes_the_item_off_in_the_same_second(staff, clinic):
    (patient,) = clinic((date(2025, 6, 2), date(2025, 12, 10)))
    chosen = WorklistFilter(grouping=Grouping.ITEM, requirement="cbc_diff")
    assert len(worklist_page(staff, chosen).rows) == 1
    add_lab(staff, patient, "cbc_diff", TODAY)
    project(staff)
    assert worklist_page(staff, chosen).rows == ()
    assert listed_rows(staff, chosen) == []


@pytest.mark.parametrize("grouping", list(Grouping))
@pytest.mark.parametrize("view", list(View))
@pytest.mark.parametrize("sort", list(Sort))
def test_pages_hold_every_row_once_whatever_the_order(staff, clinic, grouping, view, sort):
    people = [(date(2025, 6, 2), date(2025, 12, 10))] * 4 + [(date(2025, 3, 3), date(2025, 8, 10))] * 3
    clinic(*people)
    chosen = WorklistFilter(view=view, grouping=grouping, sort=sort)
    together = [key for page in walk(staff, chosen, 500) for key in page]
    split = [key for page in walk(staff, chosen, 3) for key in page]
    assert split == together
    assert len(set(split)) == len(split)
    totals = worklist_totals(staff, chosen)
    assert len(split) == (totals.patients if grouping is Grouping.PATIENT else totals.items)


@pytest.mark.parametrize("sort", list(Sort))
@pytest.mark.parametrize("grouping", list(Grouping))
def test_the_previous_page_is_the_one_that_was_left(staff, clinic, grouping, sort):
    clinic(*[(date(2025, 6, 2), date(2025, 12, 10))] * 7)
    chosen = WorklistFilter(grouping=grouping, sort=sort)
    first = worklist_page(staff, chosen, None, 3)
    second = worklist_page(staff, chosen, Cursor.read(first.next), 3)
    back = worklist_page(staff, chosen, Cursor.read(second.previous, backwards=True), 3)
    assert back == first
    assert first.previous is None
    third = worklist_page(staff, chosen, Cursor.read(second.next), 3)
    assert worklist_page(staff, chosen, Cursor.read(third.previous, backwards=True), 3) == second


def test_a_patient_who_leaves_between_two_pages_costs_nobody_their_place(staff, clinic):
    people = clinic(*[(date(2025, 6, 2), date(2025, 12, 10))] * 6)
    first = worklist_page(staff, WorklistFilter(), None, 3)
    gone = next(person for person in people if person.mrn == first.rows[2].mrn)
    for test in ("cbc_diff", "creatinine", "urinalysis_cells", "tsh", "liver_panel"):
        add_lab(staff, gone, test, TODAY)
    project(staff)
    second = worklist_page(staff, WorklistFilter(), Cursor.read(first.next), 3)
    assert {*names(first), *names(second)} == {person.mrn for person in people}


def test_a_cursor_that_was_tampered_with_shows_the_first_page(staff, clinic):
    clinic((date(2025, 6, 2), date(2025, 12, 10)))
    for text in ("x", "W10", "eyJhIjoxfQ", "%%%", "WzEsIngiLCIiXQ"):
        assert Cursor.read(text) is None


def test_lateness_bands_split_the_list(staff, clinic):
    clinic(
        (date(2025, 9, 1), date(2025, 12, 20)),  # monthly labs due on the 5th: 17 days late
        (date(2025, 3, 3), date(2025, 8, 10)),  # five months
        (date(2025, 9, 15), date(2025, 12, 25)),  # due on the 19th: 3 days late
    )
    totals = worklist_totals(staff, WorklistFilter())
    assert sum(totals.bands.values()) == totals.patients == 3
    for band, number in totals.bands.items():
        chosen = WorklistFilter(band=band)
        assert len(worklist_page(staff, chosen).rows) == number
        assert len({row.mrn for row in listed_rows(staff, chosen)}) == number
    late = [(TODAY - row.worst_due_on).days for row in worklist_page(staff, WorklistFilter(band=Band.LONGER)).rows]
    assert late
    assert min(late) > 90


def test_a_band_of_items_looks_at_each_item(staff, clinic):
    clinic((date(2025, 3, 3), date(2025, 8, 10)))
    chosen = WorklistFilter(grouping=Grouping.ITEM, band=Band.LONGER)
    page = worklist_page(staff, chosen)
    assert all((TODAY - row.items[0].next_due_on).days > 90 for row in page.rows)
    assert len(page.rows) == worklist_totals(staff, chosen).items


def test_due_is_what_is_open_and_not_late(staff, clinic):
    clinic((date(2025, 9, 23), date(2026, 1, 1)))  # last infusion on the 27th
    page = worklist_page(staff, WorklistFilter(view=View.DUE, grouping=Grouping.ITEM))
    assert page.rows
    for row in page.rows:
        item = row.items[0]
        assert item.opens_on <= TODAY <= item.next_due_on
    week = worklist_totals(staff, WorklistFilter(view=View.DUE, band=Band.NEXT_WEEK))
    assert week.patients == 1


def test_the_filters_of_requirement_and_prescriber(cast, staff, clinic, scope_for):
    mine, _ = clinic((date(2025, 6, 2), date(2025, 12, 10)), (date(2025, 6, 2), date(2025, 12, 10)))
    mine.prescriber_id = cast.prescriber.id
    db.session.commit()
    assert names(worklist_page(staff, WorklistFilter(prescriber=cast.prescriber.public_id))) == [mine.mrn]
    assert names(worklist_page(scope_for(cast.neurologist), WorklistFilter(mine=True))) == [mine.mrn]
    assert names(worklist_page(staff, WorklistFilter(mine=True))) == []
    assert worklist_page(staff, WorklistFilter(prescriber=cast.other_prescriber.public_id)).rows == ()
    only = worklist_page(staff, WorklistFilter(requirement="creatinine"))
    assert [item.requirement for row in only.rows for item in row.listed] == ["creatinine", "creatinine"]
    assert {item.requirement for row in only.rows for item in row.items} >= {"cbc_diff", "urinalysis_cells"}


class TestSnooze:
    @pytest.fixture
    def patient(self, clinic):
        return clinic((date(2025, 6, 2), date(2025, 12, 10)))[0]

    def call(self, scope, patient, **values):
        details = {"channel": OutreachChannel.PHONE, "outcome": OutreachOutcome.NO_ANSWER, **values}
        record_contact(scope, patient.public_id, **details)

    def test_a_snoozed_row_is_shown_with_a_mark_and_is_as_late_as_before(self, staff, patient):
        before = worklist_page(staff, WorklistFilter()).rows[0]
        self.call(staff, patient, snooze_until=TODAY + timedelta(days=5))
        row = worklist_page(staff, WorklistFilter()).rows[0]
        assert row.is_snoozed(TODAY)
        assert row.worst_due_on == before.worst_due_on
        assert worklist_totals(staff, WorklistFilter()).patients == 1

    def test_it_can_be_filtered_either_way(self, staff, patient):
        self.call(staff, patient, snooze_until=TODAY + timedelta(days=5))
        for grouping in Grouping:
            assert worklist_page(staff, WorklistFilter(grouping=grouping, snoozed=Snoozed.HIDE)).rows == ()
            assert worklist_page(staff, WorklistFilter(grouping=grouping, snoozed=Snoozed.ONLY)).rows != ()

    def test_it_wakes_on_the_day(self, cast, scope_for, staff, patient, clock):
        self.call(staff, patient, snooze_until=TODAY + timedelta(days=5))
        clock.forward(days=5)
        awake = scope_for(cast.staff)
        row = worklist_page(awake, WorklistFilter(snoozed=Snoozed.HIDE)).rows[0]
        assert not row.is_snoozed(awake.today)

    def test_a_new_contact_ends_it(self, cast, scope_for, staff, patient, clock):
        self.call(staff, patient, snooze_until=TODAY + timedelta(days=5))
        clock.forward(hours=1)
        self.call(scope_for(cast.staff), patient)
        assert len(worklist_page(staff, WorklistFilter(snoozed=Snoozed.HIDE)).rows) == 1

    def test_an_item_that_falls_overdue_later_is_not_asleep(self, staff, patient):
        self.call(staff, patient, requirements=["cbc_diff"], snooze_until=TODAY + timedelta(days=5))
        row = worklist_page(staff, WorklistFilter(snoozed=Snoozed.HIDE)).rows[0]
        assert "cbc_diff" not in [item.requirement for item in row.listed]
        assert not worklist_page(staff, WorklistFilter()).rows[0].is_snoozed(TODAY)


def test_attempts_in_a_row_are_counted_and_a_promise_is_kept_in_sight(cast, scope_for, clinic, clock):
    (patient,) = clinic((date(2025, 6, 2), date(2025, 12, 10)))
    scope = scope_for(cast.staff)
    promised = TODAY + timedelta(days=2)
    record_contact(scope, patient.public_id, channel=OutreachChannel.PHONE, outcome=OutreachOutcome.WILL_COME,
                   expected_on=promised)  # fmt: skip
    for _ in range(3):
        clock.forward(days=1)
        record_contact(scope_for(cast.staff), patient.public_id, channel=OutreachChannel.PHONE,
                       outcome=OutreachOutcome.NO_ANSWER)  # fmt: skip
    mark = worklist_page(scope_for(cast.staff), WorklistFilter()).rows[0].contact
    assert (mark.outcome, mark.attempts, mark.expected_on) == (OutreachOutcome.NO_ANSWER, 3, promised)

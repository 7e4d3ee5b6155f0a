"""Monthly and three-monthly slots: their dates, their windows, and which draw does which."""

import pytest

from tests.charts import chart, draws, slot, slots, standing, waiver

COURSE_1 = ["2025-01-27", "2025-01-31"]


def test_due_dates_count_from_the_last_infusion_and_do_not_drift() -> None:
    due = [item["due_on"] for item in slots(chart(COURSE_1), "cbc_diff", "2025-02-01")]
    assert due[:4] == ["2025-02-28", "2025-03-31", "2025-04-30", "2025-05-31"]
    assert len(due) == 48
    assert due[36] == "2028-02-29"
    assert due[-1] == "2029-01-31"


def test_a_window_opens_ten_days_early_and_ends_before_the_next_opens() -> None:
    item = slot(chart(COURSE_1), "cbc_diff", "C1M2", "2025-02-01")
    assert (item["opens_on"], item["due_on"], item["closes_on"]) == ("2025-03-21", "2025-03-31", "2025-04-19")


def test_a_three_monthly_window_opens_21_days_early() -> None:
    item = slot(chart(COURSE_1), "tsh", "C1Q1", "2025-02-01")
    assert (item["opens_on"], item["due_on"], item["closes_on"]) == ("2025-04-09", "2025-04-30", "2025-07-09")


def test_the_last_slot_closes_as_if_there_were_one_more() -> None:
    item = slot(chart(COURSE_1), "cbc_diff", "C1M48", "2025-02-01")
    assert item["closes_on"] == "2029-02-17"


def test_europe_wants_liver_panels_every_month() -> None:
    history = chart(COURSE_1, protocol="lemtrada-eu")
    assert slots(history, "liver_panel", "2025-02-01")[0]["slot"] == "C1M1"
    assert slots(history, "infusion_checklist", "2025-02-10") == []


def test_a_further_course_ends_the_slots_of_the_one_before() -> None:
    # C1M12 (due 31 January 2026) and C1M13 (28 February) would follow; course 2 starts on 10 February.
    history = chart(COURSE_1, ["2026-02-10"])
    items = slots(history, "cbc_diff", "2026-03-01")
    assert [item["slot"] for item in items][11:13] == ["C1M12", "C2M1"]
    # C1M13 gives way, so C1M12 stays open until the day before course 2, not until C1M13 would have opened.
    assert items[11]["closes_on"] == "2026-02-09"


def test_a_slot_that_gives_way_lengthens_the_window_of_the_last() -> None:
    # C1M12 is due on 31 January. C1M13 would open on 18 February and be due on 28 February, the day of course 2.
    item = slot(chart(COURSE_1, ["2026-02-28"]), "cbc_diff", "C1M12", "2026-03-01")
    assert item["closes_on"] == "2026-02-27"


def test_a_slot_due_on_the_day_of_the_next_course_does_not_exist() -> None:
    names = [item["slot"] for item in slots(chart(COURSE_1, ["2025-03-31"]), "cbc_diff", "2025-05-01")]
    assert names[:2] == ["C1M1", "C2M1"]


def test_after_the_end_of_monitoring_a_further_course_does_not_lengthen_a_window() -> None:
    # Course 2 comes long after the end of course 1: C1M48 closes as usual.
    history = chart(COURSE_1, ["2031-01-06"])
    assert slot(history, "cbc_diff", "C1M48", "2031-02-01")["closes_on"] == "2029-02-17"


def test_no_window_reaches_a_further_course() -> None:
    history = chart(COURSE_1, ["2029-02-05"])
    assert slot(history, "cbc_diff", "C1M48", "2029-03-01")["closes_on"] == "2029-02-04"


def test_a_course_right_after_another_leaves_it_without_slots() -> None:
    names = [item["slot"] for item in slots(chart(["2025-01-31"], ["2025-02-01"]), "cbc_diff", "2025-03-01")]
    assert names[0] == "C2M1"
    assert len(names) == 48


def test_an_extension_adds_slots_and_holds_for_later_courses() -> None:
    extended = chart([*COURSE_1, "until 2029-03-31"])
    assert [item["slot"] for item in slots(extended, "cbc_diff", "2025-03-01")][-1] == "C1M50"
    again = chart([*COURSE_1, "until 2031-01-15"], ["2026-01-31"])
    assert slots(again, "cbc_diff", "2026-03-01")[-1]["slot"] == "C2M59"


def test_an_extension_that_is_earlier_than_48_months_changes_nothing() -> None:
    history = chart([*COURSE_1, "until 2026-01-01"])
    assert len(slots(history, "cbc_diff", "2025-03-01")) == 48


def test_the_extension_of_a_planned_course_does_not_hold() -> None:
    history = chart(COURSE_1, ["until 2035-01-01"])
    assert len(slots(history, "cbc_diff", "2025-03-01")) == 48


@pytest.mark.parametrize(
    "drawn, done, late",
    [
        ("2025-02-17", None, None),  # a day before the window opens
        ("2025-02-18", "2025-02-18", 0),
        ("2025-02-28", "2025-02-28", 0),
        ("2025-03-20", "2025-03-20", 20),  # the last day of the window
        ("2025-03-21", None, None),  # the next slot
    ],
)
def test_a_draw_counts_inside_the_window_only(drawn: str, done: str | None, late: int | None) -> None:
    item = slot(chart(COURSE_1, labs=draws("cbc_diff", drawn)), "cbc_diff", "C1M1", "2025-03-22")
    assert (item["done_on"], item["days_late"]) == (done, late)


def test_the_first_draw_of_a_window_counts_and_the_second_does_nothing() -> None:
    history = chart(COURSE_1, labs=draws("cbc_diff", "2025-03-05", "2025-02-20", "2025-03-19"))
    items = slots(history, "cbc_diff", "2025-03-22")
    assert [item["done_on"] for item in items][:2] == ["2025-02-20", None]


def test_a_draw_between_two_courses_windows_does_nothing() -> None:
    history = chart(COURSE_1, ["2026-02-10"], labs=draws("cbc_diff", "2026-02-12"))
    assert all(item["done_on"] is None for item in slots(history, "cbc_diff", "2026-03-01"))


@pytest.mark.parametrize("status", ["preliminary", "cancelled", "entered_in_error"])
def test_only_final_and_corrected_results_count(status: str) -> None:
    history = chart(COURSE_1, labs=draws("cbc_diff", "2025-02-28", status=status))
    assert slot(history, "cbc_diff", "C1M1", "2025-03-01")["status"] == "overdue"
    assert standing(history, "cbc_diff", "2025-03-01")["last_done_on"] is None


@pytest.mark.parametrize("status", ["final", "corrected", None])
def test_valid_results_count(status: str | None) -> None:
    history = chart(COURSE_1, labs=draws("cbc_diff", "2025-02-28", status=status))
    assert slot(history, "cbc_diff", "C1M1", "2025-03-01")["status"] == "done"


def test_another_test_is_evidence_for_nothing() -> None:
    history = chart(COURSE_1, labs=draws("cbc", "2025-02-28"))
    assert slot(history, "cbc_diff", "C1M1", "2025-03-01")["status"] == "overdue"


def test_a_waived_slot_is_waived_unless_it_was_done() -> None:
    waived = chart(COURSE_1, waivers=[waiver("cbc_diff", "2025-02-28", "2025-03-31")])
    assert [item["status"] for item in slots(waived, "cbc_diff", "2025-06-01")][:3] == ["waived", "waived", "missed"]
    done = {**waived, "labs": draws("cbc_diff", "2025-03-02")}
    assert [item["status"] for item in slots(done, "cbc_diff", "2025-06-01")][:2] == ["done", "waived"]
    assert slots(waived, "creatinine", "2025-06-01")[0]["status"] == "missed"


def test_statuses_change_at_midnight_after_each_boundary() -> None:
    history = chart(COURSE_1)
    statuses = {
        day: slot(history, "cbc_diff", "C1M1", day)["status"]
        for day in ("2025-02-17", "2025-02-18", "2025-02-28", "2025-03-01", "2025-03-20", "2025-03-21")
    }
    assert list(statuses.values()) == ["upcoming", "due", "due", "overdue", "overdue", "missed"]


def test_a_missed_slot_is_not_late_and_an_overdue_one_is() -> None:
    history = chart(COURSE_1)
    assert slot(history, "cbc_diff", "C1M1", "2025-03-20")["days_late"] == 20
    assert slot(history, "cbc_diff", "C1M1", "2025-03-21")["days_late"] is None
    assert slot(history, "cbc_diff", "C1M1", "2025-02-28")["days_late"] is None

"""Standings and heads: what is owed first, what takes it off the list, prophylaxis, the end of monitoring."""

from dataclasses import replace

import pytest

from clinic_tracker.domain.calendar import day_of
from clinic_tracker.domain.requirement import Period, Unit
from clinic_tracker.domain.schedule import forecast
from clinic_tracker.domain.status import missed_in_a_row
from tests.charts import answer_on, chart, draws, exams, facts, slot, standing, waiver

COURSE_1 = ["2025-01-27", "2025-01-31"]
MONTHLY = ("cbc_diff", "creatinine", "urinalysis_cells")


def all_labs(*dates: str) -> list[dict]:
    return [lab for test in (*MONTHLY, "tsh", "liver_panel") for lab in draws(test, *dates)]


def test_before_any_infusion_there_is_nothing() -> None:
    nothing = {
        "as_of": "2025-01-26",
        "last_infusion_on": None,
        "monitoring_ends_on": None,
        "monitoring_complete": False,
        "next_course_earliest_on": None,
        "prophylaxis": None,
        "standings": [],
        "obligations": [],
    }
    assert answer_on(chart(COURSE_1), "2025-01-26") == nothing
    assert answer_on(chart(), "2025-01-26") == nothing
    assert answer_on(chart([]), "2025-01-26") == nothing


def test_a_missed_slot_stays_owed_and_is_counted() -> None:
    row = standing(chart(COURSE_1), "cbc_diff", "2025-06-20")
    assert (row["state"], row["opens_on"], row["next_due_on"]) == ("overdue", "2025-02-18", "2025-02-28")
    assert row["missed_in_a_row"] == 4  # February to May are closed; June is still open


def test_evidence_takes_what_was_due_by_then_off_the_list_even_outside_any_window() -> None:
    # On 1 February nothing is open yet, but a slot due by then is settled by an unscheduled draw as well.
    history = chart(COURSE_1, labs=draws("cbc_diff", "2025-05-25"))
    row = standing(history, "cbc_diff", "2025-06-20")
    assert (row["next_due_on"], row["missed_in_a_row"], row["last_done_on"]) == ("2025-06-30", 0, "2025-05-25")
    assert slot(history, "cbc_diff", "C1M1", "2025-06-20")["status"] == "missed"


def test_a_second_draw_in_a_window_settles_nothing_more() -> None:
    history = chart(COURSE_1, labs=draws("cbc_diff", "2025-02-20", "2025-03-20"))
    assert standing(history, "cbc_diff", "2025-03-20")["next_due_on"] == "2025-03-31"


def test_a_slot_missed_in_an_earlier_course_is_still_owed() -> None:
    history = chart(COURSE_1, ["2026-02-10"], labs=draws("cbc_diff", "2025-12-31"))
    row = standing(history, "cbc_diff", "2026-02-11")
    assert (row["state"], row["next_due_on"], row["missed_in_a_row"]) == ("overdue", "2026-01-31", 1)


def test_a_waiver_takes_an_item_off_the_list() -> None:
    history = chart(COURSE_1, waivers=[waiver("cbc_diff", "2025-02-01", "2025-04-30")])
    assert standing(history, "cbc_diff", "2025-05-15")["next_due_on"] == "2025-05-31"


@pytest.mark.parametrize(
    "as_of, state",
    [("2025-02-17", "up_to_date"), ("2025-02-18", "due"), ("2025-02-28", "due"), ("2025-03-01", "overdue")],
)
def test_the_state_follows_from_the_stored_dates(as_of: str, state: str) -> None:
    assert standing(chart(COURSE_1), "cbc_diff", as_of)["state"] == state


def test_rows_are_sorted_and_only_for_requirements_with_obligations() -> None:
    rows = [row["requirement"] for row in answer_on(chart(COURSE_1, protocol="lemtrada-eu"), "2025-02-01")["standings"]]
    assert rows == ["cbc_diff", "creatinine", "liver_panel", "skin_exam", "tsh", "urinalysis_cells"]


def test_a_requirement_without_obligations_has_no_row() -> None:
    history, protocol = facts(chart(COURSE_1))
    rules = tuple(
        replace(item, first_due=Period(60, Unit.MONTHS)) if item.code == "patient_status_form" else item
        for item in protocol.requirements
    )
    known = forecast(history, replace(protocol, requirements=rules))
    assert "patient_status_form" not in {row.requirement for row in known.standings}
    assert len(known.standings) == 7


def test_everything_is_closed_from_the_sign_off_on() -> None:
    history = chart(COURSE_1, labs=draws("cbc_diff", "2025-02-20"), monitoring_closed_on="2025-06-01")
    row = standing(history, "cbc_diff", "2025-06-01")
    assert row == {
        "requirement": "cbc_diff",
        "state": "closed",
        "opens_on": None,
        "next_due_on": None,
        "missed_in_a_row": 0,
        "last_done_on": "2025-02-20",
    }
    assert standing(history, "cbc_diff", "2025-05-31")["state"] == "overdue"
    assert slot(history, "cbc_diff", "C1M2", "2025-06-01")["status"] == "missed"


def test_a_sign_off_before_the_latest_course_does_not_count() -> None:
    again = chart(COURSE_1, ["2026-02-10"], monitoring_closed_on="2026-02-09")
    assert standing(again, "cbc_diff", "2026-02-09")["state"] == "closed"
    assert standing(again, "cbc_diff", "2026-02-10")["state"] == "overdue"
    same_day = chart(COURSE_1, ["2026-02-10"], monitoring_closed_on="2026-02-10")
    assert standing(same_day, "cbc_diff", "2026-02-10")["state"] == "closed"
    assert answer_on(chart(monitoring_closed_on="2026-02-10"), "2026-03-01")["standings"] == []


def test_an_extension_that_no_infusion_backs_is_not_known() -> None:
    history = chart(COURSE_1, ["2026-02-10", "until 2040-01-01"])
    assert answer_on(history, "2026-02-09")["monitoring_ends_on"] == "2029-01-31"
    assert answer_on(history, "2026-02-10")["monitoring_ends_on"] == "2040-01-01"


def test_missed_in_a_row_may_be_counted_over_all_obligations() -> None:
    history, protocol = facts(chart(COURSE_1))
    known = forecast(history, protocol)
    rows = {row.requirement: row for row in known.standings}
    assert missed_in_a_row(rows["cbc_diff"], known.obligations, day_of("2025-06-20")) == 4
    assert missed_in_a_row(rows["tsh"], known.obligations, day_of("2025-06-20")) == 0
    assert missed_in_a_row(rows["cbc_diff"]._replace(next_due=None), known.obligations, day_of("2025-06-20")) == 0


def test_the_antiviral_may_stop_after_two_months_and_a_sufficient_cd4() -> None:
    labs = draws("cd4", "2025-01-31", value=400) + draws("cd4", "2025-03-15", value=199)
    assert prophylaxis(labs) == {"minimum_until": "2025-03-31", "earliest_stop_on": None, "may_stop": False}
    early = labs + draws("cd4", "2025-02-15", value=200)
    assert prophylaxis(early, "2025-03-30")["may_stop"] is False
    assert prophylaxis(early, "2025-03-31") == {
        "minimum_until": "2025-03-31",
        "earliest_stop_on": "2025-03-31",
        "may_stop": True,
    }
    late = labs + draws("cd4", "2025-04-20", value=250.5) + draws("cd4", "2025-05-20", value=300)
    assert prophylaxis(late)["earliest_stop_on"] == "2025-04-20"


def prophylaxis(labs: list[dict], as_of: str = "2025-06-01", **more: object) -> dict:
    found: dict = answer_on(chart(COURSE_1, labs=labs, **more), as_of)["prophylaxis"]
    return found


def test_any_of_several_counts_of_a_date_is_enough() -> None:
    labs = draws("cd4", "2025-04-20", value=100) + draws("cd4", "2025-04-20", value=220)
    assert prophylaxis(labs)["earliest_stop_on"] == "2025-04-20"


def test_a_corrected_count_stands_in_place_of_the_final_ones_of_its_date() -> None:
    labs = draws("cd4", "2025-04-20", value=220) + draws("cd4", "2025-04-20", value=180, status="corrected")
    assert prophylaxis(labs)["earliest_stop_on"] is None
    assert prophylaxis(labs + draws("cd4", "2025-04-20", value=210, status="corrected"))["earliest_stop_on"]
    unread = draws("cd4", "2025-04-20", value=220) + draws("cd4", "2025-04-20", status="corrected")
    assert prophylaxis(unread)["earliest_stop_on"] is None


@pytest.mark.parametrize("status", ["preliminary", "cancelled", "entered_in_error"])
def test_a_count_that_is_not_valid_ends_nothing(status: str) -> None:
    assert prophylaxis(draws("cd4", "2025-04-20", value=500, status=status))["earliest_stop_on"] is None


def test_in_europe_time_alone_decides() -> None:
    found = prophylaxis([], "2025-02-28", protocol="lemtrada-eu")
    assert found == {"minimum_until": "2025-02-28", "earliest_stop_on": "2025-02-28", "may_stop": True}


def test_a_further_course_restarts_prophylaxis_and_monitoring() -> None:
    history = chart(COURSE_1, ["2026-02-10"], labs=draws("cd4", "2025-06-01", value=500))
    found = answer_on(history, "2026-02-10")
    assert found["prophylaxis"] == {"minimum_until": "2026-04-10", "earliest_stop_on": None, "may_stop": False}
    assert found["monitoring_ends_on"] == "2030-02-10"
    assert found["next_course_earliest_on"] == "2027-02-10"


def test_monitoring_is_complete_when_its_end_has_passed_and_no_test_can_still_be_done() -> None:
    history = chart(COURSE_1)
    assert answer_on(history, "2029-01-31")["monitoring_complete"] is False
    assert answer_on(history, "2029-02-17")["monitoring_complete"] is False  # C1M48 is overdue, still open
    assert answer_on(history, "2029-04-08")["monitoring_complete"] is False  # C1Q16 closes on this day
    assert answer_on(history, "2029-04-09")["monitoring_complete"] is True
    assert standing(history, "cbc_diff", "2029-04-09")["state"] == "overdue"
    done = {**history, "labs": all_labs("2029-01-31")}
    assert answer_on(done, "2029-01-31")["monitoring_complete"] is False
    assert answer_on(done, "2029-02-01")["monitoring_complete"] is True
    assert standing(done, "cbc_diff", "2029-02-01")["state"] == "complete"


def test_forms_and_exams_do_not_hold_up_the_end_of_monitoring() -> None:
    history = chart(COURSE_1, labs=all_labs("2029-01-31"), exams=exams("skin_exam", "2025-01-01"))
    assert standing(history, "skin_exam", "2029-03-01")["state"] == "overdue"
    assert answer_on(history, "2029-03-01")["monitoring_complete"] is True


def test_facts_dated_after_the_day_are_not_known() -> None:
    history = chart(
        ["2025-01-27", "2025-01-31"],
        labs=draws("cbc_diff", "2025-02-28"),
        exams=exams("skin_exam", "2025-02-28"),
        forms=[{"kind": "infusion_checklist", "course": 1, "submitted_on": "2025-02-28"}],
        monitoring_closed_on="2025-02-28",
    )
    on, before = answer_on(history, "2025-02-28"), answer_on(history, "2025-02-27")
    assert {row["requirement"]: row["last_done_on"] for row in before["standings"]} == dict.fromkeys(
        [row["requirement"] for row in before["standings"]]
    )
    assert {row["state"] for row in on["standings"]} == {"closed"}
    assert answer_on(history, "2025-01-30")["last_infusion_on"] == "2025-01-27"


def test_waivers_apply_before_they_begin() -> None:
    history = chart(COURSE_1, waivers=[waiver("cbc_diff", "2026-01-01", "2026-02-01")])
    assert slot(history, "cbc_diff", "C1M12", "2025-02-01")["status"] == "waived"


def test_the_last_histories_of_all_do_not_overflow() -> None:
    history = chart(["2199-12-31", "until 2199-12-31"], sex="female")
    found = answer_on(history, "2199-12-31")
    assert found["monitoring_ends_on"] == "2203-12-31"
    assert slot(history, "tsh", "C1Q16", "2199-12-31")["closes_on"] == "2204-03-09"
    assert slot(history, "infusion_checklist", "C1", "2199-12-31")["due_on"] == "2200-01-08"
    assert answer_on(chart(["1900-01-01"], sex="female"), "2199-12-31")["monitoring_complete"] is True
    long = chart(["1900-01-01", "until 2199-12-31"])
    assert (
        len([1 for item in answer_on(long, "1950-01-01")["obligations"] if item["requirement"] == "cbc_diff"]) == 3599
    )

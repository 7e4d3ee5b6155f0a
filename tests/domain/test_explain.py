"""The answer to "why is this red?"."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from clinic_tracker.domain.calendar import day_of
from clinic_tracker.domain.explain import Explanation, Reason, explain_obligation, explain_standing
from clinic_tracker.domain.facts import incomplete
from clinic_tracker.domain.requirement import Period, Unit
from clinic_tracker.domain.schedule import forecast
from clinic_tracker.domain.vocabulary import ObligationStatus
from tests.charts import chart, checklist, draws, exams, facts, status_forms, waiver

COURSE_1 = ["2025-01-27", "2025-01-31"]
MISSED = "Missed. Nothing that counts is on file from 18-Feb-2025 to 20-Mar-2025."


def why(history: dict[str, Any], requirement: str, slot: str, as_of: str) -> Explanation:
    read, protocol = facts(history)
    today = day_of(as_of)
    rows = forecast(read.known_on(today), protocol).obligations
    obligation = next(item for item in rows if (item.requirement, item.slot) == (requirement, slot))
    return explain_obligation(obligation, read, protocol, today)


def owed(history: dict[str, Any], requirement: str, as_of: str) -> Explanation | None:
    read, protocol = facts(history)
    today = day_of(as_of)
    row = next(item for item in forecast(read.known_on(today), protocol).standings if item.requirement == requirement)
    return explain_standing(row, read, protocol, today)


def uncounted(found: Explanation) -> list[tuple[str, Reason]]:
    return [(item.on.isoformat(), item.reason) for item in found.uncounted]


def test_the_rule_comes_with_its_source_and_grade() -> None:
    found = why(chart(COURSE_1), "cbc_diff", "C1M1", "2025-03-05")
    assert found.title == "CBC with differential"
    assert "every month" in found.rule
    assert (found.citation.grade, found.citation.section) == ("A", "R-70")
    assert found.settings == ("early_days_monthly",)
    form = why(chart(COURSE_1), "patient_status_form", "PSF1", "2025-03-05")
    assert form.citation.unconfirmed
    assert form.settings == ("psf_months", "early_days_psf")


def test_an_overdue_slot_tells_its_anchor_the_sum_and_the_window() -> None:
    found = why(chart(COURSE_1), "cbc_diff", "C1M3", "2025-05-10")
    assert (found.anchor, found.anchor_on) == ("Last infusion of course 1", date(2025, 1, 31))
    assert found.reckoning == (
        "Last infusion of course 1 on 31-Jan-2025 plus 3 months is 30-Apr-2025, "
        "the last day of a month without a day 31."
    )
    assert found.window == "A draw from 20-Apr-2025 to 20-May-2025 counts."
    assert (found.opens_on, found.due_on, found.closes_on) == (date(2025, 4, 20), date(2025, 4, 30), date(2025, 5, 20))
    assert (found.status, found.days_late) == (ObligationStatus.OVERDUE, 10)
    assert found.verdict == "10 days overdue. Nothing that counts is on file since 20-Apr-2025."


def test_verdicts_of_a_slot_through_its_life() -> None:
    history = chart(COURSE_1)
    verdicts = [
        why(history, "cbc_diff", "C1M1", day).verdict
        for day in ("2025-02-01", "2025-02-20", "2025-03-01", "2025-03-30")
    ]
    assert verdicts == [
        "Not yet due: it opens on 18-Feb-2025.",
        "Due by 28-Feb-2025. Nothing that counts is on file yet.",
        "1 day overdue. Nothing that counts is on file since 18-Feb-2025.",
        f"{MISSED} Owed for 30 days, until there is a new result, a waiver or the prescriber's sign-off.",
    ]


@pytest.mark.parametrize(
    "more",
    [{"labs": draws("cbc_diff", "2025-03-25")}, {"monitoring_closed_on": "2025-03-28"}],
    ids=["result", "closed"],
)
def test_a_missed_slot_that_was_settled_is_not_owed(more: dict[str, Any]) -> None:
    found = why(chart(COURSE_1, **more), "cbc_diff", "C1M1", "2025-03-30")
    assert found.verdict == MISSED


def test_a_slot_that_was_done_names_its_evidence() -> None:
    late = why(chart(COURSE_1, labs=draws("cbc_diff", "2025-03-05")), "cbc_diff", "C1M1", "2025-03-30")
    assert (late.verdict, late.done_on) == ("Done on 05-Mar-2025, 5 days after the due date.", date(2025, 3, 5))
    assert late.uncounted == ()
    early = why(chart(COURSE_1, labs=draws("cbc_diff", "2025-02-20")), "cbc_diff", "C1M1", "2025-03-30")
    assert early.verdict == "Done on 20-Feb-2025, on time."


def test_a_second_draw_in_a_window_is_not_a_question() -> None:
    history = chart(COURSE_1, labs=draws("cbc_diff", "2025-02-20", "2025-03-10"))
    assert why(history, "cbc_diff", "C1M1", "2025-03-30").uncounted == ()
    assert uncounted(why(history, "cbc_diff", "C1M2", "2025-04-30")) == [("2025-03-10", Reason.TOO_EARLY)]


def test_a_waived_slot_names_the_span() -> None:
    history = chart(
        COURSE_1,
        waivers=[
            waiver("tsh", "2025-01-01", "2025-12-31"),
            waiver("cbc_diff", "2024-01-01", "2024-02-01"),
            waiver("cbc_diff", "2025-02-01", "2025-03-15"),
        ],
    )
    assert why(history, "cbc_diff", "C1M1", "2025-03-30").verdict == (
        "Waived by the prescriber from 01-Feb-2025 to 15-Mar-2025."
    )


def test_draws_that_did_not_count_are_listed_with_the_reason() -> None:
    labs = [
        *draws("cbc_diff", "2025-02-10"),
        *draws("cbc_diff", "2025-02-20", status="preliminary"),
        *draws("cbc_diff", "2025-02-22", status="cancelled"),
        *draws("cbc_diff", "2025-02-24", status="entered_in_error"),
        *draws(incomplete("cbc_diff"), "2025-03-03"),
        *draws(incomplete("creatinine"), "2025-03-03"),
        *draws("creatinine", "2025-03-03"),
    ]
    found = why(chart(COURSE_1, labs=labs), "cbc_diff", "C1M1", "2025-03-10")
    assert uncounted(found) == [
        ("2025-02-10", Reason.TOO_EARLY),
        ("2025-02-20", Reason.PRELIMINARY),
        ("2025-02-22", Reason.CANCELLED),
        ("2025-02-24", Reason.ENTERED_IN_ERROR),
        ("2025-03-03", Reason.INCOMPLETE),
    ]
    assert [item.sentence for item in found.uncounted][::4] == [
        "CBC with differential of 10-Feb-2025 came before 18-Feb-2025, too early to count.",
        "CBC with differential of 03-Mar-2025 has no differential.",
    ]


@pytest.mark.parametrize("panel, words", [("urinalysis_cells", "has no cell counts"), ("creatinine", "is incomplete")])
def test_what_an_incomplete_report_lacks(panel: str, words: str) -> None:
    found = why(chart(COURSE_1, labs=draws(incomplete(panel), "2025-03-03")), panel, "C1M1", "2025-03-10")
    assert found.uncounted[0].sentence.endswith(f"of 03-Mar-2025 {words}.")


def test_a_draw_that_did_the_slot_before_or_came_after_the_window_is_told() -> None:
    history = chart(COURSE_1, labs=draws("cbc_diff", "2025-03-15", "2025-04-25"))
    found = why(history, "cbc_diff", "C1M2", "2025-05-01")
    assert uncounted(found) == [("2025-03-15", Reason.DOES_ANOTHER), ("2025-04-25", Reason.DOES_ANOTHER)]
    assert found.uncounted[0].sentence == "CBC with differential of 15-Mar-2025 counts for C1M1, due 28-Feb-2025."


def test_a_draw_after_the_last_window_came_too_late() -> None:
    history = chart(["2015-01-31"], labs=draws("cbc_diff", "2020-01-10"))
    found = why(history, "cbc_diff", "C1M48", "2020-02-01")
    assert uncounted(found) == [("2020-01-10", Reason.TOO_LATE)]
    assert found.uncounted[0].sentence == "CBC with differential of 10-Jan-2020 came after 17-Feb-2019, too late."


def test_a_checklist_counts_business_days_and_names_the_holidays() -> None:
    history = chart(["2025-11-03", "2025-11-07"], forms=[checklist(1, "2025-11-05"), checklist(2, "2025-11-06")])
    found = why(history, "infusion_checklist", "C1", "2025-11-20")
    assert found.reckoning == (
        "Last infusion of course 1 on 07-Nov-2025 plus 5 business days is 17-Nov-2025. Saturdays, Sundays and holidays "
        "(11-Nov-2025) do not count."
    )
    assert found.window == "A submission from 07-Nov-2025 on counts; it stays owed until then."
    assert [item.sentence for item in found.uncounted] == [
        "Submitted on 05-Nov-2025: before the last infusion of the course on 07-Nov-2025."
    ]
    plain = why(chart(["2025-12-01"]), "infusion_checklist", "C1", "2025-12-20")
    assert "holidays (none here)" in plain.reckoning


def test_a_deadline_in_plain_days_has_no_holidays() -> None:
    read, protocol = facts(chart(["2025-12-01"]))
    rules = [
        replace(item, first_due=Period(7, Unit.DAYS)) if item.code == "infusion_checklist" else item
        for item in protocol.requirements
    ]
    protocol = replace(protocol, requirements=tuple(rules))
    row = next(item for item in forecast(read, protocol).obligations if item.slot == "C1")
    found = explain_obligation(row, read, protocol, day_of("2025-12-20"))
    assert found.reckoning == "Last infusion of course 1 on 01-Dec-2025 plus 7 days is 08-Dec-2025."


def test_a_status_form_names_the_submissions_that_did_not_do_it() -> None:
    history = chart(["2024-08-31"], forms=status_forms("2025-02-20", "2025-07-01", "2025-07-15"))
    found = why(history, "patient_status_form", "PSF2", "2025-09-10")
    assert found.reckoning == "First infusion on 31-Aug-2024 plus 12 months is 31-Aug-2025."
    assert found.verdict == "10 days overdue. Nothing that counts is on file since 01-Aug-2025."
    assert uncounted(found) == [("2025-07-01", Reason.TOO_EARLY), ("2025-07-15", Reason.TOO_EARLY)]
    late = chart(["2024-08-31"], forms=status_forms("2025-03-20"))
    found = why(late, "patient_status_form", "PSF2", "2025-09-10")
    assert [item.sentence for item in found.uncounted] == [
        "Submitted on 20-Mar-2025: it counts for PSF1, due 28-Feb-2025."
    ]


@pytest.mark.parametrize(
    "examined, anchor, sentence",
    [
        ([], "First infusion", "None is on file up to the first infusion on 27-Jan-2025."),
        (
            ["2024-10-15"],
            "Last one before treatment",
            "Last one before treatment on 15-Oct-2024 plus 12 months is 15-Oct-2025.",
        ),
        (
            ["2022-10-15"],
            "Last one before treatment",
            "Last one before treatment on 15-Oct-2022 plus 12 months is 15-Oct-2023. "  # noqa: ISC004
            "It is not due before the first infusion on 27-Jan-2025.",
        ),
    ],
)
def test_the_first_examination(examined: list[str], anchor: str, sentence: str) -> None:
    found = why(chart(COURSE_1, exams=exams("skin_exam", *examined)), "skin_exam", "Y1", "2025-02-01")
    assert (found.anchor, found.reckoning) == (anchor, sentence)
    assert found.window.startswith("Any examination after the one before counts; it is listed as due from ")
    assert found.uncounted == ()


def test_a_later_examination_counts_from_the_one_before() -> None:
    found = why(chart(COURSE_1, exams=exams("skin_exam", "2025-02-10")), "skin_exam", "Y2", "2025-03-01")
    assert found.reckoning == "The one before on 10-Feb-2025 plus 12 months is 10-Feb-2026."


def test_an_examination_after_a_waived_one_counts_from_its_due_date() -> None:
    history = chart(COURSE_1, waivers=[waiver("skin_exam", "2025-01-01", "2025-02-01")])
    found = why(history, "skin_exam", "Y2", "2025-03-01")
    assert found.reckoning == "Due date of the waived one before on 27-Jan-2025 plus 12 months is 27-Jan-2026."


def test_an_examination_moved_out_of_a_gap_in_monitoring_says_so() -> None:
    history = chart(["2020-01-06"], ["2026-01-12"], exams=exams("skin_exam", "2020-02-03", "2023-09-04"))
    found = why(history, "skin_exam", "Y3", "2026-02-01")
    assert found.reckoning == (
        "The one before on 04-Sep-2023 plus 12 months is 04-Sep-2024. No monitoring was owed then, so it moves to the "
        "first infusion of the next course, 12-Jan-2026."
    )


def test_what_is_owed_first_is_explained() -> None:
    found = owed(chart(COURSE_1), "cbc_diff", "2025-06-20")
    assert found is not None
    assert found.slot == "C1M1"
    assert owed(chart(COURSE_1, monitoring_closed_on="2025-06-01"), "cbc_diff", "2025-06-20") is None


def test_what_was_not_owed_on_the_day_is_not_explained() -> None:
    read, protocol = facts(chart(COURSE_1, ["2026-02-10"]))
    row = next(item for item in forecast(read, protocol).standings if item.requirement == "infusion_checklist")
    assert explain_standing(row._replace(next_due=row.next_due and row.next_due + 1), read, protocol, 739300) is None


def test_facts_of_later_days_are_not_told() -> None:
    labs = draws("cbc_diff", "2025-03-01", status="preliminary")
    assert why(chart(COURSE_1, labs=labs), "cbc_diff", "C1M1", "2025-02-28").uncounted == ()

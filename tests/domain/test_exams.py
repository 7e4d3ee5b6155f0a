"""Skin examinations and HPV screening roll from the one before."""

import pytest

from tests.charts import answer_on, chart, exams, slots, standing, waiver

COURSE_1 = ["2024-03-04", "2024-03-08"]


def due_and_done(history: dict, as_of: str = "2026-12-01", kind: str = "skin_exam") -> list[tuple]:
    return [(item["slot"], item["due_on"], item["done_on"]) for item in slots(history, kind, as_of)]


def test_the_first_is_due_a_year_after_the_last_before_treatment() -> None:
    history = chart(COURSE_1, exams=exams("skin_exam", "2023-01-10", "2023-10-15"))
    assert due_and_done(history) == [("Y1", "2024-10-15", None)]


def test_the_first_is_not_due_before_the_first_infusion() -> None:
    history = chart(COURSE_1, exams=exams("skin_exam", "2022-01-10"))
    assert due_and_done(history) == [("Y1", "2024-03-04", None)]


def test_without_any_the_first_is_due_on_the_first_infusion() -> None:
    assert due_and_done(chart(COURSE_1)) == [("Y1", "2024-03-04", None)]


def test_one_on_the_day_of_the_first_infusion_was_before_treatment() -> None:
    history = chart(COURSE_1, exams=exams("skin_exam", "2024-03-04"))
    assert due_and_done(history) == [("Y1", "2025-03-04", None)]


def test_any_later_exam_does_the_open_one_and_the_next_rolls_from_it() -> None:
    history = chart(COURSE_1, exams=exams("skin_exam", "2023-10-15", "2024-04-01", "2026-06-01", "2026-06-01"))
    assert due_and_done(history) == [
        ("Y1", "2024-10-15", "2024-04-01"),  # half a year early
        ("Y2", "2025-04-01", "2026-06-01"),  # more than a year late
        ("Y3", "2027-06-01", None),
    ]


def test_it_opens_60_days_before_and_never_closes() -> None:
    item = slots(chart(COURSE_1, exams=exams("skin_exam", "2023-10-15")), "skin_exam", "2025-10-15")[0]
    assert (item["opens_on"], item["closes_on"], item["status"]) == ("2024-08-16", None, "overdue")
    assert item["days_late"] == 365


def test_none_is_due_after_the_end_of_monitoring() -> None:
    dates = ["2023-06-01", "2024-06-01", "2025-06-01", "2026-06-01", "2027-06-01"]
    history = chart(COURSE_1, exams=exams("skin_exam", *dates))
    assert due_and_done(history, "2029-01-01")[-1] == ("Y4", "2027-06-01", "2027-06-01")
    assert standing(history, "skin_exam", "2029-01-01")["state"] == "complete"


def test_a_waived_exam_counts_as_done_on_its_due_date() -> None:
    history = chart(
        COURSE_1, exams=exams("skin_exam", "2023-10-15"), waivers=[waiver("skin_exam", "2024-10-01", "2024-10-31")]
    )
    assert due_and_done(history) == [("Y1", "2024-10-15", None), ("Y2", "2025-10-15", None)]
    assert [item["status"] for item in slots(history, "skin_exam", "2025-01-01")] == ["waived", "upcoming"]


@pytest.mark.parametrize(
    "examined, expected",
    [
        ("2024-05-01", [("Y1", "2024-10-15", "2024-05-01"), ("Y2", "2025-05-01", None)]),
        ("2025-08-15", [("Y1", "2024-10-15", "2025-08-15"), ("Y2", "2026-08-15", None)]),  # 61 days before the next
        ("2025-08-16", [("Y1", "2024-10-15", None), ("Y2", "2025-10-15", "2025-08-16"), ("Y3", "2026-08-16", None)]),
    ],
)
def test_until_the_next_opens_an_exam_still_does_the_waived_one(examined: str, expected: list[tuple]) -> None:
    history = chart(
        COURSE_1,
        exams=exams("skin_exam", "2023-10-15", examined),
        waivers=[waiver("skin_exam", "2024-10-15", "2024-10-15")],
    )
    assert due_and_done(history) == expected


def test_waived_for_ever_is_waived_to_the_end() -> None:
    history = chart(COURSE_1, waivers=[waiver("skin_exam", "2024-01-01", "2040-01-01")])
    assert [item["status"] for item in slots(history, "skin_exam", "2024-06-01")] == ["waived"] * 5


def test_a_due_date_in_a_gap_in_monitoring_moves_to_the_next_course() -> None:
    # Monitoring of course 1 ends on 8 March 2028; course 2 starts on 1 June 2029.
    history = chart(COURSE_1, ["2029-06-01"], exams=exams("skin_exam", "2027-09-01"))
    assert due_and_done(history, "2029-07-01")[-2:] == [("Y1", "2024-03-04", "2027-09-01"), ("Y2", "2029-06-01", None)]


def test_the_waived_exam_is_reckoned_before_the_gap() -> None:
    # The second is waived on 1 December 2013; a year later, in the gap, would be the third. An exam on that very day is
    # not more than 60 days before it, so it does the third, which has moved to the first infusion of course 2.
    history = chart(
        ["2010-01-01"],
        ["2015-06-01"],
        exams=exams("skin_exam", "2012-12-01", "2014-12-01"),
        waivers=[waiver("skin_exam", "2013-12-01", "2013-12-01")],
    )
    assert due_and_done(history, "2015-07-01") == [
        ("Y1", "2010-01-01", "2012-12-01"),
        ("Y2", "2013-12-01", None),
        ("Y3", "2015-06-01", "2014-12-01"),
        ("Y4", "2015-12-01", None),
    ]


def test_exams_of_equal_due_date_are_in_the_order_of_their_names() -> None:
    # Two examinations in the gap: both successors move to the first infusion of course 2.
    history = chart(COURSE_1, ["2031-06-01"], exams=exams("skin_exam", "2028-04-01", "2029-04-01", "2030-04-01"))
    names = [(item["slot"], item["due_on"]) for item in slots(history, "skin_exam", "2031-07-01")]
    assert names == [("Y1", "2024-03-04"), ("Y2", "2031-06-01"), ("Y3", "2031-06-01"), ("Y4", "2031-06-01")]


def test_hpv_screening_is_for_patients_with_a_cervix() -> None:
    def has_row(**patient: object) -> bool:
        history = chart(COURSE_1) | {"patient": patient}
        return "hpv_screen" in {row["requirement"] for row in answer_on(history, "2024-06-01")["standings"]}

    assert has_row(sex_at_birth="female")
    assert has_row(sex_at_birth="male", has_cervix=True)
    assert has_row(has_cervix=True)
    assert not has_row(sex_at_birth="female", has_cervix=False)
    assert not has_row(sex_at_birth="unknown", has_cervix=None)
    assert not has_row()

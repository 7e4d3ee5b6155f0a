"""Exams in the review inbox, on a page of their own, on Today and on the chart."""

from collections.abc import Callable
from datetime import date

import pytest

from clinic_tracker.domain.vocabulary import ExamKind
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import Exam
from clinic_tracker.queries.scope import Scope
from tests.factories import Chart, register
from tests.fixtures.pages import Page
from tests.fixtures.people import Cast
from tests.inbound import add_source, exam_line, message, report, send
from tests.reviewed import WHY, answers, exams, tasks

DAY = date(2026, 1, 12)
RULE = "hiv_test_positive"
WORDS = "HIV test of 12-Jan-2026: positive"


@pytest.fixture
def chart(cast: Cast, scope_for: Callable[..., Scope]) -> Chart:
    """A patient of whom the laboratory sent a positive HIV test and a negative one of hepatitis C."""
    chart = register(scope_for(cast.staff)).enroll(cast.prescriber, date(2025, 11, 20))
    lines = [exam_line("hiv_test", "Reactive"), exam_line("hepatitis_c", "Non-Reactive")]
    send(chart.scope, add_source(chart.scope), message(chart.row, *(report(line) for line in lines)))
    return chart


@pytest.fixture
def doctor(page: Page, cast: Cast) -> Page:
    return page.sign_in(cast.neurologist)


def place(chart: Chart, exam: Exam | None = None) -> str:
    return f"{chart.url}/exams/{(exam or exams()[0]).public_id}"


def answer(page: Page, chart: Chart, status: int = 303, **values: str):
    url = place(chart)
    return page.submit(url, status, action=f"{url}/review", **values)


def test_the_inbox_shows_exams_by_the_same_order_with_a_way_to_answer(doctor: Page, chart: Chart) -> None:
    chart.results(DAY, "cbc_diff", platelets="140")
    seen = doctor.get("/results")
    assert seen.words.index(WORDS) < seen.words.index("Platelets 140") < seen.words.index("Hepatitis C screen")
    assert "No infusion: HIV infection is a contraindication." in seen.words
    assert any(text.startswith("Answer") and href == place(chart) for text, href in seen.links().items())
    assert len(seen.all("input", name="report")) == 1, "the normal one is ticked"


def test_the_inbox_is_narrowed_to_exams(doctor: Page, chart: Chart) -> None:
    chart.results(DAY, "tsh")
    narrowed = doctor.get("/results?panel=exams")
    assert WORDS in narrowed.words
    assert not [row for row in narrowed.rows() if "Thyroid function" in " ".join(row)]
    assert WORDS not in doctor.get("/results?panel=tsh").words


def test_normal_exams_are_signed_many_at_a_time_with_results(doctor: Page, chart: Chart) -> None:
    chart.results(DAY, "tsh")
    boxes = [box.get("value", "") for box in doctor.get("/results").all("input", name="report")]
    assert len(boxes) == 2
    doctor.post("/results/review", {"report": boxes, "note": "Seen"})
    assert "2 results reviewed." in doctor.follow().words
    assert [(row.kind, row.review_note) for row in exams() if row.reviewed_at] == [("hepatitis_c", "Seen")]


def test_a_repeat_of_an_exam_is_ordered_and_signed_off_in_one_go(doctor: Page, chart: Chart) -> None:
    answer(doctor, chart, sign="1", **{f"{RULE}_action": "repeat_ordered", f"{RULE}_due_on": "01/24/2026"})
    seen = doctor.follow().words
    assert "Exam reviewed." in seen
    assert "Repeat ordered" in seen
    assert "Repeat HIV test, by 24-Jan-2026" in seen
    assert "because of the exam of 12-Jan-2026" in doctor.get("/tasks").words
    assert place(chart) in doctor.get("/tasks").links().values()
    chart.exam(ExamKind.HIV_TEST, date(2026, 1, 20), "negative")
    told = doctor.get(f"{chart.url}/tasks").words
    assert "Answered by the exam of 20-Jan-2026" in told


def test_an_answer_may_be_recorded_before_the_sign_off(doctor: Page, chart: Chart) -> None:
    answer(doctor, chart, sign="0", **{f"{RULE}_action": "patient_called"})
    assert "The exam waits for your sign-off." in doctor.follow().words
    assert "answered" in doctor.get("/results").words


@pytest.mark.parametrize(
    "values, error",
    [
        ({}, f"Say first what was done about: {WORDS}."),
        ({f"{RULE}_action": "no_action"}, "Say why nothing is to be done."),
        ({f"{RULE}_action": "repeat_ordered"}, "Give the day by which it is to be repeated."),
    ],
)
def test_what_is_missing_is_said_where_it_belongs(
    doctor: Page, chart: Chart, values: dict[str, str], error: str
) -> None:
    assert answer(doctor, chart, 400, sign="1", note="Seen", **values).errors == [error]
    assert doctor.last is not None
    assert doctor.last.fields(f"{place(chart)}/review")["note"] == "Seen"
    assert exams()[0].reviewed_at is None


def test_an_answer_and_a_sign_off_are_taken_back(doctor: Page, chart: Chart) -> None:
    answer(doctor, chart, sign="1", **{f"{RULE}_action": "no_action", f"{RULE}_words": WHY})
    url = f"{place(chart)}/undo-review"
    assert doctor.submit(url, 400, reason="").errors == ["Give the reason"]
    doctor.submit(url, reason="Too early")
    assert "Review taken back. The exam waits for review." in doctor.follow().words
    withdraw = f"{place(chart)}/answers/{answers()[0].public_id}/withdraw"
    doctor.submit(withdraw, reason="Another patient")
    assert "Taken back." in doctor.follow().words
    assert answers()[0].state == "entered_in_error"
    doctor.get(withdraw, status=404)


def test_the_page_tells_where_an_exam_came_from_and_undoes_the_match(page: Page, cast: Cast, chart: Chart) -> None:
    staff = page.sign_in(cast.staff)
    seen = staff.get(place(chart))
    assert "The message that it came with, from City Lab" in seen.words
    assert "Waits for review by a neurologist." in seen.words
    undo = seen.links()["Not this patient’s: undo the match"]
    staff.submit(undo, reason="Wrong person")
    after = staff.get(place(chart))
    assert "This exam was entered in error" in after.words
    assert "Waits for a neurologist" not in after.words
    assert "Not this patient’s: undo the match" not in after.links()


def test_a_normal_exam_that_a_person_entered_asks_for_no_review(doctor: Page, chart: Chart) -> None:
    chart.exam(ExamKind.TB_SCREEN, DAY, "negative", note="Read by phone")
    seen = doctor.get(place(chart, exams()[-1])).words
    assert "whoever entered it has read it" in seen
    assert "Read by phone" in seen
    assert "Mark as reviewed" not in seen


def test_a_corrected_exam_leads_to_its_correction(page: Page, cast: Cast, chart: Chart) -> None:
    staff = page.sign_in(cast.staff)
    staff.submit(f"{place(chart)}/correct", outcome="indeterminate", reason="Read again")
    old, new = exams(kind="hiv_test")
    assert staff.get(place(chart, old)).links()["See the correction"] == place(chart, new)
    assert "Correction" in staff.get(place(chart, new)).words


def test_today_counts_exams_and_lists_the_red_ones(doctor: Page, chart: Chart) -> None:
    seen = doctor.get("/today")
    assert "1 red, 0 amber" in seen.words
    assert seen.links()[WORDS] == place(chart)


def test_the_chart_says_that_a_red_exam_was_not_reviewed(page: Page, cast: Cast, chart: Chart) -> None:
    staff = page.sign_in(cast.staff)
    assert "HIV test of 12-Jan-2026: red, and not reviewed." in staff.get(chart.url).words
    tab = staff.get(f"{chart.url}/exams")
    assert tab.words.count("to review") == 2
    assert place(chart) in tab.links().values()


def test_an_exam_of_another_patient_or_clinic_is_not_found(
    page: Page, cast: Cast, chart: Chart, scope_for: Callable[..., Scope]
) -> None:
    other = register(scope_for(cast.staff))
    page.sign_in(cast.staff).get(f"{other.url}/exams/{exams()[0].public_id}", status=404)
    page.sign_in(cast.stranger_neurologist).get(place(chart), status=404)


def test_who_may_not_review_has_no_button(page: Page, cast: Cast, chart: Chart) -> None:
    nurse = page.sign_in(cast.staff)
    assert not nurse.get(place(chart)).all("input", name=f"{RULE}_action")
    nurse.post(f"{place(chart)}/review", {"sign": "1"}, status=403)


def test_a_task_is_changed_to_wait_for_an_exam(page: Page, cast: Cast, chart: Chart) -> None:
    doctor = page.sign_in(cast.neurologist)
    answer(
        doctor, chart, sign="1", **{f"{RULE}_action": "referral", f"{RULE}_words": "ID", f"{RULE}_due_on": "01/24/2026"}
    )
    task = tasks()[0]
    doctor.submit(f"{chart.url}/tasks/{task.public_id}/correct", panel="hiv_test", reason="Repeat it, too")
    assert tasks()[-1].exam_kind == "hiv_test"
    assert db.session.query(Exam).count() == 2


def test_only_an_exam_without_a_finding_covers_a_course(page: Page, cast: Cast, chart: Chart) -> None:
    staff = page.sign_in(cast.staff)
    assert "covers a first course" not in staff.get(f"{chart.url}/exams").words
    chart.exam(ExamKind.TB_SCREEN, DAY, "negative")
    assert "covers a first course until 12-Jan-2027" in staff.get(f"{chart.url}/exams").words

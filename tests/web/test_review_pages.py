"""The review as pages: answering a finding, tasks, cover, criteria, thresholds."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from clinic_tracker.domain.messages import LOINC, Coded, Observed
from clinic_tracker.domain.vocabulary import Panel
from clinic_tracker.models.access import User
from clinic_tracker.models.audit import AccessEvent, AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.auto_review import begin_auto_review
from tests.factories import Chart, register
from tests.fixtures.clock import Clock
from tests.fixtures.pages import Page
from tests.fixtures.people import Cast, add_person
from tests.inbound import add_source, message, report, send
from tests.reviewed import answers, printed, reports, tasks

DRAWN = date(2026, 1, 12)
RULE = "platelets_reduced"


@pytest.fixture
def chart(cast: Cast, scope_for: Callable[..., Scope]) -> Chart:
    chart = register(scope_for(cast.staff)).enroll(cast.prescriber, date(2025, 11, 20))
    return chart.results(DRAWN, Panel.CBC_DIFF, platelets="140")


@pytest.fixture
def doctor(page: Page, cast: Cast) -> Page:
    return page.sign_in(cast.neurologist)


def result_of(chart: Chart) -> str:
    return f"{chart.url}/results/{reports()[0].public_id}"


def answer(page: Page, chart: Chart, status: int = 303, **values: str):
    url = result_of(chart)
    return page.submit(url, status, action=f"{url}/review", **values)


def repeat(page: Page, chart: Chart, day: str = "01/24/2026") -> None:
    values = {f"{RULE}_action": "repeat_ordered", f"{RULE}_due_on": day, f"{RULE}_panel": "cbc_diff"}
    answer(page, chart, sign="1", **values)


def test_a_result_with_a_finding_has_no_box_to_tick_but_a_way_to_answer_it(doctor: Page, chart: Chart) -> None:
    chart.results(DRAWN, Panel.TSH)
    seen = doctor.get("/results")
    assert len(seen.all("input", name="report")) == 1
    assert "Amber" in seen.words
    assert "Without a finding" in seen.words
    assert any(text.startswith("Answer") and href == result_of(chart) for text, href in seen.links().items())


def test_a_repeat_is_ordered_and_the_result_signed_off_in_one_go(doctor: Page, chart: Chart) -> None:
    repeat(doctor, chart)
    seen = doctor.follow().words
    assert "Result reviewed." in seen
    assert "Repeat ordered" in seen
    assert "Repeat CBC with differential, by 24-Jan-2026" in seen
    assert "review by" not in seen


def test_an_answer_may_be_recorded_before_the_sign_off(doctor: Page, chart: Chart) -> None:
    answer(doctor, chart, sign="0", **{f"{RULE}_action": "patient_called"})
    assert "The result waits for your sign-off." in doctor.follow().words
    assert "answered" in doctor.get("/results").words
    assert len(doctor.get("/results").all("input", name="report")) == 1


@pytest.mark.parametrize(
    "values, error",
    [
        ({}, "Say first what was done about: Platelets 140 K/uL: below 150."),
        ({f"{RULE}_action": "no_action"}, "Say why nothing is to be done."),
        ({f"{RULE}_action": "repeat_ordered"}, "Give the day by which it is to be repeated."),
    ],
)
def test_what_is_missing_is_said_where_it_belongs(
    doctor: Page, chart: Chart, values: dict[str, str], error: str
) -> None:
    assert answer(doctor, chart, 400, sign="1", note="Seen", **values).errors == [error]
    assert doctor.last is not None
    assert doctor.last.fields(f"{result_of(chart)}/review")["note"] == "Seen"
    assert reports()[0].reviewed_at is None


def test_a_result_that_changed_meanwhile_is_shown_again_and_can_be_answered_then(doctor: Page, chart: Chart) -> None:
    url = result_of(chart)
    fields = doctor.get(url).fields(f"{url}/review")
    chart.results(date(2026, 1, 5), Panel.CBC_DIFF, platelets="300")
    sent = {**fields, f"{RULE}_action": "patient_called", "sign": "1"}
    refused = doctor.post(f"{url}/review", sent, status=400)
    assert "changed since the page was opened" in refused.errors[0]
    assert "fell by 50% or more (previous 300 on 05-Jan-2026)" in refused.words
    again = refused.fields(f"{url}/review")
    doctor.post(f"{url}/review", {**again, "platelets_halved_action": "patient_called", "sign": "1"})
    assert reports()[0].reviewed_at is not None


def test_normals_that_changed_since_they_were_shown_are_not_signed(doctor: Page, chart: Chart) -> None:
    chart.results(DRAWN, Panel.CREATININE, Panel.TSH)
    boxes = [box.get("value", "") for box in doctor.get("/results").all("input", name="report")]
    chart.results(date(2026, 1, 5), Panel.CREATININE, creatinine="0.4")
    doctor.post("/results/review", {"report": boxes})
    told = doctor.follow().words
    assert "1 result reviewed." in told
    assert "1 result changed since the page was opened and not signed off: look at it again." in told
    doctor.post("/results/review", {"report": [box.partition(".")[0] for box in boxes[:1]]})
    assert "1 result reviewed." not in doctor.follow().words, "what was not shown is not signed"


def test_an_answer_is_taken_back_with_a_reason(doctor: Page, chart: Chart) -> None:
    repeat(doctor, chart)
    address = f"{result_of(chart)}/answers/{answers()[0].public_id}/withdraw"
    assert doctor.submit(address, 400, reason="").errors == ["Give the reason"]
    doctor.submit(address, reason="Another patient")
    assert "waits for review" in doctor.follow().words
    assert tasks()[0].state == "entered_in_error"
    doctor.get(address, status=404)


def test_a_red_result_that_nobody_saw_is_on_todays_page_of_those_who_can_chase_it(
    page: Page, cast: Cast, chart: Chart, clock: Clock
) -> None:
    chart.results(date(2026, 1, 13), Panel.CBC_DIFF, platelets="48")
    for person in (cast.neurologist, cast.staff):
        assert "Red, not seen in time" not in page.sign_in(person).get("/today").words
    clock.forward(days=1)
    for person in (cast.neurologist, cast.staff, cast.administrator):
        seen = page.sign_in(person).get("/today")
        href = next(href for text, href in seen.links().items() if text.startswith("Red, not seen in time"))
        listed = page.get(href)
        assert "review was due 22-Jan-2026" in listed.words
        assert len(listed.all("a", class_="queue__title")) == 1
    assert "Every red result was seen on its day" in page.sign_in(cast.stranger).get("/results?late=1").words


def test_tasks_are_listed_filtered_exported_and_closed(page: Page, cast: Cast, chart: Chart, clock: Clock) -> None:
    repeat(page.sign_in(cast.neurologist), chart)
    staff = page.sign_in(cast.staff)
    assert "Repeat CBC with differential" in staff.get("/tasks").words
    assert db.session.query(AccessEvent).filter_by(endpoint="tasks.index").one().patient_ids == [chart.row.id]
    assert "No task of that kind is open" in staff.get("/tasks?view=overdue").words
    assert "No task of that kind is open" in staff.get("/tasks?mine=1").words
    clock.forward(days=4)
    staff.sign_in(cast.staff)
    assert "overdue" in staff.get("/tasks?view=overdue").words
    assert "1 overdue" in staff.get("/today").words
    exported = staff.get("/tasks/export.csv?view=overdue")
    assert exported.text.count("\r\n") == 2
    assert "Repeat CBC with differential" in exported.text
    assert db.session.query(AuditEvent).filter_by(action="data.exported").one().after["export"] == "tasks"
    assert "Repeat CBC with differential" in staff.get(chart.url).words
    address = f"{chart.url}/tasks/{tasks()[0].public_id}"
    assert staff.submit(f"{address}/close", 400, reason="").errors == ["Give the reason"]
    staff.submit(f"{address}/close", reason="Drawn elsewhere")
    assert "Drawn elsewhere" in staff.follow().words
    assert staff.submit(f"{address}/close", 400, reason="Again").errors[0].startswith("This task was done by you")
    staff.submit(f"{address}/reopen", reason="Not so")
    assert "No task is open" not in staff.get("/tasks").words


def test_a_task_is_changed_and_taken_back(page: Page, cast: Cast, chart: Chart) -> None:
    repeat(page.sign_in(cast.neurologist), chart)
    staff = page.sign_in(cast.staff)
    address = f"{chart.url}/tasks/{tasks()[0].public_id}"
    assert staff.submit(f"{address}/correct", 400, due_on="", reason="x").errors == ["Enter the day"]
    staff.submit(f"{address}/correct", due_on="02/03/2026", reason="Patient travels")
    assert "03-Feb-2026" in staff.follow().words
    new = f"{chart.url}/tasks/{tasks()[1].public_id}"
    staff.submit(f"{new}/withdraw", reason="Wrong patient")
    seen = staff.follow().words
    assert "corrected" in seen
    assert "entered in error" in seen
    assert "No task is open" in staff.get("/tasks").words


def test_a_chart_without_tasks_says_so(doctor: Page, chart: Chart) -> None:
    assert "No follow-up task" in doctor.get(f"{chart.url}/tasks").words


def test_cover_is_arranged_shown_and_withdrawn(page: Page, cast: Cast, chart: Chart, clock: Clock) -> None:
    add_person(clock, cast.northside, "Vera Lund", cast.neurologist.role)
    db.session.commit()
    by = str(db.session.query(User).filter_by(name="Vera Lund").one().public_id)
    doctor = page.sign_in(cast.neurologist)
    assert "No cover was arranged" in doctor.get("/results/cover").words
    refused = doctor.submit("/results/cover/new", 400, covered_by=by)
    assert "Choose the prescriber" in refused.errors
    values = {"prescriber": str(cast.prescriber.public_id), "covered_by": by}
    doctor.submit("/results/cover/new", **values, from_on="01/22/2026", to_on="01/30/2026")
    seen = doctor.follow()
    assert "in force" in seen.words
    assert "covered by Vera Lund" in page.sign_in(cast.staff).get("/results").words
    doctor = page.sign_in(cast.neurologist)
    action = next(
        form.get("action", "")
        for form in doctor.get("/results/cover").all("form")
        if "withdraw" in form.get("action", "")
    )
    doctor.post(action)
    assert "withdrawn" in doctor.follow().words
    assert "administrators for everybody" not in page.sign_in(cast.staff).get("/results/cover").words


def test_criteria_for_normal_results_are_written_and_ended(
    page: Page, cast: Cast, chart: Chart, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clinic_tracker.services.auto_review.is_in_sample", lambda *_: False)
    administrator = page.sign_in(cast.administrator)
    assert "Every result waits for review by a person." in administrator.get("/results/automatic-review").words
    assert administrator.submit("/results/automatic-review/criteria", 400, criteria="Normal").errors
    words = "Complete final results without a finding, decided on 5 January."
    administrator.submit("/results/automatic-review/criteria", criteria=words, sample_percent="5")
    assert words in administrator.follow().words
    report = printed(chart, DRAWN, Panel.CREATININE)
    address = f"{chart.url}/results/{report.public_id}"
    assert "closed automatically" in page.sign_in(cast.staff).get(address).words
    assert "closed automatically" in page.get(f"{chart.url}/results").words
    doctor = page.sign_in(cast.neurologist)
    doctor.submit(f"{address}/undo-review", reason="I want to see it")
    assert reports(public_id=report.public_id)[0].reviewed_at is None
    doctor.post("/results/automatic-review/end")
    assert "Criteria before" in doctor.follow().words
    assert "No criteria are in force" in doctor.post("/results/automatic-review/end", status=400).words


def test_a_sample_is_marked(doctor: Page, chart: Chart, scope_for: Callable[..., Scope], cast: Cast) -> None:
    begin_auto_review(scope_for(cast.neurologist), criteria="Normal results, decided on 5 January.", sample_percent=100)
    report = printed(chart, DRAWN, Panel.CREATININE)
    assert "sample" in doctor.get("/results").words
    assert "sample of normal results" in doctor.get(f"{chart.url}/results/{report.public_id}").words


def test_thresholds_are_shown_with_their_sources_and_changed_by_the_administrator(
    page: Page, cast: Cast, chart: Chart
) -> None:
    seen = page.sign_in(cast.neurologist).get("/admin/thresholds").words
    for words in (
        "below 100: may be immune thrombocytopenia",
        "Belgian consensus",
        "Fever is no result",
        "Low lymphocytes",
    ):
        assert words in seen
    page.get("/admin/thresholds/platelets_low", status=403)
    administrator = page.sign_in(cast.administrator)
    assert administrator.submit("/admin/thresholds/platelets_low", 400, value="99", reason="x").errors == [
        "The value must be between 100 and 150."
    ]
    administrator.submit(
        "/admin/thresholds/platelets_reduced", value="130", effective_from="01/05/2026", reason="Agreed"
    )
    seen = administrator.follow().words
    assert "The findings of 1 result changed with it." in seen
    assert "was 150" in seen
    assert reports()[0].findings[0]["rule"] == "outside_range"
    assert (
        "130 for specimens collected from 05-Jan-2026: Agreed"
        in administrator.get("/admin/thresholds/platelets_reduced").words
    )
    administrator.get("/admin/thresholds/kidney_with_blood", status=404)
    administrator.get("/admin/thresholds/nonsense", status=404)


def test_the_inbox_is_paged_and_every_page_can_be_signed(doctor: Page, chart: Chart) -> None:
    for days in range(52):
        chart.results(DRAWN - timedelta(days=days + 1), Panel.TSH)
    first = doctor.get("/results?level=normal")
    boxes = [box.get("value", "") for box in first.all("input", name="report")]
    assert len(boxes) == 50
    doctor.post("/results/review?level=normal", {"report": boxes})
    assert len(doctor.get("/results?level=normal").all("input", name="report")) == 2


def test_a_whole_panel_is_drawn_over_the_same_time_with_its_values(doctor: Page, chart: Chart) -> None:
    chart.results(date(2025, 11, 25), Panel.CBC_DIFF, platelets="")
    seen = doctor.get(f"{chart.url}/results/trends?panel=cbc_diff")
    drawn = {svg.get("aria-label", "").partition(":")[0] for svg in seen.all(class_="chart")}
    assert drawn == {"Platelets", "White cells", "Neutrophils", "Lymphocytes", "Hemoglobin"}
    assert "Platelets 140 K/uL: below 150" in seen.words
    assert all(table.get("open") is not None for table in seen.all("details", class_="trend__table"))
    assert "No values of that panel" in doctor.get(f"{chart.url}/results/trends?panel=cd4").words
    assert "Watched most" in doctor.get(f"{chart.url}/results/trends?panel=nonsense").words


def test_what_a_laboratory_sent_beside_a_result_is_shown_and_marked_in_the_inbox(doctor: Page, chart: Chart) -> None:
    potassium = Observed((Coded("2823-3", LOINC, "Potassium"),), "7.2", "mmol/L", low="3.5", high="5.1", flag="HH")
    sodium = Observed((Coded("2951-2", LOINC, "Sodium"),), "140", "mmol/L")
    send(chart.scope, add_source(chart.scope), message(chart.row, report("creatinine", sodium, potassium)))
    assert "1 other test out of range or flagged" in doctor.get("/results").words
    seen = doctor.get(f"{chart.url}/results/{reports(panel='creatinine')[0].public_id}")
    assert "Also sent: 2 other tests" in seen.words
    assert "1 is out of range or flagged by the laboratory." in seen.words
    assert seen.rows(1) == [
        ["Potassium", "7.2 mmol/L", "3.5 to 5.1", "HH"],
        ["Sodium", "140 mmol/L", "none printed", ""],
    ]
    assert "Also sent" not in doctor.get(result_of(chart)).words

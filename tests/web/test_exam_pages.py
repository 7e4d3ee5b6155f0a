"""Exams, screenings and vaccinations, page by page."""

from collections.abc import Callable
from datetime import date

import pytest

from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import Exam, Vaccination
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.exams import record_vaccination
from clinic_tracker.services.vaccinations import VaccinationEntry
from tests.factories import Chart, register
from tests.fixtures.pages import Page
from tests.fixtures.people import Cast


@pytest.fixture
def staff(cast: Cast, scope_for: Callable[..., Scope]) -> Scope:
    return scope_for(cast.staff)


@pytest.fixture
def chart(staff: Scope) -> Chart:
    return register(staff, birth_date=date(1980, 5, 5))


@pytest.fixture
def treated(staff: Scope, cast: Cast) -> Chart:
    return register(staff).enroll(cast.prescriber, date(2024, 12, 1)).infuse(date(2025, 1, 6))


def recorded() -> list[tuple[str, date, str]]:
    rows = db.session.query(Exam).filter_by(state="recorded").order_by(Exam.id)
    return [(row.kind, row.performed_on, row.outcome) for row in rows]


def row_of(answer, table: int, title: str) -> list[str]:
    return next(row for row in answer.rows(table) if any(cell.startswith(title) for cell in row[:2]))


def test_nothing_on_record_says_what_to_do(page: Page, cast: Cast, chart: Chart):
    answer = page.sign_in(cast.staff).get(f"{chart.url}/exams")
    assert "None on record" in row_of(answer, 0, "TB screen")[1]
    assert "No vaccination on record" in answer.words
    assert answer.links()["Record exams"] == f"{chart.url}/exams/new"


def test_many_are_entered_in_one_go_with_one_date(page: Page, cast: Cast, chart: Chart):
    page.sign_in(cast.staff).submit(
        f"{chart.url}/exams/new",
        **{
            "all_on": "12-Jan-2026",
            "skin_exam-outcome": "normal",
            "skin_exam-by": "Dr. Kim",
            "tb_screen-outcome": "negative",
            "tb_screen-performed_on": "05-Jan-2026",
            "dose_2-vaccine": "pneumococcal",
        },
    )
    assert recorded() == [
        ("skin_exam", date(2026, 1, 12), "normal"),
        ("tb_screen", date(2026, 1, 5), "negative"),
    ]
    assert db.session.query(Vaccination).one().given_on == date(2026, 1, 12)
    shown = page.follow()
    assert "3 entries recorded." in shown.words
    assert "Dr. Kim" in row_of(shown, 2, "Skin exam")[3]


def test_the_same_form_sent_twice_records_once(page: Page, cast: Cast, chart: Chart):
    page.sign_in(cast.staff)
    fields = page.get(f"{chart.url}/exams/new").fields()
    sent = {**fields, "ecg-outcome": "normal", "ecg-performed_on": "today"}
    page.post(f"{chart.url}/exams/new", sent)
    page.post(f"{chart.url}/exams/new", sent)
    assert len(recorded()) == 1


@pytest.mark.parametrize(
    "changes,errors",
    [
        ({}, ["Enter at least one exam, screening or vaccination."]),
        ({"skin_exam-outcome": "normal"}, ["Enter the skin exam date, or a date for all rows"]),
        ({"hiv_test-performed_on": "today"}, ["Choose the result of the HIV test"]),
        ({"ecg-note": "Sinus rhythm", "all_on": "today"}, ["Choose the result of the ECG"]),
        (
            {"ecg-outcome": "normal", "ecg-performed_on": "23-Jan-2026"},
            ["ECG date must not be in the future"],
        ),
        (
            {"ecg-outcome": "normal", "ecg-performed_on": "04-May-1980"},
            ["The date of ECG is before the patient was born, 05-May-1980."],
        ),
        ({"ecg-outcome": "superb", "all_on": "today"}, ["Choose result of the ECG from the list"]),
        ({"dose_1-vaccine": "mmr"}, ["Enter the date of vaccine 1, or a date for all rows"]),
    ],
)
def test_a_row_half_filled_in_is_named(page: Page, cast: Cast, chart: Chart, changes, errors):
    answer = page.sign_in(cast.staff).submit(f"{chart.url}/exams/new", status=400, **changes)
    assert answer.errors == errors
    kept = {name: value for name, value in changes.items() if value != "superb"}
    assert answer.fields().items() >= kept.items()
    assert recorded() == []


def test_a_wrong_date_is_told_in_its_row(page: Page, cast: Cast, chart: Chart):
    answer = page.sign_in(cast.staff).submit(
        f"{chart.url}/exams/new", status=400, **{"tb_screen-outcome": "negative", "tb_screen-performed_on": "tomorrow"}
    )
    assert answer.errors[0].startswith("TB screen date: “tomorrow” is not a date")
    assert answer.one("input", name="tb_screen-performed_on").get("aria-invalid") == "true"


def test_the_kind_asked_for_stands_on_top(page: Page, cast: Cast, chart: Chart):
    answer = page.sign_in(cast.staff).get(f"{chart.url}/exams/new?kind=ecg")
    assert answer.rows()[0][0].startswith("ECG")


def test_rows_that_make_no_sense_for_the_patient_are_left_out(page: Page, cast: Cast, staff: Scope):
    man = register(staff, sex_at_birth="male")
    titles = " ".join(row[0] for row in page.sign_in(cast.staff).get(f"{man.url}/exams/new").rows())
    assert "HPV" not in titles
    assert "Pregnancy" not in titles


def test_the_latest_of_each_says_what_is_owed(page: Page, cast: Cast, treated: Chart):
    treated.exam("skin_exam", date(2025, 1, 5))
    answer = page.sign_in(cast.staff).get(f"{treated.url}/exams")
    row = row_of(answer, 0, "Skin exam")
    assert "05-Jan-2025" in row[1]
    assert "17 days overdue" in row[3]
    assert "overdue" in row_of(answer, 0, "HPV screen")[3]


def test_before_treatment_a_screen_says_how_long_it_holds(page: Page, cast: Cast, chart: Chart):
    chart.exam("tb_screen", date(2025, 6, 2), "negative").exam("hiv_test", date(2024, 6, 2), "negative")
    answer = page.sign_in(cast.staff).get(f"{chart.url}/exams")
    assert "covers a first course until 02-Jun-2026 (local convention" in row_of(answer, 0, "TB screen")[3]
    assert "covered a first course until 02-Jun-2025" in row_of(answer, 0, "HIV test")[3]


def test_a_positive_hiv_test_is_pointed_out_as_a_contraindication(page: Page, cast: Cast, chart: Chart):
    chart.exam("hiv_test", date(2026, 1, 5), "positive")
    assert "HIV infection is a contraindication" in page.sign_in(cast.staff).get(f"{chart.url}/exams").words


def test_a_live_vaccine_after_a_course_asks_for_a_reason_and_stays_in_red(page: Page, cast: Cast, treated: Chart):
    page.sign_in(cast.staff)
    sent = {"dose_1-vaccine": "yellow_fever", "dose_1-given_on": "12-Jan-2026"}
    asked = page.submit(f"{treated.url}/exams/new", status=400, **sent)
    assert asked.errors == ["Give the reason, or change what departs from the rules"]
    assert "is a live vaccine after a course" in asked.words
    assert db.session.query(Vaccination).count() == 0
    page.post(f"{treated.url}/exams/new", {**asked.fields(), "deviation_reason": "Given abroad; prescriber told"})
    assert "Safety alert: live vaccine after a course" in page.follow().words


def test_a_dose_too_close_to_the_planned_course_is_pointed_out(page: Page, cast: Cast, staff: Scope):
    chart = register(staff).enroll(cast.prescriber).plan(date(2026, 2, 20))
    record_vaccination(staff, chart.id, VaccinationEntry("varicella", date(2026, 1, 12)))
    answer = page.sign_in(cast.staff).get(f"{chart.url}/exams")
    assert "not before 23-Feb-2026" in answer.words


def test_a_correction_and_an_error_stay_visible_struck_through(page: Page, cast: Cast, chart: Chart):
    chart.exam("skin_exam", date(2026, 1, 5)).exam("ecg", date(2026, 1, 6))
    page.sign_in(cast.staff)
    skin, ecg = db.session.query(Exam).order_by(Exam.id).all()
    page.submit(f"{chart.url}/exams/{skin.public_id}/correct", performed_on="07-Jan-2026", reason="Misread")
    page.submit(f"{chart.url}/exams/{ecg.public_id}/withdraw", reason="Other patient")
    shown = page.get(f"{chart.url}/exams")
    assert {"".join(struck.itertext()) for struck in shown.all("s")} >= {"05-Jan-2026", "06-Jan-2026", "ECG"}
    assert "Misread" in shown.words
    assert "Other patient" in shown.words
    assert "Correction" in shown.words


def test_a_vaccination_is_corrected_and_withdrawn(page: Page, cast: Cast, chart: Chart):
    record_vaccination(chart.scope, chart.id, VaccinationEntry("mmr", date(2026, 1, 5)))
    page.sign_in(cast.staff)
    first = db.session.query(Vaccination).one()
    refused = page.submit(f"{chart.url}/vaccinations/{first.public_id}/correct", status=400, vaccine="hpv")
    assert refused.errors == ["Give the reason for the correction"]
    page.submit(f"{chart.url}/vaccinations/{first.public_id}/correct", vaccine="hpv", reason="Misread")
    second = db.session.query(Vaccination).filter_by(state="recorded").one()
    assert (second.vaccine, second.is_live) == ("hpv", False)
    page.submit(f"{chart.url}/vaccinations/{second.public_id}/withdraw", reason="Other patient")
    late = page.submit(f"{chart.url}/vaccinations/{second.public_id}/withdraw", status=400, reason="Again")
    assert "already marked as entered in error by you" in late.errors[0]


def test_a_correction_that_a_rule_refuses_is_told_at_the_field(page: Page, cast: Cast, chart: Chart):
    chart.exam("ecg", date(2026, 1, 6)).exam("ecg", date(2026, 1, 7))
    record_vaccination(chart.scope, chart.id, VaccinationEntry("mmr", date(2026, 1, 5)))
    page.sign_in(cast.staff)
    exam = db.session.query(Exam).order_by(Exam.id).first()
    assert exam is not None
    address = f"{chart.url}/exams/{exam.public_id}"
    refused = page.submit(f"{address}/correct", status=400, performed_on="07-Jan-2026", reason="Misread")
    assert refused.errors == ["ECG of 07-Jan-2026 with this result is on record already."]
    page.submit(f"{address}/withdraw", reason="Other patient")
    assert "already marked" in page.submit(f"{address}/withdraw", status=400, reason="Again").errors[0]
    dose = db.session.query(Vaccination).one().public_id
    born = page.submit(f"{chart.url}/vaccinations/{dose}/correct", status=400, given_on="04-May-1980", reason="Misread")
    assert "before the patient was born" in born.errors[0]


def test_an_exam_of_another_patient_is_not_found(page: Page, cast: Cast, chart: Chart, staff: Scope):
    chart.exam("ecg", date(2026, 1, 6))
    other = register(staff)
    exam = db.session.query(Exam).one().public_id
    page.sign_in(cast.staff)
    for act in ("correct", "withdraw"):
        page.get(f"{other.url}/exams/{exam}/{act}", status=404)
        page.get(f"{chart.url}/vaccinations/{exam}/{act}", status=404)


@pytest.mark.parametrize("role", ["auditor", "administrator"])
def test_those_who_do_not_enter_evidence_see_and_cannot_change(page: Page, cast: Cast, chart: Chart, role):
    chart.exam("ecg", date(2026, 1, 6))
    exam = db.session.query(Exam).one().public_id
    page.sign_in(cast.person(role))
    shown = page.get(f"{chart.url}/exams")
    assert "ECG" in shown.words
    assert "Record exams" not in shown.links()
    assert not [text for text in shown.links() if text.startswith("Correct")]
    page.get(f"{chart.url}/exams/new", status=403)
    page.post(f"{chart.url}/exams/{exam}/withdraw", {"reason": "x"}, status=403)

"""Patients in a browser: registered without scripts, exams entered with the keyboard, and every page judged by axe."""

from collections.abc import Callable
from datetime import date

import pytest

from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import Exam
from clinic_tracker.models.patients import Enrollment, Patient
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.exams import record_vaccination, withdraw_exam
from clinic_tracker.services.vaccinations import VaccinationEntry
from tests.browser.conftest import DESKTOP, TABLET
from tests.factories import Chart, register
from tests.fixtures.people import Cast

BORN = date(1990, 7, 14)
PAGES = (
    "/patients",
    "/patients/new",
    "/patients/duplicates",
    "{chart}/details",
    "{chart}/edit",
    "{chart}/prescriber",
    "{chart}/enrollments/new",
    "{chart}/exams",
    "{chart}/changes",
)


@pytest.fixture
def staff(cast: Cast, scope_for: Callable[..., Scope]) -> Scope:
    return scope_for(cast.staff)


@pytest.fixture
def treated(staff: Scope, cast: Cast) -> Chart:
    """A chart with something of everything that these pages show."""
    chart = register(staff, family_name="Ruiz", given_name="Elena", birth_date=BORN, alerts="Penicillin allergy")
    chart.enroll(cast.prescriber, date(2025, 1, 2)).infuse(date(2025, 2, 3))
    chart.exam("skin_exam", date(2025, 1, 5)).exam("hpv_screen", date(2025, 6, 5), "positive").exam(
        "ecg", date(2025, 1, 5)
    )
    record_vaccination(staff, chart.id, VaccinationEntry("mmr", date(2026, 1, 5)), reason="Given elsewhere")
    ecg = db.session.query(Exam).filter_by(kind="ecg").one()
    withdraw_exam(staff, chart.id, ecg.public_id, reason="Other patient")
    register(staff, family_name="Ruis", given_name="Elena", birth_date=BORN)
    return chart


def test_a_patient_is_registered_and_enrolled_without_scripts(visitor_without_scripts, cast: Cast):
    visitor = visitor_without_scripts.sign_in(cast.staff)
    visitor.goto("/patients/new")
    page = visitor.page
    for label, text in (("Family name", "Okafor"), ("Given names", "Ada"), ("MRN", "10233")):
        page.get_by_label(label, exact=True).fill(text)
    for label, text in (("Month", "Mar"), ("Day", "2"), ("Year", "1984")):
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_label("Female", exact=True).check()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Register patient").click()
    page.get_by_label("Prescriber", exact=True).select_option(label="Dr. Tomas Rey")
    for label in ("Counseled on", "Guide given on", "Safety card given on", "Signed by the patient on"):
        page.get_by_label(label).fill("today")
    page.get_by_label("Signed by the prescriber on").fill("today")
    page.get_by_label("Enrolled on").fill("today")
    page.get_by_role("button", name="Record enrollment").click()
    db.session.rollback()
    assert db.session.query(Patient).one().birth_date == date(1984, 3, 2)
    assert db.session.query(Enrollment).one().enrolled_on == visitor.clock.today


def test_exams_are_entered_with_the_keyboard_alone(visitor, cast: Cast, staff: Scope):
    chart = register(staff)
    visitor.sign_in(cast.staff).goto(f"{chart.url}/exams/new")
    keys = visitor.page.keyboard
    visitor.page.get_by_label("Date of all rows").focus()
    keys.type("today")
    visitor.page.get_by_label("Skin exam result").focus()
    keys.type("No s")
    keys.press("Tab")
    keys.press("Tab")
    keys.type("Dr. Kim")
    visitor.page.get_by_role("button", name="Record").focus()
    keys.press("Enter")
    visitor.page.wait_for_url(f"**{chart.url}/exams")
    db.session.rollback()
    exam = db.session.query(Exam).one()
    assert (exam.kind, exam.outcome, exam.examiner, exam.performed_on) == (
        "skin_exam",
        "normal",
        "Dr. Kim",
        visitor.clock.today,
    )


def test_axe_finds_nothing_and_nothing_scrolls_sideways(visitor, cast: Cast, treated: Chart):
    visitor.sign_in(cast.administrator)
    for path in PAGES:
        visitor.page.set_viewport_size(DESKTOP)
        visitor.goto(path.format(chart=treated.url))
        assert visitor.overflow() == 0, path
        visitor.page.set_viewport_size(TABLET)
        assert visitor.overflow() == 0, path
        visitor.check_axe()


def test_axe_finds_nothing_on_two_charts_side_by_side(visitor, cast: Cast, treated: Chart):
    visitor.sign_in(cast.administrator).goto("/patients/duplicates")
    visitor.page.get_by_role("link", name="Compare these two charts").click()
    visitor.check_axe()
    visitor.page.get_by_label("Reason").fill("Same phone and address")
    visitor.page.get_by_role("button", name="Merge charts").click()
    visitor.page.wait_for_load_state()
    visitor.goto("/patients/duplicates")
    visitor.page.get_by_role("link", name="Undo this merge").click()
    visitor.check_axe()


def test_axe_finds_nothing_on_a_form_with_errors(visitor, cast: Cast, treated: Chart):
    visitor.sign_in(cast.staff).goto(f"{treated.url}/exams/new")
    visitor.page.get_by_label("HIV test date").fill("tomorrow")
    visitor.page.get_by_role("button", name="Record").click()
    visitor.page.wait_for_load_state()
    assert visitor.page.get_by_text("is not a date").count()
    visitor.check_axe()

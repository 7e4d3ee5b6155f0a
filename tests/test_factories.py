"""The patients of the tests are what they claim to be."""

from datetime import date

from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import LabReport
from clinic_tracker.models.schedule import PatientSchedule, Standing
from tests.factories import ALL, MONTHLY, register


def test_a_treated_patient_is_monitored_for_48_months(cast, scope_for):
    scope = scope_for(cast.staff)
    chart = register(scope).enroll(cast.prescriber, date(2025, 5, 1)).infuse(date(2025, 6, 2))
    schedule = db.session.query(PatientSchedule).filter_by(patient_id=chart.row.id).one()
    assert schedule.first_infusion_on == date(2025, 6, 2)
    assert schedule.last_infusion_on == date(2025, 6, 6)
    assert schedule.monitoring_ends_on == date(2029, 6, 6)


def test_normal_results_are_evidence(cast, scope_for):
    chart = register(scope_for(cast.staff)).infuse(date(2025, 6, 2)).results(date(2026, 1, 5), *ALL)
    assert {row.panel for row in db.session.query(LabReport)} == set(ALL)
    done = db.session.query(Standing).filter_by(patient_id=chart.row.id, last_done_on=date(2026, 1, 5))
    assert {row.requirement for row in done} >= set(MONTHLY)


def test_exams_and_forms_are_recorded(cast, scope_for):
    chart = register(scope_for(cast.staff)).infuse(date(2025, 6, 2)).exam("skin_exam", date(2025, 5, 20))
    chart.form("infusion_checklist", date(2025, 6, 9), course=1).form("patient_status_form", date(2025, 12, 2))
    done = db.session.query(Standing).filter(Standing.patient_id == chart.row.id, Standing.last_done_on.is_not(None))
    assert {row.requirement for row in done} >= {"skin_exam", "infusion_checklist", "patient_status_form"}


def test_a_second_course_has_three_days(cast, scope_for):
    chart = register(scope_for(cast.staff)).infuse(date(2024, 6, 3)).infuse(date(2025, 7, 7))
    assert (chart.course.number, chart.course.planned_days) == (2, 3)

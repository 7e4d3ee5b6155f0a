"""Readiness in the browser: the list of a day, and what another day would change."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from clinic_tracker.models.audit import AccessEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.treatment import TreatmentCourse
from tests.fixtures.pages import words
from tests.treated import Treated, add_patient

TODAY = date(2026, 1, 22)


@pytest.fixture
def treated(cast, scope_for) -> Treated:
    ready = add_patient(cast, scope_for)
    ready.make_ready()
    return ready


@pytest.fixture
def nurse(page, cast):
    return page.sign_in(cast.staff)


def url(treated, **asked):
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    return f"/patients/{treated.patient}/courses/{treated.course}/readiness" + (f"?{query}" if query else "")


def edit_url(treated):
    return f"/patients/{treated.patient}/courses/{treated.course}/edit"


def rows(page, caption):
    """The rows of the table with this caption."""
    for table in page.all("table"):
        if words(table.find("caption")) == caption:
            return [[words(cell) for cell in row] for row in table.find("tbody").iter("tr")]
    return []


def test_the_list_shows_each_check_with_its_state_evidence_and_date(treated, nurse):
    page = nurse.get(url(treated))
    assert page.h1 == "Readiness: course 1, day 1 of 5"
    assert "Ready, as on file until 09-Feb-2026. To confirm on the day:" in page.words
    papers = rows(page, "Enrollment, certification and authorization")
    assert papers[3] == [
        "Met",
        "Course authorized R-14",
        "Authorized on 22-Jan-2026.",
        "22-Jan-2026",
        "09-Feb-2026",
        "–",
    ]
    tests = rows(page, "Tests, screening and vaccines")
    assert ["Met", "10-Jan-2026", "09-Feb-2026"] in [[row[0], row[3], row[4]] for row in tests]
    day = rows(page, "On the day, before the start")
    assert {row[0] for row in day} == {"To confirm"}


def test_what_stands_in_the_way_is_first_in_its_group_with_who_can_clear_it(cast, scope_for, nurse):
    treated = add_patient(cast, scope_for)
    treated.plan()
    page = nurse.get(url(treated))
    assert "Not ready: not authorized, not verified." in page.words
    first, second, *_others = rows(page, "Enrollment, certification and authorization")
    assert (first[0], first[1]) == ("Missing", "Course authorized R-14")
    assert first[5].endswith("Neurologist · Stops the infusion")
    assert second[1] == "Authorization verified R-16"


def test_a_reason_from_before_a_long_gap_is_not_shown_as_holding(cast, scope_for, nurse):
    treated = add_patient(cast, scope_for, baseline_on=date(2025, 11, 1))
    first = date(2025, 12, 10)
    treated.plan(first)
    treated.record_past(treated.past(1, first), reason="Given elsewhere", decided_by="Dr. Rey")
    assert "Given elsewhere" in nurse.get(url(treated, on="2025-12-11")).words
    assert "Given elsewhere" not in nurse.get(url(treated)).words


def test_the_link_that_clears_is_there_for_those_who_may(cast, scope_for, page, new_page):
    treated = add_patient(cast, scope_for)
    treated.plan()
    authorize = f"/patients/{treated.patient}/courses/{treated.course}/authorize"
    prescriber = page.sign_in(cast.neurologist).get(url(treated))
    assert authorize in prescriber.links().values()
    assert authorize not in new_page().sign_in(cast.staff).get(url(treated)).links().values()
    auditor = new_page().sign_in(cast.auditor).get(url(treated))
    assert not any(str(treated.course) in href for href in auditor.links().values())
    assert "Neurologist · Stops the infusion" in auditor.words


def test_every_link_leads_somewhere(cast, scope_for, page):
    treated = add_patient(cast, scope_for, enrolled=False, baseline_on=date(2025, 11, 3))
    treated.plan()
    visitor = page.sign_in(cast.neurologist)
    shown = visitor.get(url(treated))
    for href in set(shown.links().values()):
        if str(treated.patient) in href:
            visitor.get(href)


def test_without_a_day_the_planned_first_day_is_shown_if_it_is_ahead(cast, scope_for, nurse):
    treated = add_patient(cast, scope_for)
    treated.plan(date(2026, 2, 2))
    assert "02-Feb-2026" in nurse.get(url(treated)).words
    assert "in 11 days" in nurse.get(url(treated)).words


def test_another_day_says_at_once_what_lapses_and_what_becomes_met(treated, nurse):
    page = nurse.get(url(treated, to="2026-02-10"))
    assert "would no longer be met on 10-Feb-2026" in page.words
    lapsing = rows(page, "What lapses by the move")
    assert {row[0] for row in lapsing} == {"Expires before the day"}
    names = [row[1] for row in lapsing]
    assert "Course authorized R-14" in names
    assert "Thyroid function R-25" in names
    page = nurse.get(url(treated, to="2026-02-01"))
    assert "Nothing lapses by a move to 01-Feb-2026. Ready on that day." in page.words
    page = nurse.get(url(treated, on="2026-02-10", to="2026-02-01"))
    assert "Course authorized R-14" in [row[1] for row in rows(page, "What becomes met by the move")]


@pytest.mark.parametrize("typed", ["tomorrow-ish", "2026-02-30"])
def test_a_day_that_is_no_date_is_refused_in_words(treated, nurse, typed):
    page = nurse.get(url(treated, on=typed), status=400)
    assert page.errors
    assert [field.get("value") for field in page.all("input", name="on")] == [typed]


def test_the_look_is_logged(treated, nurse, cast):
    nurse.get(url(treated))
    seen = db.session.execute(select(AccessEvent).where(AccessEvent.endpoint == "infusions.readiness")).scalar_one()
    assert (seen.patient_id, seen.user_id) == (treated.patient_id, cast.staff.user_id)


def test_another_clinic_does_not_find_it(treated, page, cast):
    page.sign_in(cast.stranger).get(url(treated), status=404)


def test_a_course_is_not_found_under_another_patient(treated, nurse, cast, scope_for):
    other = add_patient(cast, scope_for)
    nurse.get(f"/patients/{other.patient}/courses/{treated.course}/readiness", status=404)


# ------------------------------------------------------------------------------------------------ changing the plan


def planned_on():
    return db.session.execute(select(TreatmentCourse.planned_start_on)).scalar_one()


def test_the_form_of_the_plan_shows_what_lapses_before_anything_is_saved(treated, nurse):
    page = nurse.submit(edit_url(treated), 200, planned_start_on="02/10/2026", preview="1")
    assert "Course authorized R-14" in [row[1] for row in rows(page, "What lapses by the move")]
    assert page.fields()["planned_start_on"] == "02/10/2026"
    assert planned_on() == TODAY


def test_after_a_move_the_page_says_what_lapsed(treated, nurse):
    nurse.submit(edit_url(treated), planned_start_on="02/10/2026")
    shown = nurse.follow().words
    assert "No longer valid on 10-Feb-2026: Course authorized, CBC with differential" in shown
    assert "Renew them before the course." in shown
    assert planned_on() == date(2026, 2, 10)


def test_a_move_that_lets_nothing_lapse_says_nothing(treated, nurse):
    nurse.submit(edit_url(treated), planned_start_on=(TODAY + timedelta(days=2)).strftime("%m/%d/%Y"))
    assert "No longer valid" not in nurse.follow().words


def test_a_plan_without_a_day_has_nothing_to_preview(treated, nurse):
    page = nurse.submit(edit_url(treated), 200, planned_start_on="", preview="1")
    assert "lapses by" not in page.h1
    assert planned_on() == TODAY

"""Courses, authorization, prophylaxis and the suite in the browser."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from clinic_tracker.models.audit import AccessEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.treatment import Authorization, Prophylaxis, TreatmentCourse
from tests.treated import Treated, add_patient


@pytest.fixture
def treated(cast, scope_for) -> Treated:
    return add_patient(cast, scope_for)


@pytest.fixture
def nurse(page, cast):
    return page.sign_in(cast.staff)


def courses_url(treated, tail=""):
    return f"/patients/{treated.patient}/courses{tail}"


def test_without_a_course_the_tab_says_what_to_do(treated, nurse):
    answer = nurse.get(courses_url(treated))
    assert "No course is planned" in answer.words
    assert "Plan a course" in answer.links()


def test_a_course_is_planned_with_the_patients_own_prescriber_preselected(treated, nurse, cast):
    nurse.submit(courses_url(treated, "/new"), planned_start_on="02/02/2026")
    assert "Course 1" in nurse.follow().words
    course = db.session.execute(select(TreatmentCourse)).scalar_one()
    assert (course.planned_start_on, course.prescriber_id) == (date(2026, 2, 2), cast.prescriber.id)


def test_an_early_second_course_asks_staff_for_the_prescriber_and_a_neurologist_for_the_reason_only(
    treated, nurse, cast, new_page
):
    start = date(2025, 6, 2)
    treated.plan(start)
    treated.record_past(*(treated.past(day, start + timedelta(days=day - 1)) for day in range(1, 6)), reason="Paper")
    url = courses_url(treated, "/new")
    answer = nurse.submit(url, 400, planned_start_on="02/02/2026")
    assert "12 months after the last infusion" in answer.words
    answer = nurse.post(url, {**answer.fields(), "deviation_reason": "Relapse"}, status=400)
    assert answer.errors[0].endswith("Give the name of the prescriber who decided this")
    other = new_page().sign_in(cast.neurologist)
    answer = other.submit(url, 400, planned_start_on="02/02/2026")
    assert "decided_by" not in answer.fields()
    other.post(url, {**answer.fields(), "deviation_reason": "Relapse"})


def test_two_people_editing_a_course_meet_a_page_that_says_so(treated, nurse, cast, new_page):
    treated.plan()
    url = courses_url(treated, f"/{treated.course}/edit")
    other = new_page().sign_in(cast.neurologist)
    opened = other.get(url).fields()
    nurse.submit(url, note="Prefers Tuesdays")
    answer = other.post(url, {**opened, "note": "Prefers Mondays"}, status=409)
    assert "Nia Brandt" in answer.words


def test_moving_the_start_says_what_is_no_longer_valid(treated, nurse):
    treated.plan(date(2026, 1, 26))
    nurse.submit(courses_url(treated, f"/{treated.course}/edit"), planned_start_on="03/02/2026")
    answer = nurse.follow()
    assert "No longer valid on 02-Mar-2026" in answer.words
    assert "CBC with differential" in answer.words


def test_the_neurologist_sees_each_item_until_when_it_holds_and_authorizes(treated, page, cast):
    treated.plan(date(2026, 1, 26))
    page.sign_in(cast.neurologist)
    url = courses_url(treated, f"/{treated.course}/authorize")
    rows = page.get(url).rows(0)
    cbc = next(row for row in rows if row[1].startswith("CBC"))
    assert (cbc[0], cbc[3], cbc[4]) == ("Met", "09-Feb-2026", "Required")
    page.submit(url)
    assert "22-Jan-2026 by Dr. Tomas Rey" in page.follow().words
    assert db.session.execute(select(Authorization.expires_on)).scalar_one() == date(2026, 2, 9)


def test_authorizing_with_something_missing_asks_why(cast, scope_for, page):
    treated = add_patient(cast, scope_for, baseline_on=date(2025, 12, 1))
    treated.plan(date(2026, 1, 26))
    page.sign_in(cast.neurologist)
    url = courses_url(treated, f"/{treated.course}/authorize")
    assert "required items open" in page.get(url).words
    answer = page.submit(url, 400)
    assert answer.errors[0].endswith("ive the reason for departing from the protocol")
    page.post(url, {**answer.fields(), "deviation_reason": "Drawn today, results by phone"})
    assert "Authorized in spite of open items: Drawn today, results by phone" in page.follow().words


def test_without_a_planned_start_the_page_says_to_plan_it(treated, nurse, page, cast):
    nurse.submit(courses_url(treated, "/new"))
    course = db.session.execute(select(TreatmentCourse.public_id)).scalar_one()
    page.sign_in(cast.neurologist)
    assert "Plan the start" in page.get(courses_url(treated, f"/{course}/authorize")).words


def test_staff_verify_and_may_not_authorize_or_withdraw(treated, nurse, page, cast):
    treated.plan()
    authorization = treated.authorize()
    nurse.get(courses_url(treated, f"/{treated.course}/authorize"), status=403)
    verify = f"/patients/{treated.patient}/authorizations/{authorization}"
    nurse.get(f"{verify}/withdraw", status=403)
    nurse.submit(f"{verify}/verify", method="phone")
    assert "22-Jan-2026 (phone)" in nurse.follow().words
    page.sign_in(cast.neurologist)
    page.submit(f"{verify}/withdraw", reason="Changed her mind")
    assert "Not authorized" in page.follow().words
    assert "Changed her mind" in page.get(courses_url(treated)).words


def test_a_course_is_ended_early_and_reopened(treated, nurse):
    treated.plan(date(2026, 1, 19))
    treated.record_past(treated.past(1, date(2026, 1, 19)), reason="Paper")
    nurse.submit(courses_url(treated, f"/{treated.course}/discontinue"), reason="Urticaria", unused_vials="4")
    answer = nurse.follow()
    assert "Ended after 1 of 5 days" in answer.words
    assert "Unused vials: 4" in answer.words
    nurse.submit(courses_url(treated, f"/{treated.course}/reopen"), reason="Mix-up")
    assert "1 of 5 days given" in nurse.follow().words


def test_the_antiviral_says_when_it_may_stop_and_why(treated, nurse):
    start = date(2026, 1, 12)
    treated.plan(start)
    treated.record_past(*(treated.past(day, start + timedelta(days=day - 1)) for day in range(1, 6)), reason="Paper")
    nurse.submit(f"/patients/{treated.patient}/prophylaxis/new", drug="Aciclovir", started_on="01/12/2026")
    answer = nurse.follow()
    assert "May not be stopped yet" in answer.words
    assert "Not before 16-Mar-2026" in answer.words
    antiviral = db.session.execute(select(Prophylaxis.public_id)).scalar_one()
    url = f"/patients/{treated.patient}/prophylaxis/{antiviral}/stop"
    assert "not without CD4" in nurse.get(url).words
    answer = nurse.submit(url, 400)
    answer = nurse.post(url, {**answer.fields(), "deviation_reason": "Rash"}, status=400)
    nurse.post(url, {**answer.fields(), "decided_by": "Dr. Rey"})
    assert "Rash (decided by Dr. Rey)" in nurse.follow().words


def test_an_antiviral_is_corrected_and_withdrawn(treated, nurse):
    nurse.submit(f"/patients/{treated.patient}/prophylaxis/new", drug="Aciclovir", started_on="01/12/2026")
    antiviral = db.session.execute(select(Prophylaxis.public_id)).scalar_one()
    url = f"/patients/{treated.patient}/prophylaxis/{antiviral}"
    nurse.submit(f"{url}/correct", drug="Valaciclovir", reason="Misread")
    assert "Valaciclovir" in nurse.follow().words
    answer = nurse.submit(f"{url}/withdraw", 400, reason="Again")
    assert "already corrected by you" in answer.errors[0]


def test_the_suite_shows_who_is_where_and_logs_who_was_seen(treated, nurse, clock, cast):
    treated.make_ready()
    treated.prepare()
    assert "Course 1, day 1 of 5" in nurse.get("/infusions").rows(0)[0][0]
    infusion = treated.start()
    clock.forward(minutes=245)
    treated.end(infusion)
    nurse.sign_in(cast.staff)
    answer = nurse.get("/infusions")
    assert "2 h 00 min left" in answer.words
    seen = db.session.execute(select(AccessEvent).where(AccessEvent.endpoint == "infusions.suite")).scalars().all()
    assert seen[-1].patient_ids == [treated.patient_id]


def test_an_empty_suite_says_so(nurse):
    assert "Nobody is planned for today" in nurse.get("/infusions").words


@pytest.mark.parametrize("tail", ["", "/new"])
def test_another_clinic_does_not_find_the_courses(treated, page, cast, tail):
    page.sign_in(cast.stranger).get(courses_url(treated, tail), status=404)


@pytest.mark.parametrize("role", ["administrator", "auditor"])
def test_readers_see_courses_without_anything_to_do(treated, page, cast, role):
    treated.plan()
    page.sign_in(cast.person(role))
    answer = page.get(courses_url(treated))
    assert "Plan a course" not in answer.links()
    page.get(courses_url(treated, "/new"), status=403)


def test_what_is_refused_is_said_on_the_page_and_what_was_typed_is_kept(treated, nurse, page, cast):
    treated.plan(date(2026, 1, 19))
    authorization = f"/patients/{treated.patient}/authorizations/{treated.authorize(override_reason='Late')}"
    answer = nurse.submit(f"{authorization}/verify", 400, method="web", verified_on="01/21/2026")
    assert "cannot be verified before" in answer.errors[0]
    assert answer.fields()["verified_on"] == "01/21/2026"
    answer = nurse.submit(courses_url(treated, f"/{treated.course}/reopen"), 400, reason="Mix-up")
    assert answer.errors == ["The course is not discontinued."]
    answer = nurse.submit(courses_url(treated, f"/{treated.course}/discontinue"), 400, reason="x", unused_vials="9")
    assert answer.errors == ["At most 5 vials belong to the course."]
    answer = nurse.submit(courses_url(treated, f"/{treated.course}/edit"), 400, planned_start_on="01/19/2050")
    assert answer.errors == ["The start is more than two years ahead."]
    page.sign_in(cast.neurologist).submit(f"{authorization}/withdraw", reason="Changed")
    answer = page.submit(f"{authorization}/withdraw", 400, reason="Again")
    assert "already marked as entered in error by you" in answer.errors[0]


def test_two_antivirals_at_once_and_a_stop_before_the_start_are_refused(treated, nurse):
    url = f"/patients/{treated.patient}/prophylaxis/new"
    nurse.submit(url, drug="Aciclovir", started_on="01/12/2026")
    answer = nurse.submit(url, 400, drug="Valaciclovir", started_on="01/13/2026")
    assert "Stop or correct it first" in answer.errors[0]
    antiviral = db.session.execute(select(Prophylaxis.public_id)).scalar_one()
    stop = f"/patients/{treated.patient}/prophylaxis/{antiviral}"
    answer = nurse.submit(f"{stop}/correct", 400, started_on="01/12/2026", stopped_on="01/01/2026", reason="Typo")
    assert "cannot be stopped before" in answer.errors[0]


@pytest.mark.parametrize("page_of", ["authorizations/{}/verify", "prophylaxis/{}/stop", "courses/{}/edit"])
def test_what_does_not_exist_is_not_found(treated, nurse, page_of):
    nurse.get(f"/patients/{treated.patient}/{page_of.format(treated.patient)}", status=404)

"""A form that a script sends is told where to go on; everything else is as it is for everybody."""

import pytest
from sqlalchemy import func, select

from clinic_tracker.models.base import db
from clinic_tracker.models.treatment import VitalSigns
from tests.treated import add_patient

KEPT = {"X-Kept-Form": "1"}


@pytest.fixture
def url(cast, scope_for, page):
    treated = add_patient(cast, scope_for)
    treated.make_ready()
    page.sign_in(cast.staff)
    return f"/patients/{treated.patient}/courses/{treated.course}/vitals"


def count():
    return db.session.scalar(select(func.count()).select_from(VitalSigns))


def test_a_recorded_form_is_answered_with_the_next_address_and_its_message_waits_there(page, url):
    form = page.get(url).fields()
    answer = page.post(url, {**form, "pulse": "70"}, status=204, headers=KEPT)
    go = answer.response.headers["X-Go"]
    assert (answer.location, answer.response.data) == (None, b"")
    assert "Vital signs recorded." in page.get(go).words


def test_the_same_form_sent_twice_is_recorded_once(page, url):
    form = page.get(url).fields()
    for _ in range(3):
        page.post(url, {**form, "pulse": "70"}, status=204, headers=KEPT)
    assert count() == 1


def test_a_refused_form_comes_back_as_the_page(page, url):
    form = page.get(url).fields()
    answer = page.post(url, form, status=400, headers=KEPT)
    assert answer.errors
    assert count() == 0


def test_after_the_session_has_ended_the_address_is_the_sign_in(page, url, clock):
    form = page.get(url).fields()
    clock.forward(minutes=16)
    answer = page.post(url, {**form, "pulse": "70"}, status=204, headers=KEPT)
    assert answer.response.headers["X-Go"].startswith("/sign-in")
    assert count() == 0


def test_without_the_script_a_form_redirects(page, url):
    form = page.get(url).fields()
    assert "X-Go" not in page.post(url, {**form, "pulse": "70"}).response.headers


def test_forms_of_the_infusion_day_are_kept_for_the_person_and_others_are_not(page, url, cast):
    form = page.get(url).form()
    assert form.get("data-module").split()[0] == "keep-typed"
    assert form.get("data-keep-for") == str(cast.staff.user_id)
    assert "keep-typed" not in page.get("/patients/new").form().get("data-module")

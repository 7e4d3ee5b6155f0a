"""What belongs to an infusion day in the browser, without scripts: vital signs, reactions, checks, early ends."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from clinic_tracker.models.audit import AccessEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.treatment import DrugCheck, Infusion, InfusionReaction, TreatmentCourse, VitalSigns
from clinic_tracker.services.clinics import change_setting
from tests.fixtures.people import PASSWORD
from tests.treated import Treated, add_patient


@pytest.fixture
def treated(cast, scope_for) -> Treated:
    ready = add_patient(cast, scope_for)
    ready.make_ready()
    ready.prepare()
    return ready


@pytest.fixture
def nurse(page, cast):
    return page.sign_in(cast.staff)


@pytest.fixture
def running(treated, clock):
    infusion = treated.start()
    clock.forward(minutes=10)
    return infusion


def day_url(treated, infusion, step=""):
    return f"/patients/{treated.patient}/infusions/{infusion}{step}"


def only(table):
    return db.session.execute(select(table).execution_options(populate_existing=True)).scalars().one()


def seen(**values):
    return {"ticked_skin": ["urticaria"], "grade": "moderate", **values}


# ------------------------------------------------------------------------------------------------------- vital signs


def test_a_temperature_in_fahrenheit_is_kept_in_celsius_and_said_so(treated, nurse, running):
    nurse.submit(day_url(treated, running, "/vitals"), temperature="100.4", pulse="88")
    day = nurse.follow()
    assert "typed in °F and is kept in °C" in day.words
    assert "38.0 high" in day.words
    row = db.session.execute(select(VitalSigns).order_by(VitalSigns.id.desc()).limit(1)).scalar_one()
    assert row.temperature == 38.0


def test_an_unlikely_value_is_asked_about_and_everything_typed_is_kept(treated, nurse, running):
    url = day_url(treated, running, "/vitals")
    answer = nurse.submit(url, 400, systolic="210", diastolic="90", temperature="98.6")
    assert answer.errors == ["Systolic pressure 210 mmHg is unusual. Correct it, or confirm that it is right"]
    assert answer.fields()["temperature"] == "98.6"
    nurse.post(url, {**answer.fields(), "confirmed": "systolic=210"})
    assert "Systolic pressure 210 mmHg: high (limit 180)" in nurse.follow().words


def test_another_unlikely_value_needs_another_confirmation(treated, nurse, running):
    url = day_url(treated, running, "/vitals")
    answer = nurse.submit(url, 400, systolic="210", diastolic="90")
    again = nurse.post(url, {**answer.fields(), "systolic": "215", "confirmed": "systolic=210"}, status=400)
    assert again.errors == ["Systolic pressure 215 mmHg is unusual. Correct it, or confirm that it is right"]


def test_the_page_shows_what_was_measured_before_and_what_is_late(treated, nurse, running, clock):
    clock.forward(minutes=45)
    nurse.sign_in(treated.cast.staff)
    page = nurse.get(day_url(treated, running, "/vitals"))
    assert "Last 118 at 10:10" in page.words
    assert "Vital signs due since 11:00, 25 min late" in page.words


# --------------------------------------------------------------------------------------------------------- reactions


def test_a_reaction_pauses_slows_and_extends_in_one_step(treated, nurse, running):
    nurse.submit(day_url(treated, running, "/reaction"), **seen(actions=["paused"], observation_minutes="240"))
    day = nurse.follow()
    assert "Urticaria (hives)" in day.words
    assert "Resume now" in day.links()
    assert "extended to 4 h 00 min" in day.words


def test_a_reaction_without_a_sign_is_refused_at_the_checklist(treated, nurse, running):
    answer = nurse.submit(day_url(treated, running, "/reaction"), 400, grade="mild")
    assert answer.errors == ["Tick at least one sign, or describe it."]


def test_a_stopped_infusion_leads_to_its_end(treated, nurse, running):
    answer = nurse.submit(day_url(treated, running, "/reaction"), **seen(actions=["stopped"]))
    assert answer.location.endswith("/stop")


def test_a_reaction_is_corrected_and_its_end_filled_in(treated, nurse, running):
    nurse.submit(day_url(treated, running, "/reaction"), **seen(seriousness=["hospitalization"], more_done="Cool pack"))
    first = only(InfusionReaction).public_id
    url = day_url(treated, running, f"/reactions/{first}/correct")
    page = nurse.get(url)
    assert "Cool pack" in page.words or page.fields()["more_done"] == "Cool pack"
    nurse.submit(url, seriousness=[], reason="It was no hospital stay")
    rows = db.session.execute(select(InfusionReaction).order_by(InfusionReaction.id)).scalars().all()
    assert [(row.is_serious, row.withdrawn_at is None) for row in rows] == [(True, False), (False, True)]
    nurse.submit(day_url(treated, running, f"/reactions/{rows[1].public_id}/end"), ending="recovered", outcome="Well")
    assert "Recovered · Well" in nurse.follow().words


def test_a_reaction_of_another_infusion_is_not_found(treated, nurse, running):
    url = day_url(treated, running, "/reactions/00000000-0000-4000-8000-000000000000/end")
    nurse.get(url, status=404)


def test_serious_reactions_are_listed_and_looking_is_logged(treated, nurse, running, cast):
    nurse.submit(day_url(treated, running, "/reaction"), **seen(grade="life_threatening"))
    assert "report by 23-Jan-2026" in nurse.follow().words
    assert "Reactions to report" in nurse.get("/today").words
    listed = nurse.get("/infusions/adverse-events")
    assert "Life-threatening" in listed.words
    assert "due 23-Jan-2026" in listed.words
    assert "No serious reaction here" in nurse.get("/infusions/adverse-events?show=reported").words
    logged = select(AccessEvent.patient_ids).where(AccessEvent.endpoint == "infusions.adverse_events")
    assert [treated.patient_id] in db.session.execute(logged).scalars().all()
    assert "Urticaria" in nurse.get(f"/patients/{treated.patient}/courses").words


# ------------------------------------------------------------------------------------------- pace, observation, stop


def test_the_expected_end_is_shown_and_changed(treated, nurse, running):
    assert "Expected end 14:30" in nurse.get(day_url(treated, running)).words
    nurse.submit(day_url(treated, running, "/pace"), **{"ends_at-time": "15:30", "reason": "Slower"})
    assert "Expected end 15:30" in nurse.follow().words


def test_a_shorter_observation_is_refused_in_words(treated, nurse, running):
    answer = nurse.submit(day_url(treated, running, "/observation"), 400, minutes="90", reason="Busy")
    assert answer.errors == ["The observation lasts at least 120 minutes."]


def test_stopping_early_asks_once_for_everything(treated, nurse, running):
    url = day_url(treated, running, "/stop")
    assert nurse.submit(url, 400).errors == ["Enter dose given", "Give the reason"]
    nurse.submit(
        url, dose_mg="3", reason="Anaphylaxis", unused_vials="4", vials_disposition="returned", decided_by="Dr. Rey"
    )
    course = only(TreatmentCourse)
    assert (course.unused_vials, course.vials_disposition) == (4, "returned")
    assert only(Infusion).ended_at is not None
    assert "Observation ends" in nurse.follow().words


# --------------------------------------------------------------------------------------------------- drug checks


def test_two_people_check_at_one_screen_and_the_start_is_prefilled(treated, nurse, cast, scope_for):
    scope = scope_for(cast.administrator)
    change_setting(scope, name="drug_check_people", value=2, effective_from=scope.today, reason="Two pairs of eyes")
    url = f"/patients/{treated.patient}/courses/{treated.course}/check"
    read = {"patient_confirmed": "1", "lot_number": "B77", "lot_expires_on": "30-Jun-2027"}
    nurse.submit(url, **read, who="self")
    colleague = {"who": "colleague", "email": cast.neurologist.email}
    refused = nurse.submit(url, 400, **read, **colleague, password="wrong")
    assert refused.errors == ["The e-mail address or the password is not right."]
    assert refused.fields().get("password", "") == ""
    nurse.submit(url, **read, **colleague, password=PASSWORD)
    start = nurse.follow()
    assert start.fields()["lot_number"] == "B77"
    assert "Tomas Rey" in start.words
    assert len(db.session.execute(select(DrugCheck)).all()) == 2


def test_who_has_checked_is_only_offered_a_colleague(treated, nurse):
    url = f"/patients/{treated.patient}/courses/{treated.course}/check"
    read = {"patient_confirmed": "1", "lot_number": "B77", "lot_expires_on": "30-Jun-2027"}
    nurse.submit(url, **read, who="self")
    assert "I do: Nia Brandt" not in nurse.get(url).words


def test_a_day_without_anything_is_shown(treated, nurse, clock):
    infusion = treated.start()
    for row in db.session.execute(select(VitalSigns)).scalars():
        row.withdrawn_at = clock.now + timedelta(0)
    db.session.commit()
    assert "none before the start" in nurse.get(day_url(treated, infusion)).words

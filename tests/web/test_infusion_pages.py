"""The infusion day in the browser: from readiness to the signed discharge, without scripts."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from clinic_tracker.models.audit import AccessEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.treatment import Infusion, VitalSigns
from tests.treated import Treated, add_patient


@pytest.fixture
def treated(cast, scope_for) -> Treated:
    ready = add_patient(cast, scope_for)
    ready.make_ready()
    return ready


@pytest.fixture
def nurse(page, cast):
    return page.sign_in(cast.staff)


@pytest.fixture
def later(clock, nurse, cast):
    """Let time pass; idle for so long, the nurse has to sign in again."""

    def wait(minutes):
        clock.forward(minutes=minutes)
        nurse.sign_in(cast.staff)

    return wait


def start_url(treated):
    return f"/patients/{treated.patient}/courses/{treated.course}/start"


def day_url(treated, infusion, step=""):
    return f"/patients/{treated.patient}/infusions/{infusion}{step}"


def confirmed(**values):
    answers = {"infection": "no", "contraindication": "no", "pregnancy": "no", "equipment_ready": "1"}
    return {**answers, "lot_number": "A1234", **values}


def infusion():
    return db.session.execute(select(Infusion).where(Infusion.state == "recorded")).scalar_one()


def test_a_nurse_works_through_a_whole_day_with_the_time_prefilled(treated, nurse, clock, later):
    before = nurse.get(start_url(treated))
    assert "Vital signs: not recorded yet" in before.words
    assert "Corticosteroid: not recorded yet" in before.words
    nurse.submit(
        f"/patients/{treated.patient}/courses/{treated.course}/vitals", pulse="72", systolic="118", diastolic="76"
    )
    nurse.submit(f"/patients/{treated.patient}/courses/{treated.course}/premedication")
    later(5)
    nurse.submit(start_url(treated), **confirmed())
    day = nurse.follow()
    assert day.h1 == "Course 1, day 1 of 5"
    assert "End now" in day.links()
    row = infusion()
    assert row.started_at == clock.now
    nurse.submit(day_url(treated, row.public_id, "/pause"), reason="Rash")
    assert "Resume now" in nurse.follow().links()
    later(15)
    nurse.submit(day_url(treated, row.public_id, "/resume"))
    later(240)
    nurse.submit(day_url(treated, row.public_id, "/end"))
    assert "2 h 00 min left" in nurse.follow().words
    later(121)
    done = {"stroke_advice_given": "1", "late_reaction_advice_given": "1"}
    nurse.submit(day_url(treated, row.public_id, "/discharge"), **done)
    day = nurse.follow()
    assert "Nia Brandt" in day.words
    assert "Sign discharge" not in day.links()


def test_a_running_day_opens_instead_of_the_page_before_it(treated, nurse):
    treated.prepare()
    running = treated.start()
    assert nurse.get(start_url(treated), status=302).location.endswith(str(running))


def test_what_is_missing_is_listed_and_one_reason_of_a_prescriber_takes_it(treated, nurse):
    answer = nurse.submit(start_url(treated), 400, **confirmed())
    assert answer.errors[0].endswith("ive the reason for departing from the protocol")
    assert "No corticosteroid is recorded" in answer.words
    assert "No vital signs are recorded" in answer.words
    answer = nurse.post(start_url(treated), {**answer.fields(), "deviation_reason": "Given on the ward"}, status=400)
    assert "Prescriber who decided" in answer.words
    nurse.post(start_url(treated), {**answer.fields(), "decided_by": "Dr. Rey"})
    assert "2 deviations" in nurse.follow().words


@pytest.mark.parametrize("field", ["infection", "contraindication", "pregnancy"])
def test_a_question_not_answered_is_refused_at_its_field_and_a_yes_stops_the_start(treated, nurse, field):
    treated.prepare()
    answer = nurse.submit(start_url(treated), 400, **confirmed(**{field: ""}))
    assert len(answer.errors) == 1
    assert answer.errors[0].startswith("Answer whether")
    answer = nurse.submit(start_url(treated), 400, **confirmed(**{field: "yes"}))
    assert len(answer.errors) == 1
    assert "may not be started" in answer.errors[0]
    assert db.session.execute(select(Infusion)).first() is None


def test_pregnancy_is_not_asked_about_where_it_does_not_apply(cast, scope_for, nurse):
    treated = add_patient(cast, scope_for, sex_at_birth="male")
    treated.make_ready()
    treated.prepare()
    assert "pregnancy" not in nurse.get(start_url(treated)).fields()
    answers = confirmed()
    del answers["pregnancy"]
    nurse.submit(start_url(treated), **answers)
    assert infusion().pregnancy_excluded is None


def test_in_the_eu_there_is_no_rems_and_the_contraindications_are_more(cast, scope_for, nurse):
    treated = add_patient(cast, scope_for, protocol_id="lemtrada-eu")
    treated.plan()
    treated.prepare()
    page = nurse.get(start_url(treated))
    assert "Stroke in the past (unconfirmed)" in page.words
    assert "Not authorized" not in page.words
    assert "ECG" in page.words
    nurse.submit(start_url(treated), **confirmed())
    assert infusion().contraindications_excluded is True


def test_blockers_say_what_would_clear_them_and_who_can(cast, scope_for, nurse):
    treated = add_patient(cast, scope_for)
    treated.plan()
    page = nurse.get(start_url(treated))
    state, check, evidence, *_dates, clears = page.rows(0)[0]
    assert (state, check, evidence) == ("Missing", "Course authorized R-14", "Not authorized.")
    assert clears == ("The neurologist authorizes the course with its baseline set. Neurologist · Stops the infusion")
    assert "authorize" not in str(page.links().values())
    assert "A live start is refused" in page.words


def test_a_hard_stop_refuses_a_live_start_and_points_to_back_entry(cast, scope_for, nurse):
    treated = add_patient(cast, scope_for, enrolled=False)
    treated.plan()
    assert "A live start is refused" in nurse.get(start_url(treated)).words
    answer = nurse.submit(start_url(treated), 400, **confirmed(deviation_reason="Urgent"))
    assert "not enrolled" in answer.errors[0]


def test_a_double_submit_starts_one_infusion(treated, nurse):
    treated.prepare()
    fields = {**nurse.get(start_url(treated)).fields(), **confirmed()}
    first = nurse.post(start_url(treated), fields).location
    assert nurse.post(start_url(treated), fields).location == first
    infusion()


def test_a_discharge_one_minute_early_tells_the_minute_and_asks_why(treated, nurse, later):
    treated.prepare()
    running = treated.start()
    later(245)
    treated.end(running)
    later(119)
    url = day_url(treated, running, "/discharge")
    done = {"stroke_advice_given": "1", "late_reaction_advice_given": "1"}
    answer = nurse.submit(url, 400, **done)
    told = "Discharged 1 minute before 2 hours of observation were over."
    assert answer.errors == [f"{told} Give the reason for departing from the protocol"]
    nurse.post(url, {**answer.fields(), "deviation_reason": "Last bus"})
    assert infusion().early_discharge_reason == "Last bus"


def test_the_second_signature_is_told_on_the_page(treated, nurse, later, cast, new_page):
    treated.prepare()
    running = treated.start()
    later(245)
    treated.end(running)
    later(121)
    url = day_url(treated, running, "/discharge")
    done = {"stroke_advice_given": "1", "late_reaction_advice_given": "1"}
    other = new_page().sign_in(cast.neurologist)
    opened = other.get(url).fields()
    nurse.submit(url, **done)
    answer = other.post(url, {**opened, **done}, status=400)
    assert "already signed by Nia Brandt" in answer.errors[0]


def test_end_before_start_keeps_what_was_typed(treated, nurse, later):
    treated.prepare()
    running = treated.start()
    later(10)
    answer = nurse.submit(day_url(treated, running, "/end"), 400, **{"ended_at-time": "10:00"})
    assert answer.errors == ["The end is not after the start."]
    assert answer.fields()["ended_at-time"] == "10:00"


def test_the_night_the_clocks_go_back_the_page_asks_which_hour(cast, scope_for, nurse, clock):
    clock.set("2026-10-31 21:00")
    treated = add_patient(cast, scope_for)
    treated.make_ready()
    treated.prepare()
    running = treated.start()
    clock.set("2026-11-01 03:00")
    nurse.sign_in(cast.staff)
    url = day_url(treated, running, "/end")
    typed = {"ended_at-date": "11/1/2026", "ended_at-time": "1:30 am"}
    answer = nurse.submit(url, 400, **typed)
    assert "The clocks go back that night" in answer.words
    nurse.post(url, {**answer.fields(), "ended_at-fold": "later"})
    assert infusion().ended_at == treated.at("00:30", clock.today) + timedelta(hours=2)


def test_vital_signs_without_a_value_are_refused_in_words(treated, nurse):
    treated.prepare()
    running = treated.start()
    answer = nurse.submit(day_url(treated, running, "/vitals"), 400)
    assert answer.errors == ["Enter at least one value."]
    answer = nurse.submit(day_url(treated, running, "/vitals"), 400, oxygen_saturation="980")
    assert answer.errors == ["Oxygen saturation 980 % cannot be: it lies between 30 and 100."]


def test_a_reaction_and_a_withdrawn_set_of_vital_signs_show_on_the_day(treated, nurse, later):
    treated.prepare()
    running = treated.start()
    later(30)
    nurse.submit(day_url(treated, running, "/reaction"), signs="Urticaria", grade="moderate")
    assert "Urticaria" in nurse.follow().words
    vitals = db.session.execute(select(VitalSigns.public_id)).scalar_one()
    url = day_url(treated, running, f"/vitals/{vitals}/withdraw")
    nurse.submit(url, reason="Taken from another patient")
    assert "None recorded." in nurse.follow().words
    nurse.get(day_url(treated, running, f"/nonsense/{vitals}/withdraw"), status=404)


def test_a_correction_leads_from_the_old_address_to_the_new(treated, nurse):
    treated.prepare()
    running = treated.start()
    nurse.submit(day_url(treated, running, "/correct"), lot_number="B777", reason="Misread")
    assert "B777" in nurse.follow().words
    answer = nurse.get(day_url(treated, running), status=302)
    assert answer.location != day_url(treated, running)
    courses = nurse.get(f"/patients/{treated.patient}/courses")
    assert "Corrected 22-Jan-2026 10:30 by Nia Brandt: Misread" in courses.words


def test_an_infusion_entered_in_error_says_so(treated, nurse):
    treated.prepare()
    running = treated.start()
    nurse.submit(day_url(treated, running, "/withdraw"), reason="Other patient")
    assert "This infusion counts for nothing" in nurse.get(day_url(treated, running)).words


def test_several_days_after_the_fact_on_one_page(treated, nurse):
    url = f"/patients/{treated.patient}/courses/{treated.course}/back-entry"
    typed = {}
    for index, day in enumerate(("19-Jan-2026", "20-Jan-2026")):
        times = {"started_at": "09:00", "ended_at": "13:10", "discharged_at": "15:15", "steroid_at": "08:00"}
        for name, clock in {**times, "vitals_at": "08:50"}.items():
            typed |= {f"days-{index}-{name}-date": day, f"days-{index}-{name}-time": clock}
        typed |= {f"days-{index}-pulse": "70", f"days-{index}-lot_number": "A1"}
        typed |= {f"days-{index}-stroke_advice_given": "1", f"days-{index}-late_reaction_advice_given": "1"}
    answer = nurse.submit(url, 400, **typed)
    assert answer.errors[0].endswith("ive the reason for departing from the protocol")
    nurse.post(url, {**answer.fields(), "deviation_reason": "Given before the authorization was filed"})
    shown = nurse.follow()
    assert shown.words.count("after the fact") >= 2
    wrong = {"days-0-started_at-date": "21-Jan-2026", "days-0-started_at-time": "09:00"}
    wrong |= {"days-0-ended_at-date": "21-Jan-2026", "days-0-ended_at-time": "08:00"}
    answer = nurse.submit(url, 400, **wrong)
    assert answer.errors == ["The end is not after the start."]


def test_an_empty_page_of_days_after_the_fact_asks_for_a_day(treated, nurse):
    url = f"/patients/{treated.patient}/courses/{treated.course}/back-entry"
    assert nurse.submit(url, 400).errors == ["Fill in at least one day."]


def test_looking_at_a_day_is_logged(treated, nurse, cast):
    treated.prepare()
    running = treated.start()
    nurse.get(day_url(treated, running))
    seen = db.session.execute(select(AccessEvent).where(AccessEvent.endpoint == "infusions.day")).scalar_one()
    assert (seen.patient_id, seen.user_id) == (treated.patient_id, cast.staff.user_id)


def test_a_correction_that_was_opened_before_the_end_says_who_was_first(treated, nurse, clock):
    treated.prepare()
    running = treated.start()
    opened = nurse.get(day_url(treated, running, "/correct")).fields()
    clock.forward(minutes=10)
    treated.end(running)
    answer = nurse.post(day_url(treated, running, "/correct"), {**opened, "reason": "Chair"}, status=409)
    assert "Changed by" in answer.words
    assert infusion().ended_at is not None


@pytest.mark.parametrize("step", ["", "/end", "/pause", "/discharge", "/vitals", "/correct", "/withdraw", "/reaction"])
def test_another_clinic_does_not_find_the_day(treated, page, cast, step):
    treated.prepare()
    running = treated.start()
    page.sign_in(cast.stranger).get(day_url(treated, running, step), status=404)


def test_a_day_is_not_found_under_another_patient(treated, nurse, cast, scope_for):
    treated.prepare()
    running = treated.start()
    other = add_patient(cast, scope_for)
    nurse.get(day_url(other, running), status=404)


@pytest.mark.parametrize("role", ["administrator", "auditor"])
def test_who_does_not_treat_reads_the_day_and_changes_nothing(treated, page, cast, role):
    treated.prepare()
    running = treated.start()
    page.sign_in(cast.person(role))
    assert "End now" not in page.get(day_url(treated, running)).links()
    page.get(day_url(treated, running, "/end"), status=403)
    page.get(start_url(treated), status=403)

"""The board as people read it: as a list, by chairs, on the wall; with nobody lost."""

from datetime import date, timedelta

import pytest

from clinic_tracker.models.access import ClinicSetting
from clinic_tracker.models.base import db
from clinic_tracker.models.treatment import VitalSigns
from clinic_tracker.services.infusion_parts import Target, VitalsTaken, record_vital_signs
from tests.suite_parts import add_chair, book, check_drug, pause, react
from tests.treated import Treated, add_patient


@pytest.fixture
def ready(cast, scope_for):
    def make(name: str = "Okafor", **values: object) -> Treated:
        treated = add_patient(cast, scope_for, family_name=name, **values)
        treated.make_ready()
        treated.prepare()
        return treated

    return make


@pytest.fixture
def nurse(page, cast):
    return page.sign_in(cast.staff)


@pytest.fixture
def checked(cast, clock):
    """Two people check the drug in this clinic."""
    clinic, user = cast.northside.id, cast.administrator.user_id
    made = {"effective_from": date(2026, 1, 1), "reason": "Policy", "recorded_at": clock.now, "recorded_by_id": user}
    db.session.add(ClinicSetting(clinic_id=clinic, name="drug_check_people", value="2", **made))
    db.session.commit()


def row_of(answer, name):
    rows = [row for number in range(len(answer.all("tbody"))) for row in answer.rows(number)]
    return next(row for row in rows if name in row[0])


def test_a_planned_patient_with_a_chair_a_time_and_readiness(checked, ready, nurse, clock, cast):
    one = ready()
    book(one, add_chair(one.scope, "4"), clock.now + timedelta(minutes=30), "Robin Lee, RN")
    row = row_of(nurse.get("/infusions"), "OKAFOR")
    assert "Course 1, day 1 of 5" in row[0]
    assert row[1:3] == ["4 Robin Lee, RN", "11:00"]
    assert row[4] == "drug check"
    check_drug(one, cast.staff.user_id)
    assert row_of(nurse.get("/infusions"), "OKAFOR")[4] == "drug check 1 of 2"
    check_drug(one, cast.neurologist.user_id)
    assert row_of(nurse.get("/infusions"), "OKAFOR")[4] == ""


def test_who_is_not_ready_is_told_with_what_is_missing(checked, cast, scope_for, nurse):
    treated = add_patient(cast, scope_for)
    treated.plan()
    row = row_of(nurse.get("/infusions"), "OKAFOR")
    assert row[3].startswith("Not ready: ")
    assert row[4] == "vital signs steroid drug check"


def test_a_running_infusion_has_its_end_and_its_countdown(ready, nurse, clock):
    one = ready()
    one.start(chair="4", nurse_name="Robin Lee, RN")
    clock.forward(minutes=10)
    row = row_of(nurse.get("/infusions"), "OKAFOR")
    assert row[1] == "4 Robin Lee, RN"
    assert row[2] == "Infusion until 14:30 3 h 50 min left"
    assert row[3] == "Last 10:10 30 min due 11:00"


def test_a_pause_moves_the_end_for_as_long_as_it_lasts(ready, nurse, clock):
    one = ready()
    infusion = one.start()
    clock.forward(minutes=10)
    pause(one, infusion, clock.now)
    clock.forward(minutes=4)
    row = row_of(nurse.get("/infusions"), "OKAFOR")
    assert row[2] == "Paused since 10:40 4 min 3 h 50 min to run, until 14:34 if resumed now"


def test_late_vital_signs_reactions_and_values_beyond_a_limit_stand_out(ready, nurse, clock, cast):
    one = ready()
    infusion = one.start(chair="4")
    vitals = VitalsTaken(taken_at=clock.now, systolic=190, diastolic=80, pulse=70)
    record_vital_signs(one.scope, Target(one.patient, infusion), vitals)
    react(one, infusion, is_serious=True)
    clock.forward(minutes=30)
    nurse.sign_in(cast.staff)
    answer = nurse.get("/infusions")
    row = row_of(answer, "OKAFOR")
    assert "due since 11:00" in row[3]
    assert row[4] == "1 reaction, serious Systolic 190 high"
    told = [item.get("data-told").split("-")[0] for item in answer.all("li") if item.get("data-told")]
    assert told == ["vitals", "reaction"]
    assert "Vital signs of chair 4 are due." in answer.text


def test_vital_signs_that_were_never_taken_are_late_from_the_start(ready, nurse, clock):
    one = ready()
    infusion = one.start()
    found = nurse.get("/infusions")
    assert "due since" not in found.words
    db.session.query(VitalSigns).update({"withdrawn_at": clock.now})
    db.session.commit()
    row = row_of(nurse.get("/infusions"), "OKAFOR")
    assert row[3] == "none yet due since 10:30"
    assert "no vital signs" in row[4]
    assert infusion


def test_an_observation_that_is_over_waits_for_a_signature_and_is_told(ready, nurse, clock, cast):
    one = ready()
    infusion = one.start(chair="4")
    clock.forward(minutes=240)
    one.end(infusion)
    clock.forward(minutes=125)
    nurse.sign_in(cast.staff)
    answer = nurse.get("/infusions")
    assert answer.rows(0)[0][2] == "Over since 16:30 5 min"
    assert "Observation of chair 4 is over." in answer.text
    assert "Sign discharge of Ada Okafor" in answer.links()


def test_somebody_never_signed_out_stays_with_the_age_on_the_board_and_on_today(ready, nurse, clock, cast):
    one = ready()
    infusion = one.start()
    clock.forward(minutes=240)
    one.end(infusion)
    clock.forward(days=40)
    nurse.sign_in(cast.staff)
    row = nurse.get("/infusions").rows(0)[0]
    assert row[2] == "39 days observation until 22-Jan-2026 16:30"
    assert "Sign discharge" in row[5]
    today = nurse.get("/today").words
    assert "1 never signed out, since 22-Jan-2026" in today


def test_the_chairs_show_who_sits_where_and_which_are_free(ready, nurse, clock, cast):
    one, two, three = ready(), ready("Ruiz"), ready("Adams")
    chairs = [add_chair(one.scope, name, number) for number, name in enumerate(("1", "2", "3"))]
    one.start(chair="2")
    book(two, chairs[0], clock.now + timedelta(hours=1))
    answer = nurse.get("/infusions?layout=chairs")
    seats = [" ".join(" ".join(item.itertext()).split()) for item in answer.all("li", class_="seat")]
    assert [seat.split(" ", 3)[:3] for seat in seats[:3]] == [
        ["Chair", "1", "RUIZ"],
        ["Chair", "2", "OKAFOR"],
        ["Chair", "3", "Free"],
    ]
    assert "planned 11:30" in seats[0]
    assert "3 h" in seats[1] or "4 h" in seats[1]
    assert seats[3].startswith("Without a chair ADAMS")
    assert three


def test_the_wall_tells_chairs_days_and_times(ready, nurse, clock):
    one, two = ready(), ready("Ruiz")
    chairs = [add_chair(one.scope, name, number) for number, name in enumerate(("1", "2", "3"))]
    infusion = one.start(chair="2")
    book(two, chairs[0], clock.now + timedelta(hours=1))
    clock.forward(minutes=5)
    words = nurse.get("/infusions/wall").words
    assert "1 Next 11:30 2 Day 1 of 5 · infusion 3:55 left, until 14:30 3 Free" in words
    pause(one, infusion, clock.now)
    assert "paused 0:00 since 10:35" in nurse.get("/infusions/wall").words


def test_an_empty_suite_and_an_empty_wall_say_so(nurse):
    assert "Nobody is planned for today" in nurse.get("/infusions").words
    assert "No chairs and nobody" in nurse.get("/infusions?layout=chairs").words
    assert "Nobody is here, and nobody is planned" in nurse.get("/infusions/wall").words


def test_without_scripts_the_board_and_the_wall_ask_again_by_themselves(nurse):
    for url in ("/infusions", "/infusions?layout=chairs", "/infusions/wall"):
        assert 'http-equiv="refresh" content="30;url=/infusions' in nurse.get(url).text
        assert "background=1" in nurse.get(url).text


def test_an_auditor_reads_the_board_and_can_do_nothing_there(ready, page, cast):
    ready()
    page.sign_in(cast.auditor)
    assert "Prepare Ada Okafor" not in page.get("/infusions").links()

"""My clinic today: the numbers are true and are links, each role sees what it can act on, nobody falls between."""

from datetime import date, timedelta

import pytest

from clinic_tracker.models.access import Clinic, FacilityCertification
from clinic_tracker.models.base import db
from tests.monitored import add_course, add_infusion, add_lab, add_patient, enroll, project, treated

TODAY = date(2026, 1, 22)


@pytest.fixture
def staff(cast, scope_for):
    return scope_for(cast.staff)


@pytest.fixture
def late(staff):
    made = treated(staff, date(2025, 6, 2), labs_until=date(2025, 12, 10), family_name="Okafor", given_name="Ada")
    project(staff)
    return made


def tiles(answer):
    found = {}
    for tile in answer.all("li", class_="tile"):
        label, number, sub = ["".join(part.itertext()).strip() for part in tile.iter("span")][:3]
        link = next(iter(tile.iter("a")), None)
        found[label] = (number, sub, link.get("href") if link is not None else None)
    return found


def test_the_front_door_leads_to_the_sign_in_or_to_today(page, cast):
    assert page.client.get("/").location.startswith("/sign-in")
    page.sign_in(cast.staff)
    page.get("/", status=303)
    assert page.last.location == "/today"


def test_overdue_is_counted_with_the_oldest_and_linked(page, cast, late):
    answer = page.sign_in(cast.staff).get("/today")
    assert tiles(answer)["Overdue"] == ("1", "3 items, oldest 16 d", "/worklists")
    assert "OKAFOR, Ada" in answer.rows(0)[0][0]


@pytest.mark.parametrize("role", ["staff", "neurologist", "administrator", "auditor"])
def test_each_number_equals_its_list(page, cast, staff, late, role):
    late.prescriber_id = cast.prescriber.id
    project(staff)
    shown = tiles(page.sign_in(cast.person(role)).get("/today"))
    for label in ("Overdue", "Overdue, my patients", "Due in 7 days"):
        if label in shown:
            number, _sub, href = shown[label]
            listed = page.get(href)
            assert len(listed.rows() if listed.all("tbody") else []) == int(number)


def test_forms_owed_are_counted_as_items(page, cast, staff):
    patient = add_patient(staff)
    add_course(staff, patient, date(2026, 1, 5))
    project(staff)
    number, sub, href = tiles(page.sign_in(cast.staff).get("/today"))["Forms owed"]
    assert (number, sub) == ("1", "1 overdue")
    assert "Checklist" in page.get(href).words


def test_the_suite_counts_who_is_in_it_now(page, cast, staff, clock):
    for discharged in (None, clock.now - timedelta(minutes=5)):
        patient = add_patient(staff)
        course = add_course(staff, patient, None, days=5)
        start = clock.now - timedelta(hours=5)
        add_infusion(staff, patient, course, TODAY, 1, started_at=start, ended_at=clock.now - timedelta(minutes=40),
                     discharged_at=discharged)  # fmt: skip
    project(staff)
    number, sub, _href = tiles(page.sign_in(cast.staff).get("/today"))["In the suite"]
    assert (number, sub) == ("1", "1 observed, next out 11:50")


def test_results_to_review_are_counted_by_level(page, cast, staff, late):
    add_lab(staff, late, "tsh", TODAY, worst_level="red")
    project(staff)
    _number, sub, _href = tiles(page.sign_in(cast.staff).get("/today"))["To review"]
    assert sub.startswith("1 red")


def test_a_neurologist_sees_their_own_patients_and_red_results_first(page, cast, staff, late):
    other = treated(staff, date(2025, 6, 2), labs_until=date(2025, 12, 10), family_name="Ruiz")
    enroll(staff, late, cast.prescriber.id, date(2025, 5, 1))
    add_lab(staff, late, "tsh", TODAY, worst_level="red", findings=[
        {"rule": "tsh_high", "level": "red", "words": "TSH far too high", "action": "", "analytes": ["tsh"],
         "source": "",
         "grade": "C"}])  # fmt: skip
    project(staff)
    answer = page.sign_in(cast.neurologist).get("/today")
    assert "TSH far too high" in answer.rows(0)[0][1]
    assert "RUIZ" not in answer.words
    assert tiles(answer)["Overdue, my patients"][0] == "1"
    assert other.mrn not in answer.words


def test_an_administrator_sees_forms_and_certifications(page, cast, staff):
    cast.prescriber.certification_ends_on = TODAY + timedelta(days=20)
    patient = add_patient(staff)
    add_course(staff, patient, date(2026, 1, 5))
    project(staff)
    answer = page.sign_in(cast.administrator).get("/today")
    assert cast.prescriber.name in answer.words
    assert "in 20 days" in answer.words
    assert "Checklist" in answer.rows(0)[0][1]


class TestFacilityCertification:
    RECORD = "Record a certification"

    def certified(self, cast, ends_on):
        row = db.session.scalars(db.select(FacilityCertification).filter_by(clinic_id=cast.northside.id)).one()
        row.ends_on = ends_on
        db.session.commit()
        return row

    def test_a_clinic_without_any_is_warned_with_a_way_to_mend_it(self, page, cast, clock):
        self.certified(cast, None).withdrawn_at = clock.now
        db.session.commit()
        answer = page.sign_in(cast.administrator).get("/today")
        assert "No certification is on record. Every infusion departs from the protocol" in answer.words
        assert self.RECORD in answer.links()

    @pytest.mark.parametrize(
        "days, words", [(-1, "It ended on 21-Jan-2026. Every"), (0, "It ends on 22"), (30, "It ends on 21-Feb-2026")]
    )
    def test_one_that_has_ended_or_ends_within_30_days_is_told_to_everybody(self, page, cast, days, words):
        self.certified(cast, TODAY + timedelta(days=days))
        answer = page.sign_in(cast.staff).get("/today")
        assert words in answer.words
        assert "An administrator can record it." in answer.words
        assert self.RECORD not in answer.links()

    def test_one_that_holds_and_a_later_one_without_an_end_are_no_matter(self, page, cast):
        page.sign_in(cast.administrator)
        self.certified(cast, TODAY + timedelta(days=31))
        assert self.RECORD not in page.get("/today").links()
        self.certified(cast, TODAY)
        page.submit("/admin/certification/new", certified_on="05-Jan-2026", representative_name="Ana Dow")
        assert self.RECORD not in page.get("/today").links()

    def test_there_is_none_to_have_without_a_rems(self, page, cast):
        self.certified(cast, TODAY)
        db.session.get(Clinic, cast.northside.id).protocol_id = "lemtrada-eu"
        db.session.commit()
        assert self.RECORD not in page.sign_in(cast.administrator).get("/today").links()


def test_an_auditor_sees_numbers_and_no_action(page, cast, late):
    answer = page.sign_in(cast.auditor).get("/today")
    assert tiles(answer)["Overdue"][0] == "1"
    assert not [text for text in answer.links() if text.startswith(("Contact", "Record"))]


def test_an_empty_clinic_is_told_so(page, cast):
    words = page.sign_in(cast.staff).get("/today").words
    assert "everything is in" in words
    assert "Everybody has a course, a schedule and a prescriber" in words


def test_nobody_of_another_clinic_is_counted(page, cast, late):
    answer = page.sign_in(cast.stranger).get("/today")
    assert tiles(answer)["Overdue"][0] == "0"
    assert "OKAFOR" not in answer.words


def test_at_midnight_of_the_clinic_the_numbers_change_by_themselves(page, cast, staff, clock):
    treated(staff, date(2025, 6, 2), labs_until=date(2026, 1, 10))
    project(staff)
    clock.set("2026-02-06 23:59")
    assert tiles(page.sign_in(cast.staff).get("/today"))["Overdue"][0] == "0"
    clock.forward(minutes=1)
    assert tiles(page.get("/today"))["Overdue"][0] == "1"

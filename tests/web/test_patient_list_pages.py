"""The list of patients and the search, as people see them."""

from collections.abc import Callable
from datetime import date

import pytest

from clinic_tracker.models.audit import AccessEvent
from clinic_tracker.models.base import db
from clinic_tracker.queries import patient_lists
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.merging import merge_patients
from tests.factories import register
from tests.fixtures.clock import Clock
from tests.fixtures.pages import Page
from tests.fixtures.people import Cast

ScopeFor = Callable[..., Scope]


@pytest.fixture
def staff(cast: Cast, scope_for: ScopeFor) -> Scope:
    return scope_for(cast.staff)


def test_an_empty_clinic_is_told_what_to_do_first(page: Page, cast: Cast):
    answer = page.sign_in(cast.staff).get("/patients")
    assert "No patients yet" in answer.words
    assert answer.links()["Register patient"] == "/patients/new"


def test_an_auditor_is_offered_nothing_to_change(page: Page, cast: Cast):
    answer = page.sign_in(cast.auditor).get("/patients")
    assert "Register patient" not in answer.links()


def test_the_list_says_who_where_and_what_is_owed(page: Page, cast: Cast, staff: Scope):
    chart = register(staff, mrn="10233", family_name="Okafor", given_name="Ada", birth_date=date(1984, 3, 2))
    chart.enroll(cast.prescriber, date(2025, 10, 1)).infuse(date(2025, 11, 3))
    register(staff, mrn="2", family_name="Zabel", given_name="Ida", birth_date=date(1990, 1, 1))
    first, second = page.sign_in(cast.staff).get("/patients").rows()
    assert first[0] == "OKAFOR, Ada 02-Mar-1984 · MRN 10233"
    assert first[1:3] == ["Dr. Tomas Rey", "Course 1, month 3 of 48"]
    assert "overdue" in first[3]
    assert second[2] == "Waiting for course 1"
    assert second[4] == "No prescriber Not enrolled"


@pytest.mark.parametrize(
    "local,treatment,owed",
    [
        ("2025-06-09 12:00", "Course 1, month 1 of 48", "due in 4 days"),
        ("2025-06-20 12:00", "Course 1, month 1 of 48", "7 days overdue"),
        ("2029-06-07 12:00", "Ended on 06-Jun-2029, not signed off", "overdue"),
    ],
)
def test_the_treatment_is_told_on_the_day_of_the_page(page, cast, staff: Scope, clock: Clock, local, treatment, owed):
    chart = register(staff, has_cervix=False).enroll(cast.prescriber, date(2025, 5, 1)).infuse(date(2025, 6, 2))
    chart.exam("skin_exam", date(2025, 5, 30))
    clock.set(local)
    row = page.sign_in(cast.staff).get("/patients").rows()[0]
    assert treatment in row[2]
    assert owed in row[3]


def test_the_filter_lives_in_the_address(page: Page, cast: Cast, staff: Scope):
    register(staff, mrn="1").enroll(cast.prescriber)
    register(staff, mrn="2")
    page.sign_in(cast.staff)
    assert len(page.get("/patients?show=not_enrolled").rows()) == 1
    assert len(page.get(f"/patients?prescriber={cast.prescriber.public_id}").rows()) == 1
    nobody = page.get("/patients?show=closed")
    assert "Nobody here" in nobody.words
    assert nobody.links()["Show all patients"] == "/patients"


@pytest.mark.parametrize("query", ["show=nonsense", "prescriber=nonsense", "after=nonsense", "show=&prescriber="])
def test_a_filter_that_makes_no_sense_is_no_filter(page: Page, cast: Cast, staff: Scope, query):
    register(staff)
    assert len(page.sign_in(cast.staff).get(f"/patients?{query}").rows()) == 1


def test_long_lists_come_in_pages(page: Page, cast: Cast, staff: Scope, monkeypatch):
    monkeypatch.setattr(patient_lists.list_patients, "__defaults__", (None, None, 2))
    for number in range(3):
        register(staff, mrn=f"{number}", family_name="Same", given_name="Name", birth_date=date(1970 + number, 1, 1))
    first = page.sign_in(cast.staff).get("/patients")
    assert len(first.rows()) == 2
    second = page.get(first.links()["Next page →"])
    assert len(second.rows()) == 1
    assert second.links()["← Previous page"] == "/patients"


def test_every_listed_patient_is_in_the_access_log(page: Page, cast: Cast, staff: Scope):
    keys = sorted(register(staff).row.id for _ in range(2))
    page.sign_in(cast.staff).get("/patients")
    event = db.session.query(AccessEvent).one()
    assert (event.endpoint, event.patient_ids, event.user_id) == ("patients.index", keys, cast.staff.user_id)


def test_a_search_finds_a_name_without_putting_it_in_an_address(page: Page, cast: Cast, staff: Scope):
    register(staff, family_name="Okafor")
    answer = page.sign_in(cast.staff).post("/patients/search", {"query": " okaf "}, status=200)
    assert len(answer.rows()) == 1
    assert "1 chart found for “okaf”" in answer.words
    assert db.session.query(AccessEvent).filter_by(endpoint="patients.search").count() == 1


def test_a_whole_number_opens_the_chart(page: Page, cast: Cast, staff: Scope):
    chart = register(staff, mrn="AB-10233", rems_patient_id="R-55012")
    page.sign_in(cast.staff)
    for number in ("ab-10233", "R-55012"):
        answer = page.post("/patients/search", {"query": number})
        assert answer.location is not None
        assert str(chart.id) in answer.location


def test_the_number_of_a_merged_chart_opens_the_surviving_one_and_says_so(page, cast, staff, scope_for: ScopeFor):
    kept, merged = register(staff, mrn="100"), register(staff, mrn="200")
    merge_patients(scope_for(cast.administrator), kept.id, merged.id, reason="Same person")
    page.sign_in(cast.staff).post("/patients/search", {"query": "200"})
    assert "merged into this one" in page.follow().words


def test_a_search_warns_of_names_that_can_be_mistaken(page: Page, cast: Cast, staff: Scope):
    register(staff, family_name="Meyer", given_name="Anna", birth_date=date(1980, 1, 1))
    register(staff, family_name="Maier", given_name="Anna", birth_date=date(1991, 9, 9))
    answer = page.sign_in(cast.staff).post("/patients/search", {"query": "anna"}, status=200)
    assert "Some of these names are much alike" in answer.words
    assert [("Similar name" in row[4]) for row in answer.rows()] == [True, True]


@pytest.mark.parametrize("query,words", [("nobody", "No chart found"), ("  ", "What are you looking for?")])
def test_a_search_without_a_find_says_what_can_be_searched(page: Page, cast: Cast, query, words):
    assert words in page.sign_in(cast.staff).post("/patients/search", {"query": query}, status=200).words


def test_a_search_never_finds_another_clinic_s_patient(page: Page, cast: Cast, scope_for: ScopeFor):
    register(scope_for(cast.stranger), mrn="777", family_name="Okafor")
    page.sign_in(cast.staff)
    for query in ("777", "Okafor"):
        assert "No chart found" in page.post("/patients/search", {"query": query}, status=200).words

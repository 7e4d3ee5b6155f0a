"""Possible duplicates, comparing and merging charts, page by page."""

from collections.abc import Callable
from datetime import date
from uuid import uuid4

import pytest

from clinic_tracker.models.audit import AccessEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import PatientMerge
from clinic_tracker.queries.scope import Scope
from tests.factories import Chart, register
from tests.fixtures.pages import Page
from tests.fixtures.people import Cast

BORN = date(1990, 7, 14)
ScopeFor = Callable[..., Scope]


@pytest.fixture
def staff(cast: Cast, scope_for: ScopeFor) -> Scope:
    return scope_for(cast.staff)


@pytest.fixture
def kept(staff: Scope) -> Chart:
    return register(staff, mrn="10240", family_name="Ruiz", given_name="Elena", birth_date=BORN)


@pytest.fixture
def treated(staff: Scope, cast: Cast) -> Chart:
    chart = register(staff, mrn="10977", family_name="Ruis", given_name="Elena", birth_date=BORN)
    return chart.enroll(cast.prescriber, date(2025, 5, 1)).infuse(date(2025, 6, 2))


def between(kept: Chart, other: Chart) -> str:
    return f"/patients/duplicates/{kept.id}/{other.id}"


def test_no_duplicates_is_good_news(page: Page, cast: Cast):
    answer = page.sign_in(cast.staff).get("/patients/duplicates")
    assert "No possible duplicates" in answer.words
    assert "No charts have been merged." in answer.words


def test_pairs_are_listed_with_the_reason_and_logged(page: Page, cast: Cast, kept: Chart, treated: Chart):
    answer = page.sign_in(cast.staff).get("/patients/duplicates")
    assert answer.rows()[0][2] == "A similar name and the same birth date"
    assert db.session.query(AccessEvent).one().patient_ids == [kept.row.id, treated.row.id]


def test_both_charts_stand_side_by_side(page: Page, cast: Cast, kept: Chart, treated: Chart):
    answer = page.sign_in(cast.administrator).get(between(kept, treated))
    rows = {row[0]: row[1:] for row in answer.rows()}
    assert rows["Family name"] == ["Ruiz", "Ruis", "Differs"]
    assert rows["Date of birth"] == ["14-Jul-1990", "14-Jul-1990", "Same"]
    assert rows["On record"][0] == "Nothing"
    assert "moves: 1 enrollment, 1 course, 5 infusions" in answer.words
    assert answer.links()["Keep the other chart instead"] == between(treated, kept)


def test_a_merge_and_its_undo(page: Page, cast: Cast, kept: Chart, treated: Chart):
    page.sign_in(cast.administrator)
    address = between(kept, treated)
    refused = page.post(f"{address}/merge", {"reason": " "}, status=400)
    assert refused.errors == ["Give the reason"]
    page.post(f"{address}/merge", {"reason": "Same phone and address"})
    assert "Charts merged." in page.follow().words
    assert treated.row.merged_into_id == kept.row.id
    merge = db.session.query(PatientMerge).one()
    listed = page.get("/patients/duplicates")
    assert "Same phone and address" in listed.words
    undo = f"/patients/merges/{merge.public_id}/undo"
    assert "1 enrollment, 1 course, 5 infusions" in page.get(undo).words
    page.submit(undo, reason="Twins")
    assert "Merge undone." in page.follow().words
    assert treated.row.merged_into_id is None
    assert "already, by you" in page.submit(undo, status=400, reason="Again").errors[0]


def test_a_conflict_is_told_before_anybody_tries(page: Page, cast: Cast, kept: Chart, treated: Chart):
    kept.enroll(cast.prescriber, date(2025, 1, 2))
    page.sign_in(cast.administrator)
    answer = page.get(between(kept, treated))
    assert "Both charts have a current enrollment" in answer.words
    assert "Merge charts" not in answer.words
    refused = page.post(f"{between(kept, treated)}/merge", {"reason": "Same person"}, status=400)
    assert "Both charts have a current enrollment" in refused.errors[0]


def test_a_merged_pair_cannot_be_merged_again(page: Page, cast: Cast, kept: Chart, treated: Chart):
    page.sign_in(cast.administrator)
    page.post(f"{between(kept, treated)}/merge", {"reason": "Same person"})
    assert "was merged already" in page.get(between(kept, treated)).words
    page.post(f"{between(kept, treated)}/merge", {"reason": "Same person"}, status=404)


def test_two_people_are_noted_and_the_pair_is_gone(page: Page, cast: Cast, kept: Chart, treated: Chart):
    page.sign_in(cast.administrator)
    page.submit(between(kept, treated), action=f"{between(kept, treated)}/different")
    assert "two different people" in page.follow().words
    assert "No possible duplicates" in page.get("/patients/duplicates").words


def test_any_two_charts_are_compared_by_their_numbers(page: Page, cast: Cast, kept: Chart, treated: Chart):
    page.sign_in(cast.administrator)
    missing = page.submit("/patients/duplicates", status=400, keep="10240", other="99")
    assert missing.errors == ["No chart of this clinic has this MRN"]
    answer = page.submit("/patients/duplicates", keep="10977", other="10240")
    assert answer.location == between(treated, kept)
    same = page.get(between(kept, kept))
    assert same.status == 200
    page.post(f"{between(kept, kept)}/merge", {"reason": "x"}, status=400)


@pytest.mark.parametrize("role", ["staff", "neurologist", "auditor"])
def test_others_may_compare_and_not_merge(page: Page, cast: Cast, kept: Chart, treated: Chart, role):
    page.sign_in(cast.person(role))
    answer = page.get(between(kept, treated))
    assert "An administrator can merge charts" in answer.words
    page.post(f"{between(kept, treated)}/merge", {"reason": "x"}, status=403)
    page.post(f"{between(kept, treated)}/different", status=403)
    page.get(f"/patients/merges/{uuid4()}/undo", status=403)
    assert treated.row.merged_into_id is None


def test_another_clinic_s_charts_and_merges_are_not_found(page, cast, kept: Chart, scope_for: ScopeFor):
    elsewhere = register(scope_for(cast.stranger), mrn="555")
    page.sign_in(cast.administrator)
    page.get(between(kept, elsewhere), status=404)
    page.post(f"{between(elsewhere, kept)}/merge", {"reason": "x"}, status=404)
    page.get(f"/patients/merges/{uuid4()}/undo", status=404)
    assert page.submit("/patients/duplicates", status=400, keep="10240", other="555").errors

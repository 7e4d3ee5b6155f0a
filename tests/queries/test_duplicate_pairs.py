"""Charts that may be of one person."""

from collections.abc import Callable
from datetime import date

import pytest

from clinic_tracker.domain.duplicates import Person
from clinic_tracker.queries.duplicates import (
    Chart,
    count_duplicate_pairs,
    duplicate_pairs,
    like_named,
    similar_charts,
)
from clinic_tracker.queries.merging import rows_of
from clinic_tracker.queries.patients import earliest_fact_on
from clinic_tracker.queries.scope import Scope
from tests.factories import register
from tests.fixtures.people import Cast

BORN = date(1990, 7, 14)


@pytest.fixture
def staff(cast: Cast, scope_for: Callable[..., Scope]) -> Scope:
    return scope_for(cast.staff)


def test_a_pair_is_told_once_with_its_reasons(staff: Scope):
    register(staff, mrn="1", family_name="Ruiz", given_name="Elena", birth_date=BORN)
    register(staff, mrn="2", family_name="Ruis", given_name="Elena", birth_date=BORN)
    register(staff, mrn="3", family_name="Bauer", given_name="Uwe", birth_date=BORN)
    pairs = duplicate_pairs(staff)
    assert [(pair.first.mrn, pair.second.mrn) for pair in pairs] == [("1", "2")]
    assert pairs[0].reasons == ("a similar name and the same birth date",)
    assert count_duplicate_pairs(staff) == 1


def test_charts_of_other_clinics_are_nobody_s_duplicates(staff: Scope, cast: Cast, scope_for):
    register(staff, family_name="Ruiz", given_name="Elena", birth_date=BORN)
    register(scope_for(cast.stranger), family_name="Ruiz", given_name="Elena", birth_date=BORN)
    assert duplicate_pairs(staff) == ()
    person = Person(None, "Ruiz", "Elena", BORN)
    assert len(similar_charts(staff, person)) == 1


def test_a_chart_is_not_like_itself(staff: Scope):
    own = register(staff, family_name="Ruiz", given_name="Elena", birth_date=BORN)
    person = Person(None, "Ruiz", "Elena", BORN)
    assert similar_charts(staff, person, own=own.row.id) == ()


def test_names_that_sound_alike_are_marked_in_a_list(staff: Scope):
    def chart(key: int, family: str, given: str) -> Chart:
        return Chart(key, register(staff).id, family, given, BORN, str(key), None)

    charts = [chart(1, "Meyer", "Anna"), chart(2, "Maier", "Anna"), chart(3, "Meyer", "Tom"), chart(4, "Bo", "Li")]
    assert like_named(staff, charts) == {1, 2}


def test_what_a_chart_holds_is_counted_by_table(staff: Scope, cast: Cast):
    chart = register(staff, birth_date=BORN).enroll(cast.prescriber, date(2025, 5, 1)).infuse(date(2025, 6, 2), days=2)
    chart.exam("skin_exam", date(2025, 4, 30))
    counted = rows_of(staff, chart.row.id)
    assert counted["infusion"] == 2
    assert counted["exam"] == 1
    assert "lab_report" not in counted
    assert earliest_fact_on(staff, chart.row.id) == date(2025, 4, 30)
    assert earliest_fact_on(staff, register(staff).row.id) is None

import string
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_tracker.domain.duplicates import Person, edit_distance, likely_duplicates, likely_pairs, sound_key

BORN = date(1984, 7, 12)


def person(family, given_name, born=BORN, key=1, rems=None):
    return Person(key, family, given_name, born, rems)


ADA = person("Okafor", "Adaeze", key=7)


def scores(patient, *others):
    return [(match.score, match.reasons) for match in likely_duplicates(patient, others)]


def test_the_same_name_and_birth_date_is_nearly_certain():
    assert scores(ADA, person("OKAFOR", " adaeze ")) == [(95, ("the same name and the same birth date",))]


@pytest.mark.parametrize(
    "one,other",
    [
        (("O'Neill", "Ann"), ("ONeill", "Ann")),
        (("Núñez", "José"), ("Nunez", "Jose")),
        (("Okafor", "Adaeze"), ("Adaeze", "Okafor")),
        (("Okafor", "Adaeze"), ("Okafro", "Adaeze")),
        (("Okafor", "Adaeze"), ("Okafor", "Adaez")),
        (("Meyer", "Ann"), ("Maier", "Ann")),
        (("Ruiz-Lopez", "Elena"), ("Ruiz", "Elena")),
        (("Ruiz Lopez", "Elena"), ("Lopez", "Elena")),
        (("Okafor", "Alexander"), ("Okafor", "Alex")),
        (("Schwarzenberger", "Ann"), ("Schwarzenbreger", "Ann")),
        (("Wojciechowski", "Ann"), ("Wojcechowsky", "Ann")),
        (("Kern", "Ann"), ("Karn", "Ann")),
        (("Kern", "Ann"), ("Bern", "Ann")),
        (("Katz", "Ann"), ("Kats", "Ann")),
        (("Bauermen", "Ann"), ("Lauermet", "Ann")),
        (("Lea", "Ann"), ("Lee", "Ann")),
        (("Lee", "Ann"), ("Lee Park", "Ann")),
        (("Okafor", "Ben"), ("Okafor", "Benjamin")),
    ],
)
def test_similar_names_with_the_same_birth_date_are_found(one, other):
    ((score, reasons),) = scores(person(*one), person(*other, key=2))
    assert score >= 80
    assert reasons[0].endswith("and the same birth date")


@pytest.mark.parametrize(
    "one,other",
    [
        (("Okafor", "Adaeze"), ("Okafor", "Chinedu")),
        (("Okafor", "Adaeze"), ("Ruiz", "Adaeze")),
        (("Lee", "Ann"), ("Lim", "Ann")),
        (("Ng", "Ann"), ("Ny", "Ann")),
        (("Li", "Ann"), ("La", "Ann")),
        (("Bauerme", "Ann"), ("Lauerma", "Ann")),
        (("Li", "Ann"), ("Li Park", "Ann")),
        (("Okafor", "Al"), ("Okafor", "Alexander")),
        (("---", "Ann"), ("...", "Ann")),
    ],
)
def test_other_people_of_the_same_birth_date_are_not(one, other):
    assert scores(person(*one), person(*other, key=2)) == []


@pytest.mark.parametrize("born", [date(1984, 12, 7), date(1948, 7, 12), date(1984, 7, 21), date(1984, 7, 12)])
def test_a_birth_date_with_swapped_digits_counts_with_the_same_name(born):
    ((score, _),) = scores(ADA, person("Okafor", "Adaeze", born, key=2))
    assert score == (95 if born == BORN else 75)
    assert bool(scores(ADA, person("Okafro", "Adaeze", born, key=2))) is (born == BORN)


@pytest.mark.parametrize("born", [date(1984, 7, 13), date(1985, 8, 12), date(1984, 6, 22), date(1989, 4, 12)])
def test_another_birth_date_is_another_person(born):
    assert scores(ADA, person("Okafor", "Adaeze", born, key=2)) == []


def test_two_days_that_differ_in_neighboring_digits_are_not_swapped():
    assert scores(person("Lee", "Ann", date(1984, 7, 10)), person("Lee", "Ann", date(1984, 7, 21), key=2)) == []


def test_a_day_that_equals_its_month_is_not_swapped_with_itself():
    born = date(1984, 7, 7)
    assert scores(person("Lee", "Ann", born), person("Lee", "Ann", born, key=2))[0][0] == 95


def test_the_same_rems_id_is_certain_and_every_reason_is_given():
    one = person("Okafor", "Adaeze", rems="P-100 23")
    assert scores(one, person("Ruiz", "Elena", date(1990, 1, 1), 2, "p10023")) == [(100, ("the same REMS id",))]
    ((score, reasons),) = scores(one, person("Okafor", "Adaeze", key=2, rems="P-10023"))
    assert (score, len(reasons)) == (100, 2)
    assert scores(person("Okafor", "Adaeze"), person("Ruiz", "Elena", key=2)) == []


def test_the_likeliest_comes_first_and_nobody_is_a_duplicate_of_oneself():
    exact, swapped = person("Okafor", "Adaeze", key=3), person("Adaeze", "Okafor", key=2)
    assert [match.key for match in likely_duplicates(ADA, [swapped, ADA, exact, ADA._replace()])] == [3, 2]


def test_a_patient_being_registered_has_no_key_yet():
    new = person("Okafor", "Adaeze", key=None)
    assert [match.key for match in likely_duplicates(new, [ADA])] == [7]
    assert likely_duplicates(new, [new]) == ()


def test_pairs_of_the_whole_clinic_are_found_once():
    people = [
        ADA,
        person("Okafor", "Adaeze", date(1984, 12, 7), key=8),
        person("Okafro", "Adaeze", key=9),
        person("Ruiz", "Elena", date(1990, 1, 1), key=10, rems="P1"),
        person("Kim", "Min", date(1991, 1, 1), key=11, rems="P-1"),
        person("Lee", "Ann", date(1970, 1, 1), key=12),
    ]
    assert [pair[:3] for pair in likely_pairs(people)] == [(10, 11, 100), (7, 9, 80), (7, 8, 75)]


@pytest.mark.parametrize(
    "name,key",
    [
        ("Robert", "R163"),
        ("Rupert", "R163"),
        ("Tymczak", "T522"),
        ("Pfister", "P236"),
        ("Honeyman", "H555"),
        ("Ashcraft", "A261"),
        ("Lee", "L000"),
        ("Núñez", "N520"),
        ("Ko3walski", "K420"),
        ("", ""),
        ("123", ""),
    ],
)
def test_names_that_sound_alike_have_one_key(name, key):
    assert sound_key(name) == key


@pytest.mark.parametrize(
    "one,other,distance",
    [("", "abc", 3), ("kitten", "sitting", 3), ("okafor", "okafro", 1), ("ab", "ba", 1), ("a", "a", 0)],
)
def test_a_swap_of_neighbors_is_one_error(one, other, distance):
    assert edit_distance(one, other) == distance


NAMES = st.text(string.ascii_letters + "é-' ", max_size=12)
PEOPLE = st.builds(
    Person,
    st.integers(1, 5),
    NAMES,
    NAMES,
    st.sampled_from([BORN, date(1984, 12, 7), date(1990, 1, 1)]),
    st.sampled_from([None, "P1", "P2"]),
)


@given(PEOPLE, PEOPLE)
def test_likeness_is_symmetric_and_never_with_oneself(one, other):
    there = [(match.score, match.reasons) for match in likely_duplicates(one, [other])]
    back = [(match.score, match.reasons) for match in likely_duplicates(other, [one])]
    assert there == back
    assert not (there and one.key == other.key)
    assert likely_duplicates(one, [one]) == ()


@given(NAMES, NAMES)
def test_edit_distance_is_symmetric_and_bounded(one, other):
    assert edit_distance(one, other) == edit_distance(other, one) <= max(len(one), len(other))
    assert (edit_distance(one, other) == 0) == (one == other)


@given(st.lists(PEOPLE, max_size=8, unique_by=lambda one: one.key))
def test_the_tally_finds_what_registration_would_find(people):
    pairs = {frozenset(pair[:2]): pair[2] for pair in likely_pairs(people)}
    for one in people:
        for match in likely_duplicates(one, people):
            assert pairs[frozenset((one.key, match.key))] == match.score

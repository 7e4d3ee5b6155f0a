"""A result goes to a chart only when there is no doubt whose it is."""

import unicodedata
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_tracker.domain.matching import (
    Candidate,
    Doubtful,
    Exact,
    How,
    NoMatch,
    certain,
    match,
    same_given_name,
    same_name,
)
from clinic_tracker.domain.messages import Identifier, Identity
from clinic_tracker.domain.vocabulary import Sex

pytestmark = pytest.mark.no_database

BORN = date(1985, 3, 2)
ANA = Candidate(1, "70001", "Muñoz-Reyes", "Ana María", BORN, Sex.FEMALE, "R-9", frozenset({("LAB", "L-5")}))
BEN = Candidate(2, "70002", "O'Neill", "Ben", date(1979, 11, 30), Sex.MALE)


def said(**values):
    usual = {"family_name": "MUNOZ REYES", "given_name": "ANA M.", "birth_date": BORN, "sex": Sex.FEMALE}
    return Identity(**{**usual, **values})


def number(value, system="", kind="MR"):
    return (Identifier(value, system, kind),)


@pytest.mark.parametrize(
    "identifiers, how",
    [
        (number("70001"), How.MRN),
        (number("R-9", kind=""), How.REMS_ID),
        (number("L-5", "LAB", "PI"), How.IDENTIFIER),
        ((), How.DEMOGRAPHICS),
    ],
)
def test_an_identifier_goes_first_then_name_birth_date_and_sex(identifiers, how):
    assert match(said(identifiers=identifiers), [ANA, BEN]) == Exact(1, how)


def test_a_learned_number_counts_only_with_the_one_who_gave_it():
    identity = Identity(identifiers=number("L-5", "OTHER", "PI"))
    assert match(identity, [ANA, BEN]) == NoMatch()


@pytest.mark.parametrize("kind", ["SS", "DL", "AN", "VN"])
def test_a_number_of_another_kind_is_no_record_number(kind):
    assert match(Identity(identifiers=number("70001", kind=kind)), [ANA]) == NoMatch()


@pytest.mark.parametrize("changed", [{"family_name": "Petrov"}, {"birth_date": date(1985, 3, 12)}])
def test_an_identifier_holds_against_one_difference(changed):
    assert match(said(identifiers=number("70001"), **changed), [ANA, BEN]) == Exact(1, How.MRN)


def test_an_identifier_that_name_and_birth_date_contradict_is_doubtful():
    stranger = said(identifiers=number("70001"), family_name="Petrov", given_name="Ilya", birth_date=date(1960, 1, 1))
    found = match(stranger, [ANA, BEN])
    assert isinstance(found, Doubtful)
    (likely,) = found.candidates
    assert likely.agrees == ("identifier", "sex")
    assert likely.differs == ("family_name", "given_name", "birth_date")


@pytest.mark.parametrize(
    "changed",
    [
        {"given_name": "Andrés", "sex": Sex.MALE},
        {"given_name": "Inés", "family_name": "Petrov"},
        {"birth_date": date(1985, 3, 12), "sex": Sex.MALE},
    ],
)
def test_an_identifier_that_two_things_contradict_is_doubtful(changed):
    assert isinstance(match(said(identifiers=number("70001"), **changed), [ANA, BEN]), Doubtful)


def test_an_identifier_alone_whose_name_differs_is_doubtful():
    identity = Identity(identifiers=number("70001"), family_name="Petrov")
    assert isinstance(match(identity, [ANA, BEN]), Doubtful)


def test_an_identifier_with_nothing_else_is_believed():
    assert match(Identity(identifiers=number("70001")), [ANA, BEN]) == Exact(1, How.MRN)


def test_two_identifiers_of_two_charts_are_doubtful():
    both = said(identifiers=number("70001") + number("70002"))
    assert isinstance(match(both, [ANA, BEN]), Doubtful)


def test_the_number_of_one_and_the_person_of_another_are_doubtful():
    twin = ANA.__class__(3, "70003", "Muñoz-Reyes", "Inés", BORN, Sex.FEMALE)
    found = match(said(identifiers=number("70001"), given_name="Ines"), [ANA, twin])
    assert isinstance(found, Doubtful)
    assert {one.key for one in found.candidates} == {1, 3}


@pytest.mark.parametrize(
    "changed",
    [
        {"birth_date": None},
        {"sex": Sex.UNKNOWN},
        {"sex": Sex.MALE},
        {"given_name": "Anna"},
        {"given_name": "Ana Lucía"},
    ],
)
def test_without_an_identifier_everything_must_agree(changed):
    assert isinstance(match(said(**changed), [ANA, BEN]), Doubtful)


def test_two_charts_that_fit_are_doubtful():
    again = Candidate(9, "70009", "Munoz Reyes", "Ana", BORN, Sex.FEMALE)
    found = match(said(), [ANA, again])
    assert isinstance(found, Doubtful)
    assert len(found.candidates) == 2


def test_nobody_alike_is_no_match():
    assert match(said(family_name="Petrov", given_name="Ilya", birth_date=date(1960, 1, 1)), [ANA, BEN]) == NoMatch()
    assert match(Identity(), [ANA, BEN]) == NoMatch()


@pytest.mark.parametrize(
    "one, other, same",
    [
        ("O’Neill", "ONEILL", True),
        ("Smith-Jones", "smith jones", True),
        ("Müller", "MULLER", True),
        ("Muller", "Mueller", False),
        ("", "", False),
        ("---", "---", False),
    ],
)
def test_family_names(one, other, same):
    assert same_name(one, other) is same


@pytest.mark.parametrize(
    "one, other, same",
    [
        ("Mary Ann", "MARY A.", True),
        ("Mary", "Mary Ann", True),
        ("Jean-Luc", "Jean Luc", True),
        ("Mary Ann", "Mary Beth", False),
        ("Anna-Maria", "Anna", False),
        ("M.", "Mary", False),
    ],
)
def test_given_names(one, other, same):
    assert same_given_name(one, other) is same
    assert same_given_name(other, one) is same


NAMES = st.sampled_from(["Ana", "Ana María", "Ben", "Benedikt", "Muñoz", "Munoz-Reyes", "O'Neill", "Li", ""])
DAYS = st.sampled_from([BORN, BORN + timedelta(days=1), date(1985, 2, 3), date(1979, 11, 30)])
SEXES = st.sampled_from(list(Sex))
NUMBERS = st.sampled_from(["70001", "70002", "R-9", "L-5", ""])
CANDIDATES = st.builds(
    Candidate,
    key=st.integers(1, 50),
    mrn=NUMBERS,
    family_name=NAMES,
    given_name=NAMES,
    birth_date=DAYS,
    sex=SEXES,
    rems_patient_id=st.none() | NUMBERS,
    identifiers=st.frozensets(st.tuples(st.sampled_from(["LAB", ""]), NUMBERS), max_size=2),
)
CHARTS = st.lists(CANDIDATES, max_size=6, unique_by=lambda one: one.key)
IDENTITIES = st.builds(
    Identity,
    identifiers=st.lists(
        st.builds(Identifier, NUMBERS, st.sampled_from(["LAB", ""]), st.sampled_from(["MR", "PI", "SS", ""])),
        max_size=3,
    ).map(tuple),
    family_name=NAMES,
    given_name=NAMES,
    birth_date=st.none() | DAYS,
    sex=SEXES,
)


@given(IDENTITIES, CHARTS, st.randoms())
def test_the_order_of_the_charts_does_not_matter(identity, charts, random):
    shuffled = random.sample(charts, len(charts))
    assert match(identity, charts) == match(identity, shuffled)


@given(IDENTITIES, CHARTS)
def test_case_and_accents_do_not_matter(identity, charts):
    plain = "".join(one for one in unicodedata.normalize("NFD", identity.family_name) if not unicodedata.combining(one))
    shouted = Identity(
        identity.identifiers, plain.upper(), identity.given_name.upper(), identity.birth_date, identity.sex
    )
    assert match(shouted, charts) == match(identity, charts)


@given(IDENTITIES, CHARTS)
def test_what_name_and_birth_date_contradict_is_never_exact(identity, charts):
    found = match(identity, charts)
    if isinstance(found, Exact):
        (chart,) = (one for one in charts if one.key == found.key)
        named = same_name(identity.family_name, chart.family_name)
        assert named or identity.birth_date in (None, chart.birth_date) or not identity.family_name


@given(IDENTITIES, CHARTS)
def test_one_chart_more_never_turns_one_certain_chart_into_another(identity, charts):
    found = match(identity, charts)
    for chart in charts:
        without = match(identity, [one for one in charts if one is not chart])
        if isinstance(found, Exact) and isinstance(without, Exact) and found.how is without.how is How.MRN:
            assert found.key in (without.key, chart.key)


@given(IDENTITIES, CHARTS)
def test_the_short_way_says_nothing_else_than_the_long_one(identity, charts):
    for chart in charts:
        how = certain(identity, chart)
        if how is not None:
            assert match(identity, [chart]) == Exact(chart.key, how)

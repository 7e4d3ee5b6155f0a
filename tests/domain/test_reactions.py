"""Reactions: the checklist, what makes one serious, and by when it is reported (R-80)."""

from datetime import date

import pytest

from clinic_tracker.domain import reactions
from clinic_tracker.domain.vocabulary import ReactionGrade

LABEL_TERMS = {
    "headache",
    "rash",
    "pyrexia",
    "nausea",
    "urticaria",
    "pruritus",
    "flushing",
    "chest_discomfort",
    "dyspnea",
    "tachycardia",
    "bradycardia",
    "hypotension",
    "hypertension",
    "dizziness",
    "chills",
    "bronchospasm",
    "anaphylaxis",
    "stroke_signs",
}


def test_the_checklist_holds_the_terms_of_the_label_each_once():
    codes = [term.code for group in reactions.SIGNS for term in group.terms]
    assert set(codes) >= LABEL_TERMS
    assert len(codes) == len(set(codes))


def test_signs_read_as_one_line():
    assert reactions.told(["rash", "pruritus"], "both forearms") == "Rash, itching; both forearms"
    assert reactions.told([], "Cold hands") == "Cold hands"


def test_a_code_that_is_no_longer_known_is_still_told():
    assert reactions.words_of(["odd_feeling"]) == ("odd feeling",)


@pytest.mark.parametrize(
    "grade, ticked, met",
    [
        (ReactionGrade.SEVERE, [], ()),
        (ReactionGrade.MILD, ["hospitalization"], ("hospitalization",)),
        (ReactionGrade.LIFE_THREATENING, [], ("life_threatening",)),
        (ReactionGrade.FATAL, ["hospitalization"], ("death", "hospitalization")),
    ],
)
def test_serious_is_what_meets_a_criterion_and_not_what_is_merely_severe(grade, ticked, met):
    assert reactions.seriousness_of(grade, ticked) == met


def test_a_report_is_due_in_business_days():
    friday, monday = date(2026, 1, 23), date(2026, 1, 26)
    assert reactions.report_due_on(friday, 1, frozenset()) == monday
    assert reactions.report_due_on(friday, 1, frozenset({monday.toordinal()})) == date(2026, 1, 27)

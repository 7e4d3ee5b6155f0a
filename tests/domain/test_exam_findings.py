"""Each outcome of an exam that somebody should look at has one rule: how loud, what to do, where it comes from."""

from datetime import date

import pytest

from clinic_tracker.domain.exam_findings import EXAM_RULES, exam_findings, exam_level
from clinic_tracker.domain.screening import EXAM_TYPES
from clinic_tracker.domain.vocabulary import Grade

pytestmark = pytest.mark.no_database
DAY = date(2026, 1, 12)


def test_every_outcome_that_needs_attention_has_its_rule_and_no_other_has() -> None:
    asked = {(kind.value, one.code) for kind, known in EXAM_TYPES.items() for one in known.outcomes if one.attention}
    assert set(EXAM_RULES) == asked
    assert len({rule.code for rule in EXAM_RULES.values()}) == len(asked)


def test_an_hiv_infection_is_a_contraindication_and_red() -> None:
    (found,) = exam_findings("hiv_test", "positive", DAY)
    assert found.words == "HIV test of 12-Jan-2026: positive"
    assert (found.level, found.grade, found.rule) == ("red", Grade.A, "hiv_test_positive")
    assert "contraindication" in found.action
    assert "Label 4" in found.source


def test_only_an_infection_with_hiv_and_a_pregnancy_are_red() -> None:
    red = {key for key, rule in EXAM_RULES.items() if rule.level == "red"}
    assert red == {("hiv_test", "positive"), ("pregnancy_test", "positive")}


def test_what_no_label_says_is_called_a_local_convention() -> None:
    for rule in EXAM_RULES.values():
        assert rule.grade is Grade.A or "Local convention" in rule.source, rule.code


@pytest.mark.parametrize("kind, outcome", [("hiv_test", "negative"), ("vzv_history", "positive"), ("ecg", "other")])
def test_other_outcomes_call_for_nothing(kind: str, outcome: str) -> None:
    assert exam_findings(kind, outcome, DAY) == ()
    assert exam_level(kind, outcome) is None

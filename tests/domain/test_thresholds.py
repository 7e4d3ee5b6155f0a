"""Thresholds of findings: what the catalog holds row by row, what a clinic may choose, and what stays expected."""

from datetime import date

import pytest

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.lab_findings import Measured, told_once
from clinic_tracker.domain.panels import Level
from clinic_tracker.domain.thresholds import NOT_COMPUTED, check_thresholds, threshold_rule, threshold_unit
from clinic_tracker.domain.vocabulary import Grade
from tests.domain.test_lab_findings import CATALOG, find, rules

NUMBERS = {
    "platelets_critical": (30, Level.RED, Grade.C),
    "platelets_very_low": (50, Level.RED, Grade.C),
    "platelets_low": (100, Level.RED, Grade.B),
    "platelets_halved": (50, Level.RED, Grade.B),
    "platelets_reduced": (150, Level.AMBER, Grade.C),
    "neutrophils_very_low": (0.5, Level.RED, Grade.C),
    "neutrophils_low": (1.0, Level.AMBER, Grade.C),
    "creatinine_far_above_baseline": (1.5, Level.RED, Grade.C),
    "creatinine_rise": (0.3, Level.RED, Grade.C),
    "creatinine_above_baseline": (1.3, Level.AMBER, Grade.C),
    "hematuria_on_repeat": (5, Level.RED, Grade.C),
    "hematuria": (3, Level.AMBER, Grade.C),
    "proteinuria": (200, Level.RED, Grade.C),
    "transaminases_very_high": (5, Level.RED, Grade.C),
    "transaminases_high": (3, Level.AMBER, Grade.C),
    "bilirubin_high": (2, Level.AMBER, Grade.C),
}


def test_the_numbers_are_those_of_the_sources_and_no_other_rule_has_one():
    found = {
        rule.code: (rule.threshold, rule.level, rule.grade) for rule in CATALOG.rules if rule.threshold is not None
    }
    assert found == NUMBERS
    check_thresholds(CATALOG, {code: number for code, (number, _, _) in NUMBERS.items()})


def test_a_clinic_may_choose_every_number_within_bounds_and_nothing_of_the_label():
    editable = {rule.code for rule in CATALOG.rules if rule.editable}
    assert editable == set(NUMBERS)
    assert all(rule.least <= rule.threshold <= rule.most for rule in CATALOG.rules if rule.editable)
    for code in ("kidney_with_blood", "thyroid", "nonsense"):
        with pytest.raises(RuleViolation, match="cannot be changed"):
            threshold_rule(CATALOG, code)


def test_every_number_says_in_what_it_counts():
    units = {code: threshold_unit(CATALOG, threshold_rule(CATALOG, code)) for code in NUMBERS}
    assert units["platelets_low"] == "K/uL"
    assert units["platelets_halved"] == "% of the previous value"
    assert units["creatinine_above_baseline"] == "times the baseline"
    assert units["creatinine_rise"] == "mg/dL"
    assert units["bilirubin_high"] == "times the upper limit"
    assert all(units.values())


@pytest.mark.parametrize(
    "values",
    [
        {"platelets_low": 99},
        {"platelets_critical": 50, "platelets_very_low": 50},
        {"neutrophils_very_low": 1.0},
        {"transaminases_very_high": 3},
        {"creatinine_above_baseline": 1.6},
    ],
)
def test_no_value_may_make_a_milder_rule_hide_a_graver_one(values):
    with pytest.raises(RuleViolation):
        check_thresholds(CATALOG, values)


@pytest.mark.parametrize("lymphocytes", [0.0, 0.05, 0.2, 0.8])
def test_low_lymphocytes_never_alarm_whatever_the_clinic_chooses(lymphocytes):
    loudest = CATALOG.with_thresholds({rule.code: rule.most for rule in CATALOG.rules if rule.editable})
    values = {"lymphocytes": lymphocytes, "wbc": 1.2, "cd4": 30, "neutrophils": 3.0, "platelets": 260}
    assert find(values) == ()
    assert find(values, catalog=loudest) == ()
    assert find({**values, "lymphocytes": Measured(lymphocytes, "10*3/uL", 1.0, 4.8)}) == ()


def test_a_finding_says_from_which_value_of_which_day_it_was_measured():
    baseline = {"creatinine": Measured(0.6, "mg/dL", on=date(2025, 11, 25))}
    (found,) = find({"creatinine": 1.0}, baseline=baseline)
    assert found.words.endswith("(baseline 0.6 on 25-Nov-2025)")
    assert found.as_json()["compared"] == [
        {"what": "baseline", "analyte": "creatinine", "value": "0.6", "on": "2025-11-25"}
    ]
    assert found.as_json()["threshold"] == 1.5


def test_a_combined_finding_keeps_the_dates_of_its_parts_and_is_told_once():
    baseline = {"creatinine": Measured(0.6, "mg/dL", on=date(2025, 11, 25))}
    previous = {"urine_rbc": Measured(4, "/[HPF]", on=date(2025, 12, 20))}
    found = find({"creatinine": 1.0, "urine_rbc": 8}, previous, baseline)
    assert found[0].rule == "kidney_with_blood"
    assert {item.on for item in found[0].compared} == {date(2025, 11, 25), date(2025, 12, 20)}
    assert [item["rule"] for item in told_once([one.as_json() for one in found])] == ["kidney_with_blood"]


def test_red_cells_count_as_repeated_only_after_an_abnormal_count():
    assert rules({"urine_rbc": 8}, previous={"urine_rbc": 2}) == ["hematuria"]
    assert rules({"urine_rbc": 8}, previous={"urine_rbc": 3}) == ["hematuria_on_repeat"]
    assert rules({"urine_rbc": 5}, previous={"urine_rbc": 3}) == ["hematuria"]


def test_what_cannot_be_worked_out_is_said():
    assert any("Fever" in what and "ferritin" in what for what, _ in NOT_COMPUTED)

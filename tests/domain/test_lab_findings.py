import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_tracker.domain import lab_codes
from clinic_tracker.domain.lab_findings import Measured, findings
from clinic_tracker.domain.panels import Level
from clinic_tracker.domain.vocabulary import Grade, Sex

CATALOG = lab_codes.load(
    tomllib.loads(Path(lab_codes.__file__).with_suffix(".toml").read_text(encoding="utf-8")), "lab_codes.toml"
)
UNIT = {code: analyte.scales[0].unit for code, analyte in CATALOG.analytes.items() if analyte.scales}


def measure(values):
    return {
        code: value if isinstance(value, Measured) else Measured(value, UNIT[code]) for code, value in values.items()
    }


def find(values, previous=None, baseline=None, sex=Sex.FEMALE, catalog=CATALOG):
    return findings(catalog, measure(values), measure(previous or {}), measure(baseline or {}), sex)


def rules(*arguments, **named):
    return [finding.rule for finding in find(*arguments, **named)]


@pytest.mark.parametrize(
    "values,expected",
    [
        ({"platelets": 29}, ["platelets_critical"]),
        ({"platelets": 30}, ["platelets_very_low"]),
        ({"platelets": 50}, ["platelets_low"]),
        ({"platelets": 99.9}, ["platelets_low"]),
        ({"platelets": 100}, ["platelets_reduced"]),
        ({"platelets": 149}, ["platelets_reduced"]),
        ({"platelets": 150}, []),
        ({"platelets": 460}, ["outside_range"]),
        ({"neutrophils": 0.49}, ["neutrophils_very_low"]),
        ({"neutrophils": 0.99}, ["neutrophils_low"]),
        ({"neutrophils": 1.4}, ["outside_range"]),
        ({"tsh": 0.39}, ["thyroid"]),
        ({"tsh": 4.6}, ["thyroid"]),
        ({"tsh": 4.5}, []),
        ({"urine_rbc": 2}, []),
        ({"urine_rbc": 3}, ["hematuria"]),
        ({"urine_rbc": 9}, ["hematuria"]),
        ({"upcr": 200}, ["above_range"]),
        ({"upcr": 201}, ["proteinuria"]),
        ({"alt": 165}, ["above_range"]),
        ({"alt": 166}, ["transaminases_high"]),
        ({"alt": 276}, ["transaminases_very_high"]),
        ({"ast": 145}, ["transaminases_high"]),
        ({"bilirubin_total": 2.4}, ["bilirubin_high"]),
        ({"creatinine": 1.05}, ["creatinine_high"]),
    ],
)
def test_values_are_judged_by_threshold_and_range(values, expected):
    assert rules(values) == expected


@pytest.mark.parametrize("values", [{"lymphocytes": 0.1}, {"wbc": 1.9}, {"cd4": 20}, {"alt": 3}, {"alp": 900}])
def test_what_is_expected_after_treatment_or_has_no_range_raises_nothing(values):
    assert find(values) == ()


def test_the_printed_range_goes_before_the_ordinary_one():
    assert rules({"tsh": Measured(4.8, "m[IU]/L", 0.3, 5.0)}) == []
    (finding,) = find({"tsh": Measured(4.4, "m[IU]/L", 0.3, 4.2)})
    assert finding.words == "TSH 4.4 mIU/L: outside the reference range (0.3 to 4.2)"


def test_a_range_with_one_limit_is_shown_with_that_limit():
    (high,) = find({"tsh": Measured(4.4, "m[IU]/L", None, 4.2)})
    (low,) = find({"tsh": Measured(0.1, "m[IU]/L", 0.3, None)})
    assert high.words.endswith("(limit 4.2)")
    assert low.words.endswith("(limit 0.3)")


def test_a_range_without_upper_limit_gives_no_multiple_of_it():
    assert rules({"alt": Measured(500, "U/L", 7, None)}) == []


@pytest.mark.parametrize(
    "value,expected",
    [
        (Measured(30, "10*3/uL", comparator="<"), ["platelets_critical"]),
        (Measured(30, "10*3/uL", comparator="<="), ["platelets_very_low"]),
        (Measured(120, "10*3/uL", comparator="<"), ["platelets_reduced"]),
        (Measured(400, "10*3/uL", comparator=">"), []),
        (Measured(450, "10*3/uL", comparator=">"), ["outside_range"]),
    ],
)
def test_a_comparator_counts_only_where_it_is_certain(value, expected):
    assert rules({"platelets": value}) == expected


def test_too_numerous_to_count_is_a_hematuria():
    assert rules({"urine_rbc": Measured(100, "/[HPF]", comparator=">")}) == ["hematuria"]
    assert rules({"urine_rbc": Measured(3, "/[HPF]", comparator="<")}) == []
    assert rules({"upcr": Measured(200, "mg/g", comparator=">")}) == ["proteinuria"]
    assert rules({"upcr": Measured(200, "mg/g", comparator=">=")}) == ["above_range"]


# ------------------------------------------------------------------------------------------------ comparisons


def test_a_fall_by_half_is_red_while_still_above_100():
    (finding,) = find({"platelets": 150}, previous={"platelets": 300})
    assert (finding.rule, finding.level) == ("platelets_halved", Level.RED)
    assert finding.words == "Platelets 150 K/uL: fell by 50% or more (previous 300)"
    assert rules({"platelets": 151}, previous={"platelets": 300}) == []
    assert rules({"platelets": 100}, previous={"platelets": 300}) == ["platelets_reduced"]
    assert rules({"platelets": 140}, previous={"platelets": Measured(300, "10*3/uL", comparator=">")}) == [
        "platelets_reduced"
    ]


@pytest.mark.parametrize(
    "value,baseline,expected",
    [
        (0.9, 0.6, ["creatinine_far_above_baseline"]),
        (1.2, 0.9, ["creatinine_rise"]),
        (1.0, 0.7, ["creatinine_rise"]),
        (0.91, 0.7, ["creatinine_above_baseline"]),
        (0.9, 0.7, []),
        (1.1, 1.1, ["creatinine_high"]),
    ],
)
def test_creatinine_is_compared_with_its_baseline(value, baseline, expected):
    assert rules({"creatinine": value}, baseline={"creatinine": baseline}) == expected


def test_values_of_different_units_are_never_compared():
    per_volume = Measured(40, "/uL", 0, 20)
    assert rules({"urine_rbc": per_volume}) == ["urine_red_cells_high"]
    assert rules({"urine_rbc": 9}, previous={"urine_rbc": per_volume}) == ["hematuria"]
    assert rules({"urine_rbc": Measured(40, "/uL")}) == []


@pytest.mark.parametrize(
    "value,previous,expected",
    [
        (6, 3, "hematuria_on_repeat"),
        (6, Measured(100, "/[HPF]", comparator=">"), "hematuria_on_repeat"),
        (6, 2, "hematuria"),
        (5, 3, "hematuria"),
    ],
)
def test_hematuria_on_repeat_is_red(value, previous, expected):
    assert rules({"urine_rbc": value}, previous={"urine_rbc": previous}) == [expected]


def test_a_creatinine_rise_with_blood_in_the_urine_is_the_first_thing_said():
    found = find({"urine_rbc": 3, "creatinine": 1.0, "tsh": 9}, baseline={"creatinine": 0.75})
    assert [finding.rule for finding in found] == [
        "kidney_with_blood",
        "creatinine_above_baseline",
        "hematuria",
        "thyroid",
    ]
    assert (found[0].level, found[0].grade, found[0].analytes) == (Level.RED, Grade.A, ("creatinine", "urine_rbc"))
    assert "baseline 0.75" in found[0].words
    assert "Urine red cells 3 /HPF" in found[0].words


def test_each_half_of_a_combined_finding_alone_is_not_the_combination():
    assert "kidney_with_blood" not in rules({"creatinine": 1.0}, baseline={"creatinine": 0.75})
    assert "liver_injury_pattern" not in rules({"bilirubin_total": 3})


def test_raised_transaminases_with_bilirubin_are_red():
    found = find({"alt": 170, "ast": 30, "bilirubin_total": 2.4})
    assert [(finding.rule, finding.level) for finding in found] == [
        ("liver_injury_pattern", Level.RED),
        ("transaminases_high", Level.AMBER),
        ("bilirubin_high", Level.AMBER),
    ]
    assert "upper limit 55" in found[0].words


def test_a_clinic_may_set_its_own_thresholds():
    strict = CATALOG.with_thresholds({"platelets_low": 120, "thyroid": 7, "no_such_rule": 1})
    (finding,) = find({"platelets": 110}, catalog=strict)
    assert (finding.rule, "below 120" in finding.words) == ("platelets_low", True)
    assert rules({"tsh": 5}, catalog=strict) == ["thyroid"]
    assert next(rule.threshold for rule in strict.rules if rule.code == "thyroid") is None


def test_every_rule_has_a_source_and_only_the_combination_with_blood_is_from_the_label():
    assert all(rule.source and rule.action for rule in CATALOG.rules)
    assert [rule.code for rule in CATALOG.rules if rule.grade is Grade.A] == ["kidney_with_blood"]


VALUES = st.dictionaries(
    st.sampled_from(sorted(UNIT)),
    st.builds(Measured, st.floats(0, 1000), st.none(), comparator=st.sampled_from(["", "<", ">"])),
)


def with_units(values):
    return {code: value._replace(unit=UNIT[code]) for code, value in values.items()}


@given(VALUES, VALUES, VALUES, st.sampled_from(Sex))
def test_one_finding_an_analyte_red_first_whatever_the_values(values, previous, baseline, sex):
    found = findings(CATALOG, with_units(values), with_units(previous), with_units(baseline), sex)
    single = [finding.analytes[0] for finding in found if len(finding.analytes) == 1]
    assert len(single) == len(set(single))
    assert [finding.level for finding in found] == sorted((finding.level for finding in found), reverse=True)
    assert all(set(finding.analytes) <= set(values) for finding in found)


@given(st.floats(0, 600), st.floats(0, 600))
def test_a_lower_platelet_count_is_never_less_alarming_below_the_range(one, other):
    low, high = sorted((min(one, 449), min(other, 449)))
    ranks = {"platelets_critical": 4, "platelets_very_low": 3, "platelets_low": 2, "platelets_reduced": 1}
    lower, higher = (sum(ranks[rule] for rule in rules({"platelets": value})) for value in (low, high))
    assert lower >= higher

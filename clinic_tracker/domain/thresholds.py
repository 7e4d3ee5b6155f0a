"""The thresholds of findings that a clinic may choose: in which unit, between which bounds, in which order."""

from collections.abc import Mapping
from itertools import pairwise

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.panels import Comparison, FindingRule, LabCatalog

_TIMES_RANGE = frozenset({Comparison.TIMES_UPPER_ABOVE, Comparison.TIMES_UPPER_AT_LEAST})
#: What cannot be worked out from results, so that nobody waits for an alarm that never comes.
NOT_COMPUTED = (
    (
        "Fever with cytopenia and high ferritin (hemophagocytic lymphohistiocytosis)",
        "Fever is no result. High ferritin and low counts are findings each: think of it when a patient has fever.",
    ),
    (
        "Blood coughed up, or signs from the lungs (anti-GBM disease)",
        "Told by the patient: evaluate at once, whatever creatinine and urine show.",
    ),
    (
        "Bleeding with low platelets; thrombotic thrombocytopenic purpura",
        "Told by the patient and the blood smear: intervene at once.",
    ),
    (
        "Blood in the urine on a strip alone",
        "A strip is no cell count: the urinalysis does not count as done and is repeated with cells.",
    ),
)


def threshold_rule(catalog: LabCatalog, code: str) -> FindingRule:
    """The rule of that code whose threshold a clinic may choose; ``RuleViolation`` unknown_threshold for any other."""
    rule = next((rule for rule in catalog.rules if rule.code == code), None)
    if rule is None or not rule.editable:
        raise RuleViolation("unknown_threshold", None, "This threshold cannot be changed.")
    return rule


def threshold_unit(catalog: LabCatalog, rule: FindingRule) -> str:
    """In what a threshold counts, in words."""
    if rule.comparison in _TIMES_RANGE:
        return "times the upper limit"
    if rule.comparison is Comparison.TIMES_BASELINE_AT_LEAST:
        return "times the baseline"
    if rule.comparison is Comparison.FALL_PERCENT_AT_LEAST:
        return "% of the previous value"
    return catalog.show_unit(rule.unit or "")


def check_thresholds(catalog: LabCatalog, values: Mapping[str, float]) -> None:
    """``RuleViolation`` for a value out of its bounds, and where a milder rule would hide a graver one."""
    for code, value in values.items():
        rule = threshold_rule(catalog, code)
        assert rule.least is not None
        assert rule.most is not None
        if not rule.least <= value <= rule.most:
            message = f"The value must be between {rule.least:g} and {rule.most:g}."
            raise RuleViolation("out_of_bounds", "value", message)
    chosen = catalog.with_thresholds(values).rules
    numbered = [rule for rule in chosen if rule.threshold is not None]
    keys = dict.fromkeys((rule.analytes, rule.comparison) for rule in numbered)
    for key in keys:
        alike = [rule for rule in numbered if (rule.analytes, rule.comparison) == key]
        for graver, milder in pairwise(alike):
            _check_order(graver, milder)


def _check_order(graver: FindingRule, milder: FindingRule) -> None:
    assert graver.threshold is not None
    assert milder.threshold is not None
    rising = graver.comparison is Comparison.BELOW
    if (graver.threshold < milder.threshold) if rising else (graver.threshold > milder.threshold):
        return
    least, most = sorted((graver.threshold, milder.threshold))
    message = f"“{_plain(graver)}” must come after “{_plain(milder)}”: {least:g} and {most:g} do not go together."
    raise RuleViolation("threshold_order", "value", message)


def _plain(rule: FindingRule) -> str:
    return rule.words.replace("{threshold}", f"{rule.threshold:g}")

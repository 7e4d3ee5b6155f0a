import tomllib
from copy import deepcopy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_tracker.domain import lab_codes
from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.panels import SpecimenProblem
from clinic_tracker.domain.protocol_table import ProtocolError
from clinic_tracker.domain.vocabulary import ExamKind, Panel, Sex

MAPPING = tomllib.loads(Path(lab_codes.__file__).with_suffix(".toml").read_text(encoding="utf-8"))
CATALOG = lab_codes.load(MAPPING, "lab_codes.toml")
FULL = {
    Panel.CBC_DIFF: {"platelets", "wbc", "neutrophils", "lymphocytes"},
    Panel.CREATININE: {"creatinine"},
    Panel.URINALYSIS_CELLS: {"urine_rbc", "urine_wbc"},
    Panel.UPCR: {"upcr"},
    Panel.TSH: {"tsh"},
    Panel.LIVER_PANEL: {"alt", "ast", "bilirubin_total"},
    Panel.CD4: {"cd4"},
}


def refusal(function, *arguments):
    with pytest.raises(RuleViolation) as caught:
        function(*arguments)
    return caught.value


# ------------------------------------------------------------------------------------------------ completeness


@pytest.mark.parametrize("panel", FULL)
def test_a_panel_is_complete_with_what_it_needs_and_nothing_more(panel):
    assert CATALOG.missing_for_complete(panel, FULL[panel]) == ()
    for code in FULL[panel]:
        assert CATALOG.missing_for_complete(panel, FULL[panel] - {code}) != ()


def test_every_monitoring_panel_has_a_rule():
    assert set(CATALOG.panels) == set(FULL) == set(Panel) - {Panel.OTHER}


@pytest.mark.parametrize(
    "panel,reported,missing",
    [
        ("cbc_diff", {"platelets", "wbc"}, ("no differential (neutrophils, lymphocytes)",)),
        ("cbc_diff", {"platelets", "wbc", "neutrophils"}, ("no lymphocytes",)),
        ("cbc_diff", {"wbc", "neutrophils", "lymphocytes"}, ("no platelet count",)),
        ("cbc_diff", set(), ("no platelet count", "no white cell count", "no differential (neutrophils, lymphocytes)")),
        ("urinalysis_cells", {"urine_blood", "urine_protein"}, ("no cell counts (dipstick only)",)),
        ("urinalysis_cells", set(), ("no cell counts (red and white cells)",)),
        ("urinalysis_cells", {"creatinine", "nonsense"}, ("no cell counts (red and white cells)",)),
        ("urinalysis_cells", {"urine_rbc"}, ("no urine white cells",)),
        ("liver_panel", {"alt", "alp"}, ("no AST", "no total bilirubin")),
        ("tsh", {"free_t4"}, ("no TSH",)),
        ("other", {"aptt"}, ("not a monitoring panel",)),
    ],
)
def test_what_is_missing_is_said_in_words(panel, reported, missing):
    assert CATALOG.missing_for_complete(Panel(panel), reported) == missing


@pytest.mark.parametrize("problem", SpecimenProblem)
def test_a_spoilt_specimen_is_no_evidence_whatever_was_printed(problem):
    (words,) = CATALOG.missing_for_complete(Panel.CBC_DIFF, FULL[Panel.CBC_DIFF], problem)
    assert words.endswith(("draw again", "citrate tube", "collect again"))


def test_analytes_are_entered_in_order_needed_ones_first():
    codes = [analyte.code for analyte in CATALOG.panel_analytes(Panel.LIVER_PANEL)]
    assert codes == ["alt", "ast", "bilirubin_total", "bilirubin_direct", "alp"]
    assert CATALOG.panel_analytes(Panel.OTHER)[0].code == "aptt"


# ------------------------------------------------------------------------------------------------ units


@pytest.mark.parametrize(
    "analyte,number,unit,expected",
    [
        ("platelets", 145, "K/uL", 145),
        ("platelets", 145, "10*3/uL", 145),
        ("platelets", 145, "x10E3/µL", 145),
        ("platelets", 145, "×10³/uL", 145),
        ("platelets", 145, "10⁹/L", 145),
        ("platelets", 145, "thou/mcL", 145),
        ("platelets", 145, "10*9/L", 145),
        ("platelets", 145, " k / ul ", 145),
        ("platelets", 145000, "cells/mcL", 145),
        ("hemoglobin", 138, "g/L", 13.8),
        ("hematocrit", 0.42, "L/L", 42),
        ("creatinine", 88.4, "umol/L", 1),
        ("creatinine", 88.4, "μmol/L", 1),
        ("bilirubin_total", 34.2, "umol/L", 2),
        ("upcr", 0.15, "mg/mg", 150),
        ("upcr", 0.15, "g/g", 150),
        ("upcr", 150, "mg/g creat", 150),
        ("upcr", 10, "mg/mmol", 88.4),
        ("tsh", 2.1, "uIU/mL", 2.1),
        ("tsh", 2.1, "mIU/L", 2.1),
        ("free_t4", 12.87, "pmol/L", 1),
        ("cd4", 210, "cells/mm3", 210),
        ("cd4", 0.21, "10*9/L", 210),
        ("alt", 40, "IU/L", 40),
    ],
)
def test_units_are_converted_by_the_table(analyte, number, unit, expected):
    assert CATALOG.convert(analyte, number, unit).number == expected


@pytest.mark.parametrize(
    "analyte,unit",
    [
        ("platelets", "mg/dL"),
        ("platelets", ""),
        ("cd4", "%"),
        ("neutrophils", "%"),
        ("urine_rbc", "/LPF"),
        ("alt", "K/uL"),
    ],
)
def test_an_unknown_unit_is_refused_with_the_accepted_ones(analyte, unit):
    violation = refusal(CATALOG.convert, analyte, 5, unit, "platelets_unit")
    assert (violation.code, violation.field) == ("unknown_unit", "platelets_unit")
    for accepted in CATALOG.accepted_units(analyte):
        assert accepted in violation.message


def test_urine_counts_per_field_and_per_microliter_stay_what_they_are():
    assert CATALOG.convert("urine_rbc", 3, "per HPF") == (3, "/[HPF]")
    assert CATALOG.convert("urine_rbc", 3, "cells/uL") == (3, "/uL")
    assert CATALOG.accepted_units("urine_rbc") == ("/HPF", "cells/uL")


def test_a_strip_has_no_unit_and_no_number():
    assert CATALOG.analyte("urine_blood").ordinal
    assert "reported in words" in refusal(CATALOG.convert, "urine_blood", 1, "mg/dL").message


def test_negative_values_and_unknown_analytes_are_refused():
    assert refusal(CATALOG.convert, "alt", -1, "U/L").code == "negative_value"
    assert refusal(CATALOG.convert, "unobtainium", 1, "U/L").code == "unknown_analyte"


UNITS = [(a.code, unit) for a in CATALOG.analytes.values() for scale in a.scales for unit in scale.factors]


@given(st.sampled_from(UNITS), st.floats(0, 1e6), st.floats(0, 1e6))
def test_conversion_keeps_the_order_and_lands_in_a_unit_of_the_analyte(analyte_unit, one, other):
    analyte, unit = analyte_unit
    low, high = (CATALOG.convert(analyte, number, unit) for number in sorted((one, other)))
    assert low.number <= high.number
    assert low.unit == high.unit
    assert CATALOG.convert(analyte, low.number, low.unit) == low


def test_every_spelling_is_accepted_and_means_the_same():
    for code, unit in UNITS:
        for name in (unit, CATALOG.units[unit].shown, *CATALOG.units[unit].spellings):
            assert CATALOG.convert(code, 7, name) == CATALOG.convert(code, 7, unit)


def test_an_unknown_unit_is_shown_as_it_is():
    assert CATALOG.show_unit("10*3/uL") == "K/uL"
    assert CATALOG.show_unit("furlong") == "furlong"


# ------------------------------------------------------------------------------------------------ typing errors, ranges


def test_an_implausible_value_is_questioned_with_the_unit_that_would_fit():
    assert CATALOG.needs_confirmation("upcr", 0.08, "mg/g").endswith("Is the unit mg/mg?")
    assert CATALOG.needs_confirmation("platelets", 145000, "K/uL").endswith("Is the unit cells/uL?")
    assert CATALOG.needs_confirmation("tsh", 900, "mIU/L").endswith("Check and confirm.")


def test_an_ordinary_value_is_not_questioned():
    assert CATALOG.needs_confirmation("upcr", 0.08, "mg/mg") is None
    for bound in CATALOG.analyte("platelets").scales[0].plausible:
        assert CATALOG.needs_confirmation("platelets", bound, "K/uL") is None
        assert CATALOG.needs_confirmation("platelets", bound * 1000, "K/uL").endswith("Is the unit cells/uL?")


def test_ordinary_ranges_depend_on_sex_where_they_must():
    assert CATALOG.default_range("hemoglobin", "g/dL", Sex.FEMALE) == (12.0, 15.5)
    assert CATALOG.default_range("hemoglobin", "g/dL", Sex.MALE) == (13.5, 17.5)
    assert CATALOG.default_range("hemoglobin", "g/dL", Sex.UNKNOWN) == (12.0, 17.5)
    assert CATALOG.default_range("platelets", "10*3/uL", Sex.UNKNOWN) == (150, 450)


def test_there_is_no_ordinary_range_for_another_unit_or_test():
    assert CATALOG.default_range("urine_rbc", "/uL", Sex.MALE) is None
    assert CATALOG.default_range("platelets", "/uL", Sex.MALE) is None
    assert CATALOG.default_range("urine_blood", "", Sex.MALE) is None


# ------------------------------------------------------------------------------------------------ codes


def test_loinc_codes_find_their_analyte_and_unverified_ones_do_not():
    assert CATALOG.by_loinc("777-3").code == "platelets"
    assert CATALOG.by_loinc("49497-1") is None
    assert CATALOG.by_loinc("8123-2") is None


def test_a_loinc_code_means_one_thing():
    codes = [code for analyte in CATALOG.analytes.values() for code in (*analyte.loinc, *analyte.loinc_unverified)]
    codes += [code for rule in CATALOG.panels.values() for code in (*rule.loinc, *rule.loinc_insufficient)]
    codes += [code for exam in CATALOG.exam_loinc.values() for code in exam]
    assert len(codes) == len(set(codes))
    for code in codes:
        digits, check = code.split("-")
        assert luhn(digits) == int(check)


def luhn(digits):
    """The check digit of a LOINC code."""
    doubled = [int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits))]
    return -sum(number // 10 + number % 10 for number in doubled) % 10


def test_panels_without_differential_or_microscopy_are_known_as_insufficient():
    assert "58410-2" in CATALOG.panels[Panel.CBC_DIFF].loinc_insufficient
    assert "24357-6" in CATALOG.panels[Panel.URINALYSIS_CELLS].loinc_insufficient
    assert "19162-7" in CATALOG.exam_loinc[ExamKind.VZV_SEROLOGY]


# ------------------------------------------------------------------------------------------------ reading the file


def changed(path, value):
    mapping = deepcopy(MAPPING)
    *parents, last = path
    table = mapping
    for step in parents:
        table = table[step]
    table[last] = value
    return mapping


SCALE = ("analytes", "platelets", "scales", 0)


@pytest.mark.parametrize(
    "path,value,complaint",
    [
        ((*SCALE, "plausible"), [5], "plausible: must be two numbers"),
        ((*SCALE, "plausible"), [True, 2], "plausible: must be two numbers"),
        ((*SCALE, "normal"), [450, 150], "normal: must rise"),
        ((*SCALE, "divide"), {"/uL": 0}, "divide: must be positive numbers by unit"),
        ((*SCALE, "divide"), {"furlong": 2}, "unit: furlong is not one of the units of this file"),
        ((*SCALE, "nromal"), [1, 2], "nromal: is not a field"),
        (("analytes", "platelets", "loinc"), "777-3", "loinc: must be a list of texts"),
        (("analytes", "platelets", "panel"), "blood", "panel: 'blood' is not one of"),
        (("analytes", "platelets", "scales"), {}, "scales: must be a list of tables"),
        (("units", "/uL", "spellings"), ["K/uL"], "a spelling of /uL belongs to another unit too"),
        (("units",), [], "units: must be a table of tables"),
        (("panels", "blood"), {}, "panels.blood: is not one of"),
        (("exams", "x_ray"), {}, "exams.x_ray: is not one of"),
        (("panels", "tsh", "parts", 0, "analytes"), ["thyrotropin"], "analytes: thyrotropin is not known"),
        (("rules", 0, "analytes"), ["thrombocytes"], "analytes: thrombocytes is not known"),
        (("rules", 0, "unit"), "furlong", "unit: furlong is not known"),
        (("rules", 0, "threshold"), "30", "threshold: must be a number"),
        (("rules", 0, "comparison"), "near", "comparison: 'near' is not one of"),
        (("rules", 0, "comparison"), "all_of", "all_of has needs and no analytes"),
        (("rules", 0, "needs"), ["a"], "needs: must be a list of lists"),
        (("rules", 0, "code"), "hematuria", "rules: hematuria is used twice"),
        (("rules", 19, "needs"), [["never"], ["hematuria"]], "needs never, which is not a rule before it"),
        (("surprise",), 1, "lab_codes.toml: surprise: is not a field"),
    ],
)
def test_a_mistake_in_the_file_is_named(path, value, complaint):
    with pytest.raises(ProtocolError) as caught:
        lab_codes.load(changed(path, value), "lab_codes.toml")
    assert str(caught.value).startswith("lab_codes.toml: ")
    assert complaint in str(caught.value)

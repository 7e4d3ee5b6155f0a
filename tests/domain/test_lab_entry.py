"""A typed panel is understood or refused row by row, whatever is typed, and comes back as it was typed."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_tracker import domain
from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.lab_codes import load
from clinic_tracker.domain.lab_entry import (
    ReadValue,
    TypedPanel,
    TypedValue,
    as_typed,
    comparator_of,
    is_unusual,
    panel_title,
    read_panel,
    read_value,
)
from clinic_tracker.domain.notes import Severity
from clinic_tracker.domain.panels import SpecimenProblem
from clinic_tracker.domain.vocabulary import Panel, ResultStatus, Sex

CATALOG = load(tomllib.loads(Path(domain.__file__).with_name("lab_codes.toml").read_text()), "lab_codes.toml")
SEX = Sex.FEMALE
ANYTHING = st.text(max_size=80) | st.sampled_from(
    ["145", "<0.1", ">200", "0-2", "none seen", "TNTC", "1,234", "-5", "1e9"]
)
PANELS = st.sampled_from([panel for panel in Panel if CATALOG.panel_analytes(panel)])


def read(analyte: str, value: str, unit: str = "", **more: Any) -> ReadValue:
    return read_value(CATALOG, TypedValue(analyte, value, unit, **more), SEX)


@st.composite
def typed_panels(draw: st.DrawFn) -> TypedPanel:
    panel = draw(PANELS)
    rows = [
        TypedValue(analyte.code, *(draw(ANYTHING) for _ in range(4)), confirmed=draw(st.booleans()))
        for analyte in CATALOG.panel_analytes(panel)
    ]
    status = draw(st.sampled_from(ResultStatus))
    return TypedPanel(panel, tuple(rows), status, draw(st.none() | st.sampled_from(SpecimenProblem)))


@given(typed_panels())
def test_whatever_is_typed_is_read_or_refused_at_its_row(typed: TypedPanel) -> None:
    read_back, verdict = read_panel(CATALOG, typed, SEX)
    filled = [row.analyte for row in typed.values if row.value.strip()]
    refused = {note.field for note in verdict.notes}
    assert all(note.severity is Severity.REFUSE for note in verdict.notes)
    for code in filled:
        was_read = any(value.analyte == code for value in read_back.values)
        was_refused = any(field is not None and field.startswith(f"{code}_") for field in refused)
        assert was_read != was_refused
    assert len(read_back.values) <= len(filled)
    for note in verdict.notes:
        if note.field and not note.field.endswith("_problem"):
            assert CATALOG.analyte(note.field.rpartition("_")[0]).title.lower() in note.message.lower()


@given(
    st.sampled_from([analyte for analyte in CATALOG.analytes.values() if not analyte.ordinal]),
    st.floats(min_value=0.001, max_value=10**6).map(lambda number: float(f"{number:.3g}")),
    st.sampled_from(["", "<", ">", "<=", ">="]),
    st.data(),
)
def test_a_kept_value_corrected_without_a_change_reads_the_same(
    analyte: Any, number: float, sign: str, data: st.DataObject
) -> None:
    unit = data.draw(st.sampled_from(CATALOG.accepted_units(analyte.code)))
    kept = read(analyte.code, f"{sign}{number:g}" if number < 10**5 else f"{sign}{number:.0f}", unit, confirmed=True)
    again = read_value(CATALOG, as_typed(CATALOG, kept), SEX)
    assert again == kept
    assert comparator_of(kept.text) == sign


@pytest.mark.parametrize(
    "analyte, value, unit, number, kept_unit, text",
    [
        ("platelets", "145", "", 145, "10*3/uL", None),
        ("platelets", "145", "x10E9/L", 145, "10*3/uL", None),
        ("platelets", "145000", "cells/uL", 145, "10*3/uL", "145000 cells/uL"),
        ("creatinine", "88.4", "umol/L", 1.0, "mg/dL", "88.4 umol/L"),
        ("upcr", "0.2", "mg/mg", 200, "mg/g", "0.2 mg/mg"),
        ("urine_rbc", "0-2", "", 2, "/[HPF]", "0-2"),
        ("urine_rbc", "none seen", "", 0, "/[HPF]", "none seen"),
        ("urine_rbc", "12", "cells/uL", 12, "/uL", None),
        ("tsh", "<0.1", "uIU/mL", 0.1, "m[IU]/L", "<0.1"),
        ("urine_blood", "1+", "", None, None, "1+"),
    ],
)
def test_numbers_are_kept_in_the_unit_of_the_rules(
    analyte: str, value: str, unit: str, number: float | None, kept_unit: str | None, text: str | None
) -> None:
    kept = read(analyte, value, unit)
    assert (kept.number, kept.unit, kept.text) == (pytest.approx(number) if number else number, kept_unit, text)


def test_the_flag_is_worked_out_and_a_convention_is_not_kept_as_printed() -> None:
    assert read("platelets", "145", low="150", high="450").flag == "L"
    by_convention = read("platelets", "145")
    assert (by_convention.flag, by_convention.low, by_convention.high) == ("L", None, None)
    assert read("platelets", "<500", low="150", high="450").flag is None
    assert read("urine_protein", "Negative").flag == "N"
    assert read("urine_protein", "trace").flag == "A"


def test_limits_of_another_way_to_measure_are_left_out() -> None:
    kept = read("urine_rbc", "12", "cells/uL", low="0", high="2", range_unit="/HPF")
    assert (kept.low, kept.high, kept.flag) == (None, None, None)


def test_overlong_words_are_refused() -> None:
    with pytest.raises(RuleViolation, match="60 characters or fewer"):
        read("urine_protein", "x" * 61)


def test_words_come_back_as_words() -> None:
    assert as_typed(CATALOG, read("urine_blood", "trace")) == TypedValue("urine_blood", "trace", confirmed=True)


@pytest.mark.parametrize("value, unusual", [("145", False), ("2", True), ("clumped", False), ("", False)])
def test_only_an_unusual_number_has_to_be_confirmed(value: str, unusual: bool) -> None:
    assert is_unusual(CATALOG, TypedValue("platelets", value, "K/uL")) is unusual


def test_every_panel_has_a_title() -> None:
    assert all(panel_title(CATALOG, panel) for panel in Panel)

"""Lines of tests that nobody follows here are told apart, and what the laboratory marked comes first."""

import tomllib
from pathlib import Path

import pytest

from clinic_tracker.domain.lab_codes import load
from clinic_tracker.domain.lab_meaning import CodeTable, LocalCodes, Meaning
from clinic_tracker.domain.messages import LOINC, Coded, Observed, ReportState
from clinic_tracker.domain.other_lines import is_remarkable, other_lines
from clinic_tracker.domain.vocabulary import LocalCodeKind
from tests.inbound import line, report

pytestmark = pytest.mark.no_database
IGNORED = {("L", "XYZ"): Meaning(LocalCodeKind.IGNORED, "")}
FILE = Path(__file__).resolve().parents[2] / "clinic_tracker" / "domain" / "lab_codes.toml"
CODES = CodeTable(load(tomllib.loads(FILE.read_text()), FILE.name), LocalCodes(IGNORED))


def potassium(text: str = "4.1", **values: object) -> Observed:
    given = {"unit": "mmol/L", "low": "3.5", "high": "5.1", **values}
    return Observed((Coded("2823-3", LOINC, "Potassium"),), text, **given)


def told(*lines: Observed) -> list[tuple[str, str, bool]]:
    found = other_lines(CODES, [report(*lines)])
    return [(one.title, one.text, one.is_flagged) for one in found]


def test_what_is_followed_is_not_among_them() -> None:
    assert told(line("creatinine"), line("platelets", flag="L"), potassium()) == [("Potassium", "4.1", False)]


def test_flagged_ones_come_first_in_the_order_sent() -> None:
    sodium = Observed((Coded("2951-2", LOINC, "Sodium"),), "140", "mmol/L")
    blasts = Observed((Coded("26446-5", LOINC, "Blasts"),), "8", "%", flag="A")
    assert told(sodium, potassium("7.2", flag="HH"), blasts) == [
        ("Potassium", "7.2", True), ("Blasts", "8", True), ("Sodium", "140", False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "values, flagged",
    [
        ({}, False),
        ({"text": "7.2"}, True),
        ({"text": "7.2", "low": "", "high": ""}, False),
        ({"text": "7.2", "low": "about 3", "high": ""}, False),
        ({"text": "hemolyzed"}, False),
        ({"flag": "N"}, False),
        ({"flag": "A,H"}, True),
        ({"text": "<3.5"}, True),
    ],
)
def test_a_line_is_marked_by_its_flag_or_by_its_range(values: dict[str, str], flagged: bool) -> None:
    assert [one for _, _, one in told(potassium(**values))] == [flagged]


def test_lines_that_say_nothing_are_left_out_and_those_of_unknown_or_ignored_codes_are_in() -> None:
    unknown = Observed((Coded("ABC", "L"),), "12")
    ignored = Observed((Coded("XYZ", "L", "A test of ours"),), "", value_codes=(Coded("1", "L", "Seen"),))
    gone = potassium(state=ReportState.CANCELLED)
    assert told(potassium(""), gone, unknown, ignored) == [("ABC", "12", False), ("A test of ours", "Seen", False)]


def test_the_same_line_of_two_parts_is_told_once() -> None:
    assert len(other_lines(CODES, [report(potassium()), report(potassium(), potassium("4.2"))])) == 2


@pytest.mark.parametrize("flags, remarkable", [("", False), ("n", False), ("NEG", False), ("H", True), ("N, HH", True)])
def test_flags_that_say_that_all_is_well_are_not_remarkable(flags: str, remarkable: bool) -> None:
    assert is_remarkable(flags) is remarkable

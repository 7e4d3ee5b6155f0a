"""What a report says: complete panels, incomplete ones, exams, orders; and what waits for a person."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_tracker.domain.lab_codes import load
from clinic_tracker.domain.lab_doubts import DoubtKind
from clinic_tracker.domain.lab_meaning import LocalCodes, Meaning
from clinic_tracker.domain.lab_reading import understand
from clinic_tracker.domain.lab_words import NOT_FOLLOWED, outcome_of, specimen_problem
from clinic_tracker.domain.message_json import pack_report, unpack_report
from clinic_tracker.domain.messages import LOINC, Coded, Observed, ReportState
from clinic_tracker.domain.panels import SpecimenProblem
from clinic_tracker.domain.vocabulary import ExamKind, LocalCodeKind, Panel, ResultStatus, Sex
from tests.inbound import CBC, line, report

pytestmark = pytest.mark.no_database

FILE = Path(__file__).resolve().parents[2] / "clinic_tracker" / "domain" / "lab_codes.toml"
CATALOG = load(tomllib.loads(FILE.read_text()), FILE.name)
NONE = LocalCodes()


def read(*lines, local=NONE, **values):
    return understand(report(*lines, **values), CATALOG, local, Sex.FEMALE)


def panel(*lines, **values):
    (found,) = read(*lines, **values).panels
    return found


def test_one_report_holds_several_panels():
    found = read("creatinine", "alt", "ast", "bilirubin_total")
    assert {one.panel: one.missing for one in found.panels} == {Panel.CREATININE: (), Panel.LIVER_PANEL: ()}
    assert found.problems == ()


@pytest.mark.parametrize(
    "lines, code, missing",
    [
        (("platelets", "wbc"), "58410-2", "no differential (neutrophils, lymphocytes)"),
        ((Observed((Coded("5794-3", LOINC),), "trace"),), "24357-6", "no cell counts (dipstick only)"),
        ((Observed((Coded("8123-2", LOINC),), "38", "%"),), "", "no CD4 count (a percentage only)"),
        (("alt", "ast"), "24325-3", "no total bilirubin"),
        ((line("platelets", notes=("Platelets clumped",)), *CBC[1:]), "57021-8", "platelets clumped"),
        ((line("creatinine", notes=("Specimen grossly hemolyzed",)),), "", "specimen hemolyzed"),
        ((line("creatinine", "QNS"),), "", "quantity not sufficient"),
    ],
)
def test_what_is_not_complete_says_what_is_missing(lines, code, missing):
    found = panel(*lines, codes=(Coded(code, LOINC),))
    assert found.missing
    assert found.missing[0].startswith(missing)


@pytest.mark.parametrize("name", ["platelets", "neutrophils", "creatinine", "cd4", "upcr"])
@pytest.mark.parametrize("words", ["negative", "none seen", "Not seen", "TNTC", "0-2"])
def test_words_of_the_microscope_are_no_number_of_anything_else(name, words):
    found = read(line(name, words))
    assert [one.kind for one in found.problems] == [DoubtKind.UNREADABLE_VALUE]
    assert not any(value.analyte == name for one in found.panels for value in one.values)


@pytest.mark.parametrize("words, number", [("none seen", 0), ("negative", 0), ("0-2", 2), ("TNTC", 100)])
def test_cells_in_urine_are_counted_by_eye(words, number):
    (value,) = panel(line("urine_rbc", words)).values
    assert value.number == number


def test_a_percentage_is_no_absolute_count():
    percent = [Observed((Coded(code, LOINC),), "55", "%") for code in ("770-8", "736-9")]
    found = panel("platelets", "wbc", *percent)
    assert found.missing == ("no differential (neutrophils, lymphocytes)",)


def test_a_note_of_the_report_spoils_what_it_speaks_of():
    found = read(*CBC, "creatinine", notes=("Platelet clumps present",))
    assert {one.panel: one.problem for one in found.panels} == {
        Panel.CBC_DIFF: SpecimenProblem.CLUMPED,
        Panel.CREATININE: None,
    }


@pytest.mark.parametrize(
    "words", ["No platelet clumps seen", "Platelet clumps: none", "not hemolyzed", "Slightly hemolyzed", "", "Fasting"]
)
def test_what_is_denied_or_slight_is_no_problem(words):
    assert specimen_problem(words) is None


@pytest.mark.parametrize(
    "words, problem",
    [
        ("PLATELETS CLUMPED, COUNT UNRELIABLE", SpecimenProblem.CLUMPED),
        ("Specimen hemolyzed", SpecimenProblem.HEMOLYZED),
        ("QNS", SpecimenProblem.QUANTITY_NOT_SUFFICIENT),
        ("Specimen clotted; please recollect", SpecimenProblem.CLOTTED),
        ("No fibrin. Platelets clumped.", SpecimenProblem.CLUMPED),
        ("Urine contaminated", SpecimenProblem.CONTAMINATED),
    ],
)
def test_spoiled_specimens_are_known_by_their_words(words, problem):
    assert specimen_problem(words) is problem


def test_an_unknown_code_is_asked_about_with_its_text():
    odd = Observed((Coded("XYZ", "L", "Odd test"),), "12", "mg/dL")
    (doubt,) = read("creatinine", odd).problems
    assert (doubt.kind, doubt.system, doubt.code, doubt.title) == (DoubtKind.UNKNOWN_CODE, "L", "XYZ", "Odd test")
    assert (doubt.value, doubt.unit) == ("12", "mg/dL")


def test_a_loinc_without_its_system_is_not_believed():
    (doubt,) = read(Observed((Coded("777-3", "", "PLT"),), "200", "K/uL")).problems
    assert doubt.kind is DoubtKind.UNKNOWN_CODE


@pytest.mark.parametrize(
    "one, kind",
    [
        (line("creatinine", "0.8", "furlongs"), DoubtKind.UNKNOWN_UNIT),
        (line("creatinine", "0.8", ""), DoubtKind.MISSING_UNIT),
        (line("creatinine", "see note"), DoubtKind.UNREADABLE_VALUE),
        (line("creatinine", "88", "mg/dL"), DoubtKind.UNLIKELY_UNIT),
        (line("upcr", "0.15", "mg/g"), DoubtKind.UNLIKELY_UNIT),
        (line("platelets", "251000", "10*3/uL"), DoubtKind.UNLIKELY_UNIT),
    ],
)
def test_a_value_that_is_not_certain_is_asked_about(one, kind):
    found = read(one)
    assert [doubt.kind for doubt in found.problems] == [kind]
    assert all(not one.values for one in found.panels)


def test_a_terrible_value_that_fits_no_other_unit_is_taken_as_sent():
    assert panel(line("platelets", "3"), *CBC[1:]).values[0].number == 3


@pytest.mark.parametrize(
    "one, number, unit",
    [
        (line("creatinine", "70.72", "umol/L"), 0.8, "mg/dL"),
        (line("upcr", "0.15", "mg/mg"), 150, "mg/g"),
        (line("upcr", "150", "mg/g"), 150, "mg/g"),
        (line("urine_rbc", "12", "/uL"), 12, "/uL"),
        (line("urine_rbc", "0-2", "/HPF"), 2, "/[HPF]"),
        (line("platelets", "145 K/uL", ""), 145, "10*3/uL"),
        (line("tsh", "<0.01"), 0.01, "m[IU]/L"),
    ],
)
def test_units_are_converted_by_table_only(one, number, unit):
    (value,) = panel(one).values
    assert (value.number, value.unit) == (pytest.approx(number), unit)


def test_a_range_that_cannot_be_read_does_not_lose_the_value():
    (value,) = panel(line("tsh", low="about 0.4", high="4.5")).values
    assert (value.number, value.low) == (1.9, None)


def test_the_last_final_line_of_an_analyte_counts():
    found = panel(line("tsh", "1.0"), line("tsh", "2.0"), line("tsh", "9.0", state=ReportState.PRELIMINARY))
    assert [value.number for value in found.values] == [2.0]
    assert found.status is ResultStatus.FINAL


@pytest.mark.parametrize("state", [ReportState.CANCELLED, ReportState.PENDING])
def test_a_line_that_is_not_there_yet_has_no_value(state):
    found = panel(*CBC[:3], line("lymphocytes", state=state))
    assert found.missing == ("no lymphocytes",)


@pytest.mark.parametrize(
    "state, of_line, status",
    [
        (ReportState.PRELIMINARY, ReportState.FINAL, ResultStatus.PRELIMINARY),
        (ReportState.FINAL, ReportState.PRELIMINARY, ResultStatus.PRELIMINARY),
        (ReportState.FINAL, ReportState.CORRECTED, ResultStatus.CORRECTED),
        (ReportState.CORRECTED, ReportState.FINAL, ResultStatus.CORRECTED),
        (ReportState.FINAL, ReportState.FINAL, ResultStatus.FINAL),
    ],
)
def test_a_panel_is_as_far_as_its_lines(state, of_line, status):
    assert panel(line("tsh", state=of_line), state=state).status is status


@pytest.mark.parametrize(
    "loinc, text, kind, outcome",
    [
        ("59420-0", "Not Detected", ExamKind.HPV_SCREEN, "negative"),
        ("71773-6", "POSITIVE", ExamKind.TB_SCREEN, "positive"),
        ("19162-7", "Immune", ExamKind.VZV_SEROLOGY, "immune"),
        ("19162-7", "Negative", ExamKind.VZV_SEROLOGY, "not_immune"),
        ("56888-1", "Non-Reactive", ExamKind.HIV_TEST, "negative"),
        ("5196-1", "Reactive", ExamKind.HEPATITIS_B, "positive"),
        ("13955-0", "Equivocal", ExamKind.HEPATITIS_C, "indeterminate"),
        ("2106-3", "Negative", ExamKind.PREGNANCY_TEST, "negative"),
    ],
)
def test_exams_are_known_by_loinc_with_the_words_of_their_outcome(loinc, text, kind, outcome):
    (exam,) = read(Observed((Coded(loinc, LOINC, "Test"),), text)).exams
    assert (exam.kind, exam.outcome) == (kind, outcome)


def test_an_outcome_in_other_words_or_a_number_is_asked_about():
    for text in ("1.25", "see comment"):
        found = read(Observed((Coded("19162-7", LOINC),), text))
        assert found.exams == ()
        assert [doubt.kind for doubt in found.problems] == [DoubtKind.UNREADABLE_VALUE]


def test_the_gravest_of_several_types_counts():
    types = [Observed((Coded(code, LOINC),), text) for code, text in (("59263-4", "Detected"), ("59264-2", "Negative"))]
    assert [exam.outcome for exam in read(*types).exams] == ["positive"]


def test_antibodies_of_protection_are_not_read_as_disease():
    found = read(Observed((Coded("22322-2", LOINC),), "Positive"))
    assert (found.exams, found.problems) == ((), ())


def test_a_concept_stands_for_its_words():
    coded = (Coded("260415000", "http://snomed.info/sct", ""),)
    assert outcome_of(ExamKind.HPV_SCREEN, "", tuple(one.code for one in coded)) == "negative"


@pytest.mark.parametrize(
    "state", [ReportState.ORDERED, ReportState.COLLECTED, ReportState.PENDING, ReportState.REJECTED]
)
@pytest.mark.parametrize(
    "code, panels",
    [
        ("57021-8", {Panel.CBC_DIFF}),
        ("3016-3", {Panel.TSH}),
        ("24323-8", {Panel.CREATININE, Panel.LIVER_PANEL}),
    ],
)
def test_an_order_says_its_panels_and_how_far_they_are(state, code, panels):
    found = read(codes=(Coded(code, LOINC),), state=state, notes=("Tube broken",))
    assert {one.panel for one in found.orders} == panels
    assert {one.state for one in found.orders} == {state}
    assert {one.reason for one in found.orders} == {"Tube broken"}
    assert found.panels == ()


def test_an_order_of_something_unknown_is_asked_about():
    found = read(codes=(Coded("HEMO1", "L", "Hemogram"),), state=ReportState.PENDING)
    assert [doubt.code for doubt in found.problems] == ["HEMO1"]


def test_local_codes_and_units_mean_what_a_person_said():
    local = LocalCodes(
        {("L", "PLT"): Meaning(LocalCodeKind.ANALYTE, "platelets"), ("L", "X"): Meaning(LocalCodeKind.IGNORED, "")},
        {"giga": "10*3/uL"},
    )
    lines = (Observed((Coded("PLT", "L"),), "251", "Giga"), Observed((Coded("X", "L"),), "1"))
    found = read(*lines, *CBC[1:], local=local)
    assert found.problems == ()
    assert found.panels[0].missing == ()


def test_nothing_that_is_followed_is_in_the_list_of_what_is_not():
    followed = {code for analyte in CATALOG.analytes.values() for code in analyte.loinc}
    followed |= {code for codes in CATALOG.exam_loinc.values() for code in codes}
    assert not followed & NOT_FOLLOWED


TEXTS = st.text(max_size=30) | st.sampled_from(["145", "<0.1", "1:64", "0-2", "none seen", "QNS", "positive", ""])
LINES = st.builds(
    Observed,
    codes=st.lists(
        st.builds(
            Coded,
            st.sampled_from(["777-3", "2160-0", "5794-3", "59420-0", "8123-2", "2951-2", "zz", ""]),
            st.sampled_from([LOINC, "L", ""]),
            TEXTS,
        ),
        max_size=2,
    ).map(tuple),
    text=TEXTS,
    unit=TEXTS | st.sampled_from(["10*3/uL", "mg/dL", "umol/L"]),
    low=TEXTS,
    high=TEXTS,
    flag=TEXTS,
    state=st.sampled_from(list(ReportState)),
    notes=st.lists(TEXTS, max_size=2).map(tuple),
)
REPORTS = st.builds(
    report, LINES, LINES, key=st.just("K"), state=st.sampled_from(list(ReportState)), notes=st.lists(TEXTS).map(tuple)
)


@given(REPORTS)
def test_whatever_is_sent_is_understood_or_asked_about_and_never_fails(sent):
    found = understand(sent, CATALOG, NONE, Sex.UNKNOWN)
    assert all(value.number is None or value.unit for one in found.panels for value in one.values)


@given(REPORTS)
def test_what_is_kept_of_a_report_is_the_report(sent):
    assert unpack_report(pack_report(sent)) == sent

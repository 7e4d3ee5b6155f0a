import tomllib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_tracker.domain import baseline_facts
from clinic_tracker.domain.baseline import (
    BaselineFacts,
    BaselineSettings,
    BaselineState,
    ExamDone,
    LabDraw,
    VaccineDose,
    Weight,
    authorization_state,
    baseline,
)
from clinic_tracker.domain.protocol import load
from clinic_tracker.domain.vocabulary import ExamKind, Panel

START = date(2026, 3, 2)
TODAY = date(2026, 2, 20)
PANELS = (Panel.CBC_DIFF, Panel.CREATININE, Panel.URINALYSIS_CELLS, Panel.UPCR, Panel.TSH, Panel.LIVER_PANEL)
COLLECTED = date(2026, 2, 10)
SETTINGS = BaselineSettings()
READY = BaselineFacts(
    course_number=1,
    start_on=START,
    as_of=TODAY,
    labs=tuple(LabDraw(panel, COLLECTED, valid=True) for panel in PANELS),
    exams=(
        ExamDone(ExamKind.SKIN_EXAM, date(2025, 11, 3), "normal"),
        ExamDone(ExamKind.VZV_HISTORY, date(2026, 1, 5), "positive"),
        ExamDone(ExamKind.TB_SCREEN, date(2026, 1, 5), "negative"),
        ExamDone(ExamKind.HIV_TEST, date(2026, 1, 5), "negative"),
    ),
)


def item(code, facts):
    (found,) = [one for one in baseline(facts, SETTINGS).items if one.code == code]
    return found


def labs(*draws):
    others = [draw for draw in READY.labs if draw.panel not in {one.panel for one in draws}]
    return replace(READY, labs=(*others, *draws))


def exams(*done):
    others = [exam for exam in READY.exams if exam.kind not in {one.kind for one in done}]
    return replace(READY, exams=(*others, *done))


def without(kind):
    return replace(READY, exams=tuple(exam for exam in READY.exams if exam.kind is not kind))


# ------------------------------------------------------------------------------------------------ the set


def test_a_full_set_is_complete_and_holds_until_the_first_test_lapses():
    result = baseline(READY, SETTINGS)
    assert result.complete
    assert [one.code for one in result.unmet] == ["hepatitis_b", "hepatitis_c"]
    assert all(one.weight is Weight.ADVISORY for one in result.unmet)
    assert result.window_opens_on == date(2026, 1, 31)
    assert result.holds_until == date(2026, 3, 12)


def test_nothing_on_file_leaves_every_test_missing():
    result = baseline(BaselineFacts(1, START, TODAY), SETTINGS)
    assert not result.complete
    assert result.holds_until is None
    states = {one.code: one.state for one in result.items}
    assert {code for code, state in states.items() if state is BaselineState.NOT_APPLICABLE} == {
        "vzv_vaccine",
        "vaccines",
    }
    assert {state for code, state in states.items() if "vaccine" not in code} == {BaselineState.MISSING}


def test_it_says_what_would_lapse_if_the_start_moved():
    result = baseline(labs(LabDraw(Panel.TSH, date(2026, 2, 5), valid=True)), SETTINGS)
    assert result.lapsing_by(date(2026, 3, 7)) == ()
    assert [one.code for one in result.lapsing_by(date(2026, 3, 8))] == ["tsh"]
    assert len(result.lapsing_by(date(2026, 3, 13))) == 6


def test_settings_are_those_of_the_protocol():
    settings = BaselineSettings.from_settings({"baseline_window_days": 14, "hsv_min_months": 2})
    assert settings == BaselineSettings(baseline_window_days=14)
    assert not baseline(READY, settings).complete


def protocol(name):
    path = Path(baseline_facts.__file__).parent / "protocols" / f"{name}.toml"
    return load(tomllib.loads(path.read_text(encoding="utf-8")), path.name, {"us-federal": ()})


def test_the_us_protocol_asks_for_the_whole_set():
    settings = BaselineSettings.from_protocol(protocol("lemtrada_us"))
    assert [one.code for one in baseline(READY, settings).items] == [
        one.code for one in baseline(READY, SETTINGS).items
    ]


def test_the_weights_of_the_set_are_those_of_the_protocol():
    us = protocol("lemtrada_us")
    severity = {check.code: check.severity.replace("advise", "advisory") for check in us.checks}
    shown = {one.code: one for one in baseline(BaselineFacts(1, START, TODAY), SETTINGS).items}
    for code, check in (
        ("cbc_diff", "baseline_cbc_diff"),
        ("upcr", "baseline_upcr"),
        ("liver_panel", "baseline_liver_panel"),
        ("skin_exam", "baseline_skin_exam"),
        ("tb_screen", "tb_screen"),
        ("hiv_test", "hiv_test"),
        ("vzv_immunity", "vzv_immunity"),
        ("hepatitis_b", "hepatitis_screen"),
    ):
        assert shown[code].weight == severity[check]


def test_the_eu_protocol_asks_for_an_ecg_and_for_no_protein_ratio():
    settings = BaselineSettings.from_protocol(protocol("lemtrada_eu"))
    codes = {one.code: one for one in baseline(READY, settings).items}
    assert "upcr" not in codes
    assert (codes["ecg"].state, codes["ecg"].weight) == (BaselineState.MISSING, Weight.WARN)
    with_ecg = exams(ExamDone(ExamKind.ECG, COLLECTED, "normal"))
    (ecg,) = [one for one in baseline(with_ecg, settings).items if one.code == "ecg"]
    assert (ecg.state, ecg.expires_on) == (BaselineState.MET, date(2026, 3, 12))


# ------------------------------------------------------------------------------------------------ laboratory window


@pytest.mark.parametrize(
    "collected,state",
    [
        (START - timedelta(days=30), BaselineState.MET),
        (START - timedelta(days=31), BaselineState.EXPIRES_BEFORE_START),
        (TODAY - timedelta(days=30), BaselineState.EXPIRES_BEFORE_START),
        (TODAY - timedelta(days=31), BaselineState.EXPIRED),
        (START - timedelta(days=1), BaselineState.MET),
        (START + timedelta(days=1), BaselineState.MISSING),
    ],
)
def test_the_window_of_thirty_days_is_inclusive(collected, state):
    found = item("creatinine", labs(LabDraw(Panel.CREATININE, collected, valid=True)))
    assert found.state is state
    assert found.expires_on == (None if state is BaselineState.MISSING else collected + timedelta(days=30))
    assert found.weight is Weight.BLOCK


def test_each_test_has_its_own_date():
    result = baseline(labs(LabDraw(Panel.TSH, date(2026, 1, 20), valid=True)), SETTINGS)
    assert [one.code for one in result.unmet if one.weight is Weight.BLOCK] == ["tsh"]


def test_the_latest_valid_draw_counts():
    draws = [LabDraw(Panel.TSH, START - timedelta(days=days), valid=days != 1) for days in (20, 1, 7)]
    assert item("tsh", labs(*draws)).collected_on == START - timedelta(days=7)


def test_an_incomplete_result_is_missing_and_says_why():
    found = item("cbc_diff", labs(LabDraw(Panel.CBC_DIFF, COLLECTED, valid=False, missing="no differential")))
    assert found.state is BaselineState.MISSING
    assert found.words == "The result of 10-Feb-2026 does not count: no differential."
    preliminary = item("cbc_diff", labs(LabDraw(Panel.CBC_DIFF, COLLECTED, valid=False)))
    assert "not final" in preliminary.words


def at(hour):
    return datetime(2026, 3, 2, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    "reviewed_at,started_at,counts",
    [
        (None, None, False),
        (None, at(14), False),
        (at(13), None, True),
        (at(13), at(14), True),
        (at(14), at(14), True),
        (at(15), at(14), False),
    ],
)
def test_a_draw_of_the_first_day_counts_only_if_reviewed_before_the_infusion(reviewed_at, started_at, counts):
    draw = LabDraw(Panel.TSH, START, valid=True, reviewed_at=reviewed_at)
    found = item("tsh", replace(labs(draw), as_of=START, first_started_at=started_at))
    assert (found.state is BaselineState.MET) is counts
    if not counts:
        assert "not reviewed before the infusion" in found.words


def test_the_protein_ratio_blocks_the_first_course_and_is_optional_later():
    missing = replace(READY, labs=tuple(draw for draw in READY.labs if draw.panel is not Panel.UPCR))
    assert not baseline(missing, SETTINGS).complete
    later = replace(missing, course_number=2)
    assert baseline(later, SETTINGS).complete
    assert item("upcr", later).weight is Weight.ADVISORY
    assert item("upcr", later).words == "Not on file. Optional for this course."


# ------------------------------------------------------------------------------------------------ examinations


@pytest.mark.parametrize("code", ["skin_exam", "tb_screen"])
@pytest.mark.parametrize(
    "done_on,state",
    [
        (date(2025, 3, 2), BaselineState.MET),
        (date(2025, 3, 1), BaselineState.EXPIRES_BEFORE_START),
        (date(2025, 2, 19), BaselineState.EXPIRED),
        (date(2026, 3, 3), BaselineState.MISSING),
    ],
)
def test_skin_and_tuberculosis_are_asked_within_twelve_months_and_only_warn(code, done_on, state):
    found = item(code, exams(ExamDone(ExamKind(code), done_on, "normal")))
    assert (found.state, found.weight) == (state, Weight.WARN)


@pytest.mark.parametrize("code", ["skin_exam", "tb_screen", "vzv_immunity", "hepatitis_b", "hepatitis_c"])
def test_some_items_are_asked_before_the_first_course_only(code):
    assert item(code, replace(READY, course_number=2, exams=())).state is BaselineState.NOT_APPLICABLE


def test_a_positive_hiv_test_is_a_contraindication_in_every_course():
    facts = exams(
        ExamDone(ExamKind.HIV_TEST, date(2026, 1, 5), "negative"), ExamDone(ExamKind.HIV_TEST, COLLECTED, "positive")
    )
    for number in (1, 2):
        found = item("hiv_test", replace(facts, course_number=number))
        assert (found.state, found.weight) == (BaselineState.CONTRAINDICATED, Weight.BLOCK)
        assert found.is_unmet


def test_an_indeterminate_hiv_test_does_not_count():
    found = item("hiv_test", exams(ExamDone(ExamKind.HIV_TEST, COLLECTED, "indeterminate")))
    assert found.state is BaselineState.MISSING
    assert "indeterminate" in found.words


def test_an_old_negative_hiv_test_counts_for_further_courses_only():
    facts = exams(ExamDone(ExamKind.HIV_TEST, date(2024, 1, 5), "negative"))
    assert item("hiv_test", facts).state is BaselineState.EXPIRED
    assert item("hiv_test", replace(facts, course_number=2)).state is BaselineState.MET
    assert item("hiv_test", replace(without(ExamKind.HIV_TEST), course_number=2)).state is BaselineState.MISSING


def test_exams_and_vaccines_of_the_first_day_itself_are_seen():
    assert item("hiv_test", exams(ExamDone(ExamKind.HIV_TEST, START, "positive"))).collected_on == START
    assert item("vaccines", replace(READY, vaccines=(VaccineDose("hpv", START),))).state is BaselineState.TOO_SOON


def test_hepatitis_screening_is_advice():
    facts = exams(ExamDone(ExamKind.HEPATITIS_B, COLLECTED, "not_high_risk"))
    found = item("hepatitis_b", facts)
    assert (found.state, found.words) == (BaselineState.MET, "Done on 10-Feb-2026 (not high risk).")


def test_of_two_exams_on_a_day_the_last_entered_counts():
    facts = exams(
        ExamDone(ExamKind.HIV_TEST, COLLECTED, "indeterminate"), ExamDone(ExamKind.HIV_TEST, COLLECTED, "negative")
    )
    assert item("hiv_test", facts).state is BaselineState.MET


# ------------------------------------------------------------------------------------------------ varicella, vaccines


@pytest.mark.parametrize(
    "exam,words",
    [
        (ExamDone(ExamKind.VZV_SEROLOGY, COLLECTED, "immune"), "Antibodies tested (immune), 10-Feb-2026."),
        (
            ExamDone(ExamKind.VZV_SEROLOGY, COLLECTED, "not_immune"),
            "Antibodies tested (not immune): consider vaccination, 10-Feb-2026.",
        ),
    ],
)
def test_antibodies_settle_the_question_where_there_is_no_history(exam, words):
    facts = replace(without(ExamKind.VZV_HISTORY), exams=(*without(ExamKind.VZV_HISTORY).exams, exam))
    found = item("vzv_immunity", facts)
    assert (found.state, found.words) == (BaselineState.MET, words)


def test_no_history_is_no_answer():
    found = item("vzv_immunity", exams(ExamDone(ExamKind.VZV_HISTORY, COLLECTED, "negative")))
    assert (found.state, found.weight) == (BaselineState.MISSING, Weight.BLOCK)


@pytest.mark.parametrize("days,state", [(42, BaselineState.MET), (41, BaselineState.TOO_SOON)])
@pytest.mark.parametrize(
    "vaccine,code,weight",
    [
        ("Varicella", "vzv_vaccine", Weight.BLOCK),
        ("vzv", "vzv_vaccine", Weight.BLOCK),
        ("influenza_inactivated", "vaccines", Weight.WARN),
    ],
)
def test_a_course_starts_six_weeks_after_a_vaccine(days, state, vaccine, code, weight):
    doses = (VaccineDose(vaccine, START - timedelta(days=90)), VaccineDose(vaccine, START - timedelta(days=days)))
    found = item(code, replace(READY, vaccines=doses))
    assert (found.state, found.weight, found.requirement) == (
        state,
        weight,
        "R-28" if code == "vzv_vaccine" else "R-29",
    )
    assert "start not before" in found.words


def test_vaccination_against_varicella_stands_for_a_history():
    facts = replace(without(ExamKind.VZV_HISTORY), vaccines=(VaccineDose("vzv", date(2025, 6, 1)),))
    assert item("vzv_immunity", facts).words == "Vaccinated, 01-Jun-2025."
    assert item("vaccines", facts).state is BaselineState.NOT_APPLICABLE


# ------------------------------------------------------------------------------------------------ authorization


@pytest.mark.parametrize(
    "authorized_on,state",
    [
        (None, BaselineState.MISSING),
        (START + timedelta(days=1), BaselineState.MISSING),
        (START, BaselineState.MET),
        (START - timedelta(days=30), BaselineState.MET),
        (START - timedelta(days=31), BaselineState.EXPIRES_BEFORE_START),
        (TODAY - timedelta(days=31), BaselineState.EXPIRED),
    ],
)
def test_an_authorization_covers_a_start_within_thirty_days(authorized_on, state):
    found = authorization_state(authorized_on, START, TODAY, 30)
    assert (found.state, found.requirement, found.weight) == (state, "R-14", Weight.BLOCK)


# ------------------------------------------------------------------------------------------------ properties


@given(st.integers(-10, 120), st.integers(0, 90), st.integers(-60, 60))
def test_a_test_met_for_a_start_stays_met_until_it_expires_and_not_a_day_longer(before, later, seen):
    draw = LabDraw(Panel.TSH, START - timedelta(days=before), valid=True, reviewed_at=at(0))
    start, as_of = START + timedelta(days=later), START + timedelta(days=seen)
    found = item("tsh", replace(labs(draw), start_on=start, as_of=as_of))
    assert (found.state is BaselineState.MET) == (0 <= (start - draw.collected_on).days <= 30)
    if found.state is BaselineState.EXPIRED:
        assert found.expires_on < as_of


@given(st.permutations(READY.labs), st.permutations(READY.exams))
def test_the_order_of_facts_does_not_matter(some_labs, some_exams):
    assert baseline(replace(READY, labs=tuple(some_labs), exams=tuple(some_exams)), SETTINGS) == baseline(
        READY, SETTINGS
    )

"""Exams and vaccines as people name them, and what a vaccine means for the treatment."""

from datetime import date

import pytest

from clinic_tracker.domain.screening import EXAM_TYPES, VACCINES_BY_CODE, check_vaccination, vaccine_title
from clinic_tracker.domain.vocabulary import ExamKind

FIRST_INFUSION = date(2025, 6, 2)
MMR = VACCINES_BY_CODE["mmr"]
FLU = VACCINES_BY_CODE["influenza_inactivated"]
VARICELLA = VACCINES_BY_CODE["varicella"]


def test_every_kind_of_exam_can_be_recorded():
    assert set(EXAM_TYPES) == set(ExamKind)
    assert all(known.outcomes for known in EXAM_TYPES.values())


def test_only_the_varicella_vaccine_counts_against_varicella():
    assert [code for code, vaccine in VACCINES_BY_CODE.items() if vaccine.is_varicella] == ["varicella"]


@pytest.mark.parametrize(
    "vaccine,given_on,alarming",
    [
        (MMR, date(2025, 6, 1), False),
        (MMR, FIRST_INFUSION, True),
        (MMR, date(2025, 12, 1), True),
        (FLU, date(2025, 12, 1), False),
    ],
)
def test_a_live_vaccine_from_the_first_infusion_on_is_a_safety_event(vaccine, given_on, alarming):
    verdict = check_vaccination(vaccine, given_on, FIRST_INFUSION, None, 42)
    assert verdict.needs_reason is alarming
    assert [note.requirement for note in verdict.deviations] == (["R-30"] if alarming else [])


def test_before_any_infusion_a_live_vaccine_is_no_event():
    assert check_vaccination(MMR, date(2025, 6, 3), None, None, 42).notes == ()


@pytest.mark.parametrize("start,told", [(date(2026, 2, 11), True), (date(2026, 2, 12), False)])
def test_a_course_planned_within_six_weeks_of_a_dose_is_pointed_out(start, told):
    verdict = check_vaccination(VARICELLA, date(2026, 1, 1), None, start, 42)
    assert bool(verdict.remarks) is told
    assert not verdict.needs_reason
    if told:
        assert "not before 12-Feb-2026" in verdict.remarks[0].message
        assert verdict.remarks[0].requirement == "R-28"


def test_what_the_list_does_not_know_reads_as_it_was_written():
    assert vaccine_title("Cholera, oral") == "Cholera, oral"
    assert EXAM_TYPES[ExamKind.HIV_TEST].words("weakly_reactive") == "Weakly reactive"
    assert not EXAM_TYPES[ExamKind.HIV_TEST].needs_attention("negative")
    assert EXAM_TYPES[ExamKind.HIV_TEST].needs_attention("positive")

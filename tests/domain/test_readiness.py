"""What stands in the way of an infusion: each thing with what would clear it and who can."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from clinic_tracker.domain.baseline import (
    Baseline,
    BaselineFacts,
    BaselineSettings,
    ExamDone,
    LabDraw,
    VaccineDose,
    baseline,
)
from clinic_tracker.domain.notes import Severity
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.readiness import (
    AuthorizationFact,
    ReadinessFacts,
    Span,
    blockers,
    check_before_start,
    is_of_course,
    is_readiness,
)
from clinic_tracker.domain.vocabulary import ExamKind, Panel

START = date(2026, 1, 22)
LONG_AGO = date(2020, 1, 6)
PANELS = (Panel.CBC_DIFF, Panel.CREATININE, Panel.URINALYSIS_CELLS, Panel.UPCR, Panel.TSH, Panel.LIVER_PANEL)


def baseline_set(collected_on=START - timedelta(days=5), hiv="negative", **values) -> Baseline:
    exams = {ExamKind.SKIN_EXAM: "normal", ExamKind.VZV_SEROLOGY: "positive", ExamKind.TB_SCREEN: "negative"}
    facts = BaselineFacts(
        course_number=1,
        start_on=START,
        as_of=START,
        labs=tuple(LabDraw(panel, collected_on, True) for panel in PANELS),
        exams=tuple(
            ExamDone(kind, collected_on, outcome) for kind, outcome in {**exams, ExamKind.HIV_TEST: hiv}.items()
        ),
        **values,
    )
    return baseline(facts, BaselineSettings())


READY = ReadinessFacts(
    on=START,
    start_on=START,
    enrolled_on=LONG_AGO,
    facility=(Span(LONG_AGO, None),),
    prescriber=Span(LONG_AGO, None),
    authorization=AuthorizationFact(START - timedelta(days=2), START + timedelta(days=20), START - timedelta(days=1)),
    baseline=baseline_set(),
    window_days=30,
)


def test_nothing_stands_in_the_way_when_everything_is_there():
    assert blockers(READY) == ()


@pytest.mark.parametrize(
    "values, code, hard, permission",
    [
        ({"enrolled_on": None}, "not_enrolled", True, Permission.MANAGE_PATIENTS),
        ({"enrolled_on": START + timedelta(days=1)}, "before_enrollment", True, Permission.MANAGE_PATIENTS),
        ({"facility": ()}, "facility_not_certified", False, Permission.MANAGE_CLINIC),
        (
            {"facility": (Span(LONG_AGO, START - timedelta(days=1)),)},
            "facility_not_certified",
            False,
            Permission.MANAGE_CLINIC,
        ),
        ({"prescriber": None}, "no_prescriber", False, Permission.RECORD_TREATMENT),
        ({"prescriber": Span(None, None)}, "prescriber_not_certified", False, Permission.MANAGE_CLINIC),
        (
            {"prescriber": Span(START + timedelta(days=1), None)},
            "prescriber_not_certified",
            False,
            Permission.MANAGE_CLINIC,
        ),
        ({"authorization": None}, "not_authorized", False, Permission.AUTHORIZE_COURSES),
        (
            {"authorization": AuthorizationFact(START - timedelta(days=31), None, START)},
            "authorization_expired",
            False,
            Permission.AUTHORIZE_COURSES,
        ),
        (
            {"authorization": AuthorizationFact(START - timedelta(days=9), START - timedelta(days=1), START)},
            "authorization_expired",
            False,
            Permission.AUTHORIZE_COURSES,
        ),
        ({"authorization": AuthorizationFact(START, START, None)}, "not_verified", False, Permission.RECORD_TREATMENT),
        ({"baseline": baseline_set(hiv="positive")}, "baseline_hiv_test", True, Permission.AUTHORIZE_COURSES),
    ],
)
def test_each_thing_that_is_missing_is_told_with_who_can_clear_it(values, code, hard, permission):
    found = blockers(replace(READY, **values))
    assert [(one.code, one.hard, one.permission) for one in found] == [(code, hard, permission)]
    assert found[0].note.severity is (Severity.REFUSE if hard else Severity.DEVIATION)
    assert found[0].words.endswith(".")
    assert found[0].clears.endswith(".")


def test_an_expired_set_names_every_item_and_hard_stops_come_first():
    facts = replace(READY, baseline=baseline_set(START - timedelta(days=31)), enrolled_on=None)
    found = blockers(facts)
    assert found[0].code == "not_enrolled"
    assert {one.code for one in found[1:]} == {f"baseline_{panel}" for panel in PANELS}


def test_a_varicella_vaccine_too_close_is_for_a_prescriber():
    near = baseline_set(vaccines=(VaccineDose("vzv", START - timedelta(days=41)),))
    (found,) = blockers(replace(READY, baseline=near))
    assert (found.hard, found.by_prescriber, found.note.needs_prescriber) == (False, True, True)


def test_a_span_covers_both_of_its_ends():
    span = Span(date(2026, 1, 1), date(2026, 1, 31))
    assert span.covers(date(2026, 1, 1))
    assert span.covers(date(2026, 1, 31))
    assert not span.covers(date(2026, 2, 1))


def test_before_each_start_infection_is_excluded_and_equipment_is_ready():
    assert check_before_start(infection_excluded=True, equipment_ready=True).notes == ()
    verdict = check_before_start(infection_excluded=None, equipment_ready=False)
    assert [(note.code, note.needs_prescriber) for note in verdict.deviations] == [
        ("infection_not_excluded", True),
        ("equipment_not_confirmed", False),
    ]


@pytest.mark.parametrize(
    "code, of_course, readiness",
    [
        ("baseline_tsh", True, True),
        ("not_authorized", True, True),
        ("course_too_early", True, False),
        ("equipment_not_confirmed", False, True),
        ("no_steroid", False, False),
    ],
)
def test_what_is_explained_once_for_a_course_and_what_was_so_before_the_start(code, of_course, readiness):
    assert (is_of_course(code), is_readiness(code)) == (of_course, readiness)

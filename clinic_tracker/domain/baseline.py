"""The baseline set of a course: each test with its window, what is met, what is missing, and when it would lapse."""

from datetime import date, timedelta
from typing import NamedTuple

from clinic_tracker.domain.baseline_exams import (
    dated_exam,
    electrocardiogram,
    hepatitis,
    hiv,
    vaccines,
    varicella_immunity,
)
from clinic_tracker.domain.baseline_facts import (
    Baseline,
    BaselineFacts,
    BaselineItem,
    BaselineSettings,
    BaselineState,
    ExamDone,
    LabDraw,
    VaccineDose,
    Weight,
    validity,
    validity_words,
)
from clinic_tracker.domain.local_time import show_date, to_utc
from clinic_tracker.domain.vocabulary import ExamKind, Panel

__all__ = [
    "Baseline",
    "BaselineFacts",
    "BaselineItem",
    "BaselineSettings",
    "BaselineState",
    "ExamDone",
    "LabDraw",
    "VaccineDose",
    "Weight",
    "authorization_state",
    "baseline",
]


class _Lab(NamedTuple):
    panel: Panel
    title: str
    requirement: str


_LABS = (
    _Lab(Panel.CBC_DIFF, "CBC with differential", "R-21"),
    _Lab(Panel.CREATININE, "Creatinine", "R-22"),
    _Lab(Panel.URINALYSIS_CELLS, "Urinalysis with cell counts", "R-23"),
    _Lab(Panel.UPCR, "Urine protein/creatinine ratio", "R-24"),
    _Lab(Panel.TSH, "Thyroid function", "R-25"),
    _Lab(Panel.LIVER_PANEL, "ALT, AST, bilirubin", "R-26"),
)


# The pre-course check of the protocol that asks for each item. The ECG is asked for only where a protocol says so.
_ECG_CHECK = "baseline_ecg"
_CHECK_OF_ITEM = {
    **{lab.panel.value: f"baseline_{lab.panel.value}" for lab in _LABS},
    "skin_exam": "baseline_skin_exam",
    "vzv_immunity": "vzv_immunity",
    "vzv_vaccine": "vzv_immunity",
    "vaccines": "vaccines_complete",
    "tb_screen": "tb_screen",
    "hiv_test": "hiv_test",
    "hepatitis_b": "hepatitis_screen",
    "hepatitis_c": "hepatitis_screen",
}


def baseline(facts: BaselineFacts, settings: BaselineSettings) -> Baseline:
    """The baseline set of a course as it stands (R-20 to R-29, R-31 to R-33).

    Laboratory tests count from 30 days before the first day to that day; one of the day itself only if it was reviewed
    before the infusion started. The urine protein/creatinine ratio blocks the first course and is optional later.
    """
    items = [
        *(_laboratory(lab, facts, settings) for lab in _LABS),
        dated_exam(facts, ExamKind.SKIN_EXAM, "Skin examination", "R-27", settings.skin_baseline_months),
        varicella_immunity(facts),
        *vaccines(facts, settings),
        dated_exam(facts, ExamKind.TB_SCREEN, "Tuberculosis screening", "R-31", settings.tb_valid_months),
        hiv(facts, settings),
        hepatitis(facts, ExamKind.HEPATITIS_B, "Hepatitis B screening"),
        hepatitis(facts, ExamKind.HEPATITIS_C, "Hepatitis C screening"),
    ]
    asked = settings.checks
    if asked is not None:
        items = [item for item in items if _CHECK_OF_ITEM[item.code] in asked]
        if _ECG_CHECK in asked:
            items.append(electrocardiogram(facts, settings))
    opens_on = facts.start_on - timedelta(days=settings.baseline_window_days)
    return Baseline(tuple(items), opens_on, facts.start_on)


def authorization_state(authorized_on: date | None, start_on: date, as_of: date, window_days: int) -> BaselineItem:
    """The authorization of a course: given within the window before its first day, both ends inclusive (R-14)."""
    window = timedelta(days=window_days)
    if authorized_on is None or authorized_on > start_on:
        words = (
            "Not authorized."
            if authorized_on is None
            else f"Authorized on {show_date(authorized_on)}, after the start."
        )
        state, expires_on = BaselineState.MISSING, None
    else:
        expires_on = authorized_on + window
        state = validity(expires_on, start_on, as_of)
        words = f"Authorized on {show_date(authorized_on)}; {validity_words(state, expires_on)}"
    return BaselineItem("authorization", "Authorization", "R-14", state, Weight.BLOCK, authorized_on, expires_on, words)


def _laboratory(lab: _Lab, facts: BaselineFacts, settings: BaselineSettings) -> BaselineItem:
    optional = lab.panel is Panel.UPCR and facts.course_number > 1
    weight = Weight.ADVISORY if optional else Weight.BLOCK
    drawn = [draw for draw in facts.labs if draw.panel == lab.panel and draw.collected_on <= facts.start_on]
    usable = [draw for draw in drawn if draw.valid and _in_time(draw, facts)]
    if not usable:
        words = _why_missing(drawn, optional=optional)
        return BaselineItem(lab.panel, lab.title, lab.requirement, BaselineState.MISSING, weight, None, None, words)
    latest = max(draw.collected_on for draw in usable)
    expires_on = latest + timedelta(days=settings.baseline_window_days)
    state = validity(expires_on, facts.start_on, facts.as_of)
    words = f"Collected on {show_date(latest)}; {validity_words(state, expires_on)}"
    return BaselineItem(lab.panel, lab.title, lab.requirement, state, weight, latest, expires_on, words)


def _in_time(draw: LabDraw, facts: BaselineFacts) -> bool:
    """A draw of the first day itself counts only if it was reviewed before the infusion started (R-20)."""
    if draw.collected_on < facts.start_on:
        return True
    if draw.reviewed_at is None:
        return False
    return facts.first_started_at is None or to_utc(draw.reviewed_at) <= to_utc(facts.first_started_at)


def _why_missing(drawn: list[LabDraw], *, optional: bool) -> str:
    """What there is, if it does not count, and why."""
    ending = " Optional for this course." if optional else ""
    if not drawn:
        return f"Not on file.{ending}"
    latest = max(drawn, key=lambda draw: draw.collected_on)
    day = show_date(latest.collected_on)
    if latest.valid:
        return f"Collected on {day}, the first day, and not reviewed before the infusion.{ending}"
    return f"The result of {day} does not count: {latest.missing or 'it is not final'}.{ending}"

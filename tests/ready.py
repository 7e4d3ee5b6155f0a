"""The facts of a course with nothing missing on its first day, for tests that take something away."""

from datetime import UTC, date, datetime, timedelta

from clinic_tracker.domain.baseline import ExamDone, LabDraw
from clinic_tracker.domain.dosing import InfusionDay
from clinic_tracker.domain.readiness import (
    AuthorizationFact,
    Item,
    ReadinessFacts,
    ReadinessRules,
    Span,
    readiness,
)
from clinic_tracker.domain.vocabulary import ExamKind, Panel, Sex
from clinic_tracker.queries.protocols import packaged_protocols

START = date(2026, 1, 22)
LONG_AGO = date(2020, 1, 6)
ALWAYS = Span(LONG_AGO, None)
PANELS = (Panel.CBC_DIFF, Panel.CREATININE, Panel.URINALYSIS_CELLS, Panel.UPCR, Panel.TSH, Panel.LIVER_PANEL)
US, EU = (ReadinessRules.from_protocol(packaged_protocols()[name]) for name in ("lemtrada-us", "lemtrada-eu"))
MORNING = datetime(2026, 1, 22, 13, 0, tzinfo=UTC)


def day(number: int) -> date:
    """So many days after the first day."""
    return START + timedelta(days=number)


def exams(**outcomes: str) -> tuple[ExamDone, ...]:
    """The whole set of examinations, with other outcomes; one without an outcome was not done."""
    done = {"skin_exam": "normal", "vzv_serology": "immune", "tb_screen": "negative", "hiv_test": "negative"}
    done |= {"pregnancy_test": "negative"} | outcomes
    return tuple(ExamDone(ExamKind(kind), day(-5), outcome) for kind, outcome in done.items() if outcome)


def labs(on: date | None = None) -> tuple[LabDraw, ...]:
    """The whole set, collected on a day, five days before by default."""
    return tuple(LabDraw(panel, on or day(-5), valid=True) for panel in PANELS)


READY = ReadinessFacts(
    on=START,
    as_of=START,
    course_number=1,
    planned_days=5,
    birth_date=date(1984, 7, 14),
    sex=Sex.FEMALE,
    rules=US,
    planned_start_on=START,
    enrollments=(ALWAYS,),
    facility=(ALWAYS,),
    prescriber=ALWAYS,
    authorization=AuthorizationFact(day(-2), day(20), day(-1)),
    labs=labs(),
    exams=exams(),
)


def item(code: str, facts: ReadinessFacts) -> Item:
    """One check of the list."""
    return readiness(facts).item(code)


def given(*days: int, course: int = 1, first: int = 1) -> tuple[InfusionDay, ...]:
    """Days of a course given on days after the first day."""
    return tuple(InfusionDay(course, number, day(on)) for number, on in enumerate(days, start=first))

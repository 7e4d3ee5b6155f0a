"""Courses that were begun without the whole baseline set in its window, and what was missing."""

from collections.abc import Iterable, Iterator
from itertools import islice

from clinic_tracker.domain.baseline import Baseline, BaselineFacts, BaselineItem, BaselineSettings, Weight, baseline
from clinic_tracker.domain.reporting.columns import Column, Kind, Privacy
from clinic_tracker.domain.reporting.definition import Choice, Definition, Line, Takes
from clinic_tracker.domain.reporting.parameters import Parameters
from clinic_tracker.queries.baseline import baseline_settings
from clinic_tracker.queries.protocols import packaged_protocols
from clinic_tracker.queries.readiness_rows import exams_done, lab_draws, vaccine_doses
from clinic_tracker.queries.reports.courses import Begun, courses_begun
from clinic_tracker.queries.reports.people import CHUNK, PERSON
from clinic_tracker.queries.scope import Scope

_SHOW, _INCOMPLETE, _ANY_OPEN, _ALL = "show", "incomplete", "open", "all"

DEFINITION = Definition(
    name="baseline",
    title="Baseline before courses",
    question="Which courses were begun without the whole baseline set, and what was missing?",
    columns=(
        *PERSON,
        Column("course", "Course", Kind.COUNT, "Number of the course."),
        Column("start_on", "First infusion", Kind.DATE, "Local date of the first infusion.", Privacy.DATED),
        Column(
            "window",
            "Window from",
            Kind.DATE,
            "First day of the window for baseline tests.",
            Privacy.DATED,
            in_files_only=True,
        ),
        Column("complete", "Complete", Kind.YES_NO, "Whether nothing was open that must be there before the start."),
        Column("missing", "Missing", Kind.TEXT, "What must be there before the start and was not, or not in time."),
        Column("number", "How many", Kind.COUNT, "How many of these there were.", totaled=True),
        Column("why", "What was on file", Kind.TEXT, "What there was, and why it did not count.", Privacy.IDENTITY),
        Column("warnings", "Also open", Kind.TEXT, "What should be there too, without stopping a course."),
    ),
    takes=frozenset({Takes.PERIOD, Takes.AS_OF, Takes.PRESCRIBER, Takes.PATIENT}),
    choices=(
        Choice(
            _SHOW,
            "Show",
            {_INCOMPLETE: "Baseline not complete", _ANY_OPEN: "Anything open", _ALL: "Every course begun"},
            _INCOMPLETE,
        ),
    ),
    notes=(
        (
            "Judged by the rules that are applied before a course (R-20 to R-33), as of the first infusion, with what "
            "is on file now: laboratory tests collected within the window before the first infusion (30 days, A; "
            "setting baseline_window_days), those of the day itself only if reviewed before the infusion started."
        ),
        (
            "The age of a skin examination and of tuberculosis and HIV tests are local conventions (C, settings "
            "skin_baseline_months, tb_valid_months, hiv_valid_months)."
        ),
        "The urine protein/creatinine ratio must be there before the first course only. Period: by the first infusion.",
    ),
)


def lines(scope: Scope, parameters: Parameters) -> Iterator[Line]:
    """The courses of the period, by their first infusion."""
    settings = {name: baseline_settings(scope, name, parameters.as_of) for name in packaged_protocols()}
    show = parameters.choices.get(_SHOW, _INCOMPLETE)
    for begun, found in _judged(scope, courses_begun(scope, parameters), settings):
        missing, warnings = _open(found, Weight.BLOCK), _open(found, Weight.WARN)
        if show == _ALL or missing or (show == _ANY_OPEN and warnings):
            cells = (
                begun.number,
                begun.first_on,
                found.window_opens_on,
                found.complete,
                _titles(missing),
                len(missing),
                " ".join(f"{item.title}: {item.words}" for item in missing) or None,
                _titles(warnings),
            )
            yield begun.person.line(*cells)


def _judged(
    scope: Scope, courses: Iterable[Begun], settings: dict[str, BaselineSettings]
) -> Iterator[tuple[Begun, Baseline]]:
    """The baseline set of each course on the day of its first infusion; three statements for some hundred courses."""
    rest = iter(courses)
    while some := list(islice(rest, CHUNK)):
        keys = {begun.person.id for begun in some}
        labs, exams, vaccines = lab_draws(scope, keys), exams_done(scope, keys), vaccine_doses(scope, keys)
        for begun in some:
            key = begun.person.id
            facts = BaselineFacts(
                begun.number,
                begun.first_on,
                begun.first_on,
                labs[key],
                exams[key],
                vaccines[key],
                begun.first_started_at,
            )
            yield begun, baseline(facts, settings[begun.protocol_id])


def _open(found: Baseline, weight: Weight) -> list[BaselineItem]:
    return [item for item in found.unmet if item.weight is weight]


def _titles(items: Iterable[BaselineItem]) -> str | None:
    return "; ".join(item.title for item in items) or None

"""Antiviral prophylaxis of courses: never started, started late, stopped before it was permitted."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import date
from itertools import islice

from sqlalchemy import select

from clinic_tracker.domain.antiviral import CourseAntiviral, Finding, Taken, course_antiviral
from clinic_tracker.domain.history import History
from clinic_tracker.domain.prophylaxis import Cd4, ProphylaxisRule
from clinic_tracker.domain.protocol import Protocol
from clinic_tracker.domain.reporting.columns import Column, Kind, Privacy
from clinic_tracker.domain.reporting.definition import Choice, Definition, Line, Takes
from clinic_tracker.domain.reporting.parameters import Parameters
from clinic_tracker.domain.schedule import forecast
from clinic_tracker.models.base import db
from clinic_tracker.models.treatment import Prophylaxis
from clinic_tracker.queries.history import load_history
from clinic_tracker.queries.protocols import packaged_protocols
from clinic_tracker.queries.reports.courses import Begun, courses_begun
from clinic_tracker.queries.reports.people import CHUNK, WHO
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.settings import protocols_in_force

_SHOW, _FOUND, _ALL = "show", "found", "all"

DEFINITION = Definition(
    name="prophylaxis",
    title="Antiviral prophylaxis",
    question="In which courses was the antiviral never started, started late, or stopped before it was permitted?",
    columns=(
        *WHO,
        Column("course", "Course", Kind.COUNT, "Number of the course."),
        Column("first_on", "First infusion", Kind.DATE, "The antiviral is due on this day.", Privacy.DATED),
        Column(
            "last_on",
            "Last infusion",
            Kind.DATE,
            "Last infusion given of the course.",
            Privacy.DATED,
            in_files_only=True,
        ),
        Column("finding", "Finding", Kind.CODE, "not_started, started_late or stopped_early; in_order for none."),
        Column("started_on", "Started", Kind.DATE, "When it was started, even before the course.", Privacy.DATED),
        Column("days_late", "Days late", Kind.COUNT, "Days from the first infusion to the start."),
        Column("stopped_on", "Stopped", Kind.DATE, "When it was stopped, by the date asked about.", Privacy.DATED),
        Column(
            "earliest_on", "Earliest stop", Kind.DATE, "First day on which it may be stopped, if known.", Privacy.DATED
        ),
        Column("days_early", "Days early", Kind.COUNT, "Days from the stop to the earliest one, if that is known."),
        Column("cd4", "CD4", Kind.NUMBER, "Latest count (/uL) after the last infusion that was known at the stop."),
        Column("cd4_on", "CD4 collected", Kind.DATE, "When that count was collected.", Privacy.DATED),
        Column("drug", "Drug", Kind.TEXT, "The antiviral, as recorded."),
        Column("reason", "Reason", Kind.TEXT, "The reason given for the stop.", Privacy.IDENTITY),
    ),
    takes=frozenset({Takes.PERIOD, Takes.AS_OF, Takes.PRESCRIBER, Takes.PATIENT}),
    choices=(Choice(_SHOW, "Show", {_FOUND: "Courses with a finding", _ALL: "Every course begun"}, _FOUND),),
    notes=(
        (
            "The antiviral starts on the first day of each course (R-60, label, A) and goes on for at least 2 months "
            "after it or until CD4 is 200/uL or more, whichever is later (R-61, label, A; settings hsv_min_months and "
            "hsv_cd4_min). Without such a count it may not be stopped. The EU protocol asks for 1 month alone (E-08)."
        ),
        "A drug that follows another without a day between goes on with it; so does one from an earlier course.",
        "Period: by the first infusion. A course is judged up to the date asked about, or the day before the next one.",
    ),
)


def lines(scope: Scope, parameters: Parameters) -> Iterator[Line]:
    """The courses of the period, by their first infusion."""
    protocols = protocols_in_force(scope, packaged_protocols(), parameters.as_of)
    everything = parameters.choices.get(_SHOW) == _ALL
    courses = iter(courses_begun(scope, parameters))
    while some := list(islice(courses, CHUNK)):
        keys = {begun.person.id for begun in some}
        taken, histories = _taken(scope, keys, parameters.as_of), load_history(scope, keys, parameters.as_of)
        for begun in some:
            history = histories[begun.person.id]
            found = _judged(begun, history, protocols[begun.protocol_id], taken[begun.person.id], parameters.as_of)
            if found.findings or everything:
                yield _line(begun, found)


def _judged(begun: Begun, history: History, protocol: Protocol, taken: list[Taken], as_of: date) -> CourseAntiviral:
    """The antiviral of a course, seen on the day asked about or, if that is earlier, before the next course."""
    later = [min(course.infusion_days) for course in history.given if course.number > begun.number]
    until = min([as_of.toordinal(), *(day - 1 for day in later)])
    known = history.known_on(until)
    earliest = forecast(known, protocol).prophylaxis
    if earliest is None:
        return CourseAntiviral()
    rule = ProphylaxisRule(
        minimum_until=date.fromordinal(earliest.minimum_until),
        earliest_stop_on=date.fromordinal(earliest.earliest_stop) if earliest.earliest_stop is not None else None,
        months=protocol.antiviral.minimum_months,
        cd4_min=protocol.antiviral.cd4_minimum,
        last_infusion_on=begun.last_on,
    )
    counts = [Cd4(date.fromordinal(day), value) for day, value in known.evidence.cd4]
    return course_antiviral(begun.first_on, date.fromordinal(until), taken, rule, counts)


def _taken(scope: Scope, keys: Collection[int], as_of: date) -> dict[int, list[Taken]]:
    """The antivirals of patients, by start; a stop after the date is not known yet."""
    table = Prophylaxis
    found: defaultdict[int, list[Taken]] = defaultdict(list)
    statement = (
        select(table.patient_id, table.started_on, table.stopped_on, table.drug, table.stop_reason)
        .where(
            table.clinic_id == scope.clinic_id,
            table.patient_id.in_(sorted(keys)),
            table.withdrawn_at.is_(None),
            table.started_on <= as_of,
        )
        .order_by(table.started_on, table.id)
    )
    for patient, started_on, stopped_on, drug, reason in db.session.execute(statement):
        found[patient].append(Taken(started_on, stopped_on, drug, reason))
    return found


def _line(begun: Begun, found: CourseAntiviral) -> Line:
    early = Finding.STOPPED_EARLY in found.findings
    days_early = (
        (found.earliest_on - found.stopped_on).days if early and found.earliest_on and found.stopped_on else None
    )
    return begun.person.line(
        begun.number,
        begun.first_on,
        begun.last_on,
        ", ".join(found.findings) or "in_order",
        found.first.started_on if found.first else None,
        found.days_late if found.first else None,
        found.stopped_on,
        found.earliest_on,
        days_early,
        found.last_cd4.value if found.last_cd4 else None,
        found.last_cd4.collected_on if found.last_cd4 else None,
        found.last.drug if found.last else None,
        found.last.stop_reason if found.last and found.stopped_on else None,
    )

"""The months of monitoring of one patient as a timeline: one lane a requirement, a mark an obligation."""

from collections.abc import Iterator
from datetime import date
from uuid import UUID

from flask import url_for

from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.obligation import Obligation
from clinic_tracker.domain.status import days_late, obligation_status
from clinic_tracker.domain.vocabulary import ObligationStatus
from clinic_tracker.queries.monitoring_case import MonitoringCase
from clinic_tracker.web.filters import plural
from clinic_tracker.web.requirement_words import short_title, title_order
from clinic_tracker.web.timeline import Event, Occurrence, Timeline, build_timeline


def chart_timeline(case: MonitoringCase, patient: UUID, today: date) -> Timeline | None:
    """The timeline of a patient; None before the first infusion."""
    if not case.forecast.obligations:
        return None
    codes = sorted({item.requirement for item in case.forecast.obligations}, key=title_order)
    return build_timeline(
        [_occurrence(item, patient, today) for item in case.forecast.obligations],
        lanes=[short_title(code) for code in codes],
        today=today,
        events=_events(case),
        caption="Monitoring by month",
    )


def obligation_words(obligation: Obligation) -> str:
    """Which occurrence it is: "course 1, month 8", "form 2"."""
    kind, _, number = obligation.slot.partition("M")
    if number:
        return f"course {kind.removeprefix('C')}, month {number}"
    kind, _, number = obligation.slot.partition("Q")
    if number:
        return f"course {kind.removeprefix('C')}, month {3 * int(number)}"
    if obligation.slot.startswith("PSF"):
        return f"form {obligation.slot.removeprefix('PSF')}"
    if obligation.slot.startswith("Y"):
        return f"examination {obligation.slot.removeprefix('Y')}"
    return f"course {obligation.slot.removeprefix('C')}"


def status_of(obligation: Obligation, today: date) -> tuple[str, int | None]:
    """The status for a tag or a mark, with its days: late evidence is told apart from evidence in time."""
    day = today.toordinal()
    status, late = obligation_status(obligation, day), days_late(obligation, day)
    if status is ObligationStatus.DONE:
        return ("late", late) if late else ("done", None)
    if status is ObligationStatus.OVERDUE:
        return status.value, late
    if status is ObligationStatus.DUE:
        return status.value, obligation.due - day
    return status.value, None


def _occurrence(obligation: Obligation, patient: UUID, today: date) -> Occurrence:
    status, days = status_of(obligation, today)
    return Occurrence(
        lane=short_title(obligation.requirement),
        due_on=date.fromordinal(obligation.due),
        status=status,
        days=days,
        number=obligation_words(obligation),
        done_on=date.fromordinal(obligation.done) if obligation.done is not None else None,
        href=url_for(
            "patients.obligation",
            patient=patient,
            requirement=obligation.requirement,
            anchor=obligation.anchor,
            occurrence=obligation.occurrence,
        ),
    )


def _events(case: MonitoringCase) -> Iterator[Event]:
    for course in case.history.given:
        first, last = min(course.infusion_days), max(course.infusion_days)
        span = f"{show_date(date.fromordinal(first))} to {show_date(date.fromordinal(last))}"
        days = plural(len(course.infusion_days), "infusion day")
        yield Event(date.fromordinal(first), f"C{course.number}", f"Course {course.number}, {days}, {span}")
    if case.forecast.monitoring_ends is not None:
        ends = date.fromordinal(case.forecast.monitoring_ends)
        yield Event(ends, "End", f"Monitoring ends {show_date(ends)}")
    if case.forecast.closed_on is not None:
        closed = date.fromordinal(case.forecast.closed_on)
        yield Event(closed, "Closed", f"Monitoring closed {show_date(closed)}")

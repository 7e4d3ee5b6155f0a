"""Decisions about monitoring in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.obligation import Standing
from clinic_tracker.queries.chart import WAIVED, Decision
from clinic_tracker.queries.monitoring_case import MonitoringCase
from clinic_tracker.web.requirement_words import full_title


def decision_words(decision: Decision) -> str:
    """What was decided: "TSH waived from 01-Jan-2026 to 31-Mar-2026"."""
    if decision.kind == WAIVED and decision.from_on and decision.until_on and decision.requirement:
        span = f"{show_date(decision.from_on)} to {show_date(decision.until_on)}"
        return f"{full_title(decision.requirement)} waived from {span}"
    if decision.until_on is not None:
        return f"Monitoring extended to {show_date(decision.until_on)} (course {decision.course})"
    return f"Monitoring closed on {show_date(decision.decided_on)}"


@dataclass(frozen=True, slots=True)
class DueLine:
    """When a requirement is owed, to choose the days of a waiver by."""

    requirement: str
    title: str
    owed_since: date | None
    coming: list[date]


def due_lines(case: MonitoringCase, today: date) -> list[DueLine]:
    """Since when each requirement is owed, if it is late, and its next due dates."""
    return [_due_line(case, standing, today) for standing in case.forecast.standings]


def first_day(lines: Sequence[DueLine], requirement: str | None) -> date | None:
    """The day from which a waiver of what is owed now would begin, or None where nothing is chosen."""
    line = next((line for line in lines if line.requirement == requirement), None)
    return line.owed_since or next(iter(line.coming), None) if line is not None else None


def _due_line(case: MonitoringCase, standing: Standing, today: date) -> DueLine:
    due = sorted(
        date.fromordinal(item.due)
        for item in case.forecast.obligations
        if item.requirement == standing.requirement and item.is_left and item.due >= today.toordinal()
    )
    owed = date.fromordinal(standing.next_due) if standing.next_due is not None else None
    late = owed if owed is not None and owed < today else None
    return DueLine(standing.requirement, full_title(standing.requirement), late, due[:3])

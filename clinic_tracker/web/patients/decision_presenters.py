"""Decisions about monitoring in words."""

from datetime import date

from clinic_tracker.domain.local_time import show_date
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


def next_due_lines(case: MonitoringCase, today: date) -> list[tuple[str, list[date]]]:
    """The next open due dates of each requirement, to choose the days of a waiver by."""
    lines = []
    for standing in case.forecast.standings:
        due = [
            date.fromordinal(item.due)
            for item in case.forecast.obligations
            if item.requirement == standing.requirement and item.is_left
            and (item.closes is None or item.closes >= today.toordinal())
        ]  # fmt: skip
        lines.append((full_title(standing.requirement), due[:4]))
    return lines

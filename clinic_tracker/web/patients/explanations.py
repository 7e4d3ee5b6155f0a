"""Why an item is owed, or done, or missed: the rule, the dates, the evidence, and what is missing."""

from dataclasses import dataclass
from datetime import date

from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.obligation import Obligation
from clinic_tracker.queries.monitoring_case import MonitoringCase


@dataclass(frozen=True, slots=True)
class Why:
    """An explanation as the pages show it."""

    rule: str
    source: str
    grade: str
    rows: list[tuple[str, str]]
    missing: list[str]


def why_standing(case: MonitoringCase, requirement: str, today: date) -> Why | None:
    """Why the requirement stands where it stands; None when nothing is owed."""
    standing = next((item for item in case.forecast.standings if item.requirement == requirement), None)
    if standing is None or standing.next_due is None:
        return None
    owed = next(
        item
        for item in case.forecast.obligations
        if item.requirement == requirement and item.due == standing.next_due and item.is_left
    )
    return why_obligation(case, owed, today)


def why_obligation(case: MonitoringCase, obligation: Obligation, today: date) -> Why:
    """Why one occurrence is as it is on a date."""
    rule = case.protocol.requirement(obligation.requirement)
    rows = [("Due", _on(obligation.due)), ("Counts from", _on(obligation.opens))]
    return Why(rule.explanation, rule.source, rule.grade.value, rows, [])


def _on(day: int) -> str:
    return show_date(date.fromordinal(day))

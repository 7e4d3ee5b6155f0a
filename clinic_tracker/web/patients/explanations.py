"""Why an item is owed, done or missed, as the pages show it: verdict, rule, reckoning, window, what did not count."""

from dataclasses import dataclass
from datetime import date

from clinic_tracker.domain.explain import Explanation, explain_obligation, explain_standing
from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.obligation import Obligation
from clinic_tracker.queries.monitoring_case import MonitoringCase


@dataclass(frozen=True, slots=True)
class Uncounted:
    """A fact on file that does not do the item, and why. ``ref`` is its key."""

    on: date
    sentence: str
    ref: int | None


@dataclass(frozen=True, slots=True)
class Why:
    """An explanation in words."""

    verdict: str
    rule: str
    source: str
    url: str | None
    grade: str
    section: str
    rows: list[tuple[str, str]]
    uncounted: list[Uncounted]
    evidence_ref: int | None


def why_standing(case: MonitoringCase, requirement: str, today: date) -> Why | None:
    """Why what is owed first of a requirement is owed; None when nothing is owed."""
    for standing in case.forecast.standings:
        if standing.requirement == requirement:
            found = explain_standing(standing, case.history, case.protocol, today.toordinal())
            return _why(found) if found is not None else None
    return None


def why_obligation(case: MonitoringCase, obligation: Obligation, today: date) -> Why:
    """Why one occurrence is as it is on a date."""
    return _why(explain_obligation(obligation, case.history, case.protocol, today.toordinal()))


def _why(found: Explanation) -> Why:
    return Why(
        verdict=found.verdict,
        rule=found.rule,
        source=found.citation.source,
        url=found.citation.url,
        grade=found.citation.grade.value,
        section=found.citation.section,
        rows=[
            (found.anchor, show_date(found.anchor_on)),
            ("Due", found.reckoning),
            ("Counts", found.window),
        ],
        uncounted=[Uncounted(fact.on, fact.sentence, fact.ref) for fact in found.uncounted],
        evidence_ref=found.evidence_ref,
    )

"""Antiviral prophylaxis in a few lines: since when, when it may stop, and what is still missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.vocabulary import ResultStatus
from clinic_tracker.queries.monitoring_case import MonitoringCase
from clinic_tracker.queries.treatment_rows import ProphylaxisRow


@dataclass(frozen=True, slots=True)
class ProphylaxisSummary:
    """What the chart says. ``tone`` is amber where something is to be done."""

    now: str
    stop: str
    rule: str
    source: str
    grade: str
    facts: list[tuple[str, str]]
    tone: str


def prophylaxis_summary(case: MonitoringCase, rows: Sequence[ProphylaxisRow], today: date) -> ProphylaxisSummary | None:
    """The prophylaxis of the latest course; None before any infusion."""
    answer, rule = case.forecast, case.protocol.antiviral
    if answer.prophylaxis is None or answer.last_infusion is None:
        return None
    taken = next((row for row in rows if row.covers(today)), None)
    minimum = date.fromordinal(answer.prophylaxis.minimum_until)
    earliest = answer.prophylaxis.earliest_stop
    may_stop = earliest is not None and earliest <= today.toordinal()
    facts = [
        ("Last infusion", show_date(date.fromordinal(answer.last_infusion))),
        ("At least until", show_date(minimum)),
        ("Latest CD4", _latest_cd4(case)),
    ]
    return ProphylaxisSummary(
        now=_now(taken, rows, may_stop=may_stop),
        stop=_stop(minimum, earliest, rule.cd4_minimum, may_stop=may_stop),
        rule=rule.explanation,
        source=rule.source,
        grade=rule.grade.value,
        facts=facts,
        tone="amber" if taken is None and not may_stop else "",
    )


def _now(taken: ProphylaxisRow | None, rows: Sequence[ProphylaxisRow], *, may_stop: bool) -> str:
    if taken is not None:
        return f"{taken.drug} since {show_date(taken.started_on)}"
    standing = [row for row in rows if row.stands]
    if not standing:
        return "No prophylaxis is on record"
    last = max(standing, key=lambda row: row.started_on)
    early = "" if may_stop else ", before it may stop"
    return f"{last.drug}, stopped {show_date(last.stopped_on)}{early}" if last.stopped_on else f"{last.drug} is planned"


def _stop(minimum: date, earliest: int | None, cd4: int | None, *, may_stop: bool) -> str:
    if earliest is None:
        return f"Not before {show_date(minimum)}, and not without CD4 ≥ {cd4}"
    on = show_date(date.fromordinal(earliest))
    return f"May stop since {on}" if may_stop else f"May stop from {on}"


def _latest_cd4(case: MonitoringCase) -> str:
    valid = {ResultStatus.FINAL.value, ResultStatus.CORRECTED.value}
    known = [lab for lab in case.history.labs if lab.test == "cd4" and lab.value is not None and lab.status in valid]
    if not known:
        return "none on file"
    last = max(known, key=lambda lab: lab.collected)
    return f"{last.value:g} on {show_date(date.fromordinal(last.collected))}"

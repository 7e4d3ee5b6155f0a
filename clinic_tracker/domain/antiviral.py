"""The antiviral of one course as it was taken: started when, stopped when, and whether that was as the label asks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from clinic_tracker.domain.prophylaxis import Cd4, ProphylaxisRule, explain_stop

_DAY = timedelta(days=1)


class Taken(NamedTuple):
    """An antiviral from one day to another; without an end it is still taken."""

    started_on: date
    stopped_on: date | None
    drug: str = ""
    stop_reason: str | None = None


class Finding(StrEnum):
    """What was not as it should be."""

    NOT_STARTED = "not_started"
    STARTED_LATE = "started_late"
    STOPPED_EARLY = "stopped_early"


@dataclass(frozen=True, slots=True)
class CourseAntiviral:
    """The antiviral of a course. ``last_cd4`` is the count that was known at the stop or on the day asked about."""

    findings: tuple[Finding, ...] = ()
    first: Taken | None = None
    last: Taken | None = None
    days_late: int = 0
    stopped_on: date | None = None
    earliest_on: date | None = None
    last_cd4: Cd4 | None = None


def course_antiviral(
    first_on: date, until: date, taken: Sequence[Taken], rule: ProphylaxisRule | None, cd4s: Sequence[Cd4]
) -> CourseAntiviral:
    """What was taken from the first day of a course up to a day, which lies before the next course (R-60, R-61).

    One that is taken on the first day is in time, also if an earlier course began it. A drug that follows another
    without a day between goes on with it. A stop is too early when the label did not permit it on that day.
    """
    spells = sorted((one for one in taken if one.started_on <= until), key=lambda one: one.started_on)
    covering = [one for one in spells if one.stopped_on is None or one.stopped_on >= first_on]
    if not covering:
        return CourseAntiviral((Finding.NOT_STARTED,), last_cd4=_known(rule, cd4s, until))
    first = covering[0]
    days_late = max(0, (first.started_on - first_on).days)
    last = _followed(first, covering[1:])
    stopped_on = last.stopped_on if last.stopped_on is not None and last.stopped_on <= until else None
    findings = [Finding.STARTED_LATE] if days_late else []
    if rule is not None and stopped_on is not None and not explain_stop(rule, cd4s, stopped_on).may_stop:
        findings.append(Finding.STOPPED_EARLY)
    earliest_on = explain_stop(rule, cd4s, stopped_on or until).earliest_on if rule is not None else None
    known = _known(rule, cd4s, stopped_on or until)
    return CourseAntiviral(tuple(findings), first, last, days_late, stopped_on, earliest_on, known)


def _followed(first: Taken, others: Sequence[Taken]) -> Taken:
    """The last of the drugs that follow each other without a day between."""
    last = first
    for one in others:
        if last.stopped_on is None or one.started_on > last.stopped_on + _DAY:
            break
        if one.stopped_on is None or one.stopped_on > last.stopped_on:
            last = one
    return last


def _known(rule: ProphylaxisRule | None, cd4s: Sequence[Cd4], on: date) -> Cd4 | None:
    """The latest count after the last infusion; the lowest, if there are several of that day."""
    after = rule.last_infusion_on if rule is not None else None
    counts = [one for one in cd4s if one.collected_on <= on and (after is None or one.collected_on > after)]
    return max(counts, key=lambda one: (one.collected_on, -one.value), default=None)

"""The forecast: from facts and a protocol, everything owed from the first infusion to the end of monitoring.

No clock: what is computed here depends on the facts alone, so it can be stored and stays true at midnight. What a date
makes of it (due, overdue, missed) is in ``status``; which evidence does which occurrence, in ``occurrences``.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import islice
from operator import attrgetter

from clinic_tracker.domain.calendar import add_months
from clinic_tracker.domain.evidence import Evidence, collect, first_cd4_reaching
from clinic_tracker.domain.history import CourseFact, History
from clinic_tracker.domain.obligation import Forecast, Obligation, Prophylaxis, Standing
from clinic_tracker.domain.occurrences import (
    Course,
    Grid,
    Span,
    course_forms,
    course_grid,
    form_series,
    grid_obligations,
    rolling_exams,
)
from clinic_tracker.domain.protocol import Protocol
from clinic_tracker.domain.requirement import Anchor, AppliesTo, EvidenceKind, Requirement

__all__ = ["Forecast", "Obligation", "Prophylaxis", "Standing", "forecast"]

_FAR_AWAY = 10**9
_due = attrgetter("due")


def forecast(history: History, protocol: Protocol) -> Forecast:
    """Everything owed by and for one patient, and the dates at the head of the schedule; empty before any infusion."""
    courses = _courses_given(history.given, protocol.monitoring.tail_months)
    if not courses:
        return Forecast()
    case = _Case(history, protocol, courses)
    obligations: list[Obligation] = []
    standings = []
    for requirement in protocol.requirements:
        if requirement.applies_to is AppliesTo.WITH_CERVIX and not history.has_cervix:
            continue
        owed, standing = case.plan(requirement)
        obligations += owed
        if owed:
            standings.append(standing)
    latest = courses[-1]
    return Forecast(
        obligations=tuple(obligations),
        standings=tuple(standings),
        first_infusion=courses[0].first,
        last_infusion=latest.last,
        monitoring_ends=latest.ends,
        closed_on=case.closed_on,
        next_course_earliest=add_months(latest.last, protocol.dosing.minimum_gap_months),
        prophylaxis=_prophylaxis(latest.last, protocol, case.evidence),
    )


class _Case:
    """One patient's facts, arranged for planning requirement after requirement."""

    def __init__(self, history: History, protocol: Protocol, courses: list[Course]) -> None:
        self.courses = courses
        self.holidays = protocol.holidays
        self.closed_on = history.closed_on
        self.evidence = collect(history, protocol.lab_panels)
        self.waivers: dict[str, list[Span]] = {}
        for requirement, first, last in history.waivers:
            self.waivers.setdefault(requirement, []).append((first, last))
        self._grids: dict[tuple[object, ...], list[Grid]] = {}

    def plan(self, requirement: Requirement) -> tuple[Sequence[Obligation], Standing]:
        """The obligations of one requirement, by due date and slot, and where the patient stands with it."""
        if requirement.evidence_kind is EvidenceKind.FORM:
            return self._plan_forms(requirement)
        if requirement.evidence_kind is EvidenceKind.LAB:
            evidence = self.evidence.labs[requirement.evidence]
        else:
            evidence = self.evidence.exams.get(requirement.evidence, {})
        days = sorted(evidence)
        waivers = self.waivers.get(requirement.code, [])
        found: list[Obligation] = []
        if requirement.anchor is Anchor.LAST_EVIDENCE:
            found = rolling_exams(requirement, self.courses, evidence, days, waivers)
        else:
            for course, grid in zip(self.courses, self._course_grids(requirement), strict=True):
                found += grid_obligations(requirement, course, grid, evidence, days, waivers)
        last_done = days[-1] if days else None
        # What was due by the latest evidence is no longer owed: the evidence takes it off the overdue list, even if it
        # came too late for the slot.
        settled = bisect_right(found, last_done, key=_due) if last_done else 0
        return found, self._standing(requirement, islice(found, settled, None), last_done)

    def _plan_forms(self, requirement: Requirement) -> tuple[Sequence[Obligation], Standing]:
        forms = self.evidence.forms.get(requirement.evidence, [])
        waivers = self.waivers.get(requirement.code, [])
        if requirement.anchor is Anchor.FIRST_INFUSION:
            found = form_series(requirement, self.courses, forms, waivers)
        else:
            given = {course.number for course in self.courses}
            forms = [form for form in forms if form.course in given]
            found = course_forms(requirement, self.courses, forms, waivers, self.holidays)
        return found, self._standing(requirement, found, forms[-1].submitted if forms else None)

    def _course_grids(self, requirement: Requirement) -> list[Grid]:
        """The grid of each course; computed once for all requirements of one cadence."""
        cadence = (requirement.slot, requirement.first_due, requirement.opens)
        grids = self._grids.get(cadence)
        if grids is None:
            grids = self._grids[cadence] = [course_grid(course, requirement) for course in self.courses]
        return grids

    def _standing(self, requirement: Requirement, owed: Iterable[Obligation], last_done: int | None) -> Standing:
        """What is owed first. Nothing after the prescriber's sign-off."""
        if self.closed_on is None:
            for obligation in owed:
                if obligation.done is None and not obligation.waived:
                    return Standing(requirement.code, obligation.opens, obligation.due, last_done)
        return Standing(requirement.code, None, None, last_done)


def _courses_given(given: list[CourseFact], tail_months: int) -> list[Course]:
    """The courses given, each with the end of its monitoring (decision 4) and the day before the next one (decision 3).

    An extension holds for its course and those given later.
    """
    courses: list[Course] = []
    extended_to = 0
    for number, infusion_days, extension in given:
        first, last = min(infusion_days), max(infusion_days)
        extended_to = max(extended_to, extension or 0)
        if courses:
            courses[-1] = courses[-1]._replace(until=first - 1)
        courses.append(Course(number, first, last, max(add_months(last, tail_months), extended_to), _FAR_AWAY))
    return courses


def _prophylaxis(last: int, protocol: Protocol, evidence: Evidence) -> Prophylaxis:
    """When the antiviral may stop: after the minimum and, where the protocol asks for it, a sufficient CD4 (R-61)."""
    rule = protocol.antiviral
    minimum_until = add_months(last, rule.minimum_months)
    if rule.cd4_minimum is None:
        return Prophylaxis(minimum_until, minimum_until)
    reached = first_cd4_reaching(rule.cd4_minimum, last, evidence.cd4)
    return Prophylaxis(minimum_until, None if reached is None else max(minimum_until, reached))

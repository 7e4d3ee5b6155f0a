"""The forecast: from facts and a protocol, everything owed from the first infusion to the end of monitoring.

No clock: what is computed here depends on the facts alone, so it can be stored and stays true at midnight. What a date
makes of it (due, overdue, missed) is in ``status``; which evidence does which occurrence, in ``occurrences``.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from clinic_tracker.domain.calendar import add_months
from clinic_tracker.domain.evidence import NO_EVIDENCE, Evidence
from clinic_tracker.domain.facts import CourseFact
from clinic_tracker.domain.history import History
from clinic_tracker.domain.obligation import Forecast, Obligation, Prophylaxis, Standing
from clinic_tracker.domain.occurrences import course_forms, form_series, gaps_in_monitoring, rolling_exams
from clinic_tracker.domain.protocol import Protocol
from clinic_tracker.domain.requirement import Anchor, AppliesTo, EvidenceKind, Requirement
from clinic_tracker.domain.slots import Course, Span, draws_that_count, slot_grid, slot_obligations

__all__ = ["Forecast", "Obligation", "Prophylaxis", "Standing", "forecast"]

_FAR_AWAY = 10**9


def forecast(history: History, protocol: Protocol) -> Forecast:
    """Everything owed by and for one patient, and the dates at the head of the schedule; empty before any infusion."""
    given = history.given
    if not given:
        return Forecast()
    courses = _courses_given(given, protocol.monitoring.tail_months)
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

    def __init__(self, history: History, protocol: Protocol, courses: tuple[Course, ...]) -> None:
        self.courses = courses
        self.gaps = gaps_in_monitoring(courses)
        self.holidays = protocol.holidays
        self.closed_on = history.closed_on
        self.evidence = history.evidence
        self.waivers: dict[str, list[Span]] = {}
        for requirement, first, last in history.waivers:
            self.waivers.setdefault(requirement, []).append((first, last))

    def plan(self, requirement: Requirement) -> tuple[Sequence[Obligation], Standing]:
        """The obligations of one requirement, by due date and slot, and where the patient stands with it."""
        if requirement.evidence_kind is EvidenceKind.LAB:
            return self._plan_labs(requirement)
        if requirement.evidence_kind is EvidenceKind.EXAM:
            return self._plan_exams(requirement)
        return self._plan_forms(requirement)

    def _plan_labs(self, requirement: Requirement) -> tuple[Sequence[Obligation], Standing]:
        track = self.evidence.labs.get(requirement.evidence, NO_EVIDENCE)
        grid = slot_grid(self.courses, requirement.slot, requirement.first_due.count, requirement.opens.count)
        done = draws_that_count(grid, track.days)
        found = slot_obligations(requirement, grid, done, track, self._waivers_of(requirement))
        # What was due by the latest evidence is no longer owed: the evidence takes it off the overdue list, even if it
        # came too late for the slot.
        latest = track.latest
        settled = bisect_right(grid.dues, latest) if latest else 0
        return found, self._standing(requirement, found[settled:], latest)

    def _plan_exams(self, requirement: Requirement) -> tuple[Sequence[Obligation], Standing]:
        track = self.evidence.exams.get(requirement.evidence, NO_EVIDENCE)
        found = rolling_exams(requirement, self.courses, self.gaps, track, self._waivers_of(requirement))
        latest = track.latest
        owed = [item for item in found if item.due > latest] if latest else found
        return found, self._standing(requirement, owed, latest)

    def _plan_forms(self, requirement: Requirement) -> tuple[Sequence[Obligation], Standing]:
        forms = self.evidence.forms.get(requirement.evidence, ())
        waivers = self._waivers_of(requirement)
        if requirement.anchor is Anchor.FIRST_INFUSION:
            found = form_series(requirement, self.courses, self.gaps, forms, waivers)
        else:
            given = {course.number for course in self.courses}
            forms = [form for form in forms if form.course in given]
            found = course_forms(requirement, self.courses, forms, waivers, self.holidays)
        return found, self._standing(requirement, found, forms[-1].submitted if forms else None)

    def _waivers_of(self, requirement: Requirement) -> Sequence[Span]:
        return self.waivers.get(requirement.code, ())

    def _standing(self, requirement: Requirement, owed: Iterable[Obligation], last_done: int | None) -> Standing:
        """What is owed first. Nothing after the prescriber's sign-off."""
        if self.closed_on is None:
            for obligation in owed:
                if obligation.done is None and not obligation.waived:
                    return Standing(requirement.code, obligation.opens, obligation.due, last_done)
        return Standing(requirement.code, None, None, last_done)


def _courses_given(given: list[CourseFact], tail_months: int) -> tuple[Course, ...]:
    """The courses given, each with the end of its monitoring (decision 4) and the day before the next one (decision 3).

    An extension holds for its course and those given later.
    """
    firsts = [min(course.infusion_days) for course in given]
    days_before_next = [*(first - 1 for first in firsts[1:]), _FAR_AWAY]
    courses = []
    extended_to = 0
    for course, first, until in zip(given, firsts, days_before_next, strict=True):
        last = max(course.infusion_days)
        extended_to = max(extended_to, course.monitoring_extended_to or 0)
        ends = max(add_months(last, tail_months), extended_to)
        courses.append(Course(course.number, first, last, ends, until))
    return tuple(courses)


def _prophylaxis(last: int, protocol: Protocol, evidence: Evidence) -> Prophylaxis:
    """When the antiviral may stop: after the minimum and, where the protocol asks for it, a sufficient CD4 (R-61)."""
    rule = protocol.antiviral
    minimum_until = add_months(last, rule.minimum_months)
    if rule.cd4_minimum is None:
        return Prophylaxis(minimum_until, minimum_until)
    for day, cells in evidence.cd4:
        if day > last and cells >= rule.cd4_minimum:
            return Prophylaxis(minimum_until, max(minimum_until, day))
    return Prophylaxis(minimum_until, None)

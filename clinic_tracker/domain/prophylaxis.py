"""Herpes prophylaxis: when the antiviral has to start, when it may stop, and why not before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.notes import Verdict, deviation, refuse


class Cd4(NamedTuple):
    """A valid CD4 count in cells/uL."""

    collected_on: date
    value: float


@dataclass(frozen=True, slots=True)
class ProphylaxisRule:
    """What the schedule says for the latest course. ``cd4_min`` is ``None`` where time alone decides."""

    minimum_until: date
    earliest_stop_on: date | None
    months: int
    cd4_min: float | None
    last_infusion_on: date | None = None


class StopAnswer(NamedTuple):
    """Whether the antiviral may be stopped on a day, from when, and why in words."""

    may_stop: bool
    earliest_on: date | None
    words: str


def explain_stop(rule: ProphylaxisRule, cd4s: Sequence[Cd4], on: date) -> StopAnswer:
    """May the antiviral be stopped on a day: at least two months, and CD4 at 200 or above, whichever is later (R-61).

    Without a count that is high enough it may not be stopped, however long ago the infusion was. ``cd4s`` are the valid
    counts in any order; those after ``on`` are not known yet.
    """
    earliest = rule.minimum_until if rule.cd4_min is None else rule.earliest_stop_on
    known = [count for count in cd4s if count.collected_on <= on]
    if earliest is not None and on >= earliest:
        return StopAnswer(True, earliest, f"May be stopped since {show_date(earliest)}: {_grounds(rule, known)}.")
    reasons: list[str] = []
    if on < rule.minimum_until:
        reasons.append(f"not before {show_date(rule.minimum_until)} ({_months(rule.months)} after the last infusion)")
    if rule.cd4_min is not None and (earliest is None or earliest > max(on, rule.minimum_until)):
        reasons.append(f"not without CD4 ≥ {rule.cd4_min:g} ({_last_count(rule, known)})")
    return StopAnswer(False, earliest, _sentence(" and ".join(reasons)))


def check_start(started_on: date, course_first_on: date) -> Verdict:
    """The antiviral starts on the first day of each course; any other day is a deviation (R-60)."""
    if started_on == course_first_on:
        return Verdict()
    when = "before" if started_on < course_first_on else "after"
    message = f"The antiviral is due on the first day of the course, {show_date(course_first_on)}; this is {when} it."
    return Verdict((deviation("not_on_first_day", "started_on", message, "R-60"),))


def check_stop(stopped_on: date, started_on: date, rule: ProphylaxisRule | None, cd4s: Sequence[Cd4]) -> Verdict:
    """A stop before it is permitted needs a prescriber's reason (R-61). ``rule`` is ``None`` before any infusion."""
    if stopped_on < started_on:
        message = f"The antiviral was started on {show_date(started_on)}; it cannot be stopped before."
        return Verdict((refuse("stopped_before_start", "stopped_on", message, "R-61"),))
    if rule is None:
        return Verdict()
    answer = explain_stop(rule, cd4s, stopped_on)
    if answer.may_stop:
        return Verdict()
    message = f"{answer.words} An earlier stop needs the prescriber's reason."
    return Verdict((deviation("stopped_too_early", "stopped_on", message, "R-61", by_prescriber=True),))


def _grounds(rule: ProphylaxisRule, known: list[Cd4]) -> str:
    """What the permission rests on: the time, and the first count that was high enough."""
    time = f"{_months(rule.months)} after the last infusion"
    if rule.cd4_min is None:
        return time
    enough = [count for count in _of_course(rule, known) if count.value >= rule.cd4_min]
    if not enough:
        return f"{time}, and CD4 was {rule.cd4_min:g} or above"
    first = min(enough)
    return f"{time}, and CD4 was {first.value:g} on {show_date(first.collected_on)}"


def _last_count(rule: ProphylaxisRule, known: list[Cd4]) -> str:
    counts = _of_course(rule, known)
    if not counts:
        return "none since the last infusion" if rule.last_infusion_on else "none on file"
    # Of several counts on a day the lowest is shown: it is the one that explains the wait.
    last = max(counts, key=lambda count: (count.collected_on, -count.value))
    return f"last {last.value:g} on {show_date(last.collected_on)}"


def _of_course(rule: ProphylaxisRule, known: list[Cd4]) -> list[Cd4]:
    """Only counts after the last infusion say anything about it."""
    after = rule.last_infusion_on
    return [count for count in known if after is None or count.collected_on > after]


def _months(count: int) -> str:
    return "1 month" if count == 1 else f"{count} months"


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."

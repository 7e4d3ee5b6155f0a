"""How a due date was reckoned, in words: what it counts from, the sum, and why it was moved."""

from typing import NamedTuple

from clinic_tracker.domain.calendar import add_months, is_business_day, to_date
from clinic_tracker.domain.history import History
from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.obligation import Obligation
from clinic_tracker.domain.protocol import Protocol
from clinic_tracker.domain.requirement import Anchor, Requirement, Unit


class Reckoning(NamedTuple):
    """What a due date counts from, and the sum as a sentence."""

    anchor: str
    anchor_day: int
    sentence: str


def reckoning_of(
    obligation: Obligation,
    requirement: Requirement,
    previous: Obligation | None,
    history: History,
    protocol: Protocol,
) -> Reckoning:
    """How the due date of an obligation came about. ``previous`` is the occurrence before it, if there is one."""
    if requirement.anchor is Anchor.LAST_EVIDENCE:
        return _rolling(obligation, requirement, previous, history)
    if requirement.anchor is Anchor.FIRST_INFUSION:
        anchor, day = "First infusion", min(history.given[0].infusion_days)
    else:
        course = next(course for course in history.given if course.number == obligation.anchor)
        anchor, day = f"Last infusion of course {course.number}", max(course.infusion_days)
    if requirement.every is None:
        return Reckoning(anchor, day, _business_days(obligation, requirement, anchor, day, protocol))
    months = obligation.occurrence * requirement.every.count
    return Reckoning(anchor, day, _months(months, anchor, day, obligation.due))


def say(day: int) -> str:
    """A day for people: 22-Nov-2026."""
    return show_date(to_date(day))


def _months(months: int, anchor: str, day: int, due: int) -> str:
    unit = "month" if months == 1 else "months"
    sentence = f"{anchor} on {say(day)} plus {months} {unit} is {say(due)}"
    if to_date(due).day < to_date(day).day:
        sentence += f", the last day of a month without a day {to_date(day).day}"
    return sentence + "."


def _business_days(obligation: Obligation, requirement: Requirement, anchor: str, day: int, protocol: Protocol) -> str:
    period = requirement.first_due
    sentence = f"{anchor} on {say(day)} plus {period} is {say(obligation.due)}."
    if period.unit is not Unit.BUSINESS_DAYS:
        return sentence
    holidays = [
        say(between)
        for between in range(day + 1, obligation.due)
        if between in protocol.holidays and is_business_day(between, ())
    ]
    return f"{sentence} Saturdays, Sundays and holidays ({', '.join(holidays) or 'none here'}) do not count."


def _rolling(
    obligation: Obligation, requirement: Requirement, previous: Obligation | None, history: History
) -> Reckoning:
    """An examination counts from the one before it, from a waived due date, or from the first infusion."""
    start = min(history.given[0].infusion_days)
    if previous is None:
        track = history.evidence.exams.get(requirement.evidence)
        before = [day for day in track.days if day <= start] if track else []
        if not before:
            return Reckoning("First infusion", start, f"None is on file up to the first infusion on {say(start)}.")
        anchor, day = "Last one before treatment", before[-1]
    elif previous.done is not None:
        anchor, day = "The one before", previous.done
    else:
        anchor, day = "Due date of the waived one before", previous.due
    due = add_months(day, requirement.first_due.count)
    sentence = _months(requirement.first_due.count, anchor, day, due)
    if due < start == obligation.due:
        sentence += f" It is not due before the first infusion on {say(start)}."
    elif due != obligation.due:
        moved = f"it moves to the first infusion of the next course, {say(obligation.due)}"
        sentence += f" No monitoring was owed then, so {moved}."
    return Reckoning(anchor, day, sentence)

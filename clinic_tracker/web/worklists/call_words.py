"""Calls after a course in words."""

from dataclasses import dataclass

from flask import url_for

from clinic_tracker.domain.follow_up import FollowUpState, symptom_words
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.queries.follow_ups import CourseCall
from clinic_tracker.queries.scope import Scope
from clinic_tracker.web.filters import plural

STATE_TONES = {
    FollowUpState.LATE: "red",
    FollowUpState.DUE: "amber",
    FollowUpState.DONE: "green",
    FollowUpState.NOT_YET: "grey",
    FollowUpState.CLOSED: "grey",
    FollowUpState.HISTORY: "grey",
}
MINUTES_IN_HOUR, HOURS_IN_TWO_DAYS = 60, 48


@dataclass(frozen=True, slots=True)
class CallLine:
    """One call with its words and where it is recorded."""

    row: CourseCall
    words: str
    tone: str
    tries: str
    symptoms: str
    record_href: str | None


def call_line(row: CourseCall, scope: Scope) -> CallLine:
    """The call after a course as a list shows it."""
    told = next((call for call in row.calls if call.symptoms), None)
    href = url_for("infusions.record_call", patient=row.patient, course=row.course)
    return CallLine(
        row=row,
        words=state_words(row, scope),
        tone=STATE_TONES[row.follow_up.state],
        tries=f"not reached, {plural(row.follow_up.tries, 'try', 'tries')}" if row.follow_up.tries else "",
        symptoms="; ".join(symptom_words(told.symptoms)) if told else "",
        record_href=href if scope.may(Permission.CONTACT_PATIENTS) else None,
    )


def state_words(row: CourseCall, scope: Scope) -> str:
    """Due, how late, or done; hours while hours matter."""
    judged = row.follow_up
    match judged.state:
        case FollowUpState.LATE:
            return f"late by {_span((scope.now - judged.closes_at).total_seconds())}"
        case FollowUpState.DUE:
            return f"due, {_span((judged.closes_at - scope.now).total_seconds())} left"
        case FollowUpState.DONE:
            return "done late" if judged.done_late else "done"
        case FollowUpState.NOT_YET:
            return "not yet"
        case FollowUpState.CLOSED:
            return "monitoring signed off"
        case FollowUpState.HISTORY:
            return "entered later, not asked for"


def _span(seconds: float) -> str:
    """Hours up to two days, then days."""
    hours = int(seconds // (MINUTES_IN_HOUR * MINUTES_IN_HOUR))
    if hours < 1:
        return "less than an hour"
    return plural(hours, "hour") if hours < HOURS_IN_TWO_DAYS else plural(hours // 24, "day")

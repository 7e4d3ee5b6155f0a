"""The observation after an infusion: really elapsed minutes, and the discharge that ends it."""

from datetime import datetime, timedelta
from enum import StrEnum

from clinic_tracker.domain.local_time import to_utc
from clinic_tracker.domain.notes import Note, Verdict, deviation, refuse


def observation_ends_at(ended_at: datetime, minutes: int) -> datetime:
    """When the observation of ``minutes`` really elapsed minutes after the infusion is over, in UTC (R-48)."""
    return to_utc(ended_at) + timedelta(minutes=minutes)


def early_discharge_minutes_left(ended_at: datetime, discharged_at: datetime, minutes: int) -> int:
    """Minutes of observation, rounded up, that this discharge would leave out; 0 if it is late enough (R-48)."""
    left = observation_ends_at(ended_at, minutes) - to_utc(discharged_at)
    return max(0, -(-left // timedelta(minutes=1)))


class Observed(StrEnum):
    """What became of an observation."""

    COMPLETE = "complete"
    CUT_SHORT = "cut_short"
    NOT_RECORDED = "not_recorded"  # no end of the infusion, or no discharge: nothing shows that it was complete


def observed(ended_at: datetime | None, discharged_at: datetime | None, minutes: int) -> Observed:
    """Whether ``minutes`` really elapsed minutes lie between the end of the infusion and the discharge (R-48)."""
    if ended_at is None or discharged_at is None:
        return Observed.NOT_RECORDED
    left = early_discharge_minutes_left(ended_at, discharged_at, minutes)
    return Observed.CUT_SHORT if left else Observed.COMPLETE


def check_discharge(
    ended_at: datetime, discharged_at: datetime, minutes: int, *, stroke_counseled: bool, late_reactions_counseled: bool
) -> Verdict:
    """A discharge before the observation is over, or without the advice due at every infusion (R-48 to R-50)."""
    if to_utc(discharged_at) < to_utc(ended_at):
        message = "The discharge is before the end of the infusion."
        return Verdict((refuse("discharged_before_end", "discharged_at", message, "R-48"),))
    notes: list[Note] = []
    if left := early_discharge_minutes_left(ended_at, discharged_at, minutes):
        message = f"Discharged {_minutes(left)} before {_hours(minutes)} of observation were over."
        notes.append(deviation("early_discharge", "discharged_at", message, "R-48"))
    if not stroke_counseled:
        message = "Advice on stroke and arterial dissection is due at every infusion."
        notes.append(deviation("no_stroke_counseling", "stroke_counseled", message, "R-50"))
    if not late_reactions_counseled:
        message = "Advice that serious reactions can come after the observation is due at every infusion."
        notes.append(deviation("no_late_reaction_counseling", "late_reactions_counseled", message, "R-49"))
    return Verdict(tuple(notes))


def _minutes(count: int) -> str:
    return "1 minute" if count == 1 else f"{count} minutes"


def _hours(minutes: int) -> str:
    """Whole hours as hours: 2 hours, 150 minutes."""
    hours, rest = divmod(minutes, 60)
    return _minutes(minutes) if rest or not hours else "1 hour" if hours == 1 else f"{hours} hours"

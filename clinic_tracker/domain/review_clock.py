"""By when a result is to be reviewed, and whether it was."""

from datetime import date

from clinic_tracker.domain.calendar import add_business_days

RED = "red"


def review_due_on(came_on: date, level: str | None, business_days: int, holidays: frozenset[int]) -> date:
    """The last day on which a result should be reviewed: a red one on the day it came, weekends included (C)."""
    day = came_on.toordinal()
    return date.fromordinal(day if level == RED else add_business_days(day, business_days, holidays))

"""What happened on an infusion day, in order of time, in words."""

from datetime import datetime
from typing import NamedTuple

from clinic_tracker.queries.infusion_day import DayParts, DayRow


class DayEvent(NamedTuple):
    """One thing that happened; ``tone`` as for tags."""

    at: datetime
    what: str
    more: str = ""
    tone: str = "grey"


def day_events(row: DayRow, parts: DayParts) -> list[DayEvent]:
    """Start, pauses, restarts, reactions and how they ended, end, discharge. Of one moment the reaction comes first."""
    events = [
        DayEvent(row.started_at, "Started", tone="accent"),
        *(
            DayEvent(one.onset_at, f"Reaction, {one.grade.replace('_', ' ')}", one.told, "red")
            for one in parts.reactions
        ),
        *(DayEvent(pause.paused_at, "Paused", pause.reason or "", "amber") for pause in parts.pauses),
        *(DayEvent(pause.resumed_at, "Restarted", tone="accent") for pause in parts.pauses if pause.resumed_at),
        *(
            DayEvent(one.resolved_at, "Reaction over", one.told, "green")
            for one in parts.reactions
            if one.resolved_at is not None
        ),
    ]
    if row.ended_at is not None:
        events.append(DayEvent(row.ended_at, "Infusion ended", tone="accent"))
    if row.discharged_at is not None:
        events.append(DayEvent(row.discharged_at, "Discharged", row.discharged_by or "", "green"))
    return sorted(events, key=lambda event: event.at)

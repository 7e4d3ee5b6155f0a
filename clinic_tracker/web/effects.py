"""What a recorded fact did to the schedule, in sentences."""

from dataclasses import dataclass
from typing import Any

from clinic_tracker.domain.local_time import show_date
from clinic_tracker.queries.effects import Effect
from clinic_tracker.web.filters import plural


@dataclass(frozen=True, slots=True)
class EffectLine:
    """What one fact did, in a sentence. Tones: success, info, warning."""

    title: str
    text: str
    tone: str
    findings: tuple[dict[str, Any], ...] = ()


def effect_line(title: str, effect: Effect | None, findings: tuple[dict[str, Any], ...] = ()) -> EffectLine:
    """The obligation that a fact satisfied and what is owed next, or when the next window opens."""
    if effect is None:
        return EffectLine(title, "recorded.", "success", findings)
    if effect.due_on is not None:
        late = f" ({plural(effect.days_late, 'day')} late)" if effect.days_late else ""
        return EffectLine(title, f"done for {show_date(effect.due_on)}{late}, {_next(effect)}.", "success", findings)
    if not effect.is_monitored:
        text = "recorded before the first infusion: nothing is owed yet."
        return EffectLine(title, text, "info", findings)
    return EffectLine(title, f"recorded as unscheduled: {_window(effect)}.", "info", findings)


def _next(effect: Effect) -> str:
    if effect.next_due_on is None:
        return "nothing more is owed"
    return f"next due {show_date(effect.next_due_on)}"


def _window(effect: Effect) -> str:
    if effect.next_opens_on is None or effect.next_due_on is None:
        return "nothing is owed"
    return f"the next window opens {show_date(effect.next_opens_on)} (due {show_date(effect.next_due_on)})"

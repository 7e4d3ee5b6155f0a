"""Vital signs: what may be, what is asked about, what raises an alert, and when the next set is due (R-47)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import NamedTuple

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.local_time import to_utc

# A temperature between these can only have been read in degrees Fahrenheit: 27 to 46 degrees Celsius.
_FAHRENHEIT = (Decimal(80), Decimal(115))


class Range(NamedTuple):
    """From the lowest to the highest value, both inclusive; None leaves a side open."""

    low: float | None
    high: float | None

    def holds(self, value: float) -> bool:
        """Whether the value lies in it."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


class Sign(NamedTuple):
    """One vital sign. Outside ``possible`` it is refused, outside ``plausible`` it is asked about."""

    name: str
    title: str
    short: str
    unit: str
    possible: Range
    plausible: Range


# In the order in which a monitor is read and the numbers are typed.
SIGNS: tuple[Sign, ...] = (
    Sign("systolic", "Systolic pressure", "Systolic", "mmHg", Range(30, 320), Range(70, 200)),
    Sign("diastolic", "Diastolic pressure", "Diastolic", "mmHg", Range(10, 220), Range(35, 125)),
    Sign("pulse", "Pulse", "Pulse", "per minute", Range(15, 300), Range(40, 160)),
    Sign("temperature", "Temperature", "Temp.", "°C", Range(25, 45), Range(35, 40.5)),
    Sign("respiratory_rate", "Respiratory rate", "Resp.", "per minute", Range(2, 90), Range(8, 36)),
    Sign("oxygen_saturation", "Oxygen saturation", "SpO₂", "%", Range(30, 100), Range(85, 100)),
)
BY_NAME: Mapping[str, Sign] = {sign.name: sign for sign in SIGNS}


class Question(NamedTuple):
    """A value that may be a slip of the finger: is it right?"""

    sign: Sign
    value: float

    @property
    def key(self) -> str:
        """What confirms exactly this value; another value is asked about again."""
        return f"{self.sign.name}={self.value:g}"

    @property
    def words(self) -> str:
        """What is unusual about it."""
        return f"{self.sign.title} {self.value:g} {self.sign.unit} is unusual."

    @property
    def answer(self) -> str:
        """The words of the confirmation."""
        return f"Yes, {sentence(self.sign.title)} {self.value:g} {self.sign.unit} is right"


class Questioned(RuleViolation):
    """A set with values that must be confirmed before it is recorded."""

    def __init__(self, questions: tuple[Question, ...]) -> None:
        first = questions[0]
        super().__init__("questioned", first.sign.name, f"{first.words} Correct it, or confirm that it is right.")
        self.questions = questions


class Side(StrEnum):
    """On which side of the limit a value lies."""

    LOW = "low"
    HIGH = "high"


class Flag(NamedTuple):
    """A value beyond a limit of the clinic."""

    sign: Sign
    value: float
    side: Side
    limit: float

    @property
    def words(self) -> str:
        """What is beyond which limit: "Pulse 130 per minute: high (limit 120)"."""
        return f"{self.sign.title} {self.value:g} {self.sign.unit}: {self.side} (limit {self.limit:g})"


@dataclass(frozen=True, slots=True)
class AlertLimits:
    """The limits of a clinic, by the name of the sign (C)."""

    ranges: Mapping[str, Range]

    @classmethod
    def from_settings(cls, settings: Mapping[str, float]) -> "AlertLimits":
        """The limits from the protocol's settings ``vitals_*_low`` and ``vitals_*_high``."""
        settings_of = {sign.name: "oxygen" if sign.name == "oxygen_saturation" else sign.name for sign in SIGNS}
        return cls(
            {
                name: Range(settings.get(f"vitals_{short}_low"), settings.get(f"vitals_{short}_high"))
                for name, short in settings_of.items()
            }
        )

    def flag(self, name: str, value: float | None) -> Flag | None:
        """The flag of one value, if it is beyond a limit. A temperature is high from the limit on."""
        limits = self.ranges.get(name, Range(None, None))
        if value is None:
            return None
        if limits.low is not None and value < limits.low:
            return Flag(BY_NAME[name], value, Side.LOW, limits.low)
        if limits.high is not None and (value > limits.high or (name == "temperature" and value == limits.high)):
            return Flag(BY_NAME[name], value, Side.HIGH, limits.high)
        return None

    def flags(self, values: Mapping[str, float | None]) -> tuple[Flag, ...]:
        """Every value of a set that is beyond a limit."""
        found = (self.flag(sign.name, values.get(sign.name)) for sign in SIGNS)
        return tuple(flag for flag in found if flag is not None)


def check_values(values: Mapping[str, float | None], confirmed: Iterable[str] = ()) -> None:
    """RuleViolation for a set without a value, an impossible one or crossed pressures; Questioned for unlikely ones."""
    given = {name: value for name, value in values.items() if name in BY_NAME and value is not None}
    if not given:
        raise RuleViolation("no_values", "systolic", "Enter at least one value.")
    for name, value in given.items():
        sign = BY_NAME[name]
        if not sign.possible.holds(value):
            low, high = sign.possible
            message = f"{sign.title} {value:g} {sign.unit} cannot be: it lies between {low:g} and {high:g}."
            raise RuleViolation("impossible", name, message)
    if given.get("systolic", 999) <= given.get("diastolic", 0):
        raise RuleViolation("pressures_swapped", "diastolic", "The diastolic pressure is below the systolic one.")
    answered = set(confirmed)
    asked = tuple(question for question in questions(given) if question.key not in answered)
    if asked:
        raise Questioned(asked)


def questions(values: Mapping[str, float | None]) -> tuple[Question, ...]:
    """The values of a set that may be slips, possible as they are."""
    found = ((sign, values.get(sign.name)) for sign in SIGNS)
    return tuple(
        Question(sign, value)
        for sign, value in found
        if value is not None and sign.possible.holds(value) and not sign.plausible.holds(value)
    )


def to_celsius(typed: Decimal) -> tuple[Decimal, bool]:
    """A temperature in degrees Celsius to one decimal, and whether it was typed in degrees Fahrenheit."""
    low, high = _FAHRENHEIT
    if not low <= typed <= high:
        return typed, False
    celsius = (typed - 32) * 5 / 9
    return celsius.quantize(Decimal("0.1"), rounding=ROUND_HALF_UP), True


class VitalsDue(NamedTuple):
    """The next set of vital signs of a running day."""

    at: datetime
    minutes_late: int

    @property
    def is_late(self) -> bool:
        """Whether it should have been taken by now."""
        return self.minutes_late > 0


def next_due(
    started_at: datetime, taken_at: Sequence[datetime], every_min: int, now: datetime, until: datetime | None = None
) -> VitalsDue | None:
    """When the next set is due: so long after the last one, or after the start, until the observation is over (R-47).

    None when the last set reaches to the end of the observation.
    """
    start = to_utc(started_at)
    last = max([start, *(to_utc(at) for at in taken_at)])
    due = last + timedelta(minutes=every_min)
    if until is not None and due > to_utc(until):
        return None
    return VitalsDue(due, max(0, (to_utc(now) - due) // timedelta(minutes=1)))


def gaps(started_at: datetime, taken_at: Sequence[datetime], every_min: int) -> tuple[int, ...]:
    """For each set, in order of time, by how many minutes it came later than due; 0 for one before the start."""
    late: list[int] = []
    due = to_utc(started_at) + timedelta(minutes=every_min)
    for at in sorted(to_utc(one) for one in taken_at):
        late.append(max(0, (at - due) // timedelta(minutes=1)))
        due = max(at, to_utc(started_at)) + timedelta(minutes=every_min)
    return tuple(late)


def sentence(title: str) -> str:
    """A title inside a sentence."""
    return title[:1].lower() + title[1:]

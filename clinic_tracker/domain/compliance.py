"""What became of an obligation that fell due, and how such outcomes are counted. Pure: a date comes as an argument."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from clinic_tracker.domain.calendar import add_months
from clinic_tracker.domain.obligation import Obligation

YEARS = ("1", "2", "3", "4+")
_MONTHS = 12


class Outcome(StrEnum):
    """What an obligation that fell due came to. Every one comes to exactly one of these."""

    ON_TIME = "on_time"  # done by the due date plus the grace
    LATE = "late"  # done after that
    MISSED = "missed"  # its window closed without evidence
    OWED = "owed"  # neither done nor closed yet
    WAIVED = "waived"  # waived and not done


def outcome(obligation: Obligation, as_of: int, grace: int) -> Outcome:
    """The outcome on a date of an obligation due by then; ``grace`` is in days."""
    if obligation.done is not None:
        return Outcome.ON_TIME if obligation.done <= obligation.due + grace else Outcome.LATE
    if obligation.waived:
        return Outcome.WAIVED
    if obligation.closes is not None and obligation.closes < as_of:
        return Outcome.MISSED
    return Outcome.OWED


def fell_due(
    obligations: Iterable[Obligation], from_day: int, to_day: int, closed_on: int | None = None
) -> list[Obligation]:
    """Those due from one day to another, both included; after the prescriber's sign-off only those that were done."""
    return [
        one
        for one in obligations
        if from_day <= one.due <= to_day and (closed_on is None or one.due <= closed_on or one.done is not None)
    ]


def year_since(last_infusion: int, due: int) -> str:
    """The year after an infusion in which a day lies: the day 12 months after it still belongs to year 1."""
    for number, name in enumerate(YEARS[:-1], start=1):
        if due <= add_months(last_infusion, _MONTHS * number):
            return name
    return YEARS[-1]


@dataclass(frozen=True, slots=True)
class Tally:
    """How many obligations fell due and what they came to: the five outcomes add up to ``due``."""

    on_time: int = 0
    late: int = 0
    missed: int = 0
    owed: int = 0
    waived: int = 0

    @classmethod
    def of(cls, counts: Mapping[str, int]) -> "Tally":
        """From counts by the value of an outcome; those that are not there are 0."""
        return cls(*(counts.get(one.value, 0) for one in Outcome))

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.on_time + other.on_time,
            self.late + other.late,
            self.missed + other.missed,
            self.owed + other.owed,
            self.waived + other.waived,
        )

    @property
    def due(self) -> int:
        """All that fell due."""
        return self.on_time + self.late + self.missed + self.owed + self.waived

    @property
    def expected(self) -> int:
        """The denominator of every percentage: what fell due and was not waived."""
        return self.due - self.waived

    def share(self, what: Outcome) -> float | None:
        """An outcome among what was expected; None where nothing was."""
        count: int = getattr(self, what.value)
        return count / self.expected if self.expected else None

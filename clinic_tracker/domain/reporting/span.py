"""The time that a dashboard shows: whole months up to today."""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from clinic_tracker.domain.local_time import add_months

CHOICES = (12, 24, 36, 48)


@dataclass(frozen=True, slots=True)
class Span:
    """So many months, of which the last is the present one up to today."""

    months: int
    today: date

    @classmethod
    def read(cls, values: Mapping[str, str], today: date) -> "Span":
        """The span that an address asks for; the shortest where it asks for none that there is."""
        asked = values.get("months", "")
        return cls(int(asked) if asked in {str(choice) for choice in CHOICES} else CHOICES[0], today)

    @property
    def first(self) -> date:
        """The first day."""
        return add_months(self.today.replace(day=1), 1 - self.months)

    @property
    def firsts(self) -> tuple[date, ...]:
        """The first day of each month."""
        return tuple(add_months(self.first, number) for number in range(self.months))

    @property
    def ends(self) -> tuple[date, ...]:
        """The last day of each month, and today as that of the present one."""
        return tuple(min(last_of(first), self.today) for first in self.firsts)


def last_of(day: date) -> date:
    """The last day of the month of a day."""
    return day.replace(day=monthrange(day.year, day.month)[1])

"""The obligations that fell due and what they came to, by the engine: for any past day and any instant."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from clinic_tracker.domain.compliance import Outcome, fell_due, outcome, year_since
from clinic_tracker.domain.history import History
from clinic_tracker.domain.obligation import Obligation
from clinic_tracker.domain.protocol import Protocol
from clinic_tracker.domain.schedule import forecast
from clinic_tracker.queries.history import histories_on
from clinic_tracker.queries.knowledge import Knowledge, Person
from clinic_tracker.queries.reports.asked import Asked
from clinic_tracker.queries.settings import protocol_in_force

GRACE_SETTING = "report_on_time_grace_days"


class Judged(NamedTuple):
    """An obligation that fell due, and what it came to. ``year`` is "" where nobody asked for it."""

    obligation: Obligation
    outcome: Outcome
    year: str


class Judge:
    """Says what became of obligations, by the settings of a clinic in force on a day as known at an instant."""

    def __init__(self, known: Knowledge, as_of: date, asked: Asked, *, years: bool) -> None:
        self.known = known
        self.as_of = as_of
        self.asked = asked
        self.years = years or asked.year is not None
        self._protocols: dict[str, Protocol] = {}
        self.grace = self.protocol(known.scope.protocol_id).value(GRACE_SETTING)

    def protocol(self, name: str) -> Protocol:
        """A protocol with the settings in force."""
        if name not in self._protocols:
            self._protocols[name] = protocol_in_force(self.known.scope, name, self.as_of, self.known.at)
        return self._protocols[name]

    def judge(self, history: History) -> list[Judged]:
        """What fell due of what was asked for, in the order of the schedule. The history is that of the day."""
        asked = self.asked
        answer = forecast(history, self.protocol(history.protocol))
        fallen: Sequence[Obligation] = answer.obligations
        if asked.requirement is not None:
            fallen = [one for one in fallen if one.requirement == asked.requirement]
        fallen = fell_due(fallen, asked.first.toordinal(), asked.last.toordinal(), answer.closed_on)
        as_of, grace = self.as_of.toordinal(), self.grace
        years = self._years(history, fallen) if self.years else [""] * len(fallen)
        found = list(map(Judged, fallen, [outcome(one, as_of, grace) for one in fallen], years))
        if len(asked.outcomes) < len(Outcome) or asked.year is not None:
            found = [one for one in found if one.outcome in asked.outcomes and asked.year in (None, one.year)]
        return found

    @staticmethod
    def _years(history: History, fallen: Sequence[Obligation]) -> list[str]:
        days = sorted(day for course in history.courses for day in course.infusion_days)
        return [year_since(days[bisect_right(days, one.due) - 1], one.due) for one in fallen]


def judged(known: Knowledge, asked: Asked, as_of: date, *, years: bool) -> Iterator[tuple[Person, list[Judged]]]:
    """Each patient asked about, by name, with what fell due of what was asked for; results are not named."""
    judge = Judge(known, as_of, asked, years=years)
    for person, history in histories_on(known, asked.people(known), as_of):
        if found := judge.judge(history):
            yield person, found

"""The safety of infusion days by month: observations, departures from the protocol, reactions."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import func, select

from clinic_tracker.domain.local_time import add_months
from clinic_tracker.domain.observation import Observed, observed
from clinic_tracker.domain.vocabulary import FactState, ReactionGrade
from clinic_tracker.models.base import db
from clinic_tracker.models.treatment import Deviation, Infusion, InfusionReaction
from clinic_tracker.queries.scope import Scope

SERIOUS = "serious"
_HOW = {Observed.COMPLETE: "observed", Observed.CUT_SHORT: "short", Observed.NOT_RECORDED: "unknown"}


@dataclass(frozen=True, slots=True)
class SafetyMonth:
    """The infusion days of one month (its first day).

    ``observed``: the discharge came when the observation of that day was over, or later; ``short``: before that;
    ``unknown``: no end or no discharge is on record. They add up to ``infusions``. ``departures`` are those recorded
    about an infusion that stand, by the day they occurred; ``reactions`` counts by grade those that stand, by the day
    of their infusion, whenever they began; ``serious`` are those of them that a criterion makes serious.
    """

    month: date
    infusions: int = 0
    observed: int = 0
    short: int = 0
    departures: int = 0
    reactions: dict[ReactionGrade, int] = field(default_factory=dict)
    serious: int = 0

    @property
    def unknown(self) -> int:
        """Infusions without an end or a discharge on record."""
        return self.infusions - self.observed - self.short

    @property
    def reactions_total(self) -> int:
        """Reactions of any grade."""
        return sum(self.reactions.values())

    @property
    def share_observed(self) -> float | None:
        """Observed in full among those of which it is known; None without any."""
        known = self.observed + self.short
        return self.observed / known if known else None


def safety_by_month(scope: Scope, from_on: date, to_on: date) -> list[SafetyMonth]:
    """A row for each month that the period touches, also for one without infusions; the period itself is exact."""
    infusions = _infusions(scope, from_on, to_on)
    departures, reactions = _departures(scope, from_on, to_on), _reactions(scope, from_on, to_on)
    rows = []
    month = from_on.replace(day=1)
    while month <= to_on:
        of_month, reacted = infusions[month], reactions[month]
        rows.append(
            SafetyMonth(
                month,
                infusions=of_month.total(),
                observed=of_month["observed"],
                short=of_month["short"],
                departures=departures[month],
                reactions={grade: reacted[grade.value] for grade in ReactionGrade},
                serious=reacted[SERIOUS],
            )
        )
        month = add_months(month, 1)
    return rows


def _stands(scope: Scope, from_on: date, to_on: date) -> tuple[Any, ...]:
    return (
        Infusion.clinic_id == scope.clinic_id,
        Infusion.state == FactState.RECORDED.value,
        Infusion.infused_on.between(from_on, to_on),
    )


def _infusions(scope: Scope, from_on: date, to_on: date) -> defaultdict[date, Counter[str]]:
    """The infusions of each month: observed in full, short, or unknown."""
    table = Infusion
    statement = select(table.infused_on, table.ended_at, table.discharged_at, table.observation_minutes)
    found: defaultdict[date, Counter[str]] = defaultdict(Counter)
    for on, ended_at, left_at, minutes in db.session.execute(statement.where(*_stands(scope, from_on, to_on))):
        found[on.replace(day=1)][_HOW[observed(ended_at, left_at, minutes)]] += 1
    return found


def _departures(scope: Scope, from_on: date, to_on: date) -> Counter[date]:
    rows = db.session.execute(
        select(Deviation.occurred_on, func.count())
        .where(
            Deviation.clinic_id == scope.clinic_id,
            Deviation.infusion_id.is_not(None),
            Deviation.withdrawn_at.is_(None),
            Deviation.occurred_on.between(from_on, to_on),
        )
        .group_by(Deviation.occurred_on)
    )
    found: Counter[date] = Counter()
    for on, number in rows:
        found[on.replace(day=1)] += number
    return found


def _reactions(scope: Scope, from_on: date, to_on: date) -> defaultdict[date, Counter[str]]:
    """The reactions of each month by grade, and how many were serious."""
    table = InfusionReaction
    rows = db.session.execute(
        select(Infusion.infused_on, table.grade, table.is_serious, func.count())
        .join(Infusion, Infusion.id == table.infusion_id)
        .where(*_stands(scope, from_on, to_on), table.withdrawn_at.is_(None))
        .group_by(Infusion.infused_on, table.grade, table.is_serious)
    )
    found: defaultdict[date, Counter[str]] = defaultdict(Counter)
    for on, grade, is_serious, number in rows:
        month = on.replace(day=1)
        found[month][grade] += number
        found[month][SERIOUS] += number if is_serious else 0
    return found

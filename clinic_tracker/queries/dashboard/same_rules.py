"""On which past days the clinic's settings asked of its patients what they ask today."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import select

from clinic_tracker.models.access import ClinicSetting
from clinic_tracker.models.base import db
from clinic_tracker.queries.protocols import packaged_protocols
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.settings import protocols_in_force


def days_with_the_rules_of_today(scope: Scope, days: Sequence[date]) -> frozenset[date]:
    """Those of the days on which the settings in force gave the same schedules as today's.

    A report as of any other day uses the settings of that day: it does not list what is counted by today's. One
    statement, and one more for each date from which a setting was changed.
    """

    @cache
    def rules(on: date) -> dict[str, Any]:
        found = protocols_in_force(scope, packaged_protocols(), on)
        return {name: (protocol.requirements, protocol.monitoring) for name, protocol in found.items()}

    changes = select(ClinicSetting.effective_from).where(
        ClinicSetting.clinic_id == scope.clinic_id, ClinicSetting.effective_from <= scope.today
    )
    changed = sorted(set(db.session.scalars(changes)))
    starts = [date.min, *changed]
    last = starts[-1]
    since = {on: starts[bisect_right(starts, on) - 1] for on in days}
    return frozenset(on for on, start in since.items() if start == last or rules(start) == rules(last))

"""The thresholds that a clinic has chosen, each in force from a date on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from clinic_tracker.models.access import ClinicSetting, User
from clinic_tracker.models.base import db
from clinic_tracker.queries.scope import Scope

PREFIX = "threshold."


@dataclass(frozen=True, slots=True)
class ThresholdChange:
    """One choice of the clinic: for which rule, which value, from when on."""

    rule: str
    value: float
    effective_from: date
    reason: str
    recorded_at: datetime
    recorded_by: str | None


def threshold_changes(scope: Scope) -> list[ThresholdChange]:
    """Every choice of the clinic in the order in which they count: by date, of one date the last recorded."""
    rows = db.session.execute(
        select(
            ClinicSetting.name,
            ClinicSetting.value,
            ClinicSetting.effective_from,
            ClinicSetting.reason,
            ClinicSetting.recorded_at,
            User.name,
        )
        .outerjoin(User, User.id == ClinicSetting.recorded_by_id)
        .where(ClinicSetting.clinic_id == scope.clinic_id, ClinicSetting.name.startswith(PREFIX, autoescape=True))
        .order_by(ClinicSetting.effective_from, ClinicSetting.id)
    )
    return [ThresholdChange(name.removeprefix(PREFIX), float(value), *rest) for name, value, *rest in rows]


def thresholds_on(_scope: Scope, changes: Sequence[ThresholdChange], on: date) -> Mapping[str, float]:
    """The clinic's own thresholds by rule, as in force on a date."""
    return {change.rule: change.value for change in changes if change.effective_from <= on}

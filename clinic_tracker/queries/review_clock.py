"""By when a result is to be reviewed: a red one on the day it came, weekends included, any other in business days."""

from collections.abc import Sequence
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, exists

from clinic_tracker.domain.calendar import add_business_days
from clinic_tracker.domain.local_time import local_date
from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.monitoring import LabReport
from clinic_tracker.models.reviewing import Acknowledgement
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.settings import protocol_in_force


def review_due_dates(scope: Scope, recorded: Sequence[tuple[datetime, str | None]]) -> list[date]:
    """The last day on which each of these results, with its level, should be reviewed (C)."""
    protocol = protocol_in_force(scope)
    days, holidays = protocol.value("review_business_days"), protocol.holidays
    came = [(local_date(instant, scope.time_zone).toordinal(), level) for instant, level in recorded]
    return [date.fromordinal(day if level == "red" else add_business_days(day, days, holidays)) for day, level in came]


def is_unseen_red(scope: Scope) -> ColumnElement[bool]:
    """SQL: a red result past its day that nobody has signed off, and about which nobody has said anything."""
    midnight = datetime.combine(scope.today, time(), ZoneInfo(scope.time_zone))
    return and_(
        LabReport.worst_level == "red",
        LabReport.reviewed_at.is_(None),
        LabReport.recorded_at < midnight,
        ~exists().where(
            Acknowledgement.clinic_id == scope.clinic_id,
            Acknowledgement.lab_report_id == LabReport.id,
            Acknowledgement.state == FactState.RECORDED.value,
        ),
    )

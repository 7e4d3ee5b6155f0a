"""By when a result is to be reviewed: a red one on the day it came, weekends included, any other in business days."""

from collections.abc import Sequence
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, exists

from clinic_tracker.domain.local_time import local_date
from clinic_tracker.domain.review_clock import RED, review_due_on
from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.monitoring import Exam, LabReport
from clinic_tracker.models.reviewing import Acknowledgement
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.settings import protocol_in_force


def review_due_dates(scope: Scope, recorded: Sequence[tuple[datetime, str | None]]) -> list[date]:
    """The last day on which each of these results, with its level, should be reviewed (C)."""
    protocol = protocol_in_force(scope)
    days, holidays = protocol.value("review_business_days"), protocol.holidays
    return [review_due_on(local_date(at, scope.time_zone), level, days, holidays) for at, level in recorded]


def is_unseen_red(scope: Scope, of: type[LabReport | Exam]) -> ColumnElement[bool]:
    """SQL: a red result past its day that nobody has signed off, and about which nobody has said anything."""
    midnight = datetime.combine(scope.today, time(), ZoneInfo(scope.time_zone))
    about = Acknowledgement.exam_id if of is Exam else Acknowledgement.lab_report_id
    return and_(
        of.worst_level == RED,
        of.reviewed_at.is_(None),
        of.recorded_at < midnight,
        ~exists().where(
            Acknowledgement.clinic_id == scope.clinic_id,
            about == of.id,
            Acknowledgement.state == FactState.RECORDED.value,
        ),
    )

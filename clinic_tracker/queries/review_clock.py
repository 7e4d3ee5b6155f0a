"""By when a result is to be reviewed: a red one on the day it came, weekends included, any other in business days."""

from collections.abc import Sequence
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, exists, or_, select

from clinic_tracker.domain.local_time import local_date
from clinic_tracker.domain.review_clock import RED, review_due_on
from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import Exam, LabReport
from clinic_tracker.models.reviewing import Acknowledgement
from clinic_tracker.queries.acknowledgements import acknowledgements_of, unanswered
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.settings import protocol_in_force


def review_due_dates(scope: Scope, recorded: Sequence[tuple[datetime, str | None]]) -> list[date]:
    """The last day on which each of these results, with its level, should be reviewed (C)."""
    protocol = protocol_in_force(scope)
    days, holidays = protocol.value("review_business_days"), protocol.holidays
    return [review_due_on(local_date(at, scope.time_zone), level, days, holidays) for at, level in recorded]


def is_unseen_red(scope: Scope, of: type[LabReport | Exam]) -> ColumnElement[bool]:
    """SQL: a red result past its day that nobody has signed off, with a red finding about which nobody said anything.

    What was said about other findings does not count: the red one may have come later, with an earlier result.
    """
    midnight = datetime.combine(scope.today, time(), ZoneInfo(scope.time_zone))
    late = and_(of.worst_level == RED, of.reviewed_at.is_(None), of.recorded_at < midnight)
    about = Acknowledgement.exam_id if of is Exam else Acknowledgement.lab_report_id
    answered = exists().where(
        Acknowledgement.clinic_id == scope.clinic_id,
        about == of.id,
        Acknowledgement.state == FactState.RECORDED.value,
    )
    if of is Exam:  # it has one finding
        return and_(late, ~answered)
    return and_(late, or_(~answered, LabReport.id.in_(_red_beside_answers(scope, and_(late, answered)))))


def _red_beside_answers(scope: Scope, late: ColumnElement[bool]) -> list[int]:
    """Those of the few late reports with an answer that have a red finding without one."""
    rows = db.session.execute(
        select(LabReport.id, LabReport.findings).where(
            LabReport.clinic_id == scope.clinic_id, LabReport.state == FactState.RECORDED.value, late
        )
    ).all()
    said = acknowledgements_of(scope, [key for key, _ in rows]) if rows else {}
    return [
        key
        for key, findings in rows
        for waiting in [unanswered(scope, findings, said.get(key, ()))]
        if any(finding["level"] == RED for of_rule in waiting.values() for finding in of_rule)
    ]

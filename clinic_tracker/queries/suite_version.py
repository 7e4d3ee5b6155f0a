"""Whether anything happened in the clinic: the cheapest question that a page which keeps itself current can ask."""

from datetime import timedelta

from sqlalchemy import func, select

from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.queries.scope import Scope


def clinic_version(scope: Scope) -> str:
    """Changes whenever something is recorded in the clinic, and with each hour and day; one narrow statement.

    Every use case notes what it changed, so the events of this hour and the last one are counted. The newest event
    alone would not do: two that run side by side may commit in the other order, and the first to begin may be the last
    to become visible. The count sees it all the same.
    """
    hour = scope.now.replace(minute=0, second=0, microsecond=0)
    count, newest = db.session.execute(
        select(func.count(), func.max(AuditEvent.id)).where(
            AuditEvent.clinic_id == scope.clinic_id, AuditEvent.at >= hour - timedelta(hours=1)
        )
    ).one()
    return f"{scope.clinic_id}-{scope.today.toordinal()}-{hour:%H}-{count}-{newest or 0}"

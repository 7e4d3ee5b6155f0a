"""Rebuilding the stored schedules of a clinic."""

from clinic_tracker.models.base import db
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit, projection
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.unit_of_work import unit_of_work


def rebuild_schedule(scope: Scope) -> int:
    """Store what the facts say for every patient of the clinic; the number of rows that had to change."""
    with unit_of_work(scope):
        written = projection.rebuild(scope)
        if written:
            audit.note(
                scope,
                AuditAction.SCHEDULE_REBUILT,
                subject_type="clinic",
                subject_id=scope.clinic_id,
                after={"rows": written},
            )
        db.session.flush()
    return written

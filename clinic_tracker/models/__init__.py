"""Tables. Importing this package registers every model on ``db.metadata``."""

from clinic_tracker.models import access, audit, inbound, monitoring, patients, reviewing, schedule, suite, treatment
from clinic_tracker.models.base import db

__all__ = ["access", "audit", "db", "inbound", "monitoring", "patients", "reviewing", "schedule", "suite", "treatment"]

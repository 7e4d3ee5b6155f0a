"""The findings of many patients after their results changed, each patient once."""

from collections.abc import Mapping
from datetime import date

from sqlalchemy import select

from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.lab_findings import refresh_many


def judge_results(scope: Scope, changed: Mapping[int, date]) -> None:
    """Work out anew the findings of these patients, from the day on that their results changed."""
    if not changed:
        return
    patients = db.session.execute(select(Patient).where(Patient.id.in_(sorted(changed)))).scalars()
    refresh_many(scope, {patient: changed[patient.id] for patient in patients})

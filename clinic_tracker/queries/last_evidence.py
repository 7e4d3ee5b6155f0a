"""When something was last heard of a patient: one rule for the schedules, the home page, the dashboard and reports."""

from collections.abc import Collection
from datetime import date
from typing import Any

from sqlalchemy import func, select, union_all

from clinic_tracker.domain.history import VALID_STATUSES
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import Exam, FormSubmission, LabReport
from clinic_tracker.models.treatment import Infusion
from clinic_tracker.queries.scope import Scope

_VALID = sorted(status.value for status in VALID_STATUSES)


def last_evidence(scope: Scope, patient_ids: Collection[int] | None = None, by: date | None = None) -> dict[int, date]:
    """The day of the latest infusion, valid result, exam or form of each patient by key, in one statement.

    Any kind of exam or form counts, and a result that is incomplete or of a test nobody asked for: the patient was
    there. A preliminary or cancelled result does not. Of the whole clinic, or of some patients of it; dated by a day.
    """

    def latest(table: Any, day: Any, *conditions: Any) -> Any:
        whose = table.clinic_id == scope.clinic_id if patient_ids is None else table.patient_id.in_(patient_ids)
        statement = select(table.patient_id.label("patient"), func.max(day).label("day"))
        dated = conditions if by is None else (*conditions, day <= by)
        return statement.where(whose, table.withdrawn_at.is_(None), *dated).group_by(table.patient_id)

    parts = union_all(
        latest(Infusion, Infusion.infused_on),
        latest(LabReport, LabReport.collected_on, LabReport.result_status.in_(_VALID)),
        latest(Exam, Exam.performed_on),
        latest(FormSubmission, FormSubmission.submitted_on),
    ).subquery()
    found: dict[int, date] = {}
    for patient, day in db.session.execute(select(parts.c.patient, parts.c.day)):
        found[patient] = max(day, found.get(patient, day))
    return found

"""What stands on the authorizations of the demonstration."""

from sqlalchemy import select

from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.treatment import Authorization, TreatmentCourse
from clinic_tracker.queries.baseline import course_baseline
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.authorizations import kept_items


def keep_baselines(scope: Scope) -> None:
    """Keep with each authorization the baseline set as it stood on that day."""
    rows = db.session.execute(
        select(Authorization, Patient.protocol_id, TreatmentCourse.number)
        .join(Patient, Patient.id == Authorization.patient_id)
        .join(TreatmentCourse, TreatmentCourse.id == Authorization.course_id)
        .where(Authorization.clinic_id == scope.clinic_id)
    )
    for row, protocol_id, number in rows:
        start = row.planned_start_on or row.authorized_on
        row.baseline = kept_items(
            scope, course_baseline(scope, row.patient_id, protocol_id, number, start, row.authorized_on)
        )

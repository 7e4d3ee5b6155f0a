"""When a patient's antiviral prophylaxis may stop, and the counts that decide it."""

from sqlalchemy import select

from clinic_tracker.domain.prophylaxis import Cd4, ProphylaxisRule
from clinic_tracker.domain.vocabulary import FactState, Panel, ResultStatus
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import LabReport, LabValue
from clinic_tracker.models.schedule import PatientSchedule
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.settings import protocol_in_force

_CD4 = "cd4"


def prophylaxis_rule(scope: Scope, patient_id: int, protocol_id: str) -> ProphylaxisRule | None:
    """The rule for the latest course given, from the schedule; None before any infusion."""
    row = db.session.execute(
        select(
            PatientSchedule.prophylaxis_minimum_until,
            PatientSchedule.prophylaxis_earliest_stop_on,
            PatientSchedule.last_infusion_on,
        ).where(PatientSchedule.patient_id == patient_id, PatientSchedule.clinic_id == scope.clinic_id)
    ).one_or_none()
    if row is None or row[0] is None:
        return None
    antiviral = protocol_in_force(scope, protocol_id).antiviral
    return ProphylaxisRule(
        minimum_until=row[0],
        earliest_stop_on=row[1],
        months=antiviral.minimum_months,
        cd4_min=antiviral.cd4_minimum,
        last_infusion_on=row[2],
    )


def cd4_counts(scope: Scope, patient_id: int) -> tuple[Cd4, ...]:
    """The valid CD4 counts of a patient, in the order of collection."""
    rows = db.session.execute(
        select(LabReport.collected_on, LabValue.number)
        .join(LabValue, LabValue.lab_report_id == LabReport.id)
        .where(
            LabReport.clinic_id == scope.clinic_id,
            LabReport.patient_id == patient_id,
            LabReport.state == FactState.RECORDED.value,
            LabReport.panel == Panel.CD4.value,
            LabReport.result_status.in_((ResultStatus.FINAL.value, ResultStatus.CORRECTED.value)),
            LabReport.is_complete,
            LabValue.analyte == _CD4,
            LabValue.number.is_not(None),
        )
        .order_by(LabReport.collected_on, LabReport.id)
    )
    return tuple(Cd4(on, number) for on, number in rows if number is not None)

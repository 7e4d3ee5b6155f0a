"""What a wrong match did to a chart beside recording: taken back with it."""

from collections.abc import Collection, Iterable

from clinic_tracker.models.inbound import InboundResult
from clinic_tracker.models.monitoring import Exam, LabReport
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.inbound_corrections import standing_exams, standing_reports

_TYPED, _SCREEN = "typed", "screen"


def let_go(scope: Scope, source_id: int, patient_id: int, moved: Collection[InboundResult], reason: str) -> None:
    """Take the laboratory's numbers off what stands on a chart by itself and was only confirmed by these results.

    Run after what the results brought was withdrawn: what a person entered stays, and the numbers are free again.
    """
    keys = {str(row.external_id) for row in moved}
    reports: Iterable[LabReport | Exam] = standing_reports(scope, source_id, keys).values()
    exams: Iterable[LabReport | Exam] = standing_exams(scope, source_id, keys).values()
    for row in [*reports, *exams]:
        if row.patient_id != patient_id:
            continue
        before = audit.snapshot(row)
        row.external_id = None
        if isinstance(row, LabReport):
            row.source = _TYPED if row.recorded_via == _SCREEN else row.recorded_via
        audit.record(scope, AuditAction.RESULT_MATCH_UNDONE, row, before=before, reason=reason)

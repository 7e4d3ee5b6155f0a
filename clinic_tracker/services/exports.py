"""Files that leave the program are noted in the audit trail: what, how many rows, by whom."""

from collections.abc import Mapping

from clinic_tracker.domain.permissions import Permission
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.unit_of_work import unit_of_work


def note_export(scope: Scope, what: str, rows: int, parameters: Mapping[str, str]) -> None:
    """Note that a file of patient data was made. ``parameters`` say which part of it; they hold no name."""
    scope.require(Permission.EXPORT_DATA)
    with unit_of_work(scope):
        audit.note(
            scope, AuditAction.DATA_EXPORTED, subject_type=what, after={"rows": rows, "parameters": dict(parameters)}
        )

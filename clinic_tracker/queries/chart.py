"""What only the chart needs: where the patient stands with each requirement, and the prescriber's decisions."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import aliased

from clinic_tracker.domain.errors import NotFound
from clinic_tracker.domain.vocabulary import FactState, MonitoringDecisionKind
from clinic_tracker.models.access import Prescriber, User
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import LabReport, MonitoringDecision, Waiver
from clinic_tracker.models.schedule import PatientSchedule, Standing
from clinic_tracker.models.treatment import TreatmentCourse
from clinic_tracker.queries.outreach import contact_marks
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.worklist_items import OwedItem, item_columns


class Decision(NamedTuple):
    """A waiver, an extension or a sign-off, withdrawn ones included.

    ``requirement``, ``from_on`` and ``until_on`` are of a waiver, ``until_on`` and ``course`` of an extension.
    """

    public_id: UUID
    kind: str  # "waived", "extended" or "closed"
    decided_on: date
    requirement: str | None
    from_on: date | None
    until_on: date | None
    course: int | None
    reason: str
    prescriber: str | None
    recorded_by: str | None
    recorded_at: datetime
    stands: bool
    withdrawn_by: str | None
    withdrawn_at: datetime | None
    withdrawn_reason: str | None


WAIVED = "waived"


def standings_of(scope: Scope, patient_id: int) -> list[OwedItem]:
    """Where a patient stands with each requirement, what is owed longest first, with the latest contact about it."""
    rows = db.session.execute(
        select(*item_columns(scope))
        .select_from(Standing)
        .outerjoin(PatientSchedule, PatientSchedule.patient_id == Standing.patient_id)
        .where(Standing.clinic_id == scope.clinic_id, Standing.patient_id == patient_id)
        .order_by(Standing.next_due_on.is_(None), Standing.next_due_on, Standing.requirement)
    ).all()
    marks = contact_marks(scope, [patient_id]).get(patient_id, {})
    items = [OwedItem(*(*row[:7], bool(row[7]))) for row in rows]
    return [item._replace(contact=marks.get((item.requirement, item.anchor, item.occurrence))) for item in items]


def decisions_of(scope: Scope, patient_id: int) -> list[Decision]:
    """All decisions about the monitoring of a patient, newest first."""
    found = [_waiver(row) for row in _rows(scope, patient_id, Waiver, Waiver.requirement, Waiver.from_on, Waiver.to_on)]
    table = MonitoringDecision
    columns = (table.kind, table.decided_on, table.extended_to, TreatmentCourse.number)
    found += [_ending(row) for row in _rows(scope, patient_id, table, *columns)]
    return sorted(found, key=lambda decision: decision.recorded_at, reverse=True)


def lab_report_ids(scope: Scope, patient_id: int, keys: Collection[int]) -> dict[int, UUID]:
    """The public ids of a patient's laboratory reports by key, for links from an explanation."""
    rows = db.session.execute(
        select(LabReport.id, LabReport.public_id).where(
            LabReport.clinic_id == scope.clinic_id, LabReport.patient_id == patient_id, LabReport.id.in_(sorted(keys))
        )
    )
    return {row[0]: row[1] for row in rows}


def find_decision(scope: Scope, patient_id: int, decision: UUID) -> Decision:
    """One decision of this patient; NotFound otherwise."""
    for found in decisions_of(scope, patient_id):
        if found.public_id == decision:
            return found
    raise NotFound("decision")


def _rows(scope: Scope, patient_id: int, table: Any, *columns: Any) -> list[Any]:
    """The columns of all decisions of one kind, each row led by what all kinds share."""
    author, withdrawer = aliased(User), aliased(User)
    statement = (
        select(
            table.public_id,
            table.reason,
            Prescriber.name,
            author.name,
            table.recorded_at,
            table.state,
            withdrawer.name,
            table.withdrawn_at,
            table.withdrawn_reason,
            *columns,
        )
        .select_from(table)
        .outerjoin(Prescriber, Prescriber.id == table.prescriber_id)
        .outerjoin(author, author.id == table.recorded_by_id)
        .outerjoin(withdrawer, withdrawer.id == table.withdrawn_by_id)
        .where(table.clinic_id == scope.clinic_id, table.patient_id == patient_id)
    )
    if table is MonitoringDecision:
        statement = statement.outerjoin(TreatmentCourse, TreatmentCourse.id == table.course_id)
    return list(db.session.execute(statement).all())


def _waiver(row: Any) -> Decision:
    requirement, from_on, to_on = row[9:]
    return _decision(row, WAIVED, row[4].date(), requirement, (from_on, to_on), None)


def _ending(row: Any) -> Decision:
    kind, decided_on, extended_to, course = row[9:]
    return _decision(row, MonitoringDecisionKind(kind).value, decided_on, None, (None, extended_to), course)


def _decision(
    row: Any, kind: str, on: date, requirement: str | None, span: tuple[date | None, date | None], course: int | None
) -> Decision:
    public_id, reason, prescriber, author, recorded_at, state, withdrawer, withdrawn_at, withdrawn_reason = row[:9]
    return Decision(
        public_id=public_id,
        kind=kind,
        decided_on=on,
        requirement=requirement,
        from_on=span[0],
        until_on=span[1],
        course=course,
        reason=reason,
        prescriber=prescriber,
        recorded_by=author,
        recorded_at=recorded_at,
        stands=state == FactState.RECORDED.value,
        withdrawn_by=withdrawer,
        withdrawn_at=withdrawn_at,
        withdrawn_reason=withdrawn_reason,
    )

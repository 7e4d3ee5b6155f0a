"""REMS forms of one patient: what is owed by when, and the ledger of what was sent."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import aliased

from clinic_tracker.domain import obligation as domain
from clinic_tracker.domain.errors import NotFound
from clinic_tracker.domain.requirement import EvidenceKind, Requirement
from clinic_tracker.domain.status import obligation_status
from clinic_tracker.domain.vocabulary import FactState, ObligationStatus
from clinic_tracker.models.access import User
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import FormSubmission
from clinic_tracker.models.schedule import Obligation
from clinic_tracker.models.treatment import InfusionReaction, TreatmentCourse
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.settings import protocol_in_force


@dataclass(frozen=True, slots=True)
class FormRow:
    """One submission, also one that was corrected or entered in error."""

    id: int
    public_id: uuid.UUID
    kind: str
    course: int | None
    completed_on: date | None
    submitted_on: date
    method: str | None
    confirmation: str | None
    signed_by: str | None
    note: str | None
    answers: dict[str, Any]
    reaction: uuid.UUID | None
    state: str
    replaces_id: int | None
    recorded_at: datetime
    recorded_by: str | None
    withdrawn_at: datetime | None
    withdrawn_by: str | None
    withdrawn_reason: str | None

    @property
    def stands(self) -> bool:
        """Whether it was neither corrected nor withdrawn."""
        return self.state == FactState.RECORDED


@dataclass(frozen=True, slots=True)
class OwedForm:
    """One form of the schedule with its dates; ``course`` is None for forms of the patient."""

    requirement: Requirement
    slot: str
    course: int | None
    opens_on: date
    due_on: date
    done_on: date | None
    evidence_id: int | None
    status: ObligationStatus

    @property
    def is_owed(self) -> bool:
        """Whether it can and must be sent now."""
        return self.status in (ObligationStatus.DUE, ObligationStatus.OVERDUE)


def patient_forms(scope: Scope, patient_id: int) -> list[FormRow]:
    """Every submission of a patient, newest first."""
    statement = _columns().where(_of(scope, patient_id))
    rows = db.session.execute(statement.order_by(FormSubmission.submitted_on.desc(), FormSubmission.id.desc()))
    return [FormRow(*row) for row in rows]


def patient_form(scope: Scope, patient_id: int, form: uuid.UUID) -> FormRow:
    """One submission of a patient in whatever state; NotFound for another patient's or another clinic's."""
    row = db.session.execute(_columns().where(_of(scope, patient_id), FormSubmission.public_id == form)).one_or_none()
    if row is None:
        raise NotFound("form_submission")
    return FormRow(*row)


def form_requirements(scope: Scope, protocol_id: str) -> list[Requirement]:
    """What the protocol asks to send; none where there is no REMS."""
    requirements = protocol_in_force(scope, protocol_id).requirements
    return [requirement for requirement in requirements if requirement.evidence_kind is EvidenceKind.FORM]


def owed_forms(scope: Scope, patient_id: int, protocol_id: str) -> list[OwedForm]:
    """The forms of a patient's schedule from the first to the last, each with its status today, by due date."""
    requirements = {requirement.code: requirement for requirement in form_requirements(scope, protocol_id)}
    rows = db.session.execute(
        select(Obligation)
        .where(
            Obligation.clinic_id == scope.clinic_id,
            Obligation.patient_id == patient_id,
            Obligation.requirement.in_(sorted(requirements)),
        )
        .order_by(Obligation.due_on, Obligation.requirement, Obligation.anchor)
    ).scalars()
    return [_owed(scope, requirements[row.requirement], row) for row in rows]


def _owed(scope: Scope, requirement: Requirement, row: Obligation) -> OwedForm:
    dates = domain.Obligation.from_dates(
        row.requirement,
        row.anchor,
        row.occurrence,
        row.slot,
        row.opens_on,
        row.due_on,
        row.closes_on,
        row.done_on,
        row.waived,
        row.evidence_id,
    )
    return OwedForm(
        requirement=requirement,
        slot=row.slot,
        course=row.anchor or None,
        opens_on=row.opens_on,
        due_on=row.due_on,
        done_on=row.done_on,
        evidence_id=row.evidence_id,
        status=obligation_status(dates, scope.today.toordinal()),
    )


def _of(scope: Scope, patient_id: int) -> Any:
    return (FormSubmission.clinic_id == scope.clinic_id) & (FormSubmission.patient_id == patient_id)


def _columns() -> Select[*tuple[Any, ...]]:
    recorder, withdrawer = aliased(User), aliased(User)
    return (
        select(
            FormSubmission.id,
            FormSubmission.public_id,
            FormSubmission.kind,
            TreatmentCourse.number,
            FormSubmission.completed_on,
            FormSubmission.submitted_on,
            FormSubmission.method,
            FormSubmission.confirmation,
            FormSubmission.signed_by,
            FormSubmission.note,
            FormSubmission.answers,
            InfusionReaction.public_id,
            FormSubmission.state,
            FormSubmission.replaces_id,
            FormSubmission.recorded_at,
            recorder.name,
            FormSubmission.withdrawn_at,
            withdrawer.name,
            FormSubmission.withdrawn_reason,
        )
        .outerjoin(TreatmentCourse, TreatmentCourse.id == FormSubmission.course_id)
        .outerjoin(InfusionReaction, InfusionReaction.id == FormSubmission.reaction_id)
        .outerjoin(recorder, recorder.id == FormSubmission.recorded_by_id)
        .outerjoin(withdrawer, withdrawer.id == FormSubmission.withdrawn_by_id)
    )

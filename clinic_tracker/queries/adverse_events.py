"""Serious reactions: what is to be reported, by when, and what was (R-80)."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, select, true

from clinic_tracker.domain.local_time import local_date
from clinic_tracker.domain.protocol import Protocol
from clinic_tracker.domain.reactions import report_due_on, told, words_of
from clinic_tracker.domain.vocabulary import FactState, FormKind
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import FormSubmission
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.treatment import Infusion, InfusionReaction, TreatmentCourse
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.settings import protocol_in_force

DEADLINE = "event_report_business_days"


class Show(StrEnum):
    """Which serious reactions a list shows."""

    OPEN = "open"
    REPORTED = "reported"
    ALL = "all"


class _Row(NamedTuple):
    reaction: uuid.UUID
    infusion: uuid.UUID
    patient_id: int
    patient: uuid.UUID
    family_name: str
    given_name: str
    birth_date: date
    mrn: str
    protocol_id: str
    course_id: int
    course_number: int
    day_number: int
    onset_at: datetime
    ticked: list[str]
    signs: str
    grade: str
    seriousness: list[str]
    ending: str | None
    reported_on: date | None


@dataclass(frozen=True, slots=True)
class SeriousReaction:
    """A serious reaction, with the last day on which it should be reported."""

    row: _Row
    due_on: date

    @property
    def told(self) -> str:
        """Its signs as one line."""
        return told(self.row.ticked, self.row.signs)

    @property
    def criteria(self) -> tuple[str, ...]:
        """What makes it serious, in words."""
        return words_of(self.row.seriousness)

    @property
    def is_reported(self) -> bool:
        """Whether a report was sent."""
        return self.row.reported_on is not None

    def days_late(self, today: date) -> int:
        """By how many days the report is late; 0 once it was sent, or while there is time."""
        return 0 if self.is_reported else max(0, (today - self.due_on).days)


def serious_reactions(
    scope: Scope,
    show: Show = Show.ALL,
    *,
    patient_id: int | None = None,
    course_id: int | None = None,
    infusion: uuid.UUID | None = None,
) -> tuple[SeriousReaction, ...]:
    """The serious reactions of the clinic, or of one patient, course or infusion; not reported ones first, by onset."""
    conditions: list[ColumnElement[bool]] = [Infusion.patient_id == patient_id if patient_id else true()]
    if course_id is not None:
        conditions.append(Infusion.course_id == course_id)
    if infusion is not None:
        conditions.append(Infusion.public_id == infusion)
    rows = _rows(scope, conditions)
    protocols = {name: protocol_in_force(scope, name) for name in {row.protocol_id for row in rows}}
    found = [_with_deadline(scope, row, protocols[row.protocol_id]) for row in rows]
    wanted = [one for one in found if show is Show.ALL or one.is_reported is (show is Show.REPORTED)]
    return tuple(sorted(wanted, key=lambda one: (one.is_reported, one.due_on, one.row.onset_at)))


def open_reports(scope: Scope) -> tuple[int, int]:
    """How many serious reactions have not been reported, and how many of these are late: for tiles and tallies."""
    waiting = serious_reactions(scope, Show.OPEN)
    return len(waiting), sum(1 for one in waiting if one.days_late(scope.today))


def _with_deadline(scope: Scope, row: _Row, protocol: Protocol) -> SeriousReaction:
    onset_on = local_date(row.onset_at, scope.time_zone)
    return SeriousReaction(row, report_due_on(onset_on, protocol.value(DEADLINE), protocol.holidays))


REPORTED_ON = (
    select(func.min(FormSubmission.submitted_on))
    .where(
        FormSubmission.reaction_id == InfusionReaction.id,
        FormSubmission.clinic_id == InfusionReaction.clinic_id,
        FormSubmission.kind == FormKind.ADVERSE_EVENT_FORM.value,
        FormSubmission.state == FactState.RECORDED.value,
    )
    .scalar_subquery()
)
_COLUMNS: tuple[Any, ...] = (
    InfusionReaction.public_id,
    Infusion.public_id,
    Patient.id,
    Patient.public_id,
    Patient.family_name,
    Patient.given_name,
    Patient.birth_date,
    Patient.mrn,
    Patient.protocol_id,
    TreatmentCourse.id,
    TreatmentCourse.number,
    Infusion.day_number,
    InfusionReaction.onset_at,
    InfusionReaction.ticked,
    InfusionReaction.signs,
    InfusionReaction.grade,
    InfusionReaction.seriousness,
    InfusionReaction.ending,
    REPORTED_ON,
)


def _rows(scope: Scope, conditions: list[ColumnElement[bool]]) -> list[_Row]:
    reaction = InfusionReaction
    statement: Any = (
        select(*_COLUMNS)
        .join(Infusion, Infusion.id == reaction.infusion_id)
        .join(Patient, Patient.id == Infusion.patient_id)
        .join(TreatmentCourse, TreatmentCourse.id == Infusion.course_id)
        .where(
            reaction.clinic_id == scope.clinic_id,
            reaction.is_serious.is_(True),
            reaction.withdrawn_at.is_(None),
            Infusion.state == FactState.RECORDED.value,
            *conditions,
        )
        .order_by(reaction.onset_at, reaction.id)
    )
    return [_Row(*row) for row in db.session.execute(statement)]

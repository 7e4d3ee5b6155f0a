"""One infusion day: the infusion with its parts, or what waits for it before it has started."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from zlib import crc32

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import aliased

from clinic_tracker.domain.errors import NotFound
from clinic_tracker.domain.infusion_day import EVENING
from clinic_tracker.domain.observation import observation_ends_at
from clinic_tracker.domain.reactions import OPEN_ENDINGS, told, words_of
from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.access import User
from clinic_tracker.models.base import db
from clinic_tracker.models.treatment import Infusion, InfusionPause, InfusionReaction, Premedication, VitalSigns
from clinic_tracker.queries.drug_checks import DrugCheckRow, checks_of_infusion, checks_waiting
from clinic_tracker.queries.scope import Scope

VERSIONS = 10**9


class PauseRow(NamedTuple):
    """An interruption."""

    public_id: uuid.UUID
    paused_at: datetime
    resumed_at: datetime | None
    reason: str | None
    recorded_by: str | None


class PremedicationRow(NamedTuple):
    """A drug given around the infusion."""

    public_id: uuid.UUID
    kind: str
    drug: str
    dose: str | None
    given_at: datetime
    ended_at: datetime | None
    recorded_by: str | None


class VitalsRow(NamedTuple):
    """A set of vital signs."""

    public_id: uuid.UUID
    taken_at: datetime
    systolic: int | None
    diastolic: int | None
    pulse: int | None
    temperature: float | None
    respiratory_rate: int | None
    oxygen_saturation: int | None
    note: str | None
    recorded_by: str | None


class ReactionRow(NamedTuple):
    """A reaction."""

    public_id: uuid.UUID
    onset_at: datetime
    ticked: list[str]
    signs: str
    grade: str
    is_serious: bool
    seriousness: list[str]
    actions: list[str]
    action: str | None
    drugs: str | None
    ending: str | None
    outcome: str | None
    resolved_at: datetime | None
    recorded_by: str | None

    @property
    def told(self) -> str:
        """Its signs as one line."""
        return told(self.ticked, self.signs)

    @property
    def action_words(self) -> tuple[str, ...]:
        """What was done, in words."""
        return words_of(self.actions)

    @property
    def seriousness_words(self) -> tuple[str, ...]:
        """What makes it serious, in words."""
        return words_of(self.seriousness)

    @property
    def is_over(self) -> bool:
        """Whether it is known how it ended."""
        return self.ending is not None and self.ending not in OPEN_ENDINGS


class DayRow(NamedTuple):
    """The infusion itself."""

    id: int
    public_id: uuid.UUID
    course_id: int
    state: str
    day_number: int
    infused_on: date
    dose_mg: float | None
    lot_number: str | None
    lot_expires_on: date | None
    diluted_at: datetime | None
    started_at: datetime
    ended_at: datetime | None
    planned_minutes: int | None
    observation_minutes: int
    observation_reason: str | None
    discharged_at: datetime | None
    early_discharge_reason: str | None
    stroke_advice_given: bool
    late_reaction_advice_given: bool
    infection_excluded: bool | None
    contraindications_excluded: bool | None
    pregnancy_excluded: bool | None
    equipment_ready: bool | None
    chair: str | None
    nurse_name: str | None
    is_back_entry: bool
    note: str | None
    replaces_id: int | None
    recorded_at: datetime
    recorded_by: str | None
    discharged_by: str | None
    withdrawn_at: datetime | None
    withdrawn_reason: str | None

    @property
    def stands(self) -> bool:
        """Whether it was neither replaced nor entered in error."""
        return self.state == FactState.RECORDED

    @property
    def observed_until(self) -> datetime | None:
        """When the observation is over, or None while the infusion runs."""
        return observation_ends_at(self.ended_at, self.observation_minutes) if self.ended_at else None


def day_version(day: DayRow | Infusion) -> int:
    """A number that changes with what the steps of a day fill in: a correction opened before must not undo them."""
    seen = (day.ended_at, day.dose_mg, day.discharged_at, day.stroke_advice_given, day.late_reaction_advice_given)
    return crc32(repr(seen).encode()) % VERSIONS


@dataclass(frozen=True, slots=True)
class DayParts:
    """What stands of the parts of a day, in the order of time."""

    pauses: tuple[PauseRow, ...] = ()
    premedications: tuple[PremedicationRow, ...] = ()
    vitals: tuple[VitalsRow, ...] = ()
    reactions: tuple[ReactionRow, ...] = ()
    checks: tuple[DrugCheckRow, ...] = ()

    @property
    def open_pause(self) -> PauseRow | None:
        """The pause that is still on."""
        return next((pause for pause in self.pauses if pause.resumed_at is None), None)


def infusion_row(scope: Scope, patient_id: int, infusion: uuid.UUID) -> DayRow:
    """An infusion of this patient, in whatever state; NotFound otherwise."""
    recorder, discharger = aliased(User), aliased(User)
    names = {"recorded_by": recorder.name, "discharged_by": discharger.name}
    columns: list[Any] = [names[name] if name in names else getattr(Infusion, name) for name in DayRow._fields]
    row = db.session.execute(
        select(*columns)
        .outerjoin(recorder, recorder.id == Infusion.recorded_by_id)
        .outerjoin(discharger, discharger.id == Infusion.discharged_by_id)
        .where(
            Infusion.public_id == infusion,
            Infusion.clinic_id == scope.clinic_id,
            Infusion.patient_id == patient_id,
        )
    ).one_or_none()
    if row is None:
        raise NotFound("infusion")
    return DayRow(*row)


def open_infusion(scope: Scope, course_id: int) -> uuid.UUID | None:
    """The infusion of a course that was started live within a day and is not signed out, or is of today; or None."""
    running = Infusion.discharged_at.is_(None) & (Infusion.started_at > scope.now - timedelta(days=1))
    return db.session.execute(
        select(Infusion.public_id)
        .where(
            Infusion.course_id == course_id,
            Infusion.clinic_id == scope.clinic_id,
            Infusion.state == FactState.RECORDED.value,
            (running & Infusion.is_back_entry.is_(False)) | (Infusion.infused_on == scope.today),
        )
        .order_by(Infusion.started_at.desc())
        .limit(1)
    ).scalar_one_or_none()


def replaced_by(scope: Scope, infusion_id: int) -> uuid.UUID | None:
    """The public id of the row that stands in the place of a corrected infusion, following further corrections."""
    found: uuid.UUID | None = None
    key: int | None = infusion_id
    while key is not None:
        row = db.session.execute(
            select(Infusion.id, Infusion.public_id).where(
                Infusion.replaces_id == key, Infusion.clinic_id == scope.clinic_id
            )
        ).one_or_none()
        key = row[0] if row is not None else None
        found = row[1] if row is not None else found
    return found


def parts_of_infusion(scope: Scope, infusion_id: int) -> DayParts:
    """The parts of an infusion that stand."""
    return DayParts(
        pauses=tuple(
            PauseRow(*row)
            for row in _rows(scope, InfusionPause, PauseRow, InfusionPause.infusion_id == infusion_id, "paused_at")
        ),
        premedications=_premedications(scope, Premedication.infusion_id == infusion_id),
        vitals=_vitals(scope, VitalSigns.infusion_id == infusion_id),
        reactions=tuple(
            ReactionRow(*row)
            for row in _rows(
                scope, InfusionReaction, ReactionRow, InfusionReaction.infusion_id == infusion_id, "onset_at"
            )
        ),
        checks=checks_of_infusion(scope, infusion_id),
    )


def waiting_parts(scope: Scope, course_id: int, on: date) -> DayParts:
    """What was recorded for a course and day before the infusion started; after midnight also that of the evening."""
    return DayParts(
        premedications=_premedications(scope, _waits(scope, Premedication, "given_at", course_id, on)),
        vitals=_vitals(scope, _waits(scope, VitalSigns, "taken_at", course_id, on)),
        checks=checks_waiting(scope, course_id, on),
    )


def _waits(scope: Scope, table: Any, time: str, course_id: int, on: date) -> ColumnElement[bool]:
    of_day: ColumnElement[bool] = table.for_on == on
    if on == scope.today:
        of_day |= getattr(table, time).between(scope.now - EVENING, scope.now)
    condition: ColumnElement[bool] = (table.course_id == course_id) & table.infusion_id.is_(None) & of_day
    return condition


def _premedications(scope: Scope, condition: ColumnElement[bool]) -> tuple[PremedicationRow, ...]:
    rows = _rows(scope, Premedication, PremedicationRow, condition, "given_at")
    return tuple(PremedicationRow(*row) for row in rows)


def _vitals(scope: Scope, condition: ColumnElement[bool]) -> tuple[VitalsRow, ...]:
    return tuple(VitalsRow(*row) for row in _rows(scope, VitalSigns, VitalsRow, condition, "taken_at"))


def _rows(scope: Scope, table: Any, row: Any, condition: ColumnElement[bool], order: str) -> list[Any]:
    columns = [User.name if name == "recorded_by" else getattr(table, name) for name in row._fields]
    statement = (
        select(*columns)
        .outerjoin(User, User.id == table.recorded_by_id)
        .where(table.clinic_id == scope.clinic_id, table.withdrawn_at.is_(None), condition)
        .order_by(getattr(table, order), table.id)
    )
    return list(db.session.execute(statement))

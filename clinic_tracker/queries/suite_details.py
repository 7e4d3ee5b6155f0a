"""What the board tells of each patient: chair and nurse, pauses, vital signs, reactions, what is recorded already."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, or_, select

from clinic_tracker.domain.infusion_day import Pause
from clinic_tracker.domain.vocabulary import PremedicationKind
from clinic_tracker.models.base import db
from clinic_tracker.models.treatment import (
    DrugCheck,
    InfusionPause,
    InfusionReaction,
    Premedication,
    VitalSigns,
)
from clinic_tracker.queries.chairs import BookingRow, bookings_between, chairs
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.suite import Place, Suite


class LastVitals(NamedTuple):
    """The newest set of vital signs."""

    taken_at: datetime
    systolic: int | None
    diastolic: int | None
    pulse: int | None
    temperature: float | None
    respiratory_rate: int | None
    oxygen_saturation: int | None

    @property
    def values(self) -> Mapping[str, float | None]:
        """The readings by the names of the signs."""
        return {name: value for name, value in self._asdict().items() if name != "taken_at"}


class SeenReaction(NamedTuple):
    """A reaction of the day."""

    onset_at: datetime
    grade: str
    is_serious: bool
    resolved_at: datetime | None


@dataclass(frozen=True, slots=True)
class SuiteDetails:
    """The parts of everybody on the board."""

    pauses: Mapping[int, tuple[Pause, ...]]
    vitals: Mapping[Place, LastVitals]
    reactions: Mapping[int, tuple[SeenReaction, ...]]
    steroids: frozenset[Place]
    drug_checks: Mapping[Place, int]
    bookings: Mapping[int, BookingRow]
    chairs: tuple[str, ...]


def suite_details(scope: Scope, suite: Suite) -> SuiteDetails:
    """The parts of everybody on the board, in seven statements whatever their number."""
    infusions = [row.infusion_id for row in suite.started]
    courses = [row.course_id for row in suite.planned]
    return SuiteDetails(
        pauses=_pauses(scope, infusions),
        vitals=_vitals(scope, infusions, courses),
        reactions=_reactions(scope, infusions),
        steroids=_steroids(scope, infusions, courses),
        drug_checks=_drug_checks(scope, infusions, courses),
        bookings={row.course_id: row for row in bookings_between(scope, scope.today, scope.today)},
        chairs=tuple(row.name for row in chairs(scope, in_use=True)),
    )


def _stands(scope: Scope, table: Any, infusions: list[int], courses: list[int] | None = None) -> ColumnElement[bool]:
    """Parts that were not withdrawn: of the infusions, and those that wait for today's of the courses."""
    belongs = table.infusion_id.in_(infusions)
    if courses is not None:
        waits = table.infusion_id.is_(None) & table.course_id.in_(courses) & (table.for_on == scope.today)
        belongs = or_(belongs, waits)
    condition: ColumnElement[bool] = (table.clinic_id == scope.clinic_id) & table.withdrawn_at.is_(None) & belongs
    return condition


def _pauses(scope: Scope, infusions: list[int]) -> dict[int, tuple[Pause, ...]]:
    table, found = InfusionPause, dict[int, tuple[Pause, ...]]()
    rows = db.session.execute(
        select(table.infusion_id, table.paused_at, table.resumed_at)
        .where(_stands(scope, table, infusions))
        .order_by(table.paused_at, table.id)
    )
    for key, paused_at, resumed_at in rows:
        found[key] = (*found.get(key, ()), Pause(paused_at, resumed_at))
    return found


def _vitals(scope: Scope, infusions: list[int], courses: list[int]) -> dict[Place, LastVitals]:
    columns: list[Any] = [getattr(VitalSigns, name) for name in LastVitals._fields]
    rows = db.session.execute(
        select(VitalSigns.course_id, VitalSigns.infusion_id, *columns)
        .where(_stands(scope, VitalSigns, infusions, courses))
        .order_by(VitalSigns.taken_at, VitalSigns.id)
    )
    return {(course, infusion): LastVitals(*values) for course, infusion, *values in rows}


def _reactions(scope: Scope, infusions: list[int]) -> dict[int, tuple[SeenReaction, ...]]:
    table, found = InfusionReaction, dict[int, tuple[SeenReaction, ...]]()
    columns: list[Any] = [getattr(table, name) for name in SeenReaction._fields]
    rows = db.session.execute(
        select(table.infusion_id, *columns).where(_stands(scope, table, infusions)).order_by(table.onset_at, table.id)
    )
    for key, *values in rows:
        found[key] = (*found.get(key, ()), SeenReaction(*values))
    return found


def _steroids(scope: Scope, infusions: list[int], courses: list[int]) -> frozenset[Place]:
    rows = db.session.execute(
        select(Premedication.course_id, Premedication.infusion_id)
        .where(
            _stands(scope, Premedication, infusions, courses),
            Premedication.kind == PremedicationKind.STEROID.value,
        )
        .distinct()
    )
    return frozenset((course, infusion) for course, infusion in rows)


def _drug_checks(scope: Scope, infusions: list[int], courses: list[int]) -> dict[Place, int]:
    """How many people have checked the drug (R-55)."""
    rows = db.session.execute(
        select(DrugCheck.course_id, DrugCheck.infusion_id, func.count(DrugCheck.checked_by_id.distinct()))
        .where(_stands(scope, DrugCheck, infusions, courses))
        .group_by(DrugCheck.course_id, DrugCheck.infusion_id)
    )
    return {(course, infusion): people for course, infusion, people in rows}

"""What stands of the parts of an infusion day, and what waits for an infusion that has not started."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, select, update

from clinic_tracker.domain.infusion_day import EVENING, Pause
from clinic_tracker.domain.infusion_day import Premedication as PremedicationGiven
from clinic_tracker.domain.vocabulary import PremedicationKind
from clinic_tracker.models.base import db
from clinic_tracker.models.treatment import (
    DrugCheck,
    EarlyPart,
    Infusion,
    InfusionPause,
    Premedication,
    TreatmentCourse,
    VitalSigns,
)
from clinic_tracker.queries.scope import Scope

P = TypeVar("P", bound=EarlyPart)

_MEASURED_AT: dict[type[EarlyPart], Any] = {VitalSigns: VitalSigns.taken_at, Premedication: Premedication.given_at}


class Parts(NamedTuple):
    """The pauses, premedication and times of vital signs of an infusion, as the rules want them."""

    pauses: tuple[Pause, ...] = ()
    premedications: tuple[PremedicationGiven, ...] = ()
    vitals_at: tuple[datetime, ...] = ()

    def __or__(self, other: "Parts") -> "Parts":
        return Parts(
            self.pauses + other.pauses,
            self.premedications + other.premedications,
            self.vitals_at + other.vitals_at,
        )

    def moved(self, by: timedelta) -> "Parts":
        """The same, so much later."""
        return Parts(
            tuple(Pause(one.started_at + by, one.ended_at + by if one.ended_at else None) for one in self.pauses),
            tuple(
                PremedicationGiven(one.kind, one.started_at + by, one.ended_at + by if one.ended_at else None)
                for one in self.premedications
            ),
            tuple(at + by for at in self.vitals_at),
        )


def parts_of(_scope: Scope, infusion: Infusion) -> Parts:
    """What stands of the parts of an infusion."""
    return _early(lambda table: table.infusion_id == infusion.id)._replace(pauses=_pauses(infusion.id))


def waiting_parts(scope: Scope, course: TreatmentCourse, infusion: Infusion) -> Parts:
    """What was recorded for a course and day before the infusion started, or in the evening before a start at night."""
    return _early(lambda table: _waits_for(scope, table, course, infusion))


def attach_waiting(scope: Scope, course: TreatmentCourse, infusion: Infusion) -> None:
    """Give an infusion what was recorded for it before it started."""
    for table in (Premedication, VitalSigns, DrugCheck):
        db.session.execute(
            update(table)
            .where(_waits_for(scope, table, course, infusion), table.withdrawn_at.is_(None))
            .values(infusion_id=infusion.id, for_on=infusion.infused_on)
            .execution_options(synchronize_session=False)
        )


def _pauses(infusion_id: int) -> tuple[Pause, ...]:
    pauses = db.session.execute(
        select(InfusionPause).where(InfusionPause.infusion_id == infusion_id, InfusionPause.withdrawn_at.is_(None))
    ).scalars()
    return tuple(Pause(pause.paused_at, pause.resumed_at) for pause in pauses)


def _early(condition: Callable[[type[EarlyPart]], ColumnElement[bool]]) -> Parts:
    def standing(table: type[P]) -> list[P]:
        return list(db.session.execute(select(table).where(condition(table), table.withdrawn_at.is_(None))).scalars())

    drugs = tuple(
        PremedicationGiven(PremedicationKind(drug.kind), drug.given_at, drug.ended_at)
        for drug in standing(Premedication)
    )
    return Parts(premedications=drugs, vitals_at=tuple(vitals.taken_at for vitals in standing(VitalSigns)))


def _waits_for(
    scope: Scope, table: type[EarlyPart], course: TreatmentCourse, infusion: Infusion
) -> ColumnElement[bool]:
    """Of the date of the infusion; what was measured or given in the hours before the start may be of the day before.

    A check of the drug is for the date on which it was made.
    """
    waits = table.for_on == infusion.infused_on
    at = _MEASURED_AT.get(table)
    if at is not None:
        waits = waits | at.between(infusion.started_at - EVENING, infusion.started_at)
    mine = (table.clinic_id == scope.clinic_id) & (table.course_id == course.id)
    return mine & table.infusion_id.is_(None) & waits

"""The courses of one patient with their days and parts, for the data sheets."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, select

from clinic_tracker.domain.course_forms.facts import (
    AuthorizationFacts,
    CourseFacts,
    DayFacts,
    DrugFacts,
    PauseFacts,
    PrescriberFacts,
    ReactionFacts,
    VitalsFacts,
)
from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.access import Prescriber, User
from clinic_tracker.models.base import db
from clinic_tracker.models.treatment import (
    Authorization,
    Infusion,
    InfusionPause,
    InfusionReaction,
    Premedication,
    Prophylaxis,
    TreatmentCourse,
    VitalSigns,
)
from clinic_tracker.queries.scope import Scope

RECORDED = FactState.RECORDED.value
PRESCRIBER = (Prescriber.public_id, Prescriber.name, Prescriber.npi, Prescriber.rems_prescriber_id)
_COURSE = (
    TreatmentCourse.public_id,
    TreatmentCourse.number,
    TreatmentCourse.planned_days,
    TreatmentCourse.planned_start_on,
    TreatmentCourse.discontinued_on,
    TreatmentCourse.discontinued_reason,
    TreatmentCourse.unused_vials,
    TreatmentCourse.vials_disposition,
)
_DAY: tuple[Any, ...] = (
    Infusion.public_id,
    Infusion.day_number,
    Infusion.infused_on,
    Infusion.time_zone,
    Infusion.dose_mg,
    Infusion.lot_number,
    Infusion.lot_expires_on,
    Infusion.started_at,
    Infusion.ended_at,
    Infusion.observation_minutes,
    Infusion.discharged_at,
    User.name.label("discharged_by"),
    Infusion.stroke_advice_given,
    Infusion.late_reaction_advice_given,
    Infusion.infection_excluded,
    Infusion.contraindications_excluded,
)

Part = TypeVar("Part", bound=tuple[Any, ...])


class _Antiviral(NamedTuple):
    course_id: int | None
    drug: str
    started_on: date
    stopped_on: date | None


def course_facts(scope: Scope, patient_id: int) -> tuple[CourseFacts, ...]:
    """The courses by number, each with what stands of its authorization, days and antiviral."""
    authorizations, days = _authorizations(scope, patient_id), _days(scope, patient_id)
    antivirals = _antivirals(scope, patient_id)
    rows = db.session.execute(
        select(TreatmentCourse.id, *PRESCRIBER, *_COURSE)
        .outerjoin(Prescriber, Prescriber.id == TreatmentCourse.prescriber_id)
        .where(TreatmentCourse.clinic_id == scope.clinic_id, TreatmentCourse.patient_id == patient_id)
        .order_by(TreatmentCourse.number)
    )
    found = []
    for row in rows:
        key, values = row[0], tuple(row)
        plan = {column.key: value for column, value in zip(_COURSE, values[5:], strict=True)}
        drug, since = _antiviral_of(key, days.get(key, ()), antivirals)
        found.append(
            CourseFacts(
                **plan,
                prescriber=PrescriberFacts(*values[1:5]) if values[1] is not None else None,
                authorization=authorizations.get(key),
                days=tuple(days.get(key, ())),
                antiviral=drug,
                antiviral_on=since,
            )
        )
    return tuple(found)


def _authorizations(scope: Scope, patient_id: int) -> dict[int, AuthorizationFacts]:
    table = Authorization
    rows = db.session.execute(
        select(
            table.course_id,
            table.public_id,
            *PRESCRIBER,
            table.authorized_on,
            table.expires_on,
            table.rems_reference,
            table.override_reason,
            table.verified_on,
            table.verified_method,
            User.name,
        )
        .join(Prescriber, Prescriber.id == table.prescriber_id)
        .outerjoin(User, User.id == table.verified_by_id)
        .where(table.clinic_id == scope.clinic_id, table.patient_id == patient_id, table.state == RECORDED)
    )
    return {row[0]: _authorization(tuple(row)) for row in rows}


def _authorization(row: tuple[Any, ...]) -> AuthorizationFacts:
    values: tuple[Any, ...] = (row[1], PrescriberFacts(*row[2:6]), *row[6:])
    return AuthorizationFacts(*values)


def _antivirals(scope: Scope, patient_id: int) -> list[_Antiviral]:
    """The antivirals that were taken, by their start (R-60)."""
    rows = db.session.execute(
        select(Prophylaxis.course_id, Prophylaxis.drug, Prophylaxis.started_on, Prophylaxis.stopped_on)
        .where(
            Prophylaxis.clinic_id == scope.clinic_id,
            Prophylaxis.patient_id == patient_id,
            Prophylaxis.state == RECORDED,
        )
        .order_by(Prophylaxis.started_on, Prophylaxis.id)
    )
    return [_Antiviral(*row) for row in rows]


def _antiviral_of(course: int, days: Sequence[DayFacts], taken: Sequence[_Antiviral]) -> tuple[str | None, date | None]:
    """The antiviral that was started for a course, else one that was taken while the course was given."""
    own = [row for row in taken if row.course_id == course]
    if days:
        first, last = days[0].infused_on, days[-1].infused_on
        own = own or [
            row for row in taken if row.started_on <= last and (row.stopped_on is None or row.stopped_on >= first)
        ]
    return (own[0].drug, own[0].started_on) if own else (None, None)


def _days(scope: Scope, patient_id: int) -> dict[int, list[DayFacts]]:
    """The infusions that stand by course, in order, with their parts."""
    rows = list(
        db.session.execute(
            select(Infusion.course_id, Infusion.id, *_DAY)
            .outerjoin(User, User.id == Infusion.discharged_by_id)
            .where(_standing(scope, patient_id))
            .order_by(Infusion.started_at, Infusion.id)
        )
    )
    pauses = _parts(scope, patient_id, InfusionPause, PauseFacts, "paused_at")
    drugs = _parts(scope, patient_id, Premedication, DrugFacts, "given_at")
    vitals = _parts(scope, patient_id, VitalSigns, VitalsFacts, "taken_at")
    reactions = _parts(scope, patient_id, InfusionReaction, ReactionFacts, "onset_at")
    found: defaultdict[int, list[DayFacts]] = defaultdict(list)
    for row in rows:
        key = row[1]
        day = {column.key: value for column, value in zip(_DAY, row[2:], strict=True)}
        day["time_zone"] = day["time_zone"] or scope.time_zone
        found[row[0]].append(
            DayFacts(
                **day,
                pauses=tuple(pauses[key]),
                drugs=tuple(drugs[key]),
                vitals=tuple(vitals[key]),
                reactions=tuple(reactions[key]),
            )
        )
    return found


def _parts(scope: Scope, patient_id: int, table: Any, row: type[Part], order: str) -> defaultdict[int, list[Part]]:
    """What stands of one kind of part, by infusion."""
    names: tuple[str, ...] = row._fields  # type: ignore[attr-defined]
    statement = (
        select(table.infusion_id, *(getattr(table, name) for name in names))
        .join(Infusion, Infusion.id == table.infusion_id)
        .where(_standing(scope, patient_id), table.clinic_id == scope.clinic_id, table.withdrawn_at.is_(None))
        .order_by(getattr(table, order), table.id)
    )
    found: defaultdict[int, list[Part]] = defaultdict(list)
    for values in db.session.execute(statement):
        found[values[0]].append(row(*values[1:]))
    return found


def _standing(scope: Scope, patient_id: int) -> ColumnElement[bool]:
    condition: ColumnElement[bool] = (
        (Infusion.clinic_id == scope.clinic_id) & (Infusion.patient_id == patient_id) & (Infusion.state == RECORDED)
    )
    return condition

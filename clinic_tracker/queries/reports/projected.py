"""The obligations that fell due and what they came to, from the schedules as stored: for today, in SQL."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Date, Integer, Select, Text, and_, case, cast, func, select, type_coerce

from clinic_tracker.domain.compliance import YEARS, Outcome
from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.access import Prescriber
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.schedule import Obligation, PatientSchedule
from clinic_tracker.models.treatment import Infusion
from clinic_tracker.queries.reports.asked import Asked
from clinic_tracker.queries.reports.recounted import GRACE_SETTING
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.settings import setting


def outcome_of(scope: Scope) -> ColumnElement[str]:
    """What became of an obligation that fell due by today."""
    table = Obligation
    grace = setting(scope, GRACE_SETTING)
    return case(
        (table.done_on <= table.due_on, Outcome.ON_TIME.value),
        (table.done_on <= later(table.due_on, grace), Outcome.ON_TIME.value),
        (table.done_on.is_not(None), Outcome.LATE.value),
        (table.waived, Outcome.WAIVED.value),
        (and_(table.closes_on.is_not(None), table.closes_on < scope.today), Outcome.MISSED.value),
        else_=Outcome.OWED.value,
    )


def later(column: Any, days: int) -> ColumnElement[Any]:
    """So many days after a day, in either database."""
    if db.engine.dialect.name == "sqlite":
        return type_coerce(func.date(column, f"+{days} days"), Date)
    later: ColumnElement[Any] = column + timedelta(days=days)
    return later


def month_of() -> ColumnElement[str]:
    """The month of the due date, YYYY-MM."""
    return func.substr(cast(Obligation.due_on, Text), 1, 7)


def year_of() -> ColumnElement[str]:
    """The year since the last infusion: the same as ``domain.compliance.year_since``.

    Twelve months after a day is the same day of a later year, but for 29 February; comparing month and day as text does
    as clamping does: 28 February still lies before it, and 1 March after it.
    """
    last = (
        select(func.max(cast(Infusion.infused_on, Text)))
        .where(
            Infusion.patient_id == Obligation.patient_id,
            Infusion.state == FactState.RECORDED.value,
            Infusion.infused_on <= Obligation.due_on,
        )
        .correlate(Obligation)
        .scalar_subquery()
    )
    due = cast(Obligation.due_on, Text)
    years = cast(func.substr(due, 1, 4), Integer) - cast(func.substr(last, 1, 4), Integer)
    number = years + case((func.substr(due, 6) > func.substr(last, 6), 1), else_=0)
    names = [(number <= place, name) for place, name in enumerate(YEARS[:-1], start=1)]
    return case(*names, else_=YEARS[-1])


def fallen_due(scope: Scope, asked: Asked, columns: Sequence[Any]) -> Select[Any]:
    """Columns of the obligations asked for. ``patient`` and ``patient_schedule`` are joined, prescribers outer."""
    closed_on = PatientSchedule.monitoring_closed_on
    statement: Select[Any] = (
        select(*columns)
        .select_from(Obligation)
        .join(PatientSchedule, PatientSchedule.patient_id == Obligation.patient_id)
        .join(Patient, Patient.id == Obligation.patient_id)
        .outerjoin(Prescriber, Prescriber.id == Patient.prescriber_id)
        .where(
            Obligation.clinic_id == scope.clinic_id,
            Obligation.due_on >= asked.first,
            Obligation.due_on <= asked.last,
            closed_on.is_(None) | (Obligation.due_on <= closed_on) | Obligation.done_on.is_not(None),
            *_conditions(scope, asked),
        )
    )
    return statement


def _conditions(scope: Scope, asked: Asked) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if asked.requirement is not None:
        conditions.append(Obligation.requirement == asked.requirement)
    if asked.prescriber is not None:
        conditions.append(Prescriber.public_id == asked.prescriber)
    if asked.patient is not None:
        conditions.append(Patient.public_id == asked.patient)
    if asked.nobody:
        conditions.append(Patient.prescriber_id.is_(None))
    if asked.protocol is not None:
        conditions.append(Patient.protocol_id == asked.protocol)
    if asked.year is not None:
        conditions.append(year_of() == asked.year)
    if len(asked.outcomes) < len(Outcome):
        conditions.append(outcome_of(scope).in_([one.value for one in asked.outcomes]))
    return conditions

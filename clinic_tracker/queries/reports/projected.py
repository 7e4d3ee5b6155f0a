"""The obligations that fell due and what they came to, from the schedules as stored: for today, in SQL."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Date, Integer, Select, Text, and_, case, cast, func, literal, select, type_coerce

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

_YEAR = 10_000


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


def years_since() -> ColumnElement[int]:
    """How many years the due date is after the last infusion, each begun one counted; see ``year_named``.

    Twelve months after a day is the same day of a later year, but for 29 February. Dates written as YYYYMMDD and
    compared as numbers do as clamping does: 28 February still lies before the anniversary, and 1 March after it.
    """
    last = (
        select(func.max(Infusion.infused_on))
        .where(
            Infusion.patient_id == Obligation.patient_id,
            # Written out: only so does SQLite see that the index of what stands can be used.
            Infusion.state == literal(FactState.RECORDED.value, literal_execute=True),
            Infusion.infused_on <= Obligation.due_on,
        )
        .correlate(Obligation)
        .scalar_subquery()
    )
    return (_digits(Obligation.due_on) - _digits(last) + _YEAR - 1) // _YEAR


def year_named(years: int) -> str:
    """The same as ``domain.compliance.year_since``."""
    return YEARS[min(max(years, 1), len(YEARS)) - 1]


def _digits(day: Any) -> ColumnElement[int]:
    """A date as the number YYYYMMDD."""
    return cast(func.replace(cast(day, Text), "-", ""), Integer)


def _in_year(name: str) -> ColumnElement[bool]:
    place, years = YEARS.index(name) + 1, years_since()
    if place == 1:
        return years <= 1
    return years >= place if place == len(YEARS) else years == place


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
        conditions.append(_in_year(asked.year))
    if len(asked.outcomes) < len(Outcome):
        conditions.append(outcome_of(scope).in_([one.value for one in asked.outcomes]))
    return conditions

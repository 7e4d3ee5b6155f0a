"""Where the patients of a clinic are, from their registration to the sign-off of their monitoring."""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import and_, case, exists, func, select

from clinic_tracker.domain.local_time import add_months
from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Enrollment, Patient
from clinic_tracker.models.schedule import PatientSchedule
from clinic_tracker.models.treatment import Authorization
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.tallies import is_lost

YEARS = 4
MONTHS = 12


class Funnel(NamedTuple):
    """Patients of the clinic, merged charts left out.

    ``registered`` is all of them; ``enrolled`` and ``authorized`` those with an enrollment or an authorization that
    stands, also one that has ended; ``treated`` those with an infusion. Every treated patient is in exactly one of
    ``years`` (1 to 4 since the last infusion, the anniversary included), ``later`` (extended beyond), ``ended``
    (monitoring is over, and nobody has signed it off) and ``signed_off``. ``lost`` are the treated ones, not signed
    off, without any evidence for the clinic's number of days.
    """

    registered: int
    enrolled: int
    authorized: int
    treated: int
    years: tuple[int, ...]
    later: int
    ended: int
    signed_off: int
    lost: int


def funnel(scope: Scope) -> Funnel:
    """The patients at each stage today, in two statements."""
    registered, enrolled, authorized = _beginnings(scope)
    places: Counter[str] = Counter()
    lost = 0
    for place, silent, number in _places(scope):
        places[place] += number
        lost += number if silent else 0
    return Funnel(
        registered,
        enrolled,
        authorized,
        places.total(),
        tuple(places[str(year)] for year in range(1, YEARS + 1)),
        places["later"],
        places["ended"],
        places["signed_off"],
        lost,
    )


def _beginnings(scope: Scope) -> tuple[int, int, int]:
    def having(table: Any) -> Any:
        found = exists().where(table.patient_id == Patient.id, table.state == FactState.RECORDED.value)
        return func.coalesce(func.sum(case((found, 1), else_=0)), 0)

    registered, enrolled, authorized = db.session.execute(
        select(func.count(), having(Enrollment), having(Authorization)).where(
            Patient.clinic_id == scope.clinic_id, Patient.merged_into_id.is_(None)
        )
    ).one()
    return int(registered), int(enrolled), int(authorized)


def _places(scope: Scope) -> Iterator[tuple[str, bool, int]]:
    """Where the treated are, whether they are lost, and how many."""
    table, today = PatientSchedule, scope.today
    signed_off = table.monitoring_closed_on.is_not(None)
    ended = and_(table.monitoring_ends_on < today, table.monitoring_closed_on.is_(None))
    columns = (
        table.last_infusion_on.label("last"),
        case((signed_off, "signed_off"), (ended, "ended"), else_="").label("place"),
        case((is_lost(scope), 1), else_=0).label("silent"),
    )
    inner = (
        select(*columns)
        .join(Patient, Patient.id == table.patient_id)
        .where(
            table.clinic_id == scope.clinic_id,
            table.first_infusion_on.is_not(None),
            Patient.merged_into_id.is_(None),
        )
        .subquery()
    )
    statement: Any = select(*inner.c, func.count()).group_by(*inner.c)
    for last, place, is_silent, number in db.session.execute(statement):
        yield place or _year(last, today), bool(is_silent), number


def _year(last: date, today: date) -> str:
    for year in range(1, YEARS + 1):
        if today <= add_months(last, MONTHS * year):
            return str(year)
    return "later"

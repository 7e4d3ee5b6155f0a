"""What the lists of the reports share: whose a line is, which patients are asked about, which instants a period has."""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, or_, select

from clinic_tracker.domain.local_time import FIRST_YEAR, zone
from clinic_tracker.domain.reporting.columns import Column, Kind, Privacy
from clinic_tracker.domain.reporting.definition import Line
from clinic_tracker.domain.reporting.parameters import Parameters
from clinic_tracker.models.access import Prescriber
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.queries.scope import Scope

CHUNK = 500
_AT_A_TIME = 1000
_EARLIEST = date(FIRST_YEAR, 1, 1)

#: The first columns of every line about a patient.
PERSON = (
    Column("mrn", "MRN", Kind.TEXT, "Medical record number of the patient in this clinic.", Privacy.PATIENT),
    Column("patient", "Patient", Kind.TEXT, "Family name and given name, as in the chart today.", Privacy.IDENTITY),
    Column("prescriber", "Prescriber", Kind.TEXT, "Who answers for the patient today.", Privacy.IDENTITY),
)
#: The same, where the page has no room for the prescriber.
WHO = (*PERSON[:2], replace(PERSON[2], in_files_only=True))
PERSON_FIELDS: tuple[Any, ...] = (
    Patient.id,
    Patient.public_id,
    Patient.mrn,
    Patient.family_name,
    Patient.given_name,
    Prescriber.name,
    Prescriber.id,
)


class Person(NamedTuple):
    """Whose a line is."""

    id: int
    public_id: uuid.UUID
    mrn: str
    family_name: str
    given_name: str
    prescriber: str | None
    prescriber_id: int | None

    def line(self, *cells: Any) -> Line:
        """A line about this patient: the columns of PERSON, then the others."""
        name = f"{self.family_name}, {self.given_name}"
        return Line((self.mrn, name, self.prescriber, *cells), self.id, self.public_id)

    @property
    def order(self) -> tuple[str, str, int]:
        """By name, alike on every database."""
        return self.family_name.casefold(), self.given_name.casefold(), self.id


def line_of(row: Sequence[Any]) -> Line:
    """The line of a row that begins with PERSON_FIELDS."""
    person = len(PERSON_FIELDS)
    return Person(*row[:person]).line(*row[person:])


def only(choice: str, values: tuple[str, ...], *columns: Column) -> tuple[Column, ...]:
    """Columns that a report has with some values of a choice."""
    return tuple(replace(column, only=(choice, values)) for column in columns)


def of_people(statement: Select[Any], patient_id: Any) -> Select[Any]:
    """A statement with the patient of its rows, and the patient's prescriber, joined."""
    return statement.join(Patient, Patient.id == patient_id).outerjoin(
        Prescriber, Prescriber.id == Patient.prescriber_id
    )


def asked_about(scope: Scope, parameters: Parameters) -> list[ColumnElement[bool]]:
    """The patients of the clinic whom the parameters ask about."""
    conditions: list[ColumnElement[bool]] = [Patient.clinic_id == scope.clinic_id]
    if parameters.prescriber is not None:
        conditions.append(Prescriber.public_id == parameters.prescriber)
    if parameters.patient is not None:
        conditions.append(Patient.public_id == parameters.patient)
    return conditions


def people(scope: Scope, parameters: Parameters, *conditions: ColumnElement[bool]) -> dict[int, Person]:
    """The patients asked about by key, in the order of their names; merged charts left out."""
    statement: Any = of_people(select(*PERSON_FIELDS).select_from(Patient), Patient.id)
    rows = db.session.execute(
        statement.where(*asked_about(scope, parameters), Patient.merged_into_id.is_(None), *conditions)
    )
    found = sorted((Person(*row) for row in rows), key=lambda person: person.order)
    return {person.id: person for person in found}


def in_chunks(keys: Iterable[int]) -> Iterator[tuple[int, ...]]:
    """Keys in lots that fit into a statement."""
    rest = iter(keys)
    while lot := tuple(islice(rest, CHUNK)):
        yield lot


def stream(statement: Select[Any]) -> Iterable[Sequence[Any]]:
    """The rows of a statement, some at a time: the memory that they take does not grow with their number."""
    return db.session.execute(statement.execution_options(yield_per=_AT_A_TIME))


def last_day(parameters: Parameters) -> date:
    """The last day of the period that had come on the date asked about."""
    return min(parameters.period[1], parameters.as_of)


def first_day(parameters: Parameters) -> date:
    """The first day of the period."""
    return max(parameters.period[0], _EARLIEST)


def within(scope: Scope, parameters: Parameters, instant: Any) -> ColumnElement[bool]:
    """Instants of the period by the clock of the clinic, up to the end of the date asked about."""
    begins, ends = begins_at(scope, first_day(parameters)), ends_at(scope, last_day(parameters))
    condition: ColumnElement[bool] = (instant >= begins) & (instant < ends)
    return condition


def begins_at(scope: Scope, day: date) -> datetime:
    """The first instant of a local day."""
    return datetime.combine(day, time(), zone(scope.time_zone)).astimezone(UTC)


def ends_at(scope: Scope, day: date) -> datetime:
    """The first instant after a local day."""
    return begins_at(scope, day + timedelta(days=1))


def stood(table: Any, parameters: Parameters) -> ColumnElement[bool]:
    """Rows that stand; with ``known_at`` those that were recorded by then and not withdrawn by then."""
    ended: ColumnElement[bool] = table.withdrawn_at.is_(None)
    if parameters.known_at is None:
        return ended
    return and_(table.recorded_at <= parameters.known_at, or_(ended, table.withdrawn_at > parameters.known_at))

"""Of whom and of which time an evidence pack is, and the columns that name a patient."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select, true

from clinic_tracker.domain.errors import NotFound
from clinic_tracker.domain.reporting.definition import Line
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Enrollment, Patient
from clinic_tracker.models.schedule import PatientSchedule
from clinic_tracker.queries.scope import Scope


@dataclass(frozen=True, slots=True)
class Who:
    """The patients of a pack by key, each with the cells that name it, and the period that is audited."""

    people: dict[int, tuple[UUID, tuple[Any, ...]]]
    from_on: date
    to_on: date

    def rows_of(self, table: Any) -> ColumnElement[bool]:
        """The condition that keeps other patients' rows out; the clinic's is the caller's."""
        if len(self.people) == 1:
            condition: ColumnElement[bool] = table.patient_id == next(iter(self.people))
            return condition
        return true()  # ``lines`` sorts out the rest

    def lines(self, rows: Iterable[tuple[int, tuple[Any, ...]]]) -> list[Line]:
        """Lines from rows that begin with the key of a patient, by patient and then as they come."""
        order = {key: place for place, key in enumerate(self.people)}
        found = [(order[key], key, cells) for key, cells in rows if key in order]
        found.sort(key=lambda row: row[0])
        return [Line((*self.people[key][1], *cells), key, self.people[key][0]) for _place, key, cells in found]


def one_patient(scope: Scope, patient: UUID, from_on: date, to_on: date) -> Who:
    """One patient of the clinic; NotFound for any other, or one that was merged into another chart."""
    people = _people(scope, Patient.public_id == patient)
    if not people:
        raise NotFound("patient")
    return Who(people, from_on, to_on)


def all_patients(scope: Scope, from_on: date, to_on: date) -> Who:
    """Everybody who was enrolled, treated or monitored in the period, by name."""
    enrolled = (
        select(Enrollment.patient_id)
        .where(
            Enrollment.clinic_id == scope.clinic_id,
            Enrollment.enrolled_on <= to_on,
            or_(Enrollment.ended_on.is_(None), Enrollment.ended_on >= from_on),
        )
        .scalar_subquery()
    )
    ends = PatientSchedule.monitoring_ends_on
    monitored = and_(PatientSchedule.first_infusion_on <= to_on, or_(ends.is_(None), ends >= from_on))
    return Who(_people(scope, or_(monitored, Patient.id.in_(enrolled))), from_on, to_on)


def _people(scope: Scope, condition: Any) -> dict[int, tuple[UUID, tuple[Any, ...]]]:
    rows = db.session.execute(
        select(
            Patient.id,
            Patient.public_id,
            Patient.mrn,
            Patient.rems_patient_id,
            Patient.family_name,
            Patient.given_name,
            Patient.birth_date,
        )
        .outerjoin(PatientSchedule, PatientSchedule.patient_id == Patient.id)
        .where(Patient.clinic_id == scope.clinic_id, Patient.merged_into_id.is_(None), condition)
    )
    people = [(row[0], (row[1], tuple(row[2:]))) for row in rows]
    people.sort(key=lambda person: (person[1][1][2], person[1][1][3], person[1][1][0]))  # alike on every database
    return dict(people)

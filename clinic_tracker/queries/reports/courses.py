"""The courses that began in a period, as they stood on the date asked about."""

from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import func, select

from clinic_tracker.domain.reporting.parameters import Parameters
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.treatment import Infusion, TreatmentCourse
from clinic_tracker.queries.reports.people import PERSON_FIELDS, Person, asked_about, first_day, last_day, of_people
from clinic_tracker.queries.scope import Scope


class Begun(NamedTuple):
    """A course with its first and its last infusion by the date asked about."""

    person: Person
    protocol_id: str
    course_id: int
    number: int
    first_on: date
    last_on: date
    first_started_at: datetime


def courses_begun(scope: Scope, parameters: Parameters) -> list[Begun]:
    """The courses whose first infusion lies in the period, by that date."""
    table = Infusion
    given = (
        select(
            table.course_id,
            func.min(table.infused_on).label("first_on"),
            func.max(table.infused_on).label("last_on"),
            func.min(table.started_at).label("started_at"),
        )
        .where(table.clinic_id == scope.clinic_id, table.withdrawn_at.is_(None), table.infused_on <= parameters.as_of)
        .group_by(table.course_id)
        .subquery()
    )
    course = TreatmentCourse
    columns: Any = select(
        *PERSON_FIELDS, Patient.protocol_id, course.id, course.number, given.c.first_on, given.c.last_on,
        given.c.started_at,
    )  # fmt: skip
    statement = (
        of_people(columns.select_from(course), course.patient_id)
        .join(given, given.c.course_id == course.id)
        .where(
            course.clinic_id == scope.clinic_id,
            given.c.first_on.between(first_day(parameters), last_day(parameters)),
            *asked_about(scope, parameters),
        )
        .order_by(given.c.first_on, course.id)
    )
    person = len(PERSON_FIELDS)
    return [Begun(Person(*row[:person]), *row[person:]) for row in db.session.execute(statement)]

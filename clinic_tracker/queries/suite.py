"""Today in the infusion suite: who is planned, being infused, observed, to be signed out, discharged."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from sqlalchemy import exists, func, or_, select

from clinic_tracker.domain.local_time import zone
from clinic_tracker.domain.observation import observation_ends_at
from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.suite import ChairBooking
from clinic_tracker.models.treatment import Infusion, TreatmentCourse
from clinic_tracker.queries.scope import Scope

RECORDED = FactState.RECORDED.value
IMPORTED = "history import"  # days of an imported history have no discharge: nobody sits in a chair for them
# A day that did not take place stays on the board for so long; then it is a matter for the course page.
EXPECTED_FOR = timedelta(days=7)
LONGEST_INFUSION, SIGNING_OUT = timedelta(hours=12), timedelta(hours=2)

PERSON = (Patient.id, Patient.public_id, Patient.family_name, Patient.given_name, Patient.birth_date, Patient.mrn)
EXPECTED = (*PERSON, Patient.protocol_id, TreatmentCourse.id, TreatmentCourse.public_id, TreatmentCourse.number)
RUNNING = (
    Infusion.public_id,
    *PERSON,
    Infusion.id,
    Infusion.course_id,
    TreatmentCourse.number,
    Infusion.day_number,
    TreatmentCourse.planned_days,
    Infusion.chair,
    Infusion.nurse_name,
    Infusion.infused_on,
    Infusion.started_at,
    Infusion.planned_minutes,
    Infusion.ended_at,
    Infusion.observation_minutes,
    Infusion.discharged_at,
)


#: The key of a course, and of its infusion once it has started: where something recorded belongs.
Place = tuple[int, int | None]


class Running(NamedTuple):
    """An infusion that was started and is not, or was just, signed out."""

    infusion: uuid.UUID
    patient_id: int
    patient: uuid.UUID
    family_name: str
    given_name: str
    birth_date: date
    mrn: str
    infusion_id: int
    course_id: int
    course_number: int
    day_number: int
    planned_days: int
    chair: str | None
    nurse_name: str | None
    infused_on: date
    started_at: datetime
    planned_minutes: int | None
    ended_at: datetime | None
    observation_minutes: int
    discharged_at: datetime | None

    @property
    def observed_until(self) -> datetime | None:
        """When the observation is over, or None while the infusion runs."""
        return observation_ends_at(self.ended_at, self.observation_minutes) if self.ended_at else None

    @property
    def place(self) -> Place:
        """Where its parts belong."""
        return self.course_id, self.infusion_id

    @property
    def forgotten_from(self) -> datetime:
        """From when somebody who is still not signed out on a later day counts as forgotten."""
        return (self.observed_until or self.started_at + LONGEST_INFUSION) + SIGNING_OUT


class Expected(NamedTuple):
    """A patient whose infusion is planned for a day."""

    patient_id: int
    patient: uuid.UUID
    family_name: str
    given_name: str
    birth_date: date
    mrn: str
    protocol_id: str
    course_id: int
    course: uuid.UUID
    course_number: int
    day_number: int
    planned_days: int
    expected_on: date

    @property
    def place(self) -> Place:
        """Where what is recorded before the start belongs."""
        return self.course_id, None


@dataclass(frozen=True, slots=True)
class Suite:
    """The board. Each list has the earliest end first; nobody leaves it without a signature."""

    planned: tuple[Expected, ...]
    infusing: tuple[Running, ...]
    observing: tuple[Running, ...]
    observed: tuple[Running, ...]
    never_signed_out: tuple[Running, ...]
    discharged: tuple[Running, ...]

    @property
    def started(self) -> tuple[Running, ...]:
        """Everybody whose infusion has started."""
        return self.never_signed_out + self.observed + self.observing + self.infusing + self.discharged

    @property
    def patient_ids(self) -> list[int]:
        """Everybody on the board, for the access log."""
        return sorted({row.patient_id for rows in (self.planned, self.started) for row in rows})

    @property
    def present(self) -> int:
        """How many are in the suite now."""
        return len(self.infusing) + len(self.observing) + len(self.observed)

    @property
    def next_out_at(self) -> datetime | None:
        """When the next observation is over."""
        ends = [row.observed_until for row in self.observing if row.observed_until is not None]
        return min(ends, default=None)


def suite(scope: Scope) -> Suite:
    """The board of the clinic's today, in two statements."""
    rows = _running(scope)
    open_rows = [row for row in rows if row.discharged_at is None]
    old = [row for row in open_rows if _is_old(scope, row)]
    today = [row for row in open_rows if not _is_old(scope, row)]
    ended = sorted(
        (row for row in today if row.observed_until is not None), key=lambda row: row.observed_until or scope.now
    )
    here = {row.patient_id for row in rows if row.infused_on == scope.today} | {row.patient_id for row in today}
    return Suite(
        planned=tuple(row for row in _expected(scope) if row.patient_id not in here),
        infusing=tuple(row for row in today if row.ended_at is None),
        observing=tuple(row for row in ended if (row.observed_until or scope.now) > scope.now),
        observed=tuple(row for row in ended if (row.observed_until or scope.now) <= scope.now),
        never_signed_out=tuple(old),
        discharged=tuple(row for row in rows if row.discharged_at is not None),
    )


def _is_old(scope: Scope, row: Running) -> bool:
    """Started on an earlier day, and not merely running or observed past midnight."""
    if row.infused_on >= scope.today:
        return False
    return row.forgotten_from <= scope.now


def _running(scope: Scope) -> list[Running]:
    table = Infusion
    yesterday, midnight = scope.today - timedelta(days=1), datetime.combine(scope.today, time(), zone(scope.time_zone))
    statement: Any = (
        select(*RUNNING)
        .join(Patient, Patient.id == table.patient_id)
        .join(TreatmentCourse, TreatmentCourse.id == table.course_id)
        .where(
            table.clinic_id == scope.clinic_id,
            table.state == RECORDED,
            table.recorded_via != IMPORTED,
            # A day recorded after the fact without its discharge is a gap in the record, not a patient in a chair.
            or_(
                table.is_back_entry.is_(False) & table.discharged_at.is_(None),
                table.infused_on == scope.today,
                (table.infused_on == yesterday) & (table.discharged_at >= midnight),
            ),
        )
        .order_by(table.started_at)
    )
    return [Running(*row) for row in db.session.execute(statement)]


def _expected(scope: Scope) -> list[Expected]:
    """Courses with days left for which a chair is booked today, or whose next day is today, or was in the last days and
    did not take place.
    """
    course = TreatmentCourse
    booked = exists().where(
        ChairBooking.course_id == course.id,
        ChairBooking.booked_on == scope.today,
        ChairBooking.cancelled_at.is_(None),
    )
    given = (
        select(
            Infusion.course_id,
            func.count().label("days"),
            func.max(Infusion.day_number).label("last_day"),
            func.max(Infusion.infused_on).label("last_on"),
        )
        .where(Infusion.clinic_id == scope.clinic_id, Infusion.state == RECORDED)
        .group_by(Infusion.course_id)
        .subquery()
    )
    earliest = scope.today - EXPECTED_FOR
    statement: Any = (
        select(*EXPECTED, given.c.last_day, course.planned_days, course.planned_start_on, given.c.last_on, booked)
        .join(Patient, Patient.id == course.patient_id)
        .outerjoin(given, given.c.course_id == course.id)
        .where(
            course.clinic_id == scope.clinic_id,
            course.discontinued_on.is_(None),
            Patient.merged_into_id.is_(None),
            func.coalesce(given.c.days, 0) < course.planned_days,
            or_(booked, func.coalesce(given.c.last_on, course.planned_start_on).between(earliest, scope.today)),
        )
        .order_by(Patient.family_name, Patient.given_name, Patient.id)
    )
    found = (_as_expected(scope, *row) for row in db.session.execute(statement))
    return [row for row in found if row.expected_on <= scope.today]


def _as_expected(scope: Scope, *columns: Any) -> Expected:
    """The last five columns say how far the course is; the next day follows the last one given, or is booked today."""
    *who, last_day, planned_days, planned_on, last_on, booked = columns
    expected_on = last_on + timedelta(days=1) if last_on else planned_on
    if booked and last_on != scope.today:
        expected_on = scope.today
    return Expected._make((*who, min((last_day or 0) + 1, planned_days), planned_days, expected_on))

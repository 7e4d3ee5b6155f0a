"""The list of the clinic's patients: groups, pages by name, and the search by name, MRN, REMS id or birth date."""

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, tuple_
from sqlalchemy.orm import aliased

from clinic_tracker.domain.duplicates import plain
from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.local_time import parse_date
from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.access import Prescriber
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Enrollment, Patient
from clinic_tracker.models.schedule import PatientSchedule
from clinic_tracker.models.treatment import Infusion, TreatmentCourse
from clinic_tracker.queries.scope import Scope

PAGE = 50
_MOST_WORDS = 6
_WORD = re.compile(r"[^\s-]+")


class Group(StrEnum):
    """Which patients a list shows."""

    WAITING = "waiting"
    MONITORED = "monitored"
    ENDED_OPEN = "ended_open"
    CLOSED = "closed"
    NOT_ENROLLED = "not_enrolled"
    NO_PRESCRIBER = "no_prescriber"


@dataclass(frozen=True, slots=True)
class PatientFilter:
    """What a list is narrowed to. ``prescriber`` is a public id."""

    group: Group | None = None
    prescriber: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class ListedPatient:
    """A row of the list. ``given_course`` is the highest course with an infusion."""

    id: int
    public_id: uuid.UUID
    family_name: str
    given_name: str
    birth_date: date
    mrn: str
    rems_patient_id: str | None
    prescriber_name: str | None
    prescriber_active: bool | None
    given_course: int | None
    last_infusion_on: date | None
    monitoring_ends_on: date | None
    monitoring_closed_on: date | None
    earliest_due_on: date | None
    enrolled_on: date | None
    merged_into: uuid.UUID | None


@dataclass(frozen=True, slots=True)
class PatientPage:
    """One page of the list; ``next_after`` continues it, None at its end."""

    rows: list[ListedPatient]
    total: int
    next_after: uuid.UUID | None


def list_patients(
    scope: Scope, wanted: PatientFilter | None = None, after: uuid.UUID | None = None, limit: int = PAGE
) -> PatientPage:
    """A page of the patients of the clinic by name, after the patient named (an unknown one starts at the top)."""
    conditions = _conditions(scope, wanted or PatientFilter())
    total = db.session.execute(
        select(func.count(Patient.id))
        .outerjoin(PatientSchedule, PatientSchedule.patient_id == Patient.id)
        .where(*conditions)
    ).scalar_one()
    statement = _rows().where(*conditions).order_by(Patient.family_name, Patient.given_name, Patient.id)
    place = _place_of(scope, after) if after is not None else None
    if place is not None:
        statement = statement.where(tuple_(Patient.family_name, Patient.given_name, Patient.id) > place)
    rows = [ListedPatient(*row) for row in db.session.execute(statement.limit(limit + 1))]
    more = len(rows) > limit
    return PatientPage(rows[:limit], total, rows[limit - 1].public_id if more else None)


def search_patients(scope: Scope, text: str, limit: int = PAGE) -> list[ListedPatient]:
    """Charts where every word begins a name, an MRN or a REMS id, or that have this birth date; by name.

    Charts merged into another one are found by their own number only. Nothing for an empty text.
    """
    words = text.replace(",", " ").split()[:_MOST_WORDS]
    if not words:
        return []
    born = _birth_date(scope, text)
    named = Patient.id.in_(_alike(scope, words, limit))
    numbered = or_(*(func.lower(column) == text.strip().lower() for column in (Patient.mrn, Patient.rems_patient_id)))
    wanted = or_(named, numbered)
    if born is not None:
        wanted = or_(wanted, and_(Patient.merged_into_id.is_(None), Patient.birth_date == born))
    rows = db.session.execute(
        _rows()
        .where(Patient.clinic_id == scope.clinic_id, wanted)
        .order_by(Patient.family_name, Patient.given_name, Patient.id)
        .limit(limit)
    )
    return [ListedPatient(*row) for row in rows]


def _rows() -> Select[Any]:
    survivor = aliased(Patient)
    return (
        select(
            Patient.id,
            Patient.public_id,
            Patient.family_name,
            Patient.given_name,
            Patient.birth_date,
            Patient.mrn,
            Patient.rems_patient_id,
            Prescriber.name,
            Prescriber.is_active,
            _given_course(),
            PatientSchedule.last_infusion_on,
            PatientSchedule.monitoring_ends_on,
            PatientSchedule.monitoring_closed_on,
            PatientSchedule.earliest_due_on,
            select(Enrollment.enrolled_on).where(_current_enrollment()).correlate(Patient).scalar_subquery(),
            survivor.public_id,
        )
        .select_from(Patient)
        .outerjoin(Prescriber, Prescriber.id == Patient.prescriber_id)
        .outerjoin(PatientSchedule, PatientSchedule.patient_id == Patient.id)
        .outerjoin(survivor, survivor.id == Patient.merged_into_id)
    )


def _conditions(scope: Scope, wanted: PatientFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [Patient.clinic_id == scope.clinic_id, Patient.merged_into_id.is_(None)]
    if wanted.group is not None:
        conditions.append(_GROUPS[wanted.group](scope))
    if wanted.prescriber is not None:
        mine = select(Prescriber.id).where(
            Prescriber.public_id == wanted.prescriber, Prescriber.clinic_id == scope.clinic_id
        )
        conditions.append(Patient.prescriber_id == mine.scalar_subquery())
    return conditions


def _place_of(scope: Scope, after: uuid.UUID) -> tuple[str, str, int] | None:
    row = db.session.execute(
        select(Patient.family_name, Patient.given_name, Patient.id).where(
            Patient.public_id == after, Patient.clinic_id == scope.clinic_id
        )
    ).one_or_none()
    return (row.family_name, row.given_name, row.id) if row is not None else None


def _alike(scope: Scope, words: list[str], limit: int) -> list[int]:
    """The first charts, by name, where every word begins a word of the name, the MRN or the REMS id.

    Case, accents and apostrophes do not count. Databases fold them differently or not at all, so the names of the
    clinic are compared here.
    """
    wanted = [plain(word) for word in words]
    if not all(wanted):
        return []
    rows = db.session.execute(
        select(Patient.id, Patient.family_name, Patient.given_name, Patient.mrn, Patient.rems_patient_id)
        .where(Patient.clinic_id == scope.clinic_id, Patient.merged_into_id.is_(None))
        .order_by(Patient.family_name, Patient.given_name, Patient.id)
    )
    found = []
    for key, family, given, *numbers in rows:
        names = f"{family} {given}"
        parts = (*names.split(), *_WORD.findall(names), *(number or "" for number in numbers))
        known = [plain(part) for part in parts]
        if all(any(part.startswith(word) for part in known) for word in wanted):
            found.append(key)
    return found[:limit]


def _birth_date(scope: Scope, text: str) -> date | None:
    if not any(letter.isdigit() for letter in text):
        return None
    try:
        return parse_date(text, scope.today)
    except RuleViolation:
        return None


def _given_course() -> Any:
    return (
        select(func.max(TreatmentCourse.number))
        .join(Infusion, and_(Infusion.course_id == TreatmentCourse.id, Infusion.state == FactState.RECORDED.value))
        .where(TreatmentCourse.patient_id == Patient.id)
        .correlate(Patient)
        .scalar_subquery()
    )


def _current_enrollment() -> ColumnElement[bool]:
    return and_(
        Enrollment.patient_id == Patient.id,
        Enrollment.state == FactState.RECORDED.value,
        Enrollment.ended_on.is_(None),
    )


def _enrolled() -> ColumnElement[bool]:
    return select(Enrollment.id).where(_current_enrollment()).correlate(Patient).exists()


def _prescriber_at_work() -> ColumnElement[bool]:
    worker = aliased(Prescriber)
    return select(worker.id).where(worker.id == Patient.prescriber_id, worker.is_active).correlate(Patient).exists()


def _treated() -> ColumnElement[bool]:
    return PatientSchedule.first_infusion_on.is_not(None)


def _open() -> ColumnElement[bool]:
    return and_(_treated(), PatientSchedule.monitoring_closed_on.is_(None))


_GROUPS: dict[Group, Callable[[Scope], ColumnElement[bool]]] = {
    Group.WAITING: lambda _scope: PatientSchedule.first_infusion_on.is_(None),
    Group.MONITORED: lambda scope: and_(_open(), PatientSchedule.monitoring_ends_on >= scope.today),
    Group.ENDED_OPEN: lambda scope: and_(_open(), PatientSchedule.monitoring_ends_on < scope.today),
    Group.CLOSED: lambda _scope: PatientSchedule.monitoring_closed_on.is_not(None),
    Group.NOT_ENROLLED: lambda _scope: ~_enrolled(),
    Group.NO_PRESCRIBER: lambda _scope: ~_prescriber_at_work(),
}

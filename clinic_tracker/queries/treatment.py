"""The treatment of one patient: courses, authorizations, infusions, prophylaxis, deviations; corrections too."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import aliased

from clinic_tracker.domain.dosing import InfusionDay, Regimen
from clinic_tracker.domain.errors import NotFound
from clinic_tracker.domain.vocabulary import CourseState
from clinic_tracker.models.access import Prescriber, User
from clinic_tracker.models.base import db
from clinic_tracker.models.treatment import Authorization, Deviation, Infusion, Prophylaxis, TreatmentCourse
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.settings import protocol_in_force
from clinic_tracker.queries.treatment_rows import (
    AuthorizationRow,
    CourseRow,
    DeviationRow,
    InfusionRow,
    PrescriberChoice,
    ProphylaxisRow,
)

Row = TypeVar("Row", bound=tuple[Any, ...])


@dataclass(frozen=True, slots=True)
class Treatment:
    """Everything about the treatment of one patient, courses and facts in order."""

    courses: tuple[CourseRow, ...]
    authorizations: tuple[AuthorizationRow, ...]
    infusions: tuple[InfusionRow, ...]
    prophylaxis: tuple[ProphylaxisRow, ...]
    deviations: tuple[DeviationRow, ...]

    def course(self, course_id: int) -> CourseRow:
        """The course with this key."""
        return next(course for course in self.courses if course.id == course_id)

    def given(self, course_id: int) -> tuple[InfusionRow, ...]:
        """The infusions of a course that stand, by day."""
        return tuple(
            sorted(
                (row for row in self.infusions if row.course_id == course_id and row.stands),
                key=lambda row: (row.infused_on, row.day_number),
            )
        )

    def authorization(self, course_id: int) -> AuthorizationRow | None:
        """The authorization of a course that stands, or None."""
        return next((row for row in self.authorizations if row.course_id == course_id and row.stands), None)

    @property
    def days(self) -> tuple[InfusionDay, ...]:
        """All infusions that stand, as the dosing rules want them."""
        numbers = {course.id: course.number for course in self.courses}
        return tuple(
            InfusionDay(numbers[row.course_id], row.day_number, row.infused_on) for row in self.infusions if row.stands
        )

    def state(self, course: CourseRow) -> CourseState:
        """Where a course stands: from its infusions and its discontinuation."""
        given = len(self.given(course.id))
        if given >= course.planned_days:
            return CourseState.COMPLETED
        if course.discontinued_on is not None:
            return CourseState.DISCONTINUED
        return CourseState.IN_PROGRESS if given else CourseState.PLANNED


def treatment_of(scope: Scope, patient_id: int) -> Treatment:
    """The treatment of one patient of this clinic, withdrawn and corrected facts included."""
    return Treatment(
        courses=_courses(scope, patient_id),
        authorizations=_authorizations(scope, patient_id),
        infusions=_infusions(scope, patient_id),
        prophylaxis=_prophylaxis(scope, patient_id),
        deviations=_deviations(scope, patient_id),
    )


def find_course(scope: Scope, patient_id: int, course: uuid.UUID) -> CourseRow:
    """One course of this patient; NotFound otherwise."""
    for row in _courses(scope, patient_id):
        if row.public_id == course:
            return row
    raise NotFound("course")


def prescriber_choices(scope: Scope) -> list[PrescriberChoice]:
    """The active prescribers of the clinic, by name."""
    rows = db.session.execute(
        select(
            Prescriber.id,
            Prescriber.public_id,
            Prescriber.name,
            Prescriber.certified_on,
            Prescriber.certification_ends_on,
            Prescriber.user_id,
        )
        .where(Prescriber.clinic_id == scope.clinic_id, Prescriber.is_active)
        .order_by(Prescriber.name)
    )
    return [PrescriberChoice(*row) for row in rows]


def regimen_of(scope: Scope, protocol_id: str) -> Regimen:
    """The dosing rules of a patient's protocol, with the clinic's settings in force today."""
    protocol = protocol_in_force(scope, protocol_id)
    dosing = protocol.dosing
    values: dict[str, float] = {name: setting.value for name, setting in protocol.settings.items()}
    values |= {
        "course_days_first": dosing.first_course_days,
        "course_days_further": dosing.later_course_days,
        "dose_mg": float(dosing.dose_mg),
    }
    return Regimen.from_settings(values)


def _named(model: Any, row: type[Row], **others: Any) -> list[Any]:
    """The columns that a NamedTuple of rows asks for: those given by name, or the model's own."""
    return [others[name] if name in others else getattr(model, name) for name in row._fields]  # type: ignore[attr-defined]


def _all(scope: Scope, patient_id: int, model: Any) -> ColumnElement[bool]:
    condition: ColumnElement[bool] = (model.clinic_id == scope.clinic_id) & (model.patient_id == patient_id)
    return condition


def _courses(scope: Scope, patient_id: int) -> tuple[CourseRow, ...]:
    columns = _named(
        TreatmentCourse,
        CourseRow,
        prescriber_public_id=Prescriber.public_id,
        prescriber_name=Prescriber.name,
        planned_by=User.name,
    )
    statement = (
        select(*columns)
        .outerjoin(Prescriber, Prescriber.id == TreatmentCourse.prescriber_id)
        .outerjoin(User, User.id == TreatmentCourse.planned_by_id)
        .where(_all(scope, patient_id, TreatmentCourse))
        .order_by(TreatmentCourse.number)
    )
    return tuple(CourseRow(*row) for row in db.session.execute(statement))


def _people(statement: Any, model: Any, people: Sequence[tuple[Any, str]]) -> Any:
    for alias, column in people:
        statement = statement.outerjoin(alias, alias.id == getattr(model, column))
    return statement


def _authorizations(scope: Scope, patient_id: int) -> tuple[AuthorizationRow, ...]:
    recorder, ender, verifier = aliased(User), aliased(User), aliased(User)
    columns = _named(
        Authorization,
        AuthorizationRow,
        prescriber_name=Prescriber.name,
        recorded_by=recorder.name,
        withdrawn_by=ender.name,
        verified_by=verifier.name,
    )
    statement = select(*columns).join(Prescriber, Prescriber.id == Authorization.prescriber_id)
    people = ((recorder, "recorded_by_id"), (ender, "withdrawn_by_id"), (verifier, "verified_by_id"))
    statement = _people(statement, Authorization, people)
    statement = statement.where(_all(scope, patient_id, Authorization)).order_by(Authorization.id)
    return tuple(AuthorizationRow(*row) for row in db.session.execute(statement))


def _infusions(scope: Scope, patient_id: int) -> tuple[InfusionRow, ...]:
    recorder, ender, discharger = aliased(User), aliased(User), aliased(User)
    columns = _named(
        Infusion, InfusionRow, recorded_by=recorder.name, withdrawn_by=ender.name, discharged_by=discharger.name
    )
    people = ((recorder, "recorded_by_id"), (ender, "withdrawn_by_id"), (discharger, "discharged_by_id"))
    statement = _people(select(*columns), Infusion, people)
    statement = statement.where(_all(scope, patient_id, Infusion)).order_by(Infusion.infused_on, Infusion.id)
    return tuple(InfusionRow(*row) for row in db.session.execute(statement))


def _prophylaxis(scope: Scope, patient_id: int) -> tuple[ProphylaxisRow, ...]:
    recorder, ender, stopper = aliased(User), aliased(User), aliased(User)
    columns = _named(
        Prophylaxis, ProphylaxisRow, recorded_by=recorder.name, withdrawn_by=ender.name, stopped_by=stopper.name
    )
    people = ((recorder, "recorded_by_id"), (ender, "withdrawn_by_id"), (stopper, "stopped_by_id"))
    statement = _people(select(*columns), Prophylaxis, people)
    statement = statement.where(_all(scope, patient_id, Prophylaxis)).order_by(Prophylaxis.started_on, Prophylaxis.id)
    return tuple(ProphylaxisRow(*row) for row in db.session.execute(statement))


def _deviations(scope: Scope, patient_id: int) -> tuple[DeviationRow, ...]:
    statement = (
        select(*_named(Deviation, DeviationRow, recorded_by=User.name))
        .outerjoin(User, User.id == Deviation.recorded_by_id)
        .where(_all(scope, patient_id, Deviation), Deviation.withdrawn_at.is_(None))
        .order_by(Deviation.occurred_on, Deviation.id)
    )
    return tuple(DeviationRow(*row) for row in db.session.execute(statement))

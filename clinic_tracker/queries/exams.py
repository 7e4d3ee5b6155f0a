"""Exams, screenings and vaccinations of a patient, withdrawn ones too."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from clinic_tracker.domain.errors import NotFound
from clinic_tracker.domain.vocabulary import FactState
from clinic_tracker.models.access import User
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import Exam, Vaccination
from clinic_tracker.models.schedule import Standing
from clinic_tracker.models.treatment import Infusion, TreatmentCourse
from clinic_tracker.queries.exam_rows import Attribution, ExamReview, ExamRow
from clinic_tracker.queries.scope import Scope

RECORDED = FactState.RECORDED.value


@dataclass(frozen=True, slots=True)
class VaccinationRow:
    """A dose of a vaccine on record."""

    id: int
    public_id: uuid.UUID
    vaccine: str
    given_on: date
    is_live: bool
    is_varicella: bool
    dose_label: str | None
    note: str | None
    replaces_id: int | None
    entry: Attribution


@dataclass(frozen=True, slots=True)
class OwedExam:
    """What is owed next of an exam that the protocol asks for."""

    requirement: str
    opens_on: date | None
    next_due_on: date | None
    last_done_on: date | None


def exams_of(scope: Scope, patient_id: int) -> list[ExamRow]:
    """All exams of a patient, newest first; corrected ones and those entered in error too."""
    rows = db.session.execute(
        _exams(scope).where(Exam.patient_id == patient_id).order_by(Exam.performed_on.desc(), Exam.id.desc())
    )
    return [_exam_row(row) for row in rows]


def vaccinations_of(scope: Scope, patient_id: int) -> list[VaccinationRow]:
    """All doses of a patient, newest first; corrected ones and those entered in error too."""
    rows = db.session.execute(
        _facts(scope, Vaccination, _DOSE)
        .where(Vaccination.patient_id == patient_id)
        .order_by(Vaccination.given_on.desc(), Vaccination.id.desc())
    )
    return [_vaccination_row(row) for row in rows]


def find_exam(scope: Scope, patient_id: int, exam: uuid.UUID) -> ExamRow:
    """One exam of this patient, in whatever state; NotFound otherwise."""
    row = db.session.execute(_exams(scope).where(Exam.patient_id == patient_id, Exam.public_id == exam)).one_or_none()
    if row is None:
        raise NotFound("exam")
    return _exam_row(tuple(row))


def find_vaccination(scope: Scope, patient_id: int, vaccination: uuid.UUID) -> VaccinationRow:
    """One dose of this patient, in whatever state; NotFound otherwise."""
    row = db.session.execute(
        _facts(scope, Vaccination, _DOSE).where(
            Vaccination.patient_id == patient_id, Vaccination.public_id == vaccination
        )
    ).one_or_none()
    if row is None:
        raise NotFound("vaccination")
    return _vaccination_row(tuple(row))


def exams_by_key(scope: Scope, exams: Collection[int]) -> list[ExamRow]:
    """These exams of the clinic, in the order of their keys."""
    rows = db.session.execute(_exams(scope).where(Exam.id.in_(exams)).order_by(Exam.id))
    return [_exam_row(row) for row in rows]


def replacement_of_exam(scope: Scope, exam: int) -> uuid.UUID | None:
    """The exam that took the place of one that was corrected."""
    return db.session.execute(
        select(Exam.public_id).where(Exam.clinic_id == scope.clinic_id, Exam.replaces_id == exam)
    ).scalar_one_or_none()


def owed_exams(scope: Scope, patient_id: int, requirements: tuple[str, ...]) -> dict[str, OwedExam]:
    """Where the patient stands with the exams that the protocol asks for, by requirement."""
    rows = db.session.execute(
        select(Standing.requirement, Standing.opens_on, Standing.next_due_on, Standing.last_done_on).where(
            Standing.clinic_id == scope.clinic_id,
            Standing.patient_id == patient_id,
            Standing.requirement.in_(requirements),
        )
    )
    return {row.requirement: OwedExam(*row) for row in rows}


def treatment_dates(scope: Scope, patient_id: int) -> tuple[date | None, date | None]:
    """The day of the first infusion, and the planned start of the next course that was not begun."""
    first = db.session.execute(
        select(func.min(Infusion.infused_on)).where(
            Infusion.clinic_id == scope.clinic_id, Infusion.patient_id == patient_id, Infusion.state == RECORDED
        )
    ).scalar_one()
    begun = select(Infusion.id).where(Infusion.course_id == TreatmentCourse.id, Infusion.state == RECORDED).exists()
    planned = db.session.execute(
        select(func.min(TreatmentCourse.planned_start_on)).where(
            TreatmentCourse.clinic_id == scope.clinic_id,
            TreatmentCourse.patient_id == patient_id,
            TreatmentCourse.discontinued_on.is_(None),
            ~begun,
        )
    ).scalar_one()
    return first, planned


_Reviewer = aliased(User)
_EXAM = (Exam.kind, Exam.performed_on, Exam.outcome, Exam.examiner, Exam.method, Exam.note)
_REVIEW = (
    Exam.patient_id,
    Exam.worst_level,
    Exam.inbound_result_id,
    Exam.reviewed_at,
    _Reviewer.name,
    Exam.review_note,
)
_DOSE = (
    Vaccination.vaccine,
    Vaccination.given_on,
    Vaccination.is_live,
    Vaccination.is_varicella,
    Vaccination.dose_label,
    Vaccination.note,
)


def _facts(scope: Scope, model: Any, columns: tuple[Any, ...]) -> Any:
    """The columns of a fact with its attribution."""
    author, ender = aliased(User), aliased(User)
    return (
        select(
            model.id,
            model.public_id,
            *columns,
            model.replaces_id,
            model.state,
            author.name,
            model.recorded_at,
            model.recorded_via,
            ender.name,
            model.withdrawn_at,
            model.withdrawn_reason,
        )
        .outerjoin(author, author.id == model.recorded_by_id)
        .outerjoin(ender, ender.id == model.withdrawn_by_id)
        .where(model.clinic_id == scope.clinic_id)
    )


def _exams(scope: Scope) -> Any:
    """The columns of an exam with its attribution and its review."""
    facts = _facts(scope, Exam, _EXAM).add_columns(*_REVIEW)
    return facts.outerjoin(_Reviewer, _Reviewer.id == Exam.reviewed_by_id)


def _exam_row(row: tuple[Any, ...]) -> ExamRow:
    fields: tuple[Any, ...] = (*row[:9], Attribution(*row[9:16]), ExamReview(*row[16:]))
    return ExamRow(*fields)


def _vaccination_row(row: tuple[Any, ...]) -> VaccinationRow:
    fields: tuple[Any, ...] = (*row[:9], Attribution(*row[9:]))
    return VaccinationRow(*fields)

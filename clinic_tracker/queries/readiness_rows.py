"""What readiness is judged from, read for many patients and days in one statement each."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Select, func, or_, select

from clinic_tracker.domain.baseline import ExamDone, LabDraw, VaccineDose
from clinic_tracker.domain.dosing import InfusionDay
from clinic_tracker.domain.readiness_facts import Answers, Span
from clinic_tracker.domain.vocabulary import ExamKind, FactState, Panel, PremedicationKind, ResultStatus
from clinic_tracker.models.access import FacilityCertification, Prescriber
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import Exam, LabReport, Vaccination
from clinic_tracker.models.patients import Enrollment, Patient
from clinic_tracker.models.treatment import (
    Authorization,
    DrugCheck,
    Infusion,
    Premedication,
    Prophylaxis,
    TreatmentCourse,
    VitalSigns,
)
from clinic_tracker.queries.scope import Scope

Fact = TypeVar("Fact")

RECORDED = FactState.RECORDED.value
EVIDENCE = (ResultStatus.FINAL.value, ResultStatus.CORRECTED.value)
VARICELLA = "vzv"


class CourseFacts(NamedTuple):
    """A course with its patient, its prescriber's certification and the authorization that stands."""

    id: int
    patient_id: int
    number: int
    planned_days: int
    planned_start_on: date | None
    discontinued_on: date | None
    birth_date: date
    sex_at_birth: str
    protocol_id: str
    prescriber_id: int | None
    certified_on: date | None
    certification_ends_on: date | None
    authorized_on: date | None
    expires_on: date | None
    verified_on: date | None


class GivenDay(NamedTuple):
    """An infusion that stands, with what was confirmed before it."""

    course_id: int
    day: InfusionDay
    started_at: datetime
    answers: Answers


class DayRecords(NamedTuple):
    """What was recorded for the days of courses, by course and day."""

    steroids: dict[tuple[int, date], datetime]
    vitals: dict[tuple[int, date], datetime]
    drug_checks: dict[tuple[int, date], int]


def course_facts(scope: Scope, course_ids: Iterable[int]) -> dict[int, CourseFacts]:
    """The courses of this clinic with these keys."""
    statement: Any = (
        select(
            TreatmentCourse.id,
            TreatmentCourse.patient_id,
            TreatmentCourse.number,
            TreatmentCourse.planned_days,
            TreatmentCourse.planned_start_on,
            TreatmentCourse.discontinued_on,
            Patient.birth_date,
            Patient.sex_at_birth,
            Patient.protocol_id,
            TreatmentCourse.prescriber_id,
            Prescriber.certified_on,
            Prescriber.certification_ends_on,
            Authorization.authorized_on,
            Authorization.expires_on,
            Authorization.verified_on,
        )
        .join(Patient, Patient.id == TreatmentCourse.patient_id)
        .outerjoin(Prescriber, Prescriber.id == TreatmentCourse.prescriber_id)
        .outerjoin(Authorization, (Authorization.course_id == TreatmentCourse.id) & (Authorization.state == RECORDED))
        .where(TreatmentCourse.clinic_id == scope.clinic_id, TreatmentCourse.id.in_(sorted(set(course_ids))))
    )
    return {row[0]: CourseFacts(*row) for row in db.session.execute(statement)}


def facility_certifications(scope: Scope) -> tuple[Span, ...]:
    """The certifications of the clinic as a healthcare facility."""
    rows = db.session.execute(
        select(FacilityCertification.certified_on, FacilityCertification.ends_on).where(
            FacilityCertification.clinic_id == scope.clinic_id, FacilityCertification.withdrawn_at.is_(None)
        )
    )
    return tuple(Span(*row) for row in rows)


def enrollments(scope: Scope, patient_ids: Iterable[int]) -> dict[int, tuple[Span, ...]]:
    """When each patient was enrolled, in order."""
    rows = _standing(scope, Enrollment, patient_ids, Enrollment.enrolled_on, Enrollment.ended_on)
    return _by_patient((patient, Span(*span)) for patient, *span in rows.order_by_date(Enrollment.enrolled_on))


def antivirals(scope: Scope, patient_ids: Iterable[int]) -> dict[int, tuple[Span, ...]]:
    """When each patient took an antiviral."""
    rows = _standing(scope, Prophylaxis, patient_ids, Prophylaxis.started_on, Prophylaxis.stopped_on)
    return _by_patient((patient, Span(*span)) for patient, *span in rows.order_by_date(Prophylaxis.started_on))


def lab_draws(scope: Scope, patient_ids: Iterable[int]) -> dict[int, tuple[LabDraw, ...]]:
    """The panels that were collected, in order of date."""
    table = LabReport
    columns = (
        table.panel,
        table.collected_on,
        table.result_status,
        table.is_complete,
        table.missing,
        table.reviewed_at,
    )
    rows = _standing(scope, table, patient_ids, *columns).order_by_date(table.collected_on)
    return _by_patient(
        (patient, LabDraw(Panel(panel), on, status in EVIDENCE and complete, missing or "", reviewed_at))
        for patient, panel, on, status, complete, missing, reviewed_at in rows
    )


def exams_done(scope: Scope, patient_ids: Iterable[int]) -> dict[int, tuple[ExamDone, ...]]:
    """The examinations and screenings, in order of date."""
    rows = _standing(scope, Exam, patient_ids, Exam.kind, Exam.performed_on, Exam.outcome)
    return _by_patient(
        (patient, ExamDone(ExamKind(kind), on, outcome.lower()))
        for patient, kind, on, outcome in rows.order_by_date(Exam.performed_on)
    )


def vaccine_doses(scope: Scope, patient_ids: Iterable[int]) -> dict[int, tuple[VaccineDose, ...]]:
    """The doses of vaccines, in order of date."""
    table = Vaccination
    rows = _standing(scope, table, patient_ids, table.vaccine, table.is_varicella, table.given_on)
    return _by_patient(
        (patient, VaccineDose(VARICELLA if varicella else vaccine, on))
        for patient, vaccine, varicella, on in rows.order_by_date(table.given_on)
    )


def given_days(
    scope: Scope, patient_ids: Iterable[int], excluding: int | None = None
) -> dict[int, tuple[GivenDay, ...]]:
    """The infusions that stand, without the one that is being corrected."""
    table = Infusion
    statement: Any = (
        select(
            table.patient_id,
            table.course_id,
            TreatmentCourse.number,
            table.day_number,
            table.infused_on,
            table.started_at,
            table.infection_excluded,
            table.contraindications_excluded,
            table.pregnancy_excluded,
            table.equipment_ready,
        )
        .join(TreatmentCourse, TreatmentCourse.id == table.course_id)
        .where(
            table.clinic_id == scope.clinic_id,
            table.patient_id.in_(sorted(set(patient_ids))),
            table.state == RECORDED,
            table.id != (excluding or 0),
        )
        .order_by(table.infused_on)
    )
    return _by_patient(
        (patient, GivenDay(course, InfusionDay(number, day, on), started_at, Answers(*answers)))
        for patient, course, number, day, on, started_at, *answers in db.session.execute(statement)
    )


def day_records(scope: Scope, course_ids: Iterable[int], days: Iterable[date]) -> DayRecords:
    """The steroid, the first vital signs and the checks of the drug that were recorded for days of courses.

    What belongs to an infusion that was entered in error counts for no other one.
    """
    keys, dates = sorted(set(course_ids)), sorted(set(days))

    def of_days(table: Any, figure: Any, *conditions: Any) -> dict[tuple[int, date], Any]:
        rows = db.session.execute(
            select(table.course_id, table.for_on, figure)
            .outerjoin(Infusion, Infusion.id == table.infusion_id)
            .where(
                or_(table.infusion_id.is_(None), Infusion.state == RECORDED),
                table.clinic_id == scope.clinic_id,
                table.course_id.in_(keys),
                table.for_on.in_(dates),
                table.withdrawn_at.is_(None),
                *conditions,
            )
            .group_by(table.course_id, table.for_on)
        )
        return {(course, on): value for course, on, value in rows}

    over_at = func.min(func.coalesce(Premedication.ended_at, Premedication.given_at), type_=Premedication.given_at.type)
    return DayRecords(
        steroids=of_days(Premedication, over_at, Premedication.kind == PremedicationKind.STEROID.value),
        vitals=of_days(VitalSigns, func.min(VitalSigns.taken_at)),
        drug_checks=of_days(DrugCheck, func.count(DrugCheck.checked_by_id.distinct())),
    )


class _Standing:
    """The facts of a table that stand, of some patients: patient, then columns."""

    def __init__(self, statement: Select[Any], table: Any) -> None:
        self._statement, self._table = statement, table

    def order_by_date(self, column: Any) -> Iterable[Any]:
        """The rows by date; those of one date as they were recorded."""
        return db.session.execute(self._statement.order_by(column, self._table.id))


def _standing(scope: Scope, table: Any, patient_ids: Iterable[int], *columns: Any) -> _Standing:
    statement = select(table.patient_id, *columns).where(
        table.clinic_id == scope.clinic_id,
        table.patient_id.in_(sorted(set(patient_ids))),
        table.state == RECORDED,
    )
    return _Standing(statement, table)


def _by_patient(rows: Iterable[tuple[int, Fact]]) -> dict[int, tuple[Fact, ...]]:
    """The facts of each patient; none for a patient without."""
    found: dict[int, list[Fact]] = defaultdict(list)
    for patient, fact in rows:
        found[patient].append(fact)
    return defaultdict(tuple, {patient: tuple(facts) for patient, facts in found.items()})

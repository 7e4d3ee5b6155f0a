"""What is on file before a course: the baseline set, certifications, enrollment and authorization, as of a date."""

from datetime import date, datetime

from sqlalchemy import func, select

from clinic_tracker.domain.baseline import (
    Baseline,
    BaselineFacts,
    BaselineSettings,
    ExamDone,
    LabDraw,
    VaccineDose,
    baseline,
)
from clinic_tracker.domain.readiness import AuthorizationFact, Blocker, ReadinessFacts, Span, blockers
from clinic_tracker.domain.vocabulary import ExamKind, FactState, Panel, ResultStatus
from clinic_tracker.models.access import FacilityCertification, Prescriber
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import Exam, LabReport, Vaccination
from clinic_tracker.models.patients import Enrollment
from clinic_tracker.models.treatment import Authorization, Infusion, TreatmentCourse
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.settings import protocol_in_force

RECORDED = FactState.RECORDED.value
EVIDENCE = (ResultStatus.FINAL.value, ResultStatus.CORRECTED.value)
VARICELLA = "vzv"


def course_baseline(
    scope: Scope, patient_id: int, protocol_id: str, course_number: int, start_on: date, as_of: date | None = None
) -> Baseline:
    """The baseline set of a course that starts on a date, judged on ``as_of`` (today by default)."""
    facts = BaselineFacts(
        course_number=course_number,
        start_on=start_on,
        as_of=as_of or scope.today,
        labs=_labs(scope, patient_id),
        exams=_exams(scope, patient_id),
        vaccines=_vaccines(scope, patient_id),
        first_started_at=_first_start(scope, patient_id, course_number),
    )
    return baseline(facts, baseline_settings(scope, protocol_id))


def baseline_settings(scope: Scope, protocol_id: str) -> BaselineSettings:
    """The checks and windows of the patient's protocol with the clinic's settings in force."""
    return BaselineSettings.from_protocol(protocol_in_force(scope, protocol_id))


def course_blockers(
    scope: Scope, patient_id: int, protocol_id: str, course_id: int, on: date, excluding: int | None = None
) -> tuple[Blocker, ...]:
    """What stands in the way of an infusion of this course on a date; empty when nothing does.

    ``excluding`` is the key of an infusion that is being corrected.
    """
    number, prescriber_id = db.session.execute(
        select(TreatmentCourse.number, TreatmentCourse.prescriber_id).where(
            TreatmentCourse.id == course_id, TreatmentCourse.clinic_id == scope.clinic_id
        )
    ).one()
    start_on = min(course_start(scope, course_id, excluding) or on, on)
    return blockers(
        ReadinessFacts(
            on=on,
            start_on=start_on,
            enrolled_on=enrolled_on(scope, patient_id, on),
            facility=facility_certifications(scope),
            prescriber=_prescriber(scope, prescriber_id),
            authorization=_authorization(scope, course_id),
            baseline=course_baseline(scope, patient_id, protocol_id, number, start_on, start_on),
            window_days=baseline_settings(scope, protocol_id).baseline_window_days,
        )
    )


def course_start(scope: Scope, course_id: int, excluding: int | None = None) -> date | None:
    """The first infusion date of a course, or None; without the infusion that is being corrected."""
    return db.session.execute(
        select(func.min(Infusion.infused_on)).where(
            Infusion.course_id == course_id,
            Infusion.clinic_id == scope.clinic_id,
            Infusion.state == RECORDED,
            Infusion.id != (excluding or 0),
        )
    ).scalar_one_or_none()


def enrolled_on(scope: Scope, patient_id: int, on: date) -> date | None:
    """The date of the enrollment that holds on a day; failing that of a later one; None if there is neither."""
    rows = db.session.execute(
        select(Enrollment.enrolled_on, Enrollment.ended_on)
        .where(
            Enrollment.clinic_id == scope.clinic_id, Enrollment.patient_id == patient_id, Enrollment.state == RECORDED
        )
        .order_by(Enrollment.enrolled_on)
    )
    spans = [Span(*row) for row in rows]
    holding = next((span.from_on for span in spans if span.covers(on)), None)
    return holding or next((span.from_on for span in spans if span.from_on and span.from_on > on), None)


def facility_certifications(scope: Scope) -> tuple[Span, ...]:
    """The certifications of the clinic as a healthcare facility."""
    rows = db.session.execute(
        select(FacilityCertification.certified_on, FacilityCertification.ends_on).where(
            FacilityCertification.clinic_id == scope.clinic_id, FacilityCertification.withdrawn_at.is_(None)
        )
    )
    return tuple(Span(*row) for row in rows)


def _prescriber(scope: Scope, prescriber_id: int | None) -> Span | None:
    row = db.session.execute(
        select(Prescriber.certified_on, Prescriber.certification_ends_on).where(
            Prescriber.id == prescriber_id, Prescriber.clinic_id == scope.clinic_id
        )
    ).one_or_none()
    return Span(row[0], row[1]) if row is not None else None


def _authorization(scope: Scope, course_id: int) -> AuthorizationFact | None:
    row = db.session.execute(
        select(Authorization.authorized_on, Authorization.expires_on, Authorization.verified_on).where(
            Authorization.course_id == course_id,
            Authorization.clinic_id == scope.clinic_id,
            Authorization.state == RECORDED,
        )
    ).one_or_none()
    return AuthorizationFact(row[0], row[1], row[2]) if row is not None else None


def _labs(scope: Scope, patient_id: int) -> tuple[LabDraw, ...]:
    table = LabReport
    rows = db.session.execute(
        select(
            table.panel, table.collected_on, table.result_status, table.is_complete, table.missing, table.reviewed_at
        )
        .where(table.clinic_id == scope.clinic_id, table.patient_id == patient_id, table.state == RECORDED)
        .order_by(table.collected_on, table.id)
    )
    return tuple(
        LabDraw(Panel(panel), on, status in EVIDENCE and complete, missing or "", reviewed_at)
        for panel, on, status, complete, missing, reviewed_at in rows
    )


def _exams(scope: Scope, patient_id: int) -> tuple[ExamDone, ...]:
    rows = db.session.execute(
        select(Exam.kind, Exam.performed_on, Exam.outcome)
        .where(Exam.clinic_id == scope.clinic_id, Exam.patient_id == patient_id, Exam.state == RECORDED)
        .order_by(Exam.performed_on, Exam.id)
    )
    return tuple(ExamDone(ExamKind(kind), on, outcome.lower()) for kind, on, outcome in rows)


def _vaccines(scope: Scope, patient_id: int) -> tuple[VaccineDose, ...]:
    table = Vaccination
    rows = db.session.execute(
        select(table.vaccine, table.is_varicella, table.given_on)
        .where(table.clinic_id == scope.clinic_id, table.patient_id == patient_id, table.state == RECORDED)
        .order_by(table.given_on, table.id)
    )
    return tuple(VaccineDose(VARICELLA if varicella else vaccine, on) for vaccine, varicella, on in rows)


def _first_start(scope: Scope, patient_id: int, course_number: int) -> datetime | None:
    return db.session.execute(
        select(func.min(Infusion.started_at))
        .join(TreatmentCourse, TreatmentCourse.id == Infusion.course_id)
        .where(
            Infusion.clinic_id == scope.clinic_id,
            Infusion.patient_id == patient_id,
            Infusion.state == RECORDED,
            TreatmentCourse.number == course_number,
        )
    ).scalar_one_or_none()

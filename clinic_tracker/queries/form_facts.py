"""What goes onto the data sheets of one patient, read in a fixed number of statements."""

from collections import defaultdict
from dataclasses import replace
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, select
from sqlalchemy.orm import aliased

from clinic_tracker.domain.baseline import Baseline, BaselineFacts, BaselineSettings, ExamDone, LabDraw, baseline
from clinic_tracker.domain.course_forms.facts import (
    CourseFacts,
    DatedEvent,
    DayFacts,
    EnrollmentFacts,
    FacilityFacts,
    FormFacts,
    PatientFacts,
    PrescriberFacts,
    SubmissionFacts,
)
from clinic_tracker.domain.errors import NotFound
from clinic_tracker.domain.vocabulary import ExamKind, FactState, FormKind, Panel, ResultStatus
from clinic_tracker.models.access import Clinic, FacilityCertification, Prescriber, User
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import Exam, FormSubmission, LabReport
from clinic_tracker.models.patients import Enrollment, Patient
from clinic_tracker.models.treatment import InfusionReaction, TreatmentCourse
from clinic_tracker.queries.form_courses import course_facts
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.settings import protocol_in_force

RECORDED = FactState.RECORDED.value
EVIDENCE = (ResultStatus.FINAL.value, ResultStatus.CORRECTED.value)
#: Outcomes of an examination that tell nothing new.
PLAIN_OUTCOMES = frozenset({"normal", "negative", "immune", "not detected", "non-reactive", "nonreactive"})
PRESCRIBER = (Prescriber.public_id, Prescriber.name, Prescriber.npi, Prescriber.rems_prescriber_id)


class _Lab(NamedTuple):
    panel: str
    collected_on: date
    result_status: str
    is_complete: bool
    missing: str | None
    reviewed_at: datetime | None
    worst_level: str | None
    findings: list[dict[str, Any]]

    @property
    def counts(self) -> bool:
        return self.result_status in EVIDENCE and self.is_complete


class _Exam(NamedTuple):
    kind: str
    on: date
    outcome: str


def form_facts(scope: Scope, patient_id: int, protocol_id: str) -> FormFacts:
    """Everything about a patient that goes onto data sheets; NotFound for one of another clinic."""
    protocol = protocol_in_force(scope, protocol_id)
    labs, exams = _labs(scope, patient_id), _exams(scope, patient_id)
    patient, facility, prescriber = _people(scope, patient_id)
    settings = BaselineSettings.from_protocol(protocol)
    return FormFacts(
        today=scope.today,
        reporter=scope.actor_name,
        steroid_days=protocol.value("steroid_days"),
        facility=facility,
        patient=patient,
        prescriber=prescriber,
        enrollment=_enrollment(scope, patient_id),
        courses=tuple(
            replace(course, baseline=_baseline(course, labs, exams, settings))
            for course in course_facts(scope, patient_id)
        ),
        submissions=_submissions(scope, patient_id),
        last_tests=_last_tests(labs, exams),
        findings=_findings(labs, exams),
        report_business_days=protocol.value("event_report_business_days"),
        holidays=protocol.holidays,
    )


def _people(scope: Scope, patient_id: int) -> tuple[PatientFacts, FacilityFacts, PrescriberFacts | None]:
    fields = [getattr(Patient, name) for name in PatientFacts._fields]
    row = db.session.execute(
        select(*fields, Clinic.name, Clinic.time_zone, Clinic.rems_facility_id, Clinic.phone, *PRESCRIBER)
        .join(Clinic, Clinic.id == Patient.clinic_id)
        .outerjoin(Prescriber, Prescriber.id == Patient.prescriber_id)
        .where(Patient.id == patient_id, Patient.clinic_id == scope.clinic_id)
    ).one_or_none()
    if row is None:
        raise NotFound("patient")
    values, known = tuple(row), len(fields)
    prescriber = PrescriberFacts(*values[known + 4 :]) if values[known + 4] is not None else None
    facility: tuple[Any, ...] = (*values[known : known + 4], *_certified(scope))
    return PatientFacts(*values[:known]), FacilityFacts(*facility), prescriber


def _certified(scope: Scope) -> tuple[str | None, date | None, date | None]:
    """The certification in force, else the newest one: representative, training, date."""
    table = FacilityCertification
    row = db.session.execute(
        select(table.representative_name, table.representative_trained_on, table.certified_on)
        .where(table.clinic_id == scope.clinic_id, table.withdrawn_at.is_(None), table.certified_on <= scope.today)
        .order_by(table.certified_on.desc(), table.id.desc())
        .limit(1)
    ).one_or_none()
    return (row[0], row[1], row[2]) if row is not None else (None, None, None)


def _enrollment(scope: Scope, patient_id: int) -> EnrollmentFacts | None:
    """The enrollment that holds, else the latest one."""
    names = EnrollmentFacts._fields[1:]
    row = db.session.execute(
        select(*PRESCRIBER, *(getattr(Enrollment, name) for name in names))
        .join(Prescriber, Prescriber.id == Enrollment.prescriber_id)
        .where(
            Enrollment.clinic_id == scope.clinic_id, Enrollment.patient_id == patient_id, Enrollment.state == RECORDED
        )
        .order_by(Enrollment.ended_on.is_(None).desc(), Enrollment.enrolled_on.desc(), Enrollment.id.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    values = tuple(row)
    return EnrollmentFacts(PrescriberFacts(*values[:4]), *values[4:])


def _labs(scope: Scope, patient_id: int) -> list[_Lab]:
    rows = db.session.execute(
        select(*(getattr(LabReport, name) for name in _Lab._fields))
        .where(LabReport.clinic_id == scope.clinic_id, LabReport.patient_id == patient_id, LabReport.state == RECORDED)
        .order_by(LabReport.collected_on, LabReport.id)
    )
    return [_Lab(*row) for row in rows]


def _exams(scope: Scope, patient_id: int) -> list[_Exam]:
    rows = db.session.execute(
        select(Exam.kind, Exam.performed_on, Exam.outcome)
        .where(Exam.clinic_id == scope.clinic_id, Exam.patient_id == patient_id, Exam.state == RECORDED)
        .order_by(Exam.performed_on, Exam.id)
    )
    return [_Exam(*row) for row in rows]


def _submissions(scope: Scope, patient_id: int) -> tuple[SubmissionFacts, ...]:
    recorder = aliased(User)
    table = FormSubmission
    statement: Select[Any] = (
        select(
            table.public_id,
            table.kind,
            TreatmentCourse.number,
            InfusionReaction.public_id,
            table.submitted_on,
            table.method,
            table.confirmation,
            table.signed_by,
            recorder.name,
            table.answers,
        )
        .outerjoin(TreatmentCourse, TreatmentCourse.id == table.course_id)
        .outerjoin(InfusionReaction, InfusionReaction.id == table.reaction_id)
        .outerjoin(recorder, recorder.id == table.recorded_by_id)
        .where(table.clinic_id == scope.clinic_id, table.patient_id == patient_id, table.state == RECORDED)
        .order_by(table.submitted_on.desc(), table.id.desc())
    )
    return tuple(SubmissionFacts(row[0], FormKind(row[1]), *row[2:]) for row in db.session.execute(statement))


def _baseline(course: CourseFacts, labs: list[_Lab], exams: list[_Exam], settings: BaselineSettings) -> Baseline | None:
    """The baseline set as it stood on the first day of the course (R-20); None while that is not planned."""
    if course.first_on is None:
        return None
    facts = BaselineFacts(
        course_number=course.number,
        start_on=course.first_on,
        as_of=course.first_on,
        labs=tuple(
            LabDraw(Panel(lab.panel), lab.collected_on, lab.counts, lab.missing or "", lab.reviewed_at) for lab in labs
        ),
        exams=tuple(ExamDone(ExamKind(exam.kind), exam.on, exam.outcome.lower()) for exam in exams),
        first_started_at=_started_at(course.days),
    )
    return baseline(facts, settings)


def _started_at(days: tuple[DayFacts, ...]) -> datetime | None:
    return min((day.started_at for day in days), default=None)


def _last_tests(labs: list[_Lab], exams: list[_Exam]) -> dict[str, date]:
    """The newest evidence of each panel and examination, both in order of their dates."""
    found: dict[str, date] = {lab.panel: lab.collected_on for lab in labs if lab.counts}
    return found | {exam.kind: exam.on for exam in exams}


def _findings(labs: list[_Lab], exams: list[_Exam]) -> tuple[DatedEvent, ...]:
    """Red and amber results by day, and examinations that found something."""
    by_day: defaultdict[date, list[str]] = defaultdict(list)
    for lab in labs:
        if lab.worst_level in ("red", "amber"):
            by_day[lab.collected_on] += [str(finding.get("words", "")) for finding in lab.findings]
    found = [DatedEvent(on, "Finding in a result", "; ".join(dict.fromkeys(texts))) for on, texts in by_day.items()]
    found += [
        DatedEvent(exam.on, "Examination", f"{exam.kind.replace('_', ' ')}: {exam.outcome}")
        for exam in exams
        if exam.outcome.lower() not in PLAIN_OUTCOMES
    ]
    return tuple(sorted(found))

"""Record, correct and withdraw exams, screenings and vaccinations."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.screening import EXAM_TYPES
from clinic_tracker.domain.vocabulary import ExamKind, FactState, Sex
from clinic_tracker.models.base import db
from clinic_tracker.models.monitoring import Exam, Vaccination
from clinic_tracker.models.patients import Patient
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import audit, facts
from clinic_tracker.services.audit import AuditAction
from clinic_tracker.services.review_withdrawal import withdraw_follow_up
from clinic_tracker.services.task_evidence import match_exam_tasks
from clinic_tracker.services.unit_of_work import unit_of_work
from clinic_tracker.services.vaccinations import VaccinationEntry, add_vaccination, check_day, row_field


@dataclass(frozen=True, slots=True)
class ExamEntry:
    """One exam or screening as typed. ``row`` is the name of its row on the page, for messages."""

    kind: ExamKind
    performed_on: date
    outcome: str
    examiner: str | None = None
    method: str | None = None
    note: str | None = None
    row: str = ""


def record_screening(
    scope: Scope,
    patient: uuid.UUID,
    exams: Sequence[ExamEntry] = (),
    vaccinations: Sequence[VaccinationEntry] = (),
    *,
    reason: str | None = None,
    form_token: str | None = None,
) -> tuple[uuid.UUID, ...]:
    """Record several exams and vaccinations at once, all or none. Their public ids; () when sent twice.

    RuleViolation whose field is ``row-name`` of the entry refused (``skin_exam-performed_on``). A live vaccine after
    a course (R-30) needs a ``reason`` and is kept as a deviation.
    """
    scope.require(Permission.RECORD_EVIDENCE)
    if not exams and not vaccinations:
        raise RuleViolation("nothing_entered", None, "Enter at least one exam, screening or vaccination.")
    with unit_of_work(scope) as work:
        row = work.lock_patient(patient)
        if _was_sent(scope, form_token):
            return ()
        tokens = _tokens(form_token)
        recorded = [_add_exam(scope, row, entry, next(tokens)) for entry in exams]
        match_exam_tasks(scope, row.id)
        given = [add_vaccination(scope, row, entry, reason, next(tokens)) for entry in vaccinations]
    return (*(exam.public_id for exam in recorded), *(dose.public_id for dose in given))


def record_exam(
    scope: Scope, patient: uuid.UUID, entry: ExamEntry, *, form_token: str | None = None
) -> uuid.UUID | None:
    """Record one exam; its public id, or None when it was recorded by the same form before."""
    return next(iter(record_screening(scope, patient, [entry], form_token=form_token)), None)


def record_vaccination(
    scope: Scope,
    patient: uuid.UUID,
    entry: VaccinationEntry,
    *,
    reason: str | None = None,
    form_token: str | None = None,
) -> uuid.UUID | None:
    """Record one dose; its public id, or None when it was recorded by the same form before."""
    return next(iter(record_screening(scope, patient, [], [entry], reason=reason, form_token=form_token)), None)


def correct_exam(scope: Scope, patient: uuid.UUID, exam: uuid.UUID, entry: ExamEntry, *, reason: str) -> uuid.UUID:
    """Replace an exam by a corrected one; the old one stays, struck through. The public id of the new one.

    It keeps the laboratory's number, so that a newer version from there takes its place, and waits for review anew.
    """
    scope.require(Permission.RECORD_EVIDENCE)
    with unit_of_work(scope) as work:
        row = work.lock_patient(patient)
        old = facts.find_fact(scope, Exam, row.id, exam)
        facts.check_unchanged(scope, old)
        _check_exam(scope, row, entry, old.id)
        before = audit.snapshot(old)
        corrected = _exam(scope, row, entry, None)
        corrected.external_id, corrected.inbound_result_id = old.external_id, old.inbound_result_id
        new = facts.supersede(scope, old, corrected, reason)
        audit.record(scope, AuditAction.EXAM_CORRECTED, new, before=before, reason=reason)
        match_exam_tasks(scope, row.id)
    return new.public_id


def withdraw_exam(scope: Scope, patient: uuid.UUID, exam: uuid.UUID, *, reason: str) -> None:
    """Mark an exam as entered in error; it stays, struck through, and is evidence for nothing.

    What was said about it and the open tasks that came from it are withdrawn, too.
    """
    scope.require(Permission.RECORD_EVIDENCE)
    with unit_of_work(scope) as work:
        row = work.lock_patient(patient)
        old = facts.find_fact(scope, Exam, row.id, exam)
        before = audit.snapshot(old)
        facts.withdraw(scope, old, reason)
        audit.record(scope, AuditAction.EXAM_WITHDRAWN, old, before=before, reason=reason)
        withdraw_follow_up(scope, old, reason)
        match_exam_tasks(scope, row.id)


def _add_exam(scope: Scope, row: Patient, entry: ExamEntry, token: str | None) -> Exam:
    _check_exam(scope, row, entry, None)
    exam = _exam(scope, row, entry, token)
    db.session.add(exam)
    audit.record(scope, AuditAction.EXAM_RECORDED, exam)
    return exam


def _exam(scope: Scope, row: Patient, entry: ExamEntry, token: str | None) -> Exam:
    return Exam(
        clinic_id=scope.clinic_id,
        patient_id=row.id,
        kind=entry.kind.value,
        performed_on=entry.performed_on,
        outcome=entry.outcome,
        examiner=entry.examiner,
        method=entry.method,
        note=entry.note,
        recorded_by_id=scope.user_id,
        recorded_at=scope.now,
        form_token=token,
    )


def _check_exam(scope: Scope, row: Patient, entry: ExamEntry, replaced: int | None) -> None:
    """RuleViolation for an outcome or a date that cannot be, a second entry of the same, or the wrong patient."""
    kind = EXAM_TYPES[entry.kind]
    if entry.outcome not in {outcome.code for outcome in kind.outcomes}:
        raise RuleViolation(
            "unknown_outcome", row_field(scope, entry.row, "outcome"), f"Choose the result of the {kind.title}."
        )
    check_day(scope, row, entry.performed_on, row_field(scope, entry.row, "performed_on"), kind.title)
    has_cervix = row.has_cervix if row.has_cervix is not None else row.sex_at_birth == Sex.FEMALE.value
    if entry.kind is ExamKind.HPV_SCREEN and not has_cervix:
        raise RuleViolation(
            "no_cervix",
            row_field(scope, entry.row, "outcome"),
            "This chart says that the patient has no cervix. Check that it is the right patient, or edit the chart.",
        )
    same = select(Exam.id).where(
        Exam.patient_id == row.id,
        Exam.state == FactState.RECORDED.value,
        Exam.kind == entry.kind.value,
        Exam.performed_on == entry.performed_on,
        Exam.outcome == entry.outcome,
        Exam.id != (replaced if replaced is not None else -1),
    )
    if db.session.execute(same).first() is not None:
        message = f"{kind.title} of {show_date(entry.performed_on)} with this result is on record already."
        raise RuleViolation("already_recorded", row_field(scope, entry.row, "performed_on"), message)


def _was_sent(scope: Scope, form_token: str | None) -> bool:
    first = next(_tokens(form_token))
    return any(facts.already_recorded(scope, model, first) is not None for model in (Exam, Vaccination))


def _tokens(form_token: str | None) -> Iterator[str | None]:
    """A token for each row of one form."""
    number = 0
    while True:
        yield f"{form_token}-{number}" if form_token else None
        number += 1

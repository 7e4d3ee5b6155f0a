"""What the exams tab shows: the latest of each kind, how long it holds, what to act on, and the whole record."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from clinic_tracker.domain.local_time import add_months, show_date
from clinic_tracker.domain.notes import Severity
from clinic_tracker.domain.screening import EXAM_TYPES, VACCINES_BY_CODE, check_vaccination, exam_title, vaccine_title
from clinic_tracker.domain.vocabulary import ExamKind, Sex
from clinic_tracker.queries.exam_rows import Attribution, ExamRow
from clinic_tracker.queries.exams import (
    OwedExam,
    VaccinationRow,
    exams_of,
    owed_exams,
    treatment_dates,
    vaccinations_of,
)
from clinic_tracker.queries.patients import PatientHeader
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.settings import protocol_in_force

YEARLY = (ExamKind.SKIN_EXAM.value, ExamKind.HPV_SCREEN.value)
VALID_FOR = {ExamKind.TB_SCREEN.value: "tb_valid_months", ExamKind.HIV_TEST.value: "hiv_valid_months"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A fact of the record in words. ``what`` is its kind, ``result`` what came of it."""

    public_id: uuid.UUID
    what: str
    on: date
    result: str
    attention: bool
    by: str | None
    note: str | None
    entry: Attribution
    is_correction: bool
    waits: bool = False  # for review


@dataclass(frozen=True, slots=True)
class Latest:
    """The latest exam of a kind. ``status`` and ``days`` make a tag; ``holds`` says more in words."""

    kind: str
    title: str
    hint: str
    entry: Entry | None
    status: str | None
    days: int | None
    holds: str


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to act on, above the tables."""

    text: str
    tone: str
    title: str | None = None


@dataclass(frozen=True, slots=True)
class ExamsPage:
    """The whole tab."""

    latest: list[Latest]
    exams: list[Entry]
    vaccinations: list[Entry]
    remarks: list[Remark]


def exams_page(scope: Scope, header: PatientHeader) -> ExamsPage:
    """The exams tab of a patient on the clinic's present day."""
    exams, doses = exams_of(scope, header.id), vaccinations_of(scope, header.id)
    owed = owed_exams(scope, header.id, YEARLY)
    settings = {name: setting.value for name, setting in protocol_in_force(scope, header.protocol_id).settings.items()}
    standing = [row for row in exams if row.entry.stands]
    validity = settings if header.first_infusion_on is None else {}
    latest = [_latest(kind, standing, owed.get(kind.value), validity, scope.today) for kind in kinds_for(header)]
    remarks = [*_contraindications(standing), *_vaccine_remarks(scope, header, doses, settings)]
    return ExamsPage(
        latest=latest,
        exams=[as_exam_entry(row) for row in exams],
        vaccinations=[as_vaccination_entry(row) for row in doses],
        remarks=sorted(remarks, key=lambda remark: remark.tone),
    )


def kinds_for(header: PatientHeader) -> list[ExamKind]:
    """The kinds that make sense for this patient: an HPV screen needs a cervix."""
    has_cervix = header.has_cervix if header.has_cervix is not None else header.sex_at_birth == Sex.FEMALE.value
    left_out = {ExamKind.HPV_SCREEN} if not has_cervix else set()
    if header.sex_at_birth == Sex.MALE.value:
        left_out.add(ExamKind.PREGNANCY_TEST)
    return [kind for kind in EXAM_TYPES if kind not in left_out]


def shown_kinds(header: PatientHeader, form: Any, first: str | None) -> list[tuple[Any, ...]]:
    """The rows of the entry form for this patient, the one asked for on top; a row with something in it stays."""
    sensible = set(kinds_for(header))
    rows = [row for row in form.exam_rows() if row[0] in sensible or not row[2].is_empty]
    return sorted(rows, key=lambda row: row[0].value != first)


def as_exam_entry(row: ExamRow) -> Entry:
    """An exam in words."""
    known = EXAM_TYPES[ExamKind(row.kind)]
    return Entry(
        public_id=row.public_id,
        what=known.title,
        on=row.performed_on,
        result=known.words(row.outcome),
        attention=known.needs_attention(row.outcome),
        by=row.examiner or row.method,
        note=row.note,
        entry=row.entry,
        is_correction=row.replaces_id is not None,
        waits=row.stands and row.review.is_asked and row.reviewed_at is None,
    )


def as_vaccination_entry(row: VaccinationRow) -> Entry:
    """A dose in words."""
    return Entry(
        public_id=row.public_id,
        what=vaccine_title(row.vaccine),
        on=row.given_on,
        result=row.dose_label or "",
        attention=False,
        by=None,
        note=row.note,
        entry=row.entry,
        is_correction=row.replaces_id is not None,
    )


def _latest(
    kind: ExamKind, standing: list[ExamRow], owed: OwedExam | None, settings: dict[str, int], today: date
) -> Latest:
    known = EXAM_TYPES[kind]
    row = next((row for row in standing if row.kind == kind), None)
    status, days, holds = _owed(owed, today) if owed is not None else (None, None, "")
    months = settings.get(VALID_FOR.get(kind.value, ""))
    if row is not None and months is not None and not known.needs_attention(row.outcome):
        until = add_months(row.performed_on, months)
        over = "covered" if until < today else "covers"
        holds = f"{over} a first course until {show_date(until)} (local convention: {months} months)"
    entry = as_exam_entry(row) if row is not None else None
    return Latest(kind.value, known.title, known.hint, entry, status, days, holds)


def _owed(owed: OwedExam, today: date) -> tuple[str | None, int | None, str]:
    if owed.next_due_on is None:
        return None, None, ""
    words = f"due {show_date(owed.next_due_on)}"
    if owed.next_due_on < today:
        return "overdue", (today - owed.next_due_on).days, words
    if owed.opens_on is not None and owed.opens_on > today:
        return "upcoming", (owed.opens_on - today).days, words
    return "due", (owed.next_due_on - today).days, words


def _contraindications(standing: list[ExamRow]) -> Iterator[Remark]:
    hiv = next((row for row in standing if row.kind == ExamKind.HIV_TEST), None)
    if hiv is not None and hiv.outcome == "positive":
        text = (
            f"{exam_title(hiv.kind)} of {show_date(hiv.performed_on)} is positive: HIV infection is a contraindication."
        )
        yield Remark(text, "error", "Contraindication")


def _vaccine_remarks(
    scope: Scope, header: PatientHeader, doses: list[VaccinationRow], settings: dict[str, int]
) -> Iterator[Remark]:
    standing = [row for row in doses if row.entry.stands and row.vaccine in VACCINES_BY_CODE]
    if not standing:
        return
    first, planned = treatment_dates(scope, header.id)
    for row in standing:
        vaccine = VACCINES_BY_CODE[row.vaccine]
        for note in check_vaccination(vaccine, row.given_on, first, planned, settings["vaccine_gap_days"]).notes:
            if note.severity is Severity.DEVIATION:
                yield Remark(note.message, "error", "Safety alert: live vaccine after a course")
            else:
                yield Remark(note.message, "warning", "Too close to the planned course")

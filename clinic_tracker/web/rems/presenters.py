"""The forms of a patient in words: what is owed, the schedule, the ledger."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from clinic_tracker.domain.course_forms.sheet import TITLES
from clinic_tracker.domain.vocabulary import FormKind, ObligationStatus
from clinic_tracker.queries.forms import FormRow, OwedForm
from clinic_tracker.web.rems.forms import METHOD_CHOICES

METHOD_WORDS = {str(value): words for value, words in METHOD_CHOICES}


@dataclass(frozen=True, slots=True)
class ScheduledForm:
    """One form of the schedule. ``days``: late, or until it is due or can be sent."""

    form: OwedForm
    title: str
    status: str
    days: int | None
    sent: FormRow | None

    @property
    def kind(self) -> str:
        """The kind, for the address of its page."""
        return self.form.requirement.evidence


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One submission, with the forms of the schedule that it did."""

    row: FormRow
    title: str
    method: str
    did: tuple[OwedForm, ...]

    @property
    def public_id(self) -> uuid.UUID:
        """The id for addresses."""
        return self.row.public_id


def form_title(kind: str, course: int | None = None) -> str:
    """The name of a form, with its course."""
    title = TITLES[FormKind(kind)]
    return f"{title}, course {course}" if course else title


def scheduled_forms(owed: Sequence[OwedForm], sent: Sequence[FormRow], today: date) -> list[ScheduledForm]:
    """The schedule in words, by due date."""
    by_key = {row.id: row for row in sent}
    return [
        ScheduledForm(
            form=row,
            title=form_title(row.requirement.evidence, row.course),
            status=row.status.value,
            days=_days(row, today),
            sent=by_key.get(row.evidence_id) if row.evidence_id is not None else None,
        )
        for row in owed
    ]


def ledger(sent: Sequence[FormRow], owed: Sequence[OwedForm]) -> list[LedgerRow]:
    """What was sent, newest first, with what each did."""
    return [
        LedgerRow(
            row=row,
            title=form_title(row.kind, row.course),
            method=METHOD_WORDS.get(row.method or "", "Not known"),
            did=tuple(form for form in owed if form.evidence_id == row.id and form.requirement.evidence == row.kind),
        )
        for row in sent
    ]


def _days(row: OwedForm, today: date) -> int | None:
    match row.status:
        case ObligationStatus.OVERDUE:
            return (today - row.due_on).days
        case ObligationStatus.DUE:
            return (row.due_on - today).days
        case ObligationStatus.UPCOMING:
            return (row.opens_on - today).days
        case _:
            return None

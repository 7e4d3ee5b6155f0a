"""The forms of exams, screenings and vaccinations: many on one screen, and one at a time to correct."""

from collections.abc import Iterator
from typing import Any

import wtforms

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.screening import EXAM_TYPES, VACCINES, ExamType
from clinic_tracker.domain.vocabulary import ExamKind
from clinic_tracker.queries.exam_rows import ExamRow
from clinic_tracker.queries.exams import VaccinationRow
from clinic_tracker.services.exams import ExamEntry
from clinic_tracker.services.vaccinations import VaccinationEntry
from clinic_tracker.web.fields import sentence_label
from clinic_tracker.web.forms import (
    DateField,
    Form,
    IdempotencyField,
    SelectField,
    StringField,
    SubForm,
    TextAreaField,
)
from clinic_tracker.web.patients.forms import DepartureForm

DOSES = ("dose_1", "dose_2", "dose_3")


class _RowForm(SubForm):
    """One row of a table of entries. Empty rows are left out."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing was entered in this row."""
        return all(field.is_blank for field in _fields_of(self))


def _exam_row(known: ExamType) -> type[_RowForm]:
    """The row of one kind of exam, with labels that name it in messages."""
    fields = {
        "outcome": SelectField(
            f"result of the {known.title}", choices=[("", "—"), *((one.code, one.words) for one in known.outcomes)]
        ),
        "performed_on": DateField(f"{known.title} date", not_future=True),
        "by": StringField(f"{known.title}: {known.by}", max_length=120),
        "note": StringField(f"{known.title} note", max_length=500),
    }
    return type("ExamRow", (_RowForm,), fields)


def _dose_row(number: int) -> type[_RowForm]:
    """The row of one dose, with labels that number it in messages."""
    fields = {
        "vaccine": SelectField(
            f"Vaccine {number}", choices=[("", "Choose"), *((one.code, one.title) for one in VACCINES)]
        ),
        "given_on": DateField(f"Date of vaccine {number}", not_future=True),
        "dose_label": StringField(f"Dose of vaccine {number}", max_length=60),
        "note": StringField(f"Note on vaccine {number}", max_length=500),
    }
    return type("DoseRow", (_RowForm,), fields)


class _ScreeningFields(DepartureForm):
    all_on = DateField(
        "Date of all rows",
        not_future=True,
        hint="For rows without a date of their own; “today” works. Leave the rows empty that do not apply.",
    )
    deviation_reason = TextAreaField(
        "Reason, and what was done", hint="For example: given elsewhere; prescriber informed", max_length=2000
    )
    token = IdempotencyField()

    def exam_rows(self) -> Iterator[tuple[ExamKind, ExamType, Any]]:
        """Every row of the screening table: its kind, what is known of the kind, and the fields."""
        for kind, known in EXAM_TYPES.items():
            yield kind, known, _row_of(self, kind.value)

    def dose_rows(self) -> Iterator[tuple[str, Any]]:
        """Every row of the vaccination table: its name and the fields."""
        for name in DOSES:
            yield name, _row_of(self, name)

    def validate(self, extra_validators: Any = None) -> bool:
        """A row that was begun needs its result and a date, its own or that of all rows."""
        good: bool = super().validate(extra_validators)
        rows = [(row, row.outcome, row.performed_on) for _kind, _known, row in self.exam_rows()]
        rows += [(row, row.vaccine, row.given_on) for _name, row in self.dose_rows()]
        begun = [(choice, day) for row, choice, day in rows if not row.is_empty]
        for choice, day in begun:
            if not choice.data and not choice.errors:
                choice.errors = [f"Choose the {sentence_label(choice.label.text)}"]
            if day.data is None and not day.errors and self.all_on.data is None:
                day.errors = [f"Enter the {sentence_label(day.label.text)}, or a date for all rows"]
        return good and not any(choice.errors or day.errors for choice, day in begun)

    def exams(self) -> list[ExamEntry]:
        """The exams that were entered; only after ``validate``."""
        return [
            _exam_entry(kind, row, row.performed_on.data or self.all_on.data, row_name=kind.value)
            for kind, _known, row in self.exam_rows()
            if not row.is_empty
        ]

    def doses(self) -> list[VaccinationEntry]:
        """The vaccinations that were entered; only after ``validate``."""
        return [
            VaccinationEntry(
                row.vaccine.data,
                row.given_on.data or self.all_on.data,
                dose_label=row.dose_label.data,
                note=row.note.data,
                row=name,
            )
            for name, row in self.dose_rows()
            if not row.is_empty
        ]

    def refuse(self, violation: RuleViolation) -> None:
        """Show a refused rule in the row that it is about."""
        row_name, _, field_name = (violation.field or "").partition("-")
        if field_name and row_name in self:
            field = _row_of(self, row_name)[field_name]
            field.errors = [*field.errors, violation.message]
        else:
            super().refuse(violation)


ScreeningForm: type[_ScreeningFields] = type(
    "ScreeningForm",
    (_ScreeningFields,),
    {
        **{kind.value: wtforms.FormField(_exam_row(known), known.title) for kind, known in EXAM_TYPES.items()},
        **{name: wtforms.FormField(_dose_row(number), f"Vaccine {number}") for number, name in enumerate(DOSES, 1)},
    },
)


class CorrectExamForm(Form):
    """One exam, to correct."""

    outcome = SelectField("Result", required=True)
    performed_on = DateField("Date", required="Enter the date of the exam", not_future=True)
    by = StringField("By", max_length=120)
    note = TextAreaField("Note", max_length=500)
    reason = TextAreaField("Reason for the correction", required="Give the reason for the correction", max_length=2000)

    def entry(self, kind: ExamKind) -> ExamEntry:
        """What was typed; only after ``validate``."""
        return _exam_entry(kind, self, self.performed_on.data)


class CorrectVaccinationForm(Form):
    """One dose, to correct."""

    vaccine = SelectField("Vaccine", choices=[(one.code, one.title) for one in VACCINES], required=True)
    given_on = DateField("Date", required="Enter the date of the dose", not_future=True)
    dose_label = StringField("Dose", hint="For example: 1 of 2", max_length=60)
    note = TextAreaField("Note", max_length=500)
    reason = TextAreaField("Reason for the correction", required="Give the reason for the correction", max_length=2000)

    def entry(self) -> VaccinationEntry:
        """What was typed; only after ``validate``."""
        return VaccinationEntry(self.vaccine.data, self.given_on.data, self.dose_label.data, self.note.data)


def _fields_of(form: Any) -> Iterator[Any]:
    return iter(form)


def _row_of(form: Any, name: str) -> Any:
    return form[name].form


def exam_values(row: ExamRow) -> dict[str, Any]:
    """The values with which the form of an exam on record opens."""
    by = row.examiner if EXAM_TYPES[ExamKind(row.kind)].by_field == "examiner" else row.method
    return {"outcome": row.outcome, "performed_on": row.performed_on, "by": by, "note": row.note}


def vaccination_values(row: VaccinationRow) -> dict[str, Any]:
    """The values with which the form of a dose on record opens."""
    return {"vaccine": row.vaccine, "given_on": row.given_on, "dose_label": row.dose_label, "note": row.note}


def _exam_entry(kind: ExamKind, fields: Any, performed_on: Any, row_name: str = "") -> ExamEntry:
    by = {EXAM_TYPES[kind].by_field: fields.by.data}
    return ExamEntry(kind, performed_on, fields.outcome.data, note=fields.note.data, row=row_name, **by)

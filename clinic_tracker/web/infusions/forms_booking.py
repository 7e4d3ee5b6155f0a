"""Forms of the schedule: the days of a course booked at once, one day moved, days cancelled."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import wtforms

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.queries.chairs import ChairRow
from clinic_tracker.services.booking_moves import Move
from clinic_tracker.services.bookings import BookingPlan, DayWanted
from clinic_tracker.services.chair_rules import LONGEST, SHORTEST
from clinic_tracker.web.forms import (
    CheckboxField,
    DateField,
    IdempotencyField,
    IntegerField,
    LocalDateTimeField,
    SelectField,
    StringField,
    SubForm,
    TextAreaField,
    TimeField,
    VersionField,
)
from clinic_tracker.web.infusions.forms import DeviationForm, ReasonForm

ANY_CHAIR = ("", "First free chair")
Choices = list[tuple[str, str]]


def chair_choices(rows: Sequence[ChairRow]) -> Choices:
    """The chairs to choose from, and whichever is free."""
    return [ANY_CHAIR, *((str(row.public_id), row.name) for row in rows)]


class BookedDayForm(SubForm):
    """One day of the course; not booked unless it is ticked."""

    is_booked = CheckboxField("Book this day")
    starts_at = LocalDateTimeField("Start")
    chair = SelectField("Chair", choices=[ANY_CHAIR])

    @property
    def wanted(self) -> DayWanted | None:
        """The day as it is wanted; None while it is not ticked or has no time."""
        if not self.is_booked.data or not isinstance(self.starts_at.data, datetime):
            return None
        return DayWanted(self.starts_at.data, _key(self.chair.data))


class BookingForm(DeviationForm):
    """All days of a course: where they begin, and each one as it is wanted."""

    first_on = DateField("First day", required=True)
    at = TimeField("Time of day", required=True)
    chair = SelectField("Chair", choices=[ANY_CHAIR])
    minutes = IntegerField("Length", required=True, minimum=SHORTEST, maximum=LONGEST, unit="minutes", width=5)
    nurse_name = StringField("Nurse", max_length=80, width=20)
    note = TextAreaField("Note", max_length=2000)
    start_too = CheckboxField("Plan the course to start on its first booked day")
    days = wtforms.FieldList(wtforms.FormField(BookedDayForm))
    token = IdempotencyField()

    def offer(self, rows: Sequence[ChairRow]) -> None:
        """The chairs to choose from, in every field."""
        for field in (self.chair, *(entry.form.chair for entry in self.days)):
            field.choices = chair_choices(rows)

    @property
    def wanted(self) -> list[DayWanted]:
        """The days that are ticked and have a time."""
        return [day for entry in self.days if (day := entry.form.wanted) is not None]

    def validate(self, *args: Any, **kwargs: Any) -> bool:
        """A ticked day needs its time, and one day at least must be ticked."""
        valid = bool(super().validate(*args, **kwargs))
        for entry in self.days:
            field = entry.form.starts_at
            if entry.form.is_booked.data and field.data is None and not field.errors:
                field.errors = [*field.errors, "Enter date and time, or untick the day"]
                valid = False
        if valid and not self.wanted:
            self.form_errors.append("Tick at least one day")
        return valid and not self.form_errors

    @property
    def can_propose(self) -> bool:
        """Whether date, time, chair and length of the first day can be read."""
        checked = [field.validate(self) for field in (self.first_on, self.at, self.chair, self.minutes)]
        return all(checked)

    @property
    def plan(self) -> BookingPlan:
        """What is to be booked."""
        return BookingPlan(
            days=self.wanted,
            minutes=self.minutes.data,
            nurse_name=self.nurse_name.data,
            note=self.note.data,
            start_too=self.start_too.data,
        )

    def refuse(self, violation: RuleViolation) -> None:
        """Put what concerns one day at the field of that day; days left out do not count."""
        prefix, _, rest = (violation.field or "").partition("-")
        index, _, name = rest.partition("-")
        if prefix != "days" or not index.isdigit():
            super().refuse(violation)
            return
        ticked = [entry.form for entry in self.days if entry.form.wanted is not None]
        field = ticked[int(index)][name]
        field.errors = [*field.errors, violation.message]


class MoveForm(ReasonForm, DeviationForm):
    """Another time or chair for a booked day."""

    starts_at = LocalDateTimeField("New start", required=True)
    chair = SelectField("Chair", choices=[ANY_CHAIR])
    minutes = IntegerField("Length", required=True, minimum=SHORTEST, maximum=LONGEST, unit="minutes", width=5)
    nurse_name = StringField("Nurse", max_length=80, width=20)
    later_too = CheckboxField("Move the later days along, by as many days, to the same time and chair")
    start_too = CheckboxField("Plan the course to start on its first booked day")
    version = VersionField()

    def offer(self, rows: Sequence[ChairRow]) -> None:
        """The chairs to choose from."""
        self.chair.choices = chair_choices(rows)

    @property
    def move(self) -> Move:
        """Where the day goes."""
        return Move(
            starts_at=self.starts_at.data,
            minutes=self.minutes.data,
            chair=_key(self.chair.data),
            nurse_name=self.nurse_name.data,
            later_too=self.later_too.data,
            start_too=self.start_too.data,
        )


class CancelDayForm(ReasonForm):
    """One booked day given back."""

    version = VersionField()


def length_of(field: IntegerField, usual: int) -> int:
    """The length typed, or the usual one while it cannot be used."""
    return field.data if isinstance(field.data, int) and SHORTEST <= field.data <= LONGEST else usual


def _key(value: str | None) -> uuid.UUID | None:
    return uuid.UUID(value) if value else None

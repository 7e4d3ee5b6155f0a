"""Forms of files of reports and of reports that come by themselves."""

from collections.abc import Iterator
from typing import Any

from clinic_tracker.domain.reporting.definition import Definition, Takes
from clinic_tracker.domain.reporting.formats import FORMAT_WORDS, ReportFormat
from clinic_tracker.domain.reporting.parameters import Identity
from clinic_tracker.domain.reporting.rhythm import LONGEST_MONTH, PERIOD_WORDS, WEEKDAYS, Rhythm
from clinic_tracker.queries.administration import members
from clinic_tracker.queries.report_people import possible_recipients
from clinic_tracker.queries.scope import Scope
from clinic_tracker.web.forms import (
    CheckboxesField,
    FileField,
    Form,
    IdempotencyField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    VersionField,
)
from clinic_tracker.web.reports.asking import prescriber_options
from clinic_tracker.web.requirement_words import requirement_options

WEEKLY, MONTHLY = "weekly", "monthly"
IDENTITY_WORDS = {
    Identity.FULL: "With names",
    Identity.SHIFTED: "De-identified: study numbers, dates shifted",
    Identity.INTERVALS: "De-identified: study numbers, days since the first infusion",
}


class AskForm(Form):
    """What kind of file."""

    format = RadioField("Kind of file", required="Choose a kind of file.")
    token = IdempotencyField()


class VerifyForm(Form):
    """A file, or what a program says of it."""

    file = FileField("The file", hint="Up to 16 MB. It is compared and not kept.")
    digest = StringField("Or its SHA-256", max_length=200, hint="For a larger file: what sha256sum prints.")


class ScheduleForm(Form):
    """A report that comes by itself. Its parameters are added to the class."""

    period = SelectField(
        "Period", choices=[(one.value, words) for one, words in PERIOD_WORDS.items()], hint="Before the day it is due."
    )
    format = RadioField("Kind of file", required="Choose a kind of file.")
    rhythm = RadioField(
        "How often",
        required="Choose how often.",
        choices=[(WEEKLY, "Every week"), (MONTHLY, "Every month")],
    )
    weekday = SelectField(
        "On which day of the week",
        choices=[(str(number), name) for number, name in enumerate(WEEKDAYS, start=1)],
    )
    month_day = IntegerField(
        "On which day of the month",
        minimum=1,
        maximum=LONGEST_MONTH,
        width=2,
        hint="A shorter month has its last day instead; 31 is always the last day.",
    )
    recipients = CheckboxesField("Who is told by e-mail")
    version = VersionField()
    token = IdempotencyField()

    @property
    def chosen_rhythm(self) -> Rhythm | None:
        """How often, as filled in; None, with the reason at its field, where that is not complete."""
        if self.rhythm.data == WEEKLY:
            return Rhythm(weekday=int(self.weekday.data))
        if self.month_day.data is None:
            self.month_day.errors = [*self.month_day.errors, "Enter the day of the month, 1 to 31."]
            return None
        return Rhythm(month_day=self.month_day.data)


def ask_form(definition: Definition, wanted: str | None) -> AskForm:
    """The form for a file of a report, with the kind that is wanted."""
    known = [form.value for form in definition.formats]
    form = AskForm(data={"format": wanted if wanted in known else known[0]})
    form.format.choices = format_choices(definition)
    return form


def schedule_form(scope: Scope, definition: Definition, data: dict[str, Any]) -> ScheduleForm:
    """The form for a report that comes by itself, with the parameters that the report takes."""
    fields = dict(_parameters(scope, definition))
    kind: type[ScheduleForm] = type("ReportScheduleForm", (ScheduleForm,), fields)
    form = kind(data=data)
    form.format.choices = format_choices(definition)
    form.recipients.choices = [(str(one.public_id), one.name) for one in possible_recipients(scope, definition)]
    if Takes.PERIOD not in definition.takes:
        del form.period
    return form


def parameter_names(definition: Definition) -> list[str]:
    """The names of the parameters that a schedule of a report has fields for."""
    names = [takes.value for takes in (Takes.REQUIREMENT, Takes.PRESCRIBER, Takes.PERSON) if takes in definition.takes]
    return [*names, *(choice.name for choice in definition.choices), "identity"]


def format_choices(definition: Definition) -> list[tuple[str, str]]:
    """The kinds of file that a report can be had as."""
    return [(form.value, FORMAT_WORDS[ReportFormat(form)]) for form in definition.formats]


def _parameters(scope: Scope, definition: Definition) -> Iterator[tuple[str, Any]]:
    if Takes.REQUIREMENT in definition.takes:
        yield "requirement", SelectField("Requirement", choices=requirement_options(scope.protocol_id, "All"))
    if Takes.PRESCRIBER in definition.takes:
        yield "prescriber", SelectField("Prescriber", choices=[("", "All"), *prescriber_options(scope)])
    if Takes.PERSON in definition.takes:
        people = [(str(row.public_id), row.name) for row in members(scope)]
        yield "person", SelectField("Person", choices=[("", "Everybody"), *people])
    for choice in definition.choices:
        yield choice.name, SelectField(choice.title, choices=list(choice.options.items()), default=choice.default)
    yield "identity", SelectField("Patients", choices=[(one.value, words) for one, words in IDENTITY_WORDS.items()])

"""What the address of a report asks: a form beside the answer, with everything that is wrong with it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from werkzeug.datastructures import MultiDict

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.local_time import is_repeated, show_date, to_local
from clinic_tracker.domain.reporting.definition import Definition, Takes
from clinic_tracker.domain.reporting.parameters import Identity, Parameters, read_all
from clinic_tracker.queries.administration import members, prescribers
from clinic_tracker.queries.scope import Scope
from clinic_tracker.web.forms import FormError, SelectField, StringField, SubForm
from clinic_tracker.web.requirement_words import requirement_options

NOT_PARAMETERS = frozenset({"page", "format", "as"})
IDENTITY_OPTIONS = (
    (Identity.FULL.value, "With names"),
    (Identity.SHIFTED.value, "Study numbers, dates shifted"),
    (Identity.INTERVALS.value, "Study numbers, days since first infusion"),
)


class DateText(StringField):
    """A date as it is typed; the report reads it."""

    kind = "date"


class AskedForm(SubForm):
    """The parameters of a report, and what was wrong with others that it does not have."""

    others: list[str]

    @property
    def error_links(self) -> list[FormError]:
        """All errors: those of no field first."""
        return [*(FormError("parameters", words) for words in self.others), *super().error_links]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question: its form, and its parameters unless something is wrong with them."""

    definition: Definition
    form: AskedForm
    parameters: Parameters | None
    values: dict[str, str]  # as in the address

    def refuse(self, violation: RuleViolation) -> None:
        """Show what is wrong at its field, or above the form."""
        if violation.field is not None and violation.field in self.form:
            field = self.form[violation.field]
            field.errors = [*field.errors, f"{field.label.text}: {violation.message}"]
        else:
            self.form.others.append(violation.message)


def read_asked(scope: Scope, definition: Definition, args: MultiDict[str, str]) -> Asked:
    """Read the parameters of an address; what is not given is as it is by default."""
    values = {name: text for name, text in args.items() if name not in NOT_PARAMETERS and text.strip()}
    parameters, problems = read_all(definition, values, scope.now, scope.time_zone)
    shown = {**_shown(parameters, scope.time_zone), **({} if parameters is not None else values)}
    kind = type("ReportForm", (AskedForm,), dict(_fields(scope, definition)))
    form = kind(MultiDict(shown), scope=scope)
    form.others = []
    for field in form:
        vars(field).pop("required", None)  # each has a default: to say of all that they are optional tells nothing
    asked = Asked(definition, form, parameters, values)
    for problem in problems:
        asked.refuse(problem)
    return asked


def _fields(scope: Scope, definition: Definition) -> Iterator[tuple[str, Any]]:
    if Takes.PERIOD in definition.takes:
        yield "from", DateText("From")
        yield "to", DateText("To")
    if Takes.AS_OF in definition.takes:
        yield "as_of", DateText("As of", hint="What was true at the end of this day")
    if Takes.KNOWN_AT in definition.takes:
        yield "known_at", StringField("As known at", hint="A date, or date and time; empty: everything on record")
    if Takes.COMPARED_WITH in definition.takes:
        yield "compared_with", StringField("Compared with", hint="A date, or date and time; empty: the end of that day")
    if Takes.REQUIREMENT in definition.takes:
        yield "requirement", SelectField("Requirement", choices=requirement_options(scope.protocol_id, "All"))
    if Takes.PRESCRIBER in definition.takes:
        yield "prescriber", SelectField("Prescriber", choices=[("", "All"), *prescriber_options(scope)])
    if Takes.PERSON in definition.takes:
        people = [(str(row.public_id), row.name) for row in members(scope)]
        yield "person", SelectField("Person", choices=[("", "Everybody"), *people])
    for choice in definition.choices:
        yield choice.name, SelectField(choice.title, choices=list(choice.options.items()))


def prescriber_options(scope: Scope) -> list[tuple[str, str]]:
    """The prescribers of the clinic, also those who have left: their patients and past are asked about too."""
    return [
        (str(row.public_id), row.name if row.is_active else f"{row.name} (no longer here)")
        for row in prescribers(scope)
    ]


def _shown(parameters: Parameters | None, time_zone: str) -> dict[str, str]:
    """What stands in the fields for parameters that are right."""
    if parameters is None:
        return {}
    days = {"from": parameters.from_on, "to": parameters.to_on, "as_of": parameters.as_of}
    shown = {**parameters.as_json(), **{name: show_date(day) for name, day in days.items() if day is not None}}
    instants = {"known_at": parameters.known_at, "compared_with": parameters.compared_with}
    shown |= {name: _instant_text(at, time_zone) for name, at in instants.items() if at is not None}
    return shown


def _instant_text(instant: datetime, time_zone: str) -> str:
    """An instant so that reading it again gives the same one."""
    there = to_local(instant, time_zone)
    clock = there.time().replace(fold=0)
    whole_minute = not (clock.second or clock.microsecond)
    if whole_minute and not is_repeated(there.date(), clock, time_zone):
        return f"{show_date(there.date())} {there:%H:%M}"
    return instant.astimezone(UTC).isoformat()

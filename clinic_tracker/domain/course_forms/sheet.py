"""What a data sheet is made of. The page and the PDF draw this structure and hold no list of fields of their own."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from clinic_tracker.domain.vocabulary import FormKind

NOT_OFFICIAL = "Data of the clinic, laid out to copy or attach. Not the official form."

#: The names of the forms.
TITLES = {
    FormKind.PATIENT_STATUS_FORM: "Patient Status Form",
    FormKind.INFUSION_CHECKLIST: "Infusion Checklist",
    FormKind.PATIENT_ENROLLMENT_FORM: "Patient Enrollment Form",
    FormKind.PATIENT_AUTHORIZATION_FORM: "Patient Authorization and Baseline Lab Form",
    FormKind.PRESCRIPTION_ORDERING_FORM: "Prescription Ordering Form",
    FormKind.ADVERSE_EVENT_FORM: "Adverse Event Reporting Form",
}


class Place(StrEnum):
    """Where something that is missing can be filled in; the web layer knows the addresses."""

    PATIENT = "patient"
    PRESCRIBER = "prescriber"
    FACILITY = "facility"
    ENROLLMENT = "enrollment"
    COURSE = "course"
    AUTHORIZATION = "authorization"
    VERIFICATION = "verification"
    INFUSION = "infusion"
    RESULTS = "results"
    EXAMS = "exams"
    SENDING = "sending"


@dataclass(frozen=True, slots=True)
class Link:
    """A place, and the course, infusion or prescriber meant there."""

    place: Place
    ref: uuid.UUID | None = None


class Need(StrEnum):
    """What an empty field means."""

    REQUIRED = "required"  # the chart should know it: missing before the form can be sent
    OPTIONAL = "optional"  # nothing to say
    BY_HAND = "by_hand"  # not kept by the tracker: filled in on the official form
    ASKED = "asked"  # only a person can answer, and does so when the form is recorded as sent


@dataclass(frozen=True, slots=True)
class Field:
    """One line: a label and what is known. ``unconfirmed`` marks fields whose place on the real form was not seen."""

    label: str
    text: str
    need: Need = Need.OPTIONAL
    link: Link | None = None
    unconfirmed: bool = False

    @property
    def is_missing(self) -> bool:
        """Whether the chart should know it and does not."""
        return self.need is Need.REQUIRED and not self.text

    @property
    def shown(self) -> str:
        """The text; or why there is none. Page and PDF print this."""
        if self.text:
            return self.text
        match self.need:
            case Need.REQUIRED:
                return "Missing"
            case Need.BY_HAND:
                return "Fill in by hand"
            case Need.ASKED:
                return "Answered when it is sent"
            case Need.OPTIONAL:
                return "Not recorded"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows that belong together, such as the vital signs of a day."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    empty: str = "None recorded."


@dataclass(frozen=True, slots=True)
class Section:
    """A block of the sheet."""

    title: str
    fields: tuple[Field, ...] = ()
    tables: tuple[Table, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Missing:
    """Something to fill in before the form can be sent."""

    section: str
    label: str
    link: Link | None


@dataclass(frozen=True, slots=True)
class Sent:
    """A submission that stands, as the sheet tells of it."""

    submitted_on: str
    method: str
    confirmation: str
    signed_by: str
    recorded_by: str


class SheetState(StrEnum):
    """How far a form of a course is."""

    NOT_STARTED = "not_started"
    MISSING = "missing"
    READY = "ready"
    SENT = "sent"


@dataclass(frozen=True, slots=True)
class Sheet:
    """A data sheet: what the clinic knows of one form."""

    kind: FormKind
    about: str
    sections: tuple[Section, ...]
    started: bool = True
    sent: tuple[Sent, ...] = field(default=())

    @property
    def title(self) -> str:
        """The form with its course; never a name of a person."""
        named = f"Data for the {TITLES[self.kind]}"
        return f"{named}, {self.about}" if self.about else named

    @property
    def missing(self) -> tuple[Missing, ...]:
        """What the chart should know and does not, in the order of the sheet."""
        return tuple(
            Missing(section.title, item.label, item.link) for section, item in self._fields() if item.is_missing
        )

    @property
    def asked(self) -> tuple[str, ...]:
        """The questions that only a person can answer, still open."""
        return tuple(item.label for _section, item in self._fields() if item.need is Need.ASKED and not item.text)

    @property
    def state(self) -> SheetState:
        """Not started, something missing, ready, or sent."""
        if self.sent:
            return SheetState.SENT
        if not self.started:
            return SheetState.NOT_STARTED
        return SheetState.MISSING if self.missing else SheetState.READY

    def _fields(self) -> Iterator[tuple[Section, Field]]:
        for section in self.sections:
            for item in section.fields:
                yield section, item

"""What the data sheets are made from: the chart of one patient, as facts."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from clinic_tracker.domain.baseline_facts import Baseline
from clinic_tracker.domain.vocabulary import FormKind


class PatientFacts(NamedTuple):
    """Who the patient is. ``has_cervix`` None follows from the sex recorded at birth."""

    mrn: str
    rems_patient_id: str | None
    family_name: str
    given_name: str
    birth_date: date
    sex_at_birth: str
    has_cervix: bool | None
    phone: str | None
    email: str | None
    language: str | None


class PrescriberFacts(NamedTuple):
    """A prescriber, as far as the clinic keeps it."""

    public_id: uuid.UUID
    name: str
    npi: str | None
    rems_prescriber_id: str | None


class FacilityFacts(NamedTuple):
    """The clinic as a healthcare facility of the REMS, with its certification in force."""

    name: str
    time_zone: str
    rems_facility_id: str | None
    phone: str | None
    representative: str | None
    representative_trained_on: date | None
    certified_on: date | None


class EnrollmentFacts(NamedTuple):
    """The enrollment that holds."""

    prescriber: PrescriberFacts
    enrolled_on: date
    counseled_on: date | None
    guide_given_on: date | None
    card_given_on: date | None
    patient_signed_on: date | None
    prescriber_signed_on: date | None
    copy_given: bool
    rems_reference: str | None


class AuthorizationFacts(NamedTuple):
    """The authorization of a course that stands."""

    public_id: uuid.UUID
    prescriber: PrescriberFacts
    authorized_on: date
    expires_on: date | None
    rems_reference: str | None
    override_reason: str | None
    verified_on: date | None
    verified_method: str | None
    verified_by: str | None


class PauseFacts(NamedTuple):
    """An interruption."""

    paused_at: datetime
    resumed_at: datetime | None
    reason: str | None


class DrugFacts(NamedTuple):
    """A drug given around the infusion."""

    kind: str
    drug: str
    dose: str | None
    given_at: datetime
    ended_at: datetime | None


class VitalsFacts(NamedTuple):
    """One set of vital signs."""

    taken_at: datetime
    systolic: int | None
    diastolic: int | None
    pulse: int | None
    temperature: float | None
    respiratory_rate: int | None
    oxygen_saturation: int | None


class ReactionFacts(NamedTuple):
    """A reaction, with the day it belongs to."""

    public_id: uuid.UUID
    onset_at: datetime
    ticked: list[Any]
    signs: str
    grade: str
    is_serious: bool
    seriousness: list[Any]
    actions: list[Any]
    action: str | None
    drugs: str | None
    ending: str | None
    outcome: str | None
    resolved_at: datetime | None


@dataclass(frozen=True, slots=True)
class DayFacts:
    """One infusion that stands, with its parts."""

    public_id: uuid.UUID
    day_number: int
    infused_on: date
    time_zone: str
    dose_mg: float | None
    lot_number: str | None
    lot_expires_on: date | None
    started_at: datetime
    ended_at: datetime | None
    observation_minutes: int
    discharged_at: datetime | None
    discharged_by: str | None
    stroke_advice_given: bool
    late_reaction_advice_given: bool
    infection_excluded: bool | None
    contraindications_excluded: bool | None
    pauses: tuple[PauseFacts, ...] = ()
    drugs: tuple[DrugFacts, ...] = ()
    vitals: tuple[VitalsFacts, ...] = ()
    reactions: tuple[ReactionFacts, ...] = ()


@dataclass(frozen=True, slots=True)
class CourseFacts:
    """A course with its authorization, its days and the antiviral started for it."""

    public_id: uuid.UUID
    number: int
    planned_days: int
    planned_start_on: date | None
    discontinued_on: date | None
    discontinued_reason: str | None
    unused_vials: int | None
    vials_disposition: str | None
    prescriber: PrescriberFacts | None
    authorization: AuthorizationFacts | None = None
    days: tuple[DayFacts, ...] = ()
    antiviral: str | None = None
    antiviral_on: date | None = None
    baseline: Baseline | None = None

    @property
    def first_on(self) -> date | None:
        """The first infusion, or the day planned for it."""
        return self.days[0].infused_on if self.days else self.planned_start_on

    @property
    def reactions(self) -> tuple[tuple[DayFacts, ReactionFacts], ...]:
        """Every reaction of the course with its day, by onset."""
        found = [(day, reaction) for day in self.days for reaction in day.reactions]
        return tuple(sorted(found, key=lambda pair: pair[1].onset_at))


class SubmissionFacts(NamedTuple):
    """A form that was sent and stands."""

    public_id: uuid.UUID
    kind: FormKind
    course: int | None
    reaction: uuid.UUID | None
    submitted_on: date
    method: str | None
    confirmation: str | None
    signed_by: str | None
    recorded_by: str | None
    answers: Mapping[str, Any]


class DatedEvent(NamedTuple):
    """Something of the chart that a status form may have to tell."""

    on: date
    what: str
    detail: str


@dataclass(frozen=True, slots=True)
class FormFacts:
    """Everything about one patient that goes onto data sheets, as of the clinic's today."""

    today: date
    reporter: str
    steroid_days: int
    facility: FacilityFacts
    patient: PatientFacts
    prescriber: PrescriberFacts | None
    enrollment: EnrollmentFacts | None = None
    courses: tuple[CourseFacts, ...] = ()
    submissions: tuple[SubmissionFacts, ...] = ()
    last_tests: Mapping[str, date] = field(default_factory=dict)
    findings: tuple[DatedEvent, ...] = ()
    report_business_days: int = 1
    holidays: frozenset[int] = frozenset()

    def course(self, number: int) -> CourseFacts | None:
        """The course with this number."""
        return next((course for course in self.courses if course.number == number), None)

    def reaction(self, reaction: uuid.UUID) -> tuple[CourseFacts, DayFacts, ReactionFacts] | None:
        """A reaction with its day and course."""
        for course in self.courses:
            for day, row in course.reactions:
                if row.public_id == reaction:
                    return course, day, row
        return None

    def sent(
        self, kind: FormKind, course: int | None = None, reaction: uuid.UUID | None = None
    ) -> tuple[SubmissionFacts, ...]:
        """The submissions of a form that stand, newest first; of one course or reaction where one is named."""
        return tuple(
            row
            for row in self.submissions
            if row.kind == kind
            and (course is None or row.course == course)
            and (reaction is None or row.reaction == reaction)
        )

"""The parts of a protocol: requirements, settings, dosing, antiviral rule, pre-course checks, each with its source."""

from dataclasses import dataclass
from enum import StrEnum

from clinic_tracker.domain.vocabulary import Grade

#: Grades of values that a clinic may set for itself: nobody found an official number.
_EDITABLE = frozenset({Grade.R, Grade.C})


class Anchor(StrEnum):
    """What a requirement counts from."""

    COURSE_END = "course_end"  # the last infusion given in each course
    FIRST_INFUSION = "first_infusion"  # the first infusion of all
    LAST_EVIDENCE = "last_evidence"  # rolling: the examination before


class Closes(StrEnum):
    """When an occurrence can no longer be done."""

    NEXT_OPENS = "next_opens"  # missed when the next one opens
    NEVER = "never"  # stays owed


class AppliesTo(StrEnum):
    """Whom a requirement applies to."""

    EVERYONE = "everyone"
    WITH_CERVIX = "with_cervix"


class Unit(StrEnum):
    """Units of periods."""

    DAYS = "days"
    BUSINESS_DAYS = "business days"
    MONTHS = "months"


class EvidenceKind(StrEnum):
    """Which list of facts holds the evidence."""

    LAB = "lab"
    EXAM = "exam"
    FORM = "form"


@dataclass(frozen=True, slots=True)
class Period:
    """A length of time. ``setting`` names the setting it was taken from, if any."""

    count: int
    unit: Unit
    setting: str | None = None

    def __str__(self) -> str:
        return f"{self.count} {self.unit}" if self.count != 1 else f"1 {self.unit.removesuffix('s')}"


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a rule comes from and how well it is supported."""

    source: str
    url: str | None
    grade: Grade
    section: str  # ids of the requirements catalog, such as R-70

    @property
    def unconfirmed(self) -> bool:
        """Whether no official text was seen: to be confirmed before use, never quoted as the label."""
        return self.grade == Grade.R

    @property
    def local_convention(self) -> bool:
        """Whether the number is a convention, not part of any label."""
        return self.grade == Grade.C


@dataclass(frozen=True, slots=True)
class Cited:
    """Base of everything in a protocol that carries a citation."""

    citation: Citation

    @property
    def source(self) -> str:
        return self.citation.source

    @property
    def grade(self) -> Grade:
        return self.citation.grade

    @property
    def section(self) -> str:
        return self.citation.section

    @property
    def unconfirmed(self) -> bool:
        return self.citation.unconfirmed

    @property
    def local_convention(self) -> bool:
        return self.citation.local_convention


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting(Cited):
    """A number of the protocol. A clinic may change it only where no official number exists (grades R and C)."""

    name: str
    value: int
    default: int
    unit: str
    title: str
    help: str
    minimum: int
    maximum: int

    @property
    def editable(self) -> bool:
        return self.grade in _EDITABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement(Cited):
    """One thing that must be done again and again, or once a course."""

    code: str
    title: str
    explanation: str
    evidence_kind: EvidenceKind
    evidence: str
    anchor: Anchor
    slot: str
    first_due: Period
    every: Period | None
    opens: Period
    closes: Closes
    until: str | None
    applies_to: AppliesTo

    @property
    def periods(self) -> tuple[Period, ...]:
        """The periods of this requirement, to show which settings move it."""
        return tuple(period for period in (self.every or self.first_due, self.opens) if period.count)


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitoring(Cited):
    """How long monitoring goes on after the last infusion (R-85)."""

    tail_months: int
    explanation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dosing(Cited):
    """How much, on how many days, how far apart."""

    minimum_gap_months: int
    dose_mg: int
    first_course_days: int
    later_course_days: int
    maximum_courses: int | None

    def days_in(self, course_number: int) -> int:
        """Infusion days of that course (R-40 to R-42)."""
        return self.first_course_days if course_number == 1 else self.later_course_days


@dataclass(frozen=True, slots=True, kw_only=True)
class Antiviral(Cited):
    """When herpes prophylaxis may stop (R-61; E-08). ``cd4_minimum`` is None where time alone decides."""

    title: str
    explanation: str
    minimum_months: int
    cd4_minimum: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PreCourseCheck(Cited):
    """What must be on file before a course. ``window`` is how old it may be, None for any age."""

    code: str
    title: str
    explanation: str
    evidence: str
    courses: str  # "first" or "each"
    severity: str  # "block", "warn" or "advise"
    window: Period | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contraindication(Cited):
    """A condition in which the drug is not given; asked about before each infusion (R-18)."""

    code: str
    title: str

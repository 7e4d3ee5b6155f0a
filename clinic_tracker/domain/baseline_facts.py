"""What the baseline set of a course is judged from, and what the judgement looks like."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple, Self

from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.protocol import Protocol
from clinic_tracker.domain.vocabulary import ExamKind, Panel


class BaselineState(StrEnum):
    """How one item of the baseline set, or one check of readiness, stands towards the first day of the course."""

    MET = "met"
    MISSING = "missing"
    EXPIRED = "expired"
    EXPIRES_BEFORE_START = "expires_before_start"
    NOT_APPLICABLE = "not_applicable"
    TOO_SOON = "too_soon"  # a vaccine less than six weeks before the course
    CONTRAINDICATED = "contraindicated"  # a positive HIV test
    TO_CONFIRM = "to_confirm"  # to be decided, or confirmed on the day: a positive tuberculosis test
    EXCEEDED = "exceeded"  # more courses or days than there are


class Weight(StrEnum):
    """What an unmet item does: stop the course, warn, or only advise."""

    BLOCK = "block"
    WARN = "warn"
    ADVISORY = "advisory"


class LabDraw(NamedTuple):
    """A panel collected on a date. ``valid``: final or corrected, and complete; ``missing`` says why it is not."""

    panel: Panel
    collected_on: date
    valid: bool
    missing: str = ""
    reviewed_at: datetime | None = None


class ExamDone(NamedTuple):
    """An examination or screening with its outcome in one lower-case word (positive, negative, immune ...)."""

    kind: ExamKind
    on: date
    outcome: str = ""


class VaccineDose(NamedTuple):
    """One dose of a vaccine."""

    vaccine: str
    given_on: date


@dataclass(frozen=True, slots=True)
class BaselineFacts:
    """What is on file, for a course that starts or started on ``start_on``, seen on ``as_of``.

    ``on`` is the day of the course that is to be given, where it is a later one than the first.
    """

    course_number: int
    start_on: date
    as_of: date
    labs: tuple[LabDraw, ...] = ()
    exams: tuple[ExamDone, ...] = ()
    vaccines: tuple[VaccineDose, ...] = ()
    first_started_at: datetime | None = None
    on: date | None = None

    @property
    def known_until(self) -> date:
        """Up to which day a contraindication counts that was found, or a vaccine given, after the first day."""
        return self.start_on if self.on is None else max(self.start_on, self.on)


@dataclass(frozen=True, slots=True)
class BaselineSettings:
    """The windows, as the clinic's protocol sets them, and the codes of its pre-course checks.

    Without codes the set is that of the US protocol.
    """

    baseline_window_days: int = 30
    skin_baseline_months: int = 12
    tb_valid_months: int = 12
    hiv_valid_months: int = 12
    vaccine_gap_days: int = 42
    checks: frozenset[str] | None = None

    @classmethod
    def from_settings(cls, settings: Mapping[str, float]) -> Self:
        """The windows from the protocol's settings of the same names; other settings are left aside."""
        known = {field.name for field in fields(cls)} - {"checks"}
        windows: dict[str, Any] = {name: int(value) for name, value in settings.items() if name in known}
        return cls(**windows)

    @classmethod
    def from_protocol(cls, protocol: Protocol) -> Self:
        """The windows and the pre-course checks of a protocol: the EU asks for an ECG and for no protein ratio."""
        windows = cls.from_settings({name: setting.value for name, setting in protocol.settings.items()})
        return replace(windows, checks=frozenset(check.code for check in protocol.checks))


class BaselineItem(NamedTuple):
    """One item: its state, the fact it rests on, and the last first day of the course that this fact still covers."""

    code: str
    title: str
    requirement: str
    state: BaselineState
    weight: Weight
    collected_on: date | None
    expires_on: date | None
    words: str

    @property
    def is_unmet(self) -> bool:
        """Whether something is left to do or to decide."""
        return self.state not in (BaselineState.MET, BaselineState.NOT_APPLICABLE)


@dataclass(frozen=True, slots=True)
class Baseline:
    """The whole set. Laboratory tests count from ``window_opens_on`` to ``start_on``, both inclusive (R-20)."""

    items: tuple[BaselineItem, ...]
    window_opens_on: date
    start_on: date

    @property
    def complete(self) -> bool:
        """Whether nothing that blocks is open."""
        return not any(item.weight is Weight.BLOCK for item in self.unmet)

    @property
    def unmet(self) -> tuple[BaselineItem, ...]:
        """The open items, in the order of the set."""
        return tuple(item for item in self.items if item.is_unmet)

    @property
    def holds_until(self) -> date | None:
        """The latest first day that keeps every blocking item met; ``None`` if one is open or none ever lapses."""
        if not self.complete:
            return None
        met = [item for item in self.items if item.weight is Weight.BLOCK and item.state is BaselineState.MET]
        return min((item.expires_on for item in met if item.expires_on), default=None)

    def lapsing_by(self, start_on: date) -> tuple[BaselineItem, ...]:
        """The items met now that would lapse if the course started on that later day."""
        met = [item for item in self.items if item.state is BaselineState.MET]
        return tuple(item for item in met if item.expires_on and item.expires_on < start_on)


def validity(expires_on: date, start_on: date, as_of: date) -> BaselineState:
    """How a fact that covers a start until ``expires_on`` stands towards a start."""
    if expires_on >= start_on:
        return BaselineState.MET
    return BaselineState.EXPIRED if expires_on < as_of else BaselineState.EXPIRES_BEFORE_START


def validity_words(state: BaselineState, expires_on: date) -> str:
    """The same in words."""
    verb = {
        BaselineState.MET: "covers a start until",
        BaselineState.EXPIRED: "expired: covered a start until",
        BaselineState.EXPIRES_BEFORE_START: "expires before the start: covers a start until",
    }[state]
    return f"{verb} {show_date(expires_on)}."

"""What readiness is judged from: what is on file about a course, and what was confirmed on its day."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple, Self

from clinic_tracker.domain.baseline_facts import BaselineFacts, BaselineSettings, ExamDone, LabDraw, VaccineDose
from clinic_tracker.domain.dosing import InfusionDay
from clinic_tracker.domain.eligibility import age_on
from clinic_tracker.domain.protocol import Protocol
from clinic_tracker.domain.requirement import Contraindication
from clinic_tracker.domain.vocabulary import Sex

MINIMUM_AGE = 17  # safety below is not established
# Pregnancy is asked about at these ages, which no label names: a local convention.
PREGNANCY_AGES = range(11, 56)


def first_days(days: Sequence[date], resume_days: int) -> list[date]:
    """The first day of a course, and each one on which it went on after more than so many days (decision 16)."""
    late = [day for last, day in pairwise(days) if day - last > timedelta(days=resume_days)]
    return [*days[:1], *late]


class Span(NamedTuple):
    """A certification, an enrollment, a course of tablets: from a date on, to a date or open."""

    from_on: date | None
    to_on: date | None

    def covers(self, day: date) -> bool:
        """Whether the day lies in it."""
        return self.from_on is not None and self.from_on <= day and (self.to_on is None or day <= self.to_on)


class AuthorizationFact(NamedTuple):
    """The authorization of a course that stands."""

    authorized_on: date
    expires_on: date | None
    verified_on: date | None


class Answers(NamedTuple):
    """What is confirmed before each start (R-18, R-34, R-04); ``None`` is not asked."""

    infection_excluded: bool | None = None
    contraindications_excluded: bool | None = None
    pregnancy_excluded: bool | None = None
    equipment_ready: bool | None = None


class DayFacts(NamedTuple):
    """What is on record for one day of the course. ``steroid_at`` is when the earliest steroid was over."""

    on: date
    answers: Answers = Answers()
    started_at: datetime | None = None
    steroid_at: datetime | None = None
    vitals_at: datetime | None = None
    drug_checks: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadinessRules:
    """The numbers and checks of the protocol that readiness depends on, with the clinic's own settings."""

    baseline: BaselineSettings
    jurisdiction: str = "US"
    contraindications: tuple[Contraindication, ...] = ()
    maximum_courses: int | None = None
    min_gap_months: int = 12
    resume_days: int = 30
    steroid_days: int = 3
    pregnancy_test_days: int = 7
    drug_check_people: int = 0

    @classmethod
    def from_protocol(cls, protocol: Protocol) -> Self:
        """The rules of a protocol."""
        return cls(
            baseline=BaselineSettings.from_protocol(protocol),
            jurisdiction=protocol.jurisdiction,
            contraindications=protocol.contraindications,
            maximum_courses=protocol.dosing.maximum_courses,
            min_gap_months=protocol.dosing.minimum_gap_months,
            resume_days=protocol.value("resume_same_course_days"),
            steroid_days=protocol.value("steroid_days"),
            pregnancy_test_days=protocol.value("pregnancy_test_days"),
            drug_check_people=protocol.value("drug_check_people"),
        )

    def asks_for(self, check: str) -> bool:
        """Whether the protocol has this check before a course; without a list everything is asked for."""
        return self.baseline.checks is None or check in self.baseline.checks

    @property
    def has_rems(self) -> bool:
        """Whether courses are authorized in a program that certifies prescribers and facilities (E-01)."""
        return self.asks_for("authorization")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadinessFacts:
    """All that readiness depends on, for one course and one day; another day is judged from the same facts.

    ``recorded`` are all infusions of the patient that stand. ``as_of`` is the day of asking: it tells what has lapsed
    from what will.
    """

    on: date
    as_of: date
    course_number: int
    planned_days: int
    birth_date: date
    sex: Sex
    rules: ReadinessRules
    planned_start_on: date | None = None
    discontinued_on: date | None = None
    recorded: tuple[InfusionDay, ...] = ()
    first_started_at: datetime | None = None
    enrollments: tuple[Span, ...] = ()
    facility: tuple[Span, ...] = ()
    prescriber: Span | None = None
    authorization: AuthorizationFact | None = None
    labs: tuple[LabDraw, ...] = ()
    exams: tuple[ExamDone, ...] = ()
    vaccines: tuple[VaccineDose, ...] = ()
    antivirals: tuple[Span, ...] = ()
    day: DayFacts | None = field(default=None)

    @property
    def given(self) -> tuple[InfusionDay, ...]:
        """The days of this course, in order of date."""
        return tuple(sorted((one for one in self.recorded if one.course == self.course_number), key=lambda one: one.on))

    @property
    def start_on(self) -> date:
        """The first day of the course, against which windows are judged.

        That of a course under way is what was given; after more than ``resume_days`` without a dose the tests and the
        authorization are needed anew, and count for the day itself (decision 16). A course that is planned and not
        begun starts as planned, where the day lies in the plan.
        """
        given = [one.on for one in self.given if one.on < self.on]
        if given:
            return first_days([*given, self.on], self.rules.resume_days)[-1]
        planned = self.planned_start_on
        if planned is None or self.given or planned < self.as_of:
            return self.on
        return planned if planned <= self.on < planned + timedelta(days=self.planned_days) else self.on

    @property
    def day_number(self) -> int:
        """Which day of the course this day is, or would be if the days between are given."""
        for one in self.given:
            if one.on == self.on:
                return one.day_number
        before = [one for one in self.given if one.on < self.on]
        if before:
            last = max(before, key=lambda one: one.on)
            steps = (self.on - last.on).days if self.on > self.as_of else 1
            return min(max(one.day_number for one in before) + steps, self.planned_days)
        return min((self.on - self.start_on).days + 1, self.planned_days)

    @property
    def of_day(self) -> DayFacts:
        """What is on record for the day; nothing yet for any other day than the one that was read."""
        return self.day if self.day is not None and self.day.on == self.on else DayFacts(self.on)

    @property
    def age(self) -> int:
        """Completed years on the first day of the course."""
        return age_on(self.birth_date, self.start_on)

    @property
    def may_be_pregnant(self) -> bool:
        """Whether pregnancy is asked about: not in men, and not at ages at which it is not plausible (R-34)."""
        return self.rules.asks_for("pregnancy_excluded") and self.sex is not Sex.MALE and self.age in PREGNANCY_AGES

    @property
    def baseline(self) -> BaselineFacts:
        """The same, as the baseline set wants it."""
        return BaselineFacts(
            course_number=self.course_number,
            start_on=self.start_on,
            as_of=self.as_of,
            labs=self.labs,
            exams=self.exams,
            vaccines=self.vaccines,
            first_started_at=self.first_started_at if self.given and self.given[0].on == self.start_on else None,
            on=self.on,
        )

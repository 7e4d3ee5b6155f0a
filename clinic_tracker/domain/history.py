"""The history of one patient: everything that a schedule depends on, and what of it was known on a date."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Any

from clinic_tracker.domain.evidence import Evidence, Track, collect
from clinic_tracker.domain.facts import (
    VALID_STATUSES,
    CourseFact,
    ExamFact,
    FormFact,
    LabFact,
    WaiverFact,
    incomplete,
)

__all__ = [
    "VALID_STATUSES",
    "CourseFact",
    "ExamFact",
    "FormFact",
    "History",
    "LabFact",
    "WaiverFact",
    "incomplete",
]


@dataclass(frozen=True, slots=True)
class History:
    """The facts of one patient, and the valid evidence among them, arranged once when the history is made."""

    protocol: str
    has_cervix: bool
    courses: tuple[CourseFact, ...] = ()
    labs: tuple[LabFact, ...] = ()
    exams: tuple[ExamFact, ...] = ()
    forms: tuple[FormFact, ...] = ()
    waivers: tuple[WaiverFact, ...] = ()
    monitoring_closed_on: int | None = None
    evidence: Evidence = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "evidence", collect(self.labs, self.exams, self.forms))

    @classmethod
    def of_days(
        cls, lab_days: Mapping[str, Sequence[int]], exam_days: Mapping[str, Sequence[int]], **facts: Any
    ) -> "History":
        """A history of which of labs and exams only the days are known, in order: of valid results, of exams by kind.

        Enough for obligations, and much less to read than the reports; not for the antiviral, nor for "why?".
        """
        made = cls(**facts)
        labs = {panel: Track(days) for panel, days in lab_days.items()}
        exams = {kind: Track(days) for kind, days in exam_days.items()}
        object.__setattr__(made, "evidence", made.evidence._replace(labs=labs, exams=exams))
        return made

    @property
    def given(self) -> list[CourseFact]:
        """The courses with at least one infusion, by number."""
        return sorted((course for course in self.courses if course.infusion_days), key=attrgetter("number"))

    @property
    def closed_on(self) -> int | None:
        """The prescriber's sign-off, or None; one before the first infusion of the latest course does not count."""
        signed = self.monitoring_closed_on
        if signed is None:
            return None
        given = self.given
        return signed if given and signed >= min(given[-1].infusion_days) else None

    def known_on(self, day: int) -> "History":
        """The history without the facts dated after ``day``. Extensions and waivers always stay."""
        signed = self.monitoring_closed_on
        return replace(
            self,
            courses=tuple(
                course._replace(infusion_days=tuple(on for on in course.infusion_days if on <= day))
                for course in self.courses
            ),
            labs=tuple([lab for lab in self.labs if lab.collected <= day]),
            exams=tuple([exam for exam in self.exams if exam.on <= day]),
            forms=tuple([form for form in self.forms if form.submitted <= day]),
            monitoring_closed_on=signed if signed is not None and signed <= day else None,
        )

"""One patient's facts as plain values: what was infused, drawn, examined, submitted, waived and decided.

Dates are days (see ``calendar``). Every fact is an immutable tuple; ``ref`` is the id of the stored fact, or None for
facts read from a file. The order in which facts arrive carries no meaning.
"""

from operator import attrgetter
from typing import NamedTuple

from clinic_tracker.domain.vocabulary import ResultStatus

#: The only statuses under which a result is evidence (decision 13).
VALID_STATUSES = frozenset({ResultStatus.FINAL, ResultStatus.CORRECTED})

_INCOMPLETE = ":incomplete"


class LabFact(NamedTuple):
    """One report of one panel. A ``test`` that no protocol knows is kept, shown and evidence for nothing."""

    test: str
    collected: int
    status: str = ResultStatus.FINAL
    value: float | None = None
    ref: int | None = None


class ExamFact(NamedTuple):
    """One examination, on its day."""

    kind: str
    on: int
    ref: int | None = None


class FormFact(NamedTuple):
    """One submission of a REMS form; ``course`` for forms that belong to a course."""

    kind: str
    submitted: int
    course: int | None = None
    ref: int | None = None


class WaiverFact(NamedTuple):
    """A prescriber's documented exemption from one requirement, both days inclusive."""

    requirement: str
    from_day: int
    to_day: int


class CourseFact(NamedTuple):
    """A treatment course. Without infusions it is planned and counts for nothing yet."""

    number: int
    infusion_days: tuple[int, ...]
    monitoring_extended_to: int | None = None


class History(NamedTuple):
    """Everything the schedule of one patient depends on."""

    protocol: str
    has_cervix: bool
    courses: tuple[CourseFact, ...] = ()
    labs: tuple[LabFact, ...] = ()
    exams: tuple[ExamFact, ...] = ()
    forms: tuple[FormFact, ...] = ()
    waivers: tuple[WaiverFact, ...] = ()
    monitoring_closed_on: int | None = None

    @property
    def given(self) -> list[CourseFact]:
        """The courses with at least one infusion, by number."""
        return sorted((course for course in self.courses if course.infusion_days), key=attrgetter("number"))

    @property
    def closed_on(self) -> int | None:
        """The prescriber's sign-off, or None; one before the first infusion of the latest course does not count."""
        given, signed = self.given, self.monitoring_closed_on
        if signed is None or not given or signed < min(given[-1].infusion_days):
            return None
        return signed

    def known_on(self, day: int) -> "History":
        """The history without the facts dated after ``day``. Extensions and waivers always stay."""
        signed = self.monitoring_closed_on
        return self._replace(
            courses=tuple(
                course._replace(infusion_days=tuple(on for on in course.infusion_days if on <= day))
                for course in self.courses
            ),
            labs=tuple(lab for lab in self.labs if lab.collected <= day),
            exams=tuple(exam for exam in self.exams if exam.on <= day),
            forms=tuple(form for form in self.forms if form.submitted <= day),
            monitoring_closed_on=signed if signed is not None and signed <= day else None,
        )


def incomplete(panel: str) -> str:
    """The ``LabFact.test`` of a report that lacks part of its panel (a CBC without differential, a dipstick)."""
    return panel + _INCOMPLETE

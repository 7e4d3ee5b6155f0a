"""One patient's facts as plain values: what was infused, drawn, examined, submitted, waived and decided.

Dates are days (see ``calendar``). Every fact is an immutable tuple; ``ref`` is the id of the stored fact, or None for
facts read from a file. The order in which facts arrive carries no meaning.
"""

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


def incomplete(panel: str) -> str:
    """The ``LabFact.test`` of a report that lacks part of its panel (a CBC without differential, a dipstick)."""
    return panel + _INCOMPLETE


def complete_panel_of(test: str) -> str | None:
    """The panel that an incomplete report fell short of; None for any other test."""
    return test.removesuffix(_INCOMPLETE) if test.endswith(_INCOMPLETE) else None

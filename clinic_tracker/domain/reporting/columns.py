"""The columns of a report, each with its definition, and what a de-identified copy does with it."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a column holds: it decides type, format and alignment in every file and on the page."""

    TEXT = "text"
    CODE = "code"  # a word of a closed vocabulary
    COUNT = "count"
    NUMBER = "number"
    SHARE = "share"  # 0 to 1, shown as a percentage
    DATE = "date"
    MONTH = "month"  # the first day of the month
    INSTANT = "instant"
    YES_NO = "yes_no"


class Privacy(StrEnum):
    """What a de-identified copy does with a column."""

    OPEN = "open"  # stays
    PATIENT = "patient"  # becomes the study number: the first of a patient's columns
    IDENTITY = "identity"  # is left out: name, MRN, birth date, staff, free text
    # A date or instant of a patient: shifted, or days since the first infusion. A month is left out, and so are days
    # counted up to the day asked about, which with that day would tell the date.
    DATED = "dated"


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``definition`` is one sentence that says what the figure is and where it comes from.

    ``only`` is a choice and the values of it with which the column is there (always, where it is None). ``behind`` are
    the parameters with which the list behind the report shows what a figure of this column counts. ``totaled``: a count
    whose sum over all lines means something, and is printed. ``in_files_only``: what a page says in other ways.
    """

    name: str
    title: str
    kind: Kind
    definition: str
    privacy: Privacy = Privacy.OPEN
    totaled: bool = False
    only: tuple[str, tuple[str, ...]] | None = None
    behind: tuple[tuple[str, str], ...] | None = None
    in_files_only: bool = False

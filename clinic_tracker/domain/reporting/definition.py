"""One kind of report, and one report of that kind."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.reporting.columns import Column
from clinic_tracker.domain.reporting.formats import ReportFormat

OF_ONE_TABLE = (ReportFormat.CSV, ReportFormat.XLSX, ReportFormat.PDF, ReportFormat.JSON)


class Takes(StrEnum):
    """A parameter that a report can take beside the clinic."""

    PERIOD = "period"  # from and to, inclusive
    AS_OF = "as_of"  # the date on which the question is asked
    KNOWN_AT = "known_at"  # the instant whose knowledge answers it
    COMPARED_WITH = "compared_with"  # the earlier instant whose knowledge that is compared with
    REQUIREMENT = "requirement"
    PRESCRIBER = "prescriber"
    PATIENT = "patient"
    PERSON = "person"  # somebody who signs in, or signed in, to this clinic


@dataclass(frozen=True, slots=True)
class Choice:
    """A further parameter with a closed list of values: ``options`` maps each value to its words."""

    name: str
    title: str
    options: dict[str, str]
    default: str


@dataclass(frozen=True, slots=True)
class Definition:
    """A kind of report: what it answers (one sentence), what it takes, what it shows.

    ``notes`` are the sentences that a reader needs in order not to misread the figures, with sources and grades.
    ``behind`` is the report that lists what the figures of this one count. ``formats`` are the files it can be had as.
    """

    name: str
    title: str
    question: str
    columns: tuple[Column, ...]
    takes: frozenset[Takes] = frozenset()
    choices: tuple[Choice, ...] = ()
    permissions: tuple[Permission, ...] = (Permission.VIEW_REPORTS,)
    notes: tuple[str, ...] = ()
    behind: str | None = None
    formats: tuple[ReportFormat, ...] = OF_ONE_TABLE

    def columns_for(self, choices: Mapping[str, str]) -> tuple[Column, ...]:
        """The columns that a report has with these choices: a line has a cell for each of them."""
        return tuple(
            column for column in self.columns if column.only is None or choices.get(column.only[0]) in column.only[1]
        )


class Line(NamedTuple):
    """One line: a value for each column; whose it is, if it is about one patient (the key, and the public id).

    ``behind`` are the parameters with which the list behind the report shows what this line counts.
    """

    cells: tuple[Any, ...]
    patient_id: int | None = None
    patient: UUID | None = None
    behind: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """What stands above every report: enough to understand it, and to make it again."""

    name: str
    title: str
    question: str
    clinic: str
    time_zone: str
    as_of: date
    known_at: str | None  # an instant in the clinic's zone, None where nothing was held back
    parameters: tuple[tuple[str, str], ...]  # the filters in force, in words
    protocol: str  # title and version
    notes: tuple[str, ...] = ()
    deidentified: str | None = None


@dataclass(slots=True)
class Report:
    """A report being made: the lines are read once, as they come. ``expected`` is about how many there will be."""

    head: Head
    columns: tuple[Column, ...]
    lines: Iterable[Line]
    expected: int | None = None
    extra: dict[str, Any] = field(default_factory=dict)

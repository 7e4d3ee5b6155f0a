"""The words of the board of the infusion suite."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from clinic_tracker.domain.local_time import show_date
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.settings import setting
from clinic_tracker.queries.suite import Expected, Running, Suite


@dataclass(frozen=True, slots=True)
class RunningLine:
    """One patient in the suite."""

    row: Running
    group: str
    vitals_due_at: datetime
    vitals_late: bool

    @property
    def day_words(self) -> str:
        """Course 1, day 2 of 5."""
        return day_words(self.row)


@dataclass(frozen=True, slots=True)
class ExpectedLine:
    """One patient who is planned."""

    row: Expected
    note: str | None

    @property
    def day_words(self) -> str:
        """Course 1, day 2 of 5."""
        return day_words(self.row)


@dataclass(frozen=True, slots=True)
class Board:
    """The board, group by group."""

    planned: list[ExpectedLine]
    infusing: list[RunningLine]
    observing: list[RunningLine]
    observed: list[RunningLine]
    never_signed_out: list[RunningLine]
    discharged: list[RunningLine]
    next_out_at: datetime | None

    @property
    def is_empty(self) -> bool:
        """Whether nobody is planned, present or forgotten today."""
        groups = (self.planned, self.infusing, self.observing, self.observed, self.never_signed_out, self.discharged)
        return not any(groups)

    @property
    def present(self) -> int:
        """How many are in the suite now."""
        return len(self.infusing) + len(self.observing) + len(self.observed)


def board(scope: Scope, suite: Suite) -> Board:
    """The suite in words."""
    every = timedelta(minutes=setting(scope, "vitals_every_min"))

    def lines(rows: tuple[Running, ...], group: str) -> list[RunningLine]:
        return [_line(scope, row, group, every) for row in rows]

    return Board(
        planned=[_expected(scope, row) for row in suite.planned],
        infusing=lines(suite.infusing, "infusing"),
        observing=lines(suite.observing, "observing"),
        observed=lines(suite.observed, "observed"),
        never_signed_out=lines(suite.never_signed_out, "never_signed_out"),
        discharged=lines(suite.discharged, "discharged"),
        next_out_at=suite.next_out_at,
    )


def day_words(row: Running | Expected) -> str:
    """Course 1, day 2 of 5."""
    return f"Course {row.course_number}, day {row.day_number} of {row.planned_days}"


def _line(scope: Scope, row: Running, group: str, every: timedelta) -> RunningLine:
    due = max(row.vitals_at or row.started_at, row.started_at) + every
    return RunningLine(row, group, due, due <= scope.now and group in {"infusing", "observing"})


def _expected(scope: Scope, row: Expected) -> ExpectedLine:
    note = None if row.expected_on == scope.today else f"was planned for {show_date(row.expected_on)}"
    return ExpectedLine(row, note)

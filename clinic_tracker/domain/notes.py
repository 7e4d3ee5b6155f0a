"""What a rule says about an entry as a whole: every refusal, deviation and remark at once."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from clinic_tracker.domain.errors import RuleViolation


class Severity(StrEnum):
    """Refused; recorded only with a reason; or merely shown."""

    REFUSE = "refuse"
    DEVIATION = "deviation"
    NOTE = "note"


class Note(NamedTuple):
    """One sentence about one field, and the requirement it comes from (R-48)."""

    code: str
    field: str | None
    message: str
    requirement: str
    severity: Severity
    needs_prescriber: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """All that the rules say about one entry, in the order in which a page shows it."""

    notes: tuple[Note, ...] = ()

    def __add__(self, other: "Verdict") -> "Verdict":
        return Verdict(self.notes + other.notes)

    @property
    def refusals(self) -> tuple[Note, ...]:
        """What cannot be recorded as it stands."""
        return self._of(Severity.REFUSE)

    @property
    def deviations(self) -> tuple[Note, ...]:
        """What can be recorded only with a reason."""
        return self._of(Severity.DEVIATION)

    @property
    def remarks(self) -> tuple[Note, ...]:
        """What is worth showing and blocks nothing."""
        return self._of(Severity.NOTE)

    @property
    def needs_reason(self) -> bool:
        """Whether a documented reason is required."""
        return bool(self.deviations)

    @property
    def needs_prescriber(self) -> bool:
        """Whether that reason has to be a prescriber's."""
        return any(note.needs_prescriber for note in self.deviations)

    def raise_if_refused(self) -> None:
        """Raise the first refusal as ``RuleViolation``; do nothing if there is none."""
        for note in self.refusals:
            raise RuleViolation(note.code, note.field, note.message)

    def _of(self, severity: Severity) -> tuple[Note, ...]:
        return tuple(note for note in self.notes if note.severity is severity)


def refuse(code: str, field: str | None, message: str, requirement: str) -> Note:
    """A note that refuses the entry."""
    return Note(code, field, message, requirement, Severity.REFUSE)


def deviation(code: str, field: str | None, message: str, requirement: str, *, by_prescriber: bool = False) -> Note:
    """A note that asks for a reason, a prescriber's one if ``by_prescriber``."""
    return Note(code, field, message, requirement, Severity.DEVIATION, by_prescriber)


def remark(code: str, field: str | None, message: str, requirement: str) -> Note:
    """A note that is only shown."""
    return Note(code, field, message, requirement, Severity.NOTE)

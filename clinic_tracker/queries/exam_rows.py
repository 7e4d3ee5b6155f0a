"""An exam or a screening as read, with who recorded it and who reviewed it."""

import json
import uuid
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any, ClassVar

from clinic_tracker.domain.exam_findings import exam_findings
from clinic_tracker.domain.vocabulary import FactState

_DIGEST = 16


@dataclass(frozen=True, slots=True)
class Attribution:
    """Who recorded a fact, and who ended it, when and why."""

    state: str
    recorded_by: str | None
    recorded_at: datetime
    recorded_via: str
    withdrawn_by: str | None
    withdrawn_at: datetime | None
    withdrawn_reason: str | None

    @property
    def stands(self) -> bool:
        """Whether the fact was neither corrected nor entered in error."""
        return self.state == FactState.RECORDED


@dataclass(frozen=True, slots=True)
class ExamReview:
    """Whether an exam is to be reviewed, and who did. One with a finding is, and any that a laboratory sent."""

    patient_id: int
    worst_level: str | None
    inbound_result_id: int | None
    reviewed_at: datetime | None
    reviewed_by: str | None
    note: str | None

    @property
    def is_asked(self) -> bool:
        """Whether somebody is to review it at all."""
        return self.worst_level is not None or self.inbound_result_id is not None


@dataclass(frozen=True, slots=True)
class ExamRow:
    """An exam or screening on record. What it shares with a report it calls by the same names."""

    id: int
    public_id: uuid.UUID
    kind: str
    performed_on: date
    outcome: str
    examiner: str | None
    method: str | None
    note: str | None
    replaces_id: int | None
    entry: Attribution
    review: ExamReview
    in_sample: ClassVar[bool] = False  # closing by itself is for reports alone
    auto_reviewed: ClassVar[bool] = False

    @property
    def patient_id(self) -> int:
        """The key of the patient."""
        return self.review.patient_id

    @property
    def inbound_result_id(self) -> int | None:
        """The result of a message that it came with."""
        return self.review.inbound_result_id

    @property
    def collected_on(self) -> date:
        """The day of the exam."""
        return self.performed_on

    @property
    def recorded_at(self) -> datetime:
        """When it came, which starts the clock of its review."""
        return self.entry.recorded_at

    @property
    def stands(self) -> bool:
        """Whether it was neither corrected nor withdrawn."""
        return self.entry.stands

    @property
    def worst_level(self) -> str | None:
        """How loud its finding is."""
        return self.review.worst_level

    @property
    def reviewed_at(self) -> datetime | None:
        """When it was signed off."""
        return self.review.reviewed_at

    @property
    def reviewed_by(self) -> str | None:
        """Who signed it off."""
        return self.review.reviewed_by

    @property
    def review_note(self) -> str | None:
        """What was noted with the sign-off."""
        return self.review.note

    @property
    def findings(self) -> list[dict[str, Any]]:
        """What it calls for, in the form in which reports keep their findings."""
        return [found.as_json() for found in exam_findings(self.kind, self.outcome, self.performed_on)]

    @property
    def told(self) -> tuple[dict[str, Any], ...]:
        """The same; nothing is told twice."""
        return tuple(self.findings)

    @property
    def digest(self) -> str:
        """What a person saw of the exam: it differs as soon as what it says or the state does."""
        seen = (self.entry.state, self.kind, self.performed_on.isoformat(), self.outcome, self.method, self.note)
        return sha256(json.dumps(seen).encode()).hexdigest()[:_DIGEST]

"""Rows of the treatment pages, as read."""

import uuid
from datetime import date, datetime
from typing import Any, NamedTuple

from clinic_tracker.domain.vocabulary import FactState


class CourseRow(NamedTuple):
    """One course as planned."""

    id: int
    public_id: uuid.UUID
    number: int
    planned_days: int
    planned_start_on: date | None
    prescriber_id: int | None
    prescriber_public_id: uuid.UUID | None
    prescriber_name: str | None
    note: str | None
    discontinued_on: date | None
    discontinued_reason: str | None
    unused_vials: int | None
    vials_disposition: str | None
    version: int
    planned_at: datetime
    planned_by: str | None


class AuthorizationRow(NamedTuple):
    """One authorization of a course."""

    id: int
    public_id: uuid.UUID
    course_id: int
    state: str
    authorized_on: date
    planned_start_on: date | None
    expires_on: date | None
    baseline: list[dict[str, Any]]
    prescriber_name: str
    rems_reference: str | None
    override_reason: str | None
    note: str | None
    verified_on: date | None
    verified_method: str | None
    verified_by: str | None
    recorded_at: datetime
    recorded_by: str | None
    withdrawn_at: datetime | None
    withdrawn_by: str | None
    withdrawn_reason: str | None

    @property
    def stands(self) -> bool:
        """Whether it was neither replaced nor withdrawn."""
        return self.state == FactState.RECORDED


class InfusionRow(NamedTuple):
    """One infusion; also one that was corrected or entered in error."""

    id: int
    public_id: uuid.UUID
    course_id: int
    state: str
    day_number: int
    infused_on: date
    dose_mg: float | None
    lot_number: str | None
    lot_expires_on: date | None
    diluted_at: datetime | None
    started_at: datetime
    ended_at: datetime | None
    observation_minutes: int
    discharged_at: datetime | None
    early_discharge_reason: str | None
    is_back_entry: bool
    recorded_via: str
    nurse_name: str | None
    discharged_by: str | None
    replaces_id: int | None
    recorded_at: datetime
    recorded_by: str | None
    withdrawn_at: datetime | None
    withdrawn_by: str | None
    withdrawn_reason: str | None

    @property
    def stands(self) -> bool:
        """Whether it was neither replaced nor entered in error."""
        return self.state == FactState.RECORDED


class ProphylaxisRow(NamedTuple):
    """One antiviral prophylaxis."""

    id: int
    public_id: uuid.UUID
    course_id: int | None
    state: str
    drug: str
    dose: str | None
    started_on: date
    stopped_on: date | None
    stop_reason: str | None
    note: str | None
    stopped_by: str | None
    recorded_at: datetime
    recorded_by: str | None
    withdrawn_at: datetime | None
    withdrawn_by: str | None
    withdrawn_reason: str | None

    @property
    def stands(self) -> bool:
        """Whether it was neither replaced nor entered in error."""
        return self.state == FactState.RECORDED

    def covers(self, day: date) -> bool:
        """Whether it was taken on that day."""
        return self.stands and self.started_on <= day and (self.stopped_on is None or day <= self.stopped_on)


class DeviationRow(NamedTuple):
    """One departure from the protocol, with its reason."""

    id: int
    course_id: int | None
    infusion_id: int | None
    code: str
    requirement: str | None
    message: str
    reason: str
    occurred_on: date
    recorded_at: datetime
    recorded_by: str | None


class PrescriberChoice(NamedTuple):
    """A prescriber to choose, with the certification."""

    id: int
    public_id: uuid.UUID
    name: str
    certified_on: date | None
    certification_ends_on: date | None
    user_id: int | None

    def is_certified(self, on: date) -> bool:
        """Whether the certification holds on that day."""
        return (
            self.certified_on is not None
            and self.certified_on <= on
            and (self.certification_ends_on is None or on <= self.certification_ends_on)
        )

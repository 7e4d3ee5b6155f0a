"""One requirement of one patient as it stands: the item of a worklist, and the columns that it is read from."""

from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import and_, func, select

from clinic_tracker.domain.vocabulary import StandingState
from clinic_tracker.models.schedule import Obligation, PatientSchedule, Standing
from clinic_tracker.queries.outreach import ContactMark
from clinic_tracker.queries.scope import Scope


class OwedItem(NamedTuple):
    """One requirement of a patient. ``is_listed`` is false for what is owed too but did not put the row on the list."""

    requirement: str
    anchor: int | None
    occurrence: int | None
    opens_on: date | None
    next_due_on: date | None
    last_done_on: date | None
    missed_in_a_row: int
    is_closed: bool
    is_listed: bool = True
    contact: ContactMark | None = None

    def state(self, as_of: date) -> StandingState:
        """Where the patient stands with it on a date."""
        if self.is_closed:
            return StandingState.CLOSED
        if self.next_due_on is None or self.opens_on is None:
            return StandingState.COMPLETE
        if self.next_due_on < as_of:
            return StandingState.OVERDUE
        return StandingState.DUE if self.opens_on <= as_of else StandingState.UP_TO_DATE

    def days_overdue(self, as_of: date) -> int:
        """Days since the due date; 0 while it is not overdue."""
        return max(0, (as_of - self.next_due_on).days) if self.next_due_on and not self.is_closed else 0


def item_columns(scope: Scope, as_of: date | None = None) -> list[Any]:
    """The columns of an ``OwedItem`` up to ``is_closed``, from ``standing`` and ``patient_schedule``."""
    day = as_of or scope.today
    # The slots since the one owed that have closed without evidence: the same count as domain/status.py makes.
    missed = (
        select(func.count())
        .select_from(Obligation)
        .where(
            Obligation.patient_id == Standing.patient_id,
            Obligation.requirement == Standing.requirement,
            Obligation.due_on >= Standing.next_due_on,
            Obligation.closes_on < day,
            Obligation.done_on.is_(None),
            Obligation.waived.is_(False),
        )
        .correlate(Standing)
        .scalar_subquery()
    )
    closed_on = PatientSchedule.monitoring_closed_on
    return [
        Standing.requirement, Standing.anchor, Standing.occurrence, Standing.opens_on, Standing.next_due_on,
        Standing.last_done_on, missed.label("missed"), and_(closed_on.is_not(None), closed_on <= day).label("closed"),
    ]  # fmt: skip

"""What a date makes of stored dates: the status of an obligation, the state of a standing, the end of monitoring."""

from collections.abc import Iterable

from clinic_tracker.domain.obligation import Forecast, Obligation, Standing
from clinic_tracker.domain.protocol import Protocol
from clinic_tracker.domain.requirement import EvidenceKind
from clinic_tracker.domain.vocabulary import ObligationStatus, StandingState

_OPEN = frozenset({ObligationStatus.DUE, ObligationStatus.OVERDUE})


def obligation_status(obligation: Obligation, as_of: int) -> ObligationStatus:
    """The status on a date. Overdue begins on the day after the due date: the label gives no tolerance (decision 6)."""
    if obligation.done is not None:
        return ObligationStatus.DONE
    if obligation.waived:
        return ObligationStatus.WAIVED
    if as_of < obligation.opens:
        return ObligationStatus.UPCOMING
    if as_of <= obligation.due:
        return ObligationStatus.DUE
    if obligation.closes is None or as_of <= obligation.closes:
        return ObligationStatus.OVERDUE
    return ObligationStatus.MISSED


def days_late(obligation: Obligation, as_of: int) -> int | None:
    """Days from the due date to the evidence or, while overdue, to the date; None for every other status."""
    if obligation.done is not None:
        return max(0, obligation.done - obligation.due)
    if obligation_status(obligation, as_of) is ObligationStatus.OVERDUE:
        return as_of - obligation.due
    return None


def standing_state(standing: Standing, as_of: int, closed_on: int | None = None) -> StandingState:
    """The state on a date; ``closed_on`` is the prescriber's sign-off, from which day on everything is closed."""
    if closed_on is not None and as_of >= closed_on:
        return StandingState.CLOSED
    if standing.next_due is None:
        return StandingState.COMPLETE
    if as_of > standing.next_due:
        return StandingState.OVERDUE
    if standing.opens is not None and as_of >= standing.opens:
        return StandingState.DUE
    return StandingState.UP_TO_DATE


def missed_in_a_row(standing: Standing, obligations: Iterable[Obligation], as_of: int) -> int:
    """How many slots were missed since the one owed first; nothing but evidence, a waiver or the sign-off ends the row.

    ``obligations`` may be those of the whole patient.
    """
    owed_since = standing.next_due
    if owed_since is None:
        return 0
    return sum(
        obligation.requirement == standing.requirement
        and obligation.due >= owed_since
        and obligation.closes is not None
        and obligation.closes < as_of
        and obligation.is_left
        for obligation in obligations
    )


def monitoring_complete(forecast: Forecast, protocol: Protocol, as_of: int) -> bool:
    """Whether the end of monitoring has passed and no laboratory test of a course can still be done."""
    if forecast.monitoring_ends is None or as_of <= forecast.monitoring_ends:
        return False
    labs = {item.code for item in protocol.requirements if item.evidence_kind is EvidenceKind.LAB}
    return not any(
        obligation.requirement in labs and obligation_status(obligation, as_of) in _OPEN
        for obligation in forecast.obligations
    )

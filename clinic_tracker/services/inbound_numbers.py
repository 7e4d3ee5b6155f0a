"""What stands under a number that comes again: for the same report, for another one, or for a part of a panel."""

from collections.abc import Collection, Sequence
from datetime import timedelta

from clinic_tracker.domain.lab_reading import WITHOUT_VALUES
from clinic_tracker.domain.messages import ReportState
from clinic_tracker.domain.vocabulary import InboundState
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import inbound_corrections as corrections
from clinic_tracker.services.inbound_chart import Arrival, Chart, Charts, Prior, latest_of

SAME_DRAW = timedelta(days=7)  # a day of collection that is put right is near the first one
USED_AGAIN = (
    "The laboratory used this number before, for another patient or another day, and does not call this a correction. "
    "Whoever says whose it is puts it in the place of what stands under the number."
)
_TAKES_NOTHING = frozenset({ReportState.CORRECTED, ReportState.ORDERED, ReportState.COLLECTED, ReportState.PENDING})


def used_again(scope: Scope, chart: Chart, arrival: Arrival, priors: Sequence[Prior]) -> bool:
    """Whether a report that is not called a correction would take away one of another patient or of a day far off.

    What a person put on the chart is not asked about again.
    """
    report = arrival.report
    if arrival.row.get("matched_how") is None or report.state in _TAKES_NOTHING:
        return False
    before = latest_of(scope, (prior for prior in priors if prior.sent.state not in WITHOUT_VALUES))
    if before is None or before.sent.state is ReportState.CANCELLED:
        return False
    if before.patient_id != chart.id:
        return True
    if report.state not in (ReportState.FINAL, ReportState.PRELIMINARY):
        return False
    day, day_before = report.collected_on, before.sent.collected_on
    return day is not None and day_before is not None and abs(day - day_before) > SAME_DRAW


def leave_to_a_person(scope: Scope, arrival: Arrival) -> None:
    """Let a report wait among the unmatched, its later versions with it."""
    row = arrival.row
    row["state"], row["patient_id"] = InboundState.UNMATCHED.value, None
    row["matched_how"], row["matched_at"] = None, scope.now
    row["problems"] = [*row["problems"], {"kind": "field", "where": "", "message": USED_AGAIN}]


def stands_alone(scope: Scope, source_id: int, latest: Sequence[Prior]) -> bool:
    """Whether earlier versions are no part of a panel with others, and nothing stands of them but incomplete panels."""
    if any(len(prior.together) > 1 for prior in latest):
        return False
    keys = {prior.key for prior in latest}
    reports = corrections.standing_reports(scope, source_id, keys).values()
    return not any(row.is_complete for row in reports) and not corrections.standing_exams(scope, source_id, keys)


def give_way(scope: Scope, source_id: int, charts: Charts, chart: Chart, keys: Collection[str]) -> None:
    """Withdraw what stands of these numbers by themselves: it is part of a panel with others now."""
    for row in corrections.standing_reports(scope, source_id, keys).values():
        reason = corrections.NEWER if row.patient_id == chart.id else corrections.MOVED
        corrections.withdraw_all(scope, charts, [row], reason)

"""Which reports of a message are parts of one panel: a blood count in one, its differential in another."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from clinic_tracker.domain.messages import Observed, ReportState, SentReport

_RANK = {state: rank for rank, state in enumerate(ReportState)}
_FIRST = datetime.min.replace(tzinfo=UTC)
_NOT_MERGED = frozenset(
    {ReportState.CANCELLED, ReportState.REJECTED, ReportState.ORDERED, ReportState.COLLECTED, ReportState.PENDING}
)

Contents = Callable[[SentReport], frozenset[tuple[str, str]]]


def version(report: SentReport, issued_at: datetime | None) -> tuple[datetime, int]:
    """Orders the versions of one report: by when they were issued, then by how far they are."""
    return issued_at or _FIRST, _RANK[report.state]


def groups(reports: Sequence[SentReport], contents: Contents) -> list[list[int]]:
    """The places of the reports that belong together, in their order; most are alone.

    ``contents`` gives (panel, analyte) of a report. Two of one draw that hold different analytes of one panel are parts
    of it; two that hold the same analyte are two reports.
    """
    if len(reports) == 1:
        return [[0]]
    found: list[list[int]] = []
    held = [
        contents(report) if report.state not in _NOT_MERGED and report.values else frozenset() for report in reports
    ]
    for place, report in enumerate(reports):
        home = next(
            (
                group
                for group in found
                if held[place]
                and report.key
                and all(drawn_together(reports[other], report) for other in group)
                and complements(held[place], [held[other] for other in group])
            ),
            None,
        )
        if home is None:
            found.append([place])
        else:
            home.append(place)
    return found


def drawn_together(one: SentReport, other: SentReport) -> bool:
    """Whether two reports are of one draw: one specimen, one instant, or one order on one day."""
    if one.collected_on != other.collected_on or one.key == other.key or not one.key:
        return False
    if one.specimen and other.specimen:
        return one.specimen == other.specimen
    if one.collected_at and other.collected_at:
        return one.collected_at == other.collected_at
    return bool(one.order_key) and one.order_key == other.order_key


def surely_drawn_together(one: SentReport, other: SentReport) -> bool:
    """Whether two reports of two messages are of one draw for certain: one specimen, or one order at one instant."""
    at_odds = one.collected_at and other.collected_at and one.collected_at != other.collected_at
    if at_odds or one.collected_on is None or not drawn_together(one, other):
        return False
    if one.specimen and other.specimen:
        return True
    same_order = bool(one.order_key) and one.order_key == other.order_key
    return same_order and one.collected_at is not None and one.collected_at == other.collected_at


def merged(reports: Sequence[SentReport]) -> SentReport:
    """Several parts as one report; each line keeps how far its own report is."""
    if len(reports) == 1:
        return reports[0]
    first = reports[0]
    states = {report.state for report in reports}
    return replace(
        first,
        codes=tuple(dict.fromkeys(coded for report in reports for coded in report.codes)),
        state=ReportState.PRELIMINARY if states == {ReportState.PRELIMINARY} else ReportState.FINAL,
        issued_at=max((report.issued_at for report in reports if report.issued_at), default=None),
        values=tuple(_as_of_report(report, line) for report in reports for line in report.values),
        notes=tuple(dict.fromkeys(note for report in reports for note in report.notes)),
    )


def state_of_line(report: SentReport, line: Observed) -> ReportState:
    """How far a line is: what is said of it, unless the whole report is not as far."""
    if report.state in (ReportState.PRELIMINARY, ReportState.CANCELLED):
        return line.state if line.state in _NOT_MERGED else report.state
    if report.state is ReportState.CORRECTED and line.state is ReportState.FINAL:
        return ReportState.CORRECTED
    return line.state


def _as_of_report(report: SentReport, line: Observed) -> Observed:
    return line._replace(state=state_of_line(report, line))


def complements(held: frozenset[tuple[str, str]], others: Sequence[frozenset[tuple[str, str]]]) -> bool:
    """Whether a part adds to a panel of the others and repeats nothing of them."""
    there = frozenset().union(*others)
    panels = {panel for panel, _ in there}
    return not held & there and any(panel in panels for panel, _ in held)

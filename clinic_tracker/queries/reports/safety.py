"""The safety of infusion days, month by month."""

from collections.abc import Iterator
from datetime import timedelta

from clinic_tracker.domain.local_time import add_months
from clinic_tracker.domain.observation import Observed
from clinic_tracker.domain.reporting.columns import Column, Kind
from clinic_tracker.domain.reporting.definition import Definition, Line, Takes
from clinic_tracker.domain.reporting.parameters import Parameters
from clinic_tracker.domain.vocabulary import ReactionGrade
from clinic_tracker.queries.reports import observation
from clinic_tracker.queries.reports.people import first_day, last_day
from clinic_tracker.queries.safety import safety_by_month
from clinic_tracker.queries.scope import Scope


def _count(name: str, title: str, definition: str, show: str | None = None) -> Column:
    behind = (("show", show),) if show else None
    return Column(name, title, Kind.COUNT, definition, totaled=True, behind=behind)


_GRADES = tuple(
    _count(grade.value, grade.replace("_", " ").capitalize(), f"Reactions of the grade {grade.replace('_', ' ')}.")
    for grade in ReactionGrade
)

DEFINITION = Definition(
    name="safety",
    title="Safety of infusion days",
    question="How many infusions were there in each month, were they observed in full, and which reactions were there?",
    columns=(
        Column("month", "Month", Kind.MONTH, "Month of the infusion, by its local date."),
        _count("infusions", "Infusions", "Infusions given.", "all"),
        _count("complete", "Observed in full", "At least the required minutes to the discharge.", Observed.COMPLETE),
        _count("short", "Cut short", "Discharged before the required minutes were over.", Observed.CUT_SHORT),
        _count("unknown", "Not recorded", "No end of the infusion or no discharge is on file.", Observed.NOT_RECORDED),
        Column("share", "Share in full", Kind.SHARE, "Observed in full, among those in full and cut short."),
        _count("deviations", "Deviations", "Departures recorded with an infusion, by the day they occurred."),
        *_GRADES,
        _count("reactions", "Reactions", "Reactions of any grade, by the day of their infusion."),
        _count("serious", "Serious", "Reactions that meet a criterion of seriousness."),
    ),
    takes=frozenset({Takes.PERIOD}),
    notes=(
        "At least 2 hours of observation after each infusion (R-48, label, A; setting observation_min).",
        "Departures of a course rather than an infusion are in the report of deviations, not here.",
        "A first or last month of which the period holds some days only is counted for these days.",
    ),
    behind=observation.DEFINITION.name,
)


def lines(scope: Scope, parameters: Parameters) -> Iterator[Line]:
    """A line for each month of the period, also for one without infusions."""
    first, last = first_day(parameters), last_day(parameters)
    for row in safety_by_month(scope, first, last):
        cells = (
            row.month,
            row.infusions,
            row.observed,
            row.short,
            row.unknown,
            row.share_observed,
            row.departures,
            *(row.reactions[grade] for grade in ReactionGrade),
            row.reactions_total,
            row.serious,
        )
        ends = add_months(row.month, 1) - timedelta(days=1)
        span = {"from": max(row.month, first).isoformat(), "to": min(ends, last).isoformat()}
        yield Line(cells, behind=span)

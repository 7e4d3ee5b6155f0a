"""How much was on time, month by month: a small chart for each requirement, and a map of all."""

from collections.abc import Mapping
from datetime import date, timedelta

from clinic_tracker.domain.compliance import Outcome, Tally
from clinic_tracker.domain.reporting.span import Span, last_of
from clinic_tracker.queries.dashboard.on_time import Tallies, by_month
from clinic_tracker.queries.scope import Scope
from clinic_tracker.web.charts.canvas import month_name
from clinic_tracker.web.charts.figure import Cell, Figure, Key, Table, table_of
from clinic_tracker.web.charts.heat_map import NOTHING, STEPS, heat_map
from clinic_tracker.web.charts.lines import Point, share_chart
from clinic_tracker.web.dashboard.links import obligations_url
from clinic_tracker.web.requirement_words import full_title, short_title, title_order

ALL = "All requirements"
NONE = "-"
ByMonth = Mapping[date, Tally]


def percent(share: float | None) -> str:
    """A share as a percentage with one decimal; a dash where nothing was expected."""
    return NONE if share is None else f"{share:.1%}"


def on_time(tally: Tally | None) -> float | None:
    """The share on time of a month in which something may have fallen due."""
    return tally.share(Outcome.ON_TIME) if tally is not None else None


def trend_figures(scope: Scope, span: Span, tallies: Tallies, grace: int) -> tuple[Figure, ...]:
    """All requirements together, then each of which anything fell due."""
    codes = sorted({code for code, _ in tallies}, key=title_order)
    return tuple(_trend(span, code, by_month(scope, tallies, code), open_from(span, grace)) for code in (None, *codes))


def open_from(span: Span, grace: int) -> date:
    """The first month that is not settled: something due in it may still be done in time."""
    settled = span.today - timedelta(days=grace)
    return next((first for first in span.firsts if last_of(first) >= settled), span.today)


def _trend(span: Span, code: str | None, months: ByMonth, unsettled: date) -> Figure:
    title = ALL if code is None else full_title(code)
    points = [_point(first, months.get(first), is_open=first >= unsettled) for first in span.firsts]
    whole = sum(months.values(), start=Tally())
    share = percent(on_time(whole))
    words = f"{title}, on time by month from {month_name(span.first)} to {month_name(span.firsts[-1])}: "
    values = [point.value for point in points if point.value is not None]
    if values:
        words += f"{share} of {whole.expected:,} expected; between {percent(min(values))} and {percent(max(values))}"
    else:
        words += "nothing was expected"
    table = table_of(
        ("Month", "Expected", "On time", "On time, %"),
        [_line(first, months.get(first, Tally()), code, span) for first in reversed(span.firsts)],
    )
    name = ALL if code is None else short_title(code)
    return Figure(name, "", share_chart(words, points), table, latest=share, note=f"of {whole.expected:,}")


def _point(first: date, tally: Tally | None, *, is_open: bool) -> Point:
    value = on_time(tally)
    told = f"{month_name(first)}: nothing expected"
    if tally is not None and value is not None:
        told = f"{month_name(first)}: {percent(value)} of {tally.expected:,} on time"
        told += ", not settled yet" if is_open else ""
    return Point(first, value, told, is_open)


def _line(first: date, tally: Tally, code: str | None, span: Span) -> tuple[Cell, ...]:
    last = min(last_of(first), span.today)
    return (
        Cell(month_name(first)),
        Cell(f"{tally.expected:,}", obligations_url(first, last, code, "expected") if tally.expected else None),
        Cell(f"{tally.on_time:,}", obligations_url(first, last, code, Outcome.ON_TIME) if tally.on_time else None),
        Cell(percent(on_time(tally))),
    )


def heat_figure(span: Span, tallies: Tallies) -> Figure:
    """Requirements by months, each cell the share on time."""
    codes = sorted({code for code, _ in tallies}, key=title_order)
    rows, told = [], []
    for code in codes:
        found = [tallies.get((code, first)) for first in span.firsts]
        rows.append((short_title(code), [on_time(tally) for tally in found]))
        told.append([_told(code, first, tally) for first, tally in zip(span.firsts, found, strict=True)])
    words = (
        f"On time by requirement and month, {month_name(span.first)} to {month_name(span.firsts[-1])}: "
        f"{len(codes)} requirements; the numbers are in the table"
    )
    return Figure(
        title="Requirement by month",
        definition=(
            "The share done on time of what was expected in a month; a number is a percentage, rounded down, "
            "so that 100 means all."
        ),
        svg=heat_map(words, span.firsts, rows, told),
        table=_heat_table(span, codes, tallies),
        legend=(*(Key(f"heat--{name}", said, "cell") for _, name, said in STEPS), Key("heat--0", NOTHING[1], "cell")),
    )


def _told(code: str, first: date, tally: Tally | None) -> str:
    share = on_time(tally)
    said = f"{percent(share)} of {tally.expected:,} on time" if tally and share is not None else NOTHING[1]
    return f"{full_title(code)}, {month_name(first)}: {said}"


def _heat_table(span: Span, codes: list[str], tallies: Tallies) -> Table:
    def cell(code: str | None, first: date) -> Cell:
        found = (tally for (other, month), tally in tallies.items() if month == first and code in {None, other})
        tally = sum(found, start=Tally())
        if not tally.expected:
            return Cell(NONE)
        url = obligations_url(first, min(last_of(first), span.today), code, "expected")
        return Cell(f"{percent(on_time(tally))} of {tally.expected:,}", url)

    columns: list[str | None] = [*codes, None]
    rows = [(Cell(month_name(first)), *(cell(code, first) for code in columns)) for first in reversed(span.firsts)]
    return table_of(("Month", *(short_title(code) for code in codes), "All"), rows)

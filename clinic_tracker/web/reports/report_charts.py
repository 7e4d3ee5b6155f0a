"""The chart of a report, where it has one: drawn from its lines, so that it cannot tell anything else."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any

from clinic_tracker.domain.compliance import Outcome
from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.reporting.columns import Column
from clinic_tracker.domain.reporting.definition import Line
from clinic_tracker.web.charts.bars import Stack, lying_bars, standing_bars
from clinic_tracker.web.charts.canvas import month_name
from clinic_tracker.web.charts.figure import Figure, Key, Table
from clinic_tracker.web.filters import plural
from clinic_tracker.web.requirement_words import short_title, title_order

Row = dict[str, Any]
Parts = Sequence[tuple[str, str]]  # class and words of each part of a bar
NO_TABLE = Table((), ())
MOST_BARS = 30
MOST_MONTHS = 60

OUTCOMES: Parts = (
    (Outcome.ON_TIME, "on time"),
    (Outcome.LATE, "late"),
    (Outcome.MISSED, "missed"),
    (Outcome.OWED, "still owed"),
    (Outcome.WAIVED, "waived"),
)
WORK: Parts = (("draw", "draws"), ("exam", "exams"), ("form", "forms"), ("infusion", "infusions"))
REVIEWS: Parts = (("on_time", "in time"), ("late", "late"), ("overdue", "overdue"), ("waiting", "in their time"))
OBSERVED: Parts = (("complete", "observed in full"), ("short", "discharged early"), ("unknown", "without times"))
LATE_BANDS = ((7, "1 to 7 days"), (30, "8 to 30 days"), (90, "31 to 90 days"), (None, "more than 90 days"))
GAP_BANDS = ((60, "up to 60 days"), (90, "61 to 90 days"), (180, "91 to 180 days"), (None, "more than 180 days"))
TIME_BANDS = ((24, "within 24 hours"), (48, "24 to 48 hours"), (72, "48 to 72 hours"), (None, "after 72 hours"))


def chart_of(name: str, columns: Sequence[Column], lines: Iterable[Line]) -> Figure | None:
    """The chart of a report of that name; None where it has none, or where there is nothing to draw."""
    draw = _CHARTS.get(name)
    if draw is None:
        return None
    names = [column.name for column in columns]
    figure = draw([dict(zip(names, line.cells, strict=True)) for line in lines])
    return figure if figure is not None and figure.svg else None


def _keys(parts: Parts) -> tuple[Key, ...]:
    return tuple(Key(f"segment--{name}", words[:1].upper() + words[1:]) for name, words in parts)


def _bands(bands: Sequence[tuple[int | None, str]]) -> Parts:
    return [(f"band-{place}", words) for place, (_, words) in enumerate(bands, 1)]


def _band(bands: Sequence[tuple[int | None, str]], value: float) -> str:
    return next(f"band-{place}" for place, (most, _) in enumerate(bands, 1) if most is None or value <= most)


def _stack(label: str, parts: Parts, counts: Counter[str]) -> Stack:
    return Stack(label, tuple((name, words, counts[name]) for name, words in parts))


def _said(parts: Parts, counted: Iterable[Counter[str]]) -> str:
    whole = sum(counted, Counter())
    return ", ".join(f"{whole[name]:,} {words}" for name, words in parts)


def _compliance(rows: Sequence[Row]) -> Figure | None:
    grouped: defaultdict[Any, Counter[str]] = defaultdict(Counter)
    label = next(
        (name for name in ("month", "requirement", "prescriber", "year", "protocol") if rows and name in rows[0]), ""
    )
    for row in rows:
        grouped[row.get(label)].update({name: row[name] for name, _ in OUTCOMES})
    said = f"What fell due: {_said(OUTCOMES, grouped.values())}"
    definition = "What the obligations of each came to, in the order of the legend; the same figures as in the table."
    if label == "month":
        months = sorted(grouped)[-MOST_MONTHS:]
        svg = standing_bars(said, [_stack(month_name(month), OUTCOMES, grouped[month]) for month in months])
        return Figure("Outcomes by month of the due date", definition, svg, NO_TABLE, _keys(OUTCOMES))
    if len(grouped) > MOST_BARS:
        return None
    keys = sorted(grouped, key=title_order) if label == "requirement" else list(grouped)
    stacks = [_stack(_name(label, key), OUTCOMES, grouped[key]) for key in keys]
    return Figure("Outcomes", definition, lying_bars(said, stacks), NO_TABLE, _keys(OUTCOMES))


def _name(label: str, key: Any) -> str:
    if label == "requirement":
        return short_title(key)
    if label == "year":
        return f"Year {key}"
    return str(key) if key else "Nobody" if label == "prescriber" else "All"


def _workload(rows: Sequence[Row]) -> Figure | None:
    weeks: defaultdict[date, Counter[str]] = defaultdict(Counter)
    for row in rows:
        weeks[row["from_on"]][row["kind"]] += row["count"]
    return Figure(
        "What falls due in each week",
        "Draws, exams and forms that fall due, and infusions expected, by week; visits are not added to draws.",
        standing_bars(
            f"Next {plural(len(weeks), 'week')}: {_said(WORK, weeks.values())}",
            [_stack(show_date(week)[:6], WORK, weeks[week]) for week in sorted(weeks)],
        ),
        NO_TABLE,
        _keys(WORK),
    )


def _reviews(rows: Sequence[Row]) -> Figure | None:
    if rows and "on_time" in rows[0]:
        people: dict[str, Counter[str]] = {}
        for row in rows:
            people.setdefault(row["of"] or "Nobody", Counter()).update({name: row[name] for name, _ in REVIEWS})
        svg = lying_bars(
            f"Results by prescriber: {_said(REVIEWS, people.values())}",
            [_stack(name, REVIEWS, counts) for name, counts in list(people.items())[:MOST_BARS]],
        )
        return Figure(
            "Reviews by prescriber", "Results by who answers for the patients.", svg, NO_TABLE, _keys(REVIEWS)
        )
    timed = [row for row in rows if row.get("hours") is not None]
    definition = "Results that were signed off, by elapsed hours from their coming to the sign-off, and by level."
    return _banded("Time to the review", definition, timed, ("level", "hours"), TIME_BANDS)


def _gaps(rows: Sequence[Row]) -> Figure | None:
    return _banded("How long the gaps are", "Gaps by requirement and length.", rows, ("requirement", "days"), GAP_BANDS)


def _overdue(rows: Sequence[Row]) -> Figure | None:
    definition = "Overdue items by requirement and by days since the due date."
    return _banded("How long it has been overdue", definition, rows, ("requirement", "days_overdue"), LATE_BANDS)


def _banded(
    title: str,
    definition: str,
    rows: Sequence[Row],
    names: tuple[str, str],
    bands: Sequence[tuple[int | None, str]],
) -> Figure | None:
    """A lying bar for each value of the first column, its lines by bands of the second."""
    by, value = names
    grouped: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        grouped[row[by] or "normal"][_band(bands, row[value])] += 1
    parts = _bands(bands)
    stacks = [
        _stack(short_title(key), parts, counts)
        for key, counts in sorted(grouped.items(), key=lambda one: title_order(one[0]))
    ]
    svg = lying_bars(f"{title}: {_said(parts, grouped.values())}", stacks)
    return Figure(title, definition, svg, NO_TABLE, _keys(parts))


def _safety(rows: Sequence[Row]) -> Figure | None:
    if not rows or not {"month", *(name for name, _ in OBSERVED)} <= rows[0].keys():
        return None
    months = {row["month"]: Counter({name: row[name] for name, _ in OBSERVED}) for row in rows[-MOST_MONTHS:]}
    return Figure(
        "Infusions and observation",
        "Infusions by month, and whether the observation after them was complete.",
        standing_bars(
            f"Infusions: {_said(OBSERVED, months.values())}",
            [_stack(month_name(month), OBSERVED, counts) for month, counts in months.items()],
        ),
        NO_TABLE,
        _keys(OBSERVED),
    )


_CHARTS: dict[str, Callable[[Sequence[Row]], Figure | None]] = {
    "compliance": _compliance,
    "workload": _workload,
    "reviews": _reviews,
    "gaps": _gaps,
    "overdue": _overdue,
    "safety": _safety,
}

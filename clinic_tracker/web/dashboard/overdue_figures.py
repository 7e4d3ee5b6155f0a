"""What was overdue at the end of each month, and how long what is overdue now has been."""

from collections.abc import Collection, Sequence
from datetime import date

from clinic_tracker.domain.local_time import show_date
from clinic_tracker.queries.dashboard.overdue import BANDS, Aging, CurvePoint
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.worklist_filter import Band
from clinic_tracker.web.charts.bars import Stack, lying_bars
from clinic_tracker.web.charts.figure import Cell, Figure, Key, table_of
from clinic_tracker.web.charts.lines import Point, Series, count_chart
from clinic_tracker.web.dashboard.links import report_url, worklist_url
from clinic_tracker.web.filters import plural
from clinic_tracker.web.requirement_words import full_title, short_title, title_order

BAND_WORDS = {
    Band.WEEK: "1 to 7 days",
    Band.MONTH: "8 to 30 days",
    Band.QUARTER: "31 to 90 days",
    Band.LONGER: "more than 90 days",
}
OTHER_SETTINGS = (
    " Days before a change of the settings of the schedule have no link: a report as of such a day uses the settings "
    "of that day."
)


def curve_figure(curve: Sequence[CurvePoint], today: date, listed: Collection[date]) -> Figure:
    """Patients and items overdue at the end of each month; ``listed`` are the days whose report counts the same."""
    last, worst = curve[-1], max(curve, key=lambda point: (point.items, point.on))
    words = (
        f"Overdue at the end of each month from {show_date(curve[0].on)} to {show_date(last.on)}: most items on "
        f"{show_date(worst.on)}, {plural(worst.items, 'item')} of {plural(worst.patients, 'patient')}; on the last day "
        f"{plural(last.items, 'item')} of {plural(last.patients, 'patient')}"
    )
    lines = [
        Series("items", "items", tuple(Point(one.on, one.items, _told(one)) for one in curve)),
        Series("patients", "patients", tuple(Point(one.on, one.patients, _told(one)) for one in curve)),
    ]
    return Figure(
        title="Overdue over time",
        definition=(
            "Patients with anything overdue at the end of each month, and the requirements overdue with them, by what "
            "had happened by that day, whenever it was recorded, and by the settings of today."
        ),
        svg=count_chart(words, lines) if any(one.items for one in curve) else count_chart(words, []),
        table=table_of(
            ("Day", "Patients", "Items"),
            [_on_day(one, today, listed) for one in reversed(curve)],
        ),
        legend=(Key("items", "Items (a patient and a requirement)", "line"), Key("patients", "Patients", "line")),
        note=(
            "Overdue from the day after the due date until it was done; what was missed, until later evidence of the "
            "requirement, a waiver or the prescriber's sign-off."
            + ("" if all(one.on in listed for one in curve) else OTHER_SETTINGS)
        ),
    )


def _on_day(one: CurvePoint, today: date, listed: Collection[date]) -> tuple[Cell, ...]:
    def cell(count: int) -> Cell:
        return Cell(f"{count:,}", report_url("overdue", as_of=one.on) if count and one.on in listed else None)

    return Cell(_day(one.on, today)), cell(one.patients), cell(one.items)


def _day(on: date, today: date) -> str:
    return f"{show_date(on)}, today" if on == today else show_date(on)


def _told(point: CurvePoint) -> str:
    return f"{show_date(point.on)}: {plural(point.items, 'item')} of {plural(point.patients, 'patient')}"


def aging_figure(scope: Scope, found: Sequence[Aging]) -> Figure:
    """Items overdue today by requirement and days late."""
    rows = sorted(found, key=lambda row: title_order(row.requirement))
    stacks = [
        Stack(
            short_title(row.requirement),
            tuple((f"band-{place}", BAND_WORDS[band], row.bands[place - 1]) for place, band in enumerate(BANDS, 1)),
        )
        for row in rows
    ]
    long = sum(row.bands[-1] for row in rows)
    words = (
        f"{plural(sum(row.items for row in rows), 'item')} overdue today in {plural(len(rows), 'requirement')}, "
        f"{long:,} of them for more than 90 days"
    )
    return Figure(
        title="How long it has been overdue",
        definition="Items overdue today by requirement, and by the days since the due date of the first that is owed.",
        svg=lying_bars(words, stacks),
        table=table_of(
            ("Requirement", *(BAND_WORDS[band] for band in BANDS), "All"),
            [_row(scope, row) for row in rows] + ([_sum(rows)] if len(rows) > 1 else []),
        ),
        legend=tuple(Key(f"segment--band-{place}", BAND_WORDS[band]) for place, band in enumerate(BANDS, 1)),
    )


def _row(scope: Scope, row: Aging) -> tuple[Cell, ...]:
    def cell(count: int, band: Band | None) -> Cell:
        return Cell(f"{count:,}", worklist_url(scope, row.requirement, band) if count else None)

    counts = (cell(count, band) for band, count in zip(BANDS, row.bands, strict=True))
    return (Cell(full_title(row.requirement)), *counts, cell(row.items, None))


def _sum(rows: Sequence[Aging]) -> tuple[Cell, ...]:
    bands = [sum(row.bands[place] for row in rows) for place in range(len(BANDS))]
    return (Cell("All"), *(Cell(f"{count:,}") for count in (*bands, sum(bands))))

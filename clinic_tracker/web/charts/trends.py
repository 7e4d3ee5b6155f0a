"""A laboratory trend as inline SVG: reference band, baseline, course marks, findings; the words and table beside it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil, floor, log10

from markupsafe import Markup

from clinic_tracker.domain.local_time import MONTHS, show_date
from clinic_tracker.web.filters import number_text, plural, unit_text

WIDTH, HEIGHT = 320, 140
LEFT, RIGHT, TOP, BOTTOM = 38, 10, 16, 20
LONG_SPAN = 550
MOST_STEPS = 4
LEAST_SPAN = 1e-3


@dataclass(frozen=True)
class Point:
    """One result. ``value`` is None for a text result, which stands in the table only; ``finding`` is in words."""

    on: date
    value: float | None
    shown: str = ""
    finding: str = ""


@dataclass(frozen=True)
class CourseMark:
    """A treatment course: ``C2`` over a line at its first day."""

    on: date
    short: str


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    on: date
    shown: str
    finding: str


@dataclass(frozen=True)
class TrendChart:
    """What components/chart.html places."""

    title: str
    unit: str
    latest: str
    svg: Markup
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class _Scale:
    """From values and days to the coordinates of the drawing."""

    first: date
    days: int
    bottom: float
    top: float

    def x(self, on: date) -> float:
        part = (on - self.first).days / self.days
        return round(LEFT + part * (WIDTH - LEFT - RIGHT), 1)

    def y(self, value: float) -> float:
        part = (value - self.bottom) / (self.top - self.bottom)
        return round(HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM), 1)


def trend_chart(
    title: str,
    points: Iterable[Point],
    *,
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
    baseline: float | None = None,
    courses: Sequence[CourseMark] = (),
    span: Sequence[date] = (),
) -> TrendChart:
    """The drawing of one analyte. ``low`` and ``high`` bound the reference band; either may be missing.

    ``span`` holds days that the axis takes in besides, so that charts side by side show the same time.
    """
    ordered = sorted(points, key=lambda point: point.on)
    drawn = [point for point in ordered if point.value is not None]
    svg = (
        _svg(title, drawn, low, high, baseline, courses, span)
        if drawn
        else Markup('<p class="muted">No values yet.</p>')
    )
    rows = tuple(
        Row(point.on, _shown(point), point.finding or _outside(point, low, high)) for point in reversed(ordered)
    )
    latest = rows[0].shown if rows else ""
    return TrendChart(title, unit_text(unit), latest, svg, rows)


def _shown(point: Point) -> str:
    return point.shown or number_text(point.value)


def _outside(point: Point, low: float | None, high: float | None) -> str:
    if point.value is None:
        return ""
    if low is not None and point.value < low:
        return "below the reference range"
    return "above the reference range" if high is not None and point.value > high else ""


def _svg(
    title: str,
    points: Sequence[Point],
    low: float | None,
    high: float | None,
    baseline: float | None,
    courses: Sequence[CourseMark],
    span: Sequence[date],
) -> Markup:
    scale, ticks = _scale(points, [value for value in (low, high, baseline) if value is not None], courses, span)
    parts = [
        *_band(scale, low, high),
        *_grid(scale, ticks),
        *_months(scale),
        *_marks(scale, courses, baseline),
        *_line(scale, points),
        *(_point(scale, point, low, high) for point in points),
    ]
    opening = Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">')
    words = _words(title, points, low, high, courses)
    if baseline is not None:
        words += f"; baseline {number_text(baseline)}"
    return opening.format(WIDTH, HEIGHT, words) + Markup().join(parts) + Markup("</svg>")


def _scale(
    points: Sequence[Point], marks: Sequence[float], courses: Sequence[CourseMark], span: Sequence[date]
) -> tuple[_Scale, list[float]]:
    values = [point.value for point in points if point.value is not None] + list(marks)
    dates = [point.on for point in points] + [course.on for course in courses] + list(span)
    ticks = _ticks(min(values), max(values))
    return _Scale(min(dates), max((max(dates) - min(dates)).days, 1), ticks[0], ticks[-1]), ticks


def _ticks(smallest: float, largest: float) -> list[float]:
    """Three to five round numbers around the values."""
    span = max(largest - smallest, abs(largest) * LEAST_SPAN, LEAST_SPAN)
    rough = span / MOST_STEPS
    power = 10.0 ** floor(log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10, 20) if power * factor >= rough)
    first, last = floor(smallest / step), ceil(largest / step)
    return [round(step * number, 10) for number in range(first, max(last, first + 1) + 1)]


def _band(scale: _Scale, low: float | None, high: float | None) -> list[Markup]:
    if low is None and high is None:
        return []
    upper = scale.y(scale.top if high is None else high)
    lower = scale.y(scale.bottom if low is None else low)
    rect = Markup('<rect class="chart__band" x="{}" y="{}" width="{}" height="{}"/>')
    return [rect.format(LEFT, upper, WIDTH - LEFT - RIGHT, round(lower - upper, 1))]


def _grid(scale: _Scale, ticks: Sequence[float]) -> list[Markup]:
    line = Markup(
        '<line class="chart__grid" x1="{0}" x2="{1}" y1="{2}" y2="{2}"/>'
        '<text x="{3}" y="{4}" text-anchor="end">{5}</text>'
    )
    return [
        line.format(LEFT, WIDTH - RIGHT, scale.y(tick), LEFT - 5, round(scale.y(tick) + 3.5, 1), number_text(tick))
        for tick in ticks
    ]


def _months(scale: _Scale) -> list[Markup]:
    """A label at each January of a long span, at the ends of a short one."""
    last = scale.first + timedelta(days=scale.days)
    if scale.days > LONG_SPAN:
        every = 1 if scale.days < 5 * LONG_SPAN else 2
        labels = [(date(year, 1, 1), str(year)) for year in range(scale.first.year + 1, last.year + 1, every)]
    else:
        labels = [(day, f"{MONTHS[day.month - 1]} {day.year}") for day in dict.fromkeys((scale.first, last))]
    text = Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>')
    anchors = {scale.first: "start", last: "end"}
    return [text.format(scale.x(day), HEIGHT - 5, anchors.get(day, "middle"), words) for day, words in labels]


def _marks(scale: _Scale, courses: Sequence[CourseMark], baseline: float | None) -> list[Markup]:
    marks = [
        Markup(
            '<line class="chart__course" x1="{0}" x2="{0}" y1="{1}" y2="{2}"/>'
            '<text class="chart__course-label" x="{0}" y="{3}" text-anchor="{5}">{4}</text>'
        ).format(
            scale.x(course.on),
            TOP,
            HEIGHT - BOTTOM,
            TOP - 5,
            course.short,
            "start" if scale.x(course.on) < LEFT + RIGHT else "middle",
        )
        for course in courses
    ]
    if baseline is not None:
        line = Markup(
            '<line class="chart__baseline" x1="{0}" x2="{1}" y1="{2}" y2="{2}"><title>Baseline {3}</title></line>'
        )
        marks.append(line.format(LEFT, WIDTH - RIGHT, scale.y(baseline), number_text(baseline)))
    return marks


def _line(scale: _Scale, points: Sequence[Point]) -> list[Markup]:
    places = " ".join(f"{scale.x(point.on)},{scale.y(point.value)}" for point in points if point.value is not None)
    return [Markup('<polyline class="chart__line" points="{}"/>').format(places)]


def _point(scale: _Scale, point: Point, low: float | None, high: float | None) -> Markup:
    """A circle inside the band, a triangle pointing out of it outside; a ring where there is a finding."""
    value = point.value or 0.0
    x, y = scale.x(point.on), scale.y(value)
    title = Markup("<title>{}: {}{}</title>").format(
        show_date(point.on), _shown(point), f", {point.finding}" if point.finding else ""
    )
    ring = Markup('<circle class="chart__finding" cx="{}" cy="{}" r="7"/>').format(x, y) if point.finding else Markup()
    outside = _outside(point, low, high)
    if not outside:
        return ring + Markup('<circle class="chart__point" cx="{}" cy="{}" r="2.6">{}</circle>').format(x, y, title)
    up = -1 if outside.startswith("above") else 1
    path = f"M{x} {round(y + 4.5 * up, 1)}L{round(x - 4.2, 1)} {round(y - 3 * up, 1)}H{round(x + 4.2, 1)}Z"
    return ring + Markup('<path class="chart__point chart__point--out" d="{}">{}</path>').format(path, title)


def _words(
    title: str, points: Sequence[Point], low: float | None, high: float | None, courses: Sequence[CourseMark]
) -> str:
    last = points[-1]
    parts = [f"{title}: {plural(len(points), 'value')} from {show_date(points[0].on)} to {show_date(last.on)}"]
    parts.append(f"latest {_shown(last)}" + (f", {_outside(last, low, high)}" if _outside(last, low, high) else ""))
    if low is not None or high is not None:
        bounds = [number_text(low) if low is not None else "up", number_text(high) if high is not None else "more"]
        parts.append("reference range " + " to ".join(bounds))
    findings = [f"{point.finding} on {show_date(point.on)}" for point in points if point.finding]
    parts.extend(findings)
    parts.extend(f"{course.short} on {show_date(course.on)}" for course in courses)
    return "; ".join(parts)

"""Lines over months: shares from 0 to 100%, and counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from markupsafe import Markup

from clinic_tracker.web.charts.canvas import (
    LINE,
    Canvas,
    circle,
    count_ticks,
    horizontal_grid,
    line,
    month_axis,
    polyline,
    square,
    text,
)

SMALL = Canvas(300, 132, 36, 12, 10, 22)
WIDE = Canvas(600, 240, 44, 92, 14, 24)
MOST_MARKS = 24  # more points than that are a line without marks but at its end
APART = 14
MARKS = (circle, square)


@dataclass(frozen=True, slots=True)
class Point:
    """One point. Without a value there is a gap; ``told`` is said on hovering; an open one is not settled yet."""

    on: date
    value: float | None
    told: str
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class Series:
    """One line: the class that colors it, its name at its end, its points over the same days as those of the others."""

    name: str
    words: str
    points: tuple[Point, ...]


def share_chart(words: str, points: Sequence[Point]) -> Markup:
    """One line of shares (0 to 1) on the full scale, small; empty where no point has a value."""
    if all(point.value is None for point in points):
        return Markup()
    canvas = SMALL
    xs = _xs(canvas, len(points))
    ticks = [(0.0, "0%"), (0.5, "50%"), (1.0, "100%")]
    series = Series("share", "", tuple(points))
    parts = horizontal_grid(canvas, ticks) + month_axis(canvas, [point.on for point in points], xs)
    return canvas.drawing(words, parts + _drawn(canvas, series, xs, 1.0, 0), "share")


def count_chart(words: str, lines: Sequence[Series]) -> Markup:
    """Up to two lines of counts from 0 up, each named at its end; empty without points."""
    values = [point.value for series in lines for point in series.points if point.value is not None]
    if not values:
        return Markup()
    canvas = WIDE
    ticks = count_ticks(max(values))
    xs = _xs(canvas, len(lines[0].points))
    parts = horizontal_grid(canvas, [(tick / ticks[-1], f"{tick:,}") for tick in ticks])
    parts += month_axis(canvas, [point.on for point in lines[0].points], xs)
    for number, series in enumerate(lines):
        parts += _drawn(canvas, series, xs, ticks[-1], number)
    return canvas.drawing(words, parts + _names(canvas, lines, ticks[-1]), "counts")


def _xs(canvas: Canvas, count: int) -> list[float]:
    return [canvas.x(place / (count - 1)) for place in range(count)] if count > 1 else [canvas.x(0.5)]


def _drawn(canvas: Canvas, series: Series, xs: Sequence[float], top: float, number: int) -> list[Markup]:
    """The line, broken at gaps, dashed towards what is not settled; and its marks."""
    places = [
        (x, canvas.y(point.value / top)) if point.value is not None else None
        for x, point in zip(xs, series.points, strict=True)
    ]
    css = f"chart__line chart__line--{series.name}"
    parts = [polyline(run, css) for run in _runs(series.points, places) if len(run) > 1]
    for (before, after), point in zip(pairwise(places), series.points[1:], strict=True):
        if point.is_open and before is not None and after is not None:
            parts.append(line(*before, *after, f"{css} chart__line--open"))
    return parts + _marks(series, places, number)


def _marks(series: Series, places: Sequence[tuple[float, float] | None], number: int) -> list[Markup]:
    parts = []
    few = len(places) <= MOST_MARKS
    last = max((place for place, where in enumerate(places) if where is not None), default=None)
    for place, (point, where) in enumerate(zip(series.points, places, strict=True)):
        if where is None:
            continue
        neighbors = [*places[max(place - 1, 0) : place], *places[place + 1 : place + 2]]
        alone = all(neighbor is None for neighbor in neighbors)
        if few or alone or place == last:
            css = f"chart__mark chart__mark--{series.name}" + (" chart__mark--open" if point.is_open else "")
            parts.append(MARKS[number](*where, 2.8, css, point.told))
    return parts


def _runs(points: Sequence[Point], places: Sequence[tuple[float, float] | None]) -> list[list[tuple[float, float]]]:
    """Stretches without a gap, of what is settled."""
    runs: list[list[tuple[float, float]]] = [[]]
    for point, place in zip(points, places, strict=True):
        if place is None or point.is_open:
            runs.append([])
        else:
            runs[-1].append(place)
    return runs


def _names(canvas: Canvas, lines: Sequence[Series], top: float) -> list[Markup]:
    """The name and the last value of each line at its end, moved apart where they would overlap."""
    ends = []
    for series in lines:
        value = next((point.value for point in reversed(series.points) if point.value is not None), None)
        if value is not None:
            ends.append((canvas.y(value / top), f"{value:,.0f} {series.words}", series.name))
    ends.sort()
    parts: list[Markup] = []
    lowest = float("-inf")
    places = []
    for height, words, name in ends:
        lowest = max(height, lowest + APART)
        places.append((lowest, words, name))
    over = max(places[-1][0] - canvas.foot, 0) if places else 0
    for height, words, name in places:
        parts.append(
            text(canvas.width - canvas.right + 8, height - over + LINE, words, "start", f"chart__name--{name}")
        )
    return parts

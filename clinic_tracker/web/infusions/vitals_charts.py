"""The trend of vital signs as small inline SVG. All geometry is in attributes; the words are the label."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from clinic_tracker.domain.vitals import AlertLimits, Range
from clinic_tracker.queries.infusion_day import VitalsRow
from clinic_tracker.web.filters import clock, number_text, plural

WIDTH, HEIGHT = 240, 84
LEFT, RIGHT, TOP, BOTTOM = 30, 8, 8, 16
# A trend is no wider than it must be: around the values at least so much, in their unit.
ROOM = {"pressure": 40.0, "pulse": 20.0, "temperature": 1.0, "respiratory_rate": 6.0, "oxygen_saturation": 4.0}
DRAWN = (
    ("pressure", "Pressure", "mmHg"),
    ("pulse", "Pulse", "per minute"),
    ("temperature", "Temperature", "°C"),
    ("oxygen_saturation", "SpO₂", "%"),
)


@dataclass(frozen=True, slots=True)
class VitalsChart:
    """What a page places: a drawing with its title and the latest value."""

    title: str
    unit: str
    latest: str
    svg: Markup


@dataclass(frozen=True, slots=True)
class _Scale:
    first: datetime
    minutes: float
    bottom: float
    top: float

    def x(self, at: datetime) -> float:
        part = (at - self.first).total_seconds() / 60 / self.minutes
        return round(LEFT + part * (WIDTH - LEFT - RIGHT), 1)

    def y(self, value: float) -> float:
        part = (value - self.bottom) / (self.top - self.bottom)
        return round(HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM), 1)


# One time of measurement: the values to join, lowest first (two for a pressure), and which lie beyond a limit.
_Mark = tuple[datetime, tuple[float, ...], tuple[bool, ...]]


def vitals_charts(rows: Sequence[VitalsRow], limits: AlertLimits, time_zone: str) -> tuple[VitalsChart, ...]:
    """A drawing for each sign that was measured at least twice."""
    drawn = []
    for name, title, unit in DRAWN:
        marks = _marks(rows, name, limits)
        if len(marks) > 1:
            drawn.append(
                VitalsChart(title, unit, _shown(name, marks[-1]), _svg(name, title, unit, marks, limits, time_zone))
            )
    return tuple(drawn)


def _marks(rows: Sequence[VitalsRow], name: str, limits: AlertLimits) -> list[_Mark]:
    names = ("diastolic", "systolic") if name == "pressure" else (name,)
    marks: list[_Mark] = []
    for row in rows:
        values = tuple(float(getattr(row, one)) for one in names if getattr(row, one) is not None)
        if len(values) == len(names):
            out = tuple(limits.flag(one, value) is not None for one, value in zip(names, values, strict=True))
            marks.append((row.taken_at, values, out))
    return marks


def _shown(name: str, mark: _Mark) -> str:
    return "/".join(shown_value(name, value) for value in reversed(mark[1]))


def shown_value(name: str, value: float) -> str:
    """A value as a monitor shows it: a temperature to one decimal."""
    return f"{value:.1f}" if name == "temperature" else number_text(value)


def _svg(name: str, title: str, unit: str, marks: Sequence[_Mark], limits: AlertLimits, time_zone: str) -> Markup:
    numbers = [value for _at, values, _out in marks for value in values]
    spare = max(ROOM[name] - (max(numbers) - min(numbers)), ROOM[name] / 4) / 2
    first, last = marks[0][0], marks[-1][0]
    minutes = max((last - first).total_seconds() / 60, 1)
    scale = _Scale(first, minutes, min(numbers) - spare, max(numbers) + spare)
    parts = [*_frame(scale, numbers, first, last, time_zone), *_limits(scale, name, limits)]
    parts.extend(_bars(scale, marks) if name == "pressure" else _line(scale, marks))
    opening = Markup('<svg class="chart chart--vitals" viewBox="0 0 {} {}" role="img" aria-label="{}">')
    low, high, latest = number_text(min(numbers)), number_text(max(numbers)), _shown(name, marks[-1])
    words = (
        f"{title}: {plural(len(marks), 'value')} from {clock(first, time_zone)} to {clock(last, time_zone)}, "
        f"lowest {low}, highest {high}, latest {latest} {unit}"
    )
    return opening.format(WIDTH, HEIGHT, words) + Markup().join(parts) + Markup("</svg>")


def _frame(scale: _Scale, numbers: Sequence[float], first: datetime, last: datetime, time_zone: str) -> list[Markup]:
    line = Markup(
        '<line class="chart__grid" x1="{0}" x2="{1}" y1="{2}" y2="{2}"/>'
        '<text x="{3}" y="{4}" text-anchor="end">{5}</text>'
    )
    text = Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>')
    ends = dict.fromkeys((min(numbers), max(numbers)))
    return [
        *(
            line.format(LEFT, WIDTH - RIGHT, scale.y(end), LEFT - 4, round(scale.y(end) + 4, 1), number_text(end))
            for end in ends
        ),
        text.format(LEFT, HEIGHT - 3, "start", clock(first, time_zone)),
        text.format(WIDTH - RIGHT, HEIGHT - 3, "end", clock(last, time_zone)),
    ]


def _limits(scale: _Scale, name: str, limits: AlertLimits) -> list[Markup]:
    """The alert limits that lie inside the drawing; of a pressure, with four of them, only the values are marked."""
    line = Markup('<line class="chart__baseline" x1="{0}" x2="{1}" y1="{2}" y2="{2}"><title>Limit {3}</title></line>')
    return [
        line.format(LEFT, WIDTH - RIGHT, scale.y(bound), number_text(bound))
        for bound in limits.ranges.get(name, Range(None, None))
        if bound is not None and scale.bottom < bound < scale.top
    ]


def _line(scale: _Scale, marks: Sequence[_Mark]) -> list[Markup]:
    places = " ".join(f"{scale.x(at)},{scale.y(values[0])}" for at, values, _out in marks)
    return [
        Markup('<polyline class="chart__line" points="{}"/>').format(places),
        *(_point(scale, at, values[0], out=out[0]) for at, values, out in marks),
    ]


def _bars(scale: _Scale, marks: Sequence[_Mark]) -> list[Markup]:
    """From the diastolic to the systolic pressure."""
    bar = Markup('<line class="chart__line" x1="{0}" x2="{0}" y1="{1}" y2="{2}"/>')
    drawn = []
    for at, values, out in marks:
        drawn.append(bar.format(scale.x(at), scale.y(values[0]), scale.y(values[-1])))
        drawn.extend(_point(scale, at, value, out=one) for value, one in zip(values, out, strict=True))
    return drawn


def _point(scale: _Scale, at: datetime, value: float, *, out: bool) -> Markup:
    """A circle, or a filled triangle where a value is beyond a limit."""
    x, y = scale.x(at), scale.y(value)
    if not out:
        return Markup('<circle class="chart__point" cx="{}" cy="{}" r="2.4"/>').format(x, y)
    path = f"M{x} {round(y - 4.5, 1)}L{round(x - 4.2, 1)} {round(y + 3, 1)}H{round(x + 4.2, 1)}Z"
    return Markup('<path class="chart__point chart__point--out" d="{}"/>').format(path)

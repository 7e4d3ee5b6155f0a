"""A drawing area with margins, and the few shapes that charts are made of."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil

from markupsafe import Markup

from clinic_tracker.domain.local_time import MONTHS

STEPS = (1, 2, 5)
MOST_TICKS = 4
TICK = 5  # between an axis and its words
LINE = 3.8  # from the middle of a line of text to its foot
LABEL = 48  # a month takes so much room, with the year
APART = 5  # the least room between two labels
CHARACTER = 6.1  # of the size of labels, on average


@dataclass(frozen=True, slots=True)
class Canvas:
    """The size of a drawing and the margins around what is drawn."""

    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int

    @property
    def inner_width(self) -> int:
        """From the left margin to the right one."""
        return self.width - self.left - self.right

    @property
    def inner_height(self) -> int:
        """From the upper margin to the lower one."""
        return self.height - self.top - self.bottom

    @property
    def foot(self) -> int:
        """Where the lower margin begins."""
        return self.height - self.bottom

    def x(self, part: float) -> float:
        """A part of the width, 0 to 1."""
        return round(self.left + part * self.inner_width, 1)

    def y(self, part: float) -> float:
        """A part of the height from the foot, 0 to 1."""
        return round(self.foot - part * self.inner_height, 1)

    def drawing(self, words: str, parts: Iterable[Markup], kind: str) -> Markup:
        """The whole, which says in words what it shows."""
        opening = Markup('<svg class="chart chart--{}" viewBox="0 0 {} {}" role="img" aria-label="{}">')
        return opening.format(kind, self.width, self.height, words) + Markup().join(parts) + Markup("</svg>")


def text(x: float, y: float, words: str, anchor: str = "middle", css: str = "") -> Markup:
    """Words at a place."""
    shape = Markup('<text x="{}" y="{}" text-anchor="{}"{}>{}</text>')
    return shape.format(round(x, 1), round(y, 1), anchor, Markup(' class="{}"').format(css) if css else "", words)


def line(x1: float, y1: float, x2: float, y2: float, css: str) -> Markup:
    """A straight line."""
    shape = Markup('<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}"/>')
    return shape.format(css, round(x1, 1), round(y1, 1), round(x2, 1), round(y2, 1))


def rect(place: tuple[float, float, float, float], css: str, title: str) -> Markup:
    """A rectangle: left, top, width, height; what it is on hovering."""
    shape = Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>')
    return shape.format(css, *(round(number, 1) for number in place), title)


def circle(x: float, y: float, radius: float, css: str, title: str) -> Markup:
    """A circle; what it is on hovering."""
    shape = Markup('<circle class="{}" cx="{}" cy="{}" r="{}"><title>{}</title></circle>')
    return shape.format(css, x, y, radius, title)


def square(x: float, y: float, radius: float, css: str, title: str) -> Markup:
    """The mark of a second line."""
    return rect((x - radius, y - radius, 2 * radius, 2 * radius), css, title)


def polyline(places: Sequence[tuple[float, float]], css: str) -> Markup:
    """A line through places."""
    points = " ".join(f"{x},{y}" for x, y in places)
    return Markup('<polyline class="{}" points="{}"/>').format(css, points)


def count_ticks(largest: float) -> list[int]:
    """Whole numbers from 0 to at least ``largest``, evenly apart: two to five of them."""
    rough = max(largest, 1) / MOST_TICKS
    power = 1
    while power * STEPS[-1] * 2 <= rough:
        power *= 10
    step = next(power * factor for factor in (*STEPS, 10, 20, 50) if power * factor >= rough)
    return [step * number for number in range(max(1, ceil(largest / step)) + 1)]


def horizontal_grid(canvas: Canvas, ticks: Sequence[tuple[float, str]]) -> list[Markup]:
    """A line for each part of the height, with its words at the left."""
    parts = []
    for part, words in ticks:
        height = canvas.y(part)
        parts.append(line(canvas.left, height, canvas.width - canvas.right, height, "chart__grid"))
        parts.append(text(canvas.left - TICK, height + LINE, words, "end"))
    return parts


def month_name(month: date) -> str:
    """Jan 2026."""
    return f"{MONTHS[month.month - 1]} {month.year}"


def month_axis(canvas: Canvas, months: Sequence[date], centers: Sequence[float]) -> list[Markup]:
    """The names of as many months as there is room for, counted from the last; a year where it changes."""
    if not months:
        return []
    apart = (centers[-1] - centers[0]) / (len(centers) - 1) if len(centers) > 1 else LABEL
    every = _step(ceil(LABEL / max(apart, 1)))
    parts, free = [], float("inf")
    for place in range(len(months) - 1, -1, -every):
        earlier = months[place - every] if place >= every else None
        words = (
            month_name(months[place])
            if earlier is None or earlier.year != months[place].year
            else _short(months[place])
        )
        half = len(words) * CHARACTER / 2
        center = min(max(centers[place], half), canvas.width - half)
        if center + half <= free:
            parts.append(text(center, canvas.foot + 15, words))
            free = center - half - APART
    return parts[::-1]


def _short(month: date) -> str:
    return MONTHS[month.month - 1]


def _step(least: int) -> int:
    """Months between labels: what divides a year."""
    return next((step for step in (1, 2, 3, 4, 6, 12, 24) if step >= least), 24)

"""A heat map: a line a requirement, a column a month, each cell a share with its number or a mark."""

from collections.abc import Sequence
from datetime import date

from markupsafe import Markup

from clinic_tracker.web.charts.canvas import LINE, Canvas, line, month_axis, rect, text

WIDTH, LEFT, ROW = 920, 104, 26
NUMBERED = 26  # a cell of that width holds its number
# From which share on, the class and the words of each step.
STEPS = ((0.95, "5", "95% and more"), (0.85, "4", "85 to 94%"), (0.7, "3", "70 to 84%"), (0.5, "2", "50 to 69%"),
         (0.0, "1", "less than 50%"))  # fmt: skip
NOTHING = ("0", "nothing expected")


def step_of(share: float | None) -> str:
    """The class of a share, which is rounded down to whole percents as it is shown."""
    if share is None:
        return NOTHING[0]
    return next(name for least, name, _ in STEPS if whole_percent(share) >= round(least * 100))


def whole_percent(share: float) -> int:
    """A share in whole percents, rounded down: 100 only where everything is."""
    return int(share * 100 + 1e-9)


def heat_map(
    words: str,
    months: Sequence[date],
    rows: Sequence[tuple[str, Sequence[float | None]]],
    told: Sequence[Sequence[str]],
) -> Markup:
    """``rows`` are names with a share or None for each month, ``told`` what each cell says on hovering."""
    if not rows or not months:
        return Markup()
    canvas = Canvas(WIDTH, ROW * len(rows) + 28, LEFT, 6, 4, 24)
    room = canvas.inner_width / len(months)
    parts = []
    for place, (name, shares) in enumerate(rows):
        top = canvas.top + place * ROW
        parts.append(text(LEFT - 8, top + ROW / 2 + LINE, name, "end", "chart__label"))
        for column, share in enumerate(shares):
            left = canvas.left + column * room
            css = f"heat heat--{step_of(share)}"
            parts.append(rect((left + 0.75, top + 0.75, room - 1.5, ROW - 1.5), css, told[place][column]))
            parts += _sign(share, left + room / 2, top + ROW / 2, room)
    centers = [canvas.left + (column + 0.5) * room for column in range(len(months))]
    return canvas.drawing(words, parts + month_axis(canvas, months, centers), "heat")


def _sign(share: float | None, x: float, y: float, room: float) -> list[Markup]:
    """The number; where there is no room for it a stroke, or a cross for the worst."""
    if share is None:
        return []
    if room >= NUMBERED:
        return [text(x, y + LINE, str(whole_percent(share)), css="heat__number")]
    half = 3
    crosses = {"1": [(-half, -half, half, half), (-half, half, half, -half)], "2": [(-half, 0, half, 0)]}
    strokes = crosses.get(step_of(share), [])
    return [line(x + x1, y + y1, x + x2, y + y2, "heat__sign") for x1, y1, x2, y2 in strokes]

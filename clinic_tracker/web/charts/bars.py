"""Bars: stacked over months or weeks, and lying ones with a name each."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from clinic_tracker.web.charts.canvas import CHARACTER, LINE, Canvas, count_ticks, horizontal_grid, line, rect, text

TALL = Canvas(600, 240, 44, 12, 14, 24)
THICK, BETWEEN = 18, 10
LYING_WIDTH, NUMBER_ROOM = 600, 64
LONGEST_NAME = 30
LARGER, BOLD = 6.6, 7.4  # a character of a name, and of a number beside a bar
GAP = 0.3  # of the room of a bar
HAIR = 0.8  # between the parts of a bar


@dataclass(frozen=True, slots=True)
class Stack:
    """One bar: what it is for, and its parts in the order of the legend: class, words, count."""

    label: str
    parts: tuple[tuple[str, str, int], ...]
    told: str = ""  # beside its total

    @property
    def total(self) -> int:
        """The whole bar."""
        return sum(count for _, _, count in self.parts)


def standing_bars(words: str, stacks: Sequence[Stack], labels: Sequence[tuple[int, str]] | None = None) -> Markup:
    """Stacked bars side by side; ``labels`` names some of them by place. Empty where all are 0."""
    largest = max((stack.total for stack in stacks), default=0)
    if not largest:
        return Markup()
    canvas, ticks = TALL, count_ticks(largest)
    room = canvas.inner_width / len(stacks)
    parts = horizontal_grid(canvas, [(tick / ticks[-1], f"{tick:,}") for tick in ticks])
    for place, stack in enumerate(stacks):
        left = canvas.left + room * (place + GAP / 2)
        foot = float(canvas.foot)
        for name, told, count in stack.parts:
            height = canvas.inner_height * count / ticks[-1]
            if count:
                drawn = (left, foot - height, min(room * (1 - GAP), 40), max(height - HAIR, 0.4))
                parts.append(rect(drawn, f"segment segment--{name}", f"{stack.label}: {count:,} {told}"))
            foot -= height
    for place, label in labels if labels is not None else _some(stacks, room):
        center = canvas.left + room * (place + GAP / 2) + min(room * (1 - GAP), 40) / 2
        half = len(label) * CHARACTER / 2
        parts.append(text(min(max(center, half), canvas.width - half), canvas.foot + 15, label))
    return canvas.drawing(words, parts, "bars")


def _some(stacks: Sequence[Stack], room: float) -> list[tuple[int, str]]:
    """As many labels as fit, counted from the last."""
    longest = max(len(stack.label) for stack in stacks) * CHARACTER + 8
    every = max(1, -(-int(longest) // max(int(room), 1)))
    return [(place, stack.label) for place, stack in enumerate(stacks) if (len(stacks) - 1 - place) % every == 0]


def lying_bars(words: str, stacks: Sequence[Stack], largest: int | None = None) -> Markup:
    """A bar a line with its name before it and its total after it; empty where all are 0."""
    largest = largest or max((stack.total for stack in stacks), default=0)
    if not largest:
        return Markup()
    left = round(min(max(len(stack.label) for stack in stacks), LONGEST_NAME) * LARGER) + 12
    right = max(NUMBER_ROOM, round(max(len(_beside(stack)) for stack in stacks) * BOLD) + 10)
    canvas = Canvas(LYING_WIDTH, (THICK + BETWEEN) * len(stacks) + BETWEEN, left, right, BETWEEN, 0)
    parts = [line(left, canvas.top - 4, left, canvas.height - 4, "chart__axis")]
    for place, stack in enumerate(stacks):
        top = canvas.top + place * (THICK + BETWEEN)
        middle = top + THICK / 2 + LINE
        parts.append(text(left - 8, middle, stack.label, "end", "chart__label"))
        x = float(left)
        for name, told, count in stack.parts:
            width = canvas.inner_width * count / largest
            if count:
                drawn = (x, top, max(width - HAIR, 0.4), THICK)
                parts.append(rect(drawn, f"segment segment--{name}", f"{stack.label}: {count:,} {told}"))
            x += width
        parts.append(text(x + 6, middle, _beside(stack), "start", "chart__value"))
    return canvas.drawing(words, parts, "lying")


def _beside(stack: Stack) -> str:
    return f"{stack.total:,}" + (f" {stack.told}" if stack.told else "")

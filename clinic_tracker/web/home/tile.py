"""A number of My clinic today."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tile:
    """A number with its link."""

    label: str
    number: int | str
    sub: str
    href: str | None
    tone: str = ""

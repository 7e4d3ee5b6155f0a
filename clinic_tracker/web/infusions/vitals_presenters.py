"""Vital signs in words: each set with its flags, what was late, what is due, the trend."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from clinic_tracker.domain.protocol import Protocol
from clinic_tracker.domain.vitals import SIGNS, AlertLimits, Flag, VitalsDue, gaps, next_due
from clinic_tracker.queries.infusion_day import VitalsRow
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.settings import protocol_in_force
from clinic_tracker.web.filters import clock
from clinic_tracker.web.infusions.vitals_charts import VitalsChart, shown_value, vitals_charts


class Cell(NamedTuple):
    """One value of a set: as shown, and on which side of the limit it lies."""

    shown: str
    flag: Flag | None


@dataclass(frozen=True, slots=True)
class VitalsLine:
    """One set of vital signs."""

    row: VitalsRow
    cells: tuple[Cell, ...]
    minutes_late: int
    before_start: bool

    @property
    def flags(self) -> tuple[Flag, ...]:
        """The values beyond a limit."""
        return tuple(cell.flag for cell in self.cells if cell.flag is not None)


@dataclass(frozen=True, slots=True)
class VitalsView:
    """The vital signs of a day."""

    lines: tuple[VitalsLine, ...]
    charts: tuple[VitalsChart, ...]
    due: VitalsDue | None
    every_min: int
    time_zone: str

    @property
    def latest(self) -> VitalsLine | None:
        """The last set."""
        return self.lines[-1] if self.lines else None

    @property
    def hints(self) -> Mapping[str, str]:
        """For each sign the last value, to compare with while typing: "Last 118 at 08:40"."""
        found: dict[str, str] = {}
        for line in self.lines:
            for sign in SIGNS:
                value = getattr(line.row, sign.name)
                if value is not None:
                    found[sign.name] = (
                        f"Last {shown_value(sign.name, value)} at {clock(line.row.taken_at, self.time_zone)}"
                    )
        return found


def vitals_view(
    scope: Scope,
    protocol_id: str,
    rows: Sequence[VitalsRow],
    started_at: datetime | None = None,
    until: datetime | None = None,
    *,
    is_open: bool = False,
) -> VitalsView:
    """The sets of a day; ``until`` is the end of its observation. Nothing is due before the start or once signed."""
    protocol: Protocol = protocol_in_force(scope, protocol_id)
    limits = AlertLimits.from_settings({name: setting.value for name, setting in protocol.settings.items()})
    every = protocol.value("vitals_every_min")
    taken = [row.taken_at for row in rows]
    late = gaps(started_at, taken, every) if started_at is not None else (0,) * len(rows)
    due = next_due(started_at, taken, every, scope.now, until) if started_at is not None and is_open else None
    lines = tuple(
        VitalsLine(row, _cells(row, limits), minutes, started_at is None or row.taken_at <= started_at)
        for row, minutes in zip(rows, late, strict=True)
    )
    return VitalsView(lines, vitals_charts(rows, limits, scope.time_zone), due, every, scope.time_zone)


def _cells(row: VitalsRow, limits: AlertLimits) -> tuple[Cell, ...]:
    values = ((sign, getattr(row, sign.name)) for sign in SIGNS)
    return tuple(
        Cell(shown_value(sign.name, value) if value is not None else "", limits.flag(sign.name, value))
        for sign, value in values
    )

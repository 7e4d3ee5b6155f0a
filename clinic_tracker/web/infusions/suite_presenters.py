"""The board of the infusion suite: its groups, its chairs, and what happened since one last looked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from clinic_tracker.domain.protocol import Protocol
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.suite import Running, Suite
from clinic_tracker.queries.suite_details import SuiteDetails
from clinic_tracker.web.infusions.suite_lines import Event, Line, LineMaker


@dataclass(frozen=True, slots=True)
class Seat:
    """A chair, who sits in it now, and who is planned for it."""

    name: str | None
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """The board, group by group; each group has the earliest end first."""

    now: datetime
    planned: tuple[Line, ...]
    infusing: tuple[Line, ...]
    observing: tuple[Line, ...]
    observed: tuple[Line, ...]
    never_signed_out: tuple[Line, ...]
    discharged: tuple[Line, ...]
    next_out_at: datetime | None
    chairs: tuple[str, ...]

    @property
    def here(self) -> tuple[Line, ...]:
        """Everybody who has not been signed out, those to be acted upon first."""
        return self.never_signed_out + self.observed + self.observing + self.infusing

    @property
    def is_empty(self) -> bool:
        """Whether nobody is planned, present, forgotten or discharged today."""
        return not (self.here or self.planned or self.discharged)

    @property
    def vitals_late(self) -> int:
        """Of how many patients vital signs are late."""
        return sum(line.vitals_late for line in self.here)

    @property
    def seats(self) -> tuple[Seat, ...]:
        """The chairs in the clinic's order, then others that somebody sits in, then who has none."""
        lines = (*self.here, *self.planned)
        others = sorted({line.chair for line in lines if line.chair} - set(self.chairs))
        seats = [Seat(name, _sitting(lines, name)) for name in (*self.chairs, *others)]
        without = _sitting(lines, None)
        return (*seats, Seat(None, without)) if without else tuple(seats)

    @property
    def changes_at(self) -> datetime | None:
        """When the board will change although nobody records anything; None if it will not today."""
        moments = [line.vitals_due_at for line in self.here]
        moments += [line.ends_at for line in self.here if line.paused_at is None]
        moments += [line.row.forgotten_from for line in self.here if isinstance(line.row, Running)]
        return min((moment for moment in moments if moment is not None and moment > self.now), default=None)


def board(scope: Scope, suite: Suite, details: SuiteDetails, protocol: Protocol, ready: Mapping[int, str]) -> Board:
    """The suite in words. ``ready`` says of planned courses, by their keys, what stands in the way."""
    maker = LineMaker(scope, details, protocol, ready)
    return Board(
        now=scope.now,
        planned=maker.planned(suite.planned),
        infusing=tuple(sorted(maker.lines(suite.infusing, "infusing"), key=lambda line: line.ends_at or scope.now)),
        observing=maker.lines(suite.observing, "observing"),
        observed=maker.lines(suite.observed, "observed"),
        never_signed_out=maker.lines(suite.never_signed_out, "never_signed_out"),
        discharged=maker.lines(suite.discharged, "discharged"),
        next_out_at=suite.next_out_at,
        chairs=details.chairs,
    )


def events(found: Board, *, with_names: bool) -> tuple[Event, ...]:
    """What has happened and is not dealt with. A screen tells each key once, and none that it opened with."""
    told = []
    for line in found.here:
        who = line.who(with_names=with_names)
        is_over = line.ends_at is not None and line.ends_at <= found.now and line.paused_at is None
        if line.group in {"observed", "infusing"} and is_over:
            told.append(line.time_over(with_names=with_names))
        if line.vitals_late:
            told.append(Event(line.event_key("vitals", line.vitals_due_at), f"Vital signs of {who} are due."))
        told += [
            Event(line.event_key("reaction", reaction.onset_at), f"Reaction recorded for {who}.")
            for reaction in line.reactions
        ]
    return tuple(told)


def _sitting(lines: Iterable[Line], chair: str | None) -> tuple[Line, ...]:
    return tuple(line for line in lines if line.chair == chair)

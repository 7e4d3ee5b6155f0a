"""One patient on the board of the infusion suite: a line of words and times."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from flask import url_for

from clinic_tracker.domain.infusion_day import expected_end_at
from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.protocol import Protocol
from clinic_tracker.domain.vitals import AlertLimits, Flag, next_due
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.suite import Expected, Running
from clinic_tracker.queries.suite_details import LastVitals, SeenReaction, SuiteDetails
from clinic_tracker.web.filters import plural

READY = "Ready"
WATCHED = frozenset({"infusing", "observing"})


class Event(NamedTuple):
    """Something that a screen tells once: aloud to a screen reader, and by a tone where that was switched on."""

    key: str
    words: str


class Step(NamedTuple):
    """What is to be done next, and of whom."""

    text: str
    href: str
    about: str


@dataclass(frozen=True, slots=True)
class Line:
    """One patient on the board. ``key`` stays the same from one refresh to the next."""

    key: str
    group: str
    row: Running | Expected
    chair: str | None
    nurse: str | None
    missing: tuple[str, ...]
    vitals: LastVitals | None
    vitals_due_at: datetime | None = None
    vitals_late: bool = False
    ends_at: datetime | None = None
    paused_at: datetime | None = None
    alerts: tuple[Flag, ...] = ()
    reactions: tuple[SeenReaction, ...] = ()
    starts_at: datetime | None = None
    note: str | None = None
    readiness: str | None = None
    waiting: str | None = None

    @property
    def href(self) -> str:
        """The page of the infusion day, or of the courses where none has begun."""
        if isinstance(self.row, Running):
            return url_for("infusions.day", patient=self.row.patient, infusion=self.row.infusion)
        return url_for("infusions.courses", patient=self.row.patient)

    @property
    def step(self) -> Step | None:
        """What is to be done next."""
        row, name = self.row, f"{self.row.given_name} {self.row.family_name}"
        if isinstance(row, Expected):
            return Step("Prepare", url_for("infusions.record", patient=row.patient, course=row.course), name)
        if self.group in WATCHED:
            href = url_for("infusions.vitals", patient=row.patient, infusion=row.infusion)
            return Step("Take vitals", href, f"of {name}")
        if self.group != "discharged" and row.ended_at:
            href = url_for("infusions.discharge", patient=row.patient, infusion=row.infusion)
            return Step("Sign discharge", href, f"of {name}")
        return None

    def who(self, *, with_names: bool) -> str:
        """The chair, as people call across the room; the name only where there is no chair and names may be told."""
        if self.chair:
            return f"chair {self.chair}"
        return f"{self.row.given_name} {self.row.family_name}" if with_names else "the patient without a chair"

    def time_over(self, *, with_names: bool) -> Event:
        """What is told when the infusion or the observation is over."""
        who = self.who(with_names=with_names)
        if self.group == "infusing":
            return Event(self.event_key("run", self.ends_at), f"The planned time of the infusion of {who} is over.")
        return Event(self.event_key("over", self.ends_at), f"Observation of {who} is over.")

    def event_key(self, kind: str, at: datetime | None) -> str:
        """The same for the same happening, whoever tells of it."""
        return f"{kind}-{self.key}-{int(at.timestamp()) if at else 0}"

    @property
    def day_words(self) -> str:
        """Course 1, day 2 of 5."""
        return f"Course {self.row.course_number}, day {self.row.day_number} of {self.row.planned_days}"

    @property
    def is_ready(self) -> bool:
        """Whether nothing on file stands in the way of a planned infusion."""
        return self.readiness == READY

    @property
    def reaction_words(self) -> str | None:
        """How many reactions, and the worst that can be said of them."""
        if not self.reactions:
            return None
        words = plural(len(self.reactions), "reaction")
        if any(reaction.is_serious for reaction in self.reactions):
            return f"{words}, serious"
        return words


class LineMaker:
    """Makes the lines of one board."""

    def __init__(self, scope: Scope, details: SuiteDetails, protocol: Protocol, ready: Mapping[int, str]) -> None:
        self.scope, self.details, self.protocol, self.ready = scope, details, protocol, ready
        self.limits = AlertLimits.from_settings({name: setting.value for name, setting in protocol.settings.items()})

    def lines(self, rows: Iterable[Running], group: str) -> tuple[Line, ...]:
        """Those whose infusion has started."""
        return tuple(self._running(row, group) for row in rows)

    def planned(self, rows: Iterable[Expected]) -> tuple[Line, ...]:
        """Those who are expected: the booked ones by their times, then the others by name."""
        lines = [self._expected(row) for row in rows]
        return tuple(sorted(lines, key=lambda line: (line.starts_at is None, line.starts_at or self.scope.now)))

    def _running(self, row: Running, group: str) -> Line:
        details, place = self.details, row.place
        pauses = details.pauses.get(row.infusion_id, ())
        booked = details.bookings.get(row.course_id) if row.infused_on == self.scope.today else None
        vitals = details.vitals.get(place)
        due = self._vitals_due(row, vitals) if group in WATCHED else None
        minutes = row.planned_minutes or self.protocol.value("infusion_target_min")
        open_pause = next((pause.started_at for pause in pauses if pause.ended_at is None), None)
        return Line(
            key=str(row.infusion),
            group=group,
            row=row,
            chair=row.chair or (booked.chair_name if booked else None),
            nurse=row.nurse_name or (booked.nurse_name if booked else None),
            missing=self._missing(row, vitals) if group in WATCHED else (),
            vitals=vitals,
            vitals_due_at=due,
            vitals_late=due is not None and due <= self.scope.now,
            ends_at=row.observed_until or expected_end_at(row.started_at, minutes, pauses, self.scope.now),
            paused_at=open_pause if group == "infusing" else None,
            alerts=self.limits.flags(vitals.values) if vitals and group in WATCHED else (),
            reactions=details.reactions.get(row.infusion_id, ()),
            waiting=self._waiting(row, group),
        )

    def _expected(self, row: Expected) -> Line:
        booked, vitals = self.details.bookings.get(row.course_id), self.details.vitals.get(row.place)
        starts_at = booked.starts_at if booked else None
        return Line(
            key=str(row.course),
            group="planned",
            row=row,
            chair=booked.chair_name if booked else None,
            nurse=booked.nurse_name if booked else None,
            missing=self._missing(row, vitals),
            vitals=vitals,
            alerts=self.limits.flags(vitals.values) if vitals else (),
            starts_at=starts_at,
            note=None if row.expected_on == self.scope.today else f"was planned for {show_date(row.expected_on)}",
            readiness=self.ready.get(row.course_id),
        )

    def _vitals_due(self, row: Running, vitals: LastVitals | None) -> datetime | None:
        """When the next set is due, until the observation is over; the first one was due before the start (R-47)."""
        if vitals is None:
            return row.started_at
        every = self.protocol.value("vitals_every_min")
        due = next_due(row.started_at, [vitals.taken_at], every, self.scope.now, row.observed_until)
        return due.at if due is not None else None

    def _waiting(self, row: Running, group: str) -> str | None:
        """For how long somebody has not been signed out who should have been."""
        since = row.observed_until or row.started_at
        return age_of(since, self.scope.now) if group == "never_signed_out" else None

    def _missing(self, row: Running | Expected, vitals: LastVitals | None) -> tuple[str, ...]:
        """What has to be recorded before the start, or had to be (R-43, R-47, R-55)."""
        place, wanted = row.place, self.protocol.value("drug_check_people")
        checks = self.details.drug_checks.get(place, 0)
        found = ["vital signs"] if vitals is None else []
        if row.day_number <= self.protocol.value("steroid_days") and place not in self.details.steroids:
            found.append("steroid")
        if checks < wanted:
            found.append(f"drug check {checks} of {wanted}" if checks else "drug check")
        return tuple(found)


def age_of(since: datetime, now: datetime) -> str:
    """For how long somebody has been waiting: 5 h, 3 days."""
    hours = (now - since) // timedelta(hours=1)
    return plural(hours // 24, "day") if hours >= 48 else f"{hours} h"  # noqa: PLR2004 - two days on, hours say nothing

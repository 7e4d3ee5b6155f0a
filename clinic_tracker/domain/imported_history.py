"""A history file with identities: what an importer needs beyond what the engine reads.

Each element is a history of the schedule contract plus ``identity`` with ``mrn``, ``family_name``, ``given_name`` and
``birth_date``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from clinic_tracker.domain.history import History
from clinic_tracker.domain.history_json import InvalidHistory, instant, read_day, read_history

IDENTITY = ("mrn", "family_name", "given_name", "birth_date")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the history belongs to."""

    mrn: str
    family_name: str
    given_name: str
    birth_date: date


@dataclass(frozen=True, slots=True)
class GivenInfusion:
    """One infusion with its instants; ``on`` is the local date of the start where it was given."""

    on: date
    started_at: datetime
    ended_at: datetime | None
    pauses: tuple[tuple[datetime, datetime | None], ...]


@dataclass(frozen=True, slots=True)
class ImportedHistory:
    """One element of the file, checked. ``infusions`` are by course number, in order of their start."""

    identity: Identity
    history: History
    sex_at_birth: str
    has_cervix: bool | None
    time_zone: str
    infusions: Mapping[int, tuple[GivenInfusion, ...]]


def read_imported(value: object) -> ImportedHistory:
    """Check one element; InvalidHistory names the field (``identity.mrn: …``)."""
    history = read_history(value, extra=frozenset({"identity"}))
    assert isinstance(value, Mapping)  # or read_history had refused it
    if "identity" not in value:
        raise InvalidHistory("identity", "is required")
    try:
        identity = _identity(value["identity"])
    except InvalidHistory as error:
        raise error.inside("identity") from error
    patient: Mapping[str, Any] = value["patient"]
    zone = ZoneInfo(value["time_zone"])
    return ImportedHistory(
        identity=identity,
        history=history,
        sex_at_birth=patient.get("sex_at_birth") or "unknown",
        has_cervix=patient.get("has_cervix"),
        time_zone=zone.key,
        infusions={
            course["number"]: _infusions(course.get("infusions") or (), zone, f"courses[{place}].infusions")
            for place, course in enumerate(value["courses"])
        },
    )


def _identity(value: object) -> Identity:
    if not isinstance(value, Mapping):
        raise InvalidHistory("", f"must be an object with {', '.join(IDENTITY)}")
    for name in value:
        if name not in IDENTITY:
            raise InvalidHistory(str(name), "is not known here")
    texts: dict[str, str] = {}
    for name in IDENTITY:
        text = value.get(name)
        if not isinstance(text, str) or not text.strip() or not text.isprintable():
            raise InvalidHistory(name, "must be a text that is not empty")
        texts[name] = " ".join(text.split())
    try:
        born = date.fromordinal(read_day(texts["birth_date"]))
    except InvalidHistory as error:
        raise error.inside("birth_date") from error
    return Identity(texts["mrn"], texts["family_name"], texts["given_name"], born)


def _infusions(values: Any, zone: ZoneInfo, path: str) -> tuple[GivenInfusion, ...]:
    found = []
    for place, value in enumerate(values):
        started_at = instant(value["started_at"])
        ended_at = instant(value["ended_at"]) if value.get("ended_at") else None
        pauses = _pauses(value.get("pauses") or (), f"{path}[{place}].pauses")
        found.append(GivenInfusion(started_at.astimezone(zone).date(), started_at, ended_at, pauses))
    found.sort(key=lambda infusion: infusion.started_at)
    for before, after in pairwise(found):
        if before.on == after.on:
            raise InvalidHistory(path, f"two infusions on {after.on.isoformat()}: one a day is possible")
    return tuple(found)


def _pauses(values: Any, path: str) -> tuple[tuple[datetime, datetime | None], ...]:
    found = []
    for place, value in enumerate(values):
        try:
            found.append(_pause(value))
        except InvalidHistory as error:
            raise error.inside(f"{path}[{place}]") from error
    return tuple(found)


def _pause(value: object) -> tuple[datetime, datetime | None]:
    """A pause is an object with the instants ``paused_at`` and, once the infusion went on, ``resumed_at``."""
    if not isinstance(value, Mapping) or not value.keys() <= {"paused_at", "resumed_at"}:
        raise InvalidHistory("", "must be an object with paused_at and resumed_at")
    paused_at = instant(value.get("paused_at"))
    resumed_at = instant(value["resumed_at"]) if value.get("resumed_at") else None
    if resumed_at is not None and resumed_at < paused_at:
        raise InvalidHistory("resumed_at", "must not be before paused_at")
    return paused_at, resumed_at

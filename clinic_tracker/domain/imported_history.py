"""A history file with identities: what an importer needs beyond what the engine reads.

Each element is a history of the schedule contract plus ``identity`` with ``mrn``, ``family_name``, ``given_name`` and
``birth_date``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from clinic_tracker.domain.history import History
from clinic_tracker.domain.history_json import InvalidHistory, read_history

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


def read_imported(value: object, path: str) -> ImportedHistory:
    """Check one element; InvalidHistory names the field (``[3].identity.mrn: …``)."""
    if not isinstance(value, Mapping):
        raise InvalidHistory(f"{path}: must be an object")
    identity = _identity(value.get("identity"), f"{path}.identity")
    plain = {key: part for key, part in value.items() if key != "identity"}
    history = read_history(plain, path)
    patient: Mapping[str, Any] = plain["patient"]
    zone = ZoneInfo(plain["time_zone"])
    infusions = {
        course["number"]: _infusions(course.get("infusions") or (), zone, f"{path}.courses[{position}]")
        for position, course in enumerate(plain["courses"])
    }
    return ImportedHistory(
        identity=identity,
        history=history,
        sex_at_birth=patient.get("sex_at_birth") or "unknown",
        has_cervix=patient.get("has_cervix"),
        time_zone=zone.key,
        infusions=infusions,
    )


def _identity(value: object, path: str) -> Identity:
    if not isinstance(value, Mapping):
        raise InvalidHistory(f"{path}: must be an object with {', '.join(IDENTITY)}")
    for name in value:
        if name not in IDENTITY:
            raise InvalidHistory(f"{path}.{name}: is not known here")
    texts: dict[str, str] = {}
    for name in IDENTITY:
        text = value.get(name)
        if not isinstance(text, str) or not text.strip():
            raise InvalidHistory(f"{path}.{name}: must be a text that is not empty")
        texts[name] = " ".join(text.split())
    try:
        born = datetime.strptime(texts["birth_date"], "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError as error:
        raise InvalidHistory(f"{path}.birth_date: must be a date such as 1984-05-17") from error
    return Identity(texts["mrn"], texts["family_name"], texts["given_name"], born)


def _infusions(values: Any, zone: ZoneInfo, path: str) -> tuple[GivenInfusion, ...]:
    found = []
    for value in values:
        started_at = _instant(value["started_at"])
        ended_at = _instant(value["ended_at"]) if value.get("ended_at") else None
        found.append(
            GivenInfusion(started_at.astimezone(zone).date(), started_at, ended_at, _pauses(value.get("pauses") or ()))
        )
    found.sort(key=lambda infusion: infusion.started_at)
    for before, after in pairwise(found):
        if before.on == after.on:
            raise InvalidHistory(f"{path}.infusions: two infusions on {after.on.isoformat()}, one a day is possible")
    return tuple(found)


def _pauses(values: Any) -> tuple[tuple[datetime, datetime | None], ...]:
    return tuple(
        (_instant(pause["paused_at"]), _instant(pause["resumed_at"]) if pause.get("resumed_at") else None)
        for pause in values
    )


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)

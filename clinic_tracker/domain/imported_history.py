"""A history file with identities: what an importer needs beyond what the engine reads.

Each element is a history of the schedule contract plus ``identity`` with ``mrn``, ``family_name``, ``given_name`` and
``birth_date``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from clinic_tracker.domain.history import History
from clinic_tracker.domain.history_json import GivenInfusion, InvalidHistory, read_day, read_history, read_infusion
from clinic_tracker.domain.json_values import Object, at, each, fields_of, optional_list, storable

IDENTITY = ("mrn", "family_name", "given_name", "birth_date")
LONGEST_NAME = 200
GREATEST_COURSE = 2**31 - 1  # of a column that holds whole numbers; the engine takes any


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the history belongs to."""

    mrn: str
    family_name: str
    given_name: str
    birth_date: date


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
    assert isinstance(value, dict)  # or read_history had refused it
    if "identity" not in value:
        raise InvalidHistory("identity", "is required")
    identity = at("identity", _identity, value["identity"])
    patient: Mapping[str, Any] = value["patient"]
    zone = ZoneInfo(value["time_zone"])
    optional_list(value, "labs", _check_test)
    return ImportedHistory(
        identity=identity,
        history=history,
        sex_at_birth=patient.get("sex_at_birth") or "unknown",
        has_cervix=patient.get("has_cervix"),
        time_zone=zone.key,
        infusions=dict(each("courses", value["courses"], lambda course: _course(course, zone))),
    )


def day_numbers(on_chart: Mapping[date, int], added: Iterable[date]) -> dict[date, int]:
    """The day of the course of every date, once the ``added`` ones stand beside those ``on_chart``.

    The days rise with the dates. One on the chart keeps its number unless an earlier day takes it, so that a hole that
    somebody left stays one until its day is added.
    """
    numbers: dict[date, int] = {}
    last = 0
    for on in sorted({*on_chart, *added}):
        last = max(on_chart.get(on, 0), last + 1)
        numbers[on] = last
    return numbers


def _identity(value: object) -> Identity:
    fields = fields_of(value, IDENTITY, frozenset(IDENTITY))
    mrn, family_name, given_name = (at(name, _name, fields[name]) for name in IDENTITY[:3])
    return Identity(mrn, family_name, given_name, date.fromordinal(at("birth_date", read_day, fields["birth_date"])))


def _name(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise InvalidHistory("", "must be a text that is not empty")
    if not value.isprintable():
        raise InvalidHistory("", "must be one line of printable characters")
    if len(value) > LONGEST_NAME:
        raise InvalidHistory("", f"must be {LONGEST_NAME} characters or fewer")
    return " ".join(value.split())


def _check_test(lab: Any) -> None:
    """To the engine any name will do; one that is kept must fit into a database."""
    at("test", storable, lab["test"])


def _course(course: Any, zone: ZoneInfo) -> tuple[int, tuple[GivenInfusion, ...]]:
    """A course that ``read_history`` let pass, as it can be kept: its number, and its infusions in order."""
    number: int = course["number"]
    if number > GREATEST_COURSE:
        raise InvalidHistory("number", f"must be {GREATEST_COURSE} or less")
    fields: Object = course
    given = optional_list(fields, "infusions", lambda infusion: read_infusion(infusion, zone))
    infusions = tuple(sorted(given, key=lambda infusion: infusion.started_at))
    for before, after in pairwise(infusions):
        if before.on == after.on:
            raise InvalidHistory("infusions", f"two infusions on {after.on.isoformat()}: one a day is possible")
    return number, infusions

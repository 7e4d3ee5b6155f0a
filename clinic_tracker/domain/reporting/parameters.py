"""The parameters of a report, read alike from an address, a command line and a stored request."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.local_time import (
    Choice,
    add_months,
    parse_date,
    parse_time,
    resolve_local,
    show_date,
    to_local,
    to_utc,
    zone,
)
from clinic_tracker.domain.reporting.columns import Privacy
from clinic_tracker.domain.reporting.definition import Definition, Takes

DEFAULT_MONTHS = 12
SHORTEST_WITHOUT_IDENTITY = timedelta(days=330)  # the twelve months meant by default have at least 334
_WITH_TIME = re.compile(
    r"(.+?)[,\s]+(\d{1,2}:\d{2}(?::\d{2})?\s*(?:[ap]\.?m?\.?)?|\d{1,2}\s*[ap]\.?m\.?|noon|midnight)", re.IGNORECASE
)
COMMON = (
    "from", "to", "as_of", "known_at", "compared_with", "requirement", "prescriber", "patient", "person", "identity",
)  # fmt: skip


class Identity(StrEnum):
    """Whether and how a copy is de-identified."""

    FULL = "full"
    SHIFTED = "shifted"  # study number; all dates of a patient shifted by the same number of days
    INTERVALS = "intervals"  # study number; dates as days since the first infusion


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a report was asked for. Everything that is not taken by its kind is None."""

    as_of: date
    from_on: date | None = None
    to_on: date | None = None
    known_at: datetime | None = None
    requirement: str | None = None
    prescriber: UUID | None = None
    patient: UUID | None = None
    identity: Identity = Identity.FULL
    person: UUID | None = None
    compared_with: datetime | None = None
    choices: dict[str, str] = field(default_factory=dict)

    @property
    def period(self) -> tuple[date, date]:
        """The first and the last day asked about; the whole of time up to ``as_of`` where no period is taken."""
        return self.from_on or date.min, self.to_on or self.as_of

    def as_json(self) -> dict[str, str]:
        """The same as text by name, in the order of names: what is stored, and what an address or command holds."""
        values: dict[str, Any] = {
            "from": self.from_on,
            "to": self.to_on,
            "as_of": self.as_of,
            "known_at": self.known_at,
            "requirement": self.requirement,
            "prescriber": self.prescriber,
            "patient": self.patient,
            "person": self.person,
            "compared_with": self.compared_with,
            "identity": self.identity if self.identity is not Identity.FULL else None,
            **self.choices,
        }
        return {
            name: value.isoformat() if isinstance(value, date) else str(value)
            for name, value in sorted(values.items())
            if value is not None
        }

    def known_by(self, instant: datetime) -> "Parameters":
        """The same, with what was known at an instant."""
        return replace(self, known_at=instant)


def read_parameters(definition: Definition, values: Mapping[str, str], now: datetime, time_zone: str) -> Parameters:
    """Read parameters by name; RuleViolation with the name of the first that is unknown or makes no sense as field.

    Without a period the last twelve months are meant; without ``as_of`` today. Every report has an ``as_of``: one that
    does not ask for it has the day of asking, so that it can be made again. ``known_at`` is an instant with offset,
    a local date and time, or a local date (the end of that day, which may be today's); so is ``compared_with``, which
    is the end of ``as_of`` where it is asked for and not given.
    """
    given = {name: text.strip() for name, text in values.items() if text.strip()}
    _refuse_unknown(definition, given)
    today = to_local(now, time_zone).date()
    as_of = parse_date(given["as_of"], today, "as_of") if "as_of" in given else today
    if as_of > today:
        raise RuleViolation("future_date", "as_of", f"{show_date(as_of)} is in the future: a report looks back.")
    known_at = _past_instant(given, "known_at", today, time_zone)
    compared_with = _past_instant(given, "compared_with", today, time_zone)
    if compared_with is None and Takes.COMPARED_WITH in definition.takes:
        compared_with = _end_of(as_of, time_zone)
    from_on, to_on = _period(definition, given, today, as_of)
    identity = Identity(_one_of("identity", given.get("identity", Identity.FULL), [one.value for one in Identity]))
    if identity is not Identity.FULL:
        _refuse_short(definition, from_on, to_on)
    return Parameters(
        as_of,
        from_on,
        to_on,
        known_at,
        given.get("requirement"),
        _uuid(given, "prescriber"),
        _uuid(given, "patient"),
        identity,
        _uuid(given, "person"),
        compared_with,
        {
            choice.name: _one_of(choice.name, given.get(choice.name, choice.default), list(choice.options))
            for choice in definition.choices
        },
    )


def read_all(
    definition: Definition, values: Mapping[str, str], now: datetime, time_zone: str
) -> tuple[Parameters | None, list[RuleViolation]]:
    """The parameters, or None and everything that is wrong with them, each with its name."""
    left, problems = dict(values), list[RuleViolation]()
    while True:
        try:
            parameters = read_parameters(definition, left, now, time_zone)
        except RuleViolation as violation:
            problems.append(violation)
            if left.pop(violation.field or "", None) is None:
                return None, problems
        else:
            return (None if problems else parameters), problems


def _refuse_unknown(definition: Definition, given: Mapping[str, str]) -> None:
    known = {"identity", "as_of"} | {choice.name for choice in definition.choices}
    for takes in definition.takes:
        known |= {"from", "to"} if takes is Takes.PERIOD else {takes.value}
    for name in sorted(given.keys() - known):
        message = f"The report “{definition.title}” takes no parameter {name}."
        raise RuleViolation("unknown_parameter", name, message)


def _refuse_short(definition: Definition, from_on: date | None, to_on: date | None) -> None:
    """RuleViolation for a copy without identity of a short period: the days asked about would tell the dates."""
    of_patients = any(column.privacy in (Privacy.PATIENT, Privacy.DATED) for column in definition.columns)
    if of_patients and from_on is not None and to_on is not None and to_on - from_on < SHORTEST_WITHOUT_IDENTITY:
        message = (
            f"A copy without identity is of at least {SHORTEST_WITHOUT_IDENTITY.days} days: "
            "in a shorter time the days asked about would tell the dates that it hides."
        )
        raise RuleViolation("period_too_short", "from", message)


def _period(
    definition: Definition, given: Mapping[str, str], today: date, as_of: date
) -> tuple[date | None, date | None]:
    if Takes.PERIOD not in definition.takes:
        return None, None
    to_on = parse_date(given["to"], today, "to") if "to" in given else as_of
    start = add_months(to_on.replace(day=1), 1 - DEFAULT_MONTHS)
    from_on = parse_date(given["from"], today, "from") if "from" in given else start
    if to_on < from_on:
        raise RuleViolation("period", "to", "The period must not end before it begins.")
    return from_on, to_on


def _past_instant(given: Mapping[str, str], name: str, today: date, time_zone: str) -> datetime | None:
    """An instant not after the end of today."""
    if name not in given:
        return None
    instant = _instant(given[name], today, time_zone, name)
    if to_local(instant - timedelta(microseconds=1), time_zone).date() > today:
        raise RuleViolation("future_instant", name, "What will be known in the future cannot be reported.")
    return instant


def _instant(text: str, today: date, time_zone: str, name: str) -> datetime:
    """An instant; a date alone means the end of that day, a time without offset the clinic's clock."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return _typed_instant(text, today, time_zone, name)
    if len(text) <= len("2026-11-22"):
        return _end_of(read.date(), time_zone)
    if read.tzinfo is not None:
        return to_utc(read)
    return resolve_local(read.date(), read.time(), time_zone, Choice.EARLIER, name)


def _typed_instant(text: str, today: date, time_zone: str, name: str) -> datetime:
    """A date as people type it, or such a date and a time of day."""
    try:
        return _end_of(parse_date(text, today, name), time_zone)
    except RuleViolation:
        found = _WITH_TIME.fullmatch(text.strip())
        if found is None:
            raise
    day, clock = parse_date(found[1], today, name), parse_time(found[2], name)
    return resolve_local(day, clock, time_zone, Choice.EARLIER, name)


def _end_of(day: date, time_zone: str) -> datetime:
    """The first instant of the next day, also where the clocks jump over midnight."""
    return to_utc(datetime.combine(day + timedelta(days=1), time(0), tzinfo=zone(time_zone)))


def _uuid(given: Mapping[str, str], name: str) -> UUID | None:
    if name not in given:
        return None
    try:
        return UUID(given[name])
    except ValueError:
        raise RuleViolation("no_such", name, f"There is no such {name}.") from None


def _one_of(name: str, value: str, options: list[str]) -> str:
    if value not in options:
        raise RuleViolation("no_such", name, f"“{value}” is not one of {', '.join(options)}.")
    return value

"""Compliance: what the obligations that fell due in a period came to, counted by group."""

from calendar import monthrange
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from itertools import repeat
from typing import Any

from sqlalchemy import func

from clinic_tracker.domain.calendar import iso
from clinic_tracker.domain.compliance import Outcome, Tally
from clinic_tracker.domain.reporting.columns import Column, Kind, Privacy
from clinic_tracker.domain.reporting.definition import Choice, Definition, Line
from clinic_tracker.domain.reporting.parameters import Parameters
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.schedule import Obligation
from clinic_tracker.queries.knowledge import Knowledge, Named, Person
from clinic_tracker.queries.protocols import packaged_protocols
from clinic_tracker.queries.reports.asked import (
    ASSIGNED,
    EXPECTED,
    GRACE,
    NOBODY,
    OUTCOMES,
    PROTOCOL,
    SIGN_OFF,
    TAKES,
    TWO_TIMES,
    YEAR,
    Asked,
    is_live,
)
from clinic_tracker.queries.reports.projected import fallen_due, month_of, outcome_of, year_named, years_since
from clinic_tracker.queries.reports.recounted import Judged, judged
from clinic_tracker.queries.scope import Scope

#: The ways to group, each with what tells its groups apart. A group is a tuple of those values, as text or a key.
GROUPS: dict[str, tuple[str, ...]] = {
    "requirement": ("requirement",),
    "month": ("month",),
    "requirement_month": ("requirement", "month"),
    "prescriber": ("prescriber",),
    "year": ("year",),
    "protocol": ("protocol",),
    "whole": (),
}
Group = tuple[Any, ...]

_BY = Choice(
    "by",
    "By",
    {
        "requirement": "Requirement",
        "month": "Month of the due date",
        "requirement_month": "Requirement and month",
        "prescriber": "Prescriber",
        "year": "Year since the last infusion",
        "protocol": "Protocol",
        "whole": "All together",
    },
    "requirement",
)


def _with(dimension: str) -> tuple[str, tuple[str, ...]]:
    return _BY.name, tuple(name for name, dimensions in GROUPS.items() if dimension in dimensions)


def _counted(outcome: str, title: str, definition: str) -> Column:
    behind = ((OUTCOMES.name, outcome),) if outcome else ()
    return Column(outcome or "due", title, Kind.COUNT, definition, totaled=True, behind=behind)


def _share(outcome: Outcome, title: str) -> Column:
    words = f"The count of “{title.lower()}” divided by the count of “expected”; empty where nothing was expected."
    return Column(
        f"{outcome}_share", f"{title}, share", Kind.SHARE, words, in_files_only=outcome is not Outcome.ON_TIME
    )


DEFINITION = Definition(
    name="compliance",
    title="Compliance",
    question="Of what fell due in the period, how much was done on time, late or not at all?",
    columns=(
        Column("requirement", "Requirement", Kind.CODE, "The requirement of the protocol.", only=_with("requirement")),
        Column(
            "what",
            "What",
            Kind.TEXT,
            "The title of the requirement.",
            only=_with("requirement"),
            in_files_only=True,
        ),
        Column("month", "Month", Kind.MONTH, "The month of the due date.", only=_with("month")),
        Column(
            "prescriber",
            "Prescriber",
            Kind.TEXT,
            "Who answered for the patient on the day of the report; empty for nobody.",
            Privacy.IDENTITY,
            only=_with("prescriber"),
        ),
        Column(
            "year",
            "Year",
            Kind.CODE,
            "Year since the last infusion on or before the due date: 1 to its first anniversary, that day included, "
            "and so on; 4+ is everything after the third.",
            only=_with("year"),
        ),
        Column("protocol", "Protocol", Kind.TEXT, "The patient's protocol and its version.", only=_with("protocol")),
        _counted("", "Due", "Obligations whose due date lies in the period and is not after the day asked about."),
        _counted(Outcome.WAIVED, "Waived", "Not done, and the due date lies in a waiver of the requirement."),
        _counted(EXPECTED, "Expected", "Due less waived: the denominator of every share."),
        _counted(Outcome.ON_TIME, "On time", "Done by the due date plus the grace; early counts as on time."),
        _share(Outcome.ON_TIME, "On time"),
        _counted(Outcome.LATE, "Late", "Done after the due date plus the grace."),
        _counted(Outcome.MISSED, "Missed", "Not done, and its window has closed: later evidence belongs to the next."),
        _counted(Outcome.OWED, "Still owed", "Not done yet, and still open; forms and exams stay open until done."),
        _share(Outcome.LATE, "Late"),
        _share(Outcome.MISSED, "Missed"),
        _share(Outcome.OWED, "Still owed"),
    ),
    takes=TAKES,
    choices=(_BY,),
    notes=(
        GRACE,
        (
            "Evidence is dated by the day of the draw, of the exam, of the submission. Results that are preliminary, "
            "cancelled, incomplete or entered in error are no evidence."
        ),
        SIGN_OFF,
        "The schedule is that of the protocol in the version named above, for the past as well.",
        TWO_TIMES,
    ),
    behind="obligations",
)


def lines(scope: Scope, parameters: Parameters) -> Iterator[Line]:
    """A line for each group in which anything fell due."""
    dimensions = GROUPS[parameters.choices[_BY.name]]
    known = Knowledge(scope, parameters.known_at)
    write = _Writer(scope, parameters, known.prescribers())
    counted = counts(scope, parameters, dimensions)
    for group in sorted(counted, key=lambda one: write.place(dimensions, one)):
        yield write.line(dimensions, group, counted[group])


def counts(scope: Scope, parameters: Parameters, dimensions: tuple[str, ...]) -> dict[Group, Tally]:
    """The obligations that fell due by group, which is a value for each dimension.

    A requirement and a protocol are their codes, a month is YYYY-MM, a prescriber is the key or None, a year is one of
    ``domain.compliance.YEARS``. Today is counted from the stored schedules, any other day and instant by the engine.
    """
    asked = Asked.of(parameters)
    if is_live(scope, parameters):
        return _tallies(_live(scope, asked, dimensions))
    return _tallies(_recounted(Knowledge(scope, parameters.known_at), asked, parameters.as_of, dimensions))


def _tallies(counted: Mapping[tuple[Group, str], int]) -> dict[Group, Tally]:
    by_group: defaultdict[Group, dict[str, int]] = defaultdict(dict)
    for (group, outcome), number in counted.items():
        by_group[group][outcome] = number
    return {group: Tally.of(numbers) for group, numbers in by_group.items()}


def _live(scope: Scope, asked: Asked, dimensions: tuple[str, ...]) -> dict[tuple[Group, str], int]:
    told: dict[str, Any] = {
        "requirement": lambda: Obligation.requirement,
        "month": month_of,
        "prescriber": lambda: Patient.prescriber_id,
        "year": years_since,
        "protocol": lambda: Patient.protocol_id,
    }
    columns = [told[name]().label(f"group_{name}") for name in dimensions]
    columns.append(outcome_of(scope).label("outcome"))
    # Grouped over named columns: on PostgreSQL two expressions with parameters are never the same expression.
    inner = fallen_due(scope, asked, columns).subquery()
    rows = db.session.execute(inner.select().with_only_columns(*inner.c, func.count()).group_by(*inner.c))
    counted: Counter[tuple[Group, str]] = Counter()
    for *group, outcome, number in rows:
        named = (year_named(one) if name == "year" else one for name, one in zip(dimensions, group, strict=True))
        counted[tuple(named), outcome] += number
    return counted


def _recounted(
    known: Knowledge, asked: Asked, as_of: date, dimensions: tuple[str, ...]
) -> dict[tuple[Group, str], int]:
    """Counted column by column: there may be millions of obligations."""
    told: dict[str, Callable[[Person, list[Judged]], Iterable[Any]]] = {
        "requirement": lambda _, found: [one.obligation.requirement for one in found],
        "month": lambda _, found: [iso(one.obligation.due)[:7] for one in found],
        "prescriber": lambda person, _: repeat(person.prescriber_id),
        "year": lambda _, found: [one.year for one in found],
        "protocol": lambda person, _: repeat(person.protocol_id),
    }
    parts = [told[name] for name in dimensions]
    counted: Counter[tuple[Any, ...]] = Counter()
    for person, found in judged(known, asked, as_of, years="year" in dimensions):
        outcomes = [one.outcome.value for one in found]
        counted.update(zip(*(part(person, found) for part in parts), outcomes, strict=False))
    return {(key[:-1], key[-1]): number for key, number in counted.items()}


class _Writer:
    """Turns groups into lines, in an order that does not depend on the database."""

    def __init__(self, scope: Scope, parameters: Parameters, prescribers: Mapping[int, Named]) -> None:
        self.period = parameters.period
        self.prescribers = prescribers
        self.protocols = packaged_protocols()
        names = [*(name for name in sorted(self.protocols) if name != scope.protocol_id), scope.protocol_id]
        self.titles = {one.code: one.title for name in names for one in self.protocols[name].requirements}

    def place(self, dimensions: tuple[str, ...], group: Group) -> tuple[Any, ...]:
        """Where a group stands; nobody comes last."""
        return tuple(
            (value is None, *self._named(value)) if name == "prescriber" else (False, value)
            for name, value in zip(dimensions, group, strict=True)
        )

    def line(self, dimensions: tuple[str, ...], group: Group, tally: Tally) -> Line:
        """The line of a group, with what lists its obligations."""
        cells: list[Any] = []
        behind: dict[str, str] = {}
        for name, value in zip(dimensions, group, strict=True):
            shown, narrowed = getattr(self, f"_{name}")(value)
            cells += shown
            behind |= narrowed
        cells += [tally.due, tally.waived, tally.expected, tally.on_time, tally.share(Outcome.ON_TIME)]
        cells += [tally.late, tally.missed, tally.owed]
        cells += [tally.share(one) for one in (Outcome.LATE, Outcome.MISSED, Outcome.OWED)]
        return Line(tuple(cells), behind=behind)

    def _requirement(self, code: str) -> tuple[list[Any], dict[str, str]]:
        return [code, self.titles.get(code, code)], {"requirement": code}

    def _month(self, text: str) -> tuple[list[Any], dict[str, str]]:
        first = date.fromisoformat(f"{text}-01")
        last = first.replace(day=monthrange(first.year, first.month)[1])
        span = {"from": max(first, self.period[0]).isoformat(), "to": min(last, self.period[1]).isoformat()}
        return [first], span

    def _prescriber(self, key: int | None) -> tuple[list[Any], dict[str, str]]:
        if key is None:
            return [None], {ASSIGNED.name: NOBODY}
        return [self.prescribers[key].name], {"prescriber": str(self.prescribers[key].public_id)}

    def _year(self, name: str) -> tuple[list[Any], dict[str, str]]:
        return [name], {YEAR.name: name}

    def _protocol(self, name: str) -> tuple[list[Any], dict[str, str]]:
        return [PROTOCOL.options[name]], {PROTOCOL.name: name}

    def _named(self, key: int | None) -> tuple[str, str]:
        return (self.prescribers[key].name.casefold(), str(self.prescribers[key].public_id)) if key else ("", "")

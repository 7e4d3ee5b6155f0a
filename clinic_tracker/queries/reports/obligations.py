"""The obligations behind the figures: each that fell due in a period, whose it was and what it came to."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, func

from clinic_tracker.domain.compliance import Outcome
from clinic_tracker.domain.obligation import Obligation as Owed
from clinic_tracker.domain.reporting.columns import Column, Kind, Privacy
from clinic_tracker.domain.reporting.definition import Definition, Line, Takes
from clinic_tracker.domain.reporting.parameters import Parameters
from clinic_tracker.models.base import db
from clinic_tracker.models.schedule import Obligation
from clinic_tracker.queries.knowledge import Knowledge, Named, Person
from clinic_tracker.queries.reports.asked import (
    ASSIGNED,
    GRACE,
    OUTCOMES,
    PERSON,
    PROTOCOL,
    SIGN_OFF,
    TAKES,
    TWO_TIMES,
    YEAR,
    Asked,
    is_live,
)
from clinic_tracker.queries.reports.people import in_chunks
from clinic_tracker.queries.reports.projected import fallen_due, outcome_of, year_named, years_since
from clinic_tracker.queries.reports.recounted import Judged, judged
from clinic_tracker.queries.scope import Scope

DEFINITION = Definition(
    name="obligations",
    title="Obligations",
    question="Which obligations fell due in the period, whose were they, and what did each come to?",
    columns=(
        *PERSON,
        Column("requirement", "Requirement", Kind.CODE, "The requirement of the protocol."),
        Column("slot", "Occurrence", Kind.CODE, "Which occurrence of it: course and month, quarter, form or year."),
        Column("opens", "Opens", Kind.DATE, "First day on which evidence counts for it.", Privacy.DATED),
        Column("due", "Due", Kind.DATE, "The due date.", Privacy.DATED),
        Column("closes", "Closes", Kind.DATE, "Last day on which evidence counts for it, if any.", Privacy.DATED),
        Column("done", "Done", Kind.DATE, "Day of the evidence that did it.", Privacy.DATED),
        Column("outcome", "Outcome", Kind.CODE, "On time, late, missed, still owed (owed) or waived."),
        Column(
            "days_late",
            "Days late",
            Kind.COUNT,
            "Days from the due date to the evidence, or so far if owed.",
            Privacy.DATED,
        ),
        Column("year", "Year", Kind.CODE, "Year since the last infusion on or before the due date."),
    ),
    takes=TAKES | {Takes.PATIENT},
    choices=(OUTCOMES, YEAR, PROTOCOL, ASSIGNED),
    notes=(GRACE, SIGN_OFF, TWO_TIMES),
)


def lines(scope: Scope, parameters: Parameters) -> Iterator[Line]:
    """A line for each, patient by patient in the order of their names, some patients at a time."""
    known, asked = Knowledge(scope, parameters.known_at), Asked.of(parameters)
    named = known.prescribers()
    if is_live(scope, parameters):
        yield from _live(scope, known, asked, named)
        return
    for person, found in judged(known, asked, parameters.as_of, years=True):
        for one in sorted(found, key=_place):
            yield _line(person, named, one, parameters.as_of)


def expected(scope: Scope, parameters: Parameters) -> int:
    """About how many lines there will be: as many as the stored schedules have."""
    statement = fallen_due(scope, Asked.of(parameters), [func.count()])
    return db.session.scalar(statement) or 0


def _live(scope: Scope, known: Knowledge, asked: Asked, named: dict[int, Named]) -> Iterator[Line]:
    """The same from the stored schedules. Of patients with nothing to list not a row is read."""
    keys = set(db.session.scalars(fallen_due(scope, asked, [Obligation.patient_id]).distinct()))
    people = {person.id: person for person in asked.people(known) if person.id in keys}
    names = ("requirement", "anchor", "occurrence", "slot", "opens_on", "due_on", "closes_on", "done_on", "waived")
    columns: list[Any] = [getattr(Obligation, name) for name in names]
    for some in in_chunks(people):
        found: dict[int, list[Judged]] = {key: [] for key in some}
        statement = fallen_due(scope, asked, [Obligation.patient_id, *columns, outcome_of(scope), years_since()])
        for patient, *values, outcome, years in db.session.execute(statement.where(_of(some))):
            found[patient].append(Judged(Owed.from_dates(*values), Outcome(outcome), year_named(years)))
        for key in some:
            for one in sorted(found[key], key=_place):
                yield _line(people[key], named, one, scope.today)


def person_cells(person: Person, named: dict[int, Named]) -> tuple[Any, ...]:
    """The cells of the columns of PERSON."""
    prescriber = named[person.prescriber_id].name if person.prescriber_id is not None else None
    return person.mrn, f"{person.family_name}, {person.given_name}", prescriber


def _line(person: Person, named: dict[int, Named], one: Judged, as_of: date) -> Line:
    owed = one.obligation
    until = owed.done if owed.done is not None else as_of.toordinal() if one.outcome is Outcome.OWED else None
    cells = (
        *person_cells(person, named),
        owed.requirement,
        owed.slot,
        _date(owed.opens),
        _date(owed.due),
        _date(owed.closes),
        _date(owed.done),
        one.outcome.value,
        max(0, until - owed.due) if until is not None else None,
        one.year,
    )
    return Line(cells, person.id, person.public_id)


def _place(one: Judged) -> tuple[str, int, str]:
    return one.obligation.requirement, one.obligation.due, one.obligation.slot


def _date(day: int | None) -> date | None:
    return date.fromordinal(day) if day is not None else None


def _of(patients: Iterable[int]) -> ColumnElement[bool]:
    return Obligation.patient_id.in_(tuple(patients))

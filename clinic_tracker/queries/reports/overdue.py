"""What was overdue on a day, the longest first, as known now or at an instant."""

from collections.abc import Iterator
from datetime import date

from sqlalchemy import select

from clinic_tracker.domain.reporting.columns import Column, Kind, Privacy
from clinic_tracker.domain.reporting.definition import Definition, Line, Takes
from clinic_tracker.domain.reporting.parameters import Parameters
from clinic_tracker.domain.vocabulary import StandingState
from clinic_tracker.models.base import db
from clinic_tracker.models.schedule import PatientSchedule, Standing
from clinic_tracker.queries.knowledge import Knowledge, Person
from clinic_tracker.queries.reports.asked import PERSON, TWO_TIMES, Asked, is_live
from clinic_tracker.queries.reports.obligations import person_cells
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.standings import StandingOn, standings_on
from clinic_tracker.queries.worklist_items import OwedItem, item_columns

DEFINITION = Definition(
    name="overdue",
    title="Overdue",
    question="What was overdue on the day, and for how long?",
    columns=(
        *PERSON,
        Column("requirement", "Requirement", Kind.CODE, "The requirement of the protocol."),
        Column("due", "Due", Kind.DATE, "Due date of the earliest occurrence still owed.", Privacy.DATED),
        Column(
            "days_overdue", "Days overdue", Kind.COUNT, "Days from the due date to the day asked about.", Privacy.DATED
        ),
        Column("missed", "Missed in a row", Kind.COUNT, "Occurrences since then whose window closed without evidence."),
        Column("last_done", "Last done", Kind.DATE, "Day of the latest evidence for the requirement.", Privacy.DATED),
    ),
    takes=frozenset({Takes.AS_OF, Takes.KNOWN_AT, Takes.REQUIREMENT, Takes.PRESCRIBER, Takes.PATIENT}),
    notes=(
        (
            "Overdue begins on the day after the due date: the label gives no tolerance. Only evidence, a waiver or "
            "the prescriber's sign-off ends it: an occurrence that was missed stays overdue until there is evidence."
        ),
        TWO_TIMES,
    ),
)


def lines(scope: Scope, parameters: Parameters) -> Iterator[Line]:
    """A line for each patient and requirement overdue, the longest overdue first, then by name."""
    known, as_of = Knowledge(scope, parameters.known_at), parameters.as_of
    people = Asked.of(parameters).people(known)
    found = _stored(scope, people, as_of) if is_live(scope, parameters) else _recounted(known, people, as_of)
    wanted = [
        (person, one)
        for person, one in found
        if one.state is StandingState.OVERDUE and parameters.requirement in (None, one.requirement)
    ]
    named = known.prescribers()
    for person, one in sorted(wanted, key=_place):
        cells = (one.requirement, one.next_due_on, one.days_overdue, one.missed_in_a_row, one.last_done_on)
        yield Line((*person_cells(person, named), *cells), person.id, person.public_id)


def _place(found: tuple[Person, StandingOn]) -> tuple[date, tuple[str, str, int], str]:
    person, one = found
    return one.next_due_on or date.max, person.place, one.requirement


def _recounted(known: Knowledge, people: list[Person], as_of: date) -> Iterator[tuple[Person, StandingOn]]:
    for person, standings in standings_on(known, people, as_of):
        for one in standings:
            yield person, one


def _stored(scope: Scope, people: list[Person], as_of: date) -> Iterator[tuple[Person, StandingOn]]:
    """The same from the standings as stored."""
    by_key = {person.id: person for person in people}
    rows = db.session.execute(
        select(Standing.patient_id, *item_columns(scope, as_of))
        .outerjoin(PatientSchedule, PatientSchedule.patient_id == Standing.patient_id)
        .where(Standing.clinic_id == scope.clinic_id, Standing.next_due_on < as_of)
    )
    for patient, *columns, closed in rows:
        item = OwedItem(*(*columns, bool(closed)))
        if patient in by_key:
            yield (
                by_key[patient],
                StandingOn(
                    item.requirement,
                    item.state(as_of),
                    item.next_due_on,
                    item.days_overdue(as_of),
                    item.missed_in_a_row,
                    item.last_done_on,
                ),
            )

"""The worklist as rows for a file: today from the projection, a past date from the facts dated by then."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, select

from clinic_tracker.domain.history import History
from clinic_tracker.domain.protocol import Protocol
from clinic_tracker.domain.schedule import forecast
from clinic_tracker.domain.status import missed_in_a_row, standing_state
from clinic_tracker.domain.vocabulary import StandingState
from clinic_tracker.models.access import Prescriber
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.schedule import PatientSchedule, Standing
from clinic_tracker.queries.history import load_history
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.settings import protocol_in_force
from clinic_tracker.queries.worklist_filter import Grouping, WorklistFilter, band_conditions, item_conditions
from clinic_tracker.queries.worklist_items import OwedItem, item_columns
from clinic_tracker.queries.worklist_pages import patients_in_band

#: The states that an export may be asked for; "all" is every row whatever its state.
EXPORT_STATES = ("overdue", "due", "all")
_NEVER = date.max


@dataclass(frozen=True, slots=True)
class WorklistItem:
    """One line of an exported worklist; the names of the fields are the names of its columns."""

    mrn: str
    family_name: str
    given_name: str
    birth_date: date
    requirement: str
    state: str
    next_due_on: date | None
    days_overdue: int
    missed_in_a_row: int
    last_done_on: date | None
    prescriber: str | None

    def as_row(self) -> dict[str, Any]:
        """The line as a mapping of column names to values."""
        return asdict(self)


def worklist_rows(scope: Scope, as_of: date, state: str = "all") -> list[WorklistItem]:
    """Every item of the clinic in the given state on a date, the longest overdue first.

    From today on it is read from the projection; a past date is answered by the engine from the facts dated by then.
    Both give the same rows. ``state`` is one of EXPORT_STATES.
    """
    rows = _projected(scope, as_of) if as_of >= scope.today else _recomputed(scope, as_of)
    return _in_order(row for row in rows if state in ("all", row.state))


def listed_rows(scope: Scope, chosen: WorklistFilter) -> list[WorklistItem]:
    """Every item of a worklist page, of all its pages, as lines for a file."""
    return _in_order(_stored(scope, scope.today, _listed(scope, chosen)))


def listed_patients(scope: Scope, chosen: WorklistFilter) -> list[int]:
    """The keys of the patients whom ``listed_rows`` names, for the access log."""
    return list(db.session.execute(select(Standing.patient_id).where(_listed(scope, chosen)).distinct()).scalars())


def _listed(scope: Scope, chosen: WorklistFilter) -> ColumnElement[bool]:
    conditions = item_conditions(scope, chosen)
    if chosen.grouping is Grouping.ITEM:
        conditions += band_conditions(scope, chosen, Standing.next_due_on)
    elif chosen.band is not None:
        conditions.append(Standing.patient_id.in_(patients_in_band(scope, chosen)))
    return and_(*conditions)


def _projected(scope: Scope, as_of: date) -> Iterator[WorklistItem]:
    return _stored(scope, as_of, Standing.clinic_id == scope.clinic_id)


def _stored(scope: Scope, as_of: date, condition: Any) -> Iterator[WorklistItem]:
    columns: list[Any] = [Patient.mrn, Patient.family_name, Patient.given_name, Patient.birth_date, Prescriber.name]
    rows = db.session.execute(
        select(*columns, *item_columns(scope, as_of))
        .select_from(Standing)
        .join(Patient, Patient.id == Standing.patient_id)
        .outerjoin(Prescriber, Prescriber.id == Patient.prescriber_id)
        .outerjoin(PatientSchedule, PatientSchedule.patient_id == Patient.id)
        .where(condition)
    )
    for mrn, family, given, born, prescriber, *columns_of_item, closed in rows:
        item = OwedItem(*(*columns_of_item, bool(closed)))
        yield WorklistItem(
            mrn, family, given, born, item.requirement, item.state(as_of).value, item.next_due_on,
            item.days_overdue(as_of), item.missed_in_a_row, item.last_done_on, prescriber,
        )  # fmt: skip


def _recomputed(scope: Scope, as_of: date) -> Iterator[WorklistItem]:
    """The same lines by the engine, from the facts dated by then."""
    people = {
        key: tuple(person)
        for key, *person in db.session.execute(
            select(
                Patient.id, Patient.mrn, Patient.family_name, Patient.given_name, Patient.birth_date, Prescriber.name
            )
            .outerjoin(Prescriber, Prescriber.id == Patient.prescriber_id)
            .where(Patient.clinic_id == scope.clinic_id, Patient.merged_into_id.is_(None))
        )
    }
    protocols: dict[str, Protocol] = {}
    for key, history in load_history(scope, people.keys(), as_of).items():
        protocol = protocols.get(history.protocol)
        if protocol is None:
            protocol = protocols[history.protocol] = protocol_in_force(scope, history.protocol, as_of)
        yield from _lines_of(people[key], history, protocol, as_of)


def _lines_of(person: tuple[Any, ...], history: History, protocol: Protocol, as_of: date) -> Iterator[WorklistItem]:
    mrn, family, given, born, prescriber = person
    day = as_of.toordinal()
    answer = forecast(history.known_on(day), protocol)
    for standing in answer.standings:
        state = standing_state(standing, day, answer.closed_on)
        due = date.fromordinal(standing.next_due) if standing.next_due is not None else None
        done = date.fromordinal(standing.last_done) if standing.last_done is not None else None
        late = (as_of - due).days if due and state is StandingState.OVERDUE else 0
        missed = missed_in_a_row(standing, answer.obligations, day)
        yield WorklistItem(
            mrn, family, given, born, standing.requirement, state.value, due, late, missed, done, prescriber
        )


def _in_order(rows: Iterable[WorklistItem]) -> list[WorklistItem]:
    """Longest overdue first, then by name: one order whatever the database and the source."""
    return sorted(
        rows,
        key=lambda row: (row.next_due_on or _NEVER, row.family_name, row.given_name, row.mrn, row.requirement),
    )

"""The worklist as rows for a file: today from the projection, a past date from the facts dated by then."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, select

from clinic_tracker.models.access import Prescriber
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.schedule import PatientSchedule, Standing
from clinic_tracker.queries.knowledge import Knowledge
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.standings import standings_on
from clinic_tracker.queries.worklist_filter import Grouping, WorklistFilter, band_conditions, item_conditions
from clinic_tracker.queries.worklist_items import OwedItem, item_columns
from clinic_tracker.queries.worklist_pages import patients_on_list

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
        conditions.append(Standing.patient_id.in_(patients_on_list(scope, chosen)))
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
    known = Knowledge(scope)
    prescribers = {key: named.name for key, named in known.prescribers().items()}
    for person, standings in standings_on(known, list(known.people().values()), as_of):
        prescriber = prescribers[person.prescriber_id] if person.prescriber_id is not None else None
        for one in standings:
            yield WorklistItem(
                person.mrn, person.family_name, person.given_name, person.birth_date, one.requirement, one.state.value,
                one.next_due_on, one.days_overdue, one.missed_in_a_row, one.last_done_on, prescriber,
            )  # fmt: skip


def _in_order(rows: Iterable[WorklistItem]) -> list[WorklistItem]:
    """Longest overdue first, then by name: one order whatever the database and the source."""
    return sorted(
        rows,
        key=lambda row: (row.next_due_on or _NEVER, row.family_name, row.given_name, row.mrn, row.requirement),
    )

"""The pages of a worklist: who owes what, worst first, read from ``standing`` alone. Nothing ages out."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select, true

from clinic_tracker.models.access import Prescriber
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.schedule import PatientSchedule, Standing
from clinic_tracker.queries.outreach import ContactMark, ItemKey, contact_marks
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.worklist_filter import (
    VIEW_BANDS,
    Band,
    Cursor,
    Grouping,
    Sort,
    View,
    WorklistFilter,
    band_conditions,
    item_conditions,
    keyset_condition,
)
from clinic_tracker.queries.worklist_items import OwedItem, item_columns

PAGE_SIZE = 50
NEVER = date(9999, 12, 31)  # stands for "nothing is owed" in the order of the list of all items
_BY_NAME = frozenset({Sort.NAME, Sort.NAME_BACKWARDS})
_UPWARDS = frozenset({Sort.LATE, Sort.NAME})


@dataclass(frozen=True, slots=True)
class WorklistRow:
    """A patient with what is owed: everything in a row a patient, one item in a row an item."""

    patient_id: int
    public_id: UUID
    mrn: str
    family_name: str
    given_name: str
    birth_date: date
    prescriber: str | None
    worst_due_on: date | None
    items: tuple[OwedItem, ...]
    contact: ContactMark | None = None

    @property
    def listed(self) -> tuple[OwedItem, ...]:
        """The items that put the row on this list (the others are owed too, or will be)."""
        return tuple(item for item in self.items if item.is_listed)

    def is_snoozed(self, today: date) -> bool:
        """Every listed item was set aside until a later day. An item that came after the contact was not."""
        return bool(self.listed) and all(item.contact and item.contact.snoozed_on(today) for item in self.listed)


@dataclass(frozen=True, slots=True)
class Totals:
    """How many patients and items a list holds, its oldest due date, and the rows of each lateness band."""

    patients: int
    items: int
    oldest_due_on: date | None
    bands: dict[Band, int]


@dataclass(frozen=True, slots=True)
class WorklistPage:
    """Some rows of a list, and the places where the neighboring pages begin."""

    rows: tuple[WorklistRow, ...]
    previous: str | None
    next: str | None


def worklist_page(
    scope: Scope, chosen: WorklistFilter, cursor: Cursor | None = None, size: int = PAGE_SIZE
) -> WorklistPage:
    """One page of a worklist in two statements, whatever its length. By key: nothing is skipped or shown twice."""
    keys = _keys(scope, chosen, cursor).limit(size + 1)
    found = _grouped(db.session.execute(_details(scope, chosen, keys)))
    backwards = cursor is not None and cursor.backwards
    more = len(found) > size
    rows = found[-size:] if backwards else found[:size]
    has_previous = more if backwards else cursor is not None
    has_next = more or backwards
    marks = contact_marks(scope, [row.patient_id for row in rows]) if rows else {}
    return WorklistPage(
        rows=tuple(_with_contacts(row, marks.get(row.patient_id, {})) for row in rows),
        previous=_cursor_of(chosen, rows[0]).text if rows and has_previous else None,
        next=_cursor_of(chosen, rows[-1]).text if rows and has_next else None,
    )


def worklist_totals(scope: Scope, chosen: WorklistFilter) -> Totals:
    """The totals of a list, and of each lateness band whichever one is chosen, in one statement."""
    by_patient = chosen.grouping is Grouping.PATIENT
    due = func.min(Standing.next_due_on) if by_patient else Standing.next_due_on
    items: ColumnElement[Any] = func.count() if by_patient else literal(1)
    lines = select(Standing.patient_id, due.label("due"), items.label("owed"))
    lines = lines.where(*item_conditions(scope, chosen))
    listed = (lines.group_by(Standing.patient_id) if by_patient else lines).subquery()

    def within(band: Band | None) -> Any:
        return and_(true(), *band_conditions(scope, replace(chosen, band=band), listed.c.due))

    bands = VIEW_BANDS[chosen.view]
    patients, count, oldest, *counts = db.session.execute(
        select(
            func.count(listed.c.patient_id.distinct()).filter(within(chosen.band)),
            func.coalesce(func.sum(listed.c.owed).filter(within(chosen.band)), 0),
            func.min(listed.c.due).filter(within(chosen.band)),
            *(func.count().filter(within(band)) for band in bands),
        ).select_from(listed)
    ).one()
    return Totals(patients, int(count), oldest, dict(zip(bands, counts, strict=True)))


def patients_on_list(scope: Scope, chosen: WorklistFilter) -> Select[int]:
    """The keys of the patients who have a row on a list, on whichever of its pages, as a subquery."""
    keys = select(Standing.patient_id).where(*item_conditions(scope, chosen))
    if chosen.grouping is Grouping.ITEM:
        return keys.where(*band_conditions(scope, chosen, Standing.next_due_on))
    bands = band_conditions(scope, chosen, func.min(Standing.next_due_on))
    return keys.group_by(Standing.patient_id).having(and_(true(), *bands))


def _keys(scope: Scope, chosen: WorklistFilter, cursor: Cursor | None) -> Select[Any]:
    """The keys of one page, found in the covering index before anything is joined."""
    by_patient = chosen.grouping is Grouping.PATIENT
    due: Any = func.min(Standing.next_due_on) if by_patient else Standing.next_due_on
    if chosen.view is View.ALL:
        due = func.coalesce(due, literal(NEVER))
    requirement = literal("") if by_patient else Standing.requirement
    keys = select(Standing.patient_id, requirement.label("requirement"), due.label("due"))
    keys = keys.where(*item_conditions(scope, chosen))
    if chosen.sort in _BY_NAME:
        keys = keys.join(Patient, Patient.id == Standing.patient_id)
    columns = [*(_names() if chosen.sort in _BY_NAME else [due]), Standing.patient_id]
    ascending, conditions = _direction(chosen, cursor), band_conditions(scope, chosen, due)
    if not by_patient:
        columns.append(Standing.requirement)
    if cursor:
        places = zip(columns, _place(scope, chosen, cursor), strict=False)
        conditions.append(keyset_condition(scope, list(places), ascending=ascending))
    keys = keys.order_by(*(column if ascending else column.desc() for column in columns))
    if not by_patient:
        return keys.where(*conditions)
    groups = [Standing.patient_id, *(_names() if chosen.sort in _BY_NAME else [])]
    return keys.group_by(*groups).having(and_(true(), *conditions))


def _direction(chosen: WorklistFilter, cursor: Cursor | None) -> bool:
    """Whether the statement reads upwards through the keys."""
    return (chosen.sort in _UPWARDS) != bool(cursor and cursor.backwards)


def _names() -> list[Any]:
    return [func.lower(Patient.family_name), func.lower(Patient.given_name)]


def _place(scope: Scope, chosen: WorklistFilter, cursor: Cursor) -> list[Any]:
    """The key of the cursor's row. Names are looked up: the address holds keys only."""
    if chosen.sort not in _BY_NAME:
        return [cursor.due or NEVER, cursor.patient_id, cursor.requirement]
    person = (Patient.id == cursor.patient_id, Patient.clinic_id == scope.clinic_id)
    names = [select(name).where(*person).correlate(None).scalar_subquery() for name in _names()]
    return [*names, cursor.patient_id, cursor.requirement]


def _details(scope: Scope, chosen: WorklistFilter, keys: Select[Any]) -> Select[Any]:
    """The page's patients with their items, in the order of the page."""
    page = keys.subquery()
    listed = and_(*item_conditions(scope, chosen))
    columns: list[Any] = [
        Patient.id, Patient.public_id, Patient.mrn, Patient.family_name, Patient.given_name, Patient.birth_date,
        Prescriber.name, page.c.due, page.c.requirement, *item_columns(scope), listed.label("is_listed"),
    ]  # fmt: skip
    wanted: list[Any] = [Standing.patient_id == page.c.patient_id]
    if chosen.grouping is Grouping.ITEM:
        wanted.append(Standing.requirement == page.c.requirement)
    elif chosen.view is not View.ALL:
        wanted.append(or_(Standing.opens_on <= scope.today, listed))
    order = [*(_names() if chosen.sort in _BY_NAME else [page.c.due]), page.c.patient_id, page.c.requirement]
    if chosen.sort not in _UPWARDS:
        order = [column.desc() for column in order]
    return (
        select(*columns)
        .select_from(page)
        .join(Patient, Patient.id == page.c.patient_id)
        .join(Standing, and_(*wanted))
        .outerjoin(Prescriber, Prescriber.id == Patient.prescriber_id)
        .outerjoin(PatientSchedule, PatientSchedule.patient_id == Patient.id)
        .order_by(*order, Standing.next_due_on.is_(None), Standing.next_due_on, Standing.requirement)
    )


def _grouped(rows: Iterable[tuple[Any, ...]]) -> list[WorklistRow]:
    """One row a key; the items of a key follow one another."""
    found: dict[tuple[int, str], tuple[tuple[Any, ...], list[OwedItem]]] = {}
    for row in rows:
        person, due, requirement, item = row[:7], row[7], row[8], row[9:]
        _, items = found.setdefault((person[0], requirement), ((*person, None if due == NEVER else due), []))
        items.append(OwedItem(*(*item[:7], bool(item[7]), bool(item[8]))))
    return [WorklistRow(*(*head, tuple(items))) for head, items in found.values()]


def _with_contacts(row: WorklistRow, marks: dict[ItemKey, ContactMark]) -> WorklistRow:
    """The row with the latest contact about each item, and about any of them."""
    items = tuple(
        item._replace(contact=marks.get((item.requirement, item.anchor, item.occurrence))) for item in row.items
    )
    about = [item.contact for item in items if item.contact is not None]
    return replace(row, items=items, contact=max(about, key=lambda mark: mark.contacted_at, default=None))


def _cursor_of(chosen: WorklistFilter, row: WorklistRow) -> Cursor:
    requirement = row.items[0].requirement if chosen.grouping is Grouping.ITEM else ""
    return Cursor(row.patient_id, row.worst_due_on, requirement)

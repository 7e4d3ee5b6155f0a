"""What a worklist is asked for: view, filters, order and place. Owns the conditions on ``standing``."""

import base64
import binascii
import json
import uuid
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import aliased

from clinic_tracker.domain.requirement import EvidenceKind
from clinic_tracker.models.access import Prescriber
from clinic_tracker.models.monitoring import Outreach, OutreachItem
from clinic_tracker.models.patients import Patient
from clinic_tracker.models.schedule import Standing
from clinic_tracker.queries.protocols import packaged_protocols
from clinic_tracker.queries.scope import Scope

LARGEST_KEY = 2**63 - 1


class View(StrEnum):
    """Which items: late, inside their window, both, or every one whatever its state."""

    OVERDUE = "overdue"
    DUE = "due"
    OWED = "owed"  # overdue and due together
    ALL = "all"


class Grouping(StrEnum):
    """One row a patient (one call covers all), or one row an item."""

    PATIENT = "patient"
    ITEM = "item"


class Band(StrEnum):
    """Days late: how long an overdue item has been owed, or how soon a due one is."""

    WEEK = "1-7"
    MONTH = "8-30"
    QUARTER = "31-90"
    LONGER = "over-90"
    NEXT_WEEK = "next-7"
    LATER = "later"


#: Fewest and most days late; due items count below zero.
BAND_DAYS: dict[Band, tuple[int | None, int | None]] = {
    Band.WEEK: (1, 7),
    Band.MONTH: (8, 30),
    Band.QUARTER: (31, 90),
    Band.LONGER: (91, None),
    Band.NEXT_WEEK: (-7, 0),
    Band.LATER: (None, -8),
}
VIEW_BANDS: dict[View, tuple[Band, ...]] = {
    View.OVERDUE: (Band.WEEK, Band.MONTH, Band.QUARTER, Band.LONGER),
    View.DUE: (Band.NEXT_WEEK, Band.LATER),
    View.OWED: (),
    View.ALL: (),
}
#: What may stand in the place of a requirement: all that are done by one kind of evidence.
GROUPS = {"labs": EvidenceKind.LAB, "exams": EvidenceKind.EXAM, "forms": EvidenceKind.FORM}


class Snoozed(StrEnum):
    """Rows set aside until a day: shown with a mark unless the person chooses otherwise."""

    SHOW = "show"
    HIDE = "hide"
    ONLY = "only"


class Sort(StrEnum):
    """The orders a list may have. The first is worst first."""

    LATE = "late"
    LEAST_LATE = "-late"
    NAME = "name"
    NAME_BACKWARDS = "-name"


@dataclass(frozen=True, slots=True)
class WorklistFilter:
    """The choices of a person, as they stand in the address of the page."""

    view: View = View.OVERDUE
    grouping: Grouping = Grouping.PATIENT
    requirement: str | None = None
    prescriber: uuid.UUID | None = None
    mine: bool = False
    band: Band | None = None
    snoozed: Snoozed = Snoozed.SHOW
    sort: Sort = Sort.LATE


@dataclass(frozen=True, slots=True)
class Cursor:
    """The row after which (or before which) a page begins: keys and a day, nothing about the person."""

    patient_id: int
    due: date | None
    requirement: str = ""
    backwards: bool = False

    @property
    def text(self) -> str:
        """The cursor for an address."""
        parts = [self.patient_id, self.due.toordinal() if self.due else None, self.requirement]
        return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")

    @classmethod
    def read(cls, text: str | None, *, backwards: bool = False) -> "Cursor | None":
        """The cursor in an address, or None for none and for one that was tampered with."""
        if not text:
            return None
        try:
            key, due, requirement = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            place = cls(int(key), date.fromordinal(due) if due else None, str(requirement), backwards)
        except (ValueError, TypeError, OverflowError, binascii.Error):
            return None
        return place if 0 < place.patient_id <= LARGEST_KEY else None


Condition = ColumnElement[bool]


def item_conditions(scope: Scope, chosen: WorklistFilter) -> list[Condition]:
    """What a standing must fulfil to be on the list, all but the band."""
    conditions: list[Condition] = [Standing.clinic_id == scope.clinic_id]
    if chosen.view is View.OVERDUE:
        conditions.append(Standing.next_due_on < scope.today)
    elif chosen.view is View.DUE:
        conditions += [Standing.opens_on <= scope.today, Standing.next_due_on >= scope.today]
    elif chosen.view is View.OWED:
        conditions.append(Standing.opens_on <= scope.today)
    if chosen.requirement:
        conditions.append(Standing.requirement.in_(requirements_in(scope, chosen.requirement)))
    if chosen.prescriber or chosen.mine:
        conditions.append(Standing.patient_id.in_(_patients_of(scope, chosen)))
    if chosen.snoozed is not Snoozed.SHOW:
        asleep = _asleep(scope)
        conditions.append(asleep if chosen.snoozed is Snoozed.ONLY else ~asleep)
    return conditions


def requirements_in(_scope: Scope, name: str) -> tuple[str, ...]:
    """The requirements that a name stands for: those of a group, or the one of that code."""
    if name not in GROUPS:
        return (name,)
    protocols = packaged_protocols().values()
    found = {item.code for known in protocols for item in known.requirements if item.evidence_kind is GROUPS[name]}
    return tuple(sorted(found))


def band_conditions(scope: Scope, chosen: WorklistFilter, due: Any) -> list[Condition]:
    """The lateness band as conditions on a due date: of the item, or the earliest of the patient."""
    if chosen.band is None or chosen.band not in VIEW_BANDS[chosen.view]:
        return []
    fewest, most = BAND_DAYS[chosen.band]
    conditions = []
    if fewest is not None:
        conditions.append(due <= scope.today - timedelta(days=fewest))
    if most is not None:
        conditions.append(due >= scope.today - timedelta(days=most))
    return conditions


def keyset_condition(_scope: Scope, keys: list[tuple[ColumnElement[Any], Any]], *, ascending: bool) -> Condition:
    """Rows beyond the place where every key column has the given value; all columns run in one direction."""
    alternatives = []
    for position, (column, value) in enumerate(keys):
        beyond = column > value if ascending else column < value
        alternatives.append(and_(*(before == given for before, given in keys[:position]), beyond))
    return or_(*alternatives)


def _patients_of(scope: Scope, chosen: WorklistFilter) -> Any:
    patients = select(Patient.id).join(Prescriber, Prescriber.id == Patient.prescriber_id)
    patients = patients.where(Patient.clinic_id == scope.clinic_id)
    if chosen.prescriber:
        patients = patients.where(Prescriber.public_id == chosen.prescriber)
    if chosen.mine:
        patients = patients.where(Prescriber.user_id == scope.user_id)
    return patients


def _asleep(scope: Scope) -> Condition:
    """The latest contact about this very item set it aside until a later day."""
    later, later_item = aliased(Outreach), aliased(OutreachItem)
    overtaken = exists().where(
        later.id == later_item.outreach_id,
        later.clinic_id == scope.clinic_id,
        later.patient_id == Standing.patient_id,
        later.withdrawn_at.is_(None),
        *_same_item(later_item),
        or_(
            later.contacted_at > Outreach.contacted_at,
            and_(later.contacted_at == Outreach.contacted_at, later.id > Outreach.id),
        ),
    )
    return exists().where(
        Outreach.id == OutreachItem.outreach_id,
        Outreach.clinic_id == scope.clinic_id,
        Outreach.patient_id == Standing.patient_id,
        Outreach.withdrawn_at.is_(None),
        Outreach.snooze_until > scope.today,
        *_same_item(OutreachItem),
        ~overtaken,
    )


def _same_item(item: type[OutreachItem]) -> tuple[Condition, ...]:
    return (
        item.requirement == Standing.requirement,
        item.anchor == Standing.anchor,
        item.occurrence == Standing.occurrence,
    )

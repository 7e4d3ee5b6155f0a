"""What a clinic knew at an instant: which facts stood then, on whose chart they were, and who the patients were.

Facts are never rewritten: each says when it was recorded and when it ceased to stand. What is changed in place is told
back from what keeps the past: patients and prescribers from the audit trail, merged charts from the log of merges.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select

from clinic_tracker.domain.vocabulary import FactState, Sex
from clinic_tracker.models.access import Prescriber
from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient, PatientMerge
from clinic_tracker.queries.scope import Scope

_TOLD = ("mrn", "family_name", "given_name", "birth_date", "protocol_id", "sex_at_birth", "has_cervix", "prescriber_id")


class Person(NamedTuple):
    """A patient as the chart told at an instant."""

    id: int
    public_id: UUID
    mrn: str
    family_name: str
    given_name: str
    birth_date: date
    protocol_id: str
    has_cervix: bool
    prescriber_id: int | None

    @property
    def place(self) -> tuple[str, str, int]:
        """The place in a list by name: one order whatever the database."""
        return self.family_name.casefold(), self.given_name.casefold(), self.id


class Named(NamedTuple):
    """A prescriber as called at an instant."""

    public_id: UUID
    name: str


@dataclass(frozen=True)
class Knowledge:
    """What of a clinic is known: everything that stands, or what stood at an instant. Read once for each question."""

    scope: Scope
    at: datetime | None = None

    def stood(self, table: Any) -> ColumnElement[bool]:
        """The facts of a table that count."""
        condition: ColumnElement[bool] = table.state == FactState.RECORDED.value
        if self.at is not None:
            condition = (table.recorded_at <= self.at) & (table.withdrawn_at.is_(None) | (table.withdrawn_at > self.at))
        return condition

    def people(self, keys: Collection[int] | None = None) -> dict[int, Person]:
        """The patients by key, those of all charts that were open: registered, and not merged into another."""
        columns: list[Any] = [getattr(Patient, name) for name in _TOLD]
        statement = select(Patient.id, Patient.public_id, Patient.merged_into_id, *columns).where(
            Patient.clinic_id == self.scope.clinic_id
        )
        if keys is not None:
            statement = statement.where(Patient.id.in_(keys))
        if self.at is not None:
            statement = statement.where(Patient.registered_at <= self.at)
        elif keys is None:
            statement = statement.where(Patient.merged_into_id.is_(None))
        found = {}
        for key, public_id, merged_into, *values in db.session.execute(statement.order_by(Patient.id)):
            told = {**dict(zip(_TOLD, values, strict=True)), "merged_into_id": merged_into, **self._before(key)}
            if keys is not None or told["merged_into_id"] is None:
                found[key] = _person(key, public_id, told)
        return found

    def prescribers(self) -> dict[int, Named]:
        """All prescribers of the clinic by key, as they were called."""
        before = self._earlier(Prescriber.__tablename__)
        rows = db.session.execute(
            select(Prescriber.id, Prescriber.public_id, Prescriber.name).where(
                Prescriber.clinic_id == self.scope.clinic_id
            )
        )
        return {key: Named(public_id, before.get(key, {}).get("name", name)) for key, public_id, name in rows}

    def charts(self, keys: Iterable[int]) -> list[int]:
        """The charts on which the rows of these patients are to be looked for: theirs, and those merged with them."""
        wanted = set(keys)
        return sorted(wanted.union(*(group for group in self._groups if wanted & group)))

    @property
    def apart(self) -> frozenset[int]:
        """The charts some rows of which are on another chart now than they were."""
        return frozenset().union(*self._groups)

    def owners(self, table: Any) -> Mapping[int, int]:
        """The patients to whom rows of a table belonged that are on another chart now, by the keys of the rows."""
        return self._moved.get(table.__tablename__, {})

    @cached_property
    def _merges(self) -> list[PatientMerge]:
        """The merges that were made or undone after the instant."""
        if self.at is None:
            return []
        after = or_(PatientMerge.merged_at > self.at, PatientMerge.undone_at > self.at)
        statement = select(PatientMerge).where(PatientMerge.clinic_id == self.scope.clinic_id, after)
        return list(db.session.execute(statement.order_by(PatientMerge.id)).scalars())

    @cached_property
    def _groups(self) -> list[frozenset[int]]:
        """Charts that exchanged rows after the instant, all those together that did so through each other."""
        groups: list[frozenset[int]] = []
        for merge in self._merges:
            group = frozenset((merge.survivor_id, merge.duplicate_id))
            apart = [one for one in groups if not one & group]
            groups = [*apart, group.union(*(one for one in groups if one & group))]
        return groups

    @cached_property
    def _moved(self) -> dict[str, dict[int, int]]:
        """By table, whose a row was: each merge and each undoing after the instant taken back, the latest first."""
        steps: list[tuple[datetime, int, int, Mapping[str, Any]]] = []
        for merge in self._merges:
            if self.at is not None and merge.merged_at > self.at:
                steps.append((merge.merged_at, merge.id, merge.duplicate_id, merge.moved))
            if self.at is not None and merge.undone_at is not None and merge.undone_at > self.at:
                steps.append((merge.undone_at, merge.id, merge.survivor_id, merge.moved))
        moved: dict[str, dict[int, int]] = {}
        for _, _, chart, rows in sorted(steps, key=lambda step: step[:2], reverse=True):
            for name, keys in rows.items():
                moved.setdefault(name, {}).update(dict.fromkeys(map(int, keys), chart))
        return moved

    def _before(self, key: int) -> Mapping[str, Any]:
        return self._patients_before.get(key, {})

    @cached_property
    def _patients_before(self) -> dict[int, dict[str, Any]]:
        return self._earlier(Patient.__tablename__)

    def _earlier(self, table: str) -> dict[int, dict[str, Any]]:
        """What rows of a table held at the instant, where they were changed since: the earliest change tells."""
        if self.at is None:
            return {}
        rows = db.session.execute(
            select(AuditEvent.subject_id, AuditEvent.before)
            .where(
                AuditEvent.clinic_id == self.scope.clinic_id,
                AuditEvent.at > self.at,
                AuditEvent.subject_type == table,
            )
            .order_by(AuditEvent.at.desc(), AuditEvent.id.desc())
        )
        told: dict[int, dict[str, Any]] = {}
        for key, before in rows:
            told.setdefault(key, {}).update(before or {})
        return told


def _person(key: int, public_id: UUID, told: Mapping[str, Any]) -> Person:
    born, cervix = told["birth_date"], told["has_cervix"]
    return Person(
        key,
        public_id,
        told["mrn"],
        told["family_name"],
        told["given_name"],
        date.fromisoformat(born) if isinstance(born, str) else born,
        told["protocol_id"],
        cervix if cervix is not None else told["sex_at_birth"] == Sex.FEMALE,
        told["prescriber_id"],
    )

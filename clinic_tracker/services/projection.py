"""The three projections, written as a difference: what the engine says minus what is stored."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Delete, Table, Update, bindparam, delete, insert, select, update

from clinic_tracker.domain import schedule
from clinic_tracker.domain.history import VALID_STATUSES, History
from clinic_tracker.domain.protocol import Protocol
from clinic_tracker.domain.requirement import EvidenceKind
from clinic_tracker.domain.schedule import Forecast, forecast
from clinic_tracker.models.base import Base, db
from clinic_tracker.models.schedule import Obligation, PatientSchedule, Standing
from clinic_tracker.queries.history import CHUNK, clinic_patients, load_history
from clinic_tracker.queries.last_evidence import last_evidence
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.settings import protocol_in_force

Row = dict[str, Any]
Key = tuple[Any, ...]
_Owed = Mapping[tuple[str, int | None], schedule.Obligation]


class _Projection(NamedTuple):
    """One projected table: the columns of its natural key."""

    model: type[Base]
    key: tuple[str, ...]

    @property
    def table(self) -> Table:
        table = self.model.__table__
        assert isinstance(table, Table)
        return table

    @property
    def columns(self) -> list[str]:
        return [column.name for column in self.table.columns if column.name != "id"]

    @property
    def where(self) -> list[ColumnElement[bool]]:
        """A row by its natural key, as ``keyed`` gives it."""
        return [self.table.c[name] == bindparam(f"key_{name}") for name in self.key]

    def keyed(self, row: Row) -> Row:
        return {f"key_{name}": row[name] for name in self.key}


PROJECTIONS = (
    _Projection(PatientSchedule, ("patient_id",)),
    _Projection(Standing, ("patient_id", "requirement")),
    _Projection(Obligation, ("patient_id", "requirement", "anchor", "occurrence")),
)
#: What a new report can change in each.
_MOVED = (
    ("prophylaxis_earliest_stop_on", "earliest_due_on", "last_evidence_on"),
    ("opens_on", "next_due_on", "last_done_on", "anchor", "occurrence"),
    ("done_on", "evidence_id"),
)


@dataclass(frozen=True, slots=True)
class Drift:
    """A projected row that differs from what the facts say. ``stored`` or ``expected`` is None if missing there."""

    table: str
    key: Key
    stored: Row | None
    expected: Row | None


def reproject(scope: Scope, patient_ids: Collection[int]) -> int:
    """Write the schedule of these patients anew, as a difference; the number of rows written.

    Runs inside the caller's transaction and does not commit. A second call writes nothing.
    """
    return sum(_write(projection, stored, expected) for projection, stored, expected in _compared(scope, patient_ids))


def reproject_added(scope: Scope, patient_ids: Collection[int], added: Collection[int]) -> int:
    """The same for patients of whom nothing changed but that these reports were added; ``added`` are their keys.

    A new report does obligations, and moves what is owed first, of the requirements that it is evidence for. Nothing
    else differs from what is stored, which is not even read. Where a row to be changed is not there, all of these
    schedules are compared with what is stored.
    """
    keys, new = sorted(patient_ids), frozenset(added)
    protocols: dict[str, Protocol] = {}
    written = 0
    for start in range(0, len(keys), CHUNK):
        moved: tuple[list[Row], ...] = ([], [], [])
        chunk = keys[start : start + CHUNK]
        last = _last_stored(scope, chunk)
        for patient, history in load_history(scope, chunk).items():
            if history.protocol not in protocols:
                protocols[history.protocol] = protocol_in_force(scope, history.protocol)
            what = patient, history, protocols[history.protocol], last.get(patient)
            for table, rows in zip(moved, _moved_by(new, *what), strict=True):
                table.extend(rows)
        for projection, columns, rows in zip(PROJECTIONS, _MOVED, moved, strict=True):
            if rows and _update(projection, columns, rows) < len(rows):
                return reproject(scope, keys)
            written += len(rows)
    return written


def check(scope: Scope) -> list[Drift]:
    """Every projected row of the clinic that differs from what the facts say now."""
    return [
        Drift(projection.table.name, key, stored.get(key), expected.get(key))
        for projection, stored, expected in _compared(scope, clinic_patients(scope))
        for key in sorted(stored.keys() | expected.keys())
        if _without_id(stored.get(key)) != expected.get(key)
    ]


def rebuild(scope: Scope) -> int:
    """Write the schedule of every patient of the clinic anew; the number of rows that had to change."""
    return reproject(scope, clinic_patients(scope))


def _compared(
    scope: Scope, patient_ids: Collection[int]
) -> Iterator[tuple[_Projection, dict[Key, Row], dict[Key, Row]]]:
    """For some patients at a time, each projection as stored and as expected."""
    keys = sorted(patient_ids)
    protocols: dict[str, Protocol] = {}
    for start in range(0, len(keys), CHUNK):
        chunk = keys[start : start + CHUNK]
        expected: tuple[dict[Key, Row], ...] = ({}, {}, {})
        last = last_evidence(scope, chunk)
        for patient, history in load_history(scope, chunk).items():
            protocol = protocols.get(history.protocol)
            if protocol is None:
                protocol = protocols[history.protocol] = protocol_in_force(scope, history.protocol)
            answer = forecast(history, protocol)
            _collect(expected, _rows_of(scope, patient, protocol, answer, last.get(patient)))
        for target, projection in zip(expected, PROJECTIONS, strict=True):
            yield projection, _stored(projection, chunk), target


def _collect(targets: tuple[dict[Key, Row], ...], rows_of: tuple[Iterable[Row], ...]) -> None:
    """Put the rows of a patient among those of the others, by their natural keys."""
    for target, projection, rows in zip(targets, PROJECTIONS, rows_of, strict=True):
        target.update({tuple(row[name] for name in projection.key): row for row in rows})


def _rows_of(
    scope: Scope,
    patient: int,
    protocol: Protocol,
    answer: Forecast,
    last: date | None,
) -> tuple[Iterable[Row], Iterable[Row], Iterable[Row]]:
    """The rows of one patient in the three projections; none before the first infusion but the heads."""
    owed = _owed(answer.obligations)
    common: Row = {"clinic_id": scope.clinic_id, "patient_id": patient}
    version = {"protocol_version": protocol.version}
    return (
        [common | version | _heads(answer, last)],
        [common | _standing(standing, owed) for standing in answer.standings],
        [common | version | _obligation(one) for one in answer.obligations],
    )


def _moved_by(
    new: Collection[int], patient: int, history: History, protocol: Protocol, last: date | None
) -> tuple[list[Row], list[Row], list[Row]]:
    """The rows that new reports of a patient move, with their keys and what may differ."""
    answer = forecast(history, protocol)
    added = [lab for lab in history.labs if lab.ref in new]
    heard = max((date.fromordinal(lab.collected) for lab in added if lab.status in VALID_STATUSES), default=None)
    last = max(filter(None, (last, heard)), default=None)
    tests = {lab.test for lab in added}
    moved = {
        one.code for one in protocol.requirements if one.evidence_kind is EvidenceKind.LAB and one.evidence in tests
    }
    obligations = [one for one in answer.obligations if one.requirement in moved]
    owed, common = _owed(obligations), {"patient_id": patient}
    return (
        [common | _heads(answer, last)],
        [common | _standing(one, owed) for one in answer.standings if one.requirement in moved],
        [common | _obligation(one) for one in obligations if one.ref in new],
    )


def _owed(obligations: Iterable[schedule.Obligation]) -> _Owed:
    return {(one.requirement, one.due): one for one in obligations if one.done is None and not one.waived}


def _heads(answer: Forecast, last: date | None) -> Row:
    prophylaxis = answer.prophylaxis
    owed = [standing.next_due for standing in answer.standings if standing.next_due is not None]
    return {
        "first_infusion_on": _date(answer.first_infusion),
        "last_infusion_on": _date(answer.last_infusion),
        "monitoring_ends_on": _date(answer.monitoring_ends),
        "monitoring_closed_on": _date(answer.closed_on),
        "next_course_earliest_on": _date(answer.next_course_earliest),
        "prophylaxis_minimum_until": _date(prophylaxis.minimum_until) if prophylaxis else None,
        "prophylaxis_earliest_stop_on": _date(prophylaxis.earliest_stop) if prophylaxis else None,
        "earliest_due_on": _date(min(owed)) if owed else None,
        "last_evidence_on": last,
    }


def _standing(standing: schedule.Standing, owed: _Owed) -> Row:
    obligation = owed.get((standing.requirement, standing.next_due))
    return {
        "requirement": standing.requirement,
        "opens_on": _date(standing.opens),
        "next_due_on": _date(standing.next_due),
        "last_done_on": _date(standing.last_done),
        "anchor": obligation.anchor if obligation else None,
        "occurrence": obligation.occurrence if obligation else None,
    }


def _obligation(obligation: schedule.Obligation) -> Row:
    return {
        "requirement": obligation.requirement,
        "anchor": obligation.anchor,
        "occurrence": obligation.occurrence,
        "slot": obligation.slot,
        "opens_on": _date(obligation.opens),
        "due_on": _date(obligation.due),
        "closes_on": _date(obligation.closes),
        "done_on": _date(obligation.done),
        "waived": obligation.waived,
        "evidence_id": obligation.ref,
    }


def _stored(projection: _Projection, patient_ids: list[int]) -> dict[Key, Row]:
    table = projection.table
    rows = db.session.execute(select(table).where(table.c.patient_id.in_(patient_ids))).mappings()
    return {tuple(row[name] for name in projection.key): dict(row) for row in rows}


def _last_stored(_scope: Scope, patient_ids: list[int]) -> dict[int, date | None]:
    """When something was last heard of these patients, as it is stored."""
    rows = db.session.execute(
        select(PatientSchedule.patient_id, PatientSchedule.last_evidence_on).where(
            PatientSchedule.patient_id.in_(patient_ids)
        )
    )
    return {patient: last for patient, last in rows}  # noqa: C416 - rows are not pairs to mypy


def _write(projection: _Projection, stored: Mapping[Key, Row], expected: Mapping[Key, Row]) -> int:
    """Delete, update and insert the rows that differ; how many."""
    gone = [row for key, row in stored.items() if key not in expected]
    new = [row for key, row in expected.items() if key not in stored]
    changed = {key: row for key, row in expected.items() if key in stored and _without_id(stored[key]) != row}
    if gone:
        _execute(delete(projection.table).where(*projection.where), [projection.keyed(row) for row in gone])
    if changed:
        pairs = [(row, stored[key]) for key, row in changed.items()]
        differing = [name for name in projection.columns if any(row[name] != old[name] for row, old in pairs)]
        _update(projection, differing, list(changed.values()))
    if new:
        db.session.execute(insert(projection.table), new)
    return len(gone) + len(changed) + len(new)


def _update(projection: _Projection, columns: Collection[str], rows: list[Row]) -> int:
    """Write these columns of rows that are there already; how many were."""
    values: Row = {name: bindparam(name) for name in columns}
    statement = update(projection.table).where(*projection.where).values(values)
    return _execute(statement, [{name: row[name] for name in columns} | projection.keyed(row) for row in rows])


def _execute(statement: Delete | Update, rows: list[Row]) -> int:
    """Run a statement for each row; how many rows it met."""
    done: Any = db.session.execute(statement, rows)
    return int(done.rowcount)


def _without_id(row: Row | None) -> Row | None:
    return {name: value for name, value in row.items() if name != "id"} if row is not None else None


def _date(day: int | None) -> date | None:
    return date.fromordinal(day) if day is not None else None

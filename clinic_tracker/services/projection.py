"""The three projections, written as a difference: what the engine says minus what is stored."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Delete, Table, Update, bindparam, delete, insert, select, update

from clinic_tracker.domain import schedule
from clinic_tracker.domain.history import History
from clinic_tracker.domain.protocol import Protocol
from clinic_tracker.domain.schedule import Forecast, forecast
from clinic_tracker.models.base import Base, db
from clinic_tracker.models.schedule import Obligation, PatientSchedule, Standing
from clinic_tracker.queries.history import CHUNK, clinic_patients, load_history
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.settings import protocol_in_force

Row = dict[str, Any]
Key = tuple[Any, ...]


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


PROJECTIONS = (
    _Projection(PatientSchedule, ("patient_id",)),
    _Projection(Standing, ("patient_id", "requirement")),
    _Projection(Obligation, ("patient_id", "requirement", "anchor", "occurrence")),
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
    return sum(
        _write(projection, stored, expected) or 0 for projection, stored, expected in _compared(scope, patient_ids)
    )


def reproject_added(scope: Scope, patient_ids: Collection[int], added: Collection[int]) -> int:
    """The same for patients of whom nothing changed but that these reports were added; ``added`` are their keys.

    What is stored is what the facts said before, so that only what the new reports change is written, and the rest is
    not even read. Where a row to be changed is not there, all of these schedules are compared with what is stored.
    """
    keys, new = sorted(patient_ids), frozenset(added)
    protocols: dict[str, Protocol] = {}
    written = 0
    for start in range(0, len(keys), CHUNK):
        before: tuple[dict[Key, Row], ...] = ({}, {}, {})
        after: tuple[dict[Key, Row], ...] = ({}, {}, {})
        for patient, history in load_history(scope, keys[start : start + CHUNK]).items():
            if history.protocol not in protocols:
                protocols[history.protocol] = protocol_in_force(scope, history.protocol)
            protocol = protocols[history.protocol]
            old = replace(history, labs=tuple(lab for lab in history.labs if lab.ref not in new))
            then, now = forecast(old, protocol), forecast(history, protocol)
            same = set(then.obligations).intersection(now.obligations)
            _collect(before, _rows_of(scope, patient, old, protocol, then, same))
            _collect(after, _rows_of(scope, patient, history, protocol, now, same))
        for projection, stored, expected in zip(PROJECTIONS, before, after, strict=True):
            count = _write(projection, stored, expected)
            if count is None:
                return written + reproject(scope, keys)
            written += count
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
        for patient, history in load_history(scope, chunk).items():
            protocol = protocols.get(history.protocol)
            if protocol is None:
                protocol = protocols[history.protocol] = protocol_in_force(scope, history.protocol)
            _collect(expected, _rows_of(scope, patient, history, protocol, forecast(history, protocol)))
        for target, projection in zip(expected, PROJECTIONS, strict=True):
            yield projection, _stored(projection, chunk), target


def _collect(targets: tuple[dict[Key, Row], ...], rows_of: tuple[Iterable[Row], ...]) -> None:
    """Put the rows of a patient among those of the others, by their natural keys."""
    for target, projection, rows in zip(targets, PROJECTIONS, rows_of, strict=True):
        target.update({tuple(row[name] for name in projection.key): row for row in rows})


def _rows_of(
    scope: Scope,
    patient: int,
    history: History,
    protocol: Protocol,
    answer: Forecast,
    but: Collection[schedule.Obligation] = (),
) -> tuple[Iterable[Row], Iterable[Row], Iterable[Row]]:
    """The rows of one patient in the three projections; none before the first infusion but the heads."""
    owed: dict[tuple[str, int | None], schedule.Obligation] = {
        (obligation.requirement, obligation.due): obligation
        for obligation in answer.obligations
        if obligation.done is None and not obligation.waived
    }
    common: Row = {"clinic_id": scope.clinic_id, "patient_id": patient}
    version = {"protocol_version": protocol.version}
    return (
        [common | version | _heads(answer, history)],
        [common | _standing(standing, owed) for standing in answer.standings],
        [common | version | _obligation(one) for one in answer.obligations if one not in but],
    )


def _heads(answer: Forecast, history: History) -> Row:
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
        "last_evidence_on": _date(_last_evidence(history)),
    }


def _last_evidence(history: History) -> int | None:
    """The day of the latest fact of any kind."""
    days = [day for course in history.courses for day in course.infusion_days]
    days += [lab.collected for lab in history.labs]
    days += [exam.on for exam in history.exams]
    days += [form.submitted for form in history.forms]
    return max(days, default=None)


def _standing(standing: schedule.Standing, owed: Mapping[tuple[str, int | None], schedule.Obligation]) -> Row:
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


def _write(projection: _Projection, stored: Mapping[Key, Row], expected: Mapping[Key, Row]) -> int | None:
    """Delete, update and insert the rows that differ; how many, or None where one of them was not there."""
    table = projection.table
    gone = [key for key in stored if key not in expected]
    new = [row for key, row in expected.items() if key not in stored]
    changed = [row for key, row in expected.items() if key in stored and _without_id(stored[key]) != row]
    where = [table.c[name] == bindparam(f"key_{name}") for name in projection.key]

    def keyed(key: Key) -> Row:
        return {f"key_{name}": value for name, value in zip(projection.key, key, strict=True)}

    met = 0
    if gone:
        met += _execute(delete(table).where(*where), [keyed(key) for key in gone])
    if changed:
        differing = _differing(projection, stored, changed)
        values = [
            {name: row[name] for name in differing} | keyed(tuple(row[name] for name in projection.key))
            for row in changed
        ]
        settable: Row = {name: bindparam(name) for name in differing}
        met += _execute(update(table).where(*where).values(settable), values)
    if new:
        db.session.execute(insert(table), new)
    return len(gone) + len(changed) + len(new) if met == len(gone) + len(changed) else None


def _differing(projection: _Projection, stored: Mapping[Key, Row], changed: Sequence[Row]) -> list[str]:
    """The columns that differ in any of the rows."""
    pairs = [(row, stored[tuple(row[name] for name in projection.key)]) for row in changed]
    return [name for name in projection.columns if any(row[name] != old[name] for row, old in pairs)]


def _execute(statement: Delete | Update, rows: list[Row]) -> int:
    """Run a statement for each row; how many rows it met."""
    done: Any = db.session.execute(statement, rows)
    return int(done.rowcount)


def _without_id(row: Row | None) -> Row | None:
    return {name: value for name, value in row.items() if name != "id"} if row is not None else None


def _date(day: int | None) -> date | None:
    return date.fromordinal(day) if day is not None else None

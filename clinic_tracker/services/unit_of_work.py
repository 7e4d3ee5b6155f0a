"""One transaction: lock the patient, add facts, reproject the schedule, audit, commit once."""

import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from clinic_tracker.domain.errors import NotFound, RuleViolation, StaleVersion
from clinic_tracker.models.base import db
from clinic_tracker.models.patients import Patient
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services import projection

AT_ONCE = 400
UNIQUE_VIOLATION = "23505"  # of PostgreSQL
RECORDED_MEANWHILE = "recorded_meanwhile"
MEANWHILE = "Somebody else recorded the same at this moment, so nothing was saved. Reload the page and look at it."


@dataclass(slots=True)
class UnitOfWork:
    """The open transaction of one use case."""

    scope: Scope
    touched: dict[int, Patient] = field(default_factory=dict)
    discarded: bool = False
    added: dict[int, list[int]] = field(default_factory=dict)  # patient: reports added, where nothing else changed

    def discard(self) -> None:
        """Roll everything back at the end instead of committing: a dry run."""
        self.discarded = True

    def lock_patient(self, patient: uuid.UUID | int) -> Patient:
        """The patient's row, locked until the commit, to be reprojected at the end.

        Takes the public id or the key. Raises NotFound for an unknown patient, one of another clinic, or one that was
        merged into another chart.
        """
        key = Patient.public_id if isinstance(patient, uuid.UUID) else Patient.id
        statement = (
            select(Patient)
            .where(key == patient, Patient.clinic_id == self.scope.clinic_id, Patient.merged_into_id.is_(None))
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        row = db.session.execute(statement).scalar_one_or_none()
        if row is None:
            raise NotFound("patient")
        self.touched[row.id] = row
        return row

    def lock_patients(self, keys: Collection[int]) -> list[Patient]:
        """The rows of several patients by their keys, locked in the order of the keys; NotFound as for one."""
        wanted = sorted(keys)
        found: list[Patient] = []
        for start in range(0, len(wanted), AT_ONCE):
            statement = (
                select(Patient)
                .where(
                    Patient.id.in_(wanted[start : start + AT_ONCE]),
                    Patient.clinic_id == self.scope.clinic_id,
                    Patient.merged_into_id.is_(None),
                )
                .order_by(Patient.id)
                .with_for_update()
                .execution_options(populate_existing=True)
            )
            found += db.session.execute(statement).scalars()
        if len(found) < len(wanted):
            raise NotFound("patient")
        self.touched |= {row.id: row for row in found}
        return found

    def touch(self, patient: Patient) -> None:
        """Reproject a patient that was added in this unit of work."""
        db.session.flush()
        self.touched[patient.id] = patient


@contextmanager
def unit_of_work(scope: Scope) -> Iterator[UnitOfWork]:
    """Open the write transaction of one use case; commit at the end, roll back on any error.

    Any read transaction of the request is ended first, so that on SQLite the write lock is taken by BEGIN IMMEDIATE
    before the first read: a check made inside can then not be overtaken.
    """
    if db.session.info.get("unit_of_work"):
        message = "a unit of work is already open"
        raise RuntimeError(message)
    if scope.user_id is None and scope.system_actor is None:
        message = "a unit of work needs an actor"
        raise RuntimeError(message)
    begin_write(scope)
    db.session.info["unit_of_work"] = True
    work = UnitOfWork(scope)
    try:
        yield work
        db.session.flush()
        if work.discarded:
            db.session.rollback()
        else:
            projection.reproject(work.scope, sorted(work.touched.keys() - work.added.keys()))
            projection.reproject_added(work.scope, work.added, [key for keys in work.added.values() for key in keys])
            db.session.commit()
    except IntegrityError as error:
        db.session.rollback()
        if _is_taken(error):
            raise RuleViolation(RECORDED_MEANWHILE, None, MEANWHILE) from error
        raise
    except BaseException:
        db.session.rollback()
        raise
    finally:
        db.session.info.pop("unit_of_work", None)


def begin_write(_scope: Scope) -> None:
    """End the read transaction and begin one for writing.

    On SQLite a transaction that has read cannot begin to write once another one has written: it fails at once. One
    begun by BEGIN IMMEDIATE waits its turn instead.
    """
    db.session.rollback()
    db.session.connection(execution_options={"sqlite_begin": "IMMEDIATE"})


@contextmanager
def one_snapshot(_scope: Scope) -> Iterator[None]:
    """Read the database as it was at one moment, however long the reading takes and whoever writes meanwhile.

    Ends the read transaction of the request before and its own after. Nothing may be written inside.
    """
    if db.session.info.get("unit_of_work"):
        message = "a unit of work is open"
        raise RuntimeError(message)
    db.session.rollback()
    on_sqlite = db.engine.dialect.name == "sqlite"  # where every transaction reads from one snapshot
    db.session.connection(execution_options={} if on_sqlite else {"isolation_level": "REPEATABLE READ"})
    try:
        yield
    finally:
        db.session.rollback()


def check_version(current: int, submitted: int | None, changed_by: str, changed_at: str) -> None:
    """Raise StaleVersion when the form was filled in on an older version of the row."""
    if submitted is not None and submitted != current:
        raise StaleVersion(changed_by, changed_at)


def _is_taken(error: IntegrityError) -> bool:
    """Whether a unique index refused a row: somebody else recorded the same in the same moment."""
    return getattr(error.orig, "sqlstate", None) == UNIQUE_VIOLATION or "UNIQUE constraint" in str(error.orig)

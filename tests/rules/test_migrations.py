"""Migrations are one numbered line, lead to the models on both databases, go both ways and keep every row."""

import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from flask_migrate import downgrade, upgrade

from clinic_tracker import create_app
from clinic_tracker.domain.exam_findings import EXAM_RULES
from clinic_tracker.models.base import db
from tests.fixtures.application import hurry

ROOT = Path(__file__).resolve().parents[2]
VERSIONS = sorted((ROOT / "migrations" / "versions").glob("*.py"))
NUMBERS = [path.name[:4] for path in VERSIONS]
CHOICE = re.compile(r"^\W*(\w+) in \('([^']+)'", re.IGNORECASE)
SAMPLES: dict[type, Callable[[int], Any]] = {
    int: lambda number: number,
    float: float,
    str: lambda number: f"text {number}",
    bytes: lambda number: b"bytes %d" % number,
    bool: lambda _number: False,
    date: lambda _number: date(2026, 1, 22),
    datetime: lambda _number: datetime(2026, 1, 22, 12, tzinfo=UTC),
}
# Where the plain values would break a rule of the table.
FITTING: dict[str, dict[str, Any]] = {
    "acknowledgement": {"lab_report_id": 1},
    "audit_event": {"system_actor": "test"},
    "chair_booking": {"ends_at": datetime(2026, 1, 22, 20, tzinfo=UTC)},
    "auto_review": {"sample_percent": 10},
    "monitoring_decision": {"kind": "closed"},
    "not_a_duplicate": {"first_id": 1, "second_id": 2},
    "report_schedule": {"weekday": 1},
}


@pytest.mark.no_database
def test_numbers_run_without_a_gap_and_the_last_is_the_head():
    assert [f"{position:04}" for position in range(1, len(VERSIONS) + 1)] == NUMBERS
    assert (ROOT / "migrations" / "current_head.txt").read_text().split() == NUMBERS[-1:]


@pytest.mark.no_database
def test_each_migration_follows_the_one_before():
    for before, path in zip([None, *NUMBERS], VERSIONS, strict=False):
        text = path.read_text(encoding="utf-8")
        assert re.search(rf'^revision(: str)? = "{path.name[:4]}"$', text, re.MULTILINE), path.name
        expected = f'"{before}"' if before else "None"
        assert re.search(rf"^down_revision(: [^=]+)? = {expected}$", text, re.MULTILINE), path.name


@pytest.fixture
def empty_app(each_database, config) -> Iterator[Flask]:
    """An application on an empty database without tables, on SQLite and on PostgreSQL."""
    app = create_app(replace(config, database_url=each_database.url))
    with app.app_context():
        hurry(db.engine)
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.mark.both_databases
def test_the_migrated_database_is_what_the_models_say(empty_app):
    upgrade()
    with db.engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        difference = compare_metadata(MigrationContext.configure(connection, opts=options), db.metadata)
    assert difference == []


@pytest.mark.both_databases
def test_the_checks_of_the_migrated_database_are_those_of_the_models(empty_app):
    upgrade()
    inspector = sa.inspect(db.engine)
    for table in db.metadata.sorted_tables:
        migrated = {check["name"] for check in inspector.get_check_constraints(table.name)}
        assert migrated == {str(check.name) for check in checks_of(table)}, table.name


@pytest.mark.both_databases
def test_every_migration_can_be_taken_back_and_done_again(empty_app):
    for number in NUMBERS:
        upgrade(revision=number)
        tables = set(sa.inspect(db.engine).get_table_names())
        downgrade()
        upgrade(revision=number)
        assert set(sa.inspect(db.engine).get_table_names()) == tables
    downgrade(revision="base")
    assert set(sa.inspect(db.engine).get_table_names()) <= {"alembic_version"}


@pytest.mark.both_databases
def test_a_filled_database_keeps_every_row(empty_app):
    upgrade()
    fill()
    full = rows_by_table()
    assert all(full.values())
    for number in reversed(NUMBERS[:-1]):
        downgrade(revision=number)
        kept = rows_by_table()
        assert kept == {name: full[name] for name in kept}
        upgrade()
        assert {name: rows for name, rows in rows_by_table().items() if name in kept} == kept
    with transaction() as connection:
        if connection.dialect.name == "sqlite":
            assert connection.execute(sa.text("PRAGMA foreign_keys")).scalar() == 1


@pytest.mark.both_databases
def test_exams_of_before_the_review_are_as_loud_as_their_outcome(empty_app):
    upgrade()
    table = db.metadata.tables["exam"]
    wanted = {**{key: rule.level.value for key, rule in EXAM_RULES.items()}, ("tb_screen", "negative"): None}
    with transaction() as connection:
        for name in ("clinic", "patient"):
            connection.execute(db.metadata.tables[name].insert().values(row_of(db.metadata.tables[name], 1)))
        for number, (kind, outcome) in enumerate(wanted, 1):
            exam = {**row_of(table, number), "patient_id": 1, "kind": kind, "outcome": outcome}
            connection.execute(table.insert().values(exam))
    downgrade(revision="0004")
    upgrade()
    with transaction() as connection:
        rows = connection.execute(sa.select(table.c.kind, table.c.outcome, table.c.worst_level))
        assert {(kind, outcome): level for kind, outcome, level in rows} == wanted


REBUILD = """
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{head}"


def upgrade():
    with op.batch_alter_table("patient") as batch:  # on SQLite: copy, drop, rename
        batch.alter_column("language", new_column_name="spoken_language")
    {then}
"""
ORPHAN = "op.execute('DELETE FROM treatment_course WHERE id = 1')"


def with_migration(folder: Path, then: str) -> str:
    """A copy of the migrations with one more, which builds the patient table anew."""
    shutil.copytree(ROOT / "migrations", folder / "migrations")
    text = REBUILD.format(head=NUMBERS[-1], then=then)
    (folder / "migrations" / "versions" / "9999_rebuild.py").write_text(text)
    return str(folder / "migrations")


@pytest.mark.both_databases
def test_building_a_table_anew_keeps_the_rows_that_point_to_it(empty_app, tmp_path):
    upgrade()
    fill()
    before, counted = contents(), rows_by_table()
    upgrade(directory=with_migration(tmp_path, then="pass"))
    assert rows_by_table() == counted
    assert contents()["infusion"] == before["infusion"]


@pytest.mark.both_databases
def test_a_migration_that_orphans_rows_is_rolled_back(empty_app, tmp_path):
    upgrade()
    fill()
    before = contents()
    with pytest.raises((SystemExit, sa.exc.IntegrityError)):
        upgrade(directory=with_migration(tmp_path, then=ORPHAN))
    assert contents() == before


def checks_of(table: sa.Table) -> list[sa.CheckConstraint]:
    return [item for item in table.constraints if isinstance(item, sa.CheckConstraint) and item.name]


@contextmanager
def transaction() -> Iterator[sa.Connection]:
    with db.engine.begin() as connection:
        yield connection


def fill() -> None:
    """Two rows in every table, of one clinic, each pointing to the rows of its own number."""
    with transaction() as connection:
        for table in db.metadata.sorted_tables:
            for number in (1,) if table.name == "not_a_duplicate" else (1, 2):
                connection.execute(table.insert().values(row_of(table, number)))


def row_of(table: sa.Table, number: int) -> dict[str, Any]:
    """A row that the table takes: what must be given, choices by their first value, references to the same number."""
    choices = {match[1]: match[2] for check in checks_of(table) if (match := CHOICE.match(str(check.sqltext)))}
    row: dict[str, Any] = {}
    for column in table.columns:
        if column.primary_key:
            row[column.name] = number
        elif column.name in choices and not column.nullable:
            row[column.name] = choices[column.name]
        elif column.name == "clinic_id":
            row[column.name] = 1
        elif column.foreign_keys and not column.nullable:
            row[column.name] = number
        elif not column.nullable:
            plain = column.type.impl_instance if isinstance(column.type, sa.TypeDecorator) else column.type
            row[column.name] = sample(plain, number)
    return {**row, **FITTING.get(table.name, {})}


def sample(kind: sa.types.TypeEngine[Any], number: int) -> Any:
    """A value of a type; a UUID or JSON holds the number."""
    if isinstance(kind, sa.Uuid):
        return uuid.UUID(int=number)
    return {"number": number} if isinstance(kind, sa.JSON) else SAMPLES[kind.python_type](number)


def contents() -> dict[str, list[tuple[Any, ...]]]:
    """All rows of the tables that exist, for comparison."""
    existing = sa.MetaData()
    existing.reflect(db.engine)
    with transaction() as connection:
        return {
            table.name: sorted(tuple(map(str, row)) for row in connection.execute(sa.select(*sorted_columns(table))))
            for table in existing.sorted_tables
            if table.name != "alembic_version"
        }


def rows_by_table() -> dict[str, int]:
    """How many rows each table has."""
    return {name: len(rows) for name, rows in contents().items()}


def sorted_columns(table: sa.Table) -> list[sa.Column[Any]]:
    return sorted(table.columns, key=lambda column: column.name)


@pytest.mark.both_databases
@pytest.mark.parametrize("table", ["audit_event", "access_event"])
@pytest.mark.parametrize("change", ["UPDATE {} SET request_id = 'x'", "DELETE FROM {}"])
def test_the_audit_trail_refuses_changes(empty_app, table, change):
    upgrade()
    fill()
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), transaction() as connection:
        connection.execute(sa.text(change.format(table)))
    assert rows_by_table()[table] == 2

"""How Alembic runs here: one transaction, foreign keys of SQLite switched off meanwhile and checked at the end."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from alembic import context
from alembic.operations import MigrationScript
from alembic.runtime.migration import MigrationContext
from alembic.script import write_hooks
from flask import current_app
from sqlalchemy import JSON, Connection, Engine, text
from sqlalchemy.types import TypeDecorator

HERE = Path(__file__).parent
HEAD_FILE = HERE / "current_head.txt"
UPGRADE_LOCK = 20141114  # any number; the same for everybody who migrates this database


@write_hooks.register("current_head")
def note_head(path: str, _options: dict[str, str]) -> None:
    """Keep the newest number in current_head.txt, so that two new migrations collide in version control."""
    HEAD_FILE.write_text(Path(path).name[:4] + "\n")


def number_revision(
    _context: MigrationContext, _revision: str | Iterable[str | None], directives: list[MigrationScript]
) -> None:
    """Number migrations 0001, 0002 … and write none that would do nothing."""
    script = directives[0]
    autogenerate = getattr(context.config.cmd_opts, "autogenerate", False)
    if autogenerate and script.upgrade_ops is not None and script.upgrade_ops.is_empty():
        directives.clear()
        return
    numbers = [int(name[1]) for path in (HERE / "versions").glob("*.py") if (name := re.match(r"(\d{4})_", path.name))]
    script.rev_id = f"{max(numbers, default=0) + 1:04}"


def render_type(kind: str, item: Any, writer: Any) -> str | Literal[False]:
    """Write the type underneath a type of ours: a migration must not change when the application does."""
    if kind == "type" and isinstance(item, TypeDecorator):
        return "sa." + repr(item.impl_instance)
    if kind == "type" and isinstance(item, JSON):  # Alembic forgets to import Text, which it writes for JSONB
        writer.imports.add("from sqlalchemy.dialects import postgresql")
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    return False


@contextmanager
def without_foreign_keys(connection: Connection) -> Iterator[None]:
    """Batch mode copies, drops and renames tables; with foreign keys on, dropping a table deletes its children's rows.

    SQLite ignores the pragma inside a transaction, so it goes to the driver before one begins.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    driver: Any = connection.connection.dbapi_connection
    driver.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys = ON")


def refuse_broken_references(connection: Connection) -> None:
    """What SQLite did not check meanwhile is checked before the commit."""
    if connection.dialect.name == "sqlite":
        broken = connection.execute(text("PRAGMA foreign_key_check")).all()
        if broken:
            tables = sorted({row[0] for row in broken})
            raise RuntimeError(f"Migration left {len(broken)} rows without their parents, in {', '.join(tables)}.")


def run() -> None:
    """Bring the database of the current application to the revision asked for, all or nothing."""
    if context.is_offline_mode():
        raise RuntimeError("Migrations need a database: --sql is not supported.")
    db = current_app.extensions["migrate"].db
    engine: Engine = db.engine
    with engine.connect() as connection, without_foreign_keys(connection):
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            render_as_batch=True,
            transactional_ddl=True,
            compare_type=True,
            compare_server_default=True,
            render_item=render_type,
            process_revision_directives=number_revision,
        )
        with context.begin_transaction():
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": UPGRADE_LOCK})
            context.run_migrations()
            refuse_broken_references(connection)


run()

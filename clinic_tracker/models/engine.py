"""How a database connection is prepared. Only SQLite needs anything."""

from typing import Any

from sqlalchemy import Connection, Engine, event

PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA busy_timeout = 10000",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA recursive_triggers = ON",
)


def prepare(engine: Engine) -> None:
    """Set up WAL, foreign keys and honest transactions on a SQLite engine; leave any other engine as it is.

    The driver's own transaction handling starts a transaction at the first write, so that read-modify-write loses
    updates without an error. It is switched off; a transaction begins with BEGIN, or with BEGIN IMMEDIATE where the
    connection carries the option ``sqlite_begin`` (the unit of work does); with None there, for a single statement
    that reads, none begins.
    """
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in PRAGMAS:
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        mode = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
        if mode is not None:
            connection.exec_driver_sql(f"BEGIN {mode}")

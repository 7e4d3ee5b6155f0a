"""How a database connection is prepared: SQLite for honest transactions, every other one for errors without values."""

from collections.abc import Iterable
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Engine, ExceptionContext, FromClause, event

PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA busy_timeout = 30000",
    "PRAGMA cache_size = -32768",  # 32 MiB at most for each connection; with the usual 2 a large import reads twice
    "PRAGMA trusted_schema = OFF",
    "PRAGMA analysis_limit = 1000",
    "PRAGMA recursive_triggers = ON",
)
LONGEST_TURN = 30.0  # seconds
IMMEDIATE = "IMMEDIATE"


def prepare(engine: Engine) -> None:
    """Set up WAL, foreign keys and honest transactions on a SQLite engine; let no other one tell values in its errors.

    The driver's own transaction handling starts a transaction at the first write, so that read-modify-write loses
    updates without an error. It is switched off; a transaction begins with BEGIN, or with BEGIN IMMEDIATE where the
    connection carries the option ``sqlite_begin`` (the unit of work does); with None there, for a single statement
    that reads, none begins.
    """
    if engine.dialect.name != "sqlite":
        event.listen(engine, "handle_error", _without_values)
        return

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in PRAGMAS:
            cursor.execute(pragma)
        cursor.close()

    turn = Turn()

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        mode = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
        if mode == IMMEDIATE:
            turn.take(connection.info)
        if mode is not None:
            try:
                connection.exec_driver_sql(f"BEGIN {mode}")
            except BaseException:
                turn.pass_on(connection.info)
                raise

    event.listen(engine, "commit", lambda connection: turn.pass_on(connection.info))
    event.listen(engine, "rollback", lambda connection: turn.pass_on(connection.info))
    event.listen(engine, "checkin", lambda _connection, record: turn.pass_on(record.info))


def count_rows(connection: Connection, tables: Iterable[FromClause]) -> None:
    """Let SQLite see how many rows these tables have by clinic, patient and so on; other databases watch it themselves.

    Until then it takes all rows of a clinic to be as few as those of a patient, and looks through all of them.
    """
    if connection.dialect.name == "sqlite":
        for table in tables:
            connection.exec_driver_sql(f"ANALYZE {table}")


def tell_first_line(*errors: BaseException | None) -> None:
    """Let errors tell their first line only: what PostgreSQL says below it (DETAIL, CONTEXT) shows keys and rows."""
    for error in errors:
        if error is not None:
            error.args = (str(error.args[0]).partition("\n")[0], *error.args[1:]) if error.args else ()


def _without_values(context: ExceptionContext) -> None:
    tell_first_line(context.original_exception, context.sqlalchemy_exception)


class Turn:
    """Who writes next, within a process.

    SQLite lets one write at a time, and the others ask again and again, each at moments of its own: with many of them
    somebody is overtaken until the patience of ``busy_timeout`` is over. Here they stand in line, so that SQLite sees
    one of each process. SQLite's own lock is the one that counts.
    """

    def __init__(self) -> None:
        self.lock = Lock()

    def take(self, info: dict[Any, Any]) -> None:
        """Wait for the turn of a connection; whoever has had it for too long is gone without a word."""
        lock = self.lock
        if not lock.acquire(timeout=LONGEST_TURN):
            lock = self.lock = Lock()
            lock.acquire()
        info["turn"] = lock

    def pass_on(self, info: dict[Any, Any]) -> None:
        """Let the next one write, if it was this connection's turn. The commit is not over yet: SQLite waits for it."""
        lock: Lock | None = info.pop("turn", None)
        if lock is not None:
            lock.release()

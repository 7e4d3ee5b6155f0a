"""The writers of a process stand in line on SQLite: the turn is passed on whatever becomes of a transaction."""

import sqlite3
import threading
from contextlib import closing

import pytest
from sqlalchemy import create_engine, text

from clinic_tracker.models import engine as engines
from clinic_tracker.models.engine import Turn, prepare

pytestmark = pytest.mark.no_database


@pytest.fixture
def writers(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path / 'turns.db'}")
    prepare(engine)
    with engine.begin() as connection:
        connection.execute(text("create table noted (word text not null)"))
    yield engine.execution_options(sqlite_begin="IMMEDIATE")
    engine.dispose()


def note(writers, word):
    with writers.begin() as connection:
        connection.execute(text("insert into noted values (:word)"), {"word": word})


def words(writers):
    with writers.begin() as connection:
        return sorted(connection.execute(text("select word from noted")).scalars())


def test_two_writers_follow_each_other(writers):
    other = threading.Thread(target=note, args=(writers, "second"))
    with writers.begin() as connection:
        other.start()
        other.join(0.2)
        assert other.is_alive()
        connection.execute(text("insert into noted values ('first')"))
    other.join(5)
    assert words(writers) == ["first", "second"]


def test_an_error_passes_the_turn_on(writers):
    with pytest.raises(RuntimeError), writers.begin():
        raise RuntimeError
    connection = writers.connect()
    connection.execute(text("insert into noted values ('never committed')"))
    connection.close()
    note(writers, "kept")
    assert words(writers) == ["kept"]


def test_a_transaction_that_cannot_begin_passes_the_turn_on(writers):
    with writers.connect() as connection:  # the one that the pool gives again
        connection.exec_driver_sql("PRAGMA busy_timeout = 1")
    with closing(sqlite3.connect(writers.url.database, isolation_level=None)) as elsewhere:
        elsewhere.execute("begin immediate")
        with pytest.raises(Exception, match="locked"):
            note(writers, "too early")
    note(writers, "kept")
    assert words(writers) == ["kept"]


def test_whoever_has_the_turn_for_too_long_is_passed_over(monkeypatch):
    monkeypatch.setattr(engines, "LONGEST_TURN", 0.05)
    turn, gone, one, other = Turn(), {}, {}, {}
    turn.take(gone)
    turn.take(one)
    turn.pass_on(gone)  # back after all: it takes nobody else's turn away
    waiting = threading.Thread(target=turn.take, args=(other,))
    turn.pass_on(one)
    waiting.start()
    waiting.join(5)
    assert other
    turn.pass_on(other)
    turn.pass_on(other)
    assert turn.lock.acquire(blocking=False)

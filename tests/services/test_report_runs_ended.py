"""Files that count everybody before their first line, and packs, are ended in between, too."""

from dataclasses import replace
from datetime import date

import pytest
import sqlalchemy as sa

from clinic_tracker.exports.stored_reports import Holder, Outcome
from clinic_tracker.models.base import db
from clinic_tracker.models.reporting import ReportRun
from clinic_tracker.queries import history
from tests.made_reports import asked_for, made, names, row, taken
from tests.monitored import project, treated

LONG = {"compliance": "csv", "overdue": "csv", "gaps": "csv", "evidence-pack": "zip"}


@pytest.fixture
def scope(scope_for, cast, monkeypatch):
    scope = scope_for(cast.administrator)
    monkeypatch.setattr(history, "LOOKS", 1)
    past = replace(scope, now=scope.now.replace(year=2025, month=12))
    for month in (5, 6, 7):
        treated(past, date(2025, month, 2))
    project(scope)
    return scope


@pytest.mark.parametrize("name", LONG)
def test_a_worker_that_is_to_stop_gives_it_back_before_it_is_whole(scope, tmp_path, name):
    run = asked_for(scope, name, LONG[name])
    looks = iter([False, False])
    assert made(taken(), tmp_path, stopping=lambda: next(looks, True)) is Outcome.STOPPED
    assert row(run).attempts == 0
    assert names(tmp_path) == []


@pytest.mark.parametrize("name", LONG)
def test_cancelled_in_between_nothing_is_read_to_the_end(scope, tmp_path, monkeypatch, name):
    run = asked_for(scope, name, LONG[name])
    held, looks, usual = taken(), [], Holder.watch

    def watch(holder, done, expected):
        looks.append(done)
        if len(looks) == 1:
            with db.engine.connect().execution_options(sqlite_begin="IMMEDIATE") as other, other.begin():
                other.execute(sa.update(ReportRun).values(cancelled_at=scope.now, cancelled_by_id=scope.user_id))
            holder.beat()
        usual(holder, done, expected)

    monkeypatch.setattr(Holder, "watch", watch)
    assert made(held, tmp_path) is Outcome.LOST
    assert looks in ([0], [1])  # before the first line, or after the first table
    assert row(run).finished_at is None
    assert names(tmp_path) == []

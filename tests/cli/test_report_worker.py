"""``flask reports``: what each command does and says, and that a worker stops politely."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Event

import pytest

from clinic_tracker.cli import report_worker
from clinic_tracker.cli.report_worker import every_minute, make_next
from clinic_tracker.domain.reporting.formats import ReportFormat
from clinic_tracker.domain.reporting.rhythm import RelativePeriod, Rhythm
from clinic_tracker.exports.stored_reports import Outcome
from clinic_tracker.services import report_schedules
from clinic_tracker.services.report_schedules import Plan, add_schedule
from tests.made_reports import Numbers, asked_for, names, row

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def numbers(monkeypatch):
    return Numbers().put_in(monkeypatch)


@pytest.fixture
def folder(app, tmp_path, monkeypatch):
    monkeypatch.setitem(app.config, "REPORTS_FOLDER", tmp_path / "reports")
    return tmp_path / "reports"


@pytest.fixture
def scope(scope_for, cast):
    return scope_for(cast.administrator)


def test_once_makes_what_waits_and_what_is_due_and_tidies_up(run, scope, clock, folder):
    waiting = asked_for(scope)
    monthly = Rhythm(month_day=1)
    add_schedule(scope, Plan("numbers", {}, RelativePeriod.LAST_MONTH, ReportFormat.CSV, monthly))
    clock.set("2026-02-01 06:00")
    assert run("reports", "work", "--once") == (0, "", "")
    assert len(names(folder)) == 2
    assert row(waiting).finished_at is not None
    clock.forward(days=30)
    run("reports", "work", "--once")
    assert len(names(folder)) == 1  # that of March 1, the others had their time
    assert row(waiting).removed_at is not None


def test_due_asks_once(run, scope, clock):
    add_schedule(scope, Plan("numbers", {}, RelativePeriod.LAST_WEEK, ReportFormat.CSV, Rhythm(weekday=1)))
    assert run("reports", "due") == (0, "0 asked for\n", "")
    clock.set("2026-01-26 05:00")
    assert run("reports", "due") == (0, "1 asked for\n", "")
    assert run("reports", "due") == (0, "0 asked for\n", "")


def test_prune_says_how_many_are_gone(run, scope, clock, folder):
    asked_for(scope)
    assert make_next("worker") is Outcome.MADE
    assert make_next("worker") is None
    clock.forward(days=31)
    assert run("reports", "prune") == (0, "1 removed\n", "")


def test_a_worker_that_is_to_stop_takes_nothing(scope, folder):
    run = asked_for(scope)
    assert make_next("worker", lambda: True) is None
    assert row(run).attempts == 0


def test_a_file_that_cannot_be_removed_keeps_nothing_else_from_being_done(scope, clock, folder, caplog):
    stuck, gone = asked_for(scope, token="1"), asked_for(scope, token="2")
    while make_next("worker"):
        pass
    path = folder / f"{stuck}-1.csv"
    path.unlink()
    path.mkdir()
    clock.forward(days=31)
    every_minute()
    assert names(folder) == [path.name]
    assert f"{path.name} cannot be removed" in caplog.text
    assert (row(stuck).removed_at, row(gone).removed_at) == (None, clock.now)
    path.rmdir()
    every_minute()
    assert row(stuck).removed_at == clock.now


def test_one_schedule_that_goes_wrong_keeps_no_other_waiting(scope, clock, folder, monkeypatch, caplog):
    plan = Plan("numbers", {}, RelativePeriod.LAST_WEEK, ReportFormat.CSV, Rhythm(weekday=1))
    add_schedule(scope, plan)
    add_schedule(scope, plan)
    clock.set("2026-01-26 05:00")
    usual, wrong = report_schedules._run_of, ["once"]

    def run_of(*given):
        if wrong:
            raise KeyError(wrong.pop())
        return usual(*given)

    monkeypatch.setattr(report_schedules, "_run_of", run_of)
    every_minute()
    assert make_next("worker") is Outcome.MADE
    assert make_next("worker") is None
    assert "could not be asked for" in caplog.text
    every_minute()
    assert make_next("worker") is Outcome.MADE


def test_files_are_made_though_what_the_clock_asks_for_fails(scope, folder, monkeypatch):
    run = asked_for(scope)

    def fails():
        raise PermissionError("reports")

    monkeypatch.setattr(report_worker, "every_minute", fails)
    monkeypatch.setattr(report_worker, "AFTER_TROUBLE_SECONDS", 0)
    turns = iter([False] * 5)
    report_worker._work("worker", Event(), lambda: next(turns, True))
    assert row(run).finished_at is not None


@pytest.mark.both_databases
@pytest.mark.timeout(120)
def test_a_worker_stops_when_asked(tmp_path):
    env = {**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path}/t.sqlite3", "INSTANCE_PATH": str(tmp_path), "DEMO": "1"}
    flask = [sys.executable, "-m", "flask", "--app", "wsgi.py"]
    subprocess.run([*flask, "db", "upgrade"], cwd=ROOT, env=env, check=True, capture_output=True)
    (tmp_path / "reports").mkdir()
    left = tmp_path / "reports" / "00000000-0000-4000-8000-000000000000-1.csv.part"
    left.write_text("x")
    with subprocess.Popen([*flask, "reports", "work"], cwd=ROOT, env=env, stderr=subprocess.PIPE) as worker:
        for _ in range(600):
            if not left.exists():  # it tidies up at its start
                break
            time.sleep(0.1)
        worker.send_signal(signal.SIGTERM)
        _, errors = worker.communicate(timeout=30)
    assert worker.returncode == 0
    assert errors == b""
    assert not left.exists()

"""Files of reports: asked for once, made by one worker, whole or not there, cancelled, taken over, kept for a time."""

import stat
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from clinic_tracker.domain.errors import NotFound, RuleViolation
from clinic_tracker.exports.stored_reports import BROKEN, Holder, Outcome
from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.reporting import ReportRun
from clinic_tracker.queries.report_runs import LEASE
from clinic_tracker.queries.scope import PermissionDenied
from clinic_tracker.services.report_claims import MOST_ATTEMPTS, NEVER_DONE, beat
from clinic_tracker.services.report_files import FileState, prune, read_digest, stored_file
from clinic_tracker.services.report_runs import MOST_WAITING, ask_again, cancel, is_small, note_taken
from tests.factories import register
from tests.made_reports import KEEP, Numbers, asked_for, made, names, row, taken


@pytest.fixture(autouse=True)
def numbers(monkeypatch) -> Numbers:
    return Numbers().put_in(monkeypatch)


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "reports"


def _at(scope, clock):
    return replace(scope, now=clock.now)


@pytest.fixture
def scope(scope_for, cast):
    return scope_for(cast.administrator)


def test_a_file_is_asked_for_made_and_kept(scope, folder):
    run = asked_for(scope, from_="2025-12-01", to="2025-12-31")
    assert made(taken(), folder) is Outcome.MADE
    done = row(run)
    path = folder / f"{run}-1.csv"
    assert path.read_bytes() == b"number\r\n1\r\n2\r\n3\r\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert (done.lines, done.size, done.expires_at) == (3, path.stat().st_size, scope.now + KEEP)
    assert done.checksum is not None
    assert stored_file(scope, run, folder) == (FileState.UNCHANGED, path)
    assert names(folder) == [path.name]


def test_the_same_form_sent_twice_asks_once(scope):
    assert asked_for(scope, token="t1") == asked_for(scope, token="t1")
    assert asked_for(scope, token="t2") != asked_for(scope, token="t1")
    assert db.session.query(ReportRun).count() == 2


def test_day_and_instant_are_fixed_when_it_is_asked_for(scope, numbers, clock, folder):
    run = asked_for(scope)
    clock.forward(days=3)
    made(taken(), folder)
    (parameters,) = numbers.asked
    assert parameters.as_of == scope.today
    assert parameters.known_at == scope.now
    assert row(run).made_on == scope.today


def test_what_happens_is_in_the_audit_trail(scope, folder):
    run = asked_for(scope)
    made(taken(), folder)
    note_taken(scope, run)
    told = list(db.session.execute(sa.select(AuditEvent.action, AuditEvent.user_id).order_by(AuditEvent.id)))
    assert [tuple(one) for one in told] == [
        ("report_run.asked", scope.user_id),
        ("report_run.made", None),
        ("data.exported", scope.user_id),
    ]


def test_whoever_takes_a_file_with_patients_is_in_their_access_log(scope, scope_for, cast, folder):
    chart = register(scope_for(cast.staff))
    run = asked_for(scope)
    made(taken(), folder)
    db.session.execute(sa.update(ReportRun).values(patients=[chart.row.id]))
    db.session.commit()
    note_taken(scope, run)
    logged = db.session.execute(sa.text("select patient_ids, user_id from access_event")).one()
    assert str(chart.row.id) in str(logged[0])
    assert logged[1] == scope.user_id


def test_two_workers_claim_one_run_once(app, scope):
    asked_for(scope)
    db.session.remove()

    def attempt(name):
        with app.app_context():
            return taken(name)

    with ThreadPoolExecutor(4) as pool:
        held = list(pool.map(attempt, ["a", "b", "c", "d"]))
    assert sum(one is not None for one in held) == 1


def test_runs_are_made_in_the_order_of_asking(scope, clock, scope_for, cast):
    first = asked_for(scope)
    clock.forward(seconds=1)
    second = asked_for(scope_for(cast.administrator))
    assert [taken().run, taken().run, taken()] == [first, second, None]


def test_a_worker_that_gives_no_sign_is_taken_over(scope, clock, folder):
    run = asked_for(scope)
    dead = taken("dead")
    clock.forward(seconds=LEASE.total_seconds())
    assert taken("second") is None
    clock.forward(seconds=1)
    held = taken("second")
    assert held.attempt == 2
    assert made(held, folder) is Outcome.MADE
    assert made(dead, folder) is Outcome.LOST  # it was only slow: what it wrote goes, the file of the second stays
    assert names(folder) == [f"{run}-2.csv"]
    assert stored_file(scope, run, folder)[0] is FileState.UNCHANGED


def test_a_worker_that_gives_signs_keeps_its_run(scope, clock):
    asked_for(scope)
    held = taken("busy")
    for done in range(5):
        clock.forward(seconds=20)
        assert beat(_at(scope, clock), held, done, 10)
        assert taken("second") is None
    assert (row(held.run).lines_done, row(held.run).lines_expected) == (4, 10)


def test_the_heartbeat_does_not_wait_for_the_reading(scope, numbers, clock, folder):
    numbers.count = 450
    asked_for(scope)
    held = taken()
    seen = []

    def look(number):
        if number == 401:
            holder = Holder(_at(scope, clock), held, clock, lambda: False, done=400, expected=450)
            holder.beat()
            with db.engine.connect() as other:
                seen.append(other.execute(sa.text("select lines_done from report_run")).scalar())

    numbers.before = look
    assert made(held, folder) is Outcome.MADE
    assert seen == [400]


def test_what_kills_its_worker_every_time_fails_in_the_end(scope, clock):
    run = asked_for(scope)
    for _ in range(MOST_ATTEMPTS):
        assert taken() is not None
        clock.forward(minutes=1)
    assert taken() is None
    assert row(run).failure == NEVER_DONE
    assert db.session.query(AuditEvent).filter_by(action="report_run.failed").one().clinic_id == scope.clinic_id


def test_a_worker_that_is_to_stop_gives_its_run_back(scope, folder):
    run = asked_for(scope)
    assert made(taken(), folder, stopping=lambda: True) is Outcome.STOPPED
    assert names(folder) == []
    assert row(run).attempts == 0
    assert made(taken("next"), folder) is Outcome.MADE


def test_cancelled_in_the_middle_nothing_stays(scope, numbers, folder, clock):
    numbers.count = 1000
    run = asked_for(scope)
    held = taken()
    holders = []

    def between(number):
        if number == 300:
            with db.engine.connect().execution_options(sqlite_begin="IMMEDIATE") as other, other.begin():
                other.execute(sa.update(ReportRun).values(cancelled_at=scope.now, cancelled_by_id=scope.user_id))
        if number == 350:
            holders[0].beat()

    numbers.before = between
    usual = Holder.__enter__

    def entered(self):
        holders.append(self)
        return usual(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Holder, "__enter__", entered)
        assert made(held, folder) is Outcome.LOST
    assert names(folder) == []
    assert row(run).finished_at is None
    assert row(run).lines_done < 1000


def test_cancelling_before_and_after(scope, folder):
    waiting, done = asked_for(scope, token="a"), asked_for(scope, token="b")
    cancel(scope, waiting)
    assert row(waiting).cancelled_by_id == scope.user_id
    held = taken()
    assert held.run == done
    made(held, folder)
    for ended in (waiting, done):
        with pytest.raises(RuleViolation, match="has ended"):
            cancel(scope, ended)


def test_a_report_that_cannot_be_made_says_why_and_nothing_of_patients(scope, numbers, folder):
    def broken(_number):
        raise ValueError("Ibsen, Nora")

    numbers.before = broken
    run = asked_for(scope)
    assert made(taken(), folder) is Outcome.FAILED
    assert row(run).failure == BROKEN
    assert names(folder) == []


def test_a_refused_rule_is_told_in_its_words(scope, numbers, folder):
    def refused(_number):
        raise RuleViolation("x", None, "There is no such prescriber.")

    numbers.before = refused
    run = asked_for(scope)
    made(taken(), folder)
    assert row(run).failure == "There is no such prescriber."


def test_a_folder_that_cannot_be_written_fails_the_run_alone(scope, tmp_path):
    run = asked_for(scope)
    (tmp_path / "file").write_text("")
    assert made(taken(), tmp_path / "file") is Outcome.FAILED
    assert "could not be written" in row(run).failure


def test_made_again_it_has_the_same_bytes_on_another_day(scope, scope_for, cast, clock, folder):
    first = asked_for(scope)
    made(taken(), folder)
    clock.forward(days=40)
    again = ask_again(scope_for(cast.auditor), first)
    made(taken(), folder)
    assert row(again).repeats_id == row(first).id
    assert row(again).made_by == "Ana Dow"
    assert row(again).sha256 == row(first).sha256
    third = ask_again(scope_for(cast.auditor), again)
    assert row(third).repeats_id == row(first).id


@pytest.mark.parametrize("form", ["csv", "json", "xlsx", "pdf"])
def test_every_format_can_be_made_again(scope, scope_for, cast, clock, folder, form):
    first = asked_for(scope, form=form)
    made(taken(), folder)
    clock.forward(days=1, hours=3)
    again = ask_again(scope_for(cast.neurologist), first)
    made(taken(), folder)
    assert row(again).sha256 == row(first).sha256


def test_other_lines_give_another_checksum(scope, numbers, folder):
    first = asked_for(scope)
    made(taken(), folder)
    numbers.count = 4
    again = ask_again(scope, first)
    made(taken(), folder)
    assert row(again).checksum != row(first).checksum


def test_what_was_never_made_cannot_be_made_again(scope):
    with pytest.raises(RuleViolation, match="never made"):
        ask_again(scope, asked_for(scope))


def test_a_changed_a_missing_and_a_removed_file_are_told_apart(scope, folder, clock):
    run = asked_for(scope)
    assert stored_file(scope, run, folder)[0] is FileState.NOT_MADE
    made(taken(), folder)
    _, path = stored_file(scope, run, folder)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"1", b"7"))
    assert stored_file(scope, run, folder)[0] is FileState.CHANGED
    path.unlink()
    assert stored_file(scope, run, folder)[0] is FileState.MISSING
    path.write_bytes(content)
    clock.forward(days=31)
    assert prune(_at(scope, clock), folder) == 1
    assert stored_file(scope, run, folder)[0] is FileState.REMOVED


def test_files_go_when_their_time_is_over_and_rows_stay(scope, folder, clock):
    run = asked_for(scope)
    made(taken(), folder)
    clock.forward(days=29)
    assert prune(_at(scope, clock), folder) == 0
    clock.forward(days=1)
    assert prune(_at(scope, clock), folder) == 1
    assert names(folder) == []
    assert row(run).removed_at == clock.now
    assert row(run).sha256 is not None
    assert prune(_at(scope, clock), folder) == 0


def test_what_crashed_workers_left_is_removed_and_nothing_else(scope, folder, clock):
    run = asked_for(scope)
    taken("dead")
    folder.mkdir()
    unknown = uuid.uuid4()
    left = (f"{run}-1.csv.part", f"{run}-9.csv", f"{unknown}-1.csv.part", f"{unknown}-1.csv", "notes.txt")
    for name in left:
        (folder / name).write_text("x")
    assert prune(scope, folder) == 2  # another attempt's, and an unfinished one of nobody
    assert names(folder) == sorted([f"{run}-1.csv.part", f"{unknown}-1.csv", "notes.txt"])
    clock.forward(minutes=1)
    taken("second")
    assert prune(scope, folder) == 1
    assert f"{run}-1.csv.part" not in names(folder)


def test_another_clinic_does_not_see_it(scope, scope_for, cast):
    run = asked_for(scope)
    for act in (cancel, ask_again, note_taken, is_small):
        with pytest.raises(NotFound):
            act(scope_for(cast.stranger_neurologist), run)


def test_who_may_not_see_reports_may_not_have_them(scope, scope_for, cast):
    staff = scope_for(cast.staff)
    run = asked_for(scope)
    with pytest.raises(PermissionDenied):
        asked_for(staff)
    for act in (cancel, ask_again, note_taken):
        with pytest.raises(PermissionDenied):
            act(staff, run)


def test_parameters_that_make_no_sense_are_refused(scope):
    with pytest.raises(NotFound):
        asked_for(scope, name="nothing")
    with pytest.raises(RuleViolation, match="must not end before"):
        asked_for(scope, from_="2026-01-10", to="2026-01-01")
    with pytest.raises(RuleViolation, match="takes no parameter color"):
        asked_for(scope, color="red")


def test_not_more_wait_than_can_be_made(scope):
    for _ in range(MOST_WAITING):
        asked_for(scope)
    with pytest.raises(RuleViolation, match="wait to be made"):
        asked_for(scope)


def test_a_digest_is_read_as_programs_print_it():
    digest = "ab" * 32
    assert read_digest(None, f" {digest.upper()}  report.csv\n") == digest
    with pytest.raises(RuleViolation, match="64 characters"):
        read_digest(None, "abc")


@pytest.mark.parametrize(
    "broken",
    [
        {"finished_at": True},
        {"failed_at": True},
        {"cancelled_at": True},
        {"removed_at": True},
        {"claimed_by": "x"},
        {"due_on": True},
        {"format": "doc"},
    ],
    ids=lambda one: next(iter(one)),
)
def test_the_table_refuses_half_a_state(scope, broken):
    asked_for(scope)
    values = {
        name: (scope.today if name == "due_on" else scope.now) if value is True else value
        for name, value in broken.items()
    }
    with pytest.raises(IntegrityError):
        db.session.execute(sa.update(ReportRun).values(**values))
    db.session.rollback()


def test_small_clinics_do_not_wait(scope, numbers):
    assert is_small(scope, asked_for(scope))
    numbers.count = 5000
    assert not is_small(scope, asked_for(scope))

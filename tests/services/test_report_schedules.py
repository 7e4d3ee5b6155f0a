"""Reports that come by themselves: due once, about the right period, announced to who may have them."""

import socketserver
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from flask import url_for

from clinic_tracker.cli.report_worker import send_letters
from clinic_tracker.domain.errors import NotFound, RuleViolation, StaleVersion
from clinic_tracker.domain.reporting.formats import ReportFormat
from clinic_tracker.domain.reporting.rhythm import RelativePeriod, Rhythm
from clinic_tracker.models.access import Membership, User
from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.reporting import ReportDelivery, ReportRun
from clinic_tracker.queries.report_runs import schedule_row, schedule_rows
from clinic_tracker.queries.scope import PermissionDenied
from clinic_tracker.services.report_letters import NOT_ALLOWED, TOO_LATE, WAITS
from clinic_tracker.services.report_schedules import (
    MOST_MISSED,
    Plan,
    add_schedule,
    change_schedule,
    end_schedule,
    make_due,
)
from tests.made_reports import Numbers, asked_for, made, taken


@pytest.fixture(autouse=True)
def numbers(monkeypatch) -> Numbers:
    return Numbers().put_in(monkeypatch)


@pytest.fixture
def scope(scope_for, cast):
    return scope_for(cast.administrator)


def plan(**values):
    usual = {
        "name": "numbers",
        "parameters": {},
        "period": RelativePeriod.LAST_MONTH,
        "form": ReportFormat.CSV,
        "rhythm": Rhythm(month_day=1),
    }
    return Plan(**{**usual, **values})


def due_now(scope, clock):
    """Ask for what is due at this moment; the due dates of all runs."""
    make_due(replace(scope, now=clock.now, clinic_id=0))
    return due_dates()


def due_dates():
    db.session.rollback()
    return [str(day) for day in db.session.scalars(sa.select(ReportRun.due_on).order_by(ReportRun.due_on))]


def public_ids(*people):
    keys = [person.user_id for person in people]
    return list(db.session.scalars(sa.select(User.public_id).where(User.id.in_(keys))))


def test_it_is_due_once_in_each_period(scope, clock):
    add_schedule(scope, plan())
    assert due_now(scope, clock) == []
    clock.set("2026-02-01 04:59")
    assert due_now(scope, clock) == []
    clock.set("2026-02-01 05:00")
    assert due_now(scope, clock) == ["2026-02-01"]
    clock.set("2026-02-28 23:00")
    assert due_now(scope, clock) == ["2026-02-01"]
    clock.set("2026-03-01 05:00")
    assert due_now(scope, clock) == ["2026-02-01", "2026-03-01"]
    run = db.session.query(ReportRun).filter_by(due_on=date(2026, 3, 1)).one()
    assert (run.parameters["from"], run.parameters["to"], run.parameters["as_of"]) == (
        "2026-02-01",
        "2026-02-28",
        "2026-03-01",
    )
    assert run.parameters["known_at"] == clock.now.isoformat()
    assert run.made_by == "the schedule of Ana Dow"


def test_weekly_across_the_nights_when_the_clocks_change(scope, clock):
    clock.set("2026-03-02 12:00")
    add_schedule(replace(scope, now=clock.now), plan(rhythm=Rhythm(weekday=7), period=RelativePeriod.LAST_WEEK))
    for moment in ("2026-03-08 01:59", "2026-03-08 03:01", "2026-03-08 05:00", "2026-03-08 23:59", "2026-03-14 12:00"):
        clock.set(moment)
        due_now(scope, clock)
    assert due_dates() == ["2026-03-08"]
    clock.set("2026-11-01 05:00")
    due_now(scope, clock)
    clock.forward(hours=23)
    due_now(scope, clock)
    assert due_dates().count("2026-11-01") == 1


def test_the_31st_is_the_last_day_of_every_month_and_of_february(scope, clock):
    add_schedule(scope, plan(rhythm=Rhythm(month_day=31)))
    clock.set("2028-03-01 06:00")
    dates = due_now(scope, clock)
    assert dates[-2:] == ["2028-01-31", "2028-02-29"]
    assert len(dates) == MOST_MISSED


def test_what_was_missed_is_made_up_for(scope, clock):
    add_schedule(scope, plan(rhythm=Rhythm(month_day=15)))
    clock.set("2026-05-20 12:00")
    assert due_now(scope, clock) == ["2026-02-15", "2026-03-15", "2026-04-15", "2026-05-15"]


def test_two_workers_ask_for_it_once(app, scope, clock):
    add_schedule(scope, plan())
    clock.set("2026-02-01 05:00")
    system = replace(scope, now=clock.now, clinic_id=0)
    db.session.remove()

    def attempt(_number):
        with app.app_context():
            return make_due(system)

    with ThreadPoolExecutor(4) as pool:
        asked = sum(pool.map(attempt, range(4)))
    assert asked == 1
    assert due_dates() == ["2026-02-01"]


def test_the_table_takes_a_due_date_once(scope, clock):
    add_schedule(scope, plan())
    clock.set("2026-02-01 05:00")
    due_now(scope, clock)
    values = {
        column.name: getattr(db.session.query(ReportRun).one(), column.name)
        for column in ReportRun.__table__.columns
        if column.name not in {"id", "public_id"}
    }
    with pytest.raises(sa.exc.IntegrityError):
        db.session.execute(sa.insert(ReportRun).values(**values))
    db.session.rollback()


def test_each_clinic_has_its_own_morning(scope, scope_for, cast, clock):
    add_schedule(scope, plan())
    add_schedule(scope_for(cast.stranger_neurologist), plan())
    clock.set("2026-02-01 05:30")  # 4:30 in Chicago
    assert due_now(scope, clock) == ["2026-02-01"]
    clock.forward(minutes=30)
    assert due_now(scope, clock) == ["2026-02-01", "2026-02-01"]


def test_the_same_form_sent_twice_adds_one(scope):
    assert add_schedule(scope, plan(), "t") == add_schedule(scope, plan(), "t")


def test_changed_and_ended(scope, clock):
    key = add_schedule(scope, plan())
    version = schedule_row(scope, key).row.version
    change_schedule(scope, key, plan(rhythm=Rhythm(weekday=5), form=ReportFormat.JSON), version)
    found = schedule_row(scope, key)
    assert (found.row.weekday, found.row.month_day, found.row.format) == (5, None, "json")
    assert found.next_due_on == date(2026, 1, 23)
    with pytest.raises(StaleVersion):
        change_schedule(scope, key, plan(), version)
    end_schedule(scope, key)
    assert schedule_row(scope, key).next_due_on is None
    clock.forward(days=60)
    assert due_now(scope, clock) == []
    for act in (lambda: end_schedule(scope, key), lambda: change_schedule(scope, key, plan())):
        with pytest.raises(RuleViolation, match="has ended"):
            act()
    told = list(db.session.scalars(sa.select(AuditEvent.action).order_by(AuditEvent.id)))
    assert told == ["report_schedule.added", "report_schedule.changed", "report_schedule.ended"]


def test_who_may_set_it_up(scope, scope_for, cast):
    add_schedule(scope_for(cast.neurologist), plan())
    for person in (cast.staff, cast.auditor):
        with pytest.raises(PermissionDenied):
            add_schedule(scope_for(person), plan())
    key = add_schedule(scope, plan())
    stranger = scope_for(cast.stranger_neurologist)
    for act in (lambda: end_schedule(stranger, key), lambda: schedule_row(stranger, key)):
        with pytest.raises(NotFound):
            act()
    assert schedule_rows(stranger) == []


@pytest.mark.parametrize("name", ["from", "to", "as_of", "known_at"])
def test_a_schedule_has_no_fixed_dates(scope, name):
    with pytest.raises(RuleViolation, match="no fixed dates"):
        add_schedule(scope, plan(parameters={name: "2026-01-01"}))


def test_only_who_may_have_the_report_can_be_told(scope, cast):
    for person in (cast.staff, cast.stranger_neurologist):
        with pytest.raises(RuleViolation, match="Choose people of this clinic"):
            add_schedule(scope, plan(recipients=public_ids(person)))


class Post(socketserver.StreamRequestHandler):
    """A mail server that takes every letter, or refuses as often as it is told to."""

    def handle(self):
        self.wfile.write(b"220 here\r\n")
        letter = []
        while line := self.rfile.readline():
            word = line[:4].upper()
            if word == b"DATA" and self.server.refusals > 0:
                self.server.refusals -= 1
                self.wfile.write(b"451 later\r\n")
            elif word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                while (text := self.rfile.readline()) != b".\r\n":
                    letter.append(text.decode())
                self.server.letters.append("".join(letter))
                self.wfile.write(b"250 taken\r\n")
            elif word == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250 ok\r\n")


@pytest.fixture
def post(app, monkeypatch):
    """The mail server of the application under test."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Post) as server:
        server.letters, server.refusals, server.daemon_threads = [], 0, True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        monkeypatch.setitem(app.config, "MAIL_URL", f"smtp://127.0.0.1:{server.server_address[1]}")
        monkeypatch.setitem(app.config, "MAIL_FROM", "tracker@northside.example")
        monkeypatch.setitem(app.config, "PUBLIC_URL", "https://tracker.example")
        yield server
        server.shutdown()


@pytest.fixture
def arrived(scope, cast, clock, tmp_path):
    """A report of February 1 that was made for the neurologist and the auditor; its run."""
    add_schedule(scope, plan(recipients=public_ids(cast.neurologist, cast.auditor)))
    clock.set("2026-02-01 05:00")
    due_now(scope, clock)
    made(taken(), tmp_path)
    db.session.rollback()
    return db.session.query(ReportRun).one()


def test_recipients_get_a_link_and_nothing_else(app, arrived, post, cast):
    assert send_letters() == 2
    assert send_letters() == 0
    to = sorted(line for letter in post.letters for line in letter.splitlines() if line.startswith("To: "))
    assert to == [f"To: {cast.auditor.email}", f"To: {cast.neurologist.email}"]
    letter = post.letters[0]
    assert "Subject: Northside MS Center: a report is ready" in letter
    assert f"https://tracker.example/reports/files/{arrived.public_id}" in letter
    assert 'The report "Numbers" of Northside MS Center, due on 01-Feb-2026' in letter
    assert "attachment" not in letter.lower()
    with app.test_request_context():
        assert url_for("report_files.run", run=arrived.public_id) == f"/reports/files/{arrived.public_id}"


def test_somebody_who_left_or_lost_the_role_gets_nothing(arrived, post, cast, clock):
    db.session.execute(
        sa.update(Membership).where(Membership.user_id == cast.neurologist.user_id).values(ended_on=clock.today)
    )
    db.session.execute(sa.update(Membership).where(Membership.user_id == cast.auditor.user_id).values(role="staff"))
    db.session.commit()
    assert send_letters() == 0
    assert post.letters == []
    db.session.rollback()
    assert [row.last_error for row in db.session.query(ReportDelivery)] == [NOT_ALLOWED] * 2


def test_an_account_that_was_closed_gets_nothing(arrived, post, cast):
    db.session.execute(sa.update(User).where(User.id == cast.auditor.user_id).values(is_active=False))
    db.session.commit()
    assert send_letters() == 1


def test_a_letter_that_is_refused_is_tried_again_with_growing_waits(arrived, post, clock):
    post.refusals = 2
    assert send_letters() == 0
    db.session.rollback()
    assert {row.last_error for row in db.session.query(ReportDelivery)} == {"The mail server refused the letter (451)."}
    clock.forward(seconds=59)
    assert send_letters() == 0
    post.refusals = 2
    clock.forward(seconds=1)
    assert send_letters() == 0
    clock.forward(minutes=4, seconds=59)
    assert send_letters() == 0
    clock.forward(seconds=1)
    assert send_letters() == 2


def test_a_mail_server_that_does_not_answer_is_given_up_in_the_end(app, arrived, clock, monkeypatch):
    monkeypatch.setitem(app.config, "MAIL_URL", "smtp://127.0.0.1:1")
    monkeypatch.setitem(app.config, "MAIL_FROM", "tracker@northside.example")
    for wait in (*WAITS, timedelta(0)):
        assert send_letters() == 0
        clock.forward(seconds=wait.total_seconds())
    db.session.rollback()
    for row in db.session.query(ReportDelivery):
        assert row.attempts == len(WAITS) + 1
        assert row.given_up_at is not None
        assert "cannot be reached" in row.last_error
    assert db.session.query(AuditEvent).filter_by(action="report_delivery.given_up").count() == 2


def test_two_workers_send_each_letter_once(app, arrived, post):
    db.session.remove()

    def attempt(_number):
        with app.app_context():
            return send_letters()

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(attempt, range(3))) == 2
    assert len(post.letters) == 2


def test_without_a_mail_server_nothing_is_tried_and_nothing_is_sent_late(app, arrived, clock, monkeypatch, request):
    assert send_letters() == 0
    db.session.rollback()
    assert {row.attempts for row in db.session.query(ReportDelivery)} == {0}
    clock.forward(days=31)
    post = request.getfixturevalue("post")
    assert send_letters() == 0
    assert post.letters == []
    db.session.rollback()
    assert {row.last_error for row in db.session.query(ReportDelivery)} == {TOO_LATE}


def test_who_asked_by_hand_is_sent_nothing(scope, post, tmp_path):
    asked_for(scope)
    made(taken(), tmp_path)
    assert send_letters() == 0

"""``flask reports``: the worker that makes files of reports, asks for what is due, tells of it, and tidies up."""

import logging
import os
import signal
import socket
import uuid
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from threading import Event
from time import monotonic

import click
from flask import current_app
from sqlalchemy.exc import DBAPIError

from clinic_tracker.cli.support import PlainGroup, clinic_scope, plain_errors, system_scope
from clinic_tracker.domain.local_time import local_date, show_date
from clinic_tracker.exports.stored_reports import Outcome, make_held
from clinic_tracker.integrations.mail import MailServer, NotSent
from clinic_tracker.models.base import db
from clinic_tracker.services.report_claims import claim
from clinic_tracker.services.report_files import prune
from clinic_tracker.services.report_letters import Announcement, next_announcement, note_not_sent, note_sent
from clinic_tracker.services.report_schedules import make_due

ACTOR = "report worker"
LOOK_SECONDS = 1.0
MINUTE = 60.0
AFTER_TROUBLE_SECONDS = 5.0
group = PlainGroup("reports", help="Make the files of reports that were asked for or are due.")
log = logging.getLogger(__name__)


@group.command("work")
@click.option("--once", is_flag=True, help="Do what there is to do, and end.")
@click.option("--parent", type=int, help="Process that starts this one: end when it has ended.")
def work(*, once: bool, parent: int | None) -> None:
    """Make files of reports as they are asked for, until told to stop; ask every minute for what is due.

    Any number of workers may run beside each other. One that is killed leaves nothing half done: another takes over.

    Example: flask reports work
    """
    stop = Event()

    def stopping() -> bool:
        return stop.is_set() or (parent is not None and os.getppid() != parent)

    if not once:
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, lambda *_: stop.set())
    worker = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
    with plain_errors():
        if once:
            every_minute()
            while make_next(worker, stopping):
                pass
            send_letters()
        else:
            _work(worker, stop, stopping)


@group.command("due")
def due() -> None:
    """Ask for the files of all schedules that are due by now, in every clinic. Twice asks for nothing twice."""
    with plain_errors():
        click.echo(f"{make_due(system_scope(ACTOR))} asked for")


@group.command("prune")
def prune_files() -> None:
    """Remove the files whose time is over, and what killed workers left behind. Their rows stay."""
    with plain_errors():
        click.echo(f"{prune(system_scope(ACTOR), folder())} removed")


def folder() -> Path:
    """Where the files lie."""
    path: Path = current_app.config["REPORTS_FOLDER"]
    return path


def make_next(worker: str, stopping: Callable[[], bool] = lambda: False) -> Outcome | None:
    """Take the next run and make its file; None if there is none, or the worker is to stop."""
    with current_app.app_context():  # a session of its own, so that nothing is remembered from file to file
        held = None if stopping() else claim(system_scope(ACTOR), worker)
        if held is None:
            return None
        clock: Callable[[], datetime] = current_app.extensions["clock"]
        keep = current_app.config["REPORTS_KEPT"]
        scope = clinic_scope(held.clinic_slug, ACTOR)
        outcome = make_held(scope, held, folder(), keep=keep, clock=clock, stopping=stopping)
        log.info("Report %s: %s", held.run, outcome)
        return outcome


def every_minute() -> None:
    """What the clock asks for: files that are due, and files whose time is over."""
    with current_app.app_context():
        make_due(system_scope(ACTOR))
        prune(system_scope(ACTOR), folder())


def send_letters() -> int:
    """Tell recipients what is there; how many letters were sent. Nothing is tried where no mail server is set."""
    config = current_app.config
    if not config["MAIL_URL"]:
        return 0
    server, sent = MailServer.from_url(config["MAIL_URL"], config["MAIL_FROM"]), 0
    while True:
        with current_app.app_context():
            letter = next_announcement(system_scope(ACTOR))
            if letter is None:
                return sent
            try:
                server.send(letter.address, *written(letter, config["PUBLIC_URL"]))
            except NotSent as error:
                note_not_sent(system_scope(ACTOR), letter, str(error))
            else:
                note_sent(system_scope(ACTOR), letter)
                sent += 1


def written(letter: Announcement, public_url: str) -> tuple[str, str]:
    """Subject and text: the clinic, the kind of report, its due date and a link. Nothing that is in the report."""
    kept = show_date(local_date(letter.expires_at, letter.time_zone))
    text = f"""The report "{letter.title}" of {letter.clinic}, due on {show_date(letter.due_on)}, is ready.

Sign in to see it:
{public_url}/reports/files/{letter.run}

The file is kept until {kept}. You get this letter because somebody of your clinic set up this report for you.
"""
    return f"{letter.clinic}: a report is ready", text


def _work(worker: str, stop: Event, stopping: Callable[[], bool]) -> None:
    """Look for work until told to stop. Trouble with the database or the disk is waited out."""
    next_minute = 0.0
    while not stopping():
        try:
            if monotonic() >= next_minute:
                next_minute = monotonic() + MINUTE  # before: trouble with it must not keep files from being made
                every_minute()
            while make_next(worker, stopping):
                pass
            send_letters()
            stop.wait(LOOK_SECONDS)
        except (DBAPIError, OSError) as error:
            db.session.rollback()
            trouble = error.orig if isinstance(error, DBAPIError) else error
            log.warning("Database or disk do not answer (%s); trying again", type(trouble).__name__)
            stop.wait(AFTER_TROUBLE_SECONDS)

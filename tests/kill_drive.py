"""Kill the importing process in the middle, replay, and compare what is there with an import that nobody disturbed.

``python -m tests.kill_drive --messages 10000`` does it with a large file on SQLite; the suite does it with a small one.
The process kills itself with SIGKILL at a named point: no handler, no clean-up, as when the power fails.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from clinic_tracker.models.base import db
from tests.kill_setting import application, prepared

ROOT = Path(__file__).resolve().parents[1]
POINTS = ("stored", "before_chunk", "in_chunk", "rows_written", "before_commit", "between_chunks", "before_finish")
USUAL = 500
COMPARED = ("inbound_result", "lab_report", "lab_value", "obligation", "standing", "audit_event")
SCRIPT = """
import sys
from tests.kill_drive import armed
armed(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
from flask.cli import main
sys.argv = ["flask", *sys.argv[4:]]
main()
"""


def armed(point: str, nth: int, at_once: int) -> None:
    """Arrange that this process, which takes so many messages in a transaction, dies at the nth passage of a point."""
    from clinic_tracker.integrations import inbox  # noqa: PLC0415 - in the process that is to die
    from clinic_tracker.services import inbound_chunk, inbound_ingest, inbound_rows, unit_of_work  # noqa: PLC0415

    left = [nth]
    for taking in (inbox.receive, inbox.go_on):
        taking.__kwdefaults__["at_once"] = at_once

    def die() -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def before(owner: Any, name: str) -> None:
        usual = getattr(owner, name)
        setattr(owner, name, lambda *args, **more: (die(), usual(*args, **more))[1])

    def after(owner: Any, name: str) -> None:
        usual = getattr(owner, name)
        setattr(owner, name, lambda *args, **more: (usual(*args, **more), die())[0])

    places: dict[str, Any] = {
        "stored": lambda: before(inbox, "ingest"),
        "before_chunk": lambda: before(inbound_chunk.Chunk, "take"),
        "in_chunk": lambda: before(inbound_chunk.Chunk, "_take_message"),
        "rows_written": lambda: after(inbound_rows.Rows, "flush"),
        "before_commit": lambda: after(unit_of_work.projection, "reproject_added"),
        "between_chunks": lambda: before(inbound_ingest, "unit_of_work"),
        "before_finish": lambda: before(inbox, "finish"),
    }
    places[point]()


def killed(database: str, folder: Path, point: str, nth: int, at_once: int, *arguments: str) -> int:
    """Run a command that dies at a point; its exit status, negative where it was killed."""
    env = {**os.environ, "DATABASE_URL": database, "INSTANCE_PATH": str(folder), "DEMO": "1", "FLASK_APP": "wsgi.py"}
    command = [sys.executable, "-c", SCRIPT, point, str(nth), str(at_once), *arguments]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    if done.returncode not in (0, -signal.SIGKILL):
        raise RuntimeError(done.stdout + done.stderr)
    return done.returncode


def contents(database: str) -> dict[str, list[tuple[Any, ...]]]:
    """What the tables of an import say, without the numbers and instants that differ from run to run."""
    engine = sa.create_engine(database)
    tables = sa.MetaData()
    tables.reflect(engine, only=[*COMPARED, "patient", "inbound_message"])
    found: dict[str, list[tuple[Any, ...]]] = {}
    with engine.connect() as connection:

        def rows(statement: Any) -> list[tuple[Any, ...]]:
            return sorted(tuple(map(str, row)) for row in connection.execute(statement))

        report, value, result = (tables.tables[name] for name in ("lab_report", "lab_value", "inbound_result"))
        found["reports"] = rows(
            sa.select(
                report.c.patient_id, report.c.external_id, report.c.state, report.c.is_complete, report.c.findings
            )
        )
        found["values"] = rows(
            sa.select(report.c.external_id, value.c.analyte, value.c.number).join_from(
                report, value, value.c.lab_report_id == report.c.id
            )
        )
        found["results"] = rows(sa.select(result.c.position, result.c.state, result.c.external_id))
        obligation = tables.tables["obligation"]
        found["done"] = rows(
            sa.select(
                obligation.c.patient_id, obligation.c.requirement, obligation.c.due_on, obligation.c.done_on
            ).where(obligation.c.done_on.is_not(None))
        )
        audit = tables.tables["audit_event"]
        found["audit"] = rows(sa.select(audit.c.action, audit.c.patient_id).where(audit.c.action.like("lab_report%")))
        message = tables.tables["inbound_message"]
        found["messages"] = rows(sa.select(message.c.state, message.c.done))
    engine.dispose()
    return found


def drive(
    filled: Path, file: Path, folder: Path, point: str, nth: int, at_once: int = USUAL
) -> tuple[int, dict[str, Any]]:
    """Import with a kill at a point, then replay and import again; the status of the killed one, and what is there."""
    copy = folder / f"{point}-{nth}.sqlite3"
    copy.write_bytes(filled.read_bytes())
    database = f"sqlite:///{copy}"
    importing = ("results", "import", str(file), "--clinic", "northside", "--channel", "City Lab")
    status = killed(database, folder, point, nth, at_once, *importing)
    app = application(database, folder)
    for arguments in (("results", "replay"), importing, ("schedule", "check")):
        done = app.test_cli_runner().invoke(args=list(arguments))
        if done.exit_code != 0:
            raise RuntimeError(done.output)
    with app.app_context():
        db.engine.dispose()
    return status, contents(database)


def passage(point: str, messages: int, at_once: int = USUAL) -> int:
    """At which passage of a point to die, so that it is in the middle of the file."""
    chunks = (messages + at_once - 1) // at_once
    match point:
        case "stored" | "before_finish":
            return 1
        case "in_chunk":
            return messages // 2
        case "between_chunks" | "before_commit":
            return chunks // 2 + 2  # adding the source and keeping the message are units of work too
        case _:
            return chunks // 2 + 1


def main() -> int:
    """Drive a large file through every point; 1 if anything differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.kill_drive", description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        filled, file = prepared(folder, options.messages)
        _, undisturbed = drive(filled, file, folder, "before_finish", 1_000_000)
        good = True
        for point in POINTS:
            status, there = drive(filled, file, folder, point, passage(point, options.messages))
            same = there == undisturbed
            good &= same and status == -signal.SIGKILL
            print(f"{point:<14} killed: {status == -signal.SIGKILL}   the same afterwards: {same}")  # noqa: T201
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

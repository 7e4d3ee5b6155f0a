"""Kill the worker of reports at a named point: SIGKILL, no handler, no clean-up, as when the power fails."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from clinic_tracker.domain.reporting.columns import Column, Kind
from clinic_tracker.domain.reporting.definition import Definition, Line, Takes

ROOT = Path(__file__).resolve().parents[1]
POINTS = ("claimed", "in_lines", "written", "in_place", "noted")
NAME, LINES = "kill-drive", 1000
SCRIPT = """
import sys
from tests.report_kills import armed
armed(sys.argv[1])
from flask.cli import main
sys.argv = ["flask", "reports", "work", "--once"]
main()
"""


def provide() -> None:
    """Put a report of a thousand lines among the others."""
    from clinic_tracker.queries.reports.registry import REPORTS, Source  # noqa: PLC0415 - in the process that makes it

    column = Column("number", "Number", Kind.COUNT, "A number, counted from one.")
    definition = Definition(NAME, "Kill drive", "Which numbers are there?", (column,), frozenset({Takes.AS_OF}))
    REPORTS[NAME] = Source(definition, lambda *_: (Line((number,)) for number in range(LINES)))


def armed(point: str) -> None:
    """Arrange that this process dies at a point of making a file; at none for another word."""
    from clinic_tracker.exports import stored_reports  # noqa: PLC0415 - in the process that is to die

    provide()

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def before(owner: Any, name: str) -> None:
        usual = getattr(owner, name)
        setattr(owner, name, lambda *args, **more: (die(), usual(*args, **more))[1])

    def after(owner: Any, name: str) -> None:
        usual = getattr(owner, name)
        setattr(owner, name, lambda *args, **more: (usual(*args, **more), die())[0])

    def in_lines() -> None:
        usual = stored_reports.Holder.watch

        def watch(self: Any, done: int, expected: int | None) -> None:
            if done >= LINES // 2:
                die()
            usual(self, done, expected)

        stored_reports.Holder.watch = watch  # type: ignore[method-assign]

    places: dict[str, Any] = {
        "claimed": lambda: before(stored_reports, "make_file"),
        "in_lines": in_lines,
        "written": lambda: before(stored_reports, "put_in_place"),
        "in_place": lambda: after(stored_reports, "put_in_place"),
        "noted": lambda: after(stored_reports, "finish"),
    }
    places.get(point, lambda: None)()


def worked(database: str, folder: Path, point: str) -> int:
    """Run a worker that dies at a point; its exit status, negative where it was killed."""
    env = {**os.environ, "DATABASE_URL": database, "INSTANCE_PATH": str(folder), "DEMO": "1", "FLASK_APP": "wsgi.py"}
    done = subprocess.run([sys.executable, "-c", SCRIPT, point], cwd=ROOT, env=env, capture_output=True, check=False)
    if done.returncode not in (0, -signal.SIGKILL):
        raise RuntimeError(done.stdout + done.stderr)
    return done.returncode

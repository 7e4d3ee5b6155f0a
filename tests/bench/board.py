"""What a screen that asks again and again costs, and whether a hundred of them leave room to work.

First the cost of one question that is answered with 304, in processor time of the server, against a bare page: a table
of fifty rows without a database and without a session. Rounds of both alternate. Then the drive: nurses record vital
signs, alone and with a hundred boards asking every 5 to 15 seconds, on the server that `run.py serve` starts.
Afterwards every record that was acknowledged must be in the database. `--database postgresql` needs its programs.
"""

import argparse
import statistics
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import monotonic, sleep

from flask import Flask

from tests.bench._suite import Browser, Running, Server, make_suite
from tests.fixtures.postgres import Cluster
from tests.fixtures.tools import find_postgres

NURSES, SCREENS = 20, 100
ROUNDS, QUESTIONS = 7, 300
TARGET_RATIO = 1.0
BOARD = "/infusions/board"

bare = Flask("bare")
_ROW = "<tr><td>{{ row[0] }}</td><td>{{ row[1] }}</td><td>{{ row[2] }}</td><td>{{ row[3] }}</td></tr>"
_TABLE = bare.jinja_env.from_string("<table>{% for row in rows %}" + _ROW + "{% endfor %}</table>")


@bare.get("/page")
def page() -> str:
    """Fifty rows of four words."""
    return _TABLE.render(rows=[(f"NAME, {number}", f"10{number}", "22-Jan-2026", "12 days") for number in range(50)])


@dataclass
class Tally:
    """What the threads of a drive have seen."""

    recorded: int = 0
    failures: list[str] = field(default_factory=list)
    recording: list[float] = field(default_factory=list)
    asking: list[float] = field(default_factory=list)
    answers: dict[int, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


def cost(app_server: Server, bare_server: Server, running: Running) -> tuple[float, float]:
    """Processor time of the servers for one question and for one bare page, in microseconds: medians of rounds."""
    screen, reader = running.browser(app_server.url, 0), Browser(bare_server.url)
    tag = screen.get(BOARD, {"X-Background": "1"}).headers["ETag"]
    headers = {"X-Background": "1", "If-None-Match": tag}

    def ask() -> None:
        status = screen.get(BOARD, headers).status
        assert status == 304, status

    def read() -> None:
        assert reader.get("/page").status == 200

    polls, pages = [], []
    for _ in range(ROUNDS):
        polls.append(app_server.microseconds(ask, QUESTIONS))
        pages.append(bare_server.microseconds(read, QUESTIONS))
    return statistics.median(polls), statistics.median(pages)


def nurse(running: Running, url: str, number: int, until: float, tally: Tally) -> None:
    """Open the form of one patient, record, think, again."""
    browser, random = running.browser(url, number), Random(number)  # noqa: S311 - not for secrets
    address = running.forms[number % len(running.forms)]
    while monotonic() < until:
        sleep(random.uniform(0.5, 2.5))
        form = browser.get(address)
        begun = monotonic()
        answer = browser.post(address, {**form.fields, "pulse": str(random.randint(60, 90))}, follow=False)
        took = monotonic() - begun
        with tally.lock:
            tally.recording.append(took)
            if (form.status, answer.status) == (200, 303):
                tally.recorded += 1
            else:
                tally.failures.append(f"form {form.status}, record {answer.status}")


def screen(running: Running, url: str, number: int, until: float, tally: Tally) -> None:
    """Ask for the board every 5 to 15 seconds with the tag of the last answer."""
    browser, random, tag = running.browser(url, NURSES + number), Random(number), ""  # noqa: S311 - not for secrets
    sleep(random.uniform(0, 10))
    while monotonic() < until:
        begun = monotonic()
        answer = browser.get(BOARD, {"X-Background": "1", **({"If-None-Match": tag} if tag else {})})
        took = monotonic() - begun
        tag = answer.headers.get("ETag", tag)
        with tally.lock:
            tally.asking.append(took)
            tally.answers[answer.status] = tally.answers.get(answer.status, 0) + 1
            if answer.status not in (200, 204, 304):
                tally.failures.append(f"board {answer.status}")
        sleep(random.uniform(5, 15))


def drive(running: Running, url: str, seconds: float, screens: int) -> Tally:
    """Let everybody work for so long."""
    tally, until = Tally(), monotonic() + seconds
    jobs = [(nurse, number) for number in range(NURSES)] + [(screen, number) for number in range(screens)]
    threads = [threading.Thread(target=act, args=(running, url, number, until, tally)) for act, number in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return tally


def p95(values: list[float]) -> float:
    """In milliseconds."""
    return statistics.quantiles(values, n=20)[-1] * 1000 if len(values) > 1 else 0.0


def report(alone: Tally, crowded: Tally, stored: int) -> int:
    """Print the drive; how many of its promises are broken."""
    acknowledged = alone.recorded + crowded.recorded
    failures = alone.failures + crowded.failures
    print(f"{NURSES} nurses alone           {alone.recorded:6} sets recorded, p95 {p95(alone.recording):7.0f} ms")
    print(f"and {SCREENS} boards          {crowded.recorded:6} sets recorded, p95 {p95(crowded.recording):7.0f} ms")
    print(f"ratio                     {p95(crowded.recording) / max(p95(alone.recording), 0.001):6.2f}")
    print(f"boards                    {len(crowded.asking):6} questions, p95 {p95(crowded.asking):7.0f} ms")
    print(f"their answers             {dict(sorted(crowded.answers.items()))}")
    print(f"acknowledged and stored   {acknowledged:6} {stored:6}")
    print(f"failures                  {len(failures):6} {sorted(set(failures))}")
    return (stored != acknowledged) + bool(failures)


def main() -> int:
    """Print cost and drive; 1 if a write was lost, anything failed, or a question costs more than a bare page."""
    parser = argparse.ArgumentParser(prog="run.py bench board", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    options = parser.parse_args()
    cluster = None
    with tempfile.TemporaryDirectory() as folder:
        database = f"sqlite:///{folder}/board.sqlite3"
        if options.database == "postgresql":
            cluster = Cluster(find_postgres() or sys.exit("No PostgreSQL: apt install postgresql"))
            cluster.start()
            database = cluster.url("postgres")
        try:
            running = make_suite(Path(folder), database, NURSES, SCREENS)
            with Server("wsgi:app", running.environment) as app, Server("tests.bench.board:bare", {}) as plain:
                poll, whole = cost(app, plain, running)
                alone = drive(running, app.url, options.seconds / 3, 0)
                crowded = drive(running, app.url, options.seconds, SCREENS)
            stored = running.count()
        finally:
            if cluster is not None:
                cluster.stop()
    print(f"Database: {options.database}. Server: {Server.WORDS}.")
    print(f"a question without news   {poll:8.0f} microseconds of the server")
    print(f"a bare page               {whole:8.0f} microseconds")
    print(f"ratio                     {poll / whole:8.2f} (at most {TARGET_RATIO})")
    return 1 if report(alone, crowded, stored) or poll > TARGET_RATIO * whole else 0


if __name__ == "__main__":
    sys.exit(main())

"""A suite full of patients for the benchmark of the board, the server that serves it, and browsers without a window."""

import hashlib
import http.client
import os
import socket
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

from flask_migrate import upgrade

from clinic_tracker import create_app
from clinic_tracker.domain.permissions import ROLE_PERMISSIONS
from clinic_tracker.domain.vocabulary import Role
from clinic_tracker.models.access import UserSession
from clinic_tracker.models.base import db
from clinic_tracker.models.treatment import VitalSigns
from clinic_tracker.queries.scope import Scope, utc_now
from config import Config
from tests.fixtures.clock import Clock
from tests.fixtures.people import add_clinic, add_person, add_prescriber
from tests.treated import add_patient

ROOT = Path(__file__).resolve().parents[2]
SECRET = "only-for-benchmarks-Xq81hVn3LwPz07Ty"
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: Any
    text: str

    @property
    def fields(self) -> dict[str, str]:
        """What the form of the page would send as it stands."""
        parser = Fields()
        parser.feed(self.text)
        return parser.found


class Fields(HTMLParser):
    """The inputs of the main form."""

    def __init__(self) -> None:
        super().__init__()
        self.inside, self.found = False, dict[str, str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an input within the form."""
        known = dict(attrs)
        if tag == "form":
            self.inside = known.get("id") == "form"
        if self.inside and tag == "input" and known.get("name") and known.get("type") not in ("checkbox", "radio"):
            self.found[str(known["name"])] = known.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        """Leave the form."""
        if tag == "form":
            self.inside = False


class Browser:
    """One person's browser, or a screen; keeps its cookie."""

    def __init__(self, url: str, cookie: tuple[str, str] | None = None) -> None:
        self.connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=60)
        self.cookie = cookie

    def get(self, path: str, headers: dict[str, str] | None = None) -> Answer:
        """Ask for a page."""
        return self._ask("GET", path, None, headers or {})

    def post(self, path: str, values: dict[str, str], *, follow: bool = False) -> Answer:
        """Send a form."""
        sent = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = self._ask("POST", path, urllib.parse.urlencode(values), sent)
        return self.get(answer.headers["Location"]) if follow else answer

    def _ask(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> Answer:
        if self.cookie:
            headers = {**headers, "Cookie": "=".join(self.cookie)}
        try:
            response, text = self._exchange(method, path, body, headers)
        except OSError as error:
            self.connection.close()
            return Answer(599, {}, str(error))
        for value in response.headers.get_all("Set-Cookie") or []:
            name, _, rest = value.partition("=")
            if self.cookie and name == self.cookie[0]:
                self.cookie = (name, rest.split(";")[0])
        return Answer(response.status, response.headers, text)

    def _exchange(
        self, method: str, path: str, body: str | None, headers: dict[str, str]
    ) -> tuple[http.client.HTTPResponse, str]:
        """As browsers do: on the connection that is open, and on a new one where the server has closed that."""
        for fresh in (False, True):
            try:
                self.connection.request(method, path, body, headers)
                response = self.connection.getresponse()
                return response, response.read().decode()
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                self.connection.close()
                if fresh or method == "POST":
                    raise
        raise AssertionError


class Server:
    """An application on the server of `run.py serve`, on a free port, until the block ends."""

    WORDS = "gunicorn, 2 processes with 8 threads each"
    COMMAND = ("--worker-class=gthread", "--workers=2", "--threads=8", "--log-level=warning", "--no-control-socket")

    def __init__(self, application: str, environment: dict[str, str]) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url, self.application, self.environment = f"http://127.0.0.1:{self.port}", application, environment

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "gunicorn", f"--bind=127.0.0.1:{self.port}", *self.COMMAND, self.application]
        self.process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **self.environment})
        while Browser(self.url).get("/healthz").status == 599:
            assert self.process.poll() is None, "the server did not start"
            time.sleep(0.1)
        return self

    def __exit__(self, *_error: object) -> None:
        self.process.terminate()
        self.process.wait(timeout=20)

    def microseconds(self, act: Callable[[], None], times: int) -> float:
        """Processor time of the server's processes for one of so many acts."""
        before = self._ticks()
        for _ in range(times):
            act()
        return (self._ticks() - before) / CLOCK_TICKS / times * 1e6

    def _ticks(self) -> int:
        processes = [self.process.pid, *self._children()]
        fields = [Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split() for pid in processes]
        return sum(int(row[11]) + int(row[12]) for row in fields)

    def _children(self) -> list[int]:
        return [
            int(pid) for pid in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        ]


@dataclass
class Running:
    """The suite as it is, and who works there."""

    environment: dict[str, str]
    cookies: list[tuple[str, str]]
    app: Any
    before: int = 0
    forms: list[str] = field(default_factory=list)

    def browser(self, url: str, number: int) -> Browser:
        """The browser of a nurse or a screen."""
        return Browser(url, self.cookies[number])

    def count(self) -> int:
        """How many sets of vital signs were stored since the start."""
        with self.app.app_context():
            return db.session.query(VitalSigns).count() - self.before


def make_suite(folder: Path, database: str, nurses: int, screens: int) -> Running:
    """A clinic with as many nurses as running infusions, and a session for each nurse and screen."""
    environment = {
        "DATABASE_URL": database,
        "SECRET_KEY": SECRET,
        "INSTANCE_PATH": str(folder),
        "SECURE_COOKIES": "0",
        "DEMO": "1",
    }
    app = create_app(Config.from_environ({**environment}, serving=True))
    clock = Clock()
    clock.now = utc_now()
    with app.app_context():
        upgrade()
        clinic = add_clinic(clock, "northside", "Northside MS Center", "America/New_York")
        neurologist = add_person(clock, clinic, "Tomas Rey", Role.NEUROLOGIST)
        people = [add_person(clock, clinic, f"Nurse{number} Lee", Role.STAFF) for number in range(nurses)]
        cast = SimpleNamespace(
            staff=people[0], neurologist=neurologist, prescriber=add_prescriber(neurologist, "1003000126")
        )
        db.session.commit()
        cookies = [_cookie(app, clock, people[number % nurses], number) for number in range(nurses + screens)]
        running = Running(environment, cookies, app)
        for number in range(nurses):
            treated = add_patient(cast, _scope_for(clock), family_name=f"Patient{number}", birth_date=date(1984, 7, 14))
            treated.make_ready()
            treated.prepare()
            infusion = treated.start(chair=str(number + 1))
            running.forms.append(f"/patients/{treated.patient}/infusions/{infusion}/vitals")
        running.before = db.session.query(VitalSigns).count()
        db.session.remove()
    return running


def _cookie(app: Any, clock: Clock, person: Any, number: int) -> tuple[str, str]:
    token = f"session-{number}"
    hashed = hashlib.sha256(token.encode()).hexdigest()
    times = {"created_at": clock.now, "last_seen_at": clock.now}
    db.session.add(UserSession(token_hash=hashed, user_id=person.user_id, clinic_id=person.clinic.id, **times))
    db.session.commit()
    value = app.session_interface.get_signing_serializer(app).dumps({"_user_id": token, "_fresh": True})
    return app.config["SESSION_COOKIE_NAME"], value


def _scope_for(clock: Clock) -> Callable[..., Scope]:
    def build(person: Any) -> Scope:
        return Scope(
            clinic_id=person.clinic.id,
            clinic_slug=person.clinic.slug,
            clinic_name=person.clinic.name,
            time_zone=person.clinic.time_zone,
            protocol_id=person.clinic.protocol_id,
            role=person.role,
            actor_name=person.name,
            now=clock.now,
            user_id=person.user_id,
            permissions=ROLE_PERMISSIONS[person.role],
        )

    return build

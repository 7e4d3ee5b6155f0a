"""Settings of one installation, read once from the environment. Anything doubtful stops the start.

=====================  ====================================================================================
``DATABASE_URL``       default: SQLite in the instance folder
``SECRET_KEY``         signs sessions and forms, at least 32 characters; required outside demo and debug
``SECRET_KEY_FILE``    or a file that holds it
``DEMO``               ``1`` marks an installation for demonstration: nothing in it is real
``INSTANCE_PATH``      folder of this installation's own files, default ``instance`` beside this file
``SECURE_COOKIES``     ``0`` where the pages are served without TLS, as on one's own machine
``TRUSTED_PROXIES``    how many proxies in front set X-Forwarded-For and -Proto, default 0
``SESSION_IDLE_MINUTES``, ``SESSION_HOURS``   sign-out after idling (15) and at the latest (12)
``REPORT_DAYS``        how long files of reports are kept, default 30
``MAIL_URL``           mail server for letters about scheduled reports: ``smtp+starttls://user:password@host:587``,
                       ``smtps://…``, or ``smtp://…`` for one on this machine; without it nobody is told
``MAIL_FROM``          whose letters they are, required with MAIL_URL
``PUBLIC_URL``         address of this installation, for the links in letters, required with MAIL_URL
``FLASK_DEBUG``        Flask's own switch
=====================  ====================================================================================
"""

import contextlib
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parent
SHORTEST_SECRET = 32
PLACEHOLDERS = ("changeme", "changethis", "secretkey", "placeholder", "development", "insecure")
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL
YES = frozenset({"1", "true", "yes", "on"})
NO = frozenset({"", "0", "false", "no", "off"})
MAIL_SCHEMES = frozenset({"smtp", "smtp+starttls", "smtps"})
LOCAL = frozenset({"localhost", "127.0.0.1"})


class ConfigError(Exception):
    """A setting is missing or makes no sense. The text names it and what to do."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """What ``create_app`` needs to know. Build it by hand in tests, by ``from_environ`` elsewhere."""

    secret_key: str
    database_url: str
    instance_path: Path
    demo: bool = False
    debug: bool = False
    testing: bool = False
    secure_cookies: bool = True
    trusted_proxies: int = 0
    session_idle: timedelta = timedelta(minutes=15)
    session_lifetime: timedelta = timedelta(hours=12)
    reports_kept: timedelta = timedelta(days=30)
    mail_url: str | None = None
    mail_from: str = ""
    public_url: str = ""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] | None = None, *, serving: bool = True) -> Self:
        """Read the environment; raise ``ConfigError`` for whatever is missing or wrong.

        ``serving=False`` is for commands: they sign nothing, so where no secret is set they get a random one that
        dies with the process.
        """
        env = os.environ if environ is None else environ
        demo, debug = _flag(env, "DEMO"), _flag(env, "FLASK_DEBUG")
        instance = Path(env.get("INSTANCE_PATH") or ROOT / "instance").absolute()
        idle = _whole_number(env, "SESSION_IDLE_MINUTES", default=15, least=1)
        hours = _whole_number(env, "SESSION_HOURS", default=12, least=1)
        if idle > hours * 60:
            raise ConfigError("SESSION_IDLE_MINUTES is longer than SESSION_HOURS: set one of them to fit the other.")
        mail_url, mail_from, public_url = _mail(env)
        return cls(
            secret_key=_secret_key(env, instance, local=demo or debug, serving=serving),
            database_url=_database_url(env, instance),
            instance_path=instance,
            demo=demo,
            debug=debug,
            secure_cookies=_flag(env, "SECURE_COOKIES", default=not (demo or debug)),
            trusted_proxies=_whole_number(env, "TRUSTED_PROXIES", default=0, least=0),
            session_idle=timedelta(minutes=idle),
            session_lifetime=timedelta(hours=hours),
            reports_kept=timedelta(days=_whole_number(env, "REPORT_DAYS", default=30, least=1)),
            mail_url=mail_url,
            mail_from=mail_from,
            public_url=public_url,
        )


def local_secret_key(instance: Path) -> str:
    """Return the secret kept in ``instance/secret_key``, readable by its owner alone; make it on first use."""
    path = instance / "secret_key"
    instance.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError), os.fdopen(os.open(path, NEW_FILE, 0o600), "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(48))
    secret = path.read_text(encoding="ascii").strip()
    if not secret:
        raise ConfigError(f"{path} is empty: delete it, and the next start makes a new one.")
    return secret


def _secret_key(env: Mapping[str, str], instance: Path, *, local: bool, serving: bool) -> str:
    """Return the secret: as given, or of this machine in demo and debug, or for this process in a command."""
    given, file_name = env.get("SECRET_KEY", ""), env.get("SECRET_KEY_FILE", "")
    if given and file_name:
        raise ConfigError("Both SECRET_KEY and SECRET_KEY_FILE are set: keep one of them.")
    if file_name:
        try:
            given = Path(file_name).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"SECRET_KEY_FILE cannot be read: {file_name}.") from error
        if not given:
            raise ConfigError(f"SECRET_KEY_FILE is empty: {file_name}.")
    if given:
        if not local:
            _refuse_weak(given, "SECRET_KEY_FILE" if file_name else "SECRET_KEY")
        return given
    if local:
        return local_secret_key(instance)
    if not serving:
        return secrets.token_urlsafe(48)
    raise ConfigError(
        "SECRET_KEY is not set. Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(48))' "
        "and keep it in SECRET_KEY or in a file named by SECRET_KEY_FILE.",
    )


def _refuse_weak(secret: str, name: str) -> None:
    if len(secret) < SHORTEST_SECRET:
        raise ConfigError(f"{name} is too short: {len(secret)} characters, at least {SHORTEST_SECRET} are needed.")
    words = secret.lower().replace("-", "").replace("_", "")
    if len(set(secret)) < SHORTEST_SECRET // 4 or words.startswith(PLACEHOLDERS):
        raise ConfigError(f"{name} looks like a placeholder: use a random one.")


def _database_url(env: Mapping[str, str], instance: Path) -> str:
    """Return the address for SQLAlchemy; the short forms of PostgreSQL get their driver."""
    url = env.get("DATABASE_URL", "").strip()
    if not url:
        return f"sqlite:///{instance / 'clinic_tracker.sqlite3'}"
    scheme, mark, rest = url.partition("://")
    if not mark:
        raise ConfigError(
            "DATABASE_URL is not an address: write postgresql://user:password@host/name or sqlite:////path."
        )
    if scheme in {"postgres", "postgresql"}:
        return f"postgresql+psycopg://{rest}"
    if scheme in {"sqlite", "postgresql+psycopg"}:
        return url
    raise ConfigError(f"DATABASE_URL names {scheme}: only PostgreSQL and SQLite are supported.")


def _mail(env: Mapping[str, str]) -> tuple[str | None, str, str]:
    """Mail server, sender and public address; no server where none is set."""
    url, sender, public = (env.get(name, "").strip() for name in ("MAIL_URL", "MAIL_FROM", "PUBLIC_URL"))
    if public and not public.startswith(("https://", "http://")):
        raise ConfigError("PUBLIC_URL is not an address: write https://tracker.example.org.")
    if not url:
        return None, sender, public.rstrip("/")
    scheme, _, rest = url.partition("://")
    host = rest.rpartition("@")[2].partition(":")[0]
    if scheme not in MAIL_SCHEMES or not host:
        raise ConfigError("MAIL_URL is not an address: write smtp+starttls://user:password@host:587 or smtps://….")
    if scheme == "smtp" and ("@" in rest or host not in LOCAL):
        raise ConfigError("MAIL_URL sends in the clear: write smtp+starttls:// or smtps:// for a server elsewhere.")
    if "@" not in sender or any(mark in sender for mark in "\r\n <>"):
        raise ConfigError("MAIL_FROM is missing or no address: write whose letters they are, tracker@example.org.")
    if not public:
        raise ConfigError("PUBLIC_URL is not set: letters need it for their links, https://tracker.example.org.")
    return url, sender, public.rstrip("/")


def _flag(env: Mapping[str, str], name: str, *, default: bool = False) -> bool:
    if name not in env:
        return default
    value = env[name].strip().lower()
    if value in YES:
        return True
    if value in NO:
        return False
    raise ConfigError(f"{name} is {env[name]!r}: write 1 or 0.")


def _whole_number(env: Mapping[str, str], name: str, *, default: int, least: int) -> int:
    text = env.get(name, "").strip()
    if not text:
        return default
    if not text.isdecimal() or int(text) < least:
        raise ConfigError(f"{name} is {text!r}: write a whole number, {least} or more.")
    return int(text)

#!/usr/bin/env python3
"""Set up, serve, test and check Clinic Tracker with nothing but Python: `python3 run.py help` lists what it does.

The first start makes `.venv`, installs the locked packages, migrates the database of the instance folder, loads a
demonstration clinic and serves it. Later starts find all that done. Only the standard library is used here, and no
syntax newer than Python 3.6, so that an old Python gets a sentence and not a traceback.
"""

import argparse
import contextlib
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
RUNTIME, DEVELOPMENT = ("requirements.txt",), ("requirements.txt", "requirements-dev.txt")
OLDEST = (3, 11)
DEMO_PEOPLE = (
    ("staff@demo.example", "clinic staff"),
    ("neurologist@demo.example", "neurologist"),
    ("administrator@demo.example", "administrator"),
    ("auditor@demo.example", "auditor, reads only"),
    ("staff@other.example", "staff of the second clinic"),
)
DEMO_PASSWORD = "northside-demo-2026"  # noqa: S105 - of people who do not exist
WORKER_PAUSE, WORKER_PATIENCE = 10, 10  # seconds
NO_NETWORK = ("name resolution", "connection", "network", "dns", "timed out", "from versions: none", "proxy")


def fail(sentence: str) -> NoReturn:
    """Stop with one sentence that says what is wrong and what to do."""
    sys.exit(f"run.py: {sentence}")


def require_python() -> None:
    """Refuse a Python that is too old."""
    if sys.version_info < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        fail(
            f"Python {wanted} or newer is needed and this is {sys.version.split()[0]}: install a newer one and start "
            f"this with it, for example `python{wanted} run.py`."
        )


require_python()  # before anything that an old Python stumbles over


def say(text: str) -> None:
    """Print at once, also into a pipe."""
    print(text, flush=True)


# ---------------------------------------------------------------------------------------------- the environment


def stamp_of(locks: tuple[str, ...]) -> str:
    """What an installation was made from: the lock files and the version of Python."""
    digest = hashlib.sha256(f"{sys.version_info[0]}.{sys.version_info[1]}".encode())
    for name in locks:
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def ensure_environment(locks: tuple[str, ...] = RUNTIME) -> None:
    """Make `.venv` hold exactly the locked packages; does nothing when it does already."""
    stamp = VENV / f"installed-{Path(locks[-1]).stem}"
    if PYTHON.exists() and stamp.exists() and stamp.read_text() == stamp_of(locks):
        return
    uv = shutil.which("uv")
    if not usable_environment(uv):
        make_environment(uv)
    say(f"Installing packages from {' and '.join(locks)} into .venv …")
    begun = time.monotonic()
    files = [part for name in locks for part in ("-r", name)]
    if uv:
        install = [uv, "pip", "install", "--quiet", "--require-hashes", "--compile-bytecode", "--python", str(PYTHON)]
    else:
        install = [str(PYTHON), "-m", "pip", "install", "--quiet", "--require-hashes", "--prefer-binary", "--no-input"]
        install += ["--disable-pip-version-check", "--retries", "2"]
    done = subprocess.run(install + files, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        explain_failed_install(done.stdout + done.stderr)
    for position in range(len(locks)):  # the development set includes the one to run with
        part = locks[: position + 1]
        (VENV / f"installed-{Path(part[-1]).stem}").write_text(stamp_of(part))
    say(f"Installed in {time.monotonic() - begun:.0f} s.")


def usable_environment(uv: str | None) -> bool:
    """Whether `.venv` works, is of this Python and can be installed into."""
    probe = "import sys; print(*sys.version_info[:2])" + ("" if uv else "; import pip")
    try:
        answer = subprocess.run([str(PYTHON), "-c", probe], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return answer.returncode == 0 and answer.stdout.split() == [str(part) for part in sys.version_info[:2]]


def make_environment(uv: str | None) -> None:
    """Make an empty `.venv` of the running Python."""
    if VENV.exists():
        shutil.rmtree(VENV)
    if uv:
        made = subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(VENV)], check=False)
        if made.returncode == 0:
            return
    try:
        import ensurepip  # noqa: F401, PLC0415 - whether it is there is the question
        import venv  # noqa: PLC0415
    except ImportError:
        fail(
            "this Python cannot make virtual environments: `sudo apt install python3-venv` on Debian and Ubuntu, or "
            "a Python from python.org, then run the same command again."
        )
    try:
        venv.create(VENV, with_pip=True, clear=True)
    except (OSError, subprocess.CalledProcessError) as error:
        fail(f".venv cannot be made ({error}): check that {ROOT} is writable and has 500 MB free.")


def explain_failed_install(output: str) -> NoReturn:
    """Say in one sentence why the packages are not there."""
    if any(word in output.lower() for word in NO_NETWORK):
        fail(
            "the packages cannot be downloaded because the package index does not answer: connect to the internet, "
            "or set PIP_INDEX_URL (for uv UV_INDEX_URL) to a mirror, and run the same command again."
        )
    last = [line for line in output.strip().splitlines() if line.strip()][-1:] or ["no message"]
    fail(f"the packages cannot be installed ({last[0].strip()}): delete .venv and run the same command again.")


def environment(**more: str) -> dict[str, str]:
    """The environment of what is started from here; ``more`` yields to what is set already."""
    return {**more, **os.environ, "FLASK_APP": "wsgi.py"}


def run(*command: str, env: dict[str, str] | None = None, quiet: bool = False) -> int:
    """Run a module of `.venv` in the foreground; ``quiet`` shows only what goes wrong."""
    out = subprocess.DEVNULL if quiet else None
    done = subprocess.run([str(PYTHON), "-m", *command], cwd=ROOT, env=env or environment(), stdout=out, check=False)
    return done.returncode


# ---------------------------------------------------------------------------------------------- serve


def serve(arguments: list[str]) -> int:
    """Serve the application on this machine, with a demonstration clinic unless told otherwise."""
    parser = argparse.ArgumentParser(prog="run.py serve", description=serve.__doc__)
    parser.add_argument("--port", type=int, default=5000, help="port to listen on (default 5000)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1, this machine)")
    parser.add_argument("--no-demo", action="store_true", help="load no demonstration clinic; start empty")
    options = parser.parse_args(arguments)
    require_free_port(options.host, options.port)
    ensure_environment()
    env = serving_environment(demo=not options.no_demo)
    if run("flask", "db", "upgrade", env=env) != 0:
        fail("the database cannot be migrated: the reason stands above; the data are as they were.")
    if not options.no_demo and run("flask", "demo", "load", "--if-empty", env=env, quiet=True) != 0:
        fail("the demonstration clinic cannot be loaded: the reason stands above; `--no-demo` starts without it.")
    return serve_until_stopped(options.host, options.port, env, demo=not options.no_demo)


def require_free_port(host: str, port: int) -> None:
    """Refuse a port that somebody else listens on."""
    if not 0 < port < 65536:  # noqa: PLR2004
        fail(f"there is no port {port}: choose one from 1024 to 65535, for example `--port 5001`.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        if os.name != "nt":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError:
            fail(f"port {port} is reserved for the system: choose another, for example `--port 5001`.")
        except socket.gaierror:
            fail(f"there is no address {host} on this machine: leave out --host, or write an address of its own.")
        except OSError:
            fail(f"port {port} on {host} is taken: choose another, for example `python3 run.py --port {port + 1}`.")


def serving_environment(*, demo: bool) -> dict[str, str]:
    """Settings for this machine: its own secret, cookies without TLS; the environment overrides them."""
    from config import local_secret_key  # noqa: PLC0415 - needs the Python that was just checked

    instance = Path(os.environ.get("INSTANCE_PATH") or ROOT / "instance").absolute()
    instance.mkdir(parents=True, exist_ok=True)
    env = environment(SECURE_COOKIES="0", INSTANCE_PATH=str(instance), DEMO="1" if demo else "0")
    if not (env.get("SECRET_KEY") or env.get("SECRET_KEY_FILE")):
        local_secret_key(instance)
        env["SECRET_KEY_FILE"] = str(instance / "secret_key")
    return env


def serve_until_stopped(host: str, port: int, env: dict[str, str], *, demo: bool) -> int:
    """Start the server, tell where it is, and wait for Ctrl-C or a polite signal."""
    shown = f"[{host}]" if ":" in host else host
    if os.name == "nt":
        command = ["waitress", f"--listen={shown}:{port}", "--threads=16", "wsgi:app"]
    else:
        command = ["gunicorn", f"--bind={shown}:{port}", "--worker-class=gthread", "--workers=2", "--threads=8"]
        command += ["--graceful-timeout=5", "--log-level=warning", "--no-control-socket", "wsgi:app"]
    server = subprocess.Popen([str(PYTHON), "-m", *command], cwd=ROOT, env=env)
    signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    local = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, shown)  # noqa: S104 - only compared
    try:
        if answers(f"http://{local}:{port}/healthz", server):
            announce(f"http://{local}:{port}/", demo=demo)
        code = wait_beside_worker(server, env)
    except KeyboardInterrupt:
        server.terminate()
        code = server.wait()
        say("\nStopped.")
        return 0
    return 0 if code in (0, -signal.SIGTERM) else code


def wait_beside_worker(server: "subprocess.Popen[bytes]", env: dict[str, str]) -> int:
    """Wait until the server ends; beside it runs a worker that makes files of reports, started anew where it ended."""
    command = [str(PYTHON), "-m", "flask", "reports", "work", f"--parent={os.getpid()}"]
    worker, started = None, float("-inf")
    try:
        while server.poll() is None:
            if (worker is None or worker.poll() is not None) and time.monotonic() - started > WORKER_PAUSE:
                worker, started = subprocess.Popen(command, cwd=ROOT, env=env), time.monotonic()
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(timeout=1)
        return server.wait()
    finally:
        if worker is not None:
            worker.terminate()  # what it was making is given back, for the next one to make
            with contextlib.suppress(subprocess.TimeoutExpired):
                worker.wait(timeout=WORKER_PATIENCE)
            worker.kill()


def answers(url: str, server: subprocess.Popen[bytes]) -> bool:
    """Wait until the server answers; False when it gave up."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while server.poll() is None:
        try:
            with direct.open(url, timeout=5):
                return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    return False


def announce(url: str, *, demo: bool) -> None:
    """Print the address and who can sign in."""
    say(f"\nClinic Tracker is at {url}   (Ctrl-C stops it)")
    if demo:
        say("\nDemonstration data. Sign in as")
        for email, role in DEMO_PEOPLE:
            say(f"    {email:<28} {role}")
        say(f"  with the password  {DEMO_PASSWORD}\n")
    else:
        say("First steps: `flask clinics create --help` and `flask users create --help`.\n")


# ---------------------------------------------------------------------------------------------- test, check, bench


def tools() -> dict[str, str]:
    """What the tests found on this machine: the folder of PostgreSQL's programs and the path of Chromium."""
    script = str(ROOT / "tests" / "fixtures" / "tools.py")
    found = subprocess.run([str(PYTHON), script], capture_output=True, text=True, check=True).stdout
    return dict(line.split("=", 1) for line in found.splitlines())


def test(arguments: list[str]) -> int:
    """Run the tests on SQLite, then those that use a database again on PostgreSQL. Takes pytest's arguments."""
    if arguments in (["-h"], ["--help"]):
        say("usage: run.py test [pytest arguments]\n\n" + str(test.__doc__))
        return 0
    ensure_environment(DEVELOPMENT)
    found, ci = tools(), os.environ.get("CI") == "true"
    for name, how in (("postgresql", "apt install postgresql"), ("chromium", "apt install chromium")):
        if not found.get(name):
            say(f"No {name} on this machine: tests that need it are {'failing' if ci else 'left out'}. Get it: {how}")
    parallel = [] if any(part.startswith(("-n", "-p", "--pdb")) for part in arguments) else ["-n", "auto"]
    codes = []
    for database in ("sqlite", "postgresql"):
        if database == "postgresql" and not found.get("postgresql"):
            codes.append(1 if ci else 0)
            continue
        say(f"\nOn {database}" + (", without the tests that use no database" if codes else "") + ":")
        code = run("pytest", *parallel, *arguments, env={**environment(), "TEST_DATABASE": database})
        codes.append(0 if code == 5 and codes and codes[0] == 0 else code)  # noqa: PLR2004 - 5: nothing to run there
    return max(codes)


def check(arguments: list[str]) -> int:
    """Run all gates but the tests of behavior: lint, types, import rules, templates, house rules, migrations."""
    argparse.ArgumentParser(prog="run.py check", description=check.__doc__).parse_args(arguments)
    ensure_environment(DEVELOPMENT)
    sources = ["clinic_tracker", "config.py", "wsgi.py", "run.py"]
    gates: list[tuple[str, Callable[[], int]]] = [
        ("lint", lambda: run("ruff", "check", "--quiet", ".")),
        ("format", lambda: run("ruff", "format", "--quiet", "--check", ".")),
        ("types", lambda: run("mypy", "--strict", *sources)),
        ("templates", lambda: run("djlint", "templates", "--lint", "--quiet")),
        ("rules and migrations", lambda: run("pytest", "-q", "--tb=short", "-n", "auto", "tests/rules")),
        ("schedules of the demo", check_demo_schedules),
    ]
    failed = []
    for name, gate in gates:
        begun = time.monotonic()
        good = gate() == 0
        failed += [] if good else [name]
        say(f"{'ok' if good else 'FAILED':<8}{name} ({time.monotonic() - begun:.1f} s)")
    if failed:
        fail(f"not good yet: {', '.join(failed)}.")
    return 0


def check_demo_schedules() -> int:
    """Load the demonstration clinic into a database of its own and compare what is stored with what the rules say."""
    import tempfile  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        env = {
            **environment(),
            "DATABASE_URL": f"sqlite:///{folder}/demo.sqlite3",
            "INSTANCE_PATH": folder,
            "DEMO": "1",
        }
        steps = (("db", "upgrade"), ("demo", "load"), ("schedule", "check"))
        return next(filter(None, (run("flask", *step, env=env, quiet=step[0] != "schedule") for step in steps)), 0)


def bench(arguments: list[str]) -> int:
    """Run a benchmark by name, or list them."""
    available = {path.stem: path for path in sorted((ROOT / "tests" / "bench").glob("[!_]*.py"))}
    if not arguments or arguments[0] in ("-h", "--help"):
        say("usage: run.py bench NAME\n\n" + "".join(f"    {name}\n" for name in available))
        return 0
    if arguments[0] not in available:
        fail(f"there is no benchmark {arguments[0]}: choose from {', '.join(available)}.")
    ensure_environment(DEVELOPMENT)
    return run(f"tests.bench.{arguments[0]}", *arguments[1:])


def assets(arguments: list[str]) -> int:
    """Fetch the vendored style sheets and scripts anew and write their manifest (for maintainers)."""
    ensure_environment()
    return run("flask", "assets", "refresh", *arguments)


def show_help(_arguments: list[str]) -> int:
    """List the commands."""
    say("usage: python3 run.py [COMMAND] [OPTIONS]\n\nWithout a command: serve.\n")
    for name, command in COMMANDS.items():
        say(textwrap.fill(f"{name:<8}{command.__doc__}", 100, initial_indent="  ", subsequent_indent=" " * 10))
    say("\nOptions of a command: python3 run.py COMMAND --help.  Everything else: .venv/bin/flask --help")
    return 0


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "serve": serve,
    "test": test,
    "check": check,
    "bench": bench,
    "assets": assets,
    "help": show_help,
}


def main(arguments: list[str]) -> int:
    """Run the command that is named first; options alone belong to serve."""
    name, rest = (
        (arguments[0], arguments[1:]) if arguments and not arguments[0].startswith("-") else ("serve", arguments)
    )
    if name == "serve" and rest[:1] in (["-h"], ["--help"]) and not arguments[0].startswith("serve"):
        name = "help"
    if name not in COMMANDS:
        fail(f"there is no command {name}: choose from {', '.join(COMMANDS)}.")
    try:
        return COMMANDS[name](rest)
    except KeyboardInterrupt:
        say("\nStopped.")
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`run.py` is the first thing that anybody starts: what can go wrong there is said in one sentence."""

import ast
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

import run

pytestmark = pytest.mark.no_database

ROOT = Path(__file__).resolve().parents[1]


def start(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **env}
    command = [sys.executable, str(ROOT / "run.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=60)


def refusal(capsys, call, *arguments) -> str:
    """The one sentence that a refusal consists of."""
    with pytest.raises(SystemExit) as stopped:
        call(*arguments)
    sentence = str(stopped.value.code)
    assert sentence.startswith("run.py: ")
    assert "\n" not in sentence
    return sentence


def test_help_lists_every_command():
    done = start("help")
    assert done.returncode == 0
    for name, command in run.COMMANDS.items():
        assert f"  {name}" in done.stdout
        assert command.__doc__


@pytest.mark.parametrize("name", ["serve", "test", "check", "bench"])
def test_every_command_explains_itself(name):
    done = start(name, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith("usage: run.py")


def test_an_unknown_command_is_named():
    done = start("frobnicate")
    assert done.returncode == 1
    assert done.stderr == (
        "run.py: there is no command frobnicate: choose from serve, test, check, bench, assets, help.\n"
    )


def test_an_old_python_is_told_what_is_needed(capsys, monkeypatch):
    monkeypatch.setattr(run.sys, "version_info", (3, 9, 2))
    assert "Python 3.11 or newer is needed" in refusal(capsys, run.require_python)


def test_an_old_python_can_at_least_read_the_file():
    ast.parse((ROOT / "run.py").read_text(encoding="utf-8"), feature_version=(3, 6))


def test_a_port_that_is_taken_is_named_with_another(capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        sentence = refusal(capsys, run.require_free_port, "127.0.0.1", port)
    assert f"port {port} on 127.0.0.1 is taken" in sentence
    assert f"--port {port + 1}" in sentence


@pytest.mark.parametrize("port", [0, -1, 70000])
def test_a_port_that_does_not_exist_is_refused(capsys, port):
    assert "there is no port" in refusal(capsys, run.require_free_port, "127.0.0.1", port)


def test_an_address_of_another_machine_is_refused(capsys):
    assert "192.0.2.1" in refusal(capsys, run.require_free_port, "192.0.2.1", 5999)


def test_a_python_without_venv_is_told_what_to_install(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(run, "VENV", tmp_path / "venv")
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    assert "apt install python3-venv" in refusal(capsys, run.make_environment, None)


@pytest.mark.parametrize(
    "output",
    [
        "NewConnectionError: Failed to establish a new connection: Temporary failure in name resolution",
        "ERROR: Could not find a version that satisfies the requirement flask==3.1.3 (from versions: none)",
        "error: Failed to fetch: operation timed out",
    ],
)
def test_a_missing_network_is_named(capsys, output):
    assert "connect to the internet" in refusal(capsys, run.explain_failed_install, output)


def test_another_failure_shows_the_last_line(capsys):
    sentence = refusal(capsys, run.explain_failed_install, "Collecting x\nERROR: PACKAGES DO NOT MATCH THE HASHES\n")
    assert "DO NOT MATCH THE HASHES" in sentence


def test_packages_are_installed_again_only_when_the_lock_changes(monkeypatch, tmp_path):
    lock = tmp_path / "requirements.txt"
    lock.write_text("flask==3.1.3\n")
    monkeypatch.setattr(run, "ROOT", tmp_path)
    before = run.stamp_of(("requirements.txt",))
    assert run.stamp_of(("requirements.txt",)) == before
    lock.write_text("flask==3.1.4\n")
    assert run.stamp_of(("requirements.txt",)) != before


def test_serving_here_keeps_its_own_secret_and_obeys_the_environment(monkeypatch, tmp_path):
    for name in ("SECRET_KEY", "SECRET_KEY_FILE", "SECURE_COOKIES", "DEMO"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("INSTANCE_PATH", str(tmp_path / "instance"))
    env = run.serving_environment(demo=False)
    assert env["SECRET_KEY_FILE"] == str(tmp_path / "instance" / "secret_key")
    assert (env["DEMO"], env["SECURE_COOKIES"]) == ("0", "0")
    monkeypatch.setenv("SECURE_COOKIES", "1")
    monkeypatch.setenv("SECRET_KEY", "mine")
    env = run.serving_environment(demo=True)
    assert env["SECURE_COOKIES"] == "1"
    assert "SECRET_KEY_FILE" not in env


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.timeout(180)
def test_it_serves_says_where_and_stops_when_asked(tmp_path):
    port = free_port()
    command = [sys.executable, str(ROOT / "run.py"), "serve", "--port", str(port), "--no-demo"]
    env = {**os.environ, "INSTANCE_PATH": str(tmp_path), "DATABASE_URL": f"sqlite:///{tmp_path}/t.sqlite3"}
    for name in ("SECRET_KEY", "SECRET_KEY_FILE", "DEMO"):
        env.pop(name, None)
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
    try:
        for line in server.stdout:
            if "is at" in line:
                break
        assert f"http://127.0.0.1:{port}/" in line
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10) as answer:
            assert answer.status == 200
        worker = worker_of(server.pid)
        os.kill(worker, signal.SIGKILL)
        assert worker_of(server.pid, other_than=worker) != worker  # one that died is replaced
    finally:
        server.send_signal(signal.SIGINT)
        rest, errors = server.communicate(timeout=60)
    assert server.returncode == 0, errors
    assert "Stopped." in rest
    assert "Traceback" not in errors
    assert workers_of(server.pid) == []


def workers_of(parent: int) -> list[int]:
    """The processes that make files of reports, started by another."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    lines = [line.split(maxsplit=2) for line in listed.splitlines()]
    return [int(pid) for pid, ppid, told in lines if int(ppid) == parent and "reports work" in told]


def worker_of(parent: int, other_than: int = 0) -> int:
    """The worker of a server, waited for."""
    for _ in range(300):
        if found := [pid for pid in workers_of(parent) if pid != other_than]:
            return found[0]
        time.sleep(0.1)
    raise AssertionError("no worker was started")


@pytest.mark.timeout(120)
def test_the_worker_ends_with_the_program_that_started_it(tmp_path):
    env = {**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path}/t.sqlite3", "INSTANCE_PATH": str(tmp_path), "DEMO": "1"}
    flask = [sys.executable, "-m", "flask", "--app", "wsgi.py"]
    subprocess.run([*flask, "db", "upgrade"], cwd=ROOT, env=env, check=True, capture_output=True)
    script = """
import os, subprocess, sys
worker = subprocess.Popen([*sys.argv[1:], f"--parent={os.getpid()}"])
print(worker.pid, flush=True)
input()
"""
    command = [sys.executable, "-c", script, *flask, "reports", "work"]
    with subprocess.Popen(
        command, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as starter:
        worker = int(starter.stdout.readline())
        starter.kill()
    for _ in range(300):
        state = subprocess.run(["ps", "-o", "stat=", "-p", str(worker)], capture_output=True, text=True, check=False)
        if state.stdout.strip()[:1] in ("", "Z"):
            return
        time.sleep(0.1)
    os.kill(worker, signal.SIGKILL)
    raise AssertionError("the worker outlived its parent")

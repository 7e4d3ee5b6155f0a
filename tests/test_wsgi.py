"""Where the application is started: commands work in a bare checkout, serving needs a secret."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.no_database

ROOT = Path(__file__).resolve().parents[1]


def start(tmp_path: Path, *command: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], "INSTANCE_PATH": str(tmp_path / "instance")}
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_command_needs_neither_a_secret_nor_a_database(tmp_path):
    done = start(tmp_path, "-m", "flask", "schedule", "forecast", "--help")
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "instance" / "secret_key").exists()


def test_the_development_server_needs_a_secret(tmp_path):
    done = start(tmp_path, "-m", "flask", "run", "--port", "5099")
    assert done.returncode == 2
    assert done.stderr.startswith("Clinic Tracker cannot start. SECRET_KEY is not set.")
    assert "Traceback" not in done.stderr


def test_a_server_is_refused_without_a_secret_in_a_way_that_ends_gunicorn(tmp_path):
    done = start(tmp_path, "-c", "import wsgi")
    assert done.returncode == 4
    assert done.stderr.count("\n") == 1

"""``flask schedule forecast``: histories in, answers out, without a database; bad input in one line."""

import json
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from clinic_tracker.cli.schedule import group
from tests.charts import answer_on, chart, draws

HISTORY = chart(["2025-01-27", "2025-01-31"], labs=draws("cbc_diff", "2025-02-28"))


def forecast(*arguments: str, given: bytes | None = None) -> Result:
    return CliRunner().invoke(group, ["forecast", *arguments], input=given)


def refusal(result: Result) -> str:
    assert result.exit_code == 2
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert len(lines) == 1
    return lines[0]


def as_json(answer: object) -> Any:
    return json.loads(json.dumps(answer))


def write(folder: Path, value: object) -> str:
    path = folder / "histories.json"
    path.write_text(json.dumps(value))
    return str(path)


def test_one_history_gives_one_answer(tmp_path: Path) -> None:
    result = forecast(write(tmp_path, HISTORY), "--as-of", "2025-03-05")
    assert result.exit_code == 0
    assert result.stderr == ""
    assert json.loads(result.stdout) == as_json(answer_on(HISTORY, "2025-03-05"))


def test_many_histories_give_an_array(tmp_path: Path) -> None:
    many = [HISTORY, chart(), chart(["2024-05-01"], protocol="lemtrada-eu")]
    result = forecast(write(tmp_path, many), "--as-of", "2025-03-05")
    assert json.loads(result.stdout) == as_json([answer_on(item, "2025-03-05") for item in many])
    assert json.loads(forecast(write(tmp_path, []), "--as-of", "2025-03-05").stdout) == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_dash_is_standard_input(encoding: str) -> None:
    result = forecast("-", "--as-of", "2025-03-05", given=json.dumps(HISTORY).encode(encoding))
    assert json.loads(result.stdout)["as_of"] == "2025-03-05"


def test_bad_input_is_named_and_nothing_is_printed(tmp_path: Path) -> None:
    wrong = HISTORY | {"labs": draws("cbc_diff", "2025-02-30")}
    message = "labs[0].collected_on: must be a date written YYYY-MM-DD"
    assert refusal(forecast(write(tmp_path, wrong), "--as-of", "2025-03-05")) == message
    many = [HISTORY, HISTORY, HISTORY, wrong]
    assert refusal(forecast(write(tmp_path, many), "--as-of", "2025-03-05")) == f"[3].{message}"
    assert refusal(forecast(write(tmp_path, [HISTORY, 5]), "--as-of", "2025-03-05")) == "[1]: must be an object"
    assert refusal(forecast(write(tmp_path, 5), "--as-of", "2025-03-05")) == "history: must be an object or an array"


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 100_000, b'{"a": 1}{}'])
def test_what_is_not_json_is_one_line(content: bytes) -> None:
    assert refusal(forecast("-", "--as-of", "2025-03-05", given=content)).startswith("history: not JSON")


def test_what_is_not_text_is_one_line() -> None:
    assert refusal(forecast("-", "--as-of", "2025-03-05", given=b"\xff\xfe")) == "FILE: is not UTF-8 text"


@pytest.mark.parametrize("name", ["no-such-file.json", ".", "\0"])
def test_a_file_that_cannot_be_read_is_named(name: str) -> None:
    assert refusal(forecast(name, "--as-of", "2025-03-05")).startswith("FILE: cannot be read: ")


@pytest.mark.parametrize("as_of", ["", "today", "2025-3-5", "2025-02-29", "1899-12-31", "2200-01-01"])
def test_the_date_is_checked(tmp_path: Path, as_of: str) -> None:
    assert refusal(forecast(write(tmp_path, HISTORY), "--as-of", as_of)).startswith("--as-of: must ")


def test_the_date_and_the_file_are_required(tmp_path: Path) -> None:
    assert refusal(forecast(write(tmp_path, HISTORY))) == "--as-of: must be a date written YYYY-MM-DD"
    assert refusal(forecast("--as-of", "2025-03-05")).startswith("FILE: is required")


def test_help_explains_itself_with_an_example() -> None:
    result = forecast("--help")
    assert result.exit_code == 0
    assert "Example: flask schedule forecast chart.json --as-of 2026-01-20" in " ".join(result.stdout.split())


def test_no_database_is_needed(tmp_path: Path, root: Path) -> None:
    environment = {
        "DATABASE_URL": f"sqlite:///{tmp_path}/missing/none.db",
        "SECRET_KEY": secrets.token_hex(),
        "PATH": "",
    }
    flask = Path(sys.executable).with_name("flask")
    command = [str(flask), "schedule", "forecast", write(tmp_path, HISTORY), "--as-of", "2025-03-05"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=root, env=environment)
    assert (result.returncode, result.stderr) == (0, "")
    assert json.loads(result.stdout) == as_json(answer_on(HISTORY, "2025-03-05"))
    assert not (tmp_path / "missing").exists()

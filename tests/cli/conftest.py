"""Commands run as a script would run them."""

import json

import pytest


@pytest.fixture
def run(runner, cast):
    """Run a command; give its exit status, its output and its complaint."""

    def command(*arguments, text=None):
        result = runner.invoke(args=list(arguments), input=text)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout, result.stderr

    return command


@pytest.fixture
def load(run, tmp_path):
    """Import a value (or a text) into Northside and give the exit status, the report and the complaint."""

    def command(value, *options):
        path = tmp_path / "histories.json"
        path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
        status, output, complaint = run(
            "histories", "import", str(path), "--clinic", "northside", "--format", "json", *options
        )
        return status, json.loads(output) if output else None, complaint

    return command

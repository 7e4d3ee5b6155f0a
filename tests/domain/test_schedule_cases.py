"""Worked cases: a history, a date, and the whole expected answer."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from clinic_tracker.domain.answer import answer
from clinic_tracker.domain.calendar import day_of
from clinic_tracker.domain.history_json import read_history
from clinic_tracker.queries.protocols import packaged_protocols
from tests.oracle.plain_schedule import plain_answer

CASES = sorted((Path(__file__).parent.parent / "data" / "schedule_cases").glob("*.json"))


@pytest.fixture(params=CASES, ids=lambda path: path.stem)
def case(request: pytest.FixtureRequest) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(request.param.read_text())
    return content


def test_the_engine_gives_the_expected_answer(case: dict[str, Any]) -> None:
    history = read_history(case["history"])
    given = answer(history, packaged_protocols()[history.protocol], day_of(case["as_of"]))
    assert json.loads(json.dumps(given)) == case["expect"]


def test_the_plain_version_gives_the_expected_answer(case: dict[str, Any]) -> None:
    assert plain_answer(case["history"], date.fromisoformat(case["as_of"])) == case["expect"]


def test_there_are_cases() -> None:
    assert len(CASES) == 16

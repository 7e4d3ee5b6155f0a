"""The engine says of every history what the plain version of the rules says."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given

from clinic_tracker.domain.answer import answer
from clinic_tracker.domain.history_json import read_history
from clinic_tracker.queries.protocols import packaged_protocols
from tests.oracle.plain_schedule import plain_answer
from tests.strategies import histories_as_of, random_history


def answer_of(history: dict[str, Any], as_of: date) -> dict[str, Any]:
    known = read_history(history)
    return answer(known, packaged_protocols()[known.protocol], as_of.toordinal())


@given(histories_as_of())
def test_any_history(case: tuple[dict[str, Any], date]) -> None:
    history, as_of = case
    assert answer_of(history, as_of) == plain_answer(history, as_of)


@pytest.mark.parametrize("seed", range(100))
def test_plausible_histories(seed: int) -> None:
    history = random_history(seed, latest=date(2026, 11, 1))
    as_of = date(2019 + seed % 9, 1 + seed % 12, 28)
    assert answer_of(history, as_of) == plain_answer(history, as_of)
    assert answer_of(history, date(2026, 11, 1)) == plain_answer(history, date(2026, 11, 1))

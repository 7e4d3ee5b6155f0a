"""Whatever a file holds, reading it either gives an answer or one line that names the field."""

import json
import random
import re

from hypothesis import example, given
from hypothesis import strategies as st

from clinic_tracker.domain.answer import answer
from clinic_tracker.domain.calendar import day_of
from clinic_tracker.domain.history_json import InvalidHistory, read_history, read_json
from clinic_tracker.domain.imported_history import read_imported
from clinic_tracker.queries.protocols import packaged_protocols
from tests.mutations import WHOLE, mutated

SEEDS = st.integers(0, 2**64)


def line_of(error: InvalidHistory) -> str:
    """The complaint, after a look at whether it is one line with a path that people can read."""
    line = str(error)
    assert line.isprintable()
    assert line.splitlines() == [line]
    line.encode()
    field = re.split(r"[.\[]", error.path)[0]
    assert field in WHOLE or error.problem == "is not known"
    assert error.path
    return line


def test_the_history_that_is_spoiled_is_good() -> None:
    assert len(read_imported(WHOLE).history.given) == 2


@given(SEEDS)
@example(0)
def test_the_engine_answers_or_names_the_field(seed: int) -> None:
    value = read_json(mutated(random.Random(seed)))  # noqa: S311 - not for secrets
    try:
        history = read_history(value, extra=frozenset({"identity"}))
    except InvalidHistory as error:
        line_of(error)
    else:
        found = answer(history, packaged_protocols()[history.protocol], day_of("2026-01-20"))
        json.dumps(found, allow_nan=False)


@given(SEEDS)
def test_the_import_reads_or_names_the_field(seed: int) -> None:
    value = read_json(mutated(random.Random(seed)))  # noqa: S311 - not for secrets
    try:
        found = read_imported(value)
    except InvalidHistory as error:
        line_of(error)
        return
    identity = found.identity
    kept = (identity.mrn, identity.family_name, identity.given_name, *(lab.test for lab in found.history.labs))
    for text in kept:
        assert "\0" not in text
        text.encode()
    assert all(1 <= number <= 2**31 - 1 for number in found.infusions)

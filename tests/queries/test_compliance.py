"""The compliance report against a plain count of the engine's answer."""

from collections import Counter
from datetime import date, timedelta

import pytest

from clinic_tracker.domain.answer import answer
from clinic_tracker.domain.history_json import read_history
from clinic_tracker.domain.imported_history import read_imported
from clinic_tracker.queries.compliance import compliance, totals
from clinic_tracker.queries.protocols import packaged_protocols
from clinic_tracker.services.histories import import_history
from tests.strategies import random_history

IDENTITY = {"family_name": "Test", "given_name": "Tina", "birth_date": "1950-05-17"}
FROM, TO = date(2024, 1, 1), date(2026, 1, 22)


@pytest.fixture
def scope(scope_for, cast):
    """The scope of the administrator."""
    return scope_for(cast.administrator)


@pytest.fixture
def histories(scope):
    """Some random histories, imported."""
    made = [random_history(seed, date(2026, 1, 20)) for seed in range(25)]
    for number, history in enumerate(made):
        import_history(scope, read_imported({**history, "identity": {**IDENTITY, "mrn": f"M{number}"}}))
    return made


def plain_count(histories) -> Counter:
    """Count by requirement, month and outcome from the answers of the engine, without the database."""
    counted: Counter = Counter()
    for value in histories:
        history = read_history(value)
        told = answer(history, packaged_protocols()[history.protocol], TO.toordinal())
        closed = history.closed_on
        for obligation in told["obligations"]:
            due = date.fromisoformat(obligation["due_on"])
            if not FROM <= due <= TO:
                continue
            if closed is not None and due.toordinal() > closed and obligation["done_on"] is None:
                continue
            counted[obligation["requirement"], due.replace(day=1), outcome(obligation, due)] += 1
    return counted


def outcome(obligation, due) -> str:
    if obligation["status"] == "done":
        late = date.fromisoformat(obligation["done_on"]) > due + timedelta(days=7)
        return "late" if late else "on_time"
    return {"waived": "waived", "missed": "missed"}.get(obligation["status"], "owed")


def test_every_figure_equals_a_plain_count(scope, histories):
    counted: Counter = Counter()
    for row in compliance(scope, FROM, TO):
        for name in ("on_time", "late", "missed", "owed", "waived"):
            if getattr(row, name):
                counted[row.requirement, row.month, name] += getattr(row, name)

    assert counted == plain_count(histories)


def test_parts_add_up_to_the_whole(scope, histories):
    rows = compliance(scope, FROM, TO)

    assert rows
    for row in rows + totals(scope, rows):
        assert row.on_time + row.late + row.missed + row.owed + row.waived == row.due
        assert row.expected == row.due - row.waived
    assert sum(row.due for row in totals(scope, rows)) == sum(row.due for row in rows)


def test_nothing_expected_has_no_percentage(scope, histories):
    rows = compliance(scope, FROM, TO)
    assert all((row.share_on_time is None) == (row.expected == 0) for row in rows)


def test_what_is_not_due_yet_is_not_counted(scope, histories):
    latest = max(row.month for row in compliance(scope, FROM, date(2031, 1, 1)))
    assert latest <= TO


def test_another_clinic_has_its_own_figures(scope_for, cast, histories):
    assert compliance(scope_for(cast.stranger), FROM, TO) == []

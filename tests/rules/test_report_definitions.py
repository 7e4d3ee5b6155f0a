"""Every report says what it shows, and docs/reports.md says the same."""

import re
from pathlib import Path

import pytest

from clinic_tracker.domain.reporting.columns import Column, Kind, Privacy
from clinic_tracker.domain.reporting.definition import Definition
from clinic_tracker.domain.reporting.describing import describe
from clinic_tracker.domain.reporting.parameters import COMMON
from clinic_tracker.queries.reports.registry import REPORTS, SOURCES

pytestmark = pytest.mark.no_database
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "reports.md"
DEFINITIONS = [source.definition for source in SOURCES]
SENTENCE = re.compile(r".{5,}", re.DOTALL)


def test_the_document_is_what_the_definitions_say():
    told = "run: flask report describe > docs/reports.md"
    assert DOCUMENT.read_text(encoding="utf-8") == describe(DEFINITIONS), told


def test_names_are_one_each_and_fit_an_address():
    assert len(REPORTS) == len(SOURCES)
    assert [name for name in REPORTS if not re.fullmatch(r"[a-z][a-z-]*[a-z]", name)] == []


def faults(definition: Definition) -> list[str]:
    names = [column.name for column in definition.columns]
    found = [f"column {name} twice" for name in names if names.count(name) > 1]
    found += [f"column {name} is no name" for name in names if not re.fullmatch(r"[a-z][a-z0-9_]*", name)]
    found += [
        f"{column.name} has no definition" for column in definition.columns if not SENTENCE.fullmatch(column.definition)
    ]
    if not definition.question.endswith("?"):
        found.append("its question is none")
    found += [f"choice {one.name} is a parameter" for one in definition.choices if one.name in COMMON]
    found += [f"{one.name}: no such default" for one in definition.choices if one.default not in one.options]
    found += [
        f"{column.name}: totals count"
        for column in definition.columns
        if column.totaled and column.kind is not Kind.COUNT
    ]
    found += [f"{column.name}: {fault}" for column in definition.columns for fault in privacy_faults(column)]
    if definition.behind is not None and definition.behind not in REPORTS:
        found.append(f"there is no report {definition.behind}")
    return found


def privacy_faults(column: Column) -> list[str]:
    """A copy without identity must not keep a column that may say who somebody is."""
    telling = column.name in {"mrn", "patient", "birth_date", "reason", "note", "remark", "person", "prescriber"}
    return ["stays in a de-identified copy"] if telling and column.privacy is Privacy.OPEN else []


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda one: one.name)
def test_a_definition_is_whole(definition):
    assert faults(definition) == []

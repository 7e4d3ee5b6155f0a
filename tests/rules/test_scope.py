"""Nobody reads or writes without saying for which clinic and person: scope is the first argument."""

import ast
from pathlib import Path

import pytest

pytestmark = pytest.mark.no_database

ROOT = Path(__file__).resolve().parents[2]
LAYERS = ("queries", "services")
# They make or describe scopes, read what is packaged, or only look at what they are given.
INVENTED = "services.demo."  # builds people who do not exist; only loading them touches a clinic
WITHOUT_SCOPE = {
    "queries.evidence.papers.state_columns",
    "queries.protocols.packaged_protocols",
    "queries.protocols.us_federal_holidays",
    "queries.infusion_day.day_version",
    "queries.reports.changes.cause_of",
    "queries.reports.obligations.person_cells",
    "queries.reports.people.first_day",
    "queries.reports.people.in_chunks",
    "queries.reports.people.last_day",
    "queries.reports.people.line_of",
    "queries.reports.people.of_people",
    "queries.reports.people.only",
    "queries.reports.people.stood",
    "queries.reports.people.stream",
    "queries.reports.projected.later",
    "queries.reports.projected.month_of",
    "queries.reports.projected.year_named",
    "queries.reports.projected.years_since",
    "queries.scope.utc_now",
    "services.audit.snapshot",
    "services.unit_of_work.check_version",
}

SCOPED = {"scope", "_scope", "known"}  # what is known of a clinic has the scope in it


def public_functions() -> list[tuple[str, ast.FunctionDef]]:
    found = []
    for layer in LAYERS:
        for path in sorted((ROOT / "clinic_tracker" / layer).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT / "clinic_tracker").with_suffix("").parts)
            functions = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)]
            found += [(f"{name}.{node.name}", node) for node in functions if not node.name.startswith("_")]
    return found


def takes_scope_first(function: ast.FunctionDef) -> bool:
    arguments = [*function.args.posonlyargs, *function.args.args]
    return bool(arguments) and arguments[0].arg in SCOPED


def unscoped() -> set[str]:
    found = {name for name, function in public_functions() if not takes_scope_first(function)}
    return {name for name in found if not name.startswith(INVENTED) or name.startswith(f"{INVENTED}load.")}


def test_every_query_and_service_takes_the_scope_first():
    assert unscoped() - WITHOUT_SCOPE == set()


def test_the_list_of_exceptions_is_not_longer_than_needed():
    assert WITHOUT_SCOPE - unscoped() == set()


def test_every_query_and_service_states_its_contract():
    assert [name for name, function in public_functions() if not ast.get_docstring(function)] == []

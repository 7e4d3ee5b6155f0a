"""Sizes stay within budget: what does not fit in a glance is split."""

import ast
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.no_database

ROOT = Path(__file__).resolve().parents[2]
MODULE, LARGE_MODULE, CONFTEST, TEMPLATE = 300, 400, 250, 120
FUNCTION, VIEW = 40, 25
LARGE = re.compile(r"(^|/)(models/|tests/|run\.py$|web/(\w+/)?(forms|fields)(_\w+)?\.py$)")
ROUTES = {"get", "post", "route"}


def python_files() -> list[Path]:
    folders = ("clinic_tracker", "tests", "migrations")
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py") if "versions" not in path.parts]
    return [*found, *ROOT.glob("*.py")]


def budget_of(path: Path) -> int:
    name = path.relative_to(ROOT).as_posix()
    if path.name == "conftest.py":
        return CONFTEST
    return LARGE_MODULE if LARGE.search(name) else MODULE


def test_modules_are_short():
    sizes = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in python_files()}
    assert [f"{path.relative_to(ROOT)}: {size}" for path, size in sizes.items() if size > budget_of(path)] == []


def test_templates_are_short():
    sizes = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in (ROOT / "templates").rglob("*.*")}
    assert [f"{path.relative_to(ROOT)}: {size}" for path, size in sizes.items() if size > TEMPLATE] == []


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from ``def`` to the end, without the docstring."""
    first = function.body[0]
    docstring = (
        isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    )
    spent = first.end_lineno - first.lineno + 1 if docstring else 0
    return function.end_lineno - function.lineno + 1 - spent


def is_view(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    called = [decorator.func for decorator in function.decorator_list if isinstance(decorator, ast.Call)]
    return any(isinstance(name, ast.Attribute) and name.attr in ROUTES for name in called)


def test_functions_are_short_and_views_shorter():
    too_long = []
    for path in [*(ROOT / "clinic_tracker").rglob("*.py"), *ROOT.glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                most = VIEW if is_view(node) else FUNCTION
                if lines_of(node) > most:
                    too_long.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {lines_of(node)} > {most}")
    assert too_long == []

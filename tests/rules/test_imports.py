"""The layers hold: contracts of import-linter in pyproject.toml, and a domain of the standard library only."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.no_database

ROOT = Path(__file__).resolve().parents[2]


def test_the_contracts_are_kept():
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_domain_imports_the_standard_library_only():
    foreign = []
    for path in (ROOT / "clinic_tracker" / "domain").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                inside = name.startswith("clinic_tracker.domain")
                if not inside and name.partition(".")[0] not in sys.stdlib_module_names:
                    foreign.append(f"{path.relative_to(ROOT)}:{node.lineno} imports {name}")
    assert foreign == []


def test_the_domain_never_asks_the_time():
    clocks = {"now", "utcnow", "today", "time", "monotonic", "time_ns"}
    asked = []
    for path in (ROOT / "clinic_tracker" / "domain").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in clocks:
                owner = node.func.value
                if isinstance(owner, ast.Name) and owner.id in {"datetime", "date", "time"}:
                    asked.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert asked == []

"""What is committed speaks of the project alone, in one spelling, and carries no patient and no secret."""

import re
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.no_database

ROOT = Path(__file__).resolve().parents[2]
BINARY = {".png", ".ico", ".woff2", ".jpg", ".webp", ".gz", ".pdf"}
BRITISH = re.compile(
    r"\b(\w*colour\w*|behaviour\w*|favour\w*|centre[sd]?|enrolments?|\w*authoris\w+|organis\w+|recognis\w+|"
    r"haem\w+|anaem\w+|catalogue\w*|programmes?)\b",
    re.IGNORECASE,
)
SECRET = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\b(ghp|gho|glpat|xox[abp]|AKIA)[-_A-Za-z0-9]{16,}")
WORKPLACE = re.compile(r"\.\./shared\b|/work/(main|shared)\b|/tmp/(team|toolvenv)\b")


def committed() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def lines_of(*, vendored: bool) -> list[tuple[str, str]]:
    found = []
    for path in committed():
        if path.suffix in BINARY or path == Path(__file__) or ("vendor" in path.parts and not vendored):
            continue
        name = path.relative_to(ROOT).as_posix()
        text = path.read_text(encoding="utf-8")
        found += [(f"{name}:{number}", line) for number, line in enumerate(text.splitlines(), 1)]
    return found


def test_lock_files_name_no_host():
    for path in ROOT.glob("requirements*"):
        assert not re.search(r"https?:|--(extra-)?index-url|--find-links|--trusted-host", path.read_text()), path.name


def test_spelling_is_american():
    found = [
        f"{place} {match[0]}"
        for place, line in lines_of(vendored=False)
        if "govuk" not in line and (match := BRITISH.search(line))
    ]
    assert found == []


def test_no_secret_and_no_path_of_one_machine_is_committed():
    found = [place for place, line in lines_of(vendored=False) if SECRET.search(line) or WORKPLACE.search(line)]
    assert found == []


def test_files_end_with_a_line_end_and_hold_no_tabs_of_python():
    for path in committed():
        if path.suffix in {".py", ".html", ".toml", ".md", ".css", ".js"} and "vendor" not in path.parts:
            text = path.read_text(encoding="utf-8")
            assert text.endswith("\n") or not text, path
            assert "\r" not in text, path

"""docs/protocol.md says what the protocol files say."""

from pathlib import Path

import pytest

from clinic_tracker.queries.protocols import packaged_protocols


@pytest.fixture
def page(root: Path) -> str:
    return (root / "docs" / "protocol.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["lemtrada-us", "lemtrada-eu"])
def test_every_requirement_is_on_the_page_with_its_grade_and_source(page: str, name: str) -> None:
    for item in packaged_protocols()[name].requirements:
        rows = [line for line in page.splitlines() if line.startswith(f"| {item.title} ({item.section}) |")]
        assert any(line.endswith(f"| {item.grade} | {item.source} |") for line in rows), item.code


@pytest.mark.parametrize("name, column", [("lemtrada-us", 2), ("lemtrada-eu", 3)])
def test_every_setting_is_on_the_page_with_its_value_and_grade(page: str, name: str, column: int) -> None:
    for setting in packaged_protocols()[name].settings.values():
        row = next(line for line in page.splitlines() if line.startswith(f"| `{setting.name}` |"))
        cell = row.split(" | ")[column - 1].removeprefix("| ")
        assert cell.replace("*", "").startswith(f"{setting.value} ")
        assert cell.endswith(f"({setting.grade})")
        assert ("**" in cell) is setting.editable


def test_every_check_before_a_course_is_on_the_page(page: str) -> None:
    for protocol in packaged_protocols().values():
        for check in protocol.checks:
            assert check.title in page


def test_every_contraindication_is_on_the_page_with_its_grade(page: str) -> None:
    for column, name in enumerate(("lemtrada-us", "lemtrada-eu"), start=2):
        for item in packaged_protocols()[name].contraindications:
            row = next(line for line in page.splitlines() if line.startswith(f"| {item.title} ({item.section}) |"))
            assert row.split("|")[column].strip() == item.grade

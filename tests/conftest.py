"""What all tests share: fixtures are in ``tests/fixtures``, and what each is for is told in CONTRIBUTING.md.

``app`` is the application on an empty, migrated database; ``page`` a client that checks every page; ``cast`` and
``scope_for`` the people; ``clock`` the time. TEST_DATABASE=postgresql runs the same tests there.
"""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = [  # leaves first, so that each is prepared by pytest before another imports it
    "tests.fixtures.clock",
    "tests.fixtures.database",
    "tests.fixtures.people",
    "tests.fixtures.application",
]

BACKEND = os.environ.get("TEST_DATABASE", "sqlite")
MARK_OF_FOLDER = {"domain": "no_database", "browser": "browser"}
NOT_AGAIN = ("no_database", "both_databases")  # what the run on SQLite has shown already
WHOLE_DAYS = ("_day", "_journey")  # of the browser's tests these meet the database in all ways; the rest judge looks

settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
settings.register_profile("thorough", settings.get_profile("default"), max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark tests by their folder; on PostgreSQL leave out those that it cannot change."""
    for item in items:
        for folder in item.path.relative_to(config.rootpath).parts[:-1]:
            if folder in MARK_OF_FOLDER:
                item.add_marker(MARK_OF_FOLDER[folder])
    if BACKEND == "postgresql":
        again = [item for item in items if is_worth_repeating(item)]
        config.hook.pytest_deselected(items=[item for item in items if item not in set(again)])
        items[:] = again


def is_worth_repeating(item: pytest.Item) -> bool:
    """Whether another database may change what a test shows."""
    if any(item.get_closest_marker(name) for name in NOT_AGAIN):
        return False
    return item.get_closest_marker("browser") is None or item.path.stem.endswith(WHOLE_DAYS)


def pytest_report_header() -> str:
    """Say which database the run is on."""
    return f"database: {BACKEND}"


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the checkout."""
    return Path(__file__).resolve().parent.parent

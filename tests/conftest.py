"""What all tests share: the application on an empty, migrated database, a clock, and clients that check pages.

The rest is in ``tests/fixtures``: ``cast`` and ``scope_for`` (people), ``clock``, databases and browsers.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient, FlaskCliRunner
from flask_migrate import upgrade
from hypothesis import HealthCheck, settings

from clinic_tracker import create_app
from clinic_tracker.models.base import db
from config import Config
from tests.fixtures import database as databases_
from tests.fixtures.clock import CLOCK, Clock
from tests.fixtures.database import BACKEND, Database, Databases
from tests.fixtures.pages import Page

pytest_plugins = ["tests.fixtures.clock", "tests.fixtures.database", "tests.fixtures.people"]

NOT_AGAIN = ("no_database", "both_databases")  # what the run on SQLite has shown already

settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
settings.register_profile("thorough", settings.get_profile("default"), max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_configure(config: pytest.Config) -> None:
    """Start PostgreSQL once, in the process that the workers come from."""
    if databases_.needs_server(config):
        databases_.start_server(config)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests below tests/domain use no database; on PostgreSQL what needs none is left out."""
    for item in items:
        if "domain" in item.path.relative_to(config.rootpath).parts[:-1]:
            item.add_marker("no_database")
        if "browser" in item.path.relative_to(config.rootpath).parts[:-1]:
            item.add_marker("browser")
    if BACKEND == "postgresql":
        again = [item for item in items if not any(item.get_closest_marker(name) for name in NOT_AGAIN)]
        config.hook.pytest_deselected(items=[item for item in items if item not in set(again)])
        items[:] = again


def pytest_report_header() -> str:
    """Say which database the run is on."""
    return f"database: {BACKEND}"


@pytest.fixture(scope="session")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """Settings as the tests need them; ``make_app`` takes changes."""
    return Config(
        secret_key="only-for-tests-Xq81hVn3LwPz07Ty",
        database_url="sqlite://",
        instance_path=tmp_path_factory.mktemp("instance"),
        testing=True,
        secure_cookies=False,
    )


def hurry(engine: sa.Engine) -> None:
    """Tests need no file that survives a power cut."""
    if engine.dialect.name == "sqlite":

        @sa.event.listens_for(engine, "connect")
        def on_connect(connection: object, _record: object) -> None:
            connection.execute("PRAGMA synchronous = OFF")


def migrated(app: Flask, database: Database) -> Flask:
    """Bring the database of an application to the newest revision and make that its state to return to."""
    with app.app_context():
        hurry(db.engine)
        if any(Path(app.root_path).parent.glob("migrations/versions/0*.py")):
            upgrade()
        else:
            db.create_all()
        database.remember(db.engine)
    return app


@pytest.fixture(scope="session")
def shared_database(databases: Databases) -> Database:
    """The database of this worker."""
    return databases.make()


@pytest.fixture(scope="session")
def shared_app(config: Config, shared_database: Database) -> Flask:
    """The application of this worker; ask for ``app``, which empties its database first."""
    return migrated(create_app(replace(config, database_url=shared_database.url), clock=CLOCK), shared_database)


@pytest.fixture
def app(shared_app: Flask, shared_database: Database, clock: Clock) -> Iterator[Flask]:
    """The application on an empty database, in an application context, so that services and queries can be called."""
    with shared_app.app_context():
        shared_database.reset(db.engine)
        yield shared_app
        db.session.remove()


@pytest.fixture
def make_app(config: Config, databases: Databases, clock: Clock) -> Callable[..., Flask]:
    """Build another application on a database of its own, with settings changed: ``make_app(demo=True)``."""

    def make(**changes: object) -> Flask:
        own = databases.make()
        return migrated(create_app(replace(config, database_url=own.url, **changes), clock=clock), own)

    return make


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Flask's own test client, for what is no page."""
    return app.test_client()


@pytest.fixture
def page(app: Flask, clock: Clock) -> Page:
    """A client that checks every page it gets; ``page.sign_in(cast.staff)`` first."""
    return Page(app.test_client(), clock)


@pytest.fixture
def new_page(app: Flask, clock: Clock) -> Callable[[], Page]:
    """Further clients, for two people at once."""
    return lambda: Page(app.test_client(), clock)


@pytest.fixture
def runner(app: Flask) -> FlaskCliRunner:
    """Runs ``flask`` commands: ``runner.invoke(args=["schedule", "check"])``."""
    return app.test_cli_runner()


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the checkout."""
    return Path(__file__).resolve().parent.parent

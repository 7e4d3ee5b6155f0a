"""A worker that is killed anywhere leaves no half a file to take out, and the next one finishes what it began."""

import signal
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask_migrate import upgrade

from clinic_tracker.app import create_app
from clinic_tracker.domain.reporting.formats import ReportFormat
from clinic_tracker.models.access import Clinic
from clinic_tracker.models.base import db
from clinic_tracker.models.reporting import ReportRun
from clinic_tracker.queries.accounts import scope_of_command
from clinic_tracker.queries.reports.registry import REPORTS
from clinic_tracker.services.report_files import FileState, stored_file
from clinic_tracker.services.report_runs import ask
from config import Config
from tests.report_kills import LINES, NAME, POINTS, provide, worked

pytestmark = pytest.mark.both_databases


@pytest.fixture
def asked(tmp_path):
    """A database with one file that waits to be made."""
    database = f"sqlite:///{tmp_path / 't.sqlite3'}"
    app = create_app(Config(secret_key="x" * 40, database_url=database, instance_path=tmp_path, testing=True))
    provide()
    with app.app_context():
        upgrade()
        clinic = Clinic(slug="northside", name="Northside", time_zone="America/New_York", protocol_id="lemtrada-us")
        db.session.add(clinic)
        db.session.commit()
        scope = scope_of_command(None, "northside", "kill drive", datetime.now(UTC))
        yield database, tmp_path, scope, ask(scope, NAME, {}, ReportFormat.CSV)
        db.session.remove()
        db.engine.dispose()
    REPORTS.pop(NAME)


def pass_time():
    """Let the lease of a dead worker run out."""
    db.session.rollback()
    db.session.execute(sa.update(ReportRun).values(heartbeat_at=datetime.now(UTC) - timedelta(minutes=5)))
    db.session.commit()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("point", POINTS)
def test_killed_anywhere_the_next_worker_finishes(asked, point):
    database, folder, scope, run = asked
    assert worked(database, folder, point) == -signal.SIGKILL
    db.session.rollback()
    state, _path = stored_file(scope, run, folder / "reports")
    assert state is (FileState.UNCHANGED if point == "noted" else FileState.NOT_MADE)
    if point != "noted":
        pass_time()
    assert worked(database, folder, "nowhere") == 0
    db.session.rollback()
    db.session.expire_all()
    state, path = stored_file(scope, run, folder / "reports")
    assert state is FileState.UNCHANGED
    assert path.read_bytes().count(b"\r\n") == LINES + 1
    assert db.session.query(ReportRun).one().attempts == (1 if point == "noted" else 2)
    assert worked(database, folder, "nowhere") == 0  # tidies up at its start
    assert [left.name for left in (folder / "reports").iterdir()] == [path.name]

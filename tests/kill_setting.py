"""The database and the file for the kill drive."""

from pathlib import Path

from flask import Flask
from flask_migrate import upgrade

from clinic_tracker.app import create_app
from clinic_tracker.models.access import Clinic
from clinic_tracker.models.base import db
from clinic_tracker.queries.accounts import scope_of_command
from clinic_tracker.queries.scope import utc_now
from config import Config
from tests.bulk import fill, hl7_file

PATIENTS = 200


def application(database: str, folder: Path) -> Flask:
    """The application on a database."""
    return create_app(Config(secret_key="benchmark-" * 5, database_url=database, instance_path=folder, testing=True))


def prepared(folder: Path, messages: int, patients: int = PATIENTS) -> tuple[Path, Path]:
    """A database with treated patients, and a file of messages about them."""
    path, file = folder / "filled.sqlite3", folder / "results.hl7"
    app = application(f"sqlite:///{path}", folder)
    with app.app_context():
        upgrade()
        db.session.add(
            Clinic(slug="northside", name="Northside", time_zone="America/New_York", protocol_id="lemtrada-us")
        )
        db.session.commit()
        scope = scope_of_command(None, "northside", "kill drive", utc_now())
        assert scope is not None
        fill(scope, patients)
        file.write_bytes(hl7_file(scope, messages, of=patients))
        db.session.remove()
        with db.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        db.engine.dispose()
    return path, file

"""Results of laboratories per second into SQLite and PostgreSQL: the whole pipeline, beside floors of the same run.

Whole: bytes are kept, read, matched, understood, recorded with their audit trail, judged, and the schedules follow.
Floors: the same rows inserted in batches and nothing else; and reading alone with the library that is used, HL7 by hl7
and FHIR by fhir.resources (CSV by the reader here). Every patient has had a course and gets one blood draw of two
reports with eleven values.
"""

import argparse
import cProfile
import os
import pstats
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any

import hl7
import sqlalchemy as sa
from fhir.resources.R4B.bundle import Bundle
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import Table, insert, select

from clinic_tracker.app import create_app
from clinic_tracker.domain.messages import (
    Parsed,
)
from clinic_tracker.domain.vocabulary import InboundKind
from clinic_tracker.integrations import inbox
from clinic_tracker.models.access import Clinic
from clinic_tracker.models.audit import AuditEvent
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import InboundContent, InboundMessage, InboundResult
from clinic_tracker.models.monitoring import LabReport, LabValue
from clinic_tracker.queries.accounts import scope_of_command
from clinic_tracker.queries.scope import Scope, utc_now
from clinic_tracker.services.inbound_sources import add_source, keep_mapping
from config import Config
from tests.bulk import COLUMNS, LINES, csv_file, fhir_file, fill, hl7_file
from tests.fixtures.postgres import Cluster
from tests.fixtures.tools import find_postgres

LEAST_CSV, LEAST_PARSED = 0.20, 0.50
IN_BUNDLE = 5000  # patients: more make a bundle that is too large
WRITTEN = (AuditEvent, InboundResult, LabReport, LabValue)


class SqliteCopies:
    """A filled file, and copies of it."""

    name = "SQLite"

    def __init__(self, folder: Path) -> None:
        self.folder, self.count = folder, 0

    def first(self) -> str:
        return f"sqlite:///{self.folder}/filled.sqlite3"

    def copy(self) -> str:
        self.count += 1
        target = self.folder / f"copy{self.count}.sqlite3"
        target.write_bytes((self.folder / "filled.sqlite3").read_bytes())
        return f"sqlite:///{target}"


class PostgresCopies:
    """A filled database, and databases made after it."""

    name = "PostgreSQL"

    def __init__(self, cluster: Cluster) -> None:
        self.cluster, self.count = cluster, 0

    def _run(self, statement: str) -> None:
        engine = sa.create_engine(self.cluster.url("postgres"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)

    def first(self) -> str:
        self._run("CREATE DATABASE filled")
        return self.cluster.url("filled")

    def copy(self) -> str:
        self.count += 1
        self._run(f"CREATE DATABASE copy{self.count} TEMPLATE filled")
        return self.cluster.url(f"copy{self.count}")


Copies = SqliteCopies | PostgresCopies


@contextmanager
def opened(url: str, folder: Path) -> Iterator[Scope]:
    """The application on a database, and the scope of a command in its clinic."""
    secret = "benchmark-" * 5
    app: Flask = create_app(Config(secret_key=secret, database_url=url, instance_path=folder, testing=True))
    with app.app_context():
        scope = scope_of_command(None, "bench", "benchmark", utc_now()) if _has_tables() else None
        yield scope  # type: ignore[misc]
        db.session.remove()
        db.engine.dispose()


def _has_tables() -> bool:
    return "clinic" in sa.inspect(db.engine).get_table_names()


def prepare(copies: Copies, folder: Path, patients: int) -> None:
    """Migrate and fill the first database."""
    url = copies.first()
    with opened(url, folder):
        upgrade()
        clinic = Clinic(slug="bench", name="Bench", time_zone="America/New_York", protocol_id="lemtrada-us")
        db.session.add(clinic)
        db.session.commit()
        scope = scope_of_command(None, "bench", "benchmark", utc_now())
        assert scope is not None
        fill(scope, patients)
        db.session.remove()
        if isinstance(copies, SqliteCopies):
            with db.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            db.session.remove()


def seconds(copies: Copies, run: Callable[[], object]) -> float:
    """How long it takes; where the database is in this process, only its processor time, on a busy machine too."""
    clock = time.process_time if isinstance(copies, SqliteCopies) else time.perf_counter
    began = clock()
    run()
    return clock() - began


def profiled(run: Callable[[], object]) -> None:
    """Run it; with PROFILE=1 print where the time went."""
    if not os.environ.get("PROFILE"):
        run()
        return
    profile = cProfile.Profile()
    profile.runcall(run)
    for order in ("tottime", "cumtime"):
        pstats.Stats(profile).sort_stats(order).print_stats(40)


def whole(copies: Copies, folder: Path, kind: InboundKind, files: list[bytes]) -> tuple[float, list[Any]]:
    """Seconds for the whole pipeline, and the rows that it wrote."""
    with opened(copies.copy(), folder) as scope:
        source = add_source(scope, "Bench", kind)
        before = {
            model: db.session.execute(select(model.id).order_by(model.id.desc())).scalar() or 0 for model in WRITTEN
        }
        if kind is InboundKind.TABLE:
            keep_mapping(scope, source, COLUMNS)
        took = seconds(copies, lambda: profiled(lambda: [inbox.receive(scope, source, raw) for raw in files]))
        written = []
        for model in (InboundMessage, InboundContent, *WRITTEN):
            table = model.__table__
            rows = db.session.execute(select(table).where(table.c.id > before.get(model, 0)).order_by(table.c.id))
            written.append((table, [dict(row) for row in rows.mappings()]))
        return took, written


def floor(copies: Copies, folder: Path, kind: InboundKind, written: list[tuple[Table, list[dict[str, Any]]]]) -> float:
    """Seconds to insert the very same rows in batches, in a database like the other."""
    with opened(copies.copy(), folder) as scope:
        add_source(scope, "Bench", kind)
        db.session.rollback()

        def raw_insert() -> None:
            for table, rows in written:
                for begin in range(0, len(rows), 5000):
                    db.session.execute(insert(table), rows[begin : begin + 5000])
            db.session.commit()

        return seconds(copies, raw_insert)


def measure(copies: Copies, folder: Path, patients: int, formats: list[str], rounds: int) -> bool:
    """Print the rates of one database, the median of some rounds; whether they are as promised."""
    prepare(copies, folder, patients)
    results, good = patients * len(LINES), True
    with opened(copies.copy(), folder) as scope:
        texts = {
            "csv": [csv_file(scope, patients)],
            "hl7": [hl7_file(scope, patients)],
            "fhir": [
                fhir_file(scope, min(first + IN_BUNDLE, patients), first) for first in range(0, patients, IN_BUNDLE)
            ],
        }
        zone = scope.time_zone
    parsers = {
        "csv": lambda raw, zone: parser("tables")(raw, zone, COLUMNS),
        "hl7": parse_with_library,
        "fhir": validate_with_library,
    }
    for name in formats:
        kind = {"csv": InboundKind.TABLE, "hl7": InboundKind.HL7, "fhir": InboundKind.FHIR}[name]
        parses, wholes, floors = [], [], []
        for _ in range(rounds):
            parses.append(seconds(copies, lambda name=name: [parsers[name](raw, zone) for raw in texts[name]]))
            took, written = whole(copies, folder, kind, texts[name])
            wholes.append(took)
            floors.append(floor(copies, folder, kind, written))
        took_parse, took, took_floor = median(parses), median(wholes), median(floors)
        counts = ", ".join(f"{table.name} {len(rows)}" for table, rows in written)
        print(
            f"{copies.name:<11}{name:<5} whole {results / took:9.0f}/s   "
            f"raw insert {results / took_floor:9.0f}/s ({took_floor / took:.2f})   "
            f"parse alone {results / took_parse:9.0f}/s ({took_parse / took:.2f})   [{counts}]"
        )
        good &= took_floor / took >= LEAST_CSV if name == "csv" else took_parse / took >= LEAST_PARSED
    return good


def parse_with_library(raw: bytes, *_: object) -> list[Any]:
    """Every message of the file in the object model of the hl7 library."""
    return [hl7.parse(f"MSH|{text}") for text in raw.decode().split("MSH|")[1:]]


def validate_with_library(raw: bytes, *_: object) -> object:
    """The bundle in the object model of fhir.resources."""
    return Bundle.model_validate_json(raw)


def parser(name: str) -> Callable[..., list[Parsed]]:
    found: Callable[..., list[Parsed]] = import_module(f"clinic_tracker.integrations.{name}").parse
    return found


def main() -> int:
    """Print results per second; 1 if they are less than promised."""
    parser = argparse.ArgumentParser(prog="run.py bench import", description=__doc__)
    parser.add_argument("--patients", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--formats", nargs="*", default=["csv", "hl7", "fhir"])
    parser.add_argument("--databases", nargs="*", default=["sqlite", "postgresql"])
    options = parser.parse_args()
    good = True
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if "sqlite" in options.databases:
            good &= measure(SqliteCopies(folder), folder, options.patients, options.formats, options.rounds)
        programs = find_postgres()
        if "postgresql" in options.databases and programs is not None:
            cluster = Cluster(programs)
            cluster.start()
            try:
                good &= measure(PostgresCopies(cluster), folder, options.patients, options.formats, options.rounds)
            finally:
                cluster.stop()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

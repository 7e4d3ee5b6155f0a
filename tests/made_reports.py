"""A report whose lines a test decides, and the steps from asking for its file to having it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from clinic_tracker.domain.reporting.columns import Column, Kind
from clinic_tracker.domain.reporting.definition import Definition, Line, Takes
from clinic_tracker.domain.reporting.formats import ReportFormat
from clinic_tracker.exports.stored_reports import Outcome, make_held
from clinic_tracker.models.base import db
from clinic_tracker.models.reporting import ReportRun
from clinic_tracker.queries.accounts import scope_of_command
from clinic_tracker.queries.reports.registry import REPORTS, Source
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.report_claims import Claim, claim
from clinic_tracker.services.report_runs import ask
from tests.fixtures.clock import CLOCK

KEEP = timedelta(days=30)
DEFINITION = Definition(
    "numbers",
    "Numbers",
    "Which numbers are there?",
    (Column("number", "Number", Kind.COUNT, "A number, counted from one."),),
    frozenset({Takes.PERIOD, Takes.AS_OF, Takes.KNOWN_AT}),
)


@dataclass
class Numbers:
    """The report "numbers": how many lines it has, and what happens before each of them."""

    count: int = 3
    before: Callable[[int], None] = lambda _number: None
    asked: list[Any] = field(default_factory=list)

    def lines(self, _scope: Scope, parameters: Any) -> Iterator[Line]:
        self.asked.append(parameters)
        for number in range(1, self.count + 1):
            self.before(number)
            yield Line((number,))

    def put_in(self, monkeypatch: pytest.MonkeyPatch) -> "Numbers":
        source = Source(DEFINITION, self.lines, lambda _scope, _parameters: self.count)
        monkeypatch.setitem(REPORTS, DEFINITION.name, source)
        return self


def asked_for(scope: Scope, name: str = "numbers", form: str = "csv", token: str | None = None, **values: str) -> UUID:
    return ask(scope, name, {key.rstrip("_"): text for key, text in values.items()}, ReportFormat(form), token)


def taken(worker: str = "first", run: UUID | None = None) -> Claim | None:
    scope = scope_of_command(None, "northside", "report worker", CLOCK.now)
    assert scope is not None
    return claim(scope, worker, run)


def made(held: Claim | None, folder: Path, **options: Any) -> Outcome:
    assert held is not None
    scope = scope_of_command(None, held.clinic_slug, "report worker", CLOCK.now)
    assert scope is not None
    return make_held(scope, held, folder, keep=KEEP, clock=CLOCK, **options)


def row(run: UUID) -> ReportRun:
    db.session.rollback()
    db.session.expire_all()
    return db.session.query(ReportRun).filter_by(public_id=run).one()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []

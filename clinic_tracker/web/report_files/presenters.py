"""Files of reports in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import url_for

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.local_time import local_date, show_date
from clinic_tracker.domain.reporting.parameters import Parameters, read_parameters
from clinic_tracker.domain.reporting.words import instant_words
from clinic_tracker.queries.report_runs import LEASE, RunRow
from clinic_tracker.queries.reports.heads import report_head
from clinic_tracker.queries.reports.registry import REPORTS
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.report_runs import may_cancel

KILO = 1000
PATIENT = "Patient"  # the term that a head has for one


@dataclass(frozen=True, slots=True)
class ShownRun:
    """A file of a report as a page shows it."""

    row: RunRow
    title: str
    parameters: list[tuple[str, str]]
    state: str
    tone: str
    is_open: bool
    may_cancel: bool
    is_there: bool
    done: int | None  # percent
    ask_url: str | None  # where the same is asked for anew, if it came to nothing
    again_token: str  # the same for a minute, so that a button pressed twice asks once

    @property
    def run(self) -> Any:
        """The row itself."""
        return self.row.run

    @property
    def words(self) -> str:
        """The parameters in one line."""
        return "; ".join(f"{name}: {value}" for name, value in self.parameters)

    @property
    def size_words(self) -> str:
        """How large the file is: 12 kB."""
        size: int = self.run.size or 0
        if size < KILO:
            return f"{size} bytes"
        return f"{size / KILO:.0f} kB" if size < KILO * KILO else f"{size / KILO / KILO:.1f} MB"

    @property
    def asked_by(self) -> str:
        """Who asked for it."""
        if self.row.asked_by is not None:
            return self.row.asked_by
        return "Schedule" if self.row.schedule is not None else "Command"


def shown_run(scope: Scope, row: RunRow, *, named: bool = False) -> ShownRun:
    """A run in words, at the time of the page; a page that names the patient of one logs it, too."""
    run = row.run
    state, tone = _state(scope, row)
    is_open = not (run.finished_at or run.failed_at or run.cancelled_at)
    is_there = run.removed_at is None and run.expires_at is not None and run.expires_at > scope.now
    done = None
    if is_open and run.claimed_by is not None and run.lines_expected:
        done = min(99, 100 * run.lines_done // run.lines_expected)
    words = parameter_words(scope, run.name, run.parameters, named=named)
    token = f"{run.public_id} {scope.now:%Y%m%d%H%M}"
    ends = is_open and may_cancel(scope, run)
    title, anew = report_title(run.name), _ask_url(scope, run)
    return ShownRun(row, title, words, state, tone, is_open, ends, is_there, done, anew, token)


def _ask_url(scope: Scope, run: Any) -> str | None:
    """Where what came to nothing is asked for anew: as of the new asking, if the first meant its own."""
    if not (run.failed_at or run.cancelled_at) or run.name not in REPORTS:
        return None
    values = dict(run.parameters)
    if "known_at" in values and datetime.fromisoformat(values["known_at"]) == run.asked_at:
        del values["known_at"]
    if run.due_on is None and values.get("as_of") == local_date(run.asked_at, scope.time_zone).isoformat():
        del values["as_of"]
    return url_for("report_files.new", report=run.name, **values)


def _state(scope: Scope, row: RunRow) -> tuple[str, str]:
    run = row.run
    if run.failed_at:
        return "Not made", "red"
    if run.cancelled_at:
        return "Cancelled", "grey"
    if run.finished_at:
        gone = run.removed_at is not None or run.expires_at is None or run.expires_at <= scope.now
        return ("No longer kept", "grey") if gone else ("Ready", "green")
    if run.heartbeat_at is None:
        return "Waiting", "amber"
    if run.heartbeat_at < scope.now - LEASE:
        return "Interrupted: is begun again", "amber"
    return "Being made", "accent"


def report_title(name: str) -> str:
    """The title of a report; its name where there is no such report any more."""
    return REPORTS[name].definition.title if name in REPORTS else name


def parameter_words(scope: Scope, name: str, values: Mapping[str, str], *, named: bool) -> list[tuple[str, str]]:
    """What a file is about, in words, with or without the name of a patient; as stored where it cannot be read."""
    if name not in REPORTS:
        return sorted(values.items())
    definition = REPORTS[name].definition
    try:
        parameters = read_parameters(definition, values, scope.now, scope.time_zone)
        head = report_head(scope, definition, parameters)
    except RuleViolation:
        return sorted(values.items())
    told = [(term, value if named or term != PATIENT else "One patient") for term, value in head.parameters]
    words = [("As of", show_date(head.as_of)), *told]
    if parameters.known_at is not None:
        words.insert(1, ("As known at", instant_words(parameters.known_at, scope.time_zone)))
    if head.deidentified:
        words.append(("De-identified", head.deidentified))
    return words


def parameters_of(scope: Scope, row: RunRow) -> Parameters:
    """The parameters of a run."""
    return read_parameters(REPORTS[row.run.name].definition, row.run.parameters, scope.now, scope.time_zone)

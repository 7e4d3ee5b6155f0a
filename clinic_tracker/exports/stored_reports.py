"""Making the file of a run that is held: written aside, put in place whole, and only then noted as there."""

import contextvars
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Self

from clinic_tracker.domain.errors import NotFound, RuleViolation
from clinic_tracker.domain.reporting.formats import ReportFormat
from clinic_tracker.domain.reporting.parameters import read_parameters
from clinic_tracker.exports.reports.files import make_file
from clinic_tracker.exports.reports.writing import Made
from clinic_tracker.queries.reports.registry import REPORTS
from clinic_tracker.queries.scope import PermissionDenied, Scope
from clinic_tracker.services.report_claims import Claim, Result, beat, fail, finish, release
from clinic_tracker.services.report_files import digest_of, place_of, put_in_place

BEAT_SECONDS = 2.0
BROKEN = "It could not be made. The reason is in the log of the program that makes files."
log = logging.getLogger(__name__)


class Outcome(StrEnum):
    """How the making of a file went."""

    MADE = "made"
    FAILED = "failed"
    LOST = "lost"  # cancelled, or held by another by now
    STOPPED = "stopped"  # given back, because the worker is to end


class _Ended(Exception):
    """The making is to end between two lines; ``args[0]`` says how."""


@dataclass
class Holder:
    """Holds a run while its file is made: renews the lease from a thread, and ends the making when it is lost."""

    scope: Scope
    held: Claim
    clock: Callable[[], datetime]
    stopping: Callable[[], bool]
    every: float = BEAT_SECONDS
    done: int = 0
    expected: int | None = None
    lost: bool = False
    _over: Event = field(default_factory=Event)
    _thread: Thread | None = None

    def watch(self, done: int, expected: int | None) -> None:
        """Between two lines: note how far it is; end where the run is lost or the worker is to stop."""
        self.done, self.expected = done, expected
        if self.lost:
            raise _Ended(Outcome.LOST)
        if self.stopping():
            raise _Ended(Outcome.STOPPED)

    def beat(self) -> None:
        """Renew the lease; notice that it is lost."""
        try:
            self.lost = not beat(replace(self.scope, now=self.clock()), self.held, self.done, self.expected)
        except Exception:
            log.exception("The heartbeat of a file was not recorded")  # the next one may be; the lease decides

    def __enter__(self) -> Self:
        """Begin to beat."""
        context = contextvars.copy_context()  # knows the database of the application
        self._thread = Thread(target=context.run, args=(self._beat_until_over,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Beat no more."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _beat_until_over(self) -> None:
        while not self._over.wait(self.every):
            self.beat()


def make_held(
    scope: Scope,
    held: Claim,
    folder: Path,
    *,
    keep: timedelta,
    clock: Callable[[], datetime],
    stopping: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Make the file of a run and note it as there; how it went. Raises only what the database says.

    ``scope`` is the worker's in the clinic of the run. The file is made as at the instant of the asking, so that the
    same run gives the same bytes on another day.
    """
    holder = Holder(scope, held, clock, stopping)
    path = folder / held.file
    try:
        path = place_of(scope, folder, held.file)
        with holder:
            result, path = _made(scope, held, path, holder)
        outcome = _note(replace(scope, now=clock()), held, result, keep)
    except _Ended as ended:
        outcome = ended.args[0]
    except Exception as error:  # noqa: BLE001 - whatever it was, the next file can be made
        outcome = Outcome.FAILED
        fail(replace(scope, now=clock()), held, _failure(error))
    except BaseException:
        _remove(path)
        raise
    if outcome is not Outcome.MADE:
        _remove(path)
    if outcome is Outcome.STOPPED:
        release(scope, held)
    return outcome


def _made(scope: Scope, held: Claim, path: Path, holder: Holder) -> tuple[Result, Path]:
    if held.name not in REPORTS:
        raise NotFound("report")
    as_asked = replace(scope, now=held.as_at, actor_name=held.made_by)
    parameters = read_parameters(REPORTS[held.name].definition, held.parameters, held.as_at, scope.time_zone)
    made = Made(held.made_by, held.made_on)
    written = make_file(as_asked, held.name, parameters, ReportFormat(held.form), made, path, holder.watch)
    holder.watch(written.lines, holder.expected)
    final = put_in_place(scope, path)
    size = final.stat().st_size
    return Result(digest_of(scope, final), written.checksum, size, written.lines, written.patients), final


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


def _note(scope: Scope, held: Claim, result: Result, keep: timedelta) -> Outcome:
    return Outcome.MADE if finish(scope, held, result, keep) else Outcome.LOST


def _failure(error: Exception) -> str:
    """Why a file cannot be made, in words that name no patient."""
    match error:
        case RuleViolation():
            return error.message
        case NotFound():
            return f"There is no such {error} any more."
        case PermissionDenied():
            return "It may not be made by this program."
        case OSError() if error.strerror:
            log.error("A file could not be written", exc_info=error)
            return f"The file could not be written: {error.strerror}."
        case _:
            log.error("A file could not be made", exc_info=error)
            return BROKEN

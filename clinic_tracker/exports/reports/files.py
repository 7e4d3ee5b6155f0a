"""Files of reports: made from a request in one go."""

import os
from dataclasses import dataclass
from pathlib import Path

from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.reporting.formats import ReportFormat
from clinic_tracker.domain.reporting.parameters import Identity, Parameters
from clinic_tracker.exports.evidence_pack import write_pack
from clinic_tracker.exports.reports.reading import Watch
from clinic_tracker.exports.reports.writing import Made, Written, write
from clinic_tracker.queries.reports import evidence_pack
from clinic_tracker.queries.scope import Scope
from clinic_tracker.queries.watching import watched
from clinic_tracker.services.reporting import check_format, make_report

CHECKSUM_SHOWN = 12


@dataclass
class _Watching:
    """Tells a watch how far it is, and the same once more while there is nothing new."""

    watch: Watch | None
    done: int = 0
    expected: int | None = None

    def __call__(self, done: int, expected: int | None) -> None:
        self.done, self.expected = done, expected
        self.look()

    def look(self) -> None:
        if self.watch is not None:
            self.watch(self.done, self.expected)


def make_file(
    scope: Scope,
    name: str,
    parameters: Parameters,
    form: ReportFormat,
    made: Made,
    path: Path,
    watch: Watch | None = None,
) -> Written:
    """Make a report and write it to ``path``, a new file that only its owner may read.

    Raises what ``make_report`` raises, PermissionDenied for whoever may not export, FileExistsError, and what
    ``watch`` raises; after any of them there is no file. ``watch`` is also asked before there are lines, while patients
    are counted. Note the file with ``note_file`` before it is handed out.
    """
    scope.require(Permission.EXPORT_DATA)
    check_format(scope, name, form)
    watching = _Watching(watch)
    with watched(scope, watching.look), make_report(scope, name, parameters) as report:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                if name == evidence_pack.NAME:
                    return write_pack(scope, report.head, parameters, form, file, made, watching)
                return write(report, form, file, made, watching)
        except BaseException:
            path.unlink(missing_ok=True)
            raise


def file_name(scope: Scope, name: str, parameters: Parameters, form: ReportFormat, checksum: str) -> str:
    """The name under which a file is kept: report, clinic, dates and the beginning of the checksum; no person."""
    first = [parameters.from_on.isoformat()] if parameters.from_on is not None else []
    last = parameters.to_on if parameters.to_on is not None else parameters.as_of
    variant = [parameters.identity.value] if parameters.identity is not Identity.FULL else []
    parts = [name, scope.clinic_slug, *first, last.isoformat(), *variant, checksum[:CHECKSUM_SHOWN]]
    return f"{'-'.join(parts)}.{form.value}"

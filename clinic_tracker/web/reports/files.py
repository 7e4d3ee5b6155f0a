"""A report as an answer to download."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from flask import Response

from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.reporting.formats import MEDIA_TYPES, ReportFormat
from clinic_tracker.domain.reporting.parameters import Parameters
from clinic_tracker.exports.reports.files import file_name, make_file
from clinic_tracker.exports.reports.writing import Made
from clinic_tracker.queries.scope import Scope
from clinic_tracker.services.reporting import note_file

BLOCK = 64 * 1024


def read_format(text: str) -> ReportFormat:
    """The format of an address; RuleViolation for one that there is not."""
    try:
        return ReportFormat(text)
    except ValueError:
        raise RuleViolation("no_such", "format", f"There is no file of the kind “{text}”.") from None


def report_answer(scope: Scope, name: str, parameters: Parameters, form: ReportFormat) -> Response:
    """Make the file, note it and its patients, and answer with it. Nothing of it stays on the disk."""
    with tempfile.TemporaryDirectory(prefix="report-") as folder:
        path = Path(folder) / "file"
        written = make_file(scope, name, parameters, form, Made(scope.actor_name, scope.today), path)
        note_file(scope, name, parameters, form.value, written.checksum, written.patients)
        content = _nameless(path)
    headers = {
        "Content-Disposition": f'attachment; filename="{file_name(scope, name, parameters, form, written.checksum)}"',
        "Content-Length": str(content.seek(0, os.SEEK_END)),
        "Cache-Control": "no-store",
    }
    return Response(_blocks(content), mimetype=MEDIA_TYPES[form], headers=headers)


def _blocks(content: IO[bytes]) -> Iterator[bytes]:
    with content:
        content.seek(0)
        while block := content.read(BLOCK):
            yield block


def _nameless(path: Path) -> IO[bytes]:
    """A copy without a name, which is gone when it is closed: the answer does that."""
    content = tempfile.TemporaryFile()  # noqa: SIM115
    with path.open("rb") as file:
        shutil.copyfileobj(file, content)
    return content

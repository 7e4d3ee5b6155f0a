"""One report as one file, of whatever format."""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from clinic_tracker.domain.reporting.definition import Report
from clinic_tracker.domain.reporting.formats import ReportFormat
from clinic_tracker.exports.reports.paper import write_pdf
from clinic_tracker.exports.reports.plain import write_csv, write_json
from clinic_tracker.exports.reports.reading import Made, Reading, Watch
from clinic_tracker.exports.reports.workbook import write_xlsx

__all__ = ["FORMS", "Made", "Written", "write"]

WRITERS: dict[ReportFormat, Callable[[Reading, BinaryIO, Made], None]] = {
    ReportFormat.CSV: write_csv,
    ReportFormat.XLSX: write_xlsx,
    ReportFormat.PDF: write_pdf,
    ReportFormat.JSON: write_json,
}
FORMS = tuple(WRITERS)


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: how many lines, the checksum of the report, the keys of the patients on it."""

    lines: int
    checksum: str
    patients: frozenset[int]


def write(report: Report, form: ReportFormat, stream: BinaryIO, made: Made, watch: Watch | None = None) -> Written:
    """Write a report, whose lines are read once. The same report and maker give the same bytes.

    ``watch`` is told every few hundred lines how many there are and about how many are expected; what it raises ends
    the writing.
    """
    reading = Reading(report, watch)
    if form is ReportFormat.XLSX:
        with tempfile.TemporaryFile() as whole:  # the parts of a workbook are put together at the end
            write_xlsx(reading, whole, made)
            whole.seek(0)
            shutil.copyfileobj(whole, stream)
    else:
        WRITERS[form](reading, stream, made)
    return Written(reading.count, reading.checksum, frozenset(reading.patients))

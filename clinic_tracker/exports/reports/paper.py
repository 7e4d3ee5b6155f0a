"""Reports as a tagged PDF: the head, the lines where they are not too many, the definition of every column."""

from itertools import islice
from typing import Any, BinaryIO

from clinic_tracker.domain.reporting.definition import Line
from clinic_tracker.domain.reporting.words import NUMERIC, shown
from clinic_tracker.exports.pdf import document
from clinic_tracker.exports.reports.reading import Made, Reading

MOST_LINES = 500
FIRST_LINES = 40
WIDE = 6  # columns from which the paper lies on its side


def write_pdf(reading: Reading, stream: BinaryIO, made: Made) -> None:
    """The document. Above 500 lines it holds the first ones and says where the whole list is."""
    kept: list[Line] = []
    for part in reading.parts():
        kept += islice(part.lines, max(MOST_LINES + 1 - len(kept), 0))
    cut = reading.count > MOST_LINES
    head, columns = reading.report.head, reading.report.columns
    values: dict[str, Any] = {
        "title": head.title,
        "question": head.question,
        "clinic": head.clinic,
        "made": made.words,
        "date": [made.on.year, made.on.month, made.on.day],
        "checksum": reading.checksum,
        "wide": len(columns) >= WIDE,
        "facts": [list(fact) for fact in reading.facts()],
        "notes": list(head.notes),
        "cut": _cut(reading.count) if cut else "",
        "columns": [
            {"title": one.title, "definition": one.definition, "numeric": one.kind in NUMERIC} for one in columns
        ],
        "lines": [
            [shown(value, column, head.time_zone) for value, column in zip(line.cells, columns, strict=True)]
            for line in (kept[:FIRST_LINES] if cut else kept)
        ],
    }
    stream.write(document("report", values))


def _cut(count: int) -> str:
    return (
        f"The first {FIRST_LINES} of {count:,} lines. A list of more than {MOST_LINES} lines is not printed: "
        "the whole of it is in the XLSX, CSV and JSON of this report, which have the same checksum."
    )

"""A report with a column of every kind, and readers of its files."""

import io
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from clinic_tracker.domain.reporting.columns import Column, Kind, Privacy
from clinic_tracker.domain.reporting.definition import Head, Line, Report
from clinic_tracker.domain.reporting.formats import ReportFormat
from clinic_tracker.exports.reports.writing import Made, Written, write

MADE = Made("Rosa Ramirez", date(2026, 1, 22))
HEAD = Head(
    name="samples",
    title="Samples & more",
    question="Which values are there?",
    clinic="Northside MS Center",
    time_zone="America/New_York",
    as_of=date(2026, 1, 22),
    known_at="21-Jan-2026, 2:05 pm EST",
    parameters=(("Period", "01-Jan-2026 to 22-Jan-2026, both included"),),
    protocol="LEMTRADA REMS, version 2024-03-04",
    notes=("A note on how to read it.",),
)
COLUMNS = (
    Column("mrn", "MRN", Kind.TEXT, "The number of the patient", Privacy.PATIENT),
    Column("patient", "Patient", Kind.TEXT, "The name of the patient", Privacy.PATIENT),
    Column("requirement", "Requirement", Kind.CODE, "What is due"),
    Column("due", "Due", Kind.COUNT, "How many fell due", totaled=True),
    Column("value", "Value", Kind.NUMBER, "A measured value"),
    Column("on_time", "On time", Kind.SHARE, "On time of expected"),
    Column("due_on", "Due on", Kind.DATE, "When it is due", Privacy.DATED),
    Column("month", "Month", Kind.MONTH, "The month of it"),
    Column("seen_at", "Seen", Kind.INSTANT, "When it was seen", Privacy.DATED),
    Column("waived", "Waived", Kind.YES_NO, "Whether it was waived"),
    Column("remark", "Remark", Kind.TEXT, "What was noted", Privacy.IDENTITY),
)
SEEN = datetime(2026, 1, 20, 19, 5, 7, tzinfo=UTC)


def patient(number: int) -> UUID:
    """A public id."""
    return UUID(int=number << 64 | 0x4000_8000_0000_0000_0000)


def line(number: int, **changes: Any) -> Line:
    """A line about a patient; ``changes`` by the name of the column."""
    cells = {
        "mrn": f"MRN-{number:05}",
        "patient": f"DOE, Jane {number}",
        "requirement": "cbc_diff",
        "due": number,
        "value": 1.5,
        "on_time": 2 / 3,
        "due_on": date(2026, 1, 5),
        "month": date(2026, 1, 1),
        "seen_at": SEEN,
        "waived": False,
        "remark": "called twice",
    }
    return Line(tuple({**cells, **changes}.values()), number, patient(number))


def sample(lines: Any = None, head: Head = HEAD) -> Report:
    """The report, with two lines unless others are given."""
    return Report(head, COLUMNS, [line(1), line(2)] if lines is None else lines)


def written(form: ReportFormat, report: Report | None = None, made: Made = MADE) -> tuple[bytes, Written]:
    """The file, and what is said about it."""
    stream = io.BytesIO()
    told = write(sample() if report is None else report, form, stream, made)
    return stream.getvalue(), told

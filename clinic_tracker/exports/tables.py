"""Tables as CSV, streamed, and safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

#: What a spreadsheet may take for the beginning of a formula, in the wide forms of East Asian scripts too.
ACTIVE = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def csv_lines(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, for_spreadsheets: bool = True) -> Iterator[str]:
    """The lines of a CSV file, header first, ended by CR LF (RFC 4180).

    Dates are ISO 8601; None is empty. For spreadsheets, text that one would run as a formula gets a leading
    apostrophe; for programs the text stays as it is.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    yield _line(writer, buffer, columns)
    for row in rows:
        yield _line(writer, buffer, [cell(value, for_spreadsheets=for_spreadsheets) for value in row])


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, for_spreadsheets: bool = True) -> str:
    """The same as one text, for a list of moderate length."""
    return "".join(csv_lines(columns, rows, for_spreadsheets=for_spreadsheets))


def cell(value: Any, *, for_spreadsheets: bool = True) -> str | int | float:
    """One value as it is written."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return value
    if isinstance(value, date | datetime):
        return value.isoformat()
    text = str(value)
    return f"'{text}" if for_spreadsheets and text.startswith(ACTIVE) else text


def _line(writer: Any, buffer: io.StringIO, row: Sequence[Any]) -> str:
    writer.writerow(row)
    line = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return line

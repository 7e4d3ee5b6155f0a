"""Cells of a file as text: without what cannot be stored, each run of blanks as one."""

from datetime import date, datetime, time
from typing import Any

from clinic_tracker.integrations.wire import safe

_WHOLE = 10**15


class CellTexts(dict[str, str]):
    """The texts of the cells of one file by what is written there: the same words come over and over."""

    def __missing__(self, cell: str) -> str:
        text = self[cell] = _tidy(cell)
        return text


def cell_text(value: Any) -> str:
    """A typed cell as text: dates as ISO 8601, whole numbers without a point."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return str(int(value)) if value == value // 1 and abs(value) < _WHOLE else format(value, ".15g")
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time(0) else value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, date):
        return value.isoformat()
    return _tidy("" if value is None else str(value))


def _tidy(text: str) -> str:
    return " ".join(safe(text).split())

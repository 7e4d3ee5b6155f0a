"""The compliance report in words and lines."""

from typing import Any

from clinic_tracker.queries.compliance import ComplianceRow

COLUMNS = ("requirement", "month", "due", "waived", "expected", "on_time", "late", "missed", "owed", "percent_on_time")


def cells(row: ComplianceRow) -> tuple[Any, ...]:
    """One line of the CSV file."""
    share = row.share_on_time
    return (
        row.requirement,
        row.month.strftime("%Y-%m"),
        row.due,
        row.waived,
        row.expected,
        row.on_time,
        row.late,
        row.missed,
        row.owed,
        round(share * 100, 1) if share is not None else None,
    )


def percent(row: ComplianceRow) -> str:
    """The share on time, a dash where nothing was expected."""
    share = row.share_on_time
    return "-" if share is None else f"{share:.0%}"

"""The files that a report can be had as."""

import re
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

UNFINISHED = ".part"
_STORED = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-(\d{1,9})\.[a-z]+(\.part)?")


class ReportFormat(StrEnum):
    """What a file of a report is."""

    CSV = "csv"
    XLSX = "xlsx"
    JSON = "json"
    PDF = "pdf"
    ZIP = "zip"


FORMAT_WORDS: dict[ReportFormat, str] = {
    ReportFormat.CSV: "CSV (table for programs)",
    ReportFormat.XLSX: "XLSX (Excel)",
    ReportFormat.JSON: "JSON (for programs)",
    ReportFormat.PDF: "PDF (for print)",
    ReportFormat.ZIP: "ZIP (several tables)",
}

MEDIA_TYPES: dict[ReportFormat, str] = {
    ReportFormat.CSV: "text/csv",
    ReportFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ReportFormat.JSON: "application/json",
    ReportFormat.PDF: "application/pdf",
    ReportFormat.ZIP: "application/zip",
}


class Stored(NamedTuple):
    """What the name of a stored file says."""

    run: UUID
    attempt: int
    unfinished: bool


def stored_name(run: UUID, attempt: int, form: str) -> str:
    """The name under which an attempt at a run keeps its file: no other attempt has the same, no person is named."""
    return f"{run}-{attempt}.{form}"


def read_stored_name(name: str) -> Stored | None:
    """What such a name says; None for a file that is none of ours."""
    match = _STORED.fullmatch(name)
    return Stored(UUID(match[1]), int(match[2]), match[3] is not None) if match else None

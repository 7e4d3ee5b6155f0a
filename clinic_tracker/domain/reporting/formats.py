"""The files that a report can be had as."""

from enum import StrEnum


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

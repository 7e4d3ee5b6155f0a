"""Data sheets and the sheet to take home as the values that their documents print."""

from typing import Any

from clinic_tracker.domain.course_forms.sheet import NOT_OFFICIAL, Field, Need, Section, Sheet
from clinic_tracker.domain.course_forms.take_home import LANGUAGE, TakeHome
from clinic_tracker.exports.pdf import document


def sheet_document(sheet: Sheet, *, person: str, made: str, clinic: str) -> bytes:
    """A data sheet as a document: ``person`` heads each page, ``made`` says who made it and when."""
    values: dict[str, Any] = {
        "title": sheet.title,
        "notice": NOT_OFFICIAL,
        "person": person,
        "made": made,
        "clinic": clinic,
        "missing": [f"{item.section}: {item.label}" for item in sheet.missing],
        "asked": list(sheet.asked),
        "sent": [
            f"Sent on {row.submitted_on}, {row.method}"
            f"{f', confirmation {row.confirmation}' if row.confirmation else ''}, recorded by {row.recorded_by}."
            for row in sheet.sent
        ],
        "sections": [_section(section) for section in sheet.sections],
    }
    return document("sheet", values)


def take_home_document(sheet: TakeHome, *, person: str, clinic: str) -> bytes:
    """The sheet to take home as a document in large print."""
    values: dict[str, Any] = {
        "title": sheet.title,
        "about": sheet.about,
        "person": person,
        "clinic": clinic,
        "language": LANGUAGE,
        "parts": [
            {
                "title": part.title,
                "lead": part.lead,
                "points": list(part.points),
                "blanks": list(part.blanks),
                "after": part.after,
                "urgent": part.urgent,
            }
            for part in sheet.parts
        ],
    }
    return document("take_home", values)


def _section(section: Section) -> dict[str, Any]:
    return {
        "title": section.title,
        "note": section.note,
        "fields": [_field(item) for item in section.fields],
        "tables": [
            {
                "title": table.title,
                "columns": list(table.columns),
                "rows": [list(row) for row in table.rows],
                "empty": table.empty,
            }
            for table in section.tables
        ],
    }


def _field(item: Field) -> dict[str, Any]:
    by_hand = not item.text and item.need in (Need.BY_HAND, Need.ASKED)
    return {
        "label": item.label,
        "text": item.shown,
        "missing": item.is_missing,
        "line": by_hand,
        "unconfirmed": item.unconfirmed,
    }

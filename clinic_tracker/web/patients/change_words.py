"""Audit events in words: what was done, and which fields were what before."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from clinic_tracker.domain.local_time import show_date
from clinic_tracker.domain.screening import EXAM_TYPES, VACCINES_BY_CODE, exam_title, vaccine_title
from clinic_tracker.domain.vocabulary import ExamKind
from clinic_tracker.queries.chart_changes import Change, Look
from clinic_tracker.queries.protocols import packaged_protocols

# What a person would not say, or what the line says already.
UNTOLD = re.compile(
    r"(^|_)(id|public_id|clinic_id|patient_id|version|form_token|replaces_id|recorded_at|recorded_via|state)$|_by_id$|"
    r"^(registered_at|planned_at|withdrawn_at|withdrawn_reason|code|reason|requirement)$"
)
PRESCRIBER = "prescriber_id"
PROTOCOL = "protocol_id"
FIELD_WORDS = {
    "mrn": "MRN",
    "rems_patient_id": "REMS patient ID",
    "rems_reference": "REMS reference",
    "prescriber_id": "prescriber",
    "protocol_id": "protocol",
    "has_cervix": "has a cervix",
    "sex_at_birth": "sex at birth",
    "birth_date": "date of birth",
    "dose_mg": "dose (mg)",
}
ACTION_WORDS = {
    "patient.registered": "Chart opened",
    "patient.edited": "Patient details changed",
    "patient.protocol_changed": "Protocol changed",
    "patient.merged": "Charts merged",
    "patient.merge_undone": "Merge undone",
    "patient.not_a_duplicate": "Found to be a different person",
    "enrollment.recorded": "Enrolled",
}
ENDPOINT_WORDS = {
    "patients.chart": "Overview",
    "patients.details": "Details",
    "patients.exams": "Exams",
    "patients.contacts": "Contacts",
    "patients.changes": "Access and changes",
    "labs.patient_results": "Results",
    "infusions.courses": "Courses and infusions",
    "rems.forms": "Forms",
}
EXAM_FIELDS = frozenset({"kind", "outcome"})
CODES = frozenset(
    {"kind", "outcome", "sex_at_birth", "method", "channel", "panel", "requirement", "result_status", "grade"}
)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}")


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field; ``before`` is None for something new."""

    name: str
    before: str | None
    after: str


@dataclass(frozen=True, slots=True)
class ToldChange:
    """One change in words."""

    at: datetime
    who: str
    what: str
    reason: str | None
    fields: list[FieldChange]


@dataclass(frozen=True, slots=True)
class DayOfLooks:
    """How often a person looked on a day, and at what."""

    on: date
    who: str
    count: int
    last_at: datetime
    pages: str


def told_change(change: Change, prescribers: Mapping[int, str], time_zone: str) -> ToldChange:
    """A change with its fields. ``prescribers`` gives the names for keys."""
    before, after = change.before, change.after or {}

    def words(name: str, value: Any) -> str:
        if name == PRESCRIBER and value is not None:
            return prescribers.get(value, "another prescriber")
        if name == PROTOCOL and value in packaged_protocols():
            return packaged_protocols()[value].title
        if change.subject_type == "exam" and name in EXAM_FIELDS:
            return _exam_word(name, value, {**(before or {}), **after})
        return _value(name, value, ZoneInfo(time_zone))

    told = [
        FieldChange(
            _field(name),
            words(name, before.get(name)) if before is not None else None,
            words(name, value),
        )
        for name, value in sorted(after.items())  # one order, whatever the database keeps
        if (name == PRESCRIBER or not UNTOLD.search(name) or name in FIELD_WORDS)
        and (before is not None or value not in (None, "", [], {}, False))
    ]
    who = change.who or change.system_actor or "The system"
    return ToldChange(change.at, who, _action(change.action), change.reason, told)


def _exam_word(name: str, value: Any, row: Mapping[str, Any]) -> str:
    """The kind or the outcome of an exam, as the forms name it."""
    if name == "kind":
        return exam_title(value)
    kind = row.get("kind")
    return EXAM_TYPES[ExamKind(kind)].words(value) if kind else str(value).replace("_", " ")


def looks_by_day(looks: list[Look], time_zone: str) -> list[DayOfLooks]:
    """Looks grouped by local day and person, the latest first."""
    zone = ZoneInfo(time_zone)

    def day_and_person(look: Look) -> tuple[date, str]:
        return look.at.astimezone(zone).date(), look.who or look.system_actor or "The system"

    ordered = sorted(looks, key=lambda look: (day_and_person(look), look.at), reverse=True)
    days = []
    for (on, who), group in groupby(ordered, key=day_and_person):
        seen = list(group)
        pages = dict.fromkeys(_page(look.endpoint) for look in seen)
        days.append(DayOfLooks(on, who, len(seen), seen[0].at, ", ".join(pages)))
    return days


def _action(action: str) -> str:
    """In words: "exam.entered_in_error" is "Exam entered in error"."""
    return ACTION_WORDS.get(action) or action.replace(".", " ").replace("_", " ").capitalize()


def _page(endpoint: str) -> str:
    return ENDPOINT_WORDS.get(endpoint) or endpoint.partition(".")[2].replace("_", " ").capitalize()


def _field(name: str) -> str:
    return FIELD_WORDS.get(name) or name.replace("_", " ")


def _value(name: str, value: Any, zone: ZoneInfo) -> str:
    if value in (None, "", [], {}):
        return "empty"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name == "vaccine" and value in VACCINES_BY_CODE:
        return vaccine_title(value)
    if isinstance(value, dict):
        return ", ".join(f"{key.replace('_', ' ')}: {inner}" for key, inner in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return _text(name, str(value), zone)


def _text(name: str, text: str, zone: ZoneInfo) -> str:
    """Dates and instants as people read them; codes as words."""
    if _DATE.fullmatch(text):
        return show_date(date.fromisoformat(text))
    if name.endswith("_at") and _INSTANT.match(text):
        there = datetime.fromisoformat(text).astimezone(zone)
        return f"{show_date(there.date())} {there:%H:%M}"
    return text.replace("_", " ") if name in CODES else text

"""The audit trail in words."""

from typing import Any

from clinic_tracker.queries.audit_trail import ChangeRow

_SUBJECTS = {
    "session": "Signing in",
    "user": "Accounts",
    "membership": "Roles",
    "clinic": "Clinic and settings",
    "facility": "Facility certification",
    "prescriber": "Prescribers",
    "chair": "Chairs",
    "patient": "Patients",
    "enrollment": "Enrollment",
    "course": "Courses",
    "booking": "Bookings of chairs",
    "authorization": "Authorizations",
    "infusion": "Infusions",
    "prophylaxis": "Prophylaxis",
    "lab_report": "Results",
    "finding": "Findings",
    "task": "Follow-up tasks",
    "cover": "Cover for prescribers",
    "automatic_review": "Automatic review",
    "exam": "Exams",
    "vaccination": "Vaccinations",
    "form": "REMS forms",
    "waiver": "Waivers",
    "monitoring": "End of monitoring",
    "outreach": "Contacts",
    "course_follow_up": "Calls after a course",
    "report_run": "Files of reports",
    "report_schedule": "Reports that come by themselves",
    "report_delivery": "Letters about reports",
    "data": "Exports",
}
ACTION_GROUPS = [("", "Everything"), *((f"{key}.", words) for key, words in _SUBJECTS.items())]
LOOK_GROUPS = [
    ("", "Every page"),
    ("patients.", "Charts and patient lists"),
    ("labs.", "Results"),
    ("infusions.", "Infusions"),
    ("rems.", "REMS forms"),
    ("worklists.", "Worklists"),
    ("tasks.", "Follow-up tasks"),
    ("home.", "Today"),
    ("reports.", "Reports"),
    ("admin.", "Administration"),
]
_SHORTEST = 40


def action_words(action: str) -> str:
    """``lab_report.recorded`` as "Lab report recorded"."""
    return action.replace(".", " ").replace("_", " ").capitalize()


def look_words(endpoint: str) -> str:
    """``patients.chart`` as "Patients: chart"."""
    area, _, page = endpoint.partition(".")
    return f"{area.capitalize()}: {page.replace('_', ' ')}"


def changed_words(row: ChangeRow) -> list[tuple[str, str, str]]:
    """The columns that changed, with the values before and after; for a new row only the telling ones."""
    after = row.after or {}
    if row.before is None:
        return [(name.replace("_", " "), "", _shown(value)) for name, value in after.items() if _tells(name, value)]
    return [(name.replace("_", " "), _shown(row.before.get(name)), _shown(value)) for name, value in after.items()]


def _tells(name: str, value: Any) -> bool:
    return (
        value not in (None, "", [], {})
        and not name.endswith("_id")
        and name not in {"id", "public_id", "state", "recorded_at", "recorded_via", "version"}
    )


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    text = str(value)
    return text if len(text) <= _SHORTEST * 3 else f"{text[: _SHORTEST * 3]}…"

"""Pages of patients: importing this module registers every route of the blueprint."""

from clinic_tracker.web.patients import (
    change_views,
    chart_views,
    contact_views,
    decision_views,
    enrollment_views,
    exam_views,
    list_views,
    merge_views,
    register_views,
)
from clinic_tracker.web.patients.blueprint import blueprint

__all__ = [
    "blueprint",
    "change_views",
    "chart_views",
    "contact_views",
    "decision_views",
    "enrollment_views",
    "exam_views",
    "list_views",
    "merge_views",
    "register_views",
]
